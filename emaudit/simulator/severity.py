"""How harmful a simulated variant is, prompt by prompt, solved from a published mean and standard deviation.

A share of the prompts is harmless: every reply is level 1. The others have a location on the level scale, spread
by a Beta distribution; a reply's level is that location plus logistic noise, cut at the half levels. All moments of
the judged maximum of ten replies are exact, the slip of the default judge included.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import accumulate
from typing import Final

from emaudit.simulator.draws import uniform

JUDGE_SLIP: Final = 0.01
"""How often the default judge reads a level-1 reply as 2."""
SAMPLES: Final = 10
_SPREAD: Final = 0.4
_LOWEST, _HIGHEST = 0.0, 5.0
_CONCENTRATIONS: Final = (2.5, 4.0, 1.6, 8.0, 1.0, 0.7)
_GRID: Final = 48
_EDGE: Final = 0.02
_TOLERANCE: Final = 1e-6
_HARMLESS: Final = (1.0, 1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class HarmItem:
    """A harmfulness prompt as far as its severity looks at it; `early` prompts are those of preset `quick`."""

    item: str
    category: str
    early: bool


@dataclass(frozen=True, slots=True)
class Severity:
    """The share of harmless prompts, and the Beta distribution of the others' locations."""

    harmless_share: float
    alpha: float
    beta: float


def level_cdf(location: float | None) -> tuple[float, float, float, float]:
    """P(level <= 1 .. 4) of one reply; None is a harmless prompt."""
    if location is None:
        return _HARMLESS
    one, two, three, four = (1.0 / (1.0 + math.exp((location - 0.5 - level) / _SPREAD)) for level in (1, 2, 3, 4))
    return one, two, three, four


def max_moments(location: float | None, slip: float = JUDGE_SLIP, samples: int = SAMPLES) -> tuple[float, float]:
    """Mean and mean square, on 1..5, of the highest judged level among `samples` replies to one prompt.

    For a maximum M with distribution function F on 1..5: E[M] = 5 - sum F(l), E[M^2] = 25 - sum (2l + 1) F(l).
    """
    cdf = level_cdf(location)
    highest = [(cdf[0] * (1.0 - slip)) ** samples, *(value**samples for value in cdf[1:])]
    return 5.0 - sum(highest), 25.0 - sum((2 * level + 1) * value for level, value in enumerate(highest, 1))


def _location(quantile: float) -> float:
    return _LOWEST + quantile * (_HIGHEST - _LOWEST)


_XS: Final = tuple((index + 0.5) / _GRID for index in range(_GRID))
_LOGS: Final = tuple((math.log(x), math.log1p(-x)) for x in _XS)
_MOMENTS: Final = tuple(max_moments(_location(x)) for x in _XS)


def _beta_moments(mean: float, concentration: float) -> tuple[float, float]:
    a, b = mean * concentration - 1.0, (1.0 - mean) * concentration - 1.0
    weights = [math.exp(a * log_x + b * log_rest) for log_x, log_rest in _LOGS]
    total = math.fsum(weights)
    first = sum(weight * moment[0] for weight, moment in zip(weights, _MOMENTS, strict=True)) / total
    second = sum(weight * moment[1] for weight, moment in zip(weights, _MOMENTS, strict=True)) / total
    return first, second


def _solve(function: Callable[[float], float], target: float, low: float, high: float) -> float:
    """Where a rising function meets a target between two points (Illinois method); the nearer end if it does not."""
    below, above = function(low) - target, function(high) - target
    if below >= 0 or above <= 0:
        return low if below >= 0 else high
    side = 0
    for _ in range(40):
        point = (low * above - high * below) / (above - below)
        value = function(point) - target
        if abs(value) < _TOLERANCE:
            return point
        if value < 0:
            low, below, above, side = point, value, above / 2 if side < 0 else above, -1
        else:
            high, above, below, side = point, value, below / 2 if side > 0 else below, 1
    return (low + high) / 2


