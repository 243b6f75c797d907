"""What is compared: measures by part and format, each with its scale and its place in Holm's families. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from emaudit.assessments.base import CATEGORIES, DIMENSIONS, FORMATS, FOUNDATIONS, GROUPS
from emaudit.scores.measures import HEADLINE
from emaudit.scores.profiles import ALL
from emaudit.scores.resampling import HARM, Named
from emaudit.scores.study import Study

MEASURES: Final = {
    assessment: (measure, "mean") if assessment == HARM else (measure,) for assessment, measure in HEADLINE.items()
}
"""The measures of each assessment that are compared."""
_SCALES: Final = {"mean": (1.0, 5.0), "norm": (-0.5, 0.5), "second_pole": (-0.5, 0.5)}
_PARTS: Final = (
    "total",
    *CATEGORIES,
    *(f"group:{group}" for group in GROUPS),
    *(pole.first for pole in (*DIMENSIONS, *FOUNDATIONS)),
)
_FORMATS: Final = ("", ALL, *FORMATS)

FAMILIES: Final = (
    "p_holm is Holm's (1979) within fixed families, never over what a filter shows. A family is one measure of one "
    "assessment (harmfulness: max10, mean), one level of its parts and one contrast set; family_size is the number "
    "of its tests that have a p. Levels of parts: the total over all formats; the categories of harmfulness; the "
    "four groups of categories; the dimensions (foundations) over all formats; the total in each format; the "
    "dimensions (foundations) in each format. Contrast sets: the stages of every lineage (base and misaligned, "
    "misaligned and realigned, base and realigned), one variant with one; the same pooled over the sizes; the "
    "domains of every base, stage by stage, one variant with one; the same pooled over the sizes."
)
"""Which p-values Holm's correction is taken over, in words."""


@dataclass(frozen=True, slots=True)
class Aspect:
    """A measure of one part in one format, under the names of scores.csv; `ends` are those of its scale."""

    named: Named
    ends: tuple[float, float]
    level: str

    @property
    def scale(self) -> str:
        """`0..1`, `-0.5..0.5`."""
        return f"{self.ends[0]:g}..{self.ends[1]:g}"

    @property
    def family(self) -> tuple[str, str, str]:
        """Assessment, measure and level of the part."""
        return self.named.assessment, self.named.measure, self.level


def aspects(study: Study) -> list[Aspect]:
    """Everything that is compared in a study, in the order of assessments, measures, parts and formats."""
    held: dict[str, set[tuple[str, str, str]]] = {}
    for (_, assessment), summary in study.summaries.items():
        held.setdefault(assessment, set()).update(summary.values)
    return [
        Aspect(Named(assessment, measure, part, form), _SCALES.get(measure, (0.0, 1.0)), _level(part, form))
        for assessment, measures in MEASURES.items()
        for name, part, form in sorted(held.get(assessment, ()), key=_order)
        for measure in measures
        if name == measure
    ]


def _order(key: tuple[str, str, str]) -> tuple[object, ...]:
    measure, part, form = key
    return measure, _rank(part, _PARTS), _rank(form, _FORMATS)


def _rank(value: str, known: tuple[str, ...]) -> tuple[int, str]:
    return (known.index(value), "") if value in known else (len(known), value)


def _level(part: str, form: str) -> str:
    kind = "total" if part == "total" else "groups" if part.startswith("group:") else "parts"
    return kind if form in ("", ALL) else f"{kind} by format"
