"""Every table of one export, in the paper's order, and what is left out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emaudit.papertables.associations import agreement_table, correlation_tables
from emaudit.papertables.contrasts import LAYOUTS as CONTRASTS
from emaudit.papertables.contrasts import contrast_table
from emaudit.papertables.model import PaperTable
from emaudit.papertables.values import LAYOUTS as PROFILES
from emaudit.papertables.values import harmfulness_table, profile_table, standing
from emaudit.scores.agreement.rows import AgreementRow
from emaudit.scores.comparing.paper import PaperRow
from emaudit.scores.comparing.row import ComparisonRow
from emaudit.scores.correlationrow import CorrelationRow
from emaudit.scores.measures import HEADLINE
from emaudit.scores.rows import Score


@dataclass(frozen=True)
class Figures:
    """What the tables are made of: the rows of scores.csv, comparisons.csv, correlations.csv and agreement.csv.

    `as_paper` are the paper's own tests; `labels` the warnings that instruments carry, `published` the
    correlations of the reference.
    """

    scores: Sequence[Score]
    comparisons: Sequence[ComparisonRow] = ()
    as_paper: Sequence[PaperRow] = ()
    correlations: Sequence[CorrelationRow] = ()
    agreement: Sequence[AgreementRow] = ()
    published: Sequence[CorrelationRow] = ()
    labels: Sequence[str] = ()


def tables(figures: Figures, reference: bool = False) -> list[PaperTable]:
    """Every table that can be made; `reference` lays the paper's published values beside one's own."""
    stages = {row.variant: row.stage for row in figures.scores if row.variant}
    made = [harmfulness_table(figures.scores, reference)]
    made += [
        profile_table(layout, figures.scores, _notes(figures, layout.assessment), reference) for layout in PROFILES
    ]
    made += [
        contrast_table(
            layout,
            figures.comparisons,
            figures.as_paper,
            stages,
            _stood_on(figures.scores, layout.assessment),
            _notes(figures, layout.assessment),
        )
        for layout in CONTRASTS
    ]
    paper = sorted((table for table in made if table is not None), key=lambda table: int(table.number))
    instruments = sorted({row.instrument for row in figures.scores})
    published = figures.published if reference else ()
    further = [*correlation_tables(figures.correlations, published, instruments, sorted(figures.labels))]
    agreement = agreement_table(figures.agreement)
    return [*paper, *further, *([agreement] if agreement else [])]


def _notes(figures: Figures, assessment: str) -> list[str]:
    return sorted(figures.labels) if assessment == "moral_foundations" else []


def _stood_on(scores: Sequence[Score], assessment: str) -> str:
    """Preset, judge, instrument and replies of an assessment, as its table of means says them."""
    wanted = (assessment, HEADLINE[assessment], "total")
    totals = [
        row
        for row in scores
        if (row.assessment, row.measure, row.part) == wanted and row.format in ("", "all") and row.variant
    ]
    return standing(totals) if totals else ""
