"""What landed last: for screens that watch a store. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

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


_SPENT: Final = """
SELECT run_id, coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0) FROM {table}
WHERE {key} > ? AND {key} <= ? GROUP BY run_id
"""
_STEP: Final = 50_000
"""Rows added up at a time: some 50 ms."""


class Spent:
    """The tokens that the stored replies and verdicts of each run report, added up as rows come.

    Rows are append-only, so that each is read once; `is_whole` is False while some are not.
    """

    def __init__(self) -> None:
        self._sums: dict[int, tuple[int, int]] = {}
        self._seen = {"replies": 0, "verdicts": 0}
        self.is_whole = False

    def of(self, run_id: int) -> tuple[int, int]:
        """Input and output tokens of a run, over all its starts."""
        return self._sums.get(run_id, (0, 0))

    def add_up(self, store: Store) -> None:
        """Read the next rows, a bounded number."""
        self.is_whole = True
        for table, key in (("replies", "reply_id"), ("verdicts", "verdict_id")):
            seen = self._seen[table]
            newest = store.db.execute(f"SELECT coalesce(max({key}), 0) FROM {table}").fetchone()[0]
            last = min(newest, seen + _STEP)
            if last > seen:
                rows = store.db.execute(_SPENT.format(table=table, key=key), (seen, last))
                for run_id, n_in, n_out in rows.fetchall():
                    before = self.of(run_id)
                    self._sums[run_id] = (before[0] + n_in, before[1] + n_out)
                self._seen[table] = last
            self.is_whole = self.is_whole and last == newest


def newest_ids(store: Store) -> tuple[int, int, int]:
    """The newest reply, verdict and void: the same as long as no reading of any reply can have changed."""
    row = store.db.execute(
        "SELECT coalesce((SELECT max(reply_id) FROM replies), 0), coalesce((SELECT max(verdict_id) FROM verdicts), 0), "
        "coalesce((SELECT max(void_id) FROM voids), 0)"
    ).fetchone()
    return (int(row[0]), int(row[1]), int(row[2]))


def data_version(store: Store) -> int:
    """A number that changes whenever another connection has committed to the store."""
    return int(store.db.execute("PRAGMA data_version").fetchone()[0])
