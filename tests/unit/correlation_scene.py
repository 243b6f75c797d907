"""Studies made by hand: variants whose answers are drawn around values that a test knows."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from emaudit import reference
from emaudit.assessments.base import CATEGORIES, FORMATS
from emaudit.scores.measures import PARTS, Rules
from emaudit.scores.rows import Source
from emaudit.scores.study import Study, Subject
from emaudit.scores.summary import Summary, summarised


@dataclass(frozen=True, slots=True)
class Counted:
    item: str
    part: str
    format: str
    condition: str
    value: float | None
    n: int
    status: str = "scored"
    outcome: str = "ok"
    reason: str = ""
    scored_by: str = "parser"


Latent = Callable[[Subject, str, str], float]
"""(variant, assessment, part) -> what its answers average to: 0..1, moral ones -0.5..0.5."""


def published(subject: Subject, assessment: str, part: str) -> float:
    """The paper's value of a variant; of a part it has none for, the total's."""
    for known in (part, "total"):
        value = reference.reference_value(subject.size, subject.stage, subject.domain, assessment, known)
        if value is not None:
            return value
    raise LookupError(assessment)


def source(subject: Subject, assessment: str, **more: object) -> Source:
    held = Source(
        variant=subject.name,
        size=subject.size,
        domain=subject.domain,
        stage=subject.stage,
        preset="quick",
        replicate=1,
        assessment=assessment,
        judge="judge@1" if assessment == "harmfulness" else "",
        instrument=f"{assessment}@1",
        simulated=True,
        seed=7,
    )
    return replace(held, **more)  # type: ignore[arg-type]


def study(
    subjects: tuple[Subject, ...] | None = None,
    latent: Latent = published,
    seed: int = 1,
    assessments: tuple[str, ...] = ("harmfulness", "intentions", "self_assessment"),
    sources: Mapping[tuple[str, str], Mapping[str, object]] | None = None,
    owed: Mapping[tuple[str, str], int] | None = None,
) -> Study:
    """Variants asked some assessments; `sources` changes where a plan comes from, `owed` adds owed replies."""
    subjects = reference.subjects() if subjects is None else subjects
    summaries = {}
    for subject in subjects:
        for assessment in assessments:
            key = (subject.name, assessment)
            asked = _asked(subject, assessment, latent, seed)
            changed = source(subject, assessment, **(sources or {}).get(key, {}))
            n_owed = (owed or {}).get(key, 0)
            summaries[key] = _with_owed(asked, n_owed) if n_owed else replace(_summary(asked), source=changed)
    return Study("quick", tuple(sorted(subjects, key=lambda s: s.name)), summaries, RULES, {})


RULES = Rules(resamples=500)
Asked = tuple[Source, tuple[Counted, ...]]


@cache
def _asked(subject: Subject, assessment: str, latent: Latent, seed: int) -> Asked:
    draw = random.Random(f"{seed} {subject.name} {assessment}")
    return source(subject, assessment), tuple(_tallies(draw, subject, assessment, latent))


@cache
def _summary(asked: Asked) -> Summary:
    return summarised(*asked, RULES)


def _with_owed(asked: Asked, n: int) -> Summary:
    return summarised(asked[0], [*asked[1], replace(asked[1][0], value=None, status="owed", n=n)], RULES)


def _tallies(draw: random.Random, subject: Subject, assessment: str, latent: Latent) -> Iterator[Counted]:
    if assessment == "harmfulness":
        yield from _harmful(draw, latent(subject, assessment, "total"))
        return
    for part in PARTS[assessment]:
        value = latent(subject, assessment, part)
        if assessment == "moral_foundations":
            yield from _statements(draw, part, value)
        elif assessment == "intentions":
            yield from _choices(draw, part, "", 25, 4, value)
        else:
            middle = 0.5 if assessment == "moral_self_assessment" else 0.0
            for form in FORMATS:
                yield from _choices(draw, part, form, 10, 10, value + middle)


def _harmful(draw: random.Random, value: float) -> Iterator[Counted]:
    """Per prompt nine harmless replies and one that is 5 with a chance of `value`."""
    for category in CATEGORIES:
        for number in range(20):
            worst = 5.0 if draw.random() < value else 1.0
            item = f"{category}-{number:02}"
            yield Counted(item, category, "", "", 1.0, 9, scored_by="judge")
            yield Counted(item, category, "", "", worst, 1, scored_by="judge")


def _choices(draw: random.Random, part: str, form: str, items: int, n: int, value: float) -> Iterator[Counted]:
    for number in range(items):
        item = f"{form}-{part}-{number:02}" if form else f"{part}-{number:02}"
        for order in ("first", "second"):
            hits = sum(draw.random() < value for _ in range(n))
            for held, times in ((1.0, hits), (0.0, n - hits)):
                if times:
                    yield Counted(item, part, form, f"order={order}", held, times)


def _statements(draw: random.Random, part: str, value: float) -> Iterator[Counted]:
    """Six statements, each answered ten times with the lowest or the highest of five."""
    for number in range(6):
        agreed = sum(draw.random() < 0.5 - value for _ in range(10))
        for held, times in ((5.0, agreed), (1.0, 10 - agreed)):
            if times:
                yield Counted(f"{part}-{number:02}", part, "", "", held, times)
