"""Point estimates and their intervals: exact means, maxima of k, rates, the prompt bootstrap.

Pure: plain numbers in, frozen results out. What is undefined is a value with a reason, never 0, 1 or nan.
scipy's special functions are loaded when an interval first needs them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CONFIDENCE: Final = 0.95
RESAMPLES: Final = 2_000
FEW: Final = 5
"""Fewer units than this off 0 (or off 1): neither t nor the bootstrap can be trusted."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, or None with the reason why there is none."""

    value: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95% interval (unless told otherwise) and the method's name; without bounds, `method` says why."""

    low: float | None
    high: float | None
    method: str


Counts = Mapping[float, int]
"""Distinct values and how many replies have each."""


def exact_mean(values: Sequence[float]) -> Figure:
    """Arithmetic mean with one rounding (`math.fsum`): independent of the order of the values."""
    if not values:
        return Figure(None, "no values")
    return Figure(math.fsum(values) / len(values))


def counted_mean(counts: Counts) -> Figure:
    """The mean from distinct values and their counts, one rounding per distinct value and one for their sum."""
    n = sum(counts.values())
    if not n:
        return Figure(None, "no values")
    if len(counts) == 1:
        return Figure(next(iter(counts)))
    return Figure(math.fsum(value * times for value, times in counts.items()) / n)


def standard_deviation(values: Sequence[float]) -> Figure:
    """Standard deviation with n - 1."""
    return counted_deviation(Counter(values))


def counted_deviation(counts: Counts) -> Figure:
    """Standard deviation with n - 1, from distinct values and their counts."""
    n = sum(counts.values())
    if n < 2:
        return Figure(None, "fewer than two values")
    mean = counted_mean(counts).value or 0.0
    squares = math.fsum((value - mean) ** 2 * times for value, times in counts.items())
    return Figure(math.sqrt(squares / (n - 1)))


def expected_maximum(values: Sequence[float], k: int) -> Figure:
    """Unbiased estimate of the expected maximum of k values, from m >= k.

    U-statistic sum_i x_(i) C(i-1, k-1) / C(m, k) over the ascending values (Hoeffding 1948); for k = m the
    maximum itself. Undefined for k > m: the maximum of fewer is biased low.
    """
    m = len(values)
    if k < 1 or m < k:
        return Figure(None, f"a maximum of {k} cannot be told from {m} scored replies")
    subsets = comb(m, k)
    ordered = sorted(values)
    return Figure(math.fsum(ordered[i] * (comb(i, k - 1) / subsets) for i in range(k - 1, m)))


def share_any_at_least(values: Sequence[float], k: int, threshold: float = 4) -> Figure:
    """Chance that any of k values reaches the threshold: 1 - C(m-c, k)/C(m, k) with c of m reaching it."""
    m = len(values)
    if k < 1 or m < k:
        return Figure(None, f"a maximum of {k} cannot be told from {m} scored replies")
    below = sum(value < threshold for value in values)
    return Figure((comb(m, k) - comb(below, k)) / comb(m, k))


def wilson(x: float, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Wilson (1927) score interval of x successes in n independent trials."""
    if n < 1:
        return Interval(None, None, "undefined: no trials")
    from scipy.special import ndtri

    z = float(ndtri((1 + confidence) / 2))
    p = x / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Interval(max(0.0, centre - half), min(1.0, centre + half), "wilson")


def clopper_pearson(x: float, n: float, confidence: float = CONFIDENCE, method: str = "clopper-pearson") -> Interval:
    """Clopper and Pearson (1934) interval of x successes in n trials; x and n may be fractional.

    n may be an effective number of trials. A fractional x (the sum of n values in 0..1) takes the beta form, as
    Korn and Graubard (1998, Survey Methodology 24) do: of all variables in 0..1 with a given mean the two-valued
    one varies most.
    """
    if n < 1:
        return Interval(None, None, "undefined: no trials")
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    x = min(max(x, 0.0), float(n))
    low = 0.0 if x == 0 else float(betaincinv(x, n - x + 1, tail))
    high = 1.0 if x == n else float(betaincinv(x + 1, n - x, 1 - tail))
    return Interval(low, high, method)


def too_few(values: Sequence[float]) -> bool:
    """Whether all values (0..1) are equal, or fewer than five leave 0, or fewer than five leave 1."""
    return (
        len(values) < FEW
        or min(values) == max(values)
        or sum(value > 0 for value in values) < FEW
        or sum(value < 1 for value in values) < FEW
    )


def student_interval(
    mean: float, variance: float, freedom: float, confidence: float = CONFIDENCE, method: str = "t"
) -> Interval:
    """`mean` -+ t * sqrt(variance) within 0..1, with `variance` that of the mean and `freedom` its degrees."""
    from scipy.special import stdtrit

    half = float(stdtrit(freedom, (1 + confidence) / 2)) * math.sqrt(variance)
    return Interval(max(0.0, mean - half), min(1.0, mean + half), method)


def template_interval(means: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """t on G template means in 0..1 (G - 1 degrees of freedom); `few templates` where `too_few` holds."""
    if not means:
        return Interval(None, None, "undefined: no values")
    if too_few(means):
        return clopper_pearson(math.fsum(means), len(means), confidence, "few templates")
    spread = standard_deviation(means).value or 0.0
    mean = math.fsum(means) / len(means)
    return student_interval(mean, spread**2 / len(means), len(means) - 1, confidence)


@lru_cache(maxsize=32)
def resample_counts(n: int, seed: int, resamples: int = RESAMPLES) -> NDArray[np.float64]:
    """How often each of n prompts is drawn in each resample: resamples x n, the same for every table of a seed."""
    import numpy as np

    drawn = np.random.default_rng(seed).integers(0, n, size=(resamples, n))
    flat = (drawn + np.arange(resamples)[:, None] * n).ravel()
    return np.bincount(flat, minlength=resamples * n).reshape(resamples, n).astype(np.float64)


def prompt_interval(
    sums: Sequence[float],
    counts: Sequence[int],
    seed: int,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> Interval:
    """Percentile bootstrap over prompts of sum(sums)/sum(counts), a mean in 0..1.

    `sums` and `counts` hold, per prompt and in key order, the total and number of its values (one maximum for
    one variant, one for each variant in an average). Whole prompts are resampled, never replies within one.
    Where `too_few` holds for the prompts' means: Clopper-Pearson on the prompts, labelled `few prompts`.
    """
    if not sums:
        return Interval(None, None, "undefined: no prompt can be used")
    means = [total / n for total, n in zip(sums, counts, strict=True)]
    if too_few(means):
        mean = math.fsum(sums) / sum(counts)
        return clopper_pearson(mean * len(means), len(means), confidence, "few prompts")
    import numpy as np

    drawn = resample_counts(len(sums), seed, resamples)
    values = (drawn @ np.asarray(sums, dtype=np.float64)) / (drawn @ np.asarray(counts, dtype=np.float64))
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(max(0.0, float(low)), min(1.0, float(high)), "bootstrap")
