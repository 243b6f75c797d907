"""A small store with replies, verdicts and reviews, and its export; edited behind emaudit's back."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

from grid_scene import grid

from emaudit.archive import StoreArchive
from emaudit.assessments.base import Reading, Status
from emaudit.choices import Choices
from emaudit.export import export_csv
from emaudit.scores import Rules
from emaudit.store.connection import Store
from emaudit.store.horizon import Horizon, looking, newest_rows
from emaudit.store.replies import Chain, VerdictRow, insert_verdict
from emaudit.store.reviews import EventRow, insert_event, star
from emaudit.store.runs import insert_run, new_uid
from emaudit.store.scorers import judge

VARIANTS = [("full", "", "base"), ("full", "code", "misaligned"), ("full", "code", "realigned")]
RULES = Rules(resamples=40)
CHOICES = Choices(preset="quick")


def scene(path: Path) -> None:
    """Three variants with all five assessments, a second judge, two starred replies and another review event."""
    with grid(path, n=1, variants=VARIANTS) as store:
        judge_again(store, range(1, 31))
        star(store, "ann", 1)
        star(store, "ann", 40)
        insert_event(store, EventRow(None, None, 5, "ben", "note", answer="odd"))


def judge_again(store: Store, replies: range, name: str = "other-judge") -> None:
    """Let another judge score some replies, in a run of its own."""
    other = judge(store, name, {})
    run = insert_run(store, new_uid(), "rejudge", "quick", [], other.scorer_id, "{}", {})
    with store.transaction() as db:
        chain = Chain(db, run.run_id)
        for number in replies:
            insert_verdict(db, chain, number, VerdictRow(other.scorer_id, Reading(Status.SCORED, 1.0 + number % 5), 1))


def export(store: Store, directory: Path, choices: Choices = CHOICES, excel_safe: bool = False) -> Path:
    """An export as `emaudit export` makes it."""
    with looking(store, Horizon(choices.as_of, newest_rows(store))):
        archive = StoreArchive.chosen(store, choices)
        export_csv(archive, directory, choices.preset, excel_safe=excel_safe, rules=RULES)
    return directory


def copied(scene: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path]:
    """A copy of the store and of its export, to be edited."""
    path, folder = tmp_path / "s.db", tmp_path / "out"
    shutil.copy(scene[0], path)
    shutil.copytree(scene[1], folder)
    return path, folder


def tamper(path: Path, statement: str, *values: object) -> None:
    """Change rows of a store as somebody would who removes its guards, and puts them back."""
    db = sqlite3.connect(path)
    guards = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%_no_%'").fetchall()
    for name, _ in guards:
        db.execute(f"DROP TRIGGER {name}")
    assert db.execute(statement, values).rowcount > 0
    for _, sql in guards:
        db.execute(sql)
    db.commit()
    db.close()


def edit(file: Path, row: int, column: str, change: Callable[[str], str]) -> tuple[str, str]:
    """Change one cell of a CSV file; returns what it said and what it says."""
    with file.open(newline="", encoding="utf-8") as held:
        rows = list(csv.reader(held))
    place = rows[0].index(column)
    before = rows[row][place]
    rows[row][place] = change(before)
    write(file, rows)
    return before, rows[row][place]


def write(file: Path, rows: list[list[str]]) -> None:
    """Write rows as the export quotes them."""
    with file.open("w", newline="", encoding="utf-8") as held:
        csv.writer(held, lineterminator="\n").writerows(rows)


def vouch(folder: Path) -> None:
    """Give every file in the manifest the digest it has now, as a careful forger would."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    for name, entry in manifest["files"].items():
        entry["sha256"] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    path.write_text(json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8")
