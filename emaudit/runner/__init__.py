"""Running a plan: the process, its passes, its endpoints' lanes, and what goes over the wire. Prints nothing."""

from emaudit.runner.loop import Ended, Observe, RunState
from emaudit.runner.planting import Planting
from emaudit.runner.process import resume, start
from emaudit.runner.rejudging import plant_only, rejudge

__all__ = ["Ended", "Observe", "Planting", "RunState", "plant_only", "rejudge", "resume", "start"]
