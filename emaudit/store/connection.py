"""Open, create, lock and back up a store. Owns the connection; the other modules own the statements.

One SQLite file holds everything. Every write transaction of every process runs under one lock file beside it,
because SQLite before 3.51.3 can corrupt a WAL database when two connections write at the same instant.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from emaudit.errors import EmauditError, StoreError, StoreGone
from emaudit.paths import own_name
from emaudit.store import schema
from emaudit.store.copies import copy_beside, copy_checked
from emaudit.store.file import check_file, check_one_name, connect, file_lock, is_same_file, open_lock
from emaudit.store.file import create as create_file
from emaudit.store.told import damaged, meaning
from emaudit.store.upgrading import upgrade

if TYPE_CHECKING:
    from emaudit.store.horizon import Horizon

CHECKPOINT_PAGES: Final = 8_000
"""Pages of the write-ahead log (of 4 KiB) before it is folded in: a fold holds up a commit."""
SMALL_KIB: Final = 8_000
"""Pages in memory of a store that a run works on."""


class Store:
    """One open store. Reads go through `db`; writes only through `transaction()`."""

    def __init__(self, path: Path, db: sqlite3.Connection, writable: bool, banner: str = "") -> None:
        self.path = path
        self.db = db
        self.writable = writable
        self.banner = banner
        self._lock_path = path.with_name(path.name + ".lock")
        self._mutex = threading.RLock()
        self._kind = ""
        self._begun = -1
        self._files = _files(path)
        self.horizon: Horizon | None = None

    @classmethod
    def open(cls, path: Path, write: bool = False, create: bool = False) -> Store:
        """Open a store, for writing or read-only; `create` makes a missing one. Raises StoreError."""
        path = own_name(path)
        if create and not path.exists():
            create_file(path)
        version = check_file(path)
        if version < schema.SCHEMA_VERSION:
            upgrade(path)
        if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
            return cls._open_writable(path) if write else cls(path, connect(path, "mode=ro"), False)
        if write:
            raise StoreError(f"{path} cannot be written: it or its folder is read-only; copy it to write to it")
        mode = "immutable=1" if not os.access(path.parent, os.W_OK) else "mode=ro"
        return cls(path, connect(path, mode), False, f"{path.name} is read-only: reading works, asking does not")

    @classmethod
    def _open_writable(cls, path: Path) -> Store:
        check_one_name(path)
        store = cls(path, connect(path, "mode=rw"), True)
        with store._locked(), store.translated():
            mode = store.db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            store.db.execute("PRAGMA synchronous = FULL")
            store.db.execute("PRAGMA foreign_keys = ON")
            store.db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            store.db.execute("SELECT count(*) FROM meta").fetchone()
            store._files = _files(path)
        if mode != "wal":
            store.banner = f"this disk refuses SQLite's WAL: using a rollback journal ({mode}), which is slower"
        return store

    @property
    def store_id(self) -> str:
        """The random id given at creation, 16 hex digits."""
        return str(self.db.execute("SELECT value FROM meta WHERE key = 'store_id'").fetchone()[0])

    @property
    def kind(self) -> str:
        """`real`, `simulated`, or empty before the first reply."""
        row = self.db.execute("SELECT value FROM meta WHERE key = 'kind'").fetchone()
        return str(row[0]) if row else ""

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One durable write transaction under the lock file; nested calls join the outer one.

        Raises DiskFull when the disk or the store takes no more, StoreError when it cannot be written, StoreGone
        (rescued) where it lost its name.
        """
        if not self.writable:
            raise StoreError(f"{self.path} is open for reading only")
        with self._mutex:
            if self.db.in_transaction:
                yield self.db
                return
            self._check_rescuing()
            with self._locked(), self.translated():
                self._check_rescuing()
                self.db.execute("BEGIN IMMEDIATE")
                try:
                    yield self.db
                    self.db.execute("COMMIT")
                except BaseException:
                    if self.db.in_transaction:
                        self.db.execute("ROLLBACK")
                    raise

    def try_begin(self, nameless: bool = False) -> bool:
        """Begin a write transaction if no other process or connection is writing now; never waits.

        The caller writes through `db` at once, then ends it with `end_begun`. Raises StoreGone where the file lost
        its name, unless that is expected (`nameless`).
        """
        if nameless:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        else:
            self._check_place()
        descriptor = open_lock(self._lock_path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not is_same_file(self._lock_path, descriptor):
                raise BlockingIOError
            self._begin_now()
        except BlockingIOError:
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        self._begun = descriptor
        return True

    def _begin_now(self) -> None:
        """Begin, unless a program that knows nothing of the lock file is writing. Raises BlockingIOError then."""
        patience = self.db.execute("PRAGMA busy_timeout").fetchone()[0]
        self.db.execute("PRAGMA busy_timeout = 0")
        try:
            with self.translated():
                self.db.execute("BEGIN IMMEDIATE")
        except StoreError as error:
            if _is_busy(error.__cause__):
                raise BlockingIOError from error
            raise
        finally:
            self.db.execute(f"PRAGMA busy_timeout = {patience}")

    def end_begun(self, commit: bool) -> None:
        """Make what `try_begin` began durable, or forget it; from any thread. Raises DiskFull or StoreError.

        SQLite itself may have forgotten it already, where the disk was full in the middle of a statement.
        """
        try:
            with self.translated():
                if commit or self.db.in_transaction:
                    self.db.execute("COMMIT" if commit else "ROLLBACK")
        except BaseException:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise
        finally:
            os.close(self._begun)

    @property
    def is_in_place(self) -> bool:
        """Whether the store's name still stands for the file that is open here."""
        return not self.writable or _files(self.path) == self._files

    def _check_place(self) -> None:
        """Writing to a file that lost its name would be lost with the process. Raises StoreGone."""
        if not self.is_in_place:
            raise StoreGone(f"{self.path} was moved, deleted or replaced while it was in use")

    def _check_rescuing(self) -> None:
        try:
            self._check_place()
        except StoreGone as error:
            raise self.rescued(error) from None

    def again(self) -> Store:
        """Another connection for writing to the same file. Raises StoreGone (rescued) where its name means another."""
        self._check_rescuing()
        other = Store.open(self.path, write=True)
        self._check_rescuing()
        return other

    def rescued(self, error: StoreGone, missing: str = "") -> StoreGone:
        """Rescue what is in a file that lost its name; the error with where it is, and what is `missing` there."""
        try:
            kept = self.rescue()
        except (EmauditError, sqlite3.Error, OSError) as failed:
            return StoreGone(f"{error}; what it held could not be copied either: {failed}")
        return StoreGone(
            f"{error}: what it held is kept in {kept}{missing}: give that its name, or name it, and resume"
        )

    def rescue(self) -> Path:
        """Keep all that is in a file that lost its name in a new one beside its old place. Raises StoreError."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.translated():
            target = copy_beside(self.db, self.path.with_name(f"{self.path.name}.rescued"))
        self._take_log_away()
        return target

    def _take_log_away(self) -> None:
        """SQLite would play the log that stayed behind into whatever file has the store's name now."""
        (was, log), (now, found) = self._files, _files(self.path)
        if now is not None and now != was and found is not None and found == log:
            for suffix in ("-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    def claim_kind(self, kind: str) -> None:
        """Fix the store to `real` or `simulated` at its first reply. Raises StoreError when it is the other."""
        if not self._kind:
            self._kind = self.kind
        if not self._kind:
            with self.transaction() as db:
                db.execute("INSERT OR IGNORE INTO meta VALUES ('kind', ?)", (kind,))
            self._kind = self.kind
        if self._kind != kind:
            raise StoreError(
                f"{self.path.name} holds {self._kind} replies and takes no {kind} ones: name another store with --store"
            )

    def stay_small(self) -> None:
        """Keep few pages in memory: that of a run must not grow with its replies."""
        self.db.execute(f"PRAGMA cache_size = -{SMALL_KIB}")

    def quick_check(self) -> None:
        """SQLite's own check of the file. Raises StoreError with how to salvage what is left."""
        try:
            found = [row[0] for row in self.db.execute("PRAGMA quick_check(3)")]
        except sqlite3.DatabaseError as error:
            found = [str(error)]
        if found != ["ok"]:
            raise damaged(self.path, found[0])

    def close(self) -> None:
        """Close; the last writer folds the write-ahead log into the file, under the lock."""
        if not self.writable:
            self.db.close()
            return
        with self._mutex, self._locked():
            self.db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: object, error: BaseException | None, *_: object) -> None:
        """Close. Raises StoreError or DiskFull instead of what SQLite said of damage or a full disk meanwhile."""
        self.close()
        if isinstance(error, sqlite3.Error) and (known := meaning(self.path, error)):
            raise known from error

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with file_lock(self._lock_path):
            yield

    @contextlib.contextmanager
    def translated(self) -> Iterator[None]:
        """Turn what SQLite says of a full disk, damage or a missing right into DiskFull and StoreError."""
        try:
            yield
        except sqlite3.Error as error:
            known = meaning(self.path, error)
            if known is None:
                raise
            raise known from error


def backup(store: Store, target: Path) -> None:
    """A checked copy of a store as it is now. Raises StoreError where the target exists or does not check out."""
    copy_checked(store.db, target)


def _is_busy(error: BaseException | None) -> bool:
    return isinstance(error, sqlite3.Error) and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def _files(path: Path) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """Which files a store's name and its log's name stand for: device and inode, None where there is none."""
    return _file(path), _file(path.with_name(path.name + "-wal"))


def _file(path: Path) -> tuple[int, int] | None:
    try:
        held = path.stat()
    except OSError:
        return None
    return held.st_dev, held.st_ino
