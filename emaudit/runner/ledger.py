"""What a run hands to its writer: replies, verdicts, failures, events, its state line.

Everything goes through one writer and one hash chain; `done` is called once it is on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from emaudit.assessments.base import Reading
from emaudit.failures import RequestFailed
from emaudit.store import replies, runs
from emaudit.store.connection import Store
from emaudit.store.replies import Chain, ReplyRow, VerdictRow
from emaudit.store.writer import Writer


class Ledger:
    """The one way a run writes. Made inside the running loop; `failed` is called once when the disk fails."""

    def __init__(self, store: Store, run_id: int, chain: Chain, failed: Callable[[BaseException], object]) -> None:
        self._run_id = run_id
        self._chain = chain
        self._writer = Writer(store, failed, chain.read_end)

    def keep_replies(
        self,
        read: Sequence[tuple[ReplyRow, Reading]],
        parser: int,
        done: Callable[[list[int | None]], object],
    ) -> None:
        """Commit replies with their parser's readings; `done` gets their ids (None where a slot was closed before)."""
        self._writer.submit(
            lambda db: [
                replies.insert_reply(db, self._chain, row, [VerdictRow(parser, reading)]) for row, reading in read
            ],
            done,
        )

    def keep_verdicts(self, reply_id: int, rows: Sequence[VerdictRow], done: Callable[[], object]) -> None:
        """Commit what a judge said of one reply."""
        self._writer.submit(
            lambda db: replies.insert_verdicts(db, self._chain, reply_id, rows),
            lambda _: done(),
        )

    def keep_failure(
        self, failure: RequestFailed, cell_id: int | None = None, sample: int | None = None, reply_id: int | None = None
    ) -> None:
        """Keep what a failed request brought; its slot stays owed."""
        kind, message, raw = str(failure.kind), str(failure), failure.raw
        self._writer.submit(
            lambda db: replies.insert_failure(db, self._run_id, kind, message, raw, cell_id, sample, reply_id)
        )

    def event(self, kind: str, detail: str) -> None:
        """Keep something that happened to the run."""
        self._writer.submit(lambda db: runs.insert_event(db, self._run_id, kind, detail))

    @property
    def is_full(self) -> bool:
        """Whether rows wait for a full disk."""
        return self._writer.is_full

    def write_state(self, state: Mapping[str, object]) -> None:
        """Replace the state line, with the next group of rows; not while the disk is full."""
        if self.is_full:
            return
        self._writer.submit(lambda db: runs.write_state(db, self._run_id, state))

    async def close(self) -> None:
        """Commit everything handed over so far."""
        await self._writer.close()
