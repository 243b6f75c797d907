"""Internal consistency of several items. Pure; what is undefined is a value with a reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from emaudit.stats.estimation import Figure, standard_deviation

ROUNDING: Final = 1e-12
"""Totals that differ by less than this share of the largest value are equal but for rounding."""


def cronbach_alpha(rows: Sequence[Sequence[float]]) -> Figure:
    """Cronbach's (1951) alpha of subjects x items: k/(k - 1) (1 - sum of item variances / variance of the totals).

    At most 1, without a lower bound. Over variants it is near 1 by construction (the dimensions move together).
    Undefined for fewer than two subjects or items and where all totals are equal.
    Raises ValueError for rows of unequal length.
    """
    k = len(rows[0]) if len(rows) else 0
    if any(len(row) != k for row in rows):
        raise ValueError("rows of unequal length")
    if len(rows) < 2 or k < 2:
        return Figure(None, "fewer than two subjects" if len(rows) < 2 else "fewer than two items")
    totals = [math.fsum(row) for row in rows]
    if max(totals) - min(totals) <= ROUNDING * max(abs(value) for row in rows for value in row):
        return Figure(None, "the total is the same for everyone: no variance")
    items = math.fsum(_variance([row[item] for row in rows]) for item in range(k))
    return Figure(k / (k - 1) * (1 - items / _variance(totals)))


def _variance(values: Sequence[float]) -> float:
    return (standard_deviation(values).value or 0.0) ** 2
