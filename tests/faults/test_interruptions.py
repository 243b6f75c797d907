"""Interrupt a run anywhere and resume it: the same slots, none twice, none missing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from interruption_scene import INTERRUPTIONS, Asked, Found, Ground, World

from emaudit.store import chains
from emaudit.store.connection import Store

WORLDS = st.builds(
    World,
    n=st.sampled_from(("honoured", "ignored", "short", "refused", "holed")),
    failing=st.sampled_from((0.0, 0.1, 0.5)),
    unreadable=st.sampled_from((0.0, 0.3, 1.0)),
    seed=st.integers(0, 1 << 16),
)
SESSIONS = st.lists(st.tuples(st.sampled_from(INTERRUPTIONS), st.integers(0, 150), WORLDS), max_size=4)
PLANS = st.lists(st.integers(1, 25), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return Ground(tmp_path_factory.mktemp("ground"))


@settings(
    max_examples=25,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(plan=PLANS, sessions=SESSIONS, last=WORLDS)
def test_every_slot_is_closed_once_whatever_happens(
    ground: Ground, plan: list[int], sessions: list[tuple[str, int, World]], last: World
) -> None:
    closes_every_slot_once(ground, plan, sessions, last)


def closes_every_slot_once(
    ground: Ground, plan: list[int], sessions: list[tuple[str, int, World]], last: World
) -> None:
    """One run, interrupted in each session, then left alone."""
    path = ground.store(plan)
    for how, turn, world in sessions:
        one_session(ground, path, world, how, turn)
    one_session(ground, path, replace(last, failing=0.0))
    with Store.open(path) as store:
        found = Found(store)
        assert Counter(found.slots) == Counter(found.planned)
        assert found.n_owed == 0
        assert set(Counter(found.finals).values()) <= {1}
        assert all(text == f"reply {seed}" for seed, _, text in found.texts)
        assert len({(seed - sample) for seed, sample, _ in found.texts}) == len(plan)
        assert list(chains.chain_problems(store)) == []


def one_session(ground: Ground, path: Path, world: World, how: str = "", turn: int | None = None) -> None:
    """What is saved already is never asked for."""
    with Store.open(path) as store:
        before = Found(store)
    asked = Asked()
    ground.resume(path, asked, world, how, turn)
    assert not before.seeds & set(asked.seeds)
