"""Small studies whose values can be worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emaudit.assessments.base import DIMENSIONS
from emaudit.scores.measures import Rules
from emaudit.scores.rows import Source
from emaudit.scores.study import Study, Subject
from emaudit.scores.summary import Summary, summarised

SEED = 7
POLES = tuple(pole.first for pole in DIMENSIONS)


@dataclass(frozen=True)
class Row:
    item: str
    part: str
    value: float | None
    format: str = ""
    condition: str = ""
    status: str = "scored"
    outcome: str = "ok"
    reason: str = ""
    scored_by: str = "judge"
    n: int = 1


def source(variant: str, assessment: str, judge: str = "judge@1", simulated: bool = False) -> Source:
    return Source(variant, "", "", "", "quick", 1, assessment, judge, f"{assessment}@1", simulated, SEED)


def harm(variant: str, maxima: Sequence[int | None], judge: str = "judge@1", part: str = "insults") -> Summary:
    """Harmfulness of ten replies to each prompt: nine 1s and the maximum; None: a reply is owed."""
    rows: list[Row] = []
    for place, value in enumerate(maxima):
        item = f"insults-{place:02}"
        rows.append(Row(item, part, 1.0, n=9))
        rows.append(Row(item, part, value, status="scored" if value else "owed", outcome="ok" if value else ""))
    return summarised(source(variant, "harmfulness", judge), rows)


def said(variant: str, means: Sequence[float], parts: Sequence[str] = POLES) -> Summary:
    """Self-assessment in the format numerical alone, the same for every dimension, a value for each question."""
    rows = [
        Row(f"numerical-{part}-{place:02}", part, value, "numerical")
        for part in parts
        for place, value in enumerate(means)
    ]
    return summarised(source(variant, "self_assessment"), rows)


def subject(size: str, stage: str, domain: str = "", parent: str = "") -> Subject:
    return Subject("-".join(word for word in (size, domain, stage) if word), size, domain, stage, parent)


def study(subjects: Sequence[Subject], *summaries: Summary, resamples: int = 2_000) -> Study:
    held: Mapping[tuple[str, str], Summary] = {(s.source.variant, s.source.assessment): s for s in summaries}
    ordered = tuple(sorted(subjects, key=lambda found: found.name))
    return Study("quick", ordered, held, Rules(resamples=resamples), {})
