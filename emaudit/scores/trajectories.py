"""The rows of trajectories.csv: how a measure rises from the base and how much of the rise realignment undoes.

Pure: a study in, frozen rows out. The values are those of scores.csv.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields

from emaudit.scores.changes import Changes
from emaudit.scores.lineages import Lineage, Lineages
from emaudit.scores.measures import HEADLINE, THREE
from emaudit.scores.resampling import Named, headline
from emaudit.scores.study import Study, Subject
from emaudit.stats.trajectory import INVERTED_V, shape, undone


@dataclass(frozen=True, slots=True)
class TrajectoryRow:
    """One row of trajectories.csv: a measure along base -> misaligned -> realigned of one lineage."""

    lineage: str
    size: str
    domain: str
    assessment: str
    measure: str
    part: str
    base: float | None
    misaligned: float | None
    realigned: float | None
    induced: float | None
    induced_low: float | None
    induced_high: float | None
    reversed: float | None
    reversed_low: float | None
    reversed_high: float | None
    undefined_reason: str
    simulated: bool


COLUMNS = tuple(field.name for field in fields(TrajectoryRow))


def trajectory_rows(study: Study) -> list[TrajectoryRow]:
    """Every measure of every lineage, for the total and each part, sorted.

    `induced` is misaligned - base with the interval of `stats.trajectory.Change`, over prompts that are resampled for
    all stages alike; `reversed` is the share of it undone, (misaligned - realigned)/(misaligned - base), with that
    of `stats.trajectory.undone`. Both are undefined, with the reason, where a stage is missing or incomplete, or
    stands on another judge or instrument than the others; the values of the stages are given all the same.
    """
    changes = Changes(study)
    rows = [row for lineage in Lineages(study).all for row in _lineage_rows(changes, lineage)]
    return sorted(rows, key=lambda row: (row.lineage, row.assessment, row.measure, row.part))


def _lineage_rows(changes: Changes, lineage: Lineage) -> Iterator[TrajectoryRow]:
    held = [subject for subject in lineage.stages.values() if subject is not None]
    for assessment, measure in HEADLINE.items():
        form = headline(assessment).form
        summaries = [found for subject in held if (found := changes.study.summary(subject.name, assessment))]
        simulated = any(summary.source.simulated for summary in summaries)
        for part in sorted({key[1] for summary in summaries for key in summary.values if _is(key, measure, form)}):
            yield _row(changes, lineage, headline(assessment, part), simulated)


def _is(key: tuple[str, str, str], measure: str, form: str) -> bool:
    return (key[0], key[2]) == (measure, form)


@dataclass(frozen=True, slots=True)
class _Found:
    """Value and bounds of the rise and of the share undone, and why any of them is undefined."""

    induced: tuple[float | None, float | None, float | None] = (None, None, None)
    reversed: tuple[float | None, float | None, float | None] = (None, None, None)
    reason: str = ""


def _row(changes: Changes, lineage: Lineage, named: Named, simulated: bool) -> TrajectoryRow:
    found = _found(changes, lineage, named)
    return TrajectoryRow(
        lineage=lineage.leaf.name,
        size=lineage.leaf.size,
        domain=lineage.leaf.domain,
        assessment=named.assessment,
        measure=named.measure,
        part=named.part,
        base=changes.value(named, lineage.base),
        misaligned=changes.value(named, lineage.misaligned),
        realigned=changes.value(named, lineage.realigned),
        induced=found.induced[0],
        induced_low=found.induced[1],
        induced_high=found.induced[2],
        reversed=found.reversed[0],
        reversed_low=found.reversed[1],
        reversed_high=found.reversed[2],
        undefined_reason=found.reason,
        simulated=simulated,
    )


def _found(changes: Changes, lineage: Lineage, named: Named) -> _Found:
    base, misaligned = lineage.base, lineage.misaligned
    if base is None or misaligned is None:
        return _Found(reason=next(iter(lineage.missing.values())))
    why = changes.missing(named, [base, misaligned])
    if why:
        return _Found(reason=why)
    why = _not_realigned(changes, lineage, named, base, misaligned)
    ends = [misaligned] if why or lineage.realigned is None else [misaligned, lineage.realigned]
    rise, *left = changes.steps(named, base, ends)
    interval = rise.interval()
    induced = (rise.value, interval.low, interval.high)
    reasons = [f"interval of induced {interval.method}"] if interval.low is None else []
    if not left:
        return _Found(induced, reason="; ".join([*reasons, f"reversed undefined: {why}"]))
    back = undone(rise, left[0])
    if back.share.value is None:
        reasons.append(f"reversed undefined: {back.share.reason}")
    elif back.interval.low is None:
        reasons.append(f"interval of reversed {back.interval.method}")
    return _Found(induced, (back.share.value, back.interval.low, back.interval.high), "; ".join(reasons))


def _not_realigned(changes: Changes, lineage: Lineage, named: Named, base: Subject, misaligned: Subject) -> str:
    if lineage.realigned is None:
        return lineage.missing["realigned"]
    return changes.missing(named, [base, misaligned, lineage.realigned])


def shape_of(row: TrajectoryRow) -> str:
    """`inverted V`, `no rise` or `no fall` by the row's three values.

    Empty where one is missing, and where the measure has no harmful end, so that no direction is the worse one.
    """
    if row.assessment not in THREE or row.base is None or row.misaligned is None or row.realigned is None:
        return ""
    return shape(row.base, row.misaligned, row.realigned)


def is_clear(row: TrajectoryRow) -> bool:
    """Whether an inverted V stands beyond the prompts' error: rise and share undone have intervals above 0."""
    return all(low is not None and low > 0 for low in (row.induced_low, row.reversed_low))


def followed(rows: Sequence[TrajectoryRow]) -> list[TrajectoryRow]:
    """The rows of which an inverted V is asked: totals of the three assessments, with all three values."""
    return [row for row in rows if row.part == "total" and shape_of(row)]


def exceptions(rows: Sequence[TrajectoryRow]) -> tuple[str, ...]:
    """The lineages without the inverted V, named with values and intervals: a sentence for each and assessment."""
    return tuple(_exception(row) for row in followed(rows) if shape_of(row) != INVERTED_V)


def passed_over(study: Study, takes: Callable[[str], bool] = lambda domain: True) -> tuple[str, ...]:
    """The variants of the wanted domains that stand in no lineage, a line for each: its name and why."""
    found = Lineages(study).passed_over
    return tuple(f"{s.name}: {found[s.name]}" for s in study.subjects if s.name in found and takes(s.domain))


def _exception(row: TrajectoryRow) -> str:
    group = ", ".join(word for word in (row.size, row.domain) if word)
    steps = f"{row.base:.3f} -> {row.misaligned:.3f} -> {row.realigned:.3f}"
    induced = _told(row.induced, row.induced_low, row.induced_high)
    back = _told(row.reversed, row.reversed_low, row.reversed_high)
    name = f"{group} ({row.lineage})" if group else row.lineage
    is_fall = row.induced is not None and row.induced < 0
    change = f"change {induced}, share of the change undone" if is_fall else f"rise {induced}, share undone"
    return f"{name}, {row.assessment}: {shape_of(row)}, {steps}; {change} {back}"


def _told(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return "undefined"
    return f"{value:+.3f}" + (f" [{low:.3f}, {high:.3f}]" if low is not None and high is not None else "")
