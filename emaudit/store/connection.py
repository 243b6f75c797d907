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
from urllib.parse import quote

from emaudit.errors import DiskFull, StoreError
from emaudit.store.schema import APPLICATION_ID, SCHEMA_VERSION, apply_migrations

if TYPE_CHECKING:
    from emaudit.store.horizon import Horizon

_HEADER: Final = b"SQLite format 3\x00"
CHECKPOINT_PAGES: Final = 8_000
"""Pages of the write-ahead log (of 4 KiB) before it is folded in: a fold holds up a commit."""
_FULL: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


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
        self.horizon: Horizon | None = None

    @classmethod
    def open(cls, path: Path, write: bool = False, create: bool = False) -> Store:
        """Open a store, for writing or read-only; `create` makes a missing one. Raises StoreError."""
        path = path.absolute()
        if create and not path.exists():
            _create(path)
        version = _check_file(path)
        if version < SCHEMA_VERSION:
            _upgrade(path, version)
        if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
            return cls._open_writable(path) if write else cls(path, _connect(path, "mode=ro"), False)
        if write:
            raise StoreError(f"{path} cannot be written: it or its folder is read-only; copy it to write to it")
        mode = "immutable=1" if not os.access(path.parent, os.W_OK) else "mode=ro"
        return cls(path, _connect(path, mode), False, f"{path.name} is read-only: reading works, asking does not")

    @classmethod
    def _open_writable(cls, path: Path) -> Store:
        store = cls(path, _connect(path, "mode=rw"), True)
        with store._locked(), store.translated():
            mode = store.db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            store.db.execute("PRAGMA synchronous = FULL")
            store.db.execute("PRAGMA foreign_keys = ON")
            store.db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
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

        Raises DiskFull when the disk or the store takes no more, StoreError when it cannot be written.
        """
        if not self.writable:
            raise StoreError(f"{self.path} is open for reading only")
        with self._mutex:
            if self.db.in_transaction:
                yield self.db
                return
            with self._locked(), self.translated():
                self.db.execute("BEGIN IMMEDIATE")
                try:
                    yield self.db
                    self.db.execute("COMMIT")
                except BaseException:
                    if self.db.in_transaction:
                        self.db.execute("ROLLBACK")
                    raise

    def try_begin(self) -> bool:
        """Begin a write transaction if no other process or connection is writing now; never waits.

        The caller writes through `db` at once, then ends it with `end_begun`.
        """
        descriptor = _open_lock(self._lock_path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with self.translated():
                self.db.execute("BEGIN IMMEDIATE")
        except BlockingIOError:
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        self._begun = descriptor
        return True

    def end_begun(self, commit: bool) -> None:
        """Make what `try_begin` began durable, or forget it; from any thread. Raises DiskFull or StoreError."""
        try:
            with self.translated():
                self.db.execute("COMMIT" if commit else "ROLLBACK")
        except BaseException:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise
        finally:
            os.close(self._begun)

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

    def quick_check(self) -> None:
        """SQLite's own check of the file. Raises StoreError with how to salvage what is left."""
        try:
            found = [row[0] for row in self.db.execute("PRAGMA quick_check(3)")]
        except sqlite3.DatabaseError as error:
            found = [str(error)]
        if found != ["ok"]:
            raise StoreError(
                f"{self.path} is damaged ({found[0]}): keep the file, copy it, and salvage the copy with "
                f"`sqlite3 COPY .recover`; nothing was written"
            )

    def close(self) -> None:
        """Close; the last writer folds the write-ahead log into the file, under the lock."""
        if not self.writable:
            self.db.close()
            return
        with self._mutex, self._locked():
            self.db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in _FULL:
                raise DiskFull(f"{self.path}: {error}: nothing of this write was kept; free some space") from error
            if isinstance(error, sqlite3.DatabaseError) and code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise StoreError(f"{self.path} is damaged: {error}; keep the file and salvage a copy") from error
            if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY):
                raise StoreError(f"{self.path} cannot be written: {error}") from error
            raise


