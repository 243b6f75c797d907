"""A change between two variants over the prompts they share, and how much of it a third one undoes. Pure.

A change comes with its values on resampled prompts and with what each prompt adds to its error. What is undefined is
a value with a reason; no interval has zero width.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from emaudit.stats.estimation import CONFIDENCE, FEW, MOST_UNDEFINED, Figure, Interval, clopper_pearson

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

BOOTSTRAP: Final = "prompt bootstrap, expanded percentiles"
FEW_PROMPTS: Final = "few prompts: MOVER of Clopper-Pearson"
_HALVINGS: Final = 40
_FAR: Final = 1e9
_EQUAL: Final = 11
"""Decimals to which two prompts' contributions are told apart."""

Bounds = tuple[float, float]
Bounded = tuple[float, float, float]
"""A value with its lower and upper bound."""
_NOTHING: Final[Bounds] = (-math.inf, math.inf)


@dataclass(frozen=True, slots=True)
class Level:
    """A variant's mean on the measure's own scale, and how many prompts (templates) it stands on."""

    mean: float
    n: int


@dataclass(frozen=True)
class Change:
    """later - earlier, of two means over the same prompts.

    `draws` holds the difference on each resample of prompts, nan where it has no value. `strata` holds what each
    prompt adds to the error of the difference (the linearised contributions, Wolter 2007, Introduction to Variance
    Estimation, section 6.4): a sequence per set of prompts that is resampled by itself. `scale` is the measure's.
    """

    earlier: Level
    later: Level
    draws: Array
    strata: tuple[tuple[float, ...], ...]
    scale: tuple[float, float] = (0.0, 1.0)

    @property
    def value(self) -> float:
        """The difference of the means."""
        return self.later.mean - self.earlier.mean

    @cached_property
    def is_few(self) -> bool:
        """Whether fewer than five prompts change otherwise than most do, so that resampling them tells too little."""
        return few(self.strata) or _Spread.of(self.strata).tail(CONFIDENCE) * (len(self._finite) + 1) < 1

    def bounds(self, confidence: float = CONFIDENCE) -> Bounds:
        """The interval's bounds; infinite where there is nothing to tell them from."""
        if self.is_few:
            return _mover(_exact(self.later, self.scale, confidence), _exact(self.earlier, self.scale, confidence))
        spread = _Spread.of(self.strata)
        low, high = _percentiles(self._finite, self._finite, spread.tail(confidence))
        if math.isfinite(low):
            return low, high
        half = spread.half(confidence)
        return min(self.value - half, float(self._finite[0])), max(self.value + half, float(self._finite[-1]))

    @cached_property
    def _finite(self) -> Array:
        import numpy as np

        return np.sort(self.draws[~np.isnan(self.draws)])

    def interval(self, confidence: float = CONFIDENCE) -> Interval:
        """Expanded percentiles of the prompt bootstrap (Hesterberg 2015, The American Statistician 69:371).

        Percentiles of a bootstrap of n prompts are too narrow by (n - 1)/n and by the normal in place of t; the
        tail is therefore Phi(-t sqrt(V/V_boot)), with t at Satterthwaite's (1946) degrees of freedom and V the
        unbiased variance over the strata. Where a higher confidence lies beyond the resamples, the bounds are those
        of t on V, and never inside the outermost resample. Where fewer than five prompts change otherwise than most do
        (`is_few`) it is the square-and-add interval of two Clopper-Pearson ones on the prompts (Newcombe 1998,
        Statistics in Medicine 17:873; Zou and Donner 2008, 27:1693), which ignores that they are shared and is wide.
        """
        lost = 1 - len(self._finite) / len(self.draws) if len(self.draws) else 1.0
        if lost > MOST_UNDEFINED:
            return Interval(None, None, f"undefined: {lost:.0%} of the resamples have no value")
        return as_interval(self.bounds(confidence), FEW_PROMPTS if self.is_few else BOOTSTRAP)


def as_interval(bounds: Bounds, method: str) -> Interval:
    """Bounds as an interval; undefined where one is infinite, and where both are the same."""
    low, high = bounds
    if not (math.isfinite(low) and math.isfinite(high)):
        return Interval(None, None, "undefined: the interval has no end")
    if not low < high:
        return Interval(None, None, "undefined: all resamples agree")
    return Interval(low, high, method)


