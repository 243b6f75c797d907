"""One person at one queue: a thread of its own that holds the writable store and the session.

The one thread is what keeps keystrokes in order: what is asked later is done later, and each is committed
before it answers. Knows no screen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Table = TypeVar("Table")
Answer = TypeVar("Answer")


class Sitting(Generic[Table]):
    """Whatever `open_table` gives lives and dies in one thread; `close_table` ends it there."""

    def __init__(self, open_table: Callable[[], Table], close_table: Callable[[Table], None]) -> None:
        self._open_table = open_table
        self._close_table = close_table
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sitting")
        self._table: Table | None = None

    def ask(self, job: Callable[[Table], Answer]) -> asyncio.Future[Answer]:
        """Do a job after all that were asked before; its errors come out of the future."""
        return asyncio.wrap_future(self._submitted(job))

    def _submitted(self, job: Callable[[Table], Answer]) -> Future[Answer]:
        return self._pool.submit(self._done, job)

    def _done(self, job: Callable[[Table], Answer]) -> Answer:
        """Do a job; raises StoreError for whatever SQLite says, so that the job after it can be done."""
        from emaudit.store.told import told

        with told():
            if self._table is None:
                self._table = self._open_table()
            return job(self._table)

    def close(self) -> None:
        """Close the table once everything asked is done; does not wait."""
        self._pool.submit(self._closed)
        self._pool.shutdown(wait=False)

    def _closed(self) -> None:
        if self._table is not None:
            self._close_table(self._table)
            self._table = None
