"""Mid-ranks in integers, and what follows from them exactly. Pure.

Ranks are doubled (the mid-rank of two tied lowest values is 1.5, here 3), so that ties stay integers and neither
a correlation nor the comparison of two permuted sums depends on rounding. Values are compared exactly: two that
differ in their last binary digit are not tied. Round first where they should be.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEWEST: Final = 4
"""Fewer variants than this have no correlation worth a number."""


def doubled_ranks(values: Sequence[float]) -> tuple[int, ...]:
    """Twice the mid-ranks (2 .. 2n), in the order of the values; their sum is n(n + 1)."""
    place = 0
    found: dict[float, int] = {}
    counts = Counter(values)
    for value in sorted(counts):
        found[value] = 2 * place + counts[value] + 1
        place += counts[value]
    return tuple(found[value] for value in values)


def why_undefined(x: Sequence[float], y: Sequence[float]) -> str:
    """Why the columns have no rank correlation; empty where they have one.

    Raises ValueError for sequences of unequal length.
    """
    if len(x) != len(y):
        raise ValueError(f"{len(x)} values beside {len(y)}")
    if len(x) < FEWEST:
        return f"only {len(x)} of at least {FEWEST} variants"
    if any(value != value for values in (x, y) for value in values):
        return "a value is not a number"
    if min(x) == max(x) or min(y) == max(y):
        return "a column is constant"
    return ""


@dataclass(frozen=True, slots=True)
class RankPair:
    """Doubled ranks of two columns, and from a sum of products of theirs to rho."""

    a: tuple[int, ...]
    b: tuple[int, ...]
    centre: int
    """The sum of products at which rho is 0: n (n + 1)^2."""
    squares: int
    """Product of the two sums of squared deviations: rho = (sum - centre) / sqrt(squares)."""

    @classmethod
    def of(cls, x: Sequence[float], y: Sequence[float]) -> RankPair:
        """The ranks of two columns that have a rank correlation (`why_undefined`)."""
        a, b = doubled_ranks(x), doubled_ranks(y)
        centre = len(a) * (len(a) + 1) ** 2
        squares = (sum(rank * rank for rank in a) - centre) * (sum(rank * rank for rank in b) - centre)
        return cls(a, b, centre, squares)

    @property
    def total(self) -> int:
        """The observed sum of products."""
        return sum(left * right for left, right in zip(self.a, self.b, strict=True))

    def rho(self, total: int) -> float:
        """Rho at a sum of products; exactly 1 or -1 where the ranks agree or oppose perfectly."""
        return ratio_to_root(total - self.centre, self.squares)


def ratio_to_root(numerator: int, squares: int) -> float:
    """numerator / sqrt(squares) of integers, exactly 1 or -1 where they are equal in size."""
    if numerator * numerator == squares:
        return math.copysign(1.0, numerator)
    return numerator / math.sqrt(squares)


def rank_rows(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Doubled mid-ranks along the last axis of draws x variants; a row with nan becomes nan."""
    import numpy as np

    order = np.argsort(values, axis=-1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=-1)
    n = values.shape[-1]
    places = np.arange(n)
    starts = np.ones(values.shape, dtype=bool)
    starts[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    ends = np.ones(values.shape, dtype=bool)
    ends[..., :-1] = starts[..., 1:]
    first = np.maximum.accumulate(np.where(starts, places, 0), axis=-1)
    last = np.minimum.accumulate(np.where(ends, places, n - 1)[..., ::-1], axis=-1)[..., ::-1]
    ranks = np.empty(values.shape, dtype=np.float64)
    np.put_along_axis(ranks, order, (first + last + 2).astype(np.float64), axis=-1)
    ranks[np.isnan(values).any(axis=-1)] = np.nan
    return ranks


def rho_rows(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spearman's rho of each row of draws x variants; nan where a row is constant or has nan.

    nan stands for undefined among draws only; count such draws, and leave them out by number.
    """
    import numpy as np

    a, b = rank_rows(x), rank_rows(y)
    centre = a.shape[-1] + 1
    a -= centre
    b -= centre
    squares = (a * a).sum(axis=-1) * (b * b).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: NDArray[np.float64] = np.where(squares > 0, (a * b).sum(axis=-1) / np.sqrt(squares), np.nan)
    return found
