"""The trajectories as the screen shows them: rows of trajectories.csv, the paper's values, intervals of scores.csv."""

from __future__ import annotations

from pathlib import Path

from emaudit.analysing.answers import Held, Line, Scope, Spot, Trajectories
from emaudit.analysing.axes import axis_of
from emaudit.archive import StoreArchive
from emaudit.reference import reference_value
from emaudit.scores.lineages import Lineage, Lineages
from emaudit.scores.measures import HEADLINE
from emaudit.scores.resampling import headline
from emaudit.scores.rows import score
from emaudit.scores.study import Study
from emaudit.scores.trajectories import TrajectoryRow, exceptions, shape_of, trajectory_rows
from emaudit.store.connection import Store


def trajectories(held: Held, study: Study) -> Trajectories:
    """Every row with what stands beside it."""
    rows = trajectory_rows(study)
    lineages = Lineages(study)
    by_leaf = {lineage.leaf.name: lineage for lineage in lineages.all}
    lines = tuple(_line(row, by_leaf[row.lineage]) for row in rows)
    return Trajectories(held, lines, exceptions(rows), tuple(sorted(lineages.passed_over.items())))


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


class Spots:
    """The intervals of every value of every lineage, one plan after another; only variants of a lineage are scored."""

    def __init__(self, path: Path, scope: Scope, study: Study) -> None:
        self.found: dict[tuple[str, str, str], Spot] = {}
        self._path, self._scope, self._study = path, scope, study
        wanted = {subject.name for lineage in Lineages(study).all for subject in lineage.stages.values() if subject}
        self._left = [key for key in study.summaries if key[0] in wanted and key[1] in HEADLINE]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left to score."""
        return not self._left

    def go_on(self) -> None:
        """Score the next plan. Raises EmauditError."""
        key = self._left.pop()
        summary = self._study.summaries[key]
        named = headline(key[1])
        with Store.open(self._path) as store:
            archive = StoreArchive(store, self._scope.preset, self._scope.judge)
            plan = next((plan for _, plan in archive.plans() if plan.plan_id == summary.source.plan_id), None)
            tallies = archive.read(plan).tallies if plan is not None else ()
        for row in score(summary.source, tallies, self._study.rules):
            if (row.measure, row.format) == (named.measure, named.form):
                self.found[row.variant, row.assessment, row.part] = Spot(row.value, row.ci_low, row.ci_high)
