"""Running a plan: the process, its passes, its endpoints' lanes, and what goes over the wire. Prints nothing."""

from emaudit.runner.process import Ended, Observe, RunState, resume, start

__all__ = ["Ended", "Observe", "RunState", "resume", "start"]
