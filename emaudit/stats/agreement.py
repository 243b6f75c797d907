"""A judge beside people: confusion, shares, chance-corrected coefficients and their intervals. Pure.

Categories are fixed even when a run lacks one; the judge is the rows, people the columns. A stratified draw
speaks for the run only when every pair carries its design weight N_h/n_h.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from emaudit.stats.coefficients import UNDEFINED, Metric, alpha, measures
from emaudit.stats.estimation import CONFIDENCE, RESAMPLES, Figure, Interval, clopper_pearson, percentiles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CATEGORIES: Final = (1, 2, 3, 4, 5)
"""A bootstrap with a larger share of undefined resamples gives no interval."""
_METHOD: Final = "stratified bootstrap"


@dataclass(frozen=True, slots=True)
class TwoRaters:
    """Agreement of two raters over `n` pairs.

    `confusion` adds up the pairs' weights (1 each where none are given), rows the judge, columns people, over
    `categories`. Shares and prevalences are in 0..1, `bias` is the mean of judge - human on their scale, kappa,
    alpha, AC1 and AC2 are at most 1 and 0 at chance. The prevalences are empty without pairs.
    """

    n: int
    categories: tuple[float, ...]
    confusion: tuple[tuple[float, ...], ...]
    exact: Figure
    within_one: Figure
    bias: Figure
    kappa_nominal: Figure
    kappa_linear: Figure
    kappa_quadratic: Figure
    alpha_nominal: Figure
    alpha_ordinal: Figure
    alpha_interval: Figure
    ac1: Figure
    ac2_quadratic: Figure
    ac2_ordinal: Figure
    judge_prevalence: tuple[float, ...]
    human_prevalence: tuple[float, ...]


def two_raters(
    judge: Sequence[float],
    human: Sequence[float],
    weights: Sequence[float] | None = None,
    categories: Sequence[float] = CATEGORIES,
) -> TwoRaters:
    """Agreement of a judge (rows) and people (columns) over pairs; `weights` are design weights N_h/n_h.

    With weights every coefficient is that of the weighted table (estimated totals in place of counts; for AC1
    and AC2 see Gwet 2014, Handbook of Inter-Rater Reliability, 4th ed., ch. 5). Alpha takes weighted coincidences,
    as Krippendorff et al. (2016, Quality & Quantity 50) weight by length; they are scaled to 2n values, so that
    its small-sample factor knows the number of pairs and not the unit of the weights.
    A judge that says one thing only has kappa 0 beside people who vary; where both say one and the same thing
    kappa and alpha are undefined (0/0). Kappa and AC2 take the categories' values as distances.

    Raises ValueError for sequences of unequal length, values outside the categories, fewer than two categories,
    and weights that are negative or no finite number.
    """
    pairs = _Pairs.read(judge, human, weights, categories)
    values = {name: float(measure(pairs.table, pairs.n)) for name, measure in measures(pairs.categories).items()}
    total = float(pairs.table.sum())
    return TwoRaters(
        n=pairs.n,
        categories=pairs.categories,
        confusion=tuple(tuple(float(cell) for cell in row) for row in pairs.table),
        **{name: _figure(name, value, pairs) for name, value in values.items()},
        judge_prevalence=tuple(float(part) / total for part in pairs.table.sum(axis=1)) if total else (),
        human_prevalence=tuple(float(part) / total for part in pairs.table.sum(axis=0)) if total else (),
    )


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Checked pairs as places in `categories`, with their weights and the table of weights."""

    judge: tuple[int, ...]
    human: tuple[int, ...]
    weights: tuple[float, ...]
    categories: tuple[float, ...]
    table: NDArray[np.float64]

    @property
    def n(self) -> int:
        return len(self.judge)

    @classmethod
    def read(
        cls,
        judge: Sequence[float],
        human: Sequence[float],
        weights: Sequence[float] | None,
        categories: Sequence[float],
    ) -> _Pairs:
        import numpy as np

        places = {category: place for place, category in enumerate(sorted(set(categories)))}
        if len(places) < 2:
            raise ValueError("agreement needs at least two categories")
        if len(judge) != len(human):
            raise ValueError(f"{len(judge)} values of the judge beside {len(human)} of people")
        rows, columns = (tuple(_place(value, places) for value in values) for values in (judge, human))
        given = _checked_weights(weights, len(judge))
        table = np.zeros((len(places), len(places)))
        np.add.at(table, (list(rows), list(columns)), given)
        return cls(rows, columns, given, tuple(places), table)


def _place(value: float, places: Mapping[float, int]) -> int:
    if value not in places:
        raise ValueError(f"{value} is none of the categories {', '.join(map(str, places))}")
    return places[value]


