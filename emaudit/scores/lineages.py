"""Which variants are the stages of one lineage: base, misaligned, realigned. Pure.

The recorded parent decides, also where it is not here; where none is recorded, size, domain and stage do if exactly
one variant fits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from emaudit.scores.study import BASE, Study, Subject

MISALIGNED: Final = "misaligned"
REALIGNED: Final = "realigned"
TUNED: Final = (MISALIGNED, REALIGNED)


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
        """Every lineage, by its leaf: a misaligned or realigned variant from which none of either was tuned on."""
        return tuple(self._lineage(subject) for subject in self._tuned if subject.name not in self._tuned_on)

    @cached_property
    def passed_over(self) -> Mapping[str, str]:
        """The variants past their base that no lineage holds, each with why."""
        held = {subject.name for lineage in self.all for subject in lineage.stages.values() if subject}
        others = [subject for subject in self._study.subjects if not subject.is_base and subject.name not in held]
        return {subject.name: self._why_not(subject) for subject in others}

    @cached_property
    def bases(self) -> tuple[Subject, ...]:
        """The base models of the study: its base variants, of whatever size."""
        return tuple(subject for subject in self._study.subjects if subject.is_base)

    @cached_property
    def baseless(self) -> tuple[Subject, ...]:
        """The variants past their base of which the base is not known, or not here."""
        return tuple(s for s in self._study.subjects if not s.is_base and self.base_of(s) is None)

    def base_of(self, subject: Subject) -> Subject | None:
        """The base a variant was tuned from, step by step, or else the only base of its size."""
        return self._above(subject, BASE)[0]

    def why_no_base(self, subject: Subject) -> str:
        """Why a variant past its base has no base here; empty where it has one."""
        return self._above(subject, BASE)[1]

    def parent_of(self, subject: Subject) -> Subject | None:
        """The variant it was tuned from, as recorded; where nothing is, the only one that fits."""
        if subject.parent:
            return self._by_name.get(subject.parent)
        before = {MISALIGNED: BASE, REALIGNED: MISALIGNED}.get(subject.stage)
        return self._only(subject, before) if before else None

    @cached_property
    def _tuned(self) -> tuple[Subject, ...]:
        return tuple(subject for subject in self._study.subjects if subject.stage in TUNED)

    @cached_property
    def _tuned_on(self) -> frozenset[str]:
        """The variants from which a misaligned or realigned one was tuned, however many steps lie between."""
        return frozenset(above.name for subject in self._tuned for above in self._line(subject)[1:])

    def _why_not(self, subject: Subject) -> str:
        if subject.stage not in TUNED:
            return f"stage {subject.stage} is not followed" if subject.stage else "no stage recorded"
        leaves = sorted(lineage.leaf.name for lineage in self.all if subject in self._line(lineage.leaf))
        return f"tuned on, to {', '.join(leaves)}" if leaves else "its recorded parents run in a circle"

    def _lineage(self, leaf: Subject) -> Lineage:
        base, no_base = self._above(leaf, BASE)
        misaligned, not_misaligned = (leaf, "") if leaf.stage == MISALIGNED else self._above(leaf, MISALIGNED)
        realigned = leaf if leaf.stage == REALIGNED else None
        missing = {
            BASE: no_base,
            MISALIGNED: not_misaligned,
            REALIGNED: "" if realigned else f"{leaf.name} is not realigned",
        }
        return Lineage(leaf, base, misaligned, realigned, {stage: why for stage, why in missing.items() if why})

    def _line(self, subject: Subject) -> list[Subject]:
        """A variant and its ancestors, nearest first; a circle ends where it began."""
        line = [subject]
        while (above := self.parent_of(line[-1])) is not None and above not in line:
            line.append(above)
        return line

    def _above(self, subject: Subject, stage: str) -> tuple[Subject | None, str]:
        """The nearest ancestor of a stage, and why there is none.

        Where the line ends at a variant without a recorded parent, the only one of that stage that fits it.
        """
        line = self._line(subject)
        recorded = next((above for above in line[1:] if above.stage == stage), None)
        if recorded is not None:
            return recorded, ""
        last = line[-1]
        if last.parent in self._by_name:
            return None, f"the recorded parents of {subject.name} run in a circle"
        if last.parent:
            return None, f"the parent of {last.name}, {last.parent}, is not here"
        if last.is_base:
            return None, f"{subject.name} has no {stage} variant here"
        found = self._only(last, stage)
        return found, "" if found else self._unknown(last, stage)

    def _only(self, subject: Subject, stage: str) -> Subject | None:
        found = self._fitting(subject, stage)
        return found[0] if len(found) == 1 else None

    def _fitting(self, subject: Subject, stage: str) -> list[Subject]:
        """The variants of a stage with a variant's size and, past the base, its domain; unknown sizes never fit."""
        return [
            other
            for other in self._study.subjects
            if subject.size
            and (other.stage, other.size) == (stage, subject.size)
            and (stage == BASE or other.domain == subject.domain)
        ]

    def _unknown(self, subject: Subject, stage: str) -> str:
        found = self._fitting(subject, stage)
        if len(found) > 1:
            return f"no parent says which is the {stage} of {subject.name}: {', '.join(other.name for other in found)}"
        if not subject.size:
            return f"neither parent nor size of {subject.name} is recorded, so its {stage} is not known"
        return f"{subject.name} has no {stage} variant here"
