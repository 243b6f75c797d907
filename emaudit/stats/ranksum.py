"""Two groups that share no prompts: the Mann-Whitney test, its sum over strata, and the shift that goes with it.

Pure. What is undefined is a value with a reason, and no interval has zero width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from emaudit.stats.estimation import CONFIDENCE
from emaudit.stats.signedrank import DECIMALS, EXACT, NO_WIDTH, NORMAL, Shift, tied

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]

MOST_EXACT: Final = 50
"""Larger groups than this, and ties, take the normal approximation of Mann-Whitney's U."""
MOST_GAPS: Final = 4_000_000
"""More differences between distinct values than this are not laid out: the shift is then undefined."""


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
    """The Mann-Whitney test of b against a.

    Exact, in integers, only without ties and with at most 50 values in each group. Two-sided p is twice the smaller
    tail, at most 1. Values are compared to 10 decimals.
    Raises ValueError for a value that is no finite number.
    """
    first, second = _rounded(a), _rounded(b)
    n_a, n_b = len(first), len(second)
    times = tied([*first.tolist(), *second.tolist()]).times
    n_tied = sum(n for n in times if n > 1)
    is_exact = not n_tied and max(n_a, n_b) <= MOST_EXACT
    method = EXACT if is_exact else NORMAL
    if not n_a or not n_b:
        return MannWhitney(n_a, n_b, n_tied, None, None, None, None, None, method, "a group has no values")
    if len(times) == 1:
        half = n_a * n_b / 2
        return MannWhitney(n_a, n_b, n_tied, half, None, None, None, 0.0, method, "all values are the same")
    u_a, spread = _u(first, second)
    tails = _exact_tails(u_a, n_a, n_b) if is_exact else _normal_tails(u_a - n_a * n_b / 2, spread)
    p_two_sided = min(1.0, 2 * min(tails))
    return MannWhitney(n_a, n_b, n_tied, u_a, p_two_sided, *tails, 1 - 2 * u_a / (n_a * n_b), method)


def _u(a: Array, b: Array) -> tuple[float, float]:
    """U of a, and its tie-corrected standard deviation: n_a n_b / 12 (N + 1 - sum(t^3 - t) / (N (N - 1))), rooted."""
    import numpy as np

    n = len(a) + len(b)
    ordered = np.sort(b)
    u_a = float(ordered.searchsorted(a, "left").sum() + ordered.searchsorted(a, "right").sum()) / 2
    times = np.unique(np.concatenate((a, b)), return_counts=True)[1].astype(np.float64)
    ties = float((times**3 - times).sum()) / (n * (n - 1))
    return u_a, math.sqrt(max(0.0, len(a) * len(b) / 12 * (n + 1 - ties)))


def _exact_tails(u_a: float, n_a: int, n_b: int) -> tuple[float, float]:
    """P(U <= u_a), which speaks for b above a, and P(U >= u_a)."""
    ways, everything = _ways(n_a, n_b), math.comb(n_a + n_b, n_a)

    def at_most(u: int) -> int:
        return sum(ways[: u + 1]) if 2 * u <= n_a * n_b else everything - at_most(n_a * n_b - u - 1)

    return at_most(int(u_a)) / everything, at_most(n_a * n_b - int(u_a)) / everything


def _normal_tails(above: float, spread: float) -> tuple[float, float]:
    """The same by the normal approximation, U moved by 1/2 towards its mean (and beyond it, for the other tail)."""
    below, beyond = (math.erfc((side * above - 0.5) / spread / math.sqrt(2)) / 2 for side in (-1, 1))
    return below, beyond


@dataclass(frozen=True, slots=True)
class SummedU:
    """Mann-Whitney statistics added over strata (formats, dimensions): what the paper's tables print.

    `u_a` adds up the pairs within each stratum in which a lies above b, ties half; z and p are those of the sum,
    strata taken as independent, tie-corrected and without continuity correction. `rank_biserial` as in `MannWhitney`.
    """

    n_a: int
    n_b: int
    u_a: float
    z: float | None
    p_two_sided: float | None
    rank_biserial: float | None
    reason: str = ""


def summed_u(strata: Sequence[tuple[Sequence[float] | Array, Sequence[float] | Array]]) -> SummedU:
    """Mann and Whitney's U of b against a, summed over strata that each hold the values of a and of b.

    Undefined, with the reason, without values in both groups, and where all values of every stratum are the same.
    """
    u_a, centre, variance, all_a, all_b = 0.0, 0.0, 0.0, 0, 0
    for first, second in strata:
        a, b = _rounded(first), _rounded(second)
        all_a, all_b = all_a + len(a), all_b + len(b)
        if len(a) and len(b):
            u, spread = _u(a, b)
            u_a, variance, centre = u_a + u, variance + spread**2, centre + len(a) * len(b) / 2
    if not centre:
        return SummedU(all_a, all_b, u_a, None, None, None, "a group has no values")
    biserial = 1 - u_a / centre
    if variance < NO_WIDTH:
        return SummedU(all_a, all_b, u_a, None, None, biserial, "all values are the same")
    z = (centre - u_a) / math.sqrt(variance)
    return SummedU(all_a, all_b, u_a, z, math.erfc(abs(z) / math.sqrt(2)), biserial)


def shift_between(a: Sequence[float], b: Sequence[float], confidence: float = CONFIDENCE) -> Shift:
    """The median of all differences b - a between two groups that share no prompts (Hodges and Lehmann 1963).

    The interval inverts the Mann-Whitney test without ties (Hollander and Wolfe 1999, section 4.3), exactly for at
    most 50 values in each group, else by its normal approximation. Undefined as `signedrank.hodges_lehmann`, and
    where the distinct values (to 10 decimals) have more than four million differences.
    Raises ValueError for a value that is no finite number.
    """
    if not a or not b:
        return Shift(None, None, None, None, "a group has no values")
    import numpy as np

    first, second = tied(a), tied(b)
    if len(first.values) * len(second.values) > MOST_GAPS:
        sizes = f"{len(first.values):,} and {len(second.values):,} distinct values"
        return Shift(None, None, None, None, f"{sizes} have too many differences to lay out")
    gaps = np.subtract.outer(np.asarray(second.values), np.asarray(first.values)).ravel()
    order = np.argsort(gaps, kind="stable")
    gaps, upto = gaps[order], np.cumsum(np.multiply.outer(second.times, first.times).ravel()[order])
    n_gaps = len(a) * len(b)

    def at(place: int) -> float:
        return float(gaps[upto.searchsorted(place, side="left")])

    middle = (at((n_gaps + 1) // 2) + at(n_gaps // 2 + 1)) / 2
    k, achieved = _depth(len(a), len(b), confidence)
    if k < 1:
        return Shift(middle, None, None, None, f"{len(a)} and {len(b)} values are too few for a confidence of 95%")
    low, high = at(k), at(n_gaps + 1 - k)
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


@lru_cache(maxsize=64)
def _ways(n_a: int, n_b: int) -> tuple[int, ...]:
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
    return tuple(ways)


def _rounded(values: Sequence[float] | Array) -> Array:
    import numpy as np

    found: Array = np.asarray(values, dtype=np.float64)
    return found.round(DECIMALS)
