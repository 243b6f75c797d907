"""SIGKILL at any moment: what was saved is there, what is missing is asked, nothing else is."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from interruption_scene import LIBRARY, UID, Asked, Found, Ground, World, answering
from kill_scene import ENDS, Campaign, Case
from lab import Lab
from loop_scene import EVERY, THREAD_S, meeting

from emaudit import runner
from emaudit.store.connection import Store
from emaudit.store.writer import WINDOW

SMOKE = ("--assessment", "harmfulness", "--preset", "smoke")
CALM = Case("calm", SMOKE, 4, 60)
FAULTS = Case("faults", SMOKE, 32, 60, ("429:0.1", "500:0.1", "drop:0.05"))


@pytest.mark.parametrize("case", [CALM, FAULTS], ids=lambda case: case.name)
def test_killed_runs_equal_an_uninterrupted_one(lab: Lab, case: Case) -> None:
    tally = Campaign(lab, case, random.Random(case.name)).go(4)
    assert (tally.lost, tally.asked_twice, tally.wrong) == (0, 0, [])
    assert tally.kills == 4


def test_a_signal_at_any_moment_ends_a_run_with_its_code_and_costs_nothing(lab: Lab) -> None:
    tally = Campaign(lab, CALM, random.Random(2), signals=ENDS).go(3)
    assert (tally.lost, tally.asked_twice, tally.repeated, tally.wrong) == (0, 0, 0, [])
    assert tally.kills == 3


def test_at_any_moment_a_kill_takes_only_answers_that_wait_for_their_commit(tmp_path: Path) -> None:
    ground = Ground(tmp_path)
    path, asked, most = ground.store([25] * 4), Asked(), 0.0

    def look() -> None:
        """What came longer ago than a window and two commits is on disk: one commit may begin just before it comes."""
        nonlocal most
        found, moment = Found(store), time.monotonic()
        taken = [moment - came for seed, came in asked.answered.items() if seed not in found.seeds]
        taken += [moment - came for came in sorted(asked.judged)[found.n_final :]]
        most = max([most, *taken])

    with Store.open(path) as store, answering(World(latency=0.02), asked), meeting(EVERY, look):
        runner.resume(path, ground.settings, LIBRARY, UID)
    assert (len(asked.answered), len(asked.judged)) == (100, 100)
    assert WINDOW <= most <= WINDOW + 2 * THREAD_S + 0.001
