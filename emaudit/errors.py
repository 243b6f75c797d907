"""Every error emaudit raises on purpose.

EmauditError
├── UsageError            exit 2: what was typed or configured cannot be done
│   ├── BadInput          a file with a line that cannot be read: names file, line and field
│   └── RunHeld           another runner holds the run
├── StoreError            exit 2: the store cannot be opened as asked
│   ├── StoreGone         exit 3: the file was moved, deleted or replaced while it was in use
│   └── DiskFailed        exit 3: the disk could not read or write it, and not for want of space
├── DiskFull              exit 3: the disk or the store cannot take another row
└── EndpointError         exit 3: an endpoint stopped the run
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Final

NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the system says of a disk, a quota or a limit on file sizes that takes no more."""


class EmauditError(Exception):
    """Base of all expected failures; the message is one line for the user: what, to what, what to do."""

    exit_code: int = 2


class UsageError(EmauditError):
    """What was typed or configured cannot be done."""


class BadInput(UsageError):
    """A file that cannot be read as it should: names the file, and where known the line and field."""

    def __init__(self, path: Path | str, why: str, line: int | None = None, column: str = "") -> None:
        where = str(path) + (f", line {line}" if line else "") + (f", {column}" if column else "")
        super().__init__(f"{where}: {why}")


class RunHeld(UsageError):
    """Another runner holds what this one would ask."""


class StoreError(EmauditError):
    """The store cannot be opened as asked; it was not touched."""


class StoreGone(StoreError):
    """The file of an open store was moved, deleted or replaced while it was in use."""

    exit_code = 3


class DiskFailed(StoreError):
    """The disk under a store failed to read or write, and not for want of space."""

    exit_code = 3


class DiskFull(EmauditError):
    """The disk or the store cannot take another row."""

    exit_code = 3


class EndpointError(EmauditError):
    """An endpoint stopped the run: authentication, quota, a model gone, or nobody there."""

    exit_code = 3
