"""Replies with two verdicts: of two judges, or of one judge on the same text twice. Reads only.

Owns the SQL. Pairs come as counts, since a large run has few distinct ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emaudit.store.connection import Store
from emaudit.store.plans import Plan

_NOT_VOIDED = "NOT EXISTS (SELECT 1 FROM voided WHERE voided.reply_id = r.reply_id)"
_VALUED = "IN ('scored', 'neutral')"


@dataclass(frozen=True, slots=True)
class PairCount:
    """How many pairs of verdicts on replies to one prompt have these two values."""

    cell_id: int
    format: str
    first: float
    second: float
    n: int


def two_judges(store: Store, plan: Plan, first: int, second: int) -> list[PairCount]:
    """Replies of a plan that two scorers both gave a value, by prompt."""
    rows = store.db.execute(
        f"""
        SELECT c.cell_id, p.format, a.value, b.value, count(*) FROM plan_cells pc
        JOIN cells c USING (cell_id) JOIN prompts p USING (prompt_id)
        JOIN replies r ON r.cell_id = pc.cell_id AND r.sample < pc.n_samples AND {_NOT_VOIDED}
        JOIN verdicts a ON a.reply_id = r.reply_id AND a.scorer_id = ? AND a.status {_VALUED}
        JOIN verdicts b ON b.reply_id = r.reply_id AND b.scorer_id = ? AND b.part = a.part AND b.status {_VALUED}
        WHERE pc.plan_id = ? GROUP BY 1, 2, 3, 4 ORDER BY 1, 3, 4
        """,
        (first, second, plan.plan_id),
    )
    return [PairCount(*row) for row in rows]


def same_judge(store: Store, plan: Plan, judge: int) -> list[PairCount]:
    """One judge's values of the same text, twice: the first two of identical replies to one prompt."""
    rows = store.db.execute(
        f"""
        SELECT cell_id, format, value, again, count(*) FROM (
            SELECT r.cell_id, p.format, v.value, lead(v.value) OVER same AS again, row_number() OVER same AS place
            FROM plan_cells pc JOIN cells c USING (cell_id) JOIN prompts p USING (prompt_id)
            JOIN replies r ON r.cell_id = pc.cell_id AND r.sample < pc.n_samples AND {_NOT_VOIDED}
            JOIN verdicts v ON v.reply_id = r.reply_id AND v.scorer_id = ? AND v.status {_VALUED}
            WHERE pc.plan_id = ?
            WINDOW same AS (PARTITION BY r.cell_id, v.part, r.text ORDER BY r.reply_id, v.attempt)
        ) WHERE place = 1 AND again IS NOT NULL GROUP BY 1, 2, 3, 4 ORDER BY 1, 3, 4
        """,
        (judge, plan.plan_id),
    )
    return [PairCount(*row) for row in rows]


def judges_of(store: Store, plan: Plan) -> list[int]:
    """The scorers, parsers apart, that gave some reply of a plan a value, sorted."""
    rows = store.db.execute(
        f"""
        SELECT DISTINCT v.scorer_id FROM plan_cells pc
        JOIN replies r ON r.cell_id = pc.cell_id AND r.sample < pc.n_samples
        JOIN verdicts v ON v.reply_id = r.reply_id AND v.status {_VALUED}
        JOIN scorers s ON s.scorer_id = v.scorer_id AND s.kind <> 'parser'
        WHERE pc.plan_id = ? ORDER BY 1
        """,
        (plan.plan_id,),
    )
    return [row[0] for row in rows]


def last_events(store: Store) -> Sequence[tuple[str, int, str]]:
    """Per queue (empty for stars and what was seen) its number of review events and the newest one's hash, in hex."""
    rows = store.db.execute(
        """
        SELECT coalesce(q.name, ''), count(*), (
            SELECT hex(chain) FROM review_events last WHERE last.queue_id IS e.queue_id
            ORDER BY last.seq DESC, last.chain LIMIT 1)
        FROM review_events e LEFT JOIN queues q ON q.queue_id = e.queue_id GROUP BY e.queue_id ORDER BY 1
        """
    )
    return [(name, n, digest.lower()) for name, n, digest in rows]
