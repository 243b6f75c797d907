"""Who reviews: one name a person, the same in every queue."""

from __future__ import annotations

import getpass
from typing import Final

from emaudit.config import Settings
from emaudit.errors import UsageError
from emaudit.text import visible

LONGEST: Final = 40


def reviewer_name(settings: Settings, named: str = "") -> str:
    """The name given with --as, else `[reviewer] name` of the settings, else the name of the user account.

    Raises UsageError for a name that is empty, long, or holds characters that cannot be seen.
    """
    name = (named or settings.reviewer or _account()).strip()
    if not name:
        raise UsageError('no reviewer: give --as NAME, or set [reviewer] name = "..." in emaudit.toml')
    if len(name) > LONGEST or visible(name) != name or not name.isprintable():
        raise UsageError(f"{visible(name)[:LONGEST]!r} is no reviewer's name: at most {LONGEST} printable characters")
    return name


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
