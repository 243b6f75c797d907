"""The screens there are and the palette, each loaded when it is first opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from textual.command import Provider
from textual.screen import Screen


def _variants() -> Screen[None]:
    from emaudit.screens.variants import VariantsScreen

    return VariantsScreen()


def _runs() -> Screen[None]:
    from emaudit.screens.runs import RunsScreen

    return RunsScreen()


def _inspect() -> Screen[None]:
    from emaudit.screens.inspect import InspectScreen

    return InspectScreen()


def _review() -> Screen[None]:
    from emaudit.screens.spotcheck import SpotCheckScreen

    return SpotCheckScreen()


def _correlations() -> Screen[None]:
    from emaudit.screens.correlations import CorrelationsScreen

    return CorrelationsScreen()


def _trajectories() -> Screen[None]:
    from emaudit.screens.trajectories import TrajectoriesScreen

    return TrajectoriesScreen()


def actions() -> type[Provider]:
    """What the palette offers."""
    from emaudit.screens.palette import ActionProvider

    return ActionProvider


MODES: Final[dict[str, str | Callable[[], Screen[Any]]]] = {
    "variants": _variants,
    "runs": _runs,
    "inspect": _inspect,
    "review": _review,
    "correlations": _correlations,
    "trajectories": _trajectories,
}
"""The main screens, by the name of their mode."""
