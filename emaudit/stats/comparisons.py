"""Two conditions compared: bootstrap intervals of paired effects, and the Mann-Whitney test of unpaired ones. Pure.

What is undefined is a value with a reason, and no interval has zero width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from emaudit.stats.estimation import CONFIDENCE, FEW, RESAMPLES, Figure, Interval, resample_counts
from emaudit.stats.signedrank import DECIMALS, EXACT, NO_WIDTH, NORMAL, PRATT, Shift, Tied, Zeros, tied

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]

BOOTSTRAP: Final = "bootstrap over prompts, percentiles"
MOST_UNDEFINED: Final = 0.05
"""A bootstrap with a larger share of resamples without a value gives no interval."""
MOST_EXACT: Final = 50
"""Larger groups than this, and ties, take the normal approximation of Mann-Whitney's U."""


def percentiles(values: Array, confidence: float = CONFIDENCE) -> Interval:
    """The percentile interval of resampled values; nan stands for a resample without a value.

    Undefined, with the reason, where more than 5% have none and where all are the same.
    """
    import numpy as np

    there = values[~np.isnan(values)]
    lost = len(values) - len(there)
    if not len(there) or lost > MOST_UNDEFINED * len(values):
        return Interval(None, None, f"undefined: {lost:,} of {len(values):,} resamples have no value")
    tail = (1 - confidence) / 2
    low, high = (float(bound) for bound in np.quantile(there, [tail, 1 - tail]))
    if high - low < NO_WIDTH:
        return Interval(None, None, "undefined: all resamples agree")
    return Interval(low, high, BOOTSTRAP)


def percentile_rows(values: Array, confidence: float = CONFIDENCE) -> list[Interval]:
    """`percentiles` of each row."""
    import numpy as np

    tail = (1 - confidence) / 2
    bounds = np.quantile(values, [tail, 1 - tail], axis=1).T.tolist() if values.size else [[math.nan] * 2] * len(values)
    return [
        Interval(low, high, BOOTSTRAP) if high - low >= NO_WIDTH else percentiles(row, confidence)
        for (low, high), row in zip(bounds, values, strict=True)
    ]


def too_alike(differences: Sequence[float] | Tied) -> str:
    """Why resampling these differences tells too little: fewer than five depart from what most are; else empty."""
    found = tied(differences)
    apart = found.n - max(found.times, default=0)
    if apart >= FEW:
        return ""
    return f"{apart} of {found.n} differences depart from what most are, of at least {FEW}"


@dataclass(frozen=True, slots=True)
class PairedEffects:
    """The mean of paired differences and their rank-biserial correlation, each with its interval."""

    mean_difference: Figure
    mean_interval: Interval
    rank_biserial: Figure
    rank_biserial_interval: Interval


