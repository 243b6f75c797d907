"""Association across variants. Pure; what is undefined is a value with a reason."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Final

from emaudit.stats.estimation import CONFIDENCE, MOST_UNDEFINED, RESAMPLES, Figure, Interval
from emaudit.stats.ranks import FEWEST, RankPair, doubled_ranks, ratio_to_root, rho_rows, why_undefined

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEWEST_RESAMPLES: Final = 1_000
"""A bootstrap of clusters with fewer distinct resamples than this is not computed."""
ROUNDING: Final = 1e-9
"""A standard deviation of residual ranks below this (in ranks) is rounding, not variance."""


def spearman(x: Sequence[float], y: Sequence[float]) -> Figure:
    """Spearman's rho with mid-ranks; undefined for fewer than four pairs and for a constant column.

    Raises ValueError for sequences of unequal length.
    """
    if reason := why_undefined(x, y):
        return Figure(None, reason)
    pair = RankPair.of(x, y)
    return Figure(pair.rho(pair.total))


def kendall_tau_b(x: Sequence[float], y: Sequence[float]) -> Figure:
    """Kendall's tau-b: (concordant - discordant) / sqrt((pairs - ties in x)(pairs - ties in y)).

    Undefined where `spearman` is. Raises ValueError for sequences of unequal length.
    """
    if reason := why_undefined(x, y):
        return Figure(None, reason)
    score = sum(((a > c) - (a < c)) * ((b > d) - (b < d)) for (a, b), (c, d) in combinations(zip(x, y, strict=True), 2))
    return Figure(ratio_to_root(score, _untied_pairs(x) * _untied_pairs(y)))


def _untied_pairs(values: Sequence[float]) -> int:
    return math.comb(len(values), 2) - sum(math.comb(times, 2) for times in Counter(values).values())


def ties(values: Sequence[float]) -> int:
    """How many values share theirs with another; compared exactly."""
    return sum(times for times in Counter(values).values() if times > 1)


def bonett_wright(rho: float | None, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Bonett and Wright (2000, Psychometrika 65) interval of Spearman's rho from n independent variants.

    tanh(atanh(rho) -+ z sqrt((1 + rho^2/2) / (n - 3))). Undefined for fewer than four variants, where rho is,
    and for |rho| = 1, where Fisher's z is infinite and the formula's interval would have no width.
    Raises ValueError for a rho outside -1..1.
    """
    if rho is None:
        return Interval(None, None, "undefined: rho is undefined")
    if not -1 <= rho <= 1:
        raise ValueError(f"a correlation of {rho}")
    if n < FEWEST:
        return Interval(None, None, f"undefined: only {n} of at least {FEWEST} variants")
    if abs(rho) == 1:
        return Interval(None, None, f"undefined: the ranks {_perfectly(rho)}, the interval would have no width")
    from scipy.special import ndtri

    half = float(ndtri((1 + confidence) / 2)) * math.sqrt((1 + rho * rho / 2) / (n - 3))
    low, high = (math.tanh(math.atanh(rho) + side * half) for side in (-1, 1))
    return Interval(low, high, "Bonett-Wright")


def _perfectly(rho: float) -> str:
    return "agree perfectly" if rho > 0 else "are exactly reversed"


def bca(
    x: Sequence[float], y: Sequence[float], seed: int, resamples: int = RESAMPLES, confidence: float = CONFIDENCE
) -> Interval:
    """Bias-corrected and accelerated bootstrap interval of Spearman's rho, pairs resampled (Efron 1987).

    The same draws and the same formula as `scipy.stats.bootstrap((x, y), paired=True, method="BCa")` with a
    generator of this seed. Resamples in which a column is constant have no rho: at most 5% of them are left out,
    with their number in the method's name. Undefined, with the reason, where rho is, for |rho| = 1, and where
    the correction is 0/0 or the interval has no width.
    """
    rho = spearman(x, y)
    if rho.value is None:
        return Interval(None, None, f"undefined: {rho.reason}")
    if abs(rho.value) == 1:
        return Interval(None, None, f"undefined: the ranks {_perfectly(rho.value)}, and so in every resample")
    import numpy as np

    a, b = np.asarray(doubled_ranks(x), dtype=np.float64), np.asarray(doubled_ranks(y), dtype=np.float64)
    n = len(a)
    drawn = np.random.default_rng(seed).integers(0, n, size=(resamples, n))
    values = rho_rows(a[drawn], b[drawn])
    there = values[~np.isnan(values)]
    lost = resamples - len(there)
    if lost > MOST_UNDEFINED * resamples:
        return Interval(None, None, f"undefined: a column is constant in {lost:,} of {resamples:,} resamples")
    others = np.asarray([np.delete(np.arange(n), place) for place in range(n)])
    bounds = _accelerated(there, rho.value, rho_rows(a[others], b[others]), confidence)
    if bounds is None:
        return Interval(None, None, "undefined: the bootstrap's correction is 0/0 or its interval has no width")
    return Interval(*bounds, f"BCa, {lost:,} of {resamples:,} resamples without rho left out" if lost else "BCa")


def _accelerated(
    values: NDArray[np.float64], observed: float, jackknife: NDArray[np.float64], confidence: float
) -> tuple[float, float] | None:
    """Bounds of the BCa interval; None where it has none."""
    import numpy as np
    from scipy.special import ndtr, ndtri

    below = (float((values < observed).mean()) + float((values <= observed).mean())) / 2
    apart = jackknife.mean() - jackknife
    squares = float((apart**2).sum())
    if not 0 < below < 1 or not squares > 0:
        return None
    bias = float(ndtri(below))
    acceleration = float((apart**3).sum()) / (6 * squares**1.5)
    levels = []
    for side in (-1, 1):
        shifted = bias + side * float(ndtri((1 + confidence) / 2))
        levels.append(float(ndtr(bias + shifted / (1 - acceleration * shifted))))
    low, high = (float(bound) for bound in np.quantile(values, levels))
    return (low, high) if low < high else None


