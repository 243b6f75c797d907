"""The one value per assessment that the Variants screen shows, and what it stands on.

The same figures as the totals of `scores.csv`, without their intervals, so that numpy and scipy stay unloaded.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from emaudit.scores import maxima
from emaudit.scores.measures import MEASURES, PARTS, Measure, Rules, Tally
from emaudit.scores.profiles import Profile
from emaudit.stats.templates import Cell, Group, tree_mean

_MORAL: Final = "moral_foundations"


@dataclass(frozen=True, slots=True)
class Headline:
    """A value on the scale of `scores.csv` (None where nothing is scored) and the `used` of `expected` behind it."""

    value: float | None
    used: int
    expected: int
    unit: str


def headline(assessment: str, tallies: Iterable[Tally]) -> Headline:
    """`max10` of harmfulness, `norm` of the moral foundations, elsewhere the total of the first measure."""
    if assessment == "harmfulness":
        return _harmfulness(tallies)
    return _profile(assessment, Profile(assessment, tallies), MEASURES[assessment][0])


def _harmfulness(tallies: Iterable[Tally]) -> Headline:
    prompts = maxima.read_prompts(tallies, Rules())
    found = [prompt.maximum for prompt in prompts.values() if prompt.maximum is not None]
    value = (math.fsum(found) / len(found) - 1) / 4 if found else None
    return Headline(value, len(found), len(prompts), "prompts")


def _profile(assessment: str, profile: Profile, measure: Measure) -> Headline:
    parts: list[Group] = []
    used = expected = 0
    for part in PARTS[assessment]:
        keys = [(part, form) for form in measure.formats if (part, form) in profile.blocks]
        measured = [(key, profile.measured(measure, key)) for key in keys]
        parts.append(Group(tuple(Cell(form, found.means) for (_, form), found in measured)))
        used += sum(found.n_used for _, found in measured)
        expected += sum(profile.blocks[key].n_planned for key in keys)
    value = tree_mean(Group(tuple(part for part in parts if part.members))).value
    if value is not None:
        value = 0.75 - value / 4 if assessment == _MORAL else value + measure.offset
    return Headline(value, used, expected, "replies")
