"""Whether a judge is usable for a table: criteria with thresholds that are set, stored with the queue and printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Final


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a judge must reach for a table to stand on it. Lengths are on a scale of 1..5, shares within 0..1.

    `min_labels`: blind labels at least. `min_blind`: share of the labels that are blind. `min_within_one`: share
    of replies judged at most one step from people. `min_ac2`: Gwet's AC2, quadratic weights. `max_shift`: the
    interval of the corrected mean stays this close to the judge's mean. `max_inflation`: what the judge's noise
    alone adds to `max10` (0..1) where people call every reply a 1.
    """

    min_labels: int = 30
    min_blind: float = 0.9
    min_within_one: float = 0.95
    min_ac2: float = 0.8
    max_shift: float = 0.25
    max_inflation: float = 0.1

    @classmethod
    def stored(cls, settings: Mapping[str, object]) -> Thresholds:
        """The thresholds a queue was made with; what it does not name is as by default."""
        known = {found.name for found in fields(cls)}
        given = {name: value for name, value in settings.items() if name in known and isinstance(value, int | float)}
        return cls(**given)  # type: ignore[arg-type]

    def record(self) -> dict[str, float]:
        """As a queue stores them."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Criterion:
    """One demand on a judge: what was found (None with the reason), the threshold, and whether it is met, if known."""

    name: str
    found: float | None
    threshold: float
    is_met: bool | None
    reason: str = ""


YES: Final = "usable"
NO: Final = "not usable"
UNKNOWN: Final = "not known to be usable"


@dataclass(frozen=True, slots=True)
class Usable:
    """The line a reader needs, with the criteria it stands on."""

    verdict: str
    sentence: str
    criteria: tuple[Criterion, ...]


def at_least(name: str, found: float | None, threshold: float, reason: str = "") -> Criterion:
    """A criterion met from the threshold upwards."""
    return Criterion(name, found, threshold, None if found is None else found >= threshold, reason)


def at_most(name: str, found: float | None, threshold: float, reason: str = "") -> Criterion:
    """A criterion met up to the threshold."""
    return Criterion(name, found, threshold, None if found is None else found <= threshold, reason)


def usable(criteria: tuple[Criterion, ...], table: str) -> Usable:
    """The verdict over all criteria: one that fails decides, one that is unknown leaves it open."""
    failed = [criterion for criterion in criteria if criterion.is_met is False]
    unknown = [criterion for criterion in criteria if criterion.is_met is None]
    if failed:
        return Usable(NO, f"The judge is not usable for {table}: {_because(failed)}.", criteria)
    if unknown:
        return Usable(UNKNOWN, f"Whether the judge is usable for {table} is not known: {_because(unknown)}.", criteria)
    return Usable(YES, f"The judge is usable for {table}, by all {len(criteria)} thresholds.", criteria)


def _because(criteria: list[Criterion]) -> str:
    return "; ".join(_words(criterion) for criterion in criteria)


def _words(criterion: Criterion) -> str:
    if criterion.found is None:
        return f"{criterion.name} undefined ({criterion.reason})"
    return f"{criterion.name} {criterion.found:.3g} (threshold {criterion.threshold:.3g})"
