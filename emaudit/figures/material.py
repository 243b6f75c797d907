"""What figures are drawn from: the rows of the tables, arranged by lineage, stage and domain. No matplotlib here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from emaudit.assessments.base import FORMATS
from emaudit.scores import Score
from emaudit.scores.lineages import Lineages
from emaudit.scores.pairing import EVERY, members
from emaudit.scores.study import BASE, Study, Subject
from emaudit.variants import SIZES, STAGES

if TYPE_CHECKING:
    from emaudit.scores.correlations import CorrelationRow
    from emaudit.scores.trajectories import TrajectoryRow

PUBLISHED_NOTE: Final = "the paper's values (other prompts, other judge: compare direction, not level)"

Published = Callable[[str, str, str, str, str], float | None]
"""(size, stage, domain, assessment, part) -> the paper's value on the scale of scores.csv."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure as figures name it; `two_option` measures have 0.5 by chance, on their own scale at `chance`."""

    assessment: str
    measure: str
    title: str
    form: str = ""
    low: float = 0.0
    high: float = 1.0
    chance: float | None = None


HARMFULNESS: Final = Measured("harmfulness", "max10", "harmfulness")
INTENTIONS: Final = Measured("intentions", "misaligned", "intentions", chance=0.5)
SELF: Final = Measured("self_assessment", "misaligned", "self-assessment", "all", chance=0.5)
OPEN: Final = Measured("open_ended", "misaligned", "open-ended", chance=0.5)
MORAL: Final = Measured("moral_foundations", "norm", "moral foundations", low=-0.5, high=0.5)
MORAL_SELF: Final = Measured(
    "moral_self_assessment", "second_pole", "moral self-assessment", "all", low=-0.5, high=0.5, chance=0.0
)
HEADLINES: Final = (HARMFULNESS, INTENTIONS, SELF, OPEN, MORAL, MORAL_SELF)


def measured(name: str) -> tuple[Measured, str] | None:
    """The measure and part of a name `assessment[.format][.part]`; None where figures do not show it."""
    assessment, *words = name.split(".")
    found = next((of for of in HEADLINES if of.assessment == assessment), None)
    form = next((word for word in words if word in FORMATS), "")
    parts = [word for word in words if word not in FORMATS]
    if found is None or len(parts) > 1:
        return None
    return (replace(found, form=form) if form else found), (parts[0] if parts else "total")


def spoken(name: str) -> str:
    """A measure's name in words: `self-assessment (harmless)`."""
    assessment, *words = name.split(".")
    found = next((of.title for of in HEADLINES if of.assessment == assessment), assessment)
    return f"{found} ({', '.join(words)})" if words else found


@dataclass(frozen=True, slots=True)
class Lineage:
    """A variant with its ancestors, root first; size and domain are the last one's."""

    members: tuple[Subject, ...]

    @property
    def leaf(self) -> Subject:
        """The last variant of it."""
        return self.members[-1]


