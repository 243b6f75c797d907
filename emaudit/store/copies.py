"""Checked copies of a store: a backup, the copy before an upgrade, and what is rescued from a file that went away."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from emaudit.errors import StoreError
from emaudit.store.file import sync


def copy_checked(db: sqlite3.Connection, target: Path) -> None:
    """Copy all that a connection sees with SQLite's own backup, check the copy, and only then give it its name.

    Raises StoreError where the target exists or the copy does not check out; nothing is left then.
    """
    taken = StoreError(f"{target} exists: name a new file")
    if target.exists():
        raise taken
    with _checked_part(db, target) as part:
        if not _named(part, target):
            raise taken


def copy_beside(db: sqlite3.Connection, path: Path) -> Path:
    """A checked copy under `path`, or the first of `path-2`, `path-3` ... that nobody else has taken; which it is.

    Raises StoreError where the copy does not check out; nothing is left then.
    """
    numbered = (path.with_name(f"{path.name}-{number}") for number in itertools.count(2))
    with _checked_part(db, path) as part:
        return next(name for name in itertools.chain([path], numbered) if _named(part, name))


@contextlib.contextmanager
def _checked_part(db: sqlite3.Connection, target: Path) -> Iterator[Path]:
    """A checked copy under a name that no other copy has, gone afterwards. Raises StoreError."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
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
        yield part
    finally:
        part.unlink(missing_ok=True)
    sync(target.parent)


def _named(part: Path, target: Path) -> bool:
    """Give a whole file its name; False where another process, or anything else, has the name already."""
    try:
        os.link(part, target)
    except FileExistsError:
        return False
    except OSError:
        return _named_without_links(part, target)
    return True


def _named_without_links(part: Path, target: Path) -> bool:
    """As `_named`, on a disk that knows no links: the name is taken first, and then given to the file."""
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return False
    part.rename(target)
    return True
