"""Every family of commands, in the order the help lists them; each is a module that is imported when it is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Final

from emaudit.cli.arguments import Verbs, common
from emaudit.errors import UsageError

FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "demo": ("demo",),
    "simulate": ("simulate",),
    "settings": ("init",),
    "doctor": ("doctor",),
    "variants": ("variant",),
    "running": ("run", "resume", "estimate"),
    "rejudging": ("rejudge",),
    "judging": ("judge",),
    "review": ("review",),
    "watching": ("status", "stop", "wait"),
    "keeping": ("void", "backup"),
    "merge": ("merge",),
    "instruments": ("instrument",),
    "importing": ("import",),
    "scoring": ("scores", "export"),
    "compare": ("compare",),
    "correlate": ("correlate",),
    "figures": ("figures",),
    "agreement": ("agreement",),
    "trajectories": ("trajectories",),
    "dissociation": ("dissociation",),
    "verify": ("verify",),
}
"""Module of this package -> the commands it adds."""


def register(verbs: Verbs, argv: Sequence[str] | None) -> None:
    """Add the commands that a command line can mean: one family, or all where it names none, or for None."""
    for name in needed(argv):
        import_module(f"emaudit.cli.{name}").register(verbs)


def needed(argv: Sequence[str] | None) -> list[str]:
    """The modules whose commands a command line can mean; none where it opens the app."""
    if argv is None:
        return list(FAMILIES)
    try:
        words = common().parse_known_args(list(argv))[1]
    except UsageError:
        return list(FAMILIES)
    if not words:
        return []
    return [name for name, commands in FAMILIES.items() if words[0] in commands] or list(FAMILIES)
