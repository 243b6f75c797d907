"""The command `emaudit`, also as `python -m emaudit`."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (without the program's name; by default the process's own); returns the exit code."""
    from emaudit.cli.command import run

    return run(sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    sys.exit(main())
