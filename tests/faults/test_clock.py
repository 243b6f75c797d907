"""A wall clock that jumps by hours, forwards and backwards, in the middle of a run."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from unittest.mock import patch

import pytest
from interruption_scene import LIBRARY, UID, Asked, Found, Ground, World, answering
from loop_scene import meeting

from emaudit import runner
from emaudit.archive import StoreArchive
from emaudit.export import export_csv
from emaudit.failures import retry_after
from emaudit.runner import RunState
from emaudit.store import Progress, chains, plans, runs
from emaudit.store.connection import Store
from emaudit.watch.runs import RunWatch

JUMPS = itertools.cycle((0, 9, -7, 30, -48, 0.5))


@contextmanager
def clock(hours: Callable[[], float]) -> Iterator[None]:
    """Each reading of the wall clock is so many hours away from the true time."""
    real, real_ns = time.time, time.time_ns

    class Moved(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(hours=hours())

    with (
        patch("time.time", lambda: real() + hours() * 3_600),
        patch("time.time_ns", lambda: real_ns() + int(hours() * 3_600_000_000_000)),
        patch("emaudit.watch.runs.datetime", Moved),
    ):
        yield


@contextmanager
def jumping() -> Iterator[None]:
    """Each reading of the wall clock is some hours away from the last."""
    with clock(lambda: next(JUMPS)):
        yield


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path)


def test_a_run_under_a_jumping_clock_ends_whole(ground: Ground) -> None:
    path = ground.store([10, 10, 10])
    with jumping():
        ground.resume(path, Asked(), World(failing=0.1, unreadable=0.3), "signal", 60)
        ground.resume(path, Asked(), World(failing=0.0, unreadable=0.3))
    with Store.open(path) as store:
        found = Found(store)
        moments = [row[0] for row in store.db.execute("SELECT received_at FROM replies ORDER BY reply_id")]
        assert moments != sorted(moments)
        assert Counter(found.slots) == Counter(found.planned)
        assert found.n_owed == 0
        assert list(chains.chain_problems(store)) == []


def test_the_plan_that_was_named_last_is_the_current_one_whatever_the_clock_says(ground: Ground) -> None:
    path = ground.store([10])
    with Store.open(path, write=True) as store:
        first = plans.current_plans(store)
        cells = [(cell, params) for cell, params in ground.cells[:2]]
        edited = plans.write_plan(store, 1, 1, "harmfulness", "smoke", first[0].instrument, "", "edited", cells)
        for named in (edited, first[0], edited, first[0]):
            with jumping():
                runs.name_plans(store, 1, [named])
            assert plans.current_plans(store) == [named]


def test_a_date_to_wait_for_is_read_by_the_clock_of_the_server() -> None:
    headers = {"date": "Wed, 01 Jan 2020 10:00:00 GMT", "retry-after": "Wed, 01 Jan 2020 10:00:30 GMT"}
    assert retry_after(headers) == 30.0


def told(ground: Ground) -> list[tuple[str, float | None, float]]:
    """What a run says of itself, tick by tick, with rate limits that make it wait: line, seconds left, rate."""
    path, states = ground.store([25, 25]), list[RunState]()
    random.seed(1)
    with answering(World(failing=0.2), Asked()), meeting() as loop:
        loop.now, loop.until = 1_000.0, 4_000.0
        runner.resume(path, ground.settings, LIBRARY, UID, states.append)
    return [(state.line, state.eta_s, state.replies_per_s) for state in states]


def test_waits_rates_and_the_time_left_are_those_of_a_clock_that_stands_still(ground: Ground) -> None:
    calm = told(ground)
    assert any("next try in" in line for line, _, _ in calm)
    assert any(left for _, left, _ in calm)
    with jumping():
        assert told(ground) == calm


def test_an_export_is_the_same_at_any_time(ground: Ground, tmp_path: Path) -> None:
    path = ground.store([10, 10])
    ground.resume(path, Asked(), World())
    found = []
    with Store.open(path) as store:
        for hours in (0.0, 90_000.0, -90_000.0):
            folder = tmp_path / f"out {hours}"
            with clock(lambda now=hours: now):  # type: ignore[misc]
                export_csv(StoreArchive(store, "smoke"), folder, "smoke")
            found.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert found[0] == found[1] == found[2]
    assert b"reply" in found[0]["responses.csv"]


def test_a_silent_run_is_told_by_the_seconds_that_passed(ground: Ground) -> None:
    path, watch = ground.store([2]), RunWatch()
    with Store.open(path, write=True) as store, runs.lease(store, UID, []):

        def line(hours: float, seconds: float) -> str:
            now = time.monotonic() + seconds
            with clock(lambda: hours), patch("time.monotonic", lambda: now):
                watch.refresh(store)
                watch.look(store)
                return watch.rows(store, lambda _: (Progress(2, 0, 0, 0, 0, 0), True))[0].line

        with store.transaction() as db:
            runs.write_state(db, 1, {"line": "asking"})
        assert line(0, 0) == line(30, 1) == line(-30, 2) == "asking"
        assert line(-30, 20) == "asking (no word for 20 s)"
        assert line(30, 40) == "asking (no word for 40 s)"
        with clock(lambda: -48), store.transaction() as db:
            runs.write_state(db, 1, {"line": "judging"})
        assert line(30, 41) == "judging"
