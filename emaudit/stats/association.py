"""Association across variants. Pure; what is undefined is a value with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from emaudit.stats.estimation import Figure

FEWEST: Final = 4
"""Fewer variants than this have no correlation worth a number."""


def spearman(x: Sequence[float], y: Sequence[float]) -> Figure:
    """Spearman's rho with mid-ranks; undefined for fewer than four pairs and for a constant column.

    Raises ValueError for sequences of unequal length.
    """
    if len(x) != len(y):
        raise ValueError(f"{len(x)} values beside {len(y)}")
    if len(x) < FEWEST:
        return Figure(None, f"only {len(x)} of at least {FEWEST} variants")
    if min(x) == max(x) or min(y) == max(y):
        return Figure(None, "a column is constant")
    from scipy.stats import spearmanr

    return Figure(float(spearmanr(x, y).statistic))
