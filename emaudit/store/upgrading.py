"""A store of an older schema is backed up, the copy checked, and the store brought to this emaudit's schema."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from emaudit.errors import StoreError
from emaudit.store import schema
from emaudit.store.copies import copy_beside
from emaudit.store.file import connect, file_lock
from emaudit.store.told import told_at


def upgrade(path: Path) -> None:
    """Upgrade a store in place, one transaction a step, after a checked copy named `STORE.schema-N.backup`.

    Whoever comes second finds it done. Raises StoreError or DiskFull; the store is then as it was.
    """
    if not os.access(path, os.W_OK):
        raise StoreError(f"{path} has an older schema and is read-only: copy it, then open the copy")
    with file_lock(path.with_name(path.name + ".lock")):
        db = connect(path, "mode=rw")
        try:
            version = int(db.execute("PRAGMA user_version").fetchone()[0])
            if version == schema.SCHEMA_VERSION:
                return
            kept = _copy(db, path, version)
            before = _counts(db)
            _migrate(db, path, version)
            after = _counts(db)
        finally:
            db.close()
    lost = {table: n for table, n in before.items() if after.get(table, 0) < n}
    if lost:
        raise StoreError(f"{path}: the upgrade lost rows of {', '.join(lost)}: restore {kept.name} beside it")


def _copy(db: sqlite3.Connection, path: Path, version: int) -> Path:
    try:
        with told_at(path):
            return copy_beside(db, path.with_name(f"{path.name}.schema-{version}.backup"))
    except OSError as error:
        raise StoreError(f"{path} has the older schema {version}, and no backup can be made ({error})") from error


def _migrate(db: sqlite3.Connection, path: Path, version: int) -> None:
    try:
        schema.apply_migrations(db, version)
    except sqlite3.Error as error:
        raise StoreError(f"{path}: the upgrade from schema {version} failed ({error}) and changed nothing") from error


def _counts(db: sqlite3.Connection) -> dict[str, int]:
    return {
        table: int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
        for table in ("variants", "replies", "verdicts")
    }
