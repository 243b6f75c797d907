"""One thread that reads for the inspector, over a connection of its own: the newest wish of each kind counts.

A wish replaces an older one of its kind that still waits, and ends one that is being read. So moving fast queues up
nothing, and counting a long list never keeps a page waiting.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from emaudit.errors import EmauditError, StoreError
from emaudit.inspection.wishes import NOT_YET, Failed, Wish

if TYPE_CHECKING:
    from emaudit.inspection.desk import Desk


SWITCH_S: Final = 0.001
"""Python's 5 ms between threads would add up over the many short statements behind one page."""
Job = Callable[["Desk"], object]


class Reader:
    """`run` belongs in a thread, everything else to whoever asks. `tell` is called in the thread, with the answers."""

    def __init__(self, path: Path, tell: Callable[[Wish, object], None]) -> None:
        self._path = path
        self._tell = tell
        self._changed = threading.Condition()
        self._waiting: dict[Wish, Job] = {}
        self._running: Wish | None = None
        self._desk: Desk | None = None
        self._inode = 0
        self._has_ended = False

    def ask(self, wish: Wish, job: Job) -> None:
        """Wish for something to be read; it takes the place of an older wish of the same kind."""
        with self._changed:
            self._waiting[wish] = job
            if self._running is not None and self._running >= wish and self._desk is not None:
                self._desk.lister.interrupt()
            self._changed.notify()

    def forget(self, wish: Wish) -> None:
        """Take a wish back that still waits."""
        with self._changed:
            self._waiting.pop(wish, None)

    def stop(self) -> None:
        """End `run`."""
        with self._changed:
            self._has_ended = True
            if self._desk is not None:
                self._desk.lister.interrupt()
            self._changed.notify()

    def run(self) -> None:
        """Read what is wished for, until stopped."""
        sys.setswitchinterval(SWITCH_S)
        try:
            while (taken := self._next()) is not None:
                self._serve(*taken)
        finally:
            if self._desk is not None:
                self._desk.lister.close()

    def _next(self) -> tuple[Wish, Job] | None:
        with self._changed:
            self._running = None
            while not self._waiting and not self._has_ended:
                self._changed.wait()
            if self._has_ended:
                return None
            wish = min(self._waiting)
            self._running = wish
            return wish, self._waiting.pop(wish)

    def _serve(self, wish: Wish, job: Job) -> None:
        import sqlite3

        try:
            answer = job(self._opened())
        except sqlite3.OperationalError as error:
            if str(error) != "interrupted":
                self._tell(wish, Failed(wish, f"{self._path.name} cannot be read: {error}"))
            else:
                self._put_back(wish, job)
        except sqlite3.Error as error:
            self._tell(wish, Failed(wish, f"{self._path.name} cannot be read: {error}"))
        except EmauditError as error:
            self._tell(wish, Failed(wish, str(error)))
        else:
            if answer is NOT_YET:
                self._put_back(wish, job)
            else:
                self._tell(wish, answer)

    def _put_back(self, wish: Wish, job: Job) -> None:
        """Read it again later, unless a newer wish has taken its place."""
        with self._changed:
            self._waiting.setdefault(wish, job)

    def _opened(self) -> Desk:
        """The desk, set up again where another file now has the store's name. Raises StoreError."""
        try:
            inode = self._path.stat().st_ino
        except OSError as error:
            raise StoreError(f"{self._path} cannot be read: {error.strerror}") from error
        from emaudit.inspection.desk import Desk

        if self._desk is None or inode != self._inode:
            if self._desk is not None:
                self._desk.lister.close()
            self._desk, self._inode = Desk(self._path), inode
        return self._desk
