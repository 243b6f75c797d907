"""Which measures are correlated, and over which variants: who is left out of a correlation, by name and with why. Pure.

A variant is in with both of its values or not at all; nothing is dropped without being named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Final

from emaudit.assessments.base import FORMATS
from emaudit.scores.measures import DECIDED, PARTS
from emaudit.scores.resampling import Named
from emaudit.scores.rows import Source
from emaudit.scores.study import Study, Subject

HARMLESS: Final = "harmless"
TOTAL: Final = "total"
BOTH: Final = (HARMLESS, TOTAL)
"""Which column of intentions and self-assessment: the dimension closest to behaviour, or all six."""
EVERY: Final = "all"
"""The subset of all variants; the others are a domain with the bases."""
HEADLINE: Final = (
    ("intentions", "harmfulness"),
    ("intentions", "self_assessment"),
    ("harmfulness", "self_assessment"),
)
"""The three pairs that are tested together."""
_DIMENSIONED: Final = ("intentions", "harmfulness", "self_assessment", "open_ended")
_MORAL: Final = ("moral_foundations", "moral_self_assessment")
_ORDER: Final = (*_DIMENSIONED, *_MORAL)

Pair = tuple[Named, Named]


@dataclass(frozen=True)
class Pairing:
    """Two measures over the variants of a subset that are complete in both, in the order of the subjects.

    `excluded` names the others, each with why. `refused` says why these may not be correlated at all; `mixed`
    what they would be refused for, had they not been taken together on request.
    """

    x: Named
    y: Named
    columns: str
    subset: str
    subjects: tuple[Subject, ...]
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    preset: str = ""
    replicate: int | None = None
    judge: str = ""
    excluded: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""
    mixed: str = ""
    simulated: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The variants, as the values are ordered."""
        return tuple(subject.name for subject in self.subjects)


def is_headline(x: Named, y: Named) -> bool:
    """Whether two measures, in either order, are one of the three pairs that are tested together."""
    whole = x.form in ("", EVERY) and y.form in ("", EVERY)
    return whole and {x.assessment, y.assessment} in map(set, HEADLINE)


def measure_of(assessment: str, part: str = TOTAL, form: str = EVERY, decided: bool = False) -> Named:
    """The measure of an assessment that estimates the model; harmfulness has no parts here and no neutral replies."""
    if assessment == "harmfulness":
        return Named(assessment, "max10")
    if assessment == "moral_foundations":
        return Named(assessment, "norm", part)
    if assessment == "open_ended":
        return Named(assessment, "misaligned", part)
    estimate = "second_pole" if assessment == "moral_self_assessment" else "misaligned"
    measure = DECIDED if decided else estimate
    return Named(assessment, measure, part, "" if assessment == "intentions" else form)


def pairs(study: Study, columns: str, decided: bool = False) -> list[Pair]:
    """Every pair of measures that is correlated in a column, the three headline pairs first."""
    held = [key for key in _ORDER if any(assessment == key for _, assessment in study.summaries)]
    return list(pairs_of(held, columns, decided))


def pairs_of(held: Sequence[str], columns: str, decided: bool = False) -> Iterator[Pair]:
    """Every pair of measures of some assessments that is correlated in a column, the headline pairs first."""
    whole = [key for key in held if key in _DIMENSIONED or columns == TOTAL]
    for first, second in _ordered(whole):
        yield measure_of(first, columns, decided=decided), measure_of(second, columns, decided=decided)
    if "self_assessment" in held:
        for form in FORMATS:
            for other in ("harmfulness", "intentions"):
                if other in held:
                    yield _format_pair(other, columns, form, decided)
    if columns == TOTAL and set(_MORAL) <= set(held):
        for part in PARTS["moral_foundations"]:
            yield measure_of(_MORAL[0], part), measure_of(_MORAL[1], part, decided=decided)


def _ordered(held: Sequence[str]) -> list[tuple[str, str]]:
    known = [pair for pair in HEADLINE if set(pair) <= set(held)]
    others = [pair for pair in combinations(held, 2) if set(pair) not in [set(found) for found in known]]
    return known + others


def _format_pair(other: str, columns: str, form: str, decided: bool) -> Pair:
    return measure_of(other, columns, decided=decided), measure_of("self_assessment", columns, form, decided)


def subsets(study: Study) -> list[str]:
    """All variants, then each domain with the bases."""
    return [EVERY, *sorted({subject.domain for subject in study.subjects} - {""})]


