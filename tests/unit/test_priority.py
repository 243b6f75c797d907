"""What runs in the background leaves the processors to what a person waits for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SESSION = Path("/proc/self/autogroup")
STANDING_BACK = """
import os
from pathlib import Path
from emaudit.priority import stand_back
stand_back(10)
stand_back(7)
session = Path("/proc/self/autogroup")
print(os.getpriority(os.PRIO_PROCESS, 0), session.read_text() if session.exists() else "")
"""


def after(own_session: bool) -> tuple[int, str]:
    """The niceness of a process that stood back twice, and what its session says."""
    command = [sys.executable, "-c", STANDING_BACK]
    said = subprocess.run(command, check=True, capture_output=True, text=True, start_new_session=own_session).stdout
    niceness, _, session = said.partition(" ")
    return int(niceness), session.strip()


def test_a_process_keeps_the_lowest_priority_it_took() -> None:
    assert after(own_session=False)[0] == after(own_session=True)[0] >= 10


@pytest.mark.skipif(not SESSION.exists(), reason="this system does not share its processors among sessions")
def test_a_session_of_its_own_stands_back_and_that_of_others_does_not() -> None:
    here = SESSION.read_text().strip()
    assert after(own_session=True)[1].endswith("nice 7")
    assert after(own_session=False)[1] == here and SESSION.read_text().strip() == here
