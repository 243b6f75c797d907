"""What the analyses of one study come to, each computed when first asked for, and the files of an export they fill."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple
from functools import cached_property
from typing import TYPE_CHECKING, Any

from emaudit.choices import Choices, known_zeros
from emaudit.export import Page, Record, Table
from emaudit.scores.pairing import EVERY
from emaudit.scores.rows import Score
from emaudit.scores.study import Study

if TYPE_CHECKING:
    from emaudit.scores.cards import Card
    from emaudit.scores.comparisons import ComparisonRow
    from emaudit.scores.correlations import CorrelationRow, Correlations
    from emaudit.scores.dissociation import DissociationRow, Parting
    from emaudit.scores.moralprofiles import MoralProfileRow
    from emaudit.scores.trajectories import TrajectoryRow


class Analyses:
    """Correlations, comparisons, trajectories, dissociation and moral profiles of one study, the rows that are chosen.

    What is tested together (Holm's families) is always all of it.
    """

    def __init__(self, study: Study, choices: Choices | None = None) -> None:
        self.study = study
        self.choices = choices or Choices()

    @cached_property
    def _correlating(self) -> Correlations:
        from emaudit.scores.correlations import Correlations

        return Correlations(self.study)

    @cached_property
    def cards(self) -> Sequence[Card]:
        """The cards of the headline pairs: in the chosen column and subset, else `harmless` over all variants."""
        columns, subset = self.choices.columns or "harmless", self.choices.subset or EVERY
        found = self._correlating
        return list(found.headline_cards((columns,), subset)) if subset in found.subsets else []

    @cached_property
    def correlations(self) -> Sequence[CorrelationRow]:
        """The rows of correlations.csv."""
        chosen = self.choices
        return [
            row
            for row in self._correlating.rows()
            if chosen.columns in ("", row.columns) and chosen.subset in ("", row.subset)
        ]

    @cached_property
    def comparisons(self) -> Sequence[ComparisonRow]:
        """The rows of comparisons.csv."""
        from emaudit.scores.comparisons import comparison_rows

        return comparison_rows(self.study, known_zeros(self.choices.zeros), takes=self.choices.takes)

    @cached_property
    def trajectories(self) -> Sequence[TrajectoryRow]:
        """The rows of trajectories.csv."""
        from emaudit.scores.trajectories import trajectory_rows

        return [row for row in trajectory_rows(self.study) if self.choices.takes(row.domain)]

    @cached_property
    def dissociation(self) -> Sequence[DissociationRow]:
        """The rows of dissociation.csv."""
        return [parting.row for parting in self.partings]

    @cached_property
    def partings(self) -> Sequence[Parting]:
        """The rows of dissociation.csv, with what has no column there."""
        from emaudit.scores.dissociation import partings

        return [found for found in partings(self.study) if self.choices.takes(self._domains[found.row.variant])]

    def undefined(self) -> list[Record]:
        """Which rows of dissociation.csv have no kind, and why."""
        return [
            {
                "table": "dissociation.csv",
                "variant": found.row.variant,
                "part": found.row.part,
                "column": "kind",
                "reason": found.reason,
            }
            for found in self.partings
            if found.reason
        ]

    @cached_property
    def moral_profiles(self) -> Sequence[MoralProfileRow]:
        """The rows of moral_profiles.csv."""
        from emaudit.scores.moralprofiles import moral_profile_rows

        domains = self._domains
        rows = moral_profile_rows(self.study)
        return [row for row in rows if not domains[row.variant] or self.choices.takes(domains[row.variant])]

    @cached_property
    def _domains(self) -> dict[str, str]:
        return {subject.name: subject.domain for subject in self.study.subjects}

    def files(self, scores: Sequence[Score] = (), voided: Sequence[Record] = ()) -> Iterator[Table | Page]:
        """The tables, and the page that tells their results; `scores` and `voided` are what it tells beside them."""
        from emaudit.results import results_page
        from emaudit.scores import comparisons, correlations, dissociation, moralprofiles, trajectories

        yield _table("correlations.csv", correlations.COLUMNS, self.correlations)
        yield _table("comparisons.csv", comparisons.COLUMNS, self.comparisons)
        yield _table("trajectories.csv", trajectories.COLUMNS, self.trajectories)
        yield _table("dissociation.csv", dissociation.COLUMNS, self.dissociation)
        yield _table("moral_profiles.csv", moralprofiles.COLUMNS, self.moral_profiles)
        rows = (self.correlations, self.comparisons, self.trajectories, self.dissociation)
        yield Page("results.md", results_page(self.study, *rows, scores, voided, self.cards))


def _table(name: str, columns: Sequence[str], rows: Iterable[Any]) -> Table:
    return Table(name, columns, (astuple(row) for row in rows))
