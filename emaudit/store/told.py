"""What SQLite says, as an error of emaudit: for work that goes on after a store could not be read or written."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from emaudit.errors import StoreError


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Turn any error of SQLite that was not translated yet into a StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"the store cannot be read or written: {error}") from error
