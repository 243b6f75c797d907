"""The temporary name under which stores are merged into a new one, and what is left of it after a kill."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from emaudit.store.file import file_lock, open_lock, remove_part

_HELD: Final = ".held"
"""Ends the name of the file that is locked as long as a part is in use."""


@contextlib.contextmanager
def held_part(path: Path) -> Iterator[Path]:
    """A temporary name for a store that will be at a path; what bears it is removed at the end, or after a kill.

    Raises StoreError where nothing can be made there.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _clear(path)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    with file_lock(part.with_name(part.name + _HELD)):
        try:
            yield part
        finally:
            remove_part(part)


def _clear(path: Path) -> None:
    """Remove what a merge that was killed left beside a path."""
    for held in path.parent.glob(f".{glob.escape(path.name)}.*.part{_HELD}"):
        descriptor = open_lock(held)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_part(held.with_name(held.name.removesuffix(_HELD)))
        except BlockingIOError:
            continue
        finally:
            os.close(descriptor)
