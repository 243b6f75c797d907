"""How far two profiles over the same parts (moral foundations, dimensions) are apart. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from emaudit.stats.estimation import Figure


@dataclass(frozen=True, slots=True)
class ProfileDistance:
    """Distances between two profiles; what is undefined has a reason."""

    mean_abs: Figure
    """Mean absolute difference, in units of the scale."""
    euclidean: Figure
    pearson: Figure
    """Of the parts; a description without p. Undefined where a profile is flat."""
    cosine: Figure
    """After centring both at the scale's midpoint, -1..1: below 0 the profile is inverted."""
    elevation: Figure
    """Mean of a minus mean of b, in units of the scale."""


def profile_distance(a: Sequence[float], b: Sequence[float], scale: tuple[float, float]) -> ProfileDistance:
    """Distances between two profiles on a scale from `scale[0]` to `scale[1]`.

    A profile is flat where all its values are equal, and lies on the midpoint where all equal it; compared exactly.
    Raises ValueError for profiles of unequal length and a scale without width.
    """
    low, high = scale
    if len(a) != len(b):
        raise ValueError(f"{len(a)} parts beside {len(b)}")
    if not low < high:
        raise ValueError(f"a scale from {low} to {high}")
    if not len(a):
        none = Figure(None, "no part has a value in both")
        return ProfileDistance(none, none, none, none, none)
    n, midpoint = len(a), (low + high) / 2
    gaps = [left - right for left, right in zip(a, b, strict=True)]
    return ProfileDistance(
        mean_abs=Figure(math.fsum(map(abs, gaps)) / n),
        euclidean=Figure(math.sqrt(math.fsum(gap * gap for gap in gaps))),
        pearson=_pearson(a, b),
        cosine=_cosine([value - midpoint for value in a], [value - midpoint for value in b], "on the midpoint"),
        elevation=Figure((math.fsum(a) - math.fsum(b)) / n),
    )


def _pearson(a: Sequence[float], b: Sequence[float]) -> Figure:
    if len(a) < 2:
        return Figure(None, "one part only")
    if min(a) == max(a) or min(b) == max(b):
        return Figure(None, "a profile is flat")
    return _cosine(_centred(a), _centred(b), "flat")


def _centred(values: Sequence[float]) -> list[float]:
    mean = math.fsum(values) / len(values)
    return [value - mean for value in values]


def _cosine(a: Sequence[float], b: Sequence[float], flat: str) -> Figure:
    lengths = math.hypot(*a) * math.hypot(*b)
    if not lengths:
        return Figure(None, f"a profile is {flat}")
    return Figure(min(1.0, max(-1.0, math.fsum(p * q for p, q in zip(a, b, strict=True)) / lengths)))
