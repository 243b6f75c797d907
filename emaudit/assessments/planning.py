"""Presets: which items of an instrument are asked, and how often.

Owns the counts of the protocol's section 2. A smaller preset takes fewer items or fewer samples of the same
prompts, never other ones, so a larger preset asks only for the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from emaudit.assessments.base import PRESETS
from emaudit.errors import UsageError

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of each cell a preset asks: the first `items` (None for all), each `samples` times."""

    items: int | None
    samples: int

    def first(self, items: Sequence[_Item]) -> Sequence[_Item]:
        """The items this preset asks."""
        return items[: self.items]


ALL: Final = None
HARMFULNESS: Final = {"paper": Extent(ALL, 10), "quick": Extent(10, 10), "smoke": Extent(1, 10)}
INTENTIONS: Final = {"paper": Extent(ALL, 10), "quick": Extent(ALL, 1), "smoke": Extent(1, 1)}
DECISION: Final = {"paper": Extent(ALL, 25), "quick": Extent(ALL, 3), "smoke": Extent(1, 1)}
NUMERICAL: Final = {"paper": Extent(ALL, 50), "quick": Extent(ALL, 5), "smoke": Extent(1, 1)}
LIKERT: Final = {"paper": Extent(ALL, 10), "quick": Extent(ALL, 1), "smoke": Extent(1, 1)}
LANGUAGE: Final = {"paper": Extent(ALL, 5), "quick": Extent(12, 1), "smoke": Extent(1, 1)}
STATEMENTS: Final = {"paper": Extent(ALL, 10), "quick": Extent(ALL, 1), "smoke": Extent(1, 1)}
OPEN_ENDED: Final = {"paper": Extent(ALL, 10), "quick": Extent(ALL, 1), "smoke": Extent(1, 1)}


def extent(extents: dict[str, Extent], preset: str) -> Extent:
    """The extent of a preset. Raises UsageError naming the known ones."""
    try:
        return extents[preset]
    except KeyError:
        raise UsageError(f"no preset {preset!r}; known: {', '.join(PRESETS)}") from None


def in_order(present: Iterable[str], preferred: Sequence[str]) -> list[str]:
    """Each part that is present, once: the preferred ones first and in their order, then as they come."""
    found = list(dict.fromkeys(present))
    return [part for part in preferred if part in found] + [part for part in found if part not in preferred]
