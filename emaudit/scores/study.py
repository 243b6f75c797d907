"""The audited variants of one preset under one judge, as every analysis reads them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from emaudit.scores.measures import Rules
from emaudit.scores.summary import Summary

BASE: Final = "base"
"""The stage of a variant that was not tuned."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A variant as the analyses group it; `domain` and `parent` are empty for a base."""

    name: str
    size: str
    domain: str
    stage: str
    parent: str

    @property
    def recipe(self) -> tuple[str, str]:
        """Which fine-tune was applied: (domain, stage)."""
        return self.domain, self.stage

    @property
    def is_base(self) -> bool:
        """Whether it is recorded as a base; a variant of unknown stage is none."""
        return self.stage == BASE


@dataclass(frozen=True)
class Study:
    """The newest complete replicate of every variant in one preset; `subjects` are sorted by name.

    `summaries` is by (variant, assessment); a variant lacks the assessments it was never asked. `left_out` gives
    each variant that was asked to be left out, with why; `outside` are those of them of which more is known. `judge`
    is the one whose verdicts lead; a variant it never judged stands under its own, and stays out of what needs one
    judge.
    """

    preset: str
    subjects: tuple[Subject, ...]
    summaries: Mapping[tuple[str, str], Summary]
    rules: Rules
    left_out: Mapping[str, str]
    judge: str = ""
    outside: tuple[Subject, ...] = ()

    def summary(self, variant: str, assessment: str) -> Summary | None:
        """What is known of a variant in an assessment; None where it was never asked."""
        return self.summaries.get((variant, assessment))

    @property
    def simulated(self) -> bool:
        """Whether any reply or verdict in it is simulated."""
        return any(summary.source.simulated for summary in self.summaries.values())

    @property
    def seed(self) -> int:
        """What drives every resampling over these variants: that of the parameters they were asked with."""
        return min((summary.source.seed for summary in self.summaries.values()), default=0)
