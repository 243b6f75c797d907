"""The trajectories as the screen shows them: rows of trajectories.csv, the paper's values, intervals of scores.csv."""

from __future__ import annotations

from emaudit.analysing.answers import Held, Intervals, Line, Spot, Trajectories
from emaudit.analysing.axes import axis_of
from emaudit.archive import StoreArchive
from emaudit.reference import reference_value
from emaudit.scores.changes import HEADLINE, headline
from emaudit.scores.lineages import Lineage, Lineages
from emaudit.scores.rows import score
from emaudit.scores.study import Study
from emaudit.scores.trajectories import TrajectoryRow, exceptions, shape_of, trajectory_rows


def trajectories(held: Held, study: Study) -> Trajectories:
    """Every row with what stands beside it."""
    rows = trajectory_rows(study)
    by_leaf = {lineage.leaf.name: lineage for lineage in Lineages(study).all}
    lines = tuple(_line(row, by_leaf[row.lineage]) for row in rows)
    return Trajectories(held, lines, exceptions(rows))


def _line(row: TrajectoryRow, lineage: Lineage) -> Line:
    names = [subject.name if subject else "" for subject in lineage.stages.values()]
    published = tuple(
        reference_value(row.size, stage, "" if stage == "base" else row.domain, row.assessment, row.part)
        for stage in lineage.stages
    )
    return Line(
        row=row,
        axis=axis_of(headline(row.assessment, row.part)),
        variants=(names[0], names[1], names[2]),
        published=published if any(value is not None for value in published) else (),
        shape=shape_of(row),
    )


def intervals(archive: StoreArchive, study: Study) -> Intervals:
    """The intervals of every value of every lineage; only variants of a lineage are scored."""
    wanted = {subject.name for lineage in Lineages(study).all for subject in lineage.stages.values() if subject}
    chosen = {summary.source.plan_id for summary in study.summaries.values()}
    spots: dict[tuple[str, str, str], Spot] = {}
    for source in archive.sources():
        if source.variant in wanted and source.plan_id in chosen and source.assessment in HEADLINE:
            named = headline(source.assessment)
            for row in score(source, archive.tallies(source), study.rules):
                if (row.measure, row.format) == (named.measure, named.form):
                    spots[row.variant, row.assessment, row.part] = Spot(row.value, row.ci_low, row.ci_high)
    return Intervals(spots)
