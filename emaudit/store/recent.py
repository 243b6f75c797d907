"""What landed last: for screens that watch a store. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

from emaudit.store.connection import Store


@dataclass(frozen=True, slots=True)
class Landed:
    """A stored reply with its newest reading; `status` is empty before any parser read it."""

    reply_id: int
    run_uid: str
    variant_id: int
    assessment: str
    item: str
    outcome: str
    status: str
    value: float | None
    text: str


def newest_replies(store: Store, n: int) -> list[Landed]:
    """The last `n` replies stored, newest first, each with its newest reading."""
    rows = store.db.execute(
        """
        SELECT r.reply_id, runs.uid, c.variant_id, p.assessment, p.item, r.outcome,
               coalesce(v.status, ''), v.value, r.text
        FROM (SELECT * FROM replies ORDER BY reply_id DESC LIMIT ?) r
        JOIN runs ON runs.run_id = r.run_id
        JOIN cells c ON c.cell_id = r.cell_id
        JOIN prompts p ON p.prompt_id = c.prompt_id
        LEFT JOIN verdicts v ON v.verdict_id = (
            SELECT max(verdict_id) FROM verdicts w WHERE w.reply_id = r.reply_id AND w.status <> 'retry')
        ORDER BY r.reply_id DESC
        """,
        (n,),
    )
    return [Landed(*row) for row in rows]


def data_version(store: Store) -> int:
    """A number that changes whenever another connection has committed to the store."""
    return int(store.db.execute("PRAGMA data_version").fetchone()[0])
