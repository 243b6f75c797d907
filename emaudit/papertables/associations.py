"""Tables that the paper has in words or figures alone: correlations of measures, and the judge beside people. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from emaudit.papertables.cells import (
    PUBLISHED_NOTE,
    RULE,
    applicable,
    figure_cell,
    interval_cell,
    probability,
    sentence,
    whole,
    words,
)
from emaudit.papertables.model import Cell, Column, PaperTable, Row
from emaudit.scores.agreement.rows import AgreementRow
from emaudit.scores.correlationrow import CorrelationRow

_CORRELATION_HEADINGS = (
    "n",
    "rho",
    "tau-b",
    "95% interval",
    "p within size",
    "p Holm",
    "p unrestricted",
    "rho, recipe alone",
    "p within recipe",
    "rho without one size",
    "95% measurement",
)


Published = Mapping[tuple[str, str, str, str], float | None]
"""(x, y, columns, subset) -> the rho of the paper's published table."""


def correlation_tables(
    rows: Sequence[CorrelationRow],
    published: Sequence[CorrelationRow] = (),
    instruments: Sequence[str] = (),
    labels: Sequence[str] = (),
) -> Iterator[PaperTable]:
    """One table for the headline dimension, one for the totals, each over all variants and over each domain.

    With `published`, the rows of the paper's own table, its rho stands beside each.
    """
    theirs = {(row.x, row.y, row.columns, row.subset): row.rho for row in published}
    for columns in dict.fromkeys(row.columns for row in rows):
        found = [row for row in rows if row.columns == columns]
        is_moral = any("moral_foundations" in (row.x.partition(".")[0], row.y.partition(".")[0]) for row in found)
        yield _correlations(columns, found, theirs, instruments, labels if is_moral else ())


def _correlations(
    columns: str,
    rows: Sequence[CorrelationRow],
    theirs: Published,
    instruments: Sequence[str],
    labels: Sequence[str],
) -> PaperTable:
    presets, judges = sorted({row.preset for row in rows}), sorted({row.judge for row in rows} - {""})
    methods = sorted({row.ci_method for row in rows if row.ci_low is not None})
    families = "Holm's correction is over the three headline pairs of each set of variants, on the p within size."
    return PaperTable(
        number="",
        name=f"table-correlations-{_file_word(columns)}",
        title=f"Correlations across variants, {columns}",
        caption=f"Spearman's rho and Kendall's tau-b over variants. Preset {', '.join(presets)}; judge "
        f"{', '.join(judges) or 'none'}; instruments {', '.join(instruments) or 'none'}; intervals "
        f"{', '.join(methods) or 'none'}.",
        columns=(
            Column("x", False),
            Column("y", False),
            Column("Variants", False),
            *(Column(name) for name in _CORRELATION_HEADINGS),
            *([Column("Published rho")] if theirs else []),
        ),
        rows=tuple(_correlation(row, theirs) for row in rows),
        notes=(
            "Variants that share a base model are not independent: p within size permutes within each size alone. "
            "Recipe alone is the mean rho when values are permuted among variants with the same fine-tune: what the "
            "labels carry without any coupling beyond them.",
            families,
            *([PUBLISHED_NOTE] if theirs else []),
            *labels,
            "Measurement: prompts resampled, variants fixed.",
            RULE,
        ),
        simulated=any(row.simulated for row in rows),
    )


def _correlation(row: CorrelationRow, theirs: Published) -> Row:
    why = sentence(row.undefined_reason)
    excluded = sentence(f"excluded: {row.excluded}") if row.excluded else ""
    cells = (
        words(row.x),
        words(row.y),
        Cell(row.subset, excluded),
        whole(row.n),
        figure_cell(row.rho, why),
        figure_cell(row.tau_b, why),
        interval_cell(row.ci_low, row.ci_high, why),
        _p(row.p_within_size, why),
        _p(row.p_holm, "") if row.p_holm is not None else Cell(""),
        _p(row.p_unrestricted, why),
        figure_cell(row.rho_recipe_only, why),
        _p(row.p_within_recipe, why),
        interval_cell(row.loso_low, row.loso_high, why),
        interval_cell(row.measurement_low, row.measurement_high, why),
    )
    beside = [applicable(theirs.get((row.x, row.y, row.columns, row.subset)))] if theirs else []
    return Row((*cells, *beside), row.subset)


def _p(value: float | None, why: str) -> Cell:
    return Cell(probability(value), why if value is None else "")


def _file_word(text: str) -> str:
    """A word for a file's name: what is neither a letter nor a digit becomes a hyphen."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text.lower())


_AGREEMENT_HEADINGS = (
    "n",
    "Exact",
    "Within one",
    "Kappa",
    "95% interval",
    "Alpha",
    "AC2",
    "Bias",
    "Judge",
    "Corrected",
    "95% interval",
)


def agreement_table(rows: Sequence[AgreementRow]) -> PaperTable | None:
    """The judge beside people, people beside one another, judges beside one another; None where nobody is."""
    if not rows:
        return None
    return PaperTable(
        number="",
        name="table-agreement",
        title="Agreement on scores",
        caption="Agreement of the judge with people, of people and of judges with one another, weighted to the "
        f"stored replies by design. Judges {', '.join(sorted({row.judge for row in rows} - {''})) or 'none'}.",
        columns=(
            Column("Variant", False),
            Column("Measure", False),
            Column("Pair", False),
            Column("Raters", False),
            *(Column(name) for name in _AGREEMENT_HEADINGS),
        ),
        rows=tuple(_agreement(row) for row in rows),
        notes=(
            "n counts the units that both scored. Kappa is quadratic on fixed categories, alpha Krippendorff's "
            "ordinal, AC2 Gwet's; bias is the first rater less the second. Corrected is the stratified difference "
            "estimate from people's labels, beside the judge's value and never instead of it. An empty cell does not "
            "belong to its pair.",
            RULE,
        ),
        simulated=any(row.simulated for row in rows),
    )


def _agreement(row: AgreementRow) -> Row:
    def figure(column: str) -> Cell:
        return applicable(getattr(row, column), _why(row, column))

    cells = (
        words(row.variant),
        words(f"{row.assessment}, {row.measure}"),
        words(row.pair),
        words(", ".join(name for name in (row.judge, row.reviewer) if name)),
        whole(row.n),
        figure("exact"),
        figure("within_one"),
        figure("kappa_quadratic"),
        interval_cell(row.kappa_low, row.kappa_high, _why(row, "kappa_low")),
        figure("alpha_ordinal"),
        figure("ac2"),
        figure("bias"),
        figure("value_judge"),
        figure("value_corrected"),
        interval_cell(row.corrected_low, row.corrected_high, _why(row, "corrected_low")),
    )
    return Row(cells, row.assessment)


def _why(row: AgreementRow, column: str) -> str:
    return sentence(row.reasons.get(column, ""))
