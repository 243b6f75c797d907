"""The one writer of a run: a thread that commits in groups, so that asking never waits for the disk.

A group closes after 20 ms or 500 rows. What a caller submits counts only once `committed` was called for it.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emaudit.errors import EmauditError
from emaudit.store.connection import Store

WINDOW: Final = 0.02
GROUP: Final = 500

Write = Callable[[sqlite3.Connection], object]
"""Statements to run inside the group's transaction; its result is handed to `committed`."""


@dataclass(frozen=True, slots=True)
class _Job:
    write: Write
    committed: Callable[[object], object] | None


class Writer:
    """A thread with a connection of its own to a store, writable while it runs."""

    def __init__(self, path: Path, failed: Callable[[BaseException], object]) -> None:
        self._store = Store.open(path, write=True)
        self._failed = failed
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._broken = False
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    def submit(self, write: Write, committed: Callable[[object], object] | None = None) -> None:
        """Queue statements; `committed` is called in the writer's thread after their group is on disk."""
        self._jobs.put(_Job(write, committed))

    @property
    def n_waiting(self) -> int:
        """Submitted and not yet committed, roughly."""
        return self._jobs.qsize()

    def close(self) -> None:
        """Commit what is queued and end the thread."""
        self._jobs.put(None)
        self._thread.join()
        self._store.close()

    def _work(self) -> None:
        ended = False
        while not ended:
            group, ended = self._next_group()
            if group and not self._broken:
                self._commit(group)

    def _next_group(self) -> tuple[list[_Job], bool]:
        job = self._jobs.get()
        if job is None:
            return [], True
        group = [job]
        deadline = time.monotonic() + WINDOW
        while len(group) < GROUP:
            try:
                job = self._jobs.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            if job is None:
                return group, True
            group.append(job)
        return group, False

    def _commit(self, group: list[_Job]) -> None:
        try:
            with self._store.transaction() as db:
                results = [job.write(db) for job in group]
        except (EmauditError, sqlite3.Error, OSError) as error:
            self._broken = True
            self._failed(error)
            return
        for job, result in zip(group, results, strict=True):
            if job.committed is not None:
                job.committed(result)
