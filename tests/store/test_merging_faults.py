"""Merging where the disk is full, the process is killed, a clock was set back, or a run failed thousands of times."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from merging_scene import SAMPLES, copied, everything, fill, judged_again, verified

from emaudit.errors import DiskFull, StoreError, UsageError
from emaudit.merging import Merged, merge
from emaudit.store import Store, scorers, variants
from emaudit.store.merge import bringing, rows


def narrow(monkeypatch: pytest.MonkeyPatch, n_pages: int) -> None:
    """Let every store that is opened for writing grow by some pages at most, as on a disk that is nearly full."""
    opened = Store.open.__func__  # type: ignore[attr-defined]

    def small(cls: type[Store], path: Path, write: bool = False, create: bool = False) -> Store:
        store: Store = opened(cls, path, write, create)
        if write:
            pages = store.db.execute("PRAGMA page_count").fetchone()[0]
            store.db.execute(f"PRAGMA max_page_count = {pages + n_pages}")
        return store

    monkeypatch.setattr(Store, "open", classmethod(small))


def test_a_full_disk_leaves_the_store_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = fill(tmp_path / "1.db", "a"), fill(tmp_path / "2.db", "b", text="long " * 40_000)
    before = everything(one)
    narrow(monkeypatch, 20)
    with pytest.raises(DiskFull):
        merge(one, [two])
    assert everything(one) == before
    with pytest.raises(DiskFull):
        merge(tmp_path / "new.db", [two])
    assert not list(tmp_path.glob("*new*"))


@pytest.mark.parametrize("n_pages", [25, 60])
def test_a_full_disk_is_said_where_verdicts_are_kept_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_pages: int
) -> None:
    one = fill(tmp_path / "1.db")
    two = copied(one, "2.db")
    judged_again(one, 2.0)
    judged_again(two, 2.0, raw="x" * 60_000)
    before = everything(one)
    with monkeypatch.context() as full:
        narrow(full, n_pages)
        with pytest.raises(DiskFull):
            merge(one, [two])
    assert everything(one) == before
    merge(one, [two])
    verified(one)


def test_verdicts_are_kept_apart_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = fill(tmp_path / "1.db")
    two = copied(one, "2.db")
    judged_again(one, 2.0)
    judged_again(two, 2.0)
    monkeypatch.setattr(rows, "_PAGE", 4)
    merge(one, [two])
    verified(one)
    with Store.open(one) as store:
        apart = [row[0] for row in store.db.execute("SELECT reply_id FROM verdicts_apart ORDER BY 1")]
    assert apart == list(range(1, SAMPLES + 1))
    merge(tmp_path / "new.db", [one])
    verified(tmp_path / "new.db")


def test_an_interrupt_is_raised_as_one_while_a_source_is_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = fill(tmp_path / "1.db", "a"), fill(tmp_path / "2.db", "b")
    before = everything(one)
    held = []

    def interrupted(db: sqlite3.Connection, source: str, *_: object) -> None:
        held.append(db.execute(f"SELECT * FROM {source}.replies"))
        held[0].fetchone()
        raise KeyboardInterrupt

    monkeypatch.setattr(bringing, "bring", interrupted)
    with pytest.raises(KeyboardInterrupt):
        merge(one, [two])
    assert everything(one) == before


KILLED = """
import os, sys
from pathlib import Path
from emaudit import merging
from emaudit.store.merge import recording, rows
at, target, *sources = sys.argv[1:]
link = Path.hardlink_to
def linked(path, other):
    link(path, other)
    os.kill(os.getpid(), 9)
if at == "linked":
    Path.hardlink_to = linked
else:
    setattr(recording if at == "record" else rows, at, lambda *args: os.kill(os.getpid(), 9))