def paired_effects(
    differences: Sequence[float],
    seed: int,
    zeros: Zeros = PRATT,
    clusters: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> PairedEffects:
    """Effects of paired differences, with percentile intervals from resampled prompts.

    `clusters` names the prompt of each pair, where a prompt has several: whole prompts are resampled. The ranks
    are taken anew in every resample. Undefined, with the reason, without pairs; the intervals also where fewer than
    five differences depart from what most are, and where all resamples agree.
    Raises ValueError for clusters of another number, and a difference that is no finite number.
    """
    moved = [round(value, DECIMALS) for value in differences]
    names = list(clusters) if clusters is not None else [str(place) for place in range(len(moved))]
    if len(names) != len(moved):
        raise ValueError(f"{len(names)} clusters beside {len(moved)} differences")
    if not moved:
        return PairedEffects(*(Figure(None, "no pairs"), Interval(None, None, "undefined: no pairs")) * 2)
    import numpy as np

    order = {name: place for place, name in enumerate(dict.fromkeys(names))}
    drawn = resample_counts(len(order), seed, resamples)[:, [order[name] for name in names]]
    values = np.asarray(moved)
    mean = Figure(math.fsum(moved) / len(moved))
    effect = float(_rank_biserials(values, np.ones((1, len(moved))), zeros)[0])
    biserial = Figure(None, "every difference is 0") if math.isnan(effect) else Figure(effect)
    if reason := too_alike(moved):
        nothing = Interval(None, None, f"undefined: {reason}")
        return PairedEffects(mean, nothing, biserial, nothing)
    return PairedEffects(
        mean,
        percentiles(drawn @ values / drawn.sum(axis=1), confidence),
        biserial,
        percentiles(_rank_biserials(values, drawn, zeros), confidence),
    )


def _rank_biserials(differences: Array, weights: Array, zeros: Zeros) -> Array:
    """The rank-biserial correlation under each row of weights (how often each pair counts); nan where it is 0/0."""
    import numpy as np

    kept = np.ones(len(differences), dtype=bool) if zeros == PRATT else differences != 0
    sizes, counted = np.abs(differences[kept]), weights[:, kept]
    order = np.argsort(sizes, kind="stable")
    sizes, signs, counted = sizes[order], np.sign(differences[kept][order]), counted[:, order]
    if not len(sizes):
        return np.full(len(weights), np.nan)
    starts = np.flatnonzero(np.concatenate(([True], np.diff(sizes) > 0)))
    times = np.add.reduceat(counted, starts, axis=1)
    balance = np.add.reduceat(counted * signs, starts, axis=1)
    ranks = 2 * np.cumsum(times, axis=1) - times + 1
    if sizes[0] == 0:
        times[:, 0] = 0
    both = (ranks * times).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Array = np.where(both > 0, (ranks * balance).sum(axis=1) / both, np.nan)
    return found


@dataclass(frozen=True, slots=True)
class MannWhitney:
    """Mann and Whitney's (1947) test of two groups, a and b, that share no prompts.

    `u_a` counts the pairs in which a's value lies above b's, ties half; `greater` means that b lies above a.
    `rank_biserial` is (U_b - U_a)/(n_a n_b), -1..1, above 0 where b lies above. `method` is `exact` or `normal
    approximation` (tie-corrected, with continuity correction). Without values, or all alike, `reason` says so.
    """

    n_a: int
    n_b: int
    n_tied: int
    u_a: float | None
    p_two_sided: float | None
    p_greater: float | None
    p_less: float | None
    rank_biserial: float | None
    method: str
    reason: str = ""


def mann_whitney(a: Sequence[float], b: Sequence[float]) -> MannWhitney:
    """The Mann-Whitney test of b against a (`scipy.stats.mannwhitneyu`).

    Exact only without ties and with at most 50 values in each group. Values are compared to 10 decimals.
    Raises ValueError for a value that is no finite number.
    """
    first, second = ([round(value, DECIMALS) for value in values] for values in (a, b))
    n_a, n_b = len(first), len(second)
    times = tied([*first, *second]).times
    n_tied = sum(n for n in times if n > 1)
    is_exact = not n_tied and max(n_a, n_b) <= MOST_EXACT
    method = EXACT if is_exact else NORMAL
    if not n_a or not n_b:
        return MannWhitney(n_a, n_b, n_tied, None, None, None, None, None, method, "a group has no values")
    if len(times) == 1:
        half = n_a * n_b / 2
        return MannWhitney(n_a, n_b, n_tied, half, None, None, None, 0.0, method, "all values are the same")
    from scipy.stats import mannwhitneyu

    way = "exact" if is_exact else "asymptotic"
    found = {
        side: mannwhitneyu(second, first, alternative=side, method=way) for side in ("two-sided", "greater", "less")
    }
    u_a = n_a * n_b - float(found["two-sided"].statistic)
    return MannWhitney(
        n_a,
        n_b,
        n_tied,
        u_a,
        *(float(found[side].pvalue) for side in ("two-sided", "greater", "less")),
        rank_biserial=1 - 2 * u_a / (n_a * n_b),
        method=method,
    )


def shift_between(a: Sequence[float], b: Sequence[float], confidence: float = CONFIDENCE) -> Shift:
    """The median of all differences b - a between two groups that share no prompts (Hodges and Lehmann 1963).

    The interval inverts the Mann-Whitney test without ties (Hollander and Wolfe 1999, section 4.3), exactly for at
    most 50 values in each group, else by its normal approximation. Undefined as `signedrank.hodges_lehmann`.
    """
    if not a or not b:
        return Shift(None, None, None, None, "a group has no values")
    import numpy as np

    gaps = np.sort(np.subtract.outer(np.asarray(b, dtype=np.float64), np.asarray(a, dtype=np.float64)), axis=None)
    middle = float(np.median(gaps))
    k, achieved = _depth(len(a), len(b), confidence)
    if k < 1:
        return Shift(middle, None, None, None, f"{len(a)} and {len(b)} values are too few for a confidence of 95%")
    low, high = float(gaps[k - 1]), float(gaps[-k])
    if high - low < NO_WIDTH:
        return Shift(middle, None, None, None, "ties leave the interval no width")
    return Shift(middle, low, high, achieved)


@lru_cache(maxsize=64)
def _depth(n_a: int, n_b: int, confidence: float) -> tuple[int, float]:
    """The k whose k-th difference from either end bounds the interval, and its confidence; 0 where there is none."""
    wanted = (1 - confidence) / 2
    if max(n_a, n_b) > MOST_EXACT:
        from scipy.special import ndtr, ndtri

        spread = math.sqrt(n_a * n_b * (n_a + n_b + 1) / 12)
        k = math.floor(n_a * n_b / 2 + float(ndtri(wanted)) * spread)
        return max(k, 0), 1 - 2 * float(ndtr((k - 1 - n_a * n_b / 2) / spread))
    ways, everything = _ways(n_a, n_b), math.comb(n_a + n_b, n_a)
    k, reached = 0, 0
    while k < len(ways) and reached + ways[k] <= wanted * everything:
        reached += ways[k]
        k += 1
    return k, 1 - 2 * reached / everything


def _ways(n_a: int, n_b: int) -> list[int]:
    """How many of the arrangements of two groups without ties have each U from 0 to n_a n_b / 2.

    The coefficients of the product over i of (1 - x^(n_b + i)) / (1 - x^i), in integers.
    """
    reach = n_a * n_b // 2
    ways = [1] + [0] * reach
    for i in range(1, n_a + 1):
        for u in range(reach, n_b + i - 1, -1):
            ways[u] -= ways[u - n_b - i]
        for u in range(i, reach + 1):
            ways[u] += ways[u - i]
    return ways
