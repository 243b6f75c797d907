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


def jeffreys(x: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Jeffreys interval of x successes in n independent trials: quantiles of beta(x + 1/2, n - x + 1/2).

    With the lower bound 0 at x = 0 and the upper 1 at x = n (Brown, Cai and DasGupta 2001, Statistical Science 16).
    """
    if n < 1:
        return Interval(None, None, "undefined: no trials")
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
    low = 0.0 if x == 0 else float(betaincinv(x + 0.5, n - x + 0.5, tail))
    high = 1.0 if x == n else float(betaincinv(x + 0.5, n - x + 0.5, 1 - tail))
    return Interval(low, high, "jeffreys")


@dataclass(frozen=True, slots=True)
class Position:
    """Rates of one pole when its option came first and when it came second."""

    balanced_rate: Figure
    """Mean of the two orders' rates: what to report, whatever the number of answers in each."""
    balanced_interval: Interval
    naive_pooled_rate: Figure
    """Of all answers together; biased where the orders have unequal numbers."""
    order_effect: Figure
    """Rate when first minus rate when second, -1..1; above 0 the first option is preferred."""
    order_effect_interval: Interval
    first_option_preference: Figure
    """Share that names the first option, orders balanced: 1/2 + order effect / 2."""
    balanced_rate_se: Figure
    """Binomial standard error of the balanced rate; 0 where both orders have no variation, so no interval's base."""


def position_bias(first: tuple[int, int], second: tuple[int, int], confidence: float = CONFIDENCE) -> Position:
    """The two orders of an option question, each as (x, n): x of n answers name the pole.

    Intervals as if answers were independent: Newcombe's (1998, Statistics in Medicine 17) hybrid of the two Wilson
    intervals for the difference, and the same for the mean. What needs both orders is undefined without one.
    Raises ValueError for an x outside 0..n.
    """
    for x, n in (first, second):
        if not 0 <= x <= n:
            raise ValueError(f"{x} of {n} answers")
    answers = first[1] + second[1]
    pooled = Figure((first[0] + second[0]) / answers) if answers else Figure(None, "no answers")
    if not first[1] or not second[1]:
        none = Figure(
            None, f"no answers with the option {'second' if first[1] else 'first'}" if answers else "no answers"
        )
        gap = Interval(None, None, f"undefined: {none.reason}")
        return Position(none, gap, pooled, none, gap, none, none)
    rates = [x / n for x, n in (first, second)]
    bounds = [wilson(x, n, confidence) for x, n in (first, second)]
    below = [rate - (bound.low or 0.0) for rate, bound in zip(rates, bounds, strict=True)]
    above = [(bound.high or 0.0) - rate for rate, bound in zip(rates, bounds, strict=True)]
    effect, mean = rates[0] - rates[1], (rates[0] + rates[1]) / 2
    variance = math.fsum(rate * (1 - rate) / n for rate, (_, n) in zip(rates, (first, second), strict=True))
    return Position(
        balanced_rate=Figure(mean),
        balanced_interval=Interval(mean - math.hypot(*below) / 2, mean + math.hypot(*above) / 2, "newcombe"),
        naive_pooled_rate=pooled,
        order_effect=Figure(effect),
        order_effect_interval=Interval(
            effect - math.hypot(below[0], above[1]), effect + math.hypot(above[0], below[1]), "newcombe"
        ),
        first_option_preference=Figure(0.5 + effect / 2),
        balanced_rate_se=Figure(math.sqrt(variance) / 2),
    )


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


MOST_UNDEFINED: Final = 0.05
"""A bootstrap with a larger share of resamples without a value gives no interval."""
NO_WIDTH: Final = 1e-12


def percentiles(values: NDArray[np.float64], method: str, confidence: float = CONFIDENCE) -> Interval:
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
    return Interval(low, high, method)


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
