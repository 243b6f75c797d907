"""How far a variant's moral self-assessment lies from its moral foundations: the rows of moral_profiles.csv. Pure.

Both profiles are over the six foundations on -0.5 (first pole)..0.5 (second pole).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Final

from emaudit.scores.measures import PARTS
from emaudit.scores.pairing import measure_of, value_of
from emaudit.scores.study import Study, Subject
from emaudit.stats.profile import ProfileDistance, profile_distance

STATEMENTS: Final = "moral_foundations"
SELF: Final = "moral_self_assessment"
SCALE: Final = (-0.5, 0.5)


@dataclass(frozen=True, slots=True)
class MoralProfileRow:
    """One row of moral_profiles.csv: a variant's two profiles over the `n_foundations` that are complete in both.

    `elevation` is the statements' mean less the self-assessment's; a `cosine` (about the midpoint) below 0 says that
    the variant describes itself the other way round. `excluded` names the foundations that are not in, with why.
    """

    preset: str
    replicate: int | None
    judge: str
    variant: str
    size: str
    domain: str
    stage: str
    n_foundations: int
    mean_abs: float | None
    pearson: float | None
    cosine: float | None
    elevation: float | None
    excluded: str
    undefined_reason: str
    simulated: bool


COLUMNS = tuple(field.name for field in fields(MoralProfileRow))


def moral_profile_rows(study: Study, decided: bool = False) -> list[MoralProfileRow]:
    """A row for each variant that was asked both, sorted by name."""
    return [
        _row(study, subject, decided)
        for subject in study.subjects
        if study.summary(subject.name, STATEMENTS) and study.summary(subject.name, SELF)
    ]


def _row(study: Study, subject: Subject, decided: bool) -> MoralProfileRow:
    kept: list[tuple[float, float]] = []
    missing: list[str] = []
    for part in PARTS[STATEMENTS]:
        values = [_complete(study, subject, assessment, part, decided) for assessment in (STATEMENTS, SELF)]
        if values[0] is None or values[1] is None:
            missing.append(f"{part}: incomplete in {STATEMENTS if values[0] is None else SELF}")
        else:
            kept.append((values[0], values[1]))
    found = profile_distance([a for a, _ in kept], [b for _, b in kept], SCALE)
    sources = [summary.source for key in (STATEMENTS, SELF) if (summary := study.summary(subject.name, key))]
    replicates = {source.replicate for source in sources}
    return MoralProfileRow(
        preset=study.preset,
        replicate=replicates.pop() if len(replicates) == 1 else None,
        judge=" + ".join(sorted({source.judge for source in sources} - {""})),
        variant=subject.name,
        size=subject.size,
        domain=subject.domain,
        stage=subject.stage,
        n_foundations=len(kept),
        mean_abs=found.mean_abs.value,
        pearson=found.pearson.value,
        cosine=found.cosine.value,
        elevation=found.elevation.value,
        excluded="; ".join(missing),
        undefined_reason="; ".join(_reasons(found)),
        simulated=any(source.simulated for source in sources),
    )


def _complete(study: Study, subject: Subject, assessment: str, part: str, decided: bool) -> float | None:
    named = measure_of(assessment, part, decided=decided)
    summary = study.summary(subject.name, assessment)
    value = summary.value(named.measure, named.part, named.form) if summary else None
    return value_of(study, subject, named) if value and value.complete else None


def _reasons(found: ProfileDistance) -> Iterator[str]:
    for name in ("mean_abs", "pearson", "cosine", "elevation"):
        reason = getattr(found, name).reason
        if reason:
            yield f"{name}: {reason}"


def inverted(rows: Iterable[MoralProfileRow]) -> list[str]:
    """The variants that describe themselves the other way round: centred cosine below 0."""
    return [row.variant for row in rows if row.cosine is not None and row.cosine < 0]
