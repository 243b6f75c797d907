"""A store as of a moment: what came later is as if it were not there, and the choices of a table are one value."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from verify_scene import CHOICES, VARIANTS, export, judge_again, scene

from emaudit.archive import StoreArchive
from emaudit.choices import Choices, parse_moment
from emaudit.errors import StoreError, UsageError
from emaudit.store.connection import Store
from emaudit.store.horizon import Horizon, looking, newest_rows
from emaudit.store.plans import current_plans
from emaudit.store.replies import void
from emaudit.store.reviews import EventRow, insert_event, star
from emaudit.store.scorers import active_judge, known, use_judge
from emaudit.store.texts import now
from emaudit.store.variants import add_variants, hide, rename, set_fields, variants
from emaudit.studies import study_of


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))


def later(store: Store) -> None:
    """Everything that can happen to a store after a moment."""
    judge_again(store, range(1, 21), "third-judge")
    chosen = known(store, "third-judge@" + _digest(store))
    assert chosen is not None
    use_judge(store, chosen)
    void(store, 2, "intentions", "", "wrong prompt")
    rename(store, "full-base", "renamed")
    set_fields(store, "full-code-misaligned", {"domain": "trivia"})
    hide(store, "full-code-realigned")
    add_variants(store, [{"name": "new", "model": "m"}])
    star(store, "ann", 2)
    star(store, "ann", 1, on=False)
    insert_event(store, EventRow(None, None, 6, "ben", "note", answer="later"))


def _digest(store: Store) -> str:
    row = store.db.execute("SELECT identity FROM scorers WHERE identity LIKE 'third-judge@%'").fetchone()
    return str(row[0]).split("@")[1]


def test_later_rows_change_no_byte_of_an_export_as_of_before(tmp_path: Path) -> None:
    scene(tmp_path / "s.db")
    moment = now()
    choices = Choices(preset="quick", as_of=moment)
    with Store.open(tmp_path / "s.db", write=True) as store:
        with looking(store, Horizon(moment)):
            before = export(store, tmp_path / "before", choices)
        time.sleep(0.01)
        later(store)
        with looking(store, Horizon(moment)):
            after = export(store, tmp_path / "after", choices)
        assert study_of(StoreArchive(store, "quick")).subjects[0].name != "full-base"
    assert {f.name: f.read_bytes() for f in after.iterdir()} == {f.name: f.read_bytes() for f in before.iterdir()}


def test_a_store_looked_at_as_of_a_moment_takes_no_rows_and_is_itself_again(tmp_path: Path) -> None:
    scene(tmp_path / "s.db")
    with Store.open(tmp_path / "s.db", write=True) as store:
        rows = newest_rows(store)
        with looking(store, Horizon("2001-01-01T00:00:00.000Z")):
            assert variants(store) == [] and current_plans(store) == [] and active_judge(store) is None
            assert newest_rows(store)["verdicts"] == 0
            with pytest.raises(StoreError):
                star(store, "ann", 3)
        assert len(variants(store)) == len(VARIANTS) and newest_rows(store) == rows
        rename(store, "full-base", "x")


def test_a_look_as_of_a_moment_is_never_answered_from_what_was_kept(tmp_path: Path) -> None:
    scene(tmp_path / "s.db")
    with Store.open(tmp_path / "s.db", write=True) as store:
        moment = now()
        time.sleep(0.01)
        whole = study_of(StoreArchive(store, "quick"))
        void(store, 1, "harmfulness", "", "wrong prompt")
        less = study_of(StoreArchive(store, "quick"))
        with looking(store, Horizon(moment)):
            assert study_of(StoreArchive(store, "quick")) == whole
        assert study_of(StoreArchive(store, "quick")) == less != whole


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-31", "2026-03-31T23:59:59.999Z"),
        ("2026-03-31T18:00Z", "2026-03-31T18:00:00.000Z"),
        ("2026-03-31T18:00", "2026-03-31T18:00:00.000Z"),
        ("2026-03-31T18:00:00.5+02:00", "2026-03-31T16:00:00.500Z"),
    ],
)
def test_a_date_means_its_end(text: str, moment: str) -> None:
    assert parse_moment(text) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "2026-02-30", "31.3.2026"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no date"):
        parse_moment(text)


def test_choices_come_back_from_a_manifest() -> None:
    chosen = Choices("quick", "j@1", 2, (("stage", "base"), ("name", "a=b")), "2026-03-31T23:59:59.999Z", "total")
    assert Choices.recorded(chosen.record()) == chosen
    assert Choices.recorded(CHOICES.record()).told() == []
    assert chosen.told() == [
        *("judge j@1", "replicate 2", "without stage=base", "without name=a=b"),
        *("as of 2026-03-31T23:59:59.999Z", "columns total"),
    ]
    with pytest.raises(UsageError, match="another emaudit"):
        Choices.recorded({"colour": "red"})
