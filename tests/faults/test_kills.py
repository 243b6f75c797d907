"""SIGKILL at any moment: what was saved is there, what is missing is asked, nothing else is."""

from __future__ import annotations

import random

import pytest
from kill_scene import Campaign, Case
from lab import Lab

SMOKE = ("--assessment", "harmfulness", "--preset", "smoke")
CASES = (
    Case("calm", SMOKE, 4, 60),
    Case("faults", SMOKE, 32, 60, ("429:0.1", "500:0.1", "drop:0.05")),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_killed_runs_equal_an_uninterrupted_one(lab: Lab, case: Case) -> None:
    tally = Campaign(lab, case, random.Random(case.name)).go(4)
    assert (tally.lost, tally.asked_twice, tally.wrong) == (0, 0, [])
    assert tally.kills == 4