@dataclass(frozen=True)
class Material:
    """The rows of one preset and one choice of judge, and the warnings that its instruments carry.

    `judge` is the one whose averages are shown where there are several; `subset` the one that is correlated.
    """

    preset: str
    scores: Sequence[Score]
    subjects: Sequence[Subject]
    correlations: Sequence[CorrelationRow] = ()
    trajectories: Sequence[TrajectoryRow] = ()
    warnings: Sequence[str] = ()
    published: Published | None = None
    published_correlations: Sequence[CorrelationRow] = ()
    judge: str = ""
    subset: str = EVERY

    @classmethod
    def of(
        cls,
        study: Study,
        scores: Sequence[Score],
        correlations: Sequence[CorrelationRow],
        trajectories: Sequence[TrajectoryRow],
        warnings: Sequence[str] = (),
        subset: str = EVERY,
    ) -> Material:
        """The rows of a study; where no parent is recorded, the one that the trajectories take."""
        lineages = Lineages(study)
        subjects = [(subject, lineages.parent_of(subject)) for subject in study.subjects]
        return cls(
            study.preset,
            scores,
            tuple(replace(subject, parent=parent.name if parent else "") for subject, parent in subjects),
            correlations,
            trajectories,
            warnings,
            judge=study.judge,
            subset=subset,
        )

    def beside(self, published: Published, correlations: Sequence[CorrelationRow]) -> Material:
        """The same with the paper's values behind its own."""
        return replace(self, published=published, published_correlations=correlations)

    @property
    def simulated(self) -> bool:
        """Whether any row stands on simulated replies or verdicts."""
        rows: Iterable[Score | CorrelationRow | TrajectoryRow] = (
            *self.scores,
            *self.correlations,
            *self.trajectories,
        )
        return any(row.simulated for row in rows)

    @cached_property
    def sizes(self) -> tuple[str, ...]:
        """full, mini, nano, then others by name."""
        return _in_order({subject.size for subject in self.subjects}, SIZES)

    @cached_property
    def domains(self) -> tuple[str, ...]:
        """The domains of fine-tuned variants, by name."""
        return tuple(sorted({subject.domain for subject in self.subjects} - {""}))

    @cached_property
    def stages(self) -> tuple[str, ...]:
        """base, misaligned, realigned, then others in the order in which lineages have them."""
        depth: dict[str, int] = {}
        for lineage in self.lineages:
            for index, subject in enumerate(lineage.members):
                depth[subject.stage] = max(index, depth.get(subject.stage, 0))
        return _in_order(sorted(depth, key=lambda stage: (depth[stage], stage)), STAGES)

    @cached_property
    def lineages(self) -> tuple[Lineage, ...]:
        """One for each variant that is nobody's parent, by size, domain and name."""
        by_name = {subject.name: subject for subject in self.subjects}
        parents = {subject.parent for subject in self.subjects}
        chains = [_chain(subject, by_name) for subject in self.subjects if subject.name not in parents]
        return tuple(sorted(chains, key=self._lineage_key))

    def _lineage_key(self, lineage: Lineage) -> tuple[int, str, str]:
        return self.sizes.index(lineage.leaf.size), lineage.leaf.domain, lineage.leaf.name

    @cached_property
    def _by_key(self) -> dict[tuple[str, ...], list[Score]]:
        held: dict[tuple[str, ...], list[Score]] = {}
        for row in self.scores:
            whose = (row.variant,) if row.variant else ("", row.stage, row.domain)
            held.setdefault((*whose, row.assessment, row.measure, row.part, row.format), []).append(row)
        return held

    def score(self, variant: str, of: Measured, part: str = "total") -> Score | None:
        """A variant's score; None where it was never asked."""
        return self._one((variant, of.assessment, of.measure, part, of.form))

    def average(self, stage: str, domain: str, of: Measured, part: str = "total") -> Score | None:
        """The average over sizes of a stage and domain, or the score of the only variant there.

        Without a domain only bases have an average: that of another stage is over all its domains.
        """
        if domain or stage == BASE:
            found = self._one(("", stage, domain, of.assessment, of.measure, part, of.form))
            if found is not None:
                return found
        alone = [subject for subject in self.subjects if (subject.stage, subject.domain) == (stage, domain)]
        return self.score(alone[0].name, of, part) if len(alone) == 1 else None

    def _one(self, key: tuple[str, ...]) -> Score | None:
        """Averages exist for each judge and instrument: the study's judge's, else the one most replies stand on."""
        rows = self._by_key.get(key, [])

        def order(row: Score) -> tuple[bool, int, str, str]:
            return row.judge == self.judge, row.n_expected, row.judge, row.instrument

        return max(rows, key=order, default=None)

    @cached_property
    def correlated(self) -> tuple[Subject, ...]:
        """The variants of the subset that is correlated, but for those under another judge than the study's."""
        others = {row.variant for row in self.scores if self.judge and row.judge not in ("", self.judge)}
        return tuple(subject for subject in members(self.subjects, self.subset) if subject.name not in others)

    def has(self, of: Measured) -> bool:
        """Whether any variant has a value of it."""
        return any(row.assessment == of.assessment and row.variant for row in self.scores if row.value is not None)

    def warning(self, assessment: str) -> str:
        """`not the validated MFQ-2` where the moral statements are not; empty elsewhere."""
        if assessment != MORAL.assessment:
            return ""
        return "; ".join(sorted(self.warnings))

    def published_average(self, stage: str, domain: str, assessment: str, part: str) -> float | None:
        """The mean of the paper's values over its sizes; None where any is missing."""
        if self.published is None:
            return None
        values = [self.published(size, stage, domain, assessment, part) for size in SIZES]
        known = [value for value in values if value is not None]
        return math.fsum(known) / len(known) if len(known) == len(values) else None


def _in_order(found: Iterable[str], known: Sequence[str]) -> tuple[str, ...]:
    names = list(found)
    others = sorted(names) if isinstance(found, (set, frozenset)) else names
    return (*(name for name in known if name in names), *(name for name in others if name not in known))


def _chain(subject: Subject, by_name: dict[str, Subject]) -> Lineage:
    chain = [subject]
    while (above := by_name.get(chain[0].parent)) is not None and above not in chain:
        chain.insert(0, above)
    return Lineage(tuple(chain))
