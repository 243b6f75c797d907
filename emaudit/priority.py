"""Standing back: what works in the background leaves the processors to what a person waits for."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

_SESSION: Final = Path("/proc/self/autogroup")


def stand_back(niceness: int) -> None:
    """Lower this process's priority to a niceness of 1 to 19; one that is lower already stays.

    Where it leads a session of its own, that is lowered too: Linux shares the processors among sessions first, and
    niceness counts only within one (sched(7), the autogroup feature).
    """
    with contextlib.suppress(OSError):  # a courtesy that some systems do not allow
        os.setpriority(os.PRIO_PROCESS, 0, max(niceness, os.getpriority(os.PRIO_PROCESS, 0)))
        if os.getsid(0) == os.getpid() and _SESSION.exists():
            _SESSION.write_text(str(niceness), encoding="ascii")
