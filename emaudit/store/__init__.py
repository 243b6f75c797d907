"""The store: one SQLite file, and every SQL statement of the project. One module per concern."""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from emaudit.store.connection import Store, backup
    from emaudit.store.plans import Plan
    from emaudit.store.readings import Progress, Response, Tally

__all__ = ["Plan", "Progress", "Response", "Store", "Tally", "backup"]

_HOMES: Final = {
    "Plan": "plans",
    "Progress": "readings",
    "Response": "readings",
    "Store": "connection",
    "Tally": "readings",
    "backup": "connection",
}


def __getattr__(name: str) -> object:
    """Import what is asked for: opening a store needs none of the readings, which load all assessments."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
