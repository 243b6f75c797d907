"""What an export says about the store as a whole: parameters, voided replies, judges. Reads only."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from emaudit.store.connection import Store
from emaudit.store.plans import Plan


@dataclass(frozen=True, slots=True)
class Void:
    """One act of voiding, and how many replies it took out of the count."""

    variant_id: int
    assessment: str
    item: str
    reason: str
    n_replies: int


def voids(store: Store) -> list[Void]:
    """Everything voided, in order."""
    rows = store.db.execute("SELECT variant_id, assessment, item, reason, n_replies FROM voids ORDER BY void_id")
    return [Void(*row) for row in rows]


def has_replies(store: Store, plan: Plan) -> bool:
    """Whether any slot of a plan is closed."""
    row = store.db.execute(
        "SELECT EXISTS (SELECT 1 FROM plan_cells pc JOIN replies r ON r.cell_id = pc.cell_id "
        "AND r.sample < pc.n_samples WHERE pc.plan_id = ? "
        "AND NOT EXISTS (SELECT 1 FROM voided WHERE voided.reply_id = r.reply_id))",
        (plan.plan_id,),
    ).fetchone()
    return bool(row[0])


def params_hashes(store: Store, plan: Plan) -> list[str]:
    """The hashes of the parameters a plan's prompts are asked with, sorted."""
    rows = store.db.execute(
        "SELECT DISTINCT c.params_hash FROM plan_cells pc JOIN cells c USING (cell_id) WHERE pc.plan_id = ? ORDER BY 1",
        (plan.plan_id,),
    )
    return [row[0] for row in rows]


def params_texts(store: Store, hashes: Iterable[str]) -> dict[str, object]:
    """Parameters by hash."""
    found: dict[str, object] = {}
    for digest in sorted(set(hashes)):
        row = store.db.execute("SELECT text FROM texts WHERE hash = ?", (digest,)).fetchone()
        found[digest] = json.loads(row[0])
    return found
