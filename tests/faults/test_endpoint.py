"""Whatever an endpoint does, a run comes to what the table says, loses nothing, and is whole once resumed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from endpoint_cases import BOUNDED, every_fault_is_met
from endpoint_scene import (
    MODEL,
    Case,
    Inside,
    Place,
    Uneven,
    library_of,
    nothing_lost_nothing_twice,
    seen,
    small_prompts,
)

from emaudit.runner import asking
from emaudit.runner.limits import Limiter


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_prompts(tmp_path_factory.mktemp("prompts"))


@pytest.fixture(scope="module")
def world(prompts: Path) -> Iterator[Inside]:
    made = Inside(library_of(prompts))
    yield made
    made.close()


@pytest.fixture(scope="module")
def healthy(world: Inside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An endpoint without faults."""
    with world.serve((), tmp_path_factory.mktemp("healthy") / "requests.jsonl") as url:
        yield url


@pytest.fixture(scope="module")
def fresh(world: Inside, prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A store with a variant that was never asked."""
    place = Place(world, tmp_path_factory.mktemp("fresh"), prompts)
    place.begin()
    return place


@pytest.fixture(scope="module")
def whole(fresh: Place, world: Inside, prompts: Path, healthy: str, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """What a run without faults leaves."""
    place = Place(world, tmp_path_factory.mktemp("whole"), prompts)
    place.begin(fresh.store)
    place.point_at(healthy)
    place.run()
    return place


@pytest.fixture(scope="module")
def expected(whole: Place) -> dict[str, str]:
    return whole.exports()


@pytest.fixture(autouse=True)
def _haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backoff takes a fiftieth of its time; what an endpoint asks to wait is waited for in full."""
    pause = Limiter.pause
    monkeypatch.setattr(
        Limiter, "pause", lambda self, seconds: pause(self, seconds if seconds == 1.0 else seconds / 50)
    )
    monkeypatch.setattr(asking, "random", SimpleNamespace(uniform=lambda low, high: random.uniform(low, high) / 50))
    monkeypatch.setattr("emaudit.runner.loop.stand_back", lambda _: None)


@pytest.mark.parametrize("case", BOUNDED, ids=lambda case: case.name)
def test_a_run_meets_its_faults(
    case: Case, fresh: Place, world: Inside, prompts: Path, healthy: str, expected: dict[str, str], tmp_path: Path
) -> None:
    place = Place(world, tmp_path, prompts)
    place.begin(fresh.store)
    with world.serve(case.faults, place.log) as url:
        place.point_at(url, case.settings)
        found = seen(place, *place.run(code=None))
    assert not case.differs(found), found.said
    assert nothing_lost_nothing_twice(place, ignores_n="ignore-n" in case.faults) == Uneven()
    place.point_at(healthy)
    _, said = place.do("resume")
    assert "0 owed" in said
    if case.equal:
        assert place.exports() == expected


def test_the_table_meets_every_fault() -> None:
    assert every_fault_is_met()


def test_a_model_exchanged_between_a_run_and_its_resumption_is_told(
    fresh: Place, world: Inside, prompts: Path, tmp_path: Path
) -> None:
    place = Place(world, tmp_path, prompts)
    place.begin(fresh.store)
    with world.serve(("ask/drop:2-",), place.log) as url:
        place.point_at(url)
        place.run(code=3)
    with world.serve(("model-changes-after:0", "fingerprint-changes-after:0"), place.log) as url:
        place.point_at(url)
        _, said = place.do("resume")
    assert said.count("the endpoint now reports model") == 1
    assert said.count("the endpoint now reports fingerprint") == 1
    assert place.rows("SELECT model, count(*) FROM replies GROUP BY model") == [(MODEL, 10), (f"{MODEL}-2", 10)]
