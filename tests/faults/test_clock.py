"""A wall clock that jumps by hours, forwards and backwards, in the middle of a run."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from interruption_scene import Asked, Found, Ground, World

from emaudit.failures import retry_after
from emaudit.store import chains, plans, runs
from emaudit.store.connection import Store

JUMPS = itertools.cycle((0, 9, -7, 30, -48, 0.5))


@contextmanager
def jumping() -> Iterator[None]:
    """Each reading of the wall clock is some hours away from the last."""
    real = time.time_ns
    with patch("time.time_ns", lambda: real() + int(next(JUMPS) * 3_600_000_000_000)):
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
