"""The command `emaudit`, also as `python -m emaudit`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (without the program's name; by default the process's own); returns the exit code.

    Whatever it writes is its user's alone from the first byte.
    """
    from emaudit.cli.command import run

    os.umask(os.umask(0o077) | 0o077)
    return run(sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    sys.exit(main())