def _checked_weights(weights: Sequence[float] | None, n: int) -> tuple[float, ...]:
    if weights is None:
        return (1.0,) * n
    if len(weights) != n:
        raise ValueError(f"{len(weights)} weights beside {n} values")
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights):
        raise ValueError("a weight is negative or no finite number")
    return tuple(float(weight) for weight in weights)


def _figure(name: str, value: float, pairs: _Pairs) -> Figure:
    if not math.isnan(value):
        return Figure(value)
    if not pairs.n:
        return Figure(None, "no pairs")
    if not pairs.table.any():
        return Figure(None, "all weights are 0")
    return Figure(None, UNDEFINED[name.split("_")[0]])


def agreement_intervals(
    judge: Sequence[float],
    human: Sequence[float],
    strata: Sequence[str],
    weights: Sequence[float] | None,
    seed: int,
    categories: Sequence[float] = CATEGORIES,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> Mapping[str, Interval]:
    """Intervals of every figure of `two_raters`, by its name there.

    Exact and within one: `share_interval`. The others: percentiles of the rescaling bootstrap of Rao, Wu and Yue
    (1992, Survey Methodology 18): n_h - 1 pairs are drawn from each stratum's n_h and weighted by n_h/(n_h - 1);
    the finite frame is not credited, which errs on the wide side. A stratum of one pair is put together with
    its neighbour in the order of names. Undefined with the reason where the figure is, where every resample
    gives the same (no disagreement was seen), and where more than 5% of the resamples are 0/0.
    """
    import numpy as np

    pairs = _Pairs.read(judge, human, weights, categories)
    if len(strata) != pairs.n:
        raise ValueError(f"{len(strata)} strata beside {pairs.n} pairs")
    groups = _groups(strata)
    named = measures(pairs.categories)
    points = {name: _figure(name, float(measure(pairs.table, pairs.n)), pairs) for name, measure in named.items()}
    hits = np.abs(np.asarray(judge, dtype=np.float64) - np.asarray(human, dtype=np.float64))
    found = {
        "exact": share_interval([bool(gap == 0) for gap in hits], strata, weights, confidence),
        "within_one": share_interval([bool(gap <= 1) for gap in hits], strata, weights, confidence),
    }
    tables = _resampled(pairs, groups, seed, resamples) if pairs.n > 1 else np.empty((0, 2, 2))
    for name in named.keys() - found.keys():
        reason = points[name].reason or ("" if pairs.n > 1 else "one pair only")
        found[name] = (
            Interval(None, None, f"undefined: {reason}")
            if reason
            else percentiles(named[name](tables, pairs.n), _METHOD, confidence)
        )
    return {name: found[name] for name in named}


def _groups(strata: Sequence[str]) -> list[list[int]]:
    """Places of the pairs by stratum, in order of names; one of a single pair joins its neighbour."""
    by_name: dict[str, list[int]] = {}
    for place, name in enumerate(strata):
        by_name.setdefault(name, []).append(place)
    groups: list[list[int]] = []
    for name in sorted(by_name):
        if groups and len(groups[-1]) < 2:
            groups[-1].extend(by_name[name])
        else:
            groups.append(by_name[name])
    if len(groups) > 1 and len(groups[-1]) < 2:
        single = groups.pop()
        groups[-1].extend(single)
    return groups


def _resampled(pairs: _Pairs, groups: Sequence[Sequence[int]], seed: int, resamples: int) -> NDArray[np.float64]:
    """One weighted table per resample: resamples x q x q."""
    import numpy as np

    rng = np.random.default_rng(seed)
    q = len(pairs.categories)
    tables = np.zeros((resamples, q * q))
    for places in groups:
        n = len(places)
        times = rng.multinomial(n - 1, [1 / n] * n, size=resamples) * (n / (n - 1))
        cells = np.zeros((n, q * q))
        for row, place in enumerate(places):
            cells[row, pairs.judge[place] * q + pairs.human[place]] = pairs.weights[place]
        tables += times @ cells
    return tables.reshape(resamples, q, q)


def kappa_interval(
    judge: Sequence[float],
    human: Sequence[float],
    strata: Sequence[str],
    weights: Sequence[float] | None,
    seed: int,
    categories: Sequence[float] = CATEGORIES,
) -> Interval:
    """Interval of the weighted quadratic kappa, see `agreement_intervals`."""
    return agreement_intervals(judge, human, strata, weights, seed, categories)["kappa_quadratic"]


def share_interval(
    hits: Sequence[bool],
    strata: Sequence[str],
    weights: Sequence[float] | None = None,
    confidence: float = CONFIDENCE,
) -> Interval:
    """Interval of the design-weighted share of pairs that hit (exact, within one); never of zero width.

    Clopper-Pearson on the effective number of pairs p(1 - p)/v (Korn and Graubard 1998, Survey Methodology 24,
    with their factor for the degrees of freedom), v the variance of the weighted share by strata; never more
    pairs than (sum w)^2 / sum w^2 (Kish 1965), which also stands in where v is 0.
    """
    given = _checked_weights(weights, len(hits))
    if len(strata) != len(hits):
        raise ValueError(f"{len(strata)} strata beside {len(hits)} pairs")
    total = math.fsum(given)
    if not hits or not total:
        return Interval(None, None, f"undefined: {'all weights are 0' if hits else 'no pairs'}")
    share = math.fsum(weight for weight, hit in zip(given, hits, strict=True) if hit) / total
    kish = total**2 / math.fsum(weight**2 for weight in given)
    errors = [weight * (hit - share) / total for weight, hit in zip(given, hits, strict=True)]
    groups = _groups(strata)
    variance = math.fsum(_spread([errors[place] for place in places]) for places in groups)
    n = (
        min(kish, share * (1 - share) / variance * _freedom_factor(len(hits), len(groups), confidence))
        if (variance > 0)
        else kish
    )
    n = max(n, 1.0)
    return clopper_pearson(share * n, n, confidence, "korn-graubard")


def _spread(errors: Sequence[float]) -> float:
    """Variance of a stratum's sum: n/(n - 1) times the squares about the mean; 0 for one pair."""
    n = len(errors)
    if n < 2:
        return 0.0
    mean = math.fsum(errors) / n
    return n / (n - 1) * math.fsum((error - mean) ** 2 for error in errors)


def _freedom_factor(n: int, n_strata: int, confidence: float) -> float:
    """(t with n - 1 / t with n - n_strata degrees of freedom)^2."""
    from scipy.special import stdtrit

    wanted = (1 + confidence) / 2
    return float(stdtrit(n - 1, wanted) / stdtrit(n - n_strata, wanted)) ** 2


def krippendorff(ratings_by_coder: Sequence[Sequence[float | None]], metric: Metric) -> Figure:
    """Krippendorff's (2011) alpha of any number of coders (rows) over units (columns).

    None is a missing rating; units with fewer than two ratings say nothing and drop out. Undefined where no unit
    has two, and where all values that can be paired are the same (0/0).
    Raises ValueError for rows of unequal length and for a rating that is no finite number.
    """
    import numpy as np

    if len({len(row) for row in ratings_by_coder}) > 1:
        raise ValueError("coders have different numbers of units; a missing rating is None")
    units = [[value for value in unit if value is not None] for unit in zip(*ratings_by_coder, strict=True)]
    if not all(math.isfinite(value) for unit in units for value in unit):
        raise ValueError("a rating is no finite number; a missing one is None")
    units = [unit for unit in units if len(unit) > 1]
    if not units:
        return Figure(None, "no unit has two ratings")
    categories = sorted({value for unit in units for value in unit})
    if len(categories) == 1:
        return Figure(None, UNDEFINED["alpha"])
    counts = np.array([[unit.count(category) for category in categories] for unit in units], dtype=np.float64)
    per_pair = counts / (counts.sum(axis=1, keepdims=True) - 1)
    coincidences = per_pair.T @ counts - np.diag(per_pair.sum(axis=0))
    return Figure(float(alpha(coincidences, metric, categories)))


def constant_baseline(human: Sequence[float], weights: Sequence[float] | None = None, constant: float = 1) -> Figure:
    """Exact agreement (0..1, design-weighted) of a judge that always says `constant`, without reading."""
    given = _checked_weights(weights, len(human))
    total = math.fsum(given)
    if not total:
        return Figure(None, "all weights are 0" if human else "no labels")
    hit = math.fsum(weight for weight, value in zip(given, human, strict=True) if value == constant)
    return Figure(hit / total)


def undetected_at_most(n_disagreements: int, n: int, confidence: float = CONFIDENCE) -> Figure:
    """One-sided Clopper-Pearson (1934) bound, 0..1, of the share of disagreements, x of which are in n labels.

    For x = 0 it is 1 - (1 - confidence)^(1/n), about 3/n at 95%. Labels of one stratum, or of a simple random
    draw, only: it knows no weights. Raises ValueError where x is not in 0..n.
    """
    if n < 1:
        return Figure(None, "no labels")
    if not 0 <= n_disagreements <= n:
        raise ValueError(f"{n_disagreements} disagreements in {n} labels")
    return Figure(clopper_pearson(n_disagreements, n, 2 * confidence - 1).high)


def undetected_sentence(n_disagreements: int, n: int) -> str:
    """`0 disagreements in 69: at most 4.3% undetected`: the bound at 95%, rounded up; without labels the reason."""
    bound = undetected_at_most(n_disagreements, n)
    if bound.value is None:
        return bound.reason
    noun = "disagreement" if n_disagreements == 1 else "disagreements"
    return f"{n_disagreements} {noun} in {n}: at most {math.ceil(bound.value * 1000) / 10:g}% undetected"