def members(subjects: Iterable[Subject], subset: str) -> list[Subject]:
    """The variants of a subset: all, or a domain's with the bases; one that is neither known to be is not in."""
    return [subject for subject in subjects if subset == EVERY or subject.is_base or subject.domain == subset]


def _outside(study: Study, subset: str) -> dict[str, str]:
    """The variants that were left out of a subset though they are, or may be, of it: each with why."""
    elsewhere = {subject.name for subject in study.outside if subject.domain and not members([subject], subset)}
    found = {name: why for name, why in study.left_out.items() if name not in elsewhere}
    for subject in study.subjects:
        if subset != EVERY and not subject.is_base and not subject.domain:
            lacking = "domain" if subject.stage else "stage or domain"
            found[subject.name] = f"no {lacking} is known of it: `emaudit variant set` tells it"
    return found


def paired(study: Study, pair: Pair, columns: str, subset: str, mixed: bool = False) -> Pairing:
    """Two measures over a subset of a study. `mixed` takes different judges and instruments together."""
    x, y = pair
    excluded = _outside(study, subset)
    kept: list[Subject] = []
    for subject in members(study.subjects, subset):
        why = _missing(study, subject, x) or _missing(study, subject, y)
        if why:
            excluded[subject.name] = why
        else:
            kept.append(subject)
    found = Pairing(x, y, columns, subset, tuple(kept), _values(study, kept, x), _values(study, kept, y), study.preset)
    differences = " and ".join(_differences(study, kept, dict.fromkeys((x.assessment, y.assessment))))
    return replace(
        found,
        replicate=_replicate(study, kept, x, y),
        judge=" + ".join(_judges(study, kept, x, y)),
        excluded=dict(sorted(excluded.items())),
        refused="" if mixed or not differences else f"{differences}: leave some out (--exclude) or say --mixed",
        mixed=differences if mixed else "",
        simulated=any(source.simulated for source in _sources(study, kept, (x.assessment, y.assessment))),
    )


def _missing(study: Study, subject: Subject, named: Named) -> str:
    """Why a variant has no place in a correlation of a measure; empty where it has one."""
    summary = study.summary(subject.name, named.assessment)
    if summary is None:
        return f"never asked {named.assessment}"
    value = summary.value(named.measure, named.part, named.form)
    if value is None or value.value is None:
        return f"no value of {named.name}"
    if not value.complete:
        return f"{named.name} incomplete, {value.n_used:,} of {value.n_expected:,} replies"
    return ""


def _values(study: Study, subjects: Iterable[Subject], named: Named) -> tuple[float, ...]:
    return tuple(value for subject in subjects if (value := value_of(study, subject, named)) is not None)


def value_of(study: Study, subject: Subject, named: Named) -> float | None:
    """A variant's value of a measure, complete or not; None where it has none."""
    summary = study.summary(subject.name, named.assessment)
    value = summary.value(named.measure, named.part, named.form) if summary else None
    return value.value if value else None


def _sources(study: Study, subjects: Iterable[Subject], assessments: Iterable[str]) -> Iterator[Source]:
    known = list(assessments)
    for subject in subjects:
        for assessment in known:
            summary = study.summary(subject.name, assessment)
            if summary is not None:
                yield summary.source


def _differences(study: Study, subjects: Sequence[Subject], assessments: Iterable[str]) -> Iterator[str]:
    """What the variants' values of an assessment do not have in common though they should."""
    for assessment in assessments:
        for kind in ("judge", "instrument"):
            held: dict[str, list[str]] = {}
            for source in _sources(study, subjects, [assessment]):
                if getattr(source, kind):
                    held.setdefault(getattr(source, kind), []).append(source.variant)
            if len(held) > 1:
                told = ", ".join(f"{name} ({_some(who)})" for name, who in sorted(held.items()))
                yield f"{assessment} stands on {len(held)} {kind}s: {told}"


def _some(names: Sequence[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _judges(study: Study, subjects: Sequence[Subject], x: Named, y: Named) -> list[str]:
    return sorted({source.judge for source in _sources(study, subjects, (x.assessment, y.assessment))} - {""})


def _replicate(study: Study, subjects: Sequence[Subject], x: Named, y: Named) -> int | None:
    held = {source.replicate for source in _sources(study, subjects, (x.assessment, y.assessment))}
    return held.pop() if len(held) == 1 else None


def points(study: Study, named: Named, subset: str = EVERY) -> list[tuple[str, float]]:
    """The complete values of a measure over a subset, by variant."""
    kept = [subject for subject in members(study.subjects, subset) if not _missing(study, subject, named)]
    return [(subject.name, value) for subject, value in zip(kept, _values(study, kept, named), strict=True)]
