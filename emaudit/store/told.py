"""What SQLite says, as an error of emaudit that names the file and what to do."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from emaudit.errors import DiskFailed, DiskFull, EmauditError, StoreError

_FULL: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)
"""Extended codes: a write beyond a quota or a limit on file sizes is an I/O error to SQLite, not a full disk."""
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_REFUSED: Final = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY)

UNREADABLE: Final = "its list of tables cannot be read"
"""Of a file that SQLite itself cannot quote."""


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Turn any error of SQLite that was not translated yet into a StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"the store cannot be read or written: {error}") from error


@contextlib.contextmanager
def told_at(path: Path) -> Iterator[None]:
    """Turn what goes wrong because a store is damaged, full or refused into an error that says so.

    What its damaged rows do to whoever reads them can be anything: the file is looked at before that is taken for a
    defect of emaudit.
    """
    try:
        yield
    except sqlite3.Error as error:
        if known := meaning(path, error):
            raise known from error
        _blame(path, error)
        raise
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        _blame(path, error)
        raise


def _blame(path: Path, error: Exception) -> None:
    if found := damage(path):
        raise damaged(path, found) from error


def meaning(path: Path, error: sqlite3.Error) -> EmauditError | None:
    """DiskFull or StoreError for what SQLite says of a store; None where it says something of a statement."""
    extended = getattr(error, "sqlite_errorcode", 0)
    code = extended & 0xFF
    if extended in _FULL:
        return DiskFull(f"{path}: {error}: nothing of this write was kept; free some space")
    if code == sqlite3.SQLITE_IOERR:
        return DiskFailed(
            f"{path}: the disk failed ({error}, {error.sqlite_errorname}): what was written before is kept; "
            "look into the system's log, and copy the store to another disk"
        )
    if code in _DAMAGED or str(error).startswith("Could not decode to UTF-8"):
        return damaged(path, str(error))
    if code in _REFUSED:
        return StoreError(f"{path} cannot be written: {error}")
    return None


def damaged(path: Path, found: str) -> StoreError:
    """The error of a store that does not check out, with how to salvage what is left."""
    return StoreError(
        f"{path} is damaged ({found}): keep the file, copy it, and salvage the copy with `sqlite3 COPY .recover`; "
        "nothing was written"
    )


def damage(path: Path) -> str:
    """The first thing SQLite's own check finds wrong with a file; empty where there is nothing, or no file."""
    if not path.is_file():
        return ""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            found = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    except UnicodeDecodeError:
        return UNREADABLE
    except sqlite3.Error as error:
        return str(error)
    return "" if found == "ok" else found
