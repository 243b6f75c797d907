"""What the numbers of an export stand on beside the store, for its manifest: Holm's families, and the libraries."""

from __future__ import annotations

import platform
import sqlite3
from importlib.metadata import PackageNotFoundError, version
from typing import Final

_LIBRARIES: Final = ("numpy", "scipy", "pandas")
_CORRELATIONS: Final = (
    "p_holm is Holm's (1979) over the three headline pairs of one column (harmless, total) and one subset, on the "
    "p within size; no other pair is tested together with them."
)
_DISSOCIATION: Final = (
    "p_holm is Holm's (1979) over every variant past its base of which p is defined, for one part of the "
    "self-assessment (harmless, total)."
)


def families() -> dict[str, str]:
    """By table, which p-values are adjusted together, in words; what is shown of a table does not change it."""
    from emaudit.scores.comparisons import FAMILIES

    return {"comparisons": FAMILIES, "correlations": _CORRELATIONS, "dissociation": _DISSOCIATION}


def libraries() -> dict[str, str]:
    """The versions of what computes here; another one may differ in the last digit of a number."""
    found = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    return found | {name: _version(name) for name in _LIBRARIES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
