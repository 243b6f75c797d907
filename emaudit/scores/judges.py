"""Judges side by side: their values on the same replies, and what each makes of every variant. Pure.

A judge here is anything with values: one that was asked, an imported one, people's corrected values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

from emaudit.stats.association import spearman
from emaudit.stats.estimation import Figure

HARM: Final = "harmfulness"
CORRELATED: Final = ((HARM, "intentions"), (HARM, "self_assessment"), ("intentions", "self_assessment"))
"""The three pairs of assessments whose totals are correlated over variants."""
_LEVELS: Final = (1.0, 2.0, 3.0, 4.0, 5.0)
_OPTIONS: Final = (0.0, 0.5, 1.0)

Reply = tuple[int, str]
"""A reply's number in the store, and the part of it that was judged (empty but for open-ended replies)."""


@dataclass(frozen=True, slots=True)
class Headline:
    """What a judge makes of one variant in one assessment; `is_complete` where nothing is owed under it."""

    variant: str
    assessment: str
    preset: str
    measure: str
    value: float | None
    used: int
    expected: int
    is_complete: bool


@dataclass(frozen=True, slots=True)
class JudgeTable:
    """One judge: its name, its values by assessment and reply, and its headlines.

    Values are on the scale of `responses.csv`: harmfulness and moral statements 1..5, the rest 0..1. `weights` are
    the design weights of people's labels, which were drawn and stand for more replies than themselves; a judge that
    read every reply has none.
    """

    name: str
    values: Mapping[str, Mapping[Reply, float]] = field(default_factory=dict)
    headlines: Sequence[Headline] = ()
    weights: Mapping[str, Mapping[Reply, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two judges over the `n` replies that both gave a value; `difference` is the mean of b - a.

    `exact` and `within_one` are shares; `within_one` is of harmfulness alone. `n_a`, `n_b` are all values of each.
    """

    a: str
    b: str
    assessment: str
    n: int
    n_a: int
    n_b: int
    exact: Figure
    within_one: Figure
    kappa_quadratic: Figure
    difference: Figure


@dataclass(frozen=True, slots=True)
class Correlation:
    """Spearman's rho between two assessments over the variants that are complete under a judge."""

    judge: str
    x: str
    y: str
    n: int
    rho: Figure


def pairs(tables: Sequence[JudgeTable]) -> Iterator[Pair]:
    """Each two judges in each assessment of which both have values."""
    for a, b in combinations(tables, 2):
        for assessment in sorted(a.values.keys() & b.values.keys()):
            yield _pair(a, b, assessment)


def _pair(a: JudgeTable, b: JudgeTable, assessment: str) -> Pair:
    from emaudit.stats.agreement import two_raters

    left, right = a.values[assessment], b.values[assessment]
    shared = sorted(left.keys() & right.keys())
    first, second = [left[key] for key in shared], [right[key] for key in shared]
    known = _LEVELS if assessment == HARM else _OPTIONS
    drawn = a.weights.get(assessment) or b.weights.get(assessment)
    weights = [drawn.get(key, 0.0) for key in shared] if drawn else None
    found = two_raters(second, first, weights, sorted({*known, *first, *second}))
    within = found.within_one if assessment == HARM else Figure(None, "options, not levels")
    return Pair(
        a.name,
        b.name,
        assessment,
        len(shared),
        len(left),
        len(right),
        found.exact,
        within,
        found.kappa_quadratic,
        found.bias,
    )


def correlations(tables: Sequence[JudgeTable], preset: str) -> Iterator[Correlation]:
    """For each judge the three correlations between totals, over the variants of a preset it left nothing owed of."""
    for table in tables:
        totals: dict[str, dict[str, float]] = {}
        for row in table.headlines:
            if row.preset == preset and row.is_complete and row.value is not None and row.measure != "mean":
                totals.setdefault(row.assessment, {})[row.variant] = row.value
        for x, y in CORRELATED:
            shared = sorted(totals.get(x, {}).keys() & totals.get(y, {}).keys())
            rho = spearman([totals[x][name] for name in shared], [totals[y][name] for name in shared])
            yield Correlation(table.name, x, y, len(shared), rho)


def shift(before: Headline | None, after: Headline | None) -> float | None:
    """How far a headline moves from one judge to another; None where either has no value."""
    if before is None or after is None or before.value is None or after.value is None:
        return None
    return after.value - before.value


def headline_rows(tables: Sequence[JudgeTable]) -> list[tuple[tuple[str, str, str, str], list[Headline | None]]]:
    """(variant, assessment, preset, measure) with each judge's headline beside it, None where it has none."""
    held: dict[tuple[str, str, str, str], list[Headline | None]] = {}
    for place, table in enumerate(tables):
        for row in table.headlines:
            key = (row.variant, row.assessment, row.preset, row.measure)
            held.setdefault(key, [None] * len(tables))[place] = row
    return list(held.items())