def cluster_refusal(groups: Sequence[str], word: str = "sizes") -> str:
    """Why a bootstrap of whole groups is not computed: too few distinct resamples; empty where it could be.

    m groups have C(2m - 1, m) distinct resamples (ten for three).
    """
    m = len(set(groups))
    distinct = math.comb(2 * m - 1, m) if m else 0
    if distinct >= FEWEST_RESAMPLES:
        return ""
    return f"a bootstrap of {m} {word} has {distinct:,} distinct resamples: not computed"


def leave_one_out(x: Sequence[float], y: Sequence[float], groups: Sequence[str]) -> dict[str, Figure]:
    """Rho without each group (a variant, a size, a domain), by the group left out, in order of appearance.

    Ranks are taken anew among what is left. Raises ValueError for sequences of unequal length.
    """
    rows = list(zip(x, y, groups, strict=True))
    found = {}
    for group in dict.fromkeys(groups):
        kept = [(a, b) for a, b, name in rows if name != group]
        found[group] = spearman([a for a, _ in kept], [b for _, b in kept])
    return found


def residual_rho(
    x: Sequence[float], y: Sequence[float], rows: Sequence[Hashable], columns: Sequence[Hashable]
) -> Figure:
    """Correlation of the residuals of the mid-ranks on additive effects of two labels (size, recipe).

    The partial rank correlation given both labels: ranks over all variants, least squares, then Pearson. A
    description: no p belongs to it. Undefined where rho is, where fewer than two residual degrees of freedom
    remain (one makes every correlation 1 or -1), and where the labels explain a column's ranks entirely.
    Raises ValueError for sequences of unequal length.
    """
    if not len(x) == len(rows) == len(columns):
        raise ValueError(f"{len(x)} values beside {len(rows)} and {len(columns)} labels")
    if reason := why_undefined(x, y):
        return Figure(None, reason)
    import numpy as np

    design = np.hstack([np.ones((len(x), 1)), _dummies(rows), _dummies(columns)])
    ranks = np.asarray([doubled_ranks(x), doubled_ranks(y)], dtype=np.float64).T / 2
    fitted, _, rank, _ = np.linalg.lstsq(design, ranks, rcond=None)
    if len(x) - int(rank) < 2:
        return Figure(None, "the labels leave fewer than two degrees of freedom")
    left, right = (ranks - design @ fitted).T
    if min(left.std(), right.std()) < ROUNDING * len(x):
        return Figure(None, "the labels explain the ranks of a column entirely")
    value = float(left @ right) / math.sqrt(float(left @ left) * float(right @ right))
    return Figure(min(1.0, max(-1.0, value)))


def _dummies(labels: Sequence[Hashable]) -> NDArray[np.float64]:
    """One column of 0 and 1 per label but the first."""
    import numpy as np

    names = np.asarray([list(dict.fromkeys(labels)).index(label) for label in labels])
    return np.asarray(names[:, None] == np.arange(1, names.max() + 1), dtype=np.float64)


def size_correlation(values: Sequence[float], sizes: Sequence[str], recipes: Sequence[Hashable] = ()) -> Figure:
    """Intraclass correlation of variants of one size: the share of the variance between sizes, one-way ICC(1).

    (MSB - MSW) / (MSB + (n0 - 1) MSW) with n0 = (N - sum n_i^2 / N) / (g - 1) for unequal sizes (Shrout and
    Fleiss 1979; Donner 1986). With `recipes` their means are taken out first, and their degrees of freedom from
    MSW. Between -1/(n0 - 1) and 1; a negative value says that variants of one size differ more than others.
    Undefined for one size, one variant per size, and without variance.
    """
    groups: dict[str, list[float]] = {}
    for value, size in zip(_without_means(values, recipes), sizes, strict=True):
        groups.setdefault(size, []).append(value)
    n, g = len(values), len(groups)
    freedom = n - g - (len(set(recipes)) - 1 if recipes else 0)
    if g < 2 or freedom < 1:
        return Figure(None, "fewer than two sizes" if g < 2 else "too few variants per size")
    overall = math.fsum(values) / n if not recipes else 0.0
    means = {size: math.fsum(members) / len(members) for size, members in groups.items()}
    between = math.fsum(len(groups[size]) * (mean - overall) ** 2 for size, mean in means.items()) / (g - 1)
    within = math.fsum((v - means[size]) ** 2 for size, members in groups.items() for v in members) / freedom
    n0 = (n - sum(len(members) ** 2 for members in groups.values()) / n) / (g - 1)
    spread = between + (n0 - 1) * within
    if spread <= (ROUNDING * max(abs(value) for value in values)) ** 2:
        return Figure(None, "the values have no variance")
    return Figure((between - within) / spread)


def _without_means(values: Sequence[float], groups: Sequence[Hashable]) -> list[float]:
    """The values, or their distances from the means of their groups."""
    if not groups:
        return list(values)
    members: dict[Hashable, list[float]] = {}
    for value, group in zip(values, groups, strict=True):
        members.setdefault(group, []).append(value)
    means = {group: math.fsum(found) / len(found) for group, found in members.items()}
    return [value - means[group] for value, group in zip(values, groups, strict=True)]
