"""Adjusted p-values of a family of tests. Pure.

None stands for a test that could not be made: it stays None and is no member of the family.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate


def holm(p: Sequence[float | None]) -> list[float | None]:
    """Holm (1979): the running maximum of (m - i + 1) p_(i) over ascending p, at most 1; in the order given.

    Raises ValueError for a p outside 0..1.
    """
    order = _ascending(p)
    steps = [min(1.0, (len(order) - rank) * value) for rank, (value, _) in enumerate(order)]
    return _placed(len(p), order, list(accumulate(steps, max)))


def benjamini_hochberg(p: Sequence[float | None]) -> list[float | None]:
    """Benjamini and Hochberg (1995): the running minimum, from the largest down, of m p_(i) / i, at most 1.

    Raises ValueError for a p outside 0..1.
    """
    order = _ascending(p)
    steps = [min(1.0, len(order) * value / (rank + 1)) for rank, (value, _) in enumerate(order)]
    return _placed(len(p), order, list(accumulate(reversed(steps), min))[::-1])


def family_size(p: Sequence[float | None]) -> int:
    """How many tests the family has: those with a p."""
    return len(_ascending(p))


def _ascending(p: Sequence[float | None]) -> list[tuple[float, int]]:
    for value in p:
        if value is not None and not 0 <= value <= 1:
            raise ValueError(f"a p-value of {value}")
    return sorted((value, place) for place, value in enumerate(p) if value is not None)


def _placed(n: int, order: Sequence[tuple[float, int]], adjusted: Sequence[float]) -> list[float | None]:
    found: list[float | None] = [None] * n
    for (_, place), value in zip(order, adjusted, strict=True):
        found[place] = value
    return found
