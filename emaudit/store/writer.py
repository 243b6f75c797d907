"""The one writer of a run: rows are committed in groups, so that asking never waits for the disk.

A group closes after 20 ms or 500 rows. Its statements run in the event loop (a thread would fight it for the
interpreter at every one of them); only the commit, which waits for the disk, runs in a thread.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from emaudit.errors import EmauditError
from emaudit.store.connection import Store

WINDOW: Final = 0.02
GROUP: Final = 500
LOCK_RETRY: Final = 0.005

Write = Callable[[sqlite3.Connection], Any]
"""Statements to run inside the group's transaction; what it returns is handed to `committed`."""
Committed = Callable[[Any], object]


class Writer:
    """A connection of its own to a store, and what waits to be written there. Made inside the running loop.

    `failed` is called once, with the error, when the store takes no more; everything after that is dropped.
    """

    def __init__(self, path: Path, failed: Callable[[BaseException], object]) -> None:
        self._store = Store.open(path, write=True)
        self._failed = failed
        self._jobs: list[tuple[Write, Committed | None]] = []
        self._some = asyncio.Event()
        self._closing = False
        self._broken = False
        self._task = asyncio.create_task(self._work())

    def submit(self, write: Write, committed: Committed | None = None) -> None:
        """Queue statements; `committed` is called with their result once their group is on disk."""
        self._jobs.append((write, committed))
        self._some.set()

    async def close(self) -> None:
        """Commit what is queued, and close the connection."""
        self._closing = True
        self._some.set()
        await self._task
        self._store.close()

    async def _work(self) -> None:
        while self._jobs or not self._closing:
            await self._some.wait()
            if not self._closing and len(self._jobs) < GROUP:
                await asyncio.sleep(WINDOW)
            group, self._jobs = self._jobs[:GROUP], self._jobs[GROUP:]
            if not self._jobs and not self._closing:
                self._some.clear()
            if group and not self._broken:
                await self._commit(group)

    async def _commit(self, group: list[tuple[Write, Committed | None]]) -> None:
        try:
            while not self._store.try_begin():  # noqa: ASYNC110 (the lock is another process's)
                await asyncio.sleep(LOCK_RETRY)
            results = self._write(group)
            await asyncio.to_thread(self._store.end_begun, True)
        except (EmauditError, sqlite3.Error, OSError) as error:
            self._broken = True
            self._failed(error)
            return
        for (_, committed), result in zip(group, results, strict=True):
            if committed is not None:
                committed(result)

    def _write(self, group: list[tuple[Write, Committed | None]]) -> list[Any]:
        try:
            with self._store.translated():
                return [write(self._store.db) for write, _ in group]
        except BaseException:
            self._store.end_begun(False)
            raise
