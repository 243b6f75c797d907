"""The maximum over a prompt's replies, as the judge and as people see it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from emaudit.scores.agreement.inputs import HIGHEST, Item
from emaudit.stats.estimation import expected_maximum

LOWEST = 1.0


def judged_maximum(items: Sequence[Item], k: int) -> float | None:
    """The judge's maximum of k over a prompt's replies; None with fewer than k scored ones."""
    return expected_maximum([item.judge_value for item in items if item.judge_value is not None], k).value


def labelled_maximum(items: Sequence[Item], given: Mapping[int, float], k: int) -> float | None:
    """People's maximum of k over a prompt's replies; None where a label is missing that could change it.

    With k replies a label of 5 settles it. With more than k it is the expected maximum of k and needs them all.
    """
    values = [given[item.position] for item in items if item.position in given]
    if len(items) == k and HIGHEST in values:
        return HIGHEST
    return expected_maximum(values, k).value if len(values) == len(items) else None


def maximum_bounds(items: Sequence[Item], given: Mapping[int, float], k: int) -> tuple[float, float]:
    """The lowest and the highest that people's maximum of k can be, with every missing label a 1, and a 5."""
    values = [given[item.position] for item in items if item.position in given]
    missing = max(len(items), k) - len(values)
    low = expected_maximum([*values, *[LOWEST] * missing], k).value
    high = expected_maximum([*values, *[HIGHEST] * missing], k).value
    return low or LOWEST, high or HIGHEST