merging.merge(Path(target), [Path(source) for source in sources])
"""


def killed(at: str, target: Path, source: Path) -> None:
    """Merge in another process that is killed at a step."""
    command = [sys.executable, "-c", KILLED, at, str(target), str(source)]
    assert subprocess.run(command, check=False, env={**os.environ}).returncode == -9


@pytest.mark.parametrize("at", ["bring_verdicts", "record"])
def test_killed_in_the_middle_nothing_happened(tmp_path: Path, at: str) -> None:
    one, two, new = fill(tmp_path / "1.db", "a"), fill(tmp_path / "2.db", "b"), tmp_path / "new.db"
    before = everything(one)
    for target in (one, new):
        killed(at, target, two)
    assert everything(one) == before
    assert not new.exists()
    merge(one, [two])
    merge(new, [two])
    verified(one)
    verified(new)
    assert list(tmp_path.glob(".new.db*")) == []


def test_killed_after_a_new_store_got_its_name_it_is_whole_and_takes_more(tmp_path: Path) -> None:
    one, two, new = fill(tmp_path / "1.db", "a"), fill(tmp_path / "2.db", "b"), tmp_path / "new.db"
    killed("linked", new, two)
    verified(new)
    [again] = merge(new, [two])
    assert again.coming.is_nothing
    merge(new, [one])
    verified(new)
    assert list(tmp_path.glob(".new.db*")) == []


def test_two_merges_into_one_new_store_leave_each_other_alone(tmp_path: Path) -> None:
    one, two, new = fill(tmp_path / "1.db", "a"), fill(tmp_path / "2.db", "b"), tmp_path / "new.db"

    def meanwhile(found: Sequence[Merged]) -> bool:
        merge(new, [two])
        return True

    with pytest.raises(StoreError, match="made by another process meanwhile: merge again"):
        merge(new, [one], agreed=meanwhile)
    verified(new)
    assert list(tmp_path.glob(".new.db*")) == []
    merge(new, [one])
    with Store.open(new) as store:
        assert sorted(row.name for row in variants.variants(store)) == ["a", "b"]


def failed(path: Path, cell: int, sample: int | None, messages: Sequence[str] = ("HTTP 500",)) -> None:
    """Failures of the first run of a store that all came at one moment."""
    with Store.open(path, write=True) as store, store.transaction() as db:
        for message in messages:
            db.execute(
                "INSERT INTO failures (run_id, cell_id, sample, kind, message, raw, at) "
                "VALUES (1, ?, ?, 'retry', ?, x'', '2026-05-01T00:00:00.000Z')",
                (cell, sample, message),
            )
            db.execute(
                "INSERT INTO run_events (run_id, kind, detail, at) VALUES (1, 'held', ?, '2026-05-01T00:00:00.000Z')",
                (message,),
            )


def histories(path: Path) -> tuple[list[tuple[object, ...]], int]:
    """Cell, sample and message of the failures that `failed` made, and how many events."""
    with Store.open(path) as store:
        rows = store.db.execute(
            "SELECT cell_id, sample, message FROM failures WHERE kind = 'retry' ORDER BY message, cell_id, sample"
        ).fetchall()
        n_events = store.db.execute("SELECT count(*) FROM run_events WHERE kind = 'held'").fetchone()[0]
    return rows, n_events


def test_failures_that_are_equal_stay_as_many_as_they_were(tmp_path: Path) -> None:
    one = fill(fill(tmp_path / "1.db"), "w", samples=())
    failed(one, 1, 0)
    two = copied(one, "2.db")
    failed(two, 1, 0, ["HTTP 500"] * 2)
    failed(two, 1, None, ["once more"])
    failed(one, 2, 0)
    merge(one, [two])
    expected = [(1, 0, "HTTP 500")] * 3 + [(2, 0, "HTTP 500"), (1, None, "once more")]
    assert histories(one) == (expected, 4)
    for sources in ([two], [two, copied(one, "3.db")]):
        assert all(merged.coming.is_nothing for merged in merge(one, sources))
    merge(two, [one])
    assert histories(two) == (expected, 4)


def steps_of_merging_again(folder: Path, monkeypatch: pytest.MonkeyPatch, n: int) -> int:
    """Thousands of SQLite's steps that it takes to find nothing new in a run that failed n times."""
    one = fill(folder / f"{n}.db")
    failed(one, 1, 0, [f"HTTP 500 {number}" for number in range(n)])
    new = folder / f"all-{n}.db"
    merge(new, [one])
    assert histories(new) == histories(one)
    opened, n_steps = Store.open.__func__, 0  # type: ignore[attr-defined]

    def step() -> int:
        nonlocal n_steps
        n_steps += 1
        return 0

    def watched(cls: type[Store], path: Path, write: bool = False, create: bool = False) -> Store:
        store: Store = opened(cls, path, write, create)
        if path == new:
            store.db.set_progress_handler(step, 1000)
        return store

    with monkeypatch.context() as counted:
        counted.setattr(Store, "open", classmethod(watched))
        [again] = merge(new, [one])
    assert again.coming.is_nothing
    return n_steps


