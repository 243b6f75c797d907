"""A mean of means over templates (stems, scenarios, questions, statements), and its interval.

A template's mean is over its conditions, each over its replies. Cells (one dimension in one format) weigh the
same within their dimension, dimensions within a total, variants within an average: a tree of equal weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from emaudit.stats.estimation import (
    CONFIDENCE,
    Figure,
    Interval,
    clopper_pearson,
    student_interval,
    too_few,
)


@dataclass(frozen=True, slots=True)
class Cell:
    """Template means of one dimension in one format, on the measure's own scale.

    Templates that share `stratum` and key across cells are one cluster: the same stem asked about another
    dimension, or of another variant. Strata (the formats; the dimensions of intentions) are independent.
    """

    stratum: str
    means: Mapping[str, float]
    mean: float | None = field(init=False)
    """Unweighted mean of the template means; None where there are none."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", _unweighted(self.means.values()))


@dataclass(frozen=True, slots=True)
class Group:
    """Cells or groups of them that weigh the same; those without any value are left out."""

    members: tuple[Cell | Group, ...]
    mean: float | None = field(init=False)
    """Unweighted mean of the members' means; None where there are none."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", _unweighted(member.mean for member in self.members))

    def leaves(self, weight: float = 1.0) -> Iterator[tuple[float, Cell]]:
        """Every cell below that has a value, with its share of `weight`."""
        members = [member for member in self.members if member.mean is not None]
        for member in members:
            if isinstance(member, Cell):
                yield weight / len(members), member
            else:
                yield from member.leaves(weight / len(members))


def _unweighted(values: Iterable[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return math.fsum(there) / len(there) if there else None


def tree_mean(node: Cell | Group) -> Figure:
    """The mean of a tree as a figure with its reason where there is none."""
    return Figure(node.mean, "" if node.mean is not None else "no reply has a value")


def tree_interval(tree: Group, scale: tuple[float, float] = (0.0, 1.0), confidence: float = CONFIDENCE) -> Interval:
    """Interval of the mean of a tree within `scale`: t on the template means, clusters counted once.

    The variance is the linearised one of a stratified cluster design: a cluster's contribution is the weighted
    sum of its deviations from its cells' means, a stratum's variance G/(G-1) times their squares, and the
    strata add up (Wolter 2007, Introduction to Variance Estimation, sections 1.4 and 6.4), with
    Satterthwaite's (1946) degrees of freedom. For one cell this is exactly t on G template means with G - 1;
    a total neither treats six readings of one stem as six stems nor the gap between dimensions as noise, as
    t on all template means at once would. Where fewer than five clusters leave 0 (or 1), where all are equal,
    or where a stratum has one cluster only: Clopper-Pearson on G units, labelled `few templates`.
    """
    mean = tree.mean
    if mean is None:
        return Interval(None, None, "undefined: no reply has a value")
    low, high = scale
    mean = (mean - low) / (high - low)
    unit = _unit_interval(mean, _clusters(tree, scale), confidence)
    if unit.low is None or unit.high is None:
        return unit
    return Interval(low + unit.low * (high - low), low + unit.high * (high - low), unit.method)


Clusters = Mapping[tuple[str, str], tuple[float, float]]
"""(stratum, key) -> contribution to the mean's error, own mean; in units of the scale."""


def _unit_interval(mean: float, clusters: Clusters, confidence: float) -> Interval:
    strata: dict[str, list[float]] = {}
    for (stratum, _), (contribution, _) in clusters.items():
        strata.setdefault(stratum, []).append(contribution)
    units = [unit for _, unit in clusters.values()]
    parts = [
        (len(z) / (len(z) - 1) * math.fsum(value**2 for value in z), len(z) - 1) for z in strata.values() if len(z) > 1
    ]
    variance = math.fsum(part for part, _ in parts)
    if too_few(units) or len(parts) < len(strata) or variance <= 0:
        return clopper_pearson(mean * len(units), len(units), confidence, "few templates")
    freedom = variance**2 / math.fsum(part**2 / df for part, df in parts)
    return student_interval(mean, variance, freedom, confidence)


def _clusters(tree: Group, scale: tuple[float, float]) -> Clusters:
    low, width = scale[0], scale[1] - scale[0]
    found: dict[tuple[str, str], tuple[float, float, int]] = {}
    for weight, cell in tree.leaves():
        centre = cell.mean or 0.0
        weight /= len(cell.means) * width
        for key, value in cell.means.items():
            error, total, n = found.get((cell.stratum, key), (0.0, 0.0, 0))
            found[cell.stratum, key] = (error + weight * (value - centre), total + value, n + 1)
    return {key: (error, (total / n - low) / width) for key, (error, total, n) in sorted(found.items())}
