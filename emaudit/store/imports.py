"""Replies made elsewhere: kept as a run of kind `import`, with its own plan, all of it or nothing.

The same file twice adds nothing; other replies for slots that are closed are refused.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from emaudit.assessments.base import Planned
from emaudit.errors import UsageError
from emaudit.store import runs
from emaudit.store.connection import Store
from emaudit.store.jsontext import dumps
from emaudit.store.plans import Plan, write_plan
from emaudit.store.replies import Chain, ReplyRow, VerdictRow, insert_reply, insert_verdict
from emaudit.store.scorers import scorer
from emaudit.store.texts import now

PARAMS: Final = dumps({"imported": True})
"""Stands for the parameters of a reply: the file does not say them."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One reply to keep: the cell by its place in the plan, the reply, its parser's reading, and a judge's if any."""

    position: int
    sample: int
    outcome: str
    text: str
    finish_reason: str
    parsed: VerdictRow
    verdict: VerdictRow | None


@dataclass(frozen=True, slots=True)
class Kept:
    """What an import added."""

    run_uid: str
    n_replies: int
    n_verdicts: int


class NothingNew(Exception):
    """Everything of an import stands in the store already."""


def imported_judge(store: Store, identity: str) -> int:
    """The scorer `imported:NAME`, stored if it is new; all that is known of it is its name."""
    return scorer(store, "imported", identity, {}).scorer_id


def keep(
    store: Store,
    variant_id: int,
    assessment: str,
    preset: str,
    instrument: str,
    planned: Sequence[Planned],
    content_hash: str,
    incoming: Sequence[Incoming],
    judge_id: int | None,
    source: Mapping[str, object],
) -> Kept:
    """Keep a checked file's replies and verdicts in one transaction.

    Raises StoreError in a store of simulated replies, UsageError where a slot holds another reply already, and
    NothingNew where the store holds all of it; whoever has a transaction open must let it through.
    """
    with store.transaction() as db:
        store.claim_kind("real")
        plan = write_plan(
            store,
            variant_id,
            1,
            assessment,
            preset,
            instrument,
            instrument,
            content_hash,
            [(item, PARAMS) for item in planned],
        )
        cells = _cells(db, plan)
        held = {position: _held(db, cell) for position, cell in enumerate(cells)}
        new = [row for row in incoming if _is_new(row, held[row.position], planned[row.position].prompt.item)]
        verdicts = [row for row in incoming if row not in new and _owes_verdict(db, row, held[row.position])]
        if not new and not verdicts:
            raise NothingNew
        run = runs.insert_run(
            store, runs.new_uid(), "import", preset, [plan], judge_id, dumps(source), {"source": dict(source)}
        )
        chain = Chain(db, run.run_id)
        for row in new:
            _insert(db, chain, cells[row.position], row)
        for row in verdicts:
            if row.verdict is not None:
                insert_verdict(db, chain, held[row.position][row.sample][0], row.verdict)
        runs.insert_event(db, run.run_id, "started", dumps({}))
        runs.insert_event(db, run.run_id, "ended", dumps({"exit": 0, "why": "imported", "owed": 0}))
    n_verdicts = len(verdicts) + sum(row.verdict is not None for row in new)
    return Kept(run.uid, len(new), n_verdicts)


def _cells(db: sqlite3.Connection, plan: Plan) -> list[int]:
    rows = db.execute("SELECT cell_id FROM plan_cells WHERE plan_id = ? ORDER BY position", (plan.plan_id,))
    return [row[0] for row in rows]


def _held(db: sqlite3.Connection, cell_id: int) -> dict[int, tuple[int, str]]:
    """Sample -> (reply id, text) of the closed slots of a cell."""
    rows = db.execute(
        "SELECT sample, reply_id, text FROM replies r WHERE cell_id = ? "
        "AND NOT EXISTS (SELECT 1 FROM voided WHERE voided.reply_id = r.reply_id)",
        (cell_id,),
    )
    return {sample: (reply_id, text) for sample, reply_id, text in rows}


def _is_new(row: Incoming, held: Mapping[int, tuple[int, str]], item: str) -> bool:
    if row.sample not in held:
        return True
    if held[row.sample][1] != row.text:
        raise UsageError(
            f"sample {row.sample} of {item!r} holds another reply already: import into another variant, "
            "or `emaudit void` the replies there"
        )
    return False


def _owes_verdict(db: sqlite3.Connection, row: Incoming, held: Mapping[int, tuple[int, str]]) -> bool:
    if row.verdict is None:
        return False
    found = db.execute(
        "SELECT 1 FROM verdicts WHERE reply_id = ? AND scorer_id = ?", (held[row.sample][0], row.verdict.scorer_id)
    ).fetchone()
    return found is None


def _insert(db: sqlite3.Connection, chain: Chain, cell_id: int, row: Incoming) -> None:
    voids = db.execute(
        "SELECT count(*) FROM replies JOIN voided USING (reply_id) WHERE cell_id = ? AND sample = ?",
        (cell_id, row.sample),
    ).fetchone()[0]
    reply = ReplyRow(
        cell_id, row.sample, voids, row.outcome, row.text, finish_reason=row.finish_reason, received_at=now()
    )
    insert_reply(db, chain, reply, [row.parsed, *([row.verdict] if row.verdict else [])])