def few(strata: Sequence[Sequence[float]]) -> bool:
    """Whether fewer than five prompts contribute something other than most of their stratum, or one is alone."""
    if any(len(stratum) < 2 for stratum in strata):
        return True
    apart = 0
    for stratum in strata:
        rounded = Counter(round(value, _EQUAL) + 0.0 for value in stratum)
        apart += len(stratum) - max(rounded.values())
    return apart < FEW


@dataclass(frozen=True, slots=True)
class _Spread:
    """The variance of a sum of contributions: as resampled, unbiased, and its degrees of freedom."""

    resampled: float
    variance: float
    freedom: float

    @classmethod
    def of(cls, strata: Sequence[Sequence[float]]) -> _Spread:
        squares = [(math.fsum(value**2 for value in stratum), len(stratum)) for stratum in strata]
        parts = [(n / (n - 1) * square, n - 1) for square, n in squares if n > 1]
        variance = math.fsum(part for part, _ in parts)
        if variance <= 0:
            return cls(0.0, 0.0, 0.0)
        freedom = variance**2 / math.fsum(part**2 / df for part, df in parts)
        return cls(math.fsum(square for square, _ in squares), variance, freedom)

    def half(self, confidence: float) -> float:
        """Half the width of the t interval."""
        from scipy.special import stdtrit

        return float(stdtrit(self.freedom, (1 + confidence) / 2)) * math.sqrt(self.variance)

    def tail(self, confidence: float) -> float:
        """The share of resamples to leave out at each end; 0 without any variance."""
        from scipy.special import ndtr

        return float(ndtr(-self.half(confidence) / math.sqrt(self.resampled))) if self.resampled > 0 else 0.0


def _percentiles(lows: Array, highs: Array, tail: float) -> Bounds:
    """The tail quantiles of two sorted columns of resamples; infinite where fewer than one resample lies beyond."""
    import numpy as np

    if tail * (len(lows) + 1) < 1:
        return _NOTHING
    low = np.quantile(lows, tail, method="lower")
    return float(low), float(np.quantile(highs, 1 - tail, method="higher"))


def _exact(level: Level, scale: tuple[float, float], confidence: float) -> Bounded:
    """The mean with Clopper-Pearson bounds on its prompts, on the measure's scale."""
    lowest, width = scale[0], scale[1] - scale[0]
    found = clopper_pearson((level.mean - lowest) / width * level.n, level.n, confidence)
    if found.low is None or found.high is None:
        return level.mean, *_NOTHING
    return level.mean, lowest + found.low * width, lowest + found.high * width


def _mover(first: Bounded, second: Bounded) -> Bounds:
    """Square-and-add bounds of first - second, each with its own bounds."""
    (a, a_low, a_high), (b, b_low, b_high) = first, second
    return a - b - math.hypot(a - a_low, b_high - b), a - b + math.hypot(a_high - a, b - b_low)


def gap_bounds(first: Change, second: Change, confidence: float = CONFIDENCE) -> Bounds:
    """Bounds of first - second, of two changes over different prompts: square-and-add (Zou and Donner 2008)."""
    return _mover((first.value, *first.bounds(confidence)), (second.value, *second.bounds(confidence)))


def p_above_zero(bounds: Callable[[float], Bounds]) -> float:
    """One-sided p of "not above 0": half of 1 less the highest confidence at which the interval stays above 0.

    At most .5: of what does not lie above 0 it says no more. The interval is that of the table, so that the two
    never disagree. No smaller than 2^-41.
    """
    stays, ends = 0.0, 1.0
    if not bounds(stays)[0] > 0:
        return 0.5
    for _ in range(_HALVINGS):
        middle = (stays + ends) / 2
        if bounds(middle)[0] > 0:
            stays = middle
        else:
            ends = middle
    return (1 - stays) / 2


@dataclass(frozen=True, slots=True)
class Undone:
    """The share of a rise that is undone, 1 where all of it is; below 0 or above 1 where it went further."""

    share: Figure
    interval: Interval


