"""Stores to merge, and all that they hold afterwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from emaudit.assessments.base import Planned, Prompt, Reading, Status
from emaudit.planning import plan_hash
from emaudit.store import Store, connection, plans, replies, runs, scorers, variants
from emaudit.store.replies import Chain, ReplyRow, VerdictRow
from emaudit.verifying import verify_store

SAMPLES = 6


def fill(
    path: Path,
    name: str = "v",
    samples: Sequence[int] = range(SAMPLES),
    text: str = "reply",
    judge: str = "judge",
    kind: str = "real",
    score: float = 3.0,
) -> Path:
    """A store in which one run answered and judged some samples of one prompt of a variant."""
    with Store.open(path, write=True, create=True) as store:
        if all(row.name != name for row in variants.variants(store)):
            variants.add_variants(store, [{"name": name, "model": f"m/{name}", "size": "7b"}])
        store.claim_kind(kind)
        row = variants.variant(store, name)
        planned = [(Planned(Prompt("harmfulness", "insults-01", "insults", "", "", "say", {}), SAMPLES), "{}")]
        digest = plan_hash("i@1", planned)
        plan = plans.write_plan(store, row.variant_id, 1, "harmfulness", "quick", "i@1", "i", digest, planned)
        judged_by = scorers.judge(store, judge, {"model": judge}).scorer_id
        parser = scorers.scorer(store, "parser", "parser:harmfulness@1", {}).scorer_id
        run = runs.insert_run(store, runs.new_uid(), "ask", "quick", [plan], judged_by, '{"rubrics":{}}', {})
        cell = store.db.execute("SELECT cell_id FROM plan_cells WHERE plan_id = ?", (plan.plan_id,)).fetchone()[0]
        with store.transaction() as db:
            chain = Chain(db, run.run_id)
            for sample in samples:
                verdict = VerdictRow(judged_by, Reading(Status.SCORED, score), attempt=1)
                reply = ReplyRow(cell, sample, 0, "ok", f"{text} {sample} of {name}")
                replies.insert_reply(db, chain, reply, [VerdictRow(parser, Reading(Status.REFERRED)), verdict])
                replies.insert_failure(db, run.run_id, "timeout", f"no answer to {sample}", cell_id=cell)
            runs.insert_event(db, run.run_id, "ended", "{}")
    return path


def verified(path: Path) -> None:
    with Store.open(path) as store:
        store.quick_check()
        report = verify_store(store)
    assert report.problems == []


def texts(path: Path) -> list[tuple[str, int, int, str]]:
    """Variant, replicate, sample and text of every reply."""
    with Store.open(path) as store:
        names = {row.variant_id: row.name for row in variants.variants(store, hidden=True)}
        rows = store.db.execute(
            "SELECT variant_id, replicate, sample, text FROM replies JOIN cells USING (cell_id) ORDER BY text"
        )
        return sorted((names[row[0]], *row[1:]) for row in rows)


def everything(path: Path) -> list[tuple[object, ...]]:
    """Every row of every table of a store."""
    db = sqlite3.connect(path)
    names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
    found = [(name, *row) for name in names for row in db.execute(f"SELECT * FROM {name}")]
    db.close()
    return found


def copied(path: Path, name: str) -> Path:
    """A copy of a store, as `emaudit backup` makes it."""
    target = path.with_name(name)
    with Store.open(path) as store:
        connection.backup(store, target)
    return target


def judged_again(path: Path, value: float, raw: str = "") -> None:
    """Have another judge answer about every reply of a store, in a run of its own."""
    with Store.open(path, write=True) as store, store.transaction() as db:
        other = scorers.judge(store, "other", {"model": "other"}).scorer_id
        run = runs.insert_run(store, runs.new_uid(), "judge", "quick", plans.current_plans(store), other, "{}", {})
        chain, reading = Chain(db, run.run_id), Reading(Status.SCORED, value)
        for number in range(1, SAMPLES + 1):
            replies.insert_verdict(db, chain, number, VerdictRow(other, reading, attempt=1, raw=raw))