@contextlib.contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file that the kernel drops with the process."""
    descriptor = _open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def backup(store: Store, target: Path) -> None:
    """Copy a store with SQLite's own backup, check the copy, and only then give it its name."""
    if target.exists():
        raise StoreError(f"{target} exists: name a new file")
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        copy = sqlite3.connect(part)
        try:
            store.db.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            found = copy.execute("PRAGMA integrity_check").fetchone()[0]
        finally:
            copy.close()
        if found != "ok":
            raise StoreError(f"the copy of {store.path} does not check out ({found}): no backup was made")
        _sync(part)
        part.rename(target)
        _sync(target.parent)
    finally:
        part.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    try:
        db = sqlite3.connect(
            f"file:{quote(str(path))}?{mode}", uri=True, isolation_level=None, check_same_thread=False, timeout=30
        )
        db.execute("PRAGMA mmap_size = 0")
        db.execute("PRAGMA cache_size = -32000")
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be opened: {error}") from error
    return db


_headers: dict[tuple[int, int], int] = {}
"""Device and inode of every store looked at -> a descriptor that stays open as long as the process."""


def _header(path: Path) -> bytes:
    """The first 100 bytes of a file, without ever closing a descriptor of it.

    Closing any descriptor of a file drops all POSIX locks that the process has on it, SQLite's own among them: the
    next process to close the store would then take itself for the last one, and remove the write-ahead log in use.
    """
    try:
        found = path.stat()
        key = (found.st_dev, found.st_ino)
        if key not in _headers:
            _headers[key] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        return os.pread(_headers[key], 100, 0)
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from error


def _check_file(path: Path) -> int:
    """The schema version of an existing store; nothing is touched. Raises StoreError saying what to do."""
    if not path.exists():
        raise StoreError(f"no store at {path}: `emaudit variant add` or `emaudit demo` makes one")
    if path.is_dir():
        raise StoreError(f"{path} is a folder: name a file")
    header = _header(path)
    if not header:
        raise StoreError(f"{path} is empty (zero bytes), not a store: remove it or restore a backup")
    if not header.startswith(_HEADER) or len(header) < 100:
        raise StoreError(f"{path} is not an emaudit store: name another file with --store")
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise StoreError(f"{path} is an SQLite file of another program: name another file with --store")
    version = int.from_bytes(header[60:64], "big")
    if version > SCHEMA_VERSION:
        raise StoreError(f"{path} was written by a newer emaudit (schema {version}): update emaudit to open it")
    return version


def _create(path: Path) -> None:
    """Make a new store under a temporary name, and give it its own only when it is whole."""
    folder = path.parent
    if not folder.exists():
        folder.mkdir(parents=True, mode=0o700)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        db = sqlite3.connect(part, isolation_level=None)
        try:
            apply_migrations(db, 0)
        finally:
            db.close()
        with contextlib.suppress(FileExistsError):
            os.link(part, path)
        _sync(folder)
    except OSError as error:
        raise StoreError(f"no store can be made at {path}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def _upgrade(path: Path, version: int) -> None:
    """Back a store up, check the copy, then migrate it in one transaction a step."""
    if not os.access(path, os.W_OK):
        raise StoreError(f"{path} has the older schema {version} and is read-only: copy it, then open the copy")
    with file_lock(path.with_name(path.name + ".lock")):
        db = _connect(path, "mode=rw")
        try:
            before = _counts(db)
            backup(Store(path, db, False), path.with_name(f"{path.name}.schema-{version}.backup"))
            apply_migrations(db, version)
            after = _counts(db)
        finally:
            db.close()
    lost = {table: n for table, n in before.items() if after.get(table, 0) < n}
    if lost:
        raise StoreError(f"{path}: the upgrade lost rows of {', '.join(lost)}: restore the .backup beside it")


def _counts(db: sqlite3.Connection) -> dict[str, int]:
    return {
        table: int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
        for table in ("variants", "replies", "verdicts")
    }