def undone(rise: Change, left: Change, confidence: float = CONFIDENCE) -> Undone:
    """1 - left/rise, with `rise` from base to misaligned and `left` from base to realigned, on the same prompts.

    Undefined unless the interval of the rise excludes 0. The interval holds the shares that the bootstrap does not
    reject (Hwang 1995, Statistica Sinica 5:161, the bootstrap's form of Fieller 1954): the expanded percentiles of
    the resampled shares, where a resample without a rise counts as below the lower and above the upper bound.
    It has ends only where few enough resamples lack the rise; else it is undefined. Where too few prompts tell of the
    rise, of what is left or of the share, it holds the shares for which 0 lies within the square-and-add interval of
    left - (1 - share) rise (MOVER-R; Newcombe 2016, Statistical Methods in Medical Research 25:1774), and is wide.
    """
    low, high = rise.bounds(confidence)
    if low <= 0 <= high:
        reason = "the interval of the rise includes 0"
        return Undone(Figure(None, reason), Interval(None, None, f"undefined: {reason}"))
    remains = left.value / rise.value
    strata = _of_ratio(rise, left, remains)
    tail = _Spread.of(strata).tail(confidence)
    is_few = rise.is_few or left.is_few or few(strata) or tail * (len(rise.draws) + 1) < 1
    bounds = _few_shares(rise, left, confidence) if is_few else _shares(rise, left, tail)
    return Undone(Figure(1 - remains), as_interval(bounds, FEW_PROMPTS if is_few else BOOTSTRAP))


def _of_ratio(rise: Change, left: Change, remains: float) -> tuple[tuple[float, ...], ...]:
    """What each prompt adds to the error of left/rise, by the delta method."""
    return tuple(
        tuple((of_left - remains * of_rise) / rise.value for of_left, of_rise in zip(lefts, rises, strict=True))
        for lefts, rises in zip(left.strata, rise.strata, strict=True)
    )


def _shares(rise: Change, left: Change, tail: float) -> Bounds:
    import numpy as np

    there = ~(np.isnan(rise.draws) | np.isnan(left.draws))
    rises, lefts = rise.draws[there], left.draws[there]
    risen = rises * math.copysign(1.0, rise.value) > 0
    shares = 1 - lefts / np.where(risen, rises, 1.0)
    return _percentiles(np.sort(np.where(risen, shares, -np.inf)), np.sort(np.where(risen, shares, np.inf)), tail)


def _few_shares(rise: Change, left: Change, confidence: float) -> Bounds:
    """1 less the ratios left/rise for which 0 lies within square-and-add bounds of left - ratio * rise."""
    sign = math.copysign(1.0, rise.value)
    top = _signed(left, sign, confidence)
    bottom = _signed(rise, sign, confidence)
    if bottom[1] <= 0:
        return _NOTHING
    middle = top[0] / bottom[0]
    highest = _furthest(lambda step: _combined(top, bottom, middle + step)[1] >= 0)
    lowest = _furthest(lambda step: _combined(top, bottom, middle - step)[0] <= 0)
    return 1 - (middle + highest), 1 - (middle - lowest)


def _signed(change: Change, sign: float, confidence: float) -> Bounded:
    low, high = change.bounds(confidence)
    return (change.value, low, high) if sign > 0 else (-change.value, -high, -low)


def _combined(top: Bounded, bottom: Bounded, ratio: float) -> Bounds:
    value, low, high = bottom
    scaled = (ratio * value, ratio * low, ratio * high) if ratio >= 0 else (ratio * value, ratio * high, ratio * low)
    return _mover(top, scaled)


def _furthest(holds: Callable[[float], bool]) -> float:
    """The largest step for which it holds, of those up to one for which it does not."""
    step, ends = 0.0, 1.0
    while holds(ends) and ends < _FAR:
        step, ends = ends, 2 * ends
    for _ in range(_HALVINGS):
        middle = (step + ends) / 2
        step, ends = (middle, ends) if holds(middle) else (step, middle)
    return step if ends < _FAR else math.inf


INVERTED_V: Final = "inverted V"
NO_RISE: Final = "no rise"
NO_FALL: Final = "no fall"


def shape(base: float, misaligned: float, realigned: float) -> str:
    """What three values form: an inverted V (up, then down), no rise, or a rise without a fall."""
    if misaligned <= base:
        return NO_RISE
    return INVERTED_V if realigned < misaligned else NO_FALL
