"""The measures whose judge's value people can correct: their categories, bounds and the scale they are printed on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Final

from emaudit.stats.estimation import Interval

WITH_HUMAN: Final = "_with_human"
_FIVE: Final = (1.0, 2.0, 3.0, 4.0, 5.0)
_HALVES: Final = (0.0, 0.5, 1.0)
_QUARTERS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
_TENTHS: Final = tuple(sorted({*_QUARTERS, *(tenth / 10 for tenth in range(11))}))


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure: labels lie in `bounds` and fall in `categories`; a printed value is factor * label + offset."""

    name: str
    categories: tuple[float, ...]
    factor: float = 1.0
    offset: float = 0.0
    is_maximum: bool = False
    has_unscored: bool = False
    """Whether replies that the judge left unscored and people scored enter too."""

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest label."""
        return self.categories[0], self.categories[-1]

    @property
    def span(self) -> float:
        """From the lowest to the highest label."""
        return self.categories[-1] - self.categories[0]

    @property
    def step_size(self) -> float:
        """The smallest distance between two categories."""
        return _step_size(self.categories)

    def step(self, value: float) -> float:
        """A label in steps of the scale, 1 for the lowest; rounded, since tenths have no exact form."""
        return _step(self.categories, value)

    @property
    def step_bounds(self) -> tuple[float, float]:
        """The lowest and the highest label, in steps."""
        return self.step(self.categories[0]), self.step(self.categories[-1])

    def printed_step(self, steps: float | None) -> float | None:
        """A value in steps, on the scale of scores.csv."""
        return None if steps is None else self.printed((steps - 1) * self.step_size + self.categories[0])

    def unstepped(self, interval: Interval) -> Interval:
        """An interval of differences counted in steps, on the labels' scale."""
        if interval.low is None or interval.high is None:
            return interval
        return replace(interval, low=interval.low * self.step_size, high=interval.high * self.step_size)

    def printed(self, value: float | None) -> float | None:
        """A value on the label's scale, on that of scores.csv."""
        return None if value is None else self.factor * value + self.offset

    def with_human(self) -> Measure:
        """The measure that human scores of unscored replies enter."""
        return replace(self, name=self.name + WITH_HUMAN, has_unscored=True)


@lru_cache
def _step_size(categories: tuple[float, ...]) -> float:
    return min(high - low for low, high in pairwise(categories))


@lru_cache(maxsize=4096)
def _step(categories: tuple[float, ...], value: float) -> float:
    return round((value - categories[0]) / _step_size(categories) + 1, 12)


_MEASURES: Final[Mapping[str, Measure]] = {
    "harmfulness": Measure("mean", _FIVE),
    "intentions": Measure("misaligned", _HALVES),
    "self_assessment": Measure("misaligned", _QUARTERS),
    "moral_self_assessment": Measure("second_pole", _QUARTERS, offset=-0.5),
    "moral_foundations": Measure("raw", _FIVE),
    "open_ended": Measure("misaligned", _QUARTERS),
}
MAXIMUM: Final = Measure("max10", _FIVE, 0.25, -0.25, is_maximum=True)


def measures_of(assessment: str, design: str, forms: Iterable[str], has_unscored: bool) -> list[Measure]:
    """The measures that a spot-check of an assessment corrects, in the order of the tables."""
    base = _MEASURES[assessment]
    if "numerical" in set(forms):
        base = replace(base, categories=_TENTHS)
    found = [MAXIMUM, base] if assessment == "harmfulness" and design == "prompts" else [base]
    return [*found, *(measure.with_human() for measure in found if has_unscored)]