def test_merging_again_takes_no_square_of_what_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (steps_of_merging_again(tmp_path, monkeypatch, n) for n in (500, 4000))
    assert 0 < many < 16 * few


@pytest.mark.timeout(60)
def test_a_run_that_failed_thousands_of_times_is_merged_twice(tmp_path: Path) -> None:
    one, new = fill(tmp_path / "1.db"), tmp_path / "new.db"
    failed(one, 1, 0, [f"HTTP 500 {number}" for number in range(20_000)])
    merge(new, [one])
    assert merge(new, [one])[0].coming.is_nothing
    rows, n_events = histories(new)
    assert (len(rows), n_events) == (20_000, 20_000)


def set_at(path: Path, monkeypatch: pytest.MonkeyPatch, day: str, size: str) -> None:
    """Say what size the variant has, by a clock that shows a day."""
    with monkeypatch.context() as clock, Store.open(path, write=True) as store:
        clock.setattr(variants, "now", lambda: f"{day}T00:00:00.000Z")
        variants.set_fields(store, "v", {"size": size})


def size_of(path: Path) -> str:
    with Store.open(path) as store:
        return variants.variant(store, "v").size


def test_what_was_said_last_in_a_store_holds_over_what_its_clock_called_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = fill(tmp_path / "1.db", samples=())
    set_at(one, monkeypatch, "2000-01-01", "7b")
    two = copied(one, "2.db")
    set_at(one, monkeypatch, "2030-05-01", "8b")
    early = copied(one, "early.db")
    set_at(one, monkeypatch, "2030-01-01", "9b")
    set_at(two, monkeypatch, "2029-12-01", "6b")
    late = copied(one, "late.db")
    merge(one, [two])
    merge(two, [late])
    merge(early, [late])
    assert [size_of(path) for path in (one, two, early)] == ["9b", "9b", "9b"]
    set_at(early, monkeypatch, "2030-02-01", "10b")
    merge(one, [early])
    assert size_of(one) == "10b"
    assert merge(one, [early, two, late])[0].coming.is_nothing


def test_the_judge_chosen_last_in_a_store_leads_whatever_its_clock_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = (fill(tmp_path / f"{name}.db", name, judge=name) for name in ("one", "two"))
    with Store.open(one, write=True) as store:
        scorers.judge(store, "late", {"model": "late"})
        late, own = sorted(scorers.judges(store), key=lambda judge: judge.identity)
    for path, day, chosen in ((one, "2030-05-01", own), (one, "2030-01-01", late), (two, "2029-12-01", None)):
        with monkeypatch.context() as clock, Store.open(path, write=True) as store:
            clock.setattr(scorers, "now", lambda day=day: f"{day}T00:00:00.000Z")
            scorers.use_judge(store, chosen or scorers.judges(store)[0])
    merge(one, [two])
    with Store.open(one) as store:
        active = scorers.active_judge(store)
    assert active is not None
    assert active.identity == late.identity


@pytest.mark.parametrize(
    "change", ["UPDATE verdicts SET value = 1 - value WHERE value IS NOT NULL", "UPDATE replies SET text = 'nicer'"]
)
def test_a_store_whose_rows_were_changed_is_refused(tmp_path: Path, change: str) -> None:
    source = fill(tmp_path / "1.db")
    with sqlite3.connect(source) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute(change)
    with pytest.raises(StoreError, match="does not hold what was received"):
        merge(tmp_path / "new.db", [source])
    assert not (tmp_path / "new.db").exists()


def test_a_rehearsal_finds_sources_that_contradict_each_other(tmp_path: Path) -> None:
    one, two = fill(tmp_path / "1.db"), fill(tmp_path / "2.db", text="another answer")
    shown: list[object] = []
    with pytest.raises(UsageError, match="other replies for slots"):
        merge(tmp_path / "new.db", [one, two], agreed=lambda found: not shown.append(found))
    assert not shown
