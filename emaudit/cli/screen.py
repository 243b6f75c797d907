"""No command at all: the app."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Final

from emaudit.cli.context import Context
from emaudit.errors import UsageError

if TYPE_CHECKING:
    from emaudit.reviewing.spotchecks import Opening

UNTIL_DRAWN: Final = 100_000
"""New objects that are left uncollected until the first frame stands: nearly all of them stay."""


def has_terminal() -> bool:
    """Whether there is a terminal that the app can be shown in."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def open_app(context: Context, opening: Opening | None = None) -> int:
    """Open the app on the store; needs a terminal. Returns its exit code.

    `opening` names a queue that it opens on.
    """
    if not has_terminal():
        raise UsageError("the app needs a terminal; `emaudit --help` lists the commands that do not")
    gc.set_threshold(UNTIL_DRAWN)
    from emaudit.terminal import run_app

    return run_app(context.store_path, context.config_path, context.prompts_dir, opening)
