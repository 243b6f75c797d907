"""The file of a store before it is open: whose it is, its lock, and how a new one comes to be."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

from emaudit.errors import StoreError
from emaudit.store import schema
from emaudit.store.told import UNREADABLE, damaged, meaning

_HEADER: Final = b"SQLite format 3\x00"


@contextlib.contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file that the kernel drops with the process."""
    descriptor = open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        while not is_same_file(path, descriptor):
            os.close(descriptor)
            descriptor = open_lock(path)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def is_same_file(path: Path, descriptor: int) -> bool:
    """Whether a path still names the open file: a lock on a file that was removed holds nobody off."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def open_lock(path: Path) -> int:
    """A descriptor of a lock file, made where it is missing; a link is not followed. Raises StoreError."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        if path.is_symlink():
            raise StoreError(f"{path} is a link, which no lock is: find out who made it, and remove it") from None
        raise StoreError(f"{path} cannot be locked: {error.strerror}") from error


def check_one_name(path: Path) -> None:
    """Refuse a file that has another name: SQLite would look for a log of its own under each. Raises StoreError."""
    if path.stat().st_nlink > 1:
        _drop_unfinished_name(path)
    if path.stat().st_nlink > 1:
        raise StoreError(
            f"{path} has a second name (a hard link), and could be written under both at once: remove that name, "
            "or copy the store with `emaudit backup` and work on the copy"
        )


def _drop_unfinished_name(path: Path) -> None:
    """Remove the name under which a store or a copy was made, where a kill kept its maker from removing it."""
    for part in path.parent.glob(".*.part"):
        with contextlib.suppress(FileNotFoundError):
            if part.samefile(path):
                remove_part(part)


def remove_part(part: Path) -> None:
    """Remove a store that was being made, its log, and its locks: the one that says that it is in use goes last."""
    for ending in ("", "-wal", "-shm", ".lock", ".held"):
        part.with_name(part.name + ending).unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """A connection by a mode of SQLite's addresses (`mode=ro`, `immutable=1` ...). Raises StoreError or DiskFull.

    The schema version is looked at again: in the file's header it is that of before what the write-ahead log holds.
    """
    try:
        db = sqlite3.connect(
            f"file:{quote(str(path))}?{mode}", uri=True, isolation_level=None, check_same_thread=False, timeout=30
        )
        db.execute("PRAGMA mmap_size = 0")
        db.execute("PRAGMA cache_size = -32000")
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
    except UnicodeDecodeError as error:
        raise damaged(path, UNREADABLE) from error
    except sqlite3.Error as error:
        raise meaning(path, error) or StoreError(f"{path} cannot be opened: {error}") from error
    try:
        check_version(path, version)
    except StoreError:
        db.close()
        raise
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


def check_file(path: Path) -> int:
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
    if int.from_bytes(header[68:72], "big") != schema.APPLICATION_ID:
        raise StoreError(f"{path} is an SQLite file of another program: name another file with --store")
    return check_version(path, int.from_bytes(header[60:64], "big"))


def check_version(path: Path, version: int) -> int:
    """A schema version that this emaudit knows. Raises StoreError of a newer one."""
    if version > schema.SCHEMA_VERSION:
        raise StoreError(f"{path} was written by a newer emaudit (schema {version}): update emaudit to open it")
    return version


def create(path: Path) -> None:
    """Make a new store under a temporary name, and give it its own only when it is whole."""
    folder = path.parent
    if not folder.exists():
        folder.mkdir(parents=True, mode=0o700)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        db = sqlite3.connect(part, isolation_level=None)
        try:
            schema.apply_migrations(db, 0)
        finally:
            db.close()
        with contextlib.suppress(FileExistsError):
            os.link(part, path)
        sync(folder)
    except OSError as error:
        raise StoreError(f"no store can be made at {path}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
