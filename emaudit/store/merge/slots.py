"""Cells, plans and slots: which of them both stores hold a reply for, and the replicate that a clash moves to."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from emaudit.store.merge.maps import adopt, here, match


@dataclass(frozen=True, slots=True)
class Clash:
    """Slots of one assessment of a variant that both stores hold a reply for, and not the same one."""

    variant_id: int
    replicate: int
    assessment: str
    n_replies: int


_REPLICATE: Final = (
    "coalesce((SELECT target FROM moved WHERE moved.variant_id = {variant} AND moved.replicate = s.replicate "
    "AND moved.assessment = {assessment}), s.replicate)"
)
_ASSESSMENT: Final = "(SELECT assessment FROM there_prompts p WHERE p.prompt_id = s.prompt_id)"


def match_cells(db: sqlite3.Connection) -> None:
    """Map the cells that the store has: of the same variant, replicate, prompt and parameters."""
    db.execute("DELETE FROM map_cells")
    replicate = _REPLICATE.format(variant=here("variants", "variant_id"), assessment=_ASSESSMENT)
    db.execute(
        "INSERT INTO map_cells SELECT s.cell_id, t.cell_id, 0 FROM there_cells s CROSS JOIN main.cells t "
        f"ON t.variant_id = {here('variants', 'variant_id')} AND t.replicate = {replicate} "
        f"AND t.prompt_id = {here('prompts', 'prompt_id')} AND t.params_hash = s.params_hash"
    )


def adopt_cells(db: sqlite3.Connection) -> int:
    """Bring in cells, plans, and which runs ask them; returns how many rows."""
    variant = here("variants", "variant_id")
    n = adopt(
        db,
        "cells",
        {
            "variant_id": variant,
            "replicate": _REPLICATE.format(variant=variant, assessment=_ASSESSMENT),
            "prompt_id": here("prompts", "prompt_id"),
            "params_hash": "",
        },
    )
    replicate = _REPLICATE.format(variant=variant, assessment="s.assessment")
    same = "(t.assessment, t.preset, t.content_hash) = (s.assessment, s.preset, s.content_hash)"
    match(db, "plans", f"t.variant_id = {variant} AND t.replicate = {replicate} AND {same}")
    plain = ("assessment", "preset", "instrument", "label", "content_hash", "n_cells", "n_slots", "created_at")
    n += adopt(db, "plans", {"variant_id": variant, "replicate": replicate, **dict.fromkeys(plain, "")})
    n += db.execute(
        f"INSERT INTO main.plan_cells SELECT m.new, s.position, {here('cells', 'cell_id')}, s.n_samples "
        "FROM map_plans m JOIN there_plan_cells s ON s.plan_id = m.old WHERE m.is_new ORDER BY 1, 2"
    ).rowcount
    return n + _adopt_run_plans(db)


def _adopt_run_plans(db: sqlite3.Connection) -> int:
    cursor = db.execute(
        f"INSERT INTO main.run_plans SELECT {here('runs', 'run_id')}, {here('plans', 'plan_id')}, since "
        "FROM there_run_plans s WHERE true ON CONFLICT DO UPDATE SET since = excluded.since "
        "WHERE excluded.since > since"
    )
    return cursor.rowcount


_SLOTS: Final = """
INSERT INTO map_replies SELECT s.reply_id, t.reply_id, 0 FROM map_runs r
JOIN there_replies s ON s.run_id = r.old JOIN there_cells c ON c.cell_id = s.cell_id
JOIN map_variants v ON v.old = c.variant_id JOIN map_prompts p ON p.old = c.prompt_id
JOIN held ON held.variant_id = v.new
CROSS JOIN main.cells d ON d.variant_id = v.new AND d.replicate = held.replicate AND d.prompt_id = p.new
     AND d.params_hash = c.params_hash
CROSS JOIN main.replies t ON t.cell_id = d.cell_id AND t.sample = s.sample AND t.round = s.round AND t.chain = s.chain
WHERE NOT r.is_new
"""


def match_replies(db: sqlite3.Connection) -> None:
    """Map the replies that the store has, in whatever replicate: same slot, same hash in the chain of the same run."""
    if not db.execute("SELECT EXISTS (SELECT 1 FROM map_runs WHERE NOT is_new)").fetchone()[0]:
        return
    db.execute("DROP TABLE IF EXISTS temp.held")
    db.execute("CREATE TEMP TABLE held AS SELECT DISTINCT variant_id, replicate FROM main.cells")
    db.execute(_SLOTS)
    db.execute(
        "INSERT OR IGNORE INTO moved SELECT DISTINCT d.variant_id, c.replicate, p.assessment, d.replicate "
        "FROM map_replies m JOIN there_replies s ON s.reply_id = m.old JOIN there_cells c ON c.cell_id = s.cell_id "
        "JOIN there_prompts p ON p.prompt_id = c.prompt_id "
        "JOIN main.replies t ON t.reply_id = m.new JOIN main.cells d ON d.cell_id = t.cell_id "
        "WHERE d.replicate > c.replicate"
    )


def clashes(db: sqlite3.Connection) -> list[Clash]:
    """Where the source holds another reply than the store for the same slot, as the cells are mapped now."""
    rows = db.execute(
        "SELECT d.variant_id, c.replicate, p.assessment, count(*) FROM map_cells m "
        "JOIN there_cells c ON c.cell_id = m.old JOIN there_prompts p ON p.prompt_id = c.prompt_id "
        "JOIN main.cells d ON d.cell_id = m.new JOIN there_replies s ON s.cell_id = m.old "
        "JOIN main.replies t ON t.cell_id = m.new AND t.sample = s.sample AND t.round = s.round "
        "WHERE s.reply_id NOT IN (SELECT old FROM map_replies) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    return [Clash(*row) for row in rows]


def move(db: sqlite3.Connection, found: Sequence[Clash]) -> None:
    """Give what clashes a replicate of its own, later than every one of the variant in either store."""
    latest: dict[int, int] = {}
    targets: dict[tuple[int, int], int] = {}
    for clash in found:
        number = clash.variant_id
        if number not in latest:
            latest[number] = db.execute(
                "SELECT max(replicate) FROM (SELECT replicate FROM main.cells WHERE variant_id = ?1 UNION ALL "
                "SELECT replicate FROM there_cells JOIN map_variants ON old = variant_id WHERE new = ?1)",
                (number,),
            ).fetchone()[0]
        if (number, clash.replicate) not in targets:
            latest[number] += 1
            targets[number, clash.replicate] = latest[number]
        target = targets[number, clash.replicate]
        key = (number, clash.replicate, clash.assessment)
        db.execute("INSERT OR REPLACE INTO moved VALUES (?, ?, ?, ?)", (*key, target))
