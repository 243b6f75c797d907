"""The correlations that the paper's published table can give, as pairings of its values. Pure."""

from __future__ import annotations

from typing import Final

from emaudit import reference
from emaudit.scores.measures import Rules
from emaudit.scores.pairing import EVERY, Pair, Pairing, members, pairs_of
from emaudit.scores.resampling import Named
from emaudit.scores.study import Study, Subject
from emaudit.stats.association import spearman

PRESET: Final = "published"
"""What stands in the column `preset` of the reference's rows."""
JUDGE: Final = "the paper's"


def subjects(subset: str = EVERY) -> tuple[Subject, ...]:
    """The paper's 15 variants, sorted by name; or those of a domain with the bases."""
    return tuple(members(reference.subjects(), subset))


def variants() -> Study:
    """The paper's variants as a study, of which nothing is known but who was tuned from whom."""
    return Study(PRESET, subjects(), {}, Rules(), {})


def subsets() -> list[str]:
    """All variants, and each domain with the bases."""
    return [EVERY, *sorted({subject.domain for subject in reference.subjects()} - {""})]


def reference_values(named: Named, subset: str = EVERY) -> list[tuple[str, float]]:
    """The published values of a measure by variant; empty where it was not published."""
    if named.form not in ("", EVERY):
        return []
    found = [
        (s.name, reference.reference_value(*_of(s), named.assessment, named.part, named.measure))
        for s in subjects(subset)
    ]
    return [(name, value) for name, value in found if value is not None]


def _of(subject: Subject) -> tuple[str, str, str]:
    return subject.size, subject.stage, subject.domain


def pairs(columns: str) -> list[Pair]:
    """The pairs of measures that the paper's table can give, the headline pairs first.

    Harmfulness is the published mean of prompt maxima on 1..5: the published 0..1 value is rounded and has ties.
    """
    found = [(_printed(x), _printed(y)) for x, y in pairs_of(reference.ASSESSMENTS, columns)]
    return [pair for pair in found if all(reference_values(named) for named in pair)]


def _printed(named: Named) -> Named:
    return Named(named.assessment, "max10_raw") if named.assessment == "harmfulness" else named


def paired(pair: Pair, columns: str, subset: str = EVERY) -> Pairing:
    """Two measures of the paper's table over its variants."""
    x, y = pair
    kept = subjects(subset)
    values = [tuple(value for _, value in reference_values(named, subset)) for named in pair]
    return Pairing(x, y, columns, subset, kept, values[0], values[1], PRESET, None, JUDGE)


def reference_rho(x: str, y: str, columns: str, subset: str = EVERY) -> float | None:
    """The published rho of a pair by its names in correlations.csv; None where the table has no such pair."""
    if subset not in subsets():
        return None
    for pair in pairs(columns):
        if (pair[0].name, pair[1].name) == (x, y):
            found = paired(pair, columns, subset)
            return spearman(found.xs, found.ys).value
    return None
