"""Which variants are the stages of one lineage: base, misaligned, realigned. Pure.

The recorded parent decides; where none is recorded, size, domain and stage do if exactly one variant fits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from emaudit.scores.study import Study, Subject

BASE: Final = "base"
MISALIGNED: Final = "misaligned"
REALIGNED: Final = "realigned"


@dataclass(frozen=True, slots=True)
class Lineage:
    """The variants of a lineage by stage, None where there is none; `missing` says why, by stage."""

    leaf: Subject
    base: Subject | None
    misaligned: Subject | None
    realigned: Subject | None
    missing: Mapping[str, str]

    @property
    def stages(self) -> Mapping[str, Subject | None]:
        """Stage -> variant, in order."""
        return {BASE: self.base, MISALIGNED: self.misaligned, REALIGNED: self.realigned}


class Lineages:
    """The lineages of a study."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._by_name = {subject.name: subject for subject in study.subjects}

    @cached_property
    def all(self) -> tuple[Lineage, ...]:
        """Every lineage, by its leaf: a variant past its base from which no other was tuned."""
        parents = {found.name for subject in self._study.subjects if (found := self._parent(subject)) is not None}
        leaves = [subject for subject in self._study.subjects if subject.name not in parents]
        return tuple(self._lineage(leaf) for leaf in leaves if leaf.stage in (MISALIGNED, REALIGNED))

    def base_of(self, subject: Subject) -> Subject | None:
        """The base a variant was tuned from, step by step, or else the only base of its size."""
        return self._above(subject, BASE)

    def parent_of(self, subject: Subject) -> Subject | None:
        """The variant it was tuned from, as recorded; where nothing is, the only one that fits."""
        return self._parent(subject)

    def _lineage(self, leaf: Subject) -> Lineage:
        base = self.base_of(leaf)
        misaligned = leaf if leaf.stage == MISALIGNED else self._above(leaf, MISALIGNED)
        realigned = leaf if leaf.stage == REALIGNED else None
        missing = {
            BASE: "" if base else self._unknown(leaf, BASE),
            MISALIGNED: "" if misaligned else self._unknown(leaf, MISALIGNED),
            REALIGNED: "" if realigned else f"{leaf.name} is not realigned",
        }
        return Lineage(leaf, base, misaligned, realigned, {stage: why for stage, why in missing.items() if why})

    def _above(self, subject: Subject, stage: str) -> Subject | None:
        """The nearest ancestor of a stage, or the only variant of that stage that fits where the line breaks off."""
        seen = {subject.name}
        here = subject
        while (above := self._parent(here)) is not None and above.name not in seen:
            if above.stage == stage:
                return above
            seen.add(above.name)
            here = above
        return None if here.stage == BASE else self._only(subject, stage)

    def _parent(self, subject: Subject) -> Subject | None:
        if subject.parent:
            return self._by_name.get(subject.parent)
        before = {MISALIGNED: BASE, REALIGNED: MISALIGNED}.get(subject.stage)
        return self._only(subject, before) if before else None

    def _only(self, subject: Subject, stage: str) -> Subject | None:
        found = self._fitting(subject, stage)
        return found[0] if len(found) == 1 else None

    def _fitting(self, subject: Subject, stage: str) -> list[Subject]:
        """The variants of a stage with a variant's size and, past the base, its domain."""
        return [
            other
            for other in self._study.subjects
            if (other.stage, other.size) == (stage, subject.size) and (stage == BASE or other.domain == subject.domain)
        ]

    def _unknown(self, subject: Subject, stage: str) -> str:
        found = self._fitting(subject, stage)
        if len(found) > 1:
            return f"no parent says which is the {stage} of {subject.name}: {', '.join(other.name for other in found)}"
        return f"{subject.name} has no {stage} variant here"
