"""Paired differences: Wilcoxon's signed-rank test, exact also with ties and zeros, and the shift that goes with it.

Pure. Ranks are doubled so that ties stay integers; every sum of ranks is compared as an integer. scipy's exact
p-values are not used: with ties or zeros they are wrong without saying so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from emaudit.stats.estimation import CONFIDENCE, Figure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]

Zeros: TypeAlias = Literal["pratt", "wilcox"]
PRATT: Final = "pratt"
WILCOX: Final = "wilcox"
ZERO_RULES: Final[tuple[Zeros, ...]] = (PRATT, WILCOX)
MOST_EXACT: Final = 500
"""With more differences than this (those ranked and not 0) p is that of the normal approximation."""
DECIMALS: Final = 10
"""Differences are rounded to so many decimals before they are ranked."""
NO_WIDTH: Final = 1e-9
"""An interval narrower than this is one value, rounded."""
_CLEAN: Final = 12
"""A shift is rounded to so many decimals: its last digits are those of the means it was subtracted from."""
EXACT: Final = "exact"
NORMAL: Final = "normal approximation"


@dataclass(frozen=True, slots=True)
class SignedRank:
    """Wilcoxon's signed-rank test of paired differences b - a, and the effect that belongs to it.

    `w_plus` and `w_minus` are the rank sums of the positive and the negative differences, `n_tied` the differences
    off 0 that share their size with another. `p_*` are those of `method`, `exact` or `normal approximation`
    (without continuity correction); greater means that the differences lie above 0. The asymptotic ones are
    two-sided, without and with continuity correction. `rank_biserial` is (W+ - W-)/(W+ + W-), -1..1.
    Where every difference is 0, or none is given, what has no value is None and `reason` says why.
    """

    n_pairs: int
    n_nonzero: int
    n_zero: int
    n_tied: int
    w_plus: float
    w_minus: float
    p_two_sided: float | None
    p_greater: float | None
    p_less: float | None
    z: float | None
    p_asymptotic: float | None
    p_asymptotic_cc: float | None
    rank_biserial: float | None
    zero_rule: Zeros
    method: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Tied:
    """Differences, those that are equal to 10 decimals together: what they round to, one of each, how many."""

    rounded: list[float]
    values: list[float]
    times: list[int]

    @property
    def n(self) -> int:
        """How many differences."""
        return sum(self.times)


def tied(differences: Sequence[float] | Tied) -> Tied:
    """The ties among differences, ascending; what is equal but for the last digits of a mean is tied, or 0.

    Raises ValueError for a difference that is no finite number.
    """
    if isinstance(differences, Tied):
        return differences
    import numpy as np

    values = np.sort(np.asarray(differences, dtype=np.float64))
    if not np.isfinite(values).all():
        raise ValueError(f"a difference of {values[~np.isfinite(values)][0]}")
    keys = np.round(values, DECIMALS) + 0.0
    starts = np.flatnonzero(np.diff(keys, prepend=np.nan) != 0)
    times = np.diff(np.append(starts, len(keys)))
    return Tied(keys[starts].tolist(), values[starts].tolist(), times.tolist())


def signed_rank(differences: Sequence[float] | Tied, zeros: Zeros = PRATT) -> SignedRank:
    """The signed-rank test of paired differences b - a, exact for at most 500 ranked ones.

    Differences are rounded to 10 decimals, then ranked. `pratt` ranks the zeros with the rest and then drops them
    (Pratt 1959, JASA 54); `wilcox` drops them first (Wilcoxon 1945). The null distribution given the ranks, each
    sign equally likely, is convolved over doubled ranks; two-sided p is twice the smaller tail, at most 1. z is
    (W+ - mean)/sd with the variance sum of squared ranks / 4, which holds with ties and zeros under either rule.
    Raises ValueError for another zero rule and for a difference that is no finite number.
    """
    if zeros not in ZERO_RULES:
        raise ValueError(f"no zero rule {zeros!r}; known: {', '.join(ZERO_RULES)}")
    found = tied(differences)
    counts = dict(zip(found.rounded, found.times, strict=True))
    n_zero = counts.pop(0.0, 0)
    if not counts:
        return _undefined(n_zero, zeros)
    place = n_zero if zeros == PRATT else 0
    positive = negative = squares = n_tied = 0
    ranks: list[tuple[int, int]] = []
    for size in sorted({abs(value) for value in counts}):
        above, below = counts.get(size, 0), counts.get(-size, 0)
        times = above + below
        rank = 2 * place + times + 1
        place += times
        positive += rank * above
        negative += rank * below
        squares += rank * rank * times
        n_tied += times if times > 1 else 0
        ranks.append((rank, times))
    n_nonzero = sum(counts.values())
    is_exact = n_nonzero <= MOST_EXACT
    z = (positive - negative) / math.sqrt(squares)
    corrected = max(0, abs(positive - negative) - 2) / math.sqrt(squares)
    greater, less = _tails(tuple(ranks), positive, negative) if is_exact else (_upper(z), _upper(-z))
    return SignedRank(
        n_pairs=n_nonzero + n_zero,
        n_nonzero=n_nonzero,
        n_zero=n_zero,
        n_tied=n_tied,
        w_plus=positive / 2,
        w_minus=negative / 2,
        p_two_sided=min(1.0, 2 * min(greater, less)),
        p_greater=greater,
        p_less=less,
        z=z,
        p_asymptotic=min(1.0, 2 * _upper(abs(z))),
        p_asymptotic_cc=min(1.0, 2 * _upper(corrected)),
        rank_biserial=(positive - negative) / (positive + negative),
        zero_rule=zeros,
        method=EXACT if is_exact else NORMAL,
    )


def _undefined(n_pairs: int, zeros: Zeros) -> SignedRank:
    nothing = (None,) * 7
    reason = "every difference is 0" if n_pairs else "no pairs"
    return SignedRank(n_pairs, 0, n_pairs, 0, 0.0, 0.0, *nothing, zero_rule=zeros, method=EXACT, reason=reason)


def _upper(z: float) -> float:
    """P(Z >= z) of a standard normal variable."""
    return math.erfc(z / math.sqrt(2)) / 2


Ranks: TypeAlias = tuple[tuple[int, int], ...]
"""Doubled ranks of the differences off 0, ascending, each with the number of differences that have it."""


def _tails(ranks: Ranks, positive: int, negative: int) -> tuple[float, float]:
    """P(W+ >= observed) and P(W+ <= observed); the distribution is symmetric, so one short tail gives both."""
    at_most, exactly = _lower_tail(ranks, min(positive, negative))
    beyond = min(1.0, 1 - at_most + exactly)
    return (at_most, beyond) if positive >= negative else (beyond, at_most)


@lru_cache(maxsize=4096)
def _lower_tail(ranks: Ranks, total: int) -> tuple[float, float]:
    """P(W <= total) and P(W = total), W the sum of the ranks each taken with chance 1/2."""
    import numpy as np

    unit = math.gcd(*(rank for rank, _ in ranks))
    reach = total // unit
    ways: Array = np.zeros(reach + 1)
    ways[0] = 1.0
    width = 0
    for rank in (rank // unit for rank, times in ranks for _ in range(times)):
        if rank > reach:
            break
        width = min(reach, width + rank)
        ways[rank : width + 1] += ways[: width + 1 - rank].copy()
    share = math.ldexp(1.0, -sum(times for _, times in ranks))
    return min(1.0, float(ways.sum()) * share), float(ways[reach]) * share


@dataclass(frozen=True, slots=True)
class Shift:
    """The Hodges-Lehmann shift and its interval at `achieved_confidence`; without bounds, `reason` says why."""

    estimate: float | None
    low: float | None
    high: float | None
    achieved_confidence: float | None
    reason: str = ""

    @property
    def figure(self) -> Figure:
        """The estimate alone."""
        return Figure(self.estimate, "" if self.estimate is not None else self.reason)


def hodges_lehmann(differences: Sequence[float] | Tied, confidence: float = CONFIDENCE) -> Shift:
    """The median of the means of all pairs of differences, each with itself too (Hodges and Lehmann 1963).

    Zeros are differences like any other. The interval inverts the exact signed-rank test without ties (Hollander
    and Wolfe 1999, section 3.3; above 500 differences with the normal approximation): the k-th mean from either
    end, its confidence at least the one asked for; with ties it is more. Undefined, with the reason, where even
    all means reach less, and where ties leave it no width.
    Raises ValueError for a difference that is no finite number.
    """
    found = tied(differences)
    n = found.n
    if not n:
        return Shift(None, None, None, None, "no pairs")
    means, upto = _walsh(found)
    n_means = n * (n + 1) // 2

    def at(place: int) -> float:
        return round(float(means[upto.searchsorted(place, side="left")]), _CLEAN) + 0.0

    middle = (at((n_means + 1) // 2) + at(n_means // 2 + 1)) / 2
    k, achieved = _depth(n, confidence)
    if k < 1:
        best = 1 - math.ldexp(1.0, 1 - n)
        return Shift(middle, None, None, None, f"{n} pairs reach a confidence of {best:.1%} at most")
    low, high = at(k), at(n_means + 1 - k)
    if high - low < NO_WIDTH:
        return Shift(middle, None, None, None, "ties leave the interval no width")
    return Shift(middle, low, high, achieved)


def _walsh(found: Tied) -> tuple[Array, NDArray[np.int64]]:
    """Means of pairs, ascending, and how many pairs lie at or below each; tied differences are taken together."""
    import numpy as np

    values, times = np.asarray(found.values), np.asarray(found.times, dtype=np.int64)
    left, right, same = _pairs(len(values))
    pairs = times[left] * times[right]
    pairs[same] = times * (times + 1) // 2
    means = (values[left] + values[right]) / 2
    order = np.argsort(means, kind="stable")
    return means[order], np.cumsum(pairs[order])


@lru_cache(maxsize=32)
def _pairs(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Places of all pairs of n values, each with itself too, and where those with themselves are."""
    import numpy as np

    left, right = np.triu_indices(n)
    return left, right, np.flatnonzero(left == right)


@lru_cache(maxsize=512)
def _depth(n: int, confidence: float) -> tuple[int, float]:
    """The k whose k-th mean from either end bounds the interval, and its confidence; 0 where there is none."""
    wanted = (1 - confidence) / 2
    if n > MOST_EXACT:
        from scipy.special import ndtri

        centre, spread = n * (n + 1) / 4, math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        k = math.floor(centre + float(ndtri(wanted)) * spread)
        return k, 1 - 2 * _upper((centre - k + 1) / spread)
    import numpy as np

    ways: Array = np.zeros(n * (n + 1) // 4 + 1)
    ways[0] = 1.0
    for rank in range(1, n + 1):
        if rank < len(ways):
            ways[rank:] += ways[:-rank].copy()
    shares = np.cumsum(ways) * math.ldexp(1.0, -n)
    k = int(np.searchsorted(shares, wanted * (1 + 1e-12), side="right"))
    return k, 1 - 2 * float(shares[k - 1]) if k else 0.0
