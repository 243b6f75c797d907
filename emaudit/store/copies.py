"""Checked copies of a store: a backup, the copy before an upgrade, and what is rescued from a file that went away."""

from __future__ import annotations

import itertools
import os
import sqlite3
from pathlib import Path

from emaudit.errors import StoreError
from emaudit.store.file import sync


def copy_checked(db: sqlite3.Connection, target: Path) -> None:
    """Copy all that a connection sees with SQLite's own backup, check the copy, and only then give it its name.

    Raises StoreError where the target exists or the copy does not check out; nothing is left then.
    """
    if target.exists():
        raise StoreError(f"{target} exists: name a new file")
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        copy = sqlite3.connect(part)
        try:
            db.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            found = copy.execute("PRAGMA integrity_check").fetchone()[0]
        finally:
            copy.close()
        if found != "ok":
            raise StoreError(f"the copy does not check out ({found}): {target} was not made; keep the store as it is")
        sync(part)
        part.rename(target)
        sync(target.parent)
    finally:
        part.unlink(missing_ok=True)


def unused_name(path: Path) -> Path:
    """The path itself, or the first of `path-2`, `path-3` ... that names nothing yet."""
    names = itertools.chain([path], (path.with_name(f"{path.name}-{number}") for number in itertools.count(2)))
    return next(name for name in names if not name.exists())
