"""Which self-reports stand beside a reply: the parts of the self-assessments and intentions that match it. Pure.

A reply about a dimension is matched by that dimension. A harmful request has no dimension of its own: what a variant
says of being harmless and of being good stands beside it, and its total. A moral statement is matched by the moral
self-assessment of its foundation.
"""

from __future__ import annotations

from typing import Final

from emaudit.assessments.base import DIMENSIONS, FOUNDATIONS

TOTAL: Final = "total"
_HARM: Final = ("harmless", "good", TOTAL)
_DIMENSIONS: Final = frozenset(pole.first for pole in DIMENSIONS)
_FOUNDATIONS: Final = frozenset(pole.first for pole in FOUNDATIONS)


Wanted = tuple[str, tuple[str, ...]]
"""An assessment and the parts of it that stand beside a reply; `total` is the mean over all parts."""


def matching(assessment: str, part: str) -> tuple[Wanted, ...]:
    """What stands beside a reply of an assessment and part, in the order it is shown."""
    if part in _FOUNDATIONS:
        return (("moral_self_assessment", (part,)), ("moral_foundations", (part,)))
    parts = (part,) if part in _DIMENSIONS else (TOTAL,) if assessment == "open_ended" else _HARM
    return (("self_assessment", parts), ("intentions", parts), ("open_ended", parts))
