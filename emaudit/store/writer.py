"""The one writer of a run: rows are committed in groups, so that asking never waits for the disk.

A group closes after 20 ms or 500 rows. Its statements run in the event loop (a thread would fight it for the
interpreter at every one of them); only the commit, which waits for the disk, runs in a thread.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from typing import Any, Final

from emaudit.errors import DiskFull, EmauditError, StoreError, StoreGone
from emaudit.store.connection import Store

WINDOW: Final = 0.02
GROUP: Final = 500
LOCK_RETRY: Final = 0.005
DISK_PATIENCE_S: Final = 120.0
"""How long rows wait in memory for a full disk before the writer gives up."""
DISK_RETRY_S: Final = 1.0
LOCK_PATIENCE_S: Final = 120.0
"""How long a group waits for a program that holds the store's lock before the writer gives up."""
LAST_LOCK_PATIENCE_S: Final = 30.0
"""The same for a writer that is closing, and for what is rescued."""

Write = Callable[[sqlite3.Connection], Any]
"""Statements to run inside the group's transaction; what it returns is handed to `committed`."""
Committed = Callable[[Any], object]


class Writer:
    """A connection of its own to a store, and what waits to be written there. Made inside the running loop.

    `failed` is called once, with the error, when the store takes no more; everything after that is dropped.
    `undone` is called after a group was rolled back, with the connection, before it is written again.
    """

    def __init__(
        self,
        store: Store,
        failed: Callable[[BaseException], object],
        undone: Callable[[sqlite3.Connection], object],
    ) -> None:
        self._store = store.again()
        self._store.stay_small()
        self._failed = failed
        self._undone = undone
        self._full_since: float | None = None
        self._jobs: list[tuple[Write, Committed | None]] = []
        self._some = asyncio.Event()
        self._closing = False
        self._broken = False
        self._task = asyncio.create_task(self._work())

    def submit(self, write: Write, committed: Committed | None = None) -> None:
        """Queue statements; `committed` is called with their result once their group is on disk."""
        self._jobs.append((write, committed))
        self._some.set()

    @property
    def is_full(self) -> bool:
        """Whether rows wait for a full disk: nothing more should be asked for."""
        return self._full_since is not None

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
                try:
                    await self._commit(group)
                except Exception as error:  # noqa: BLE001 (a writer that ended unseen would let its run wait for ever)
                    self._break(error)

    async def _commit(self, group: list[tuple[Write, Committed | None]]) -> None:
        while not self._broken:
            try:
                results = await self._commit_once(group)
            except DiskFull as error:
                self._undone(self._store.db)
                await self._wait_for_space(error)
            except StoreGone as error:
                self._break(await self._rescued(group, error))
            except (EmauditError, sqlite3.Error, OSError) as error:
                self._break(error)
            else:
                self._full_since = None
                for (_, committed), result in zip(group, results, strict=True):
                    if committed is not None:
                        committed(result)
                return

    async def _commit_once(self, group: list[tuple[Write, Committed | None]]) -> list[Any]:
        await self._begin()
        results = self._write(group)
        await asyncio.to_thread(self._store.end_begun, True)
        return results

    async def _begin(self, nameless: bool = False) -> None:
        """Begin a transaction as soon as no other process is writing. Raises StoreError when that takes too long."""
        since = time.monotonic()
        closing_since = since if nameless or self._closing else None
        while not self._store.try_begin(nameless):
            now = time.monotonic()
            if closing_since is None and self._closing:
                closing_since = now
            is_late = closing_since is not None and now - closing_since > LAST_LOCK_PATIENCE_S
            if is_late or now - since > LOCK_PATIENCE_S:
                raise StoreError(
                    f"{self._store.path} was locked by another program for {now - since:.0f} s: what came in last "
                    "was not written; end that program, and resume"
                )
            await asyncio.sleep(LOCK_RETRY)

    async def _wait_for_space(self, error: DiskFull) -> None:
        """Keep the group for another try, unless the disk was full for too long or the writer is closing."""
        now = time.monotonic()
        self._full_since = now if self._full_since is None else self._full_since
        if self._closing or now - self._full_since > DISK_PATIENCE_S:
            self._break(error)
            return
        deadline = now + DISK_RETRY_S
        while time.monotonic() < deadline and not self._closing:  # noqa: ASYNC110 (closing ends the wait)
            await asyncio.sleep(0.05)

    def _break(self, error: BaseException) -> None:
        self._broken = True
        self._failed(error)

    async def _rescued(self, group: list[tuple[Write, Committed | None]], error: StoreGone) -> StoreGone:
        """Write all that waits where nobody can find it any more, and copy all of it to a file that has a name."""
        missing = ""
        try:
            await self._begin(nameless=True)
            self._write(group + self._jobs)
            self._store.end_begun(True)
        except (EmauditError, sqlite3.Error, OSError) as failed:
            missing = f", without the last {len(group) + len(self._jobs)} entries ({failed})"
        self._jobs.clear()
        return self._store.rescued(error, missing)

    def _write(self, group: list[tuple[Write, Committed | None]]) -> list[Any]:
        try:
            with self._store.translated():
                return [write(self._store.db) for write, _ in group]
        except BaseException:
            self._store.end_begun(False)
            raise