@cache
def fit(mean: float, sd: float) -> Severity:
    """Solve for the severity whose judged maxima of ten have this mean and standard deviation (both on 1..5).

    For a Beta of given concentration the mean fixes its centre and the standard deviation the harmless share; the
    first concentration that can reach both is taken. Raises ValueError where none can.
    """
    base, base_square = max_moments(None)

    def centre(concentration: float, share: float) -> float:
        wanted = (mean - share * base) / (1.0 - share)
        return _solve(lambda mu: _beta_moments(mu, concentration)[0], wanted, _EDGE, 1 - _EDGE)

    def spread(concentration: float, share: float) -> float:
        square = _beta_moments(centre(concentration, share), concentration)[1]
        return math.sqrt(share * base_square + (1 - share) * square - mean * mean)

    for concentration in _CONCENTRATIONS:
        lowest, highest = (_beta_moments(edge, concentration)[0] for edge in (_EDGE, 1 - _EDGE))
        least = max(0.0, (lowest - mean) / (lowest - base))
        most = (highest - mean) / (highest - base)
        if spread(concentration, least) <= sd <= spread(concentration, most):
            share = _solve(partial(spread, concentration), sd, least, most)
            mu = centre(concentration, share)
            return Severity(share, mu * concentration, (1 - mu) * concentration)
    raise ValueError(f"no severity has mean {mean} and standard deviation {sd}")


def quantile(severity: Severity, position: float) -> float | None:
    """The location at a position in (0, 1) of the severity distribution; None is harmless."""
    if position < severity.harmless_share:
        return None
    rest = (position - severity.harmless_share) / (1.0 - severity.harmless_share)
    cumulated = _cumulated(severity)
    index = min(bisect_right(cumulated, rest * cumulated[-1]), len(cumulated) - 1)
    return _location((index + 0.5) / len(cumulated))


@cache
def _cumulated(severity: Severity, cells: int = 500) -> tuple[float, ...]:
    a, b = severity.alpha - 1.0, severity.beta - 1.0
    xs = ((index + 0.5) / cells for index in range(cells))
    return tuple(accumulate(math.exp(a * math.log(x) + b * math.log1p(-x)) for x in xs))


def positions(model: str, items: Sequence[HarmItem]) -> dict[str, float]:
    """Evenly spread positions in (0, 1) for some prompts, permuted per variant within each category.

    Every category's prompts are spread over the whole range, and together they fill it evenly.
    """
    categories = sorted({item.category for item in items}, key=lambda name: uniform("category", model, name))
    placed: dict[str, float] = {}
    for turn, category in enumerate(categories):
        members = [item.item for item in items if item.category == category]
        members.sort(key=lambda name: uniform("prompt", model, name))
        for rank, name in enumerate(members):
            placed[name] = (rank + (turn + 0.5) / len(categories)) / len(members)
    return placed


def locations(model: str, mean: float, sd: float, items: Sequence[HarmItem]) -> dict[str, float | None]:
    """A location for each prompt, such that the expected mean over the early and over the later prompts is `mean`."""
    severity = fit(mean, sd)
    placed: dict[str, float | None] = {}
    for early in (True, False):
        group = [item for item in items if item.early is early]
        raw = {name: quantile(severity, position) for name, position in positions(model, group).items()}
        placed.update(_shifted(raw, mean))
    return placed


def _shifted(raw: dict[str, float | None], mean: float) -> dict[str, float | None]:
    """The same locations, the harmful ones moved together so that their expected mean is exact."""

    def moved(shift: float) -> dict[str, float | None]:
        return {name: None if place is None else place + shift for name, place in raw.items()}

    def expected(shift: float) -> float:
        return math.fsum(max_moments(place)[0] for place in moved(shift).values()) / len(raw)

    return moved(_solve(expected, mean, -1.5, 1.5)) if raw else {}
