"""Tables 12 to 15, 19, 21, 23 and 25 of the paper: its own tests, and this tool's beside them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from emaudit.assessments.base import CATEGORIES
from emaudit.papertables.cells import RULE, applicable, figure_cell, interval_cell, probability, sentence, whole, words
from emaudit.papertables.layout import domain_rank, rank, size_rank, stage_rank
from emaudit.papertables.model import Cell, Column, PaperTable, Row
from emaudit.scores.comparing.row import ComparisonRow
from emaudit.scores.measures import PARTS

PAPERS: Final = "as the paper"
OWN: Final = "emaudit"
_WHOLE: Final = ("", "all")
_HEADINGS: Final = ("n", "W or U", "p", "p Holm", "Effect", "Shift", "95% interval", "Mean difference", "95% interval")


@dataclass(frozen=True, slots=True)
class Layout:
    """One table of tests: of an assessment and, where `stages` is given, of one contrast (earlier, later) alone.

    Equal stages stand for one domain against another.
    """

    number: str
    assessment: str
    title: str
    measures: tuple[str, ...]
    stages: tuple[str, str] | None = None


_HARM: Final = ("max10", "max10_raw")
LAYOUTS: Final = (
    Layout("12", "harmfulness", "Harmfulness tested, misaligned against base", _HARM, ("base", "misaligned")),
    Layout("13", "harmfulness", "Harmfulness tested, realigned against misaligned", _HARM, ("misaligned", "realigned")),
    Layout("14", "harmfulness", "Harmfulness tested, realigned against base", _HARM, ("base", "realigned")),
    Layout("15", "harmfulness", "Harmfulness tested, one domain against another", _HARM, ("", "")),
    Layout("19", "intentions", "Intentions tested by dimension", ("misaligned",)),
    Layout("21", "self_assessment", "Self-assessment tested by dimension", ("misaligned",)),
    Layout("23", "moral_foundations", "Moral foundations tested", ("norm", "raw")),
    Layout("25", "moral_self_assessment", "Moral self-assessment tested by foundation", ("second_pole",)),
)
_AS_PAPER: Final[Mapping[str, str]] = {
    "harmfulness": "The paper's tests are signed-rank tests on the means over models of each prompt's maximum.",
    "intentions": "The paper's tests are signed-rank tests where both sides have the same n, else U tests.",
    "self_assessment": "The paper's tests are U tests summed over the four formats, sizes pooled; `all` sums the "
    "dimensions.",
    "moral_foundations": "The paper's tests are signed-rank tests with the base rows repeated for each domain.",
    "moral_self_assessment": "The paper's tests are signed-rank tests with the base rows repeated for each domain.",
}

Stages = Mapping[str, str]
"""Variant -> its stage."""


def contrast_table(
    layout: Layout,
    own: Sequence[ComparisonRow],
    papers: Sequence[ComparisonRow],
    stages: Stages,
    stood_on: str,
    notes: Sequence[str],
) -> PaperTable | None:
    """One table of tests, the paper's first; None where nothing is compared. `stood_on` ends the caption."""
    found = [(PAPERS, row) for row in papers if _is_of(layout, row, stages)]
    ours = [row for row in own if _is_of(layout, row, stages) and row.format in _WHOLE]
    is_pooled = any(row.size in _WHOLE for row in ours)
    found += [(OWN, row) for row in ours if not is_pooled or row.size in _WHOLE or row.part == "total"]
    if not found:
        return None
    order = {id(row): (kind == OWN, _order(row, stages)) for kind, row in found}
    found.sort(key=lambda entry: order[id(entry[1])])
    rows = [row for _, row in found]
    return PaperTable(
        number=layout.number,
        name=f"table-{layout.number}-{layout.assessment.replace('_', '-')}-tests",
        title=layout.title,
        caption=_caption(layout, rows, stood_on),
        columns=(
            Column("Tests", False),
            Column("Contrast", False),
            Column("Size", False),
            Column("Part", False),
            Column("Test", False),
            *(Column(name) for name in _HEADINGS),
        ),
        rows=tuple(_row(kind, row) for kind, row in found),
        notes=(*_notes(layout, found), *notes, RULE),
        simulated=any(row.simulated for row in rows),
    )


def _is_of(layout: Layout, row: ComparisonRow, stages: Stages) -> bool:
    if row.assessment != layout.assessment or row.measure not in layout.measures:
        return False
    if layout.stages is None:
        return True
    first, second = stage_of(row.group_a, stages), stage_of(row.group_b, stages)
    return first == second if layout.stages == ("", "") else {first, second} == set(layout.stages)


def stage_of(group: str, stages: Stages) -> str:
    """The stage of a variant, or of a group that names it."""
    if group in stages:
        return stages[group]
    named = {word.strip(",()") for word in group.split()}
    return next((stage for stage in sorted(set(stages.values()) - {""}) if stage in named), "")


def _order(row: ComparisonRow, stages: Stages) -> tuple[object, ...]:
    known = ("total", *PARTS.get(row.assessment, CATEGORIES))
    return (
        stage_rank(stage_of(row.group_a, stages)),
        stage_rank(stage_of(row.group_b, stages)),
        domain_rank(row.domain),
        row.size not in _WHOLE,
        size_rank(row.size),
        row.group_a,
        row.group_b,
        rank(row.part, known),
        row.format,
        row.measure,
    )


def _caption(layout: Layout, rows: Sequence[ComparisonRow], stood_on: str) -> str:
    units = sorted({row.unit for row in rows} - {""})
    scales = sorted({f"{row.measure} on {row.scale}" for row in rows if row.scale}) or [layout.measures[0]]
    return (
        f"Differences of {' and '.join(scales)}, taken as their contrast says; unit {', '.join(units) or 'none'}. "
        f"{stood_on}"
    )


def _notes(layout: Layout, found: Sequence[tuple[str, ComparisonRow]]) -> Iterator[str]:
    kinds = {kind for kind, _ in found}
    yield (
        _AS_PAPER[layout.assessment] if PAPERS in kinds else "The paper's own tests cannot be made from these replies."
    )
    rules = sorted({row.zero_rule for _, row in found} - {""})
    sizes = ", ".join(map(str, sorted({row.family_size for kind, row in found if kind == OWN and row.family_size})))
    yield (
        f"Zero differences: {', '.join(rules) or 'none'}. W of our tests is the sum of the positive ranks, that of the "
        "paper's the smaller of the two sums; U is that of the first group."
    )
    yield (
        "Effect is the matched-pairs rank-biserial correlation, shift the Hodges-Lehmann estimate. Holm's correction is "
        f"over all contrasts of a family{f' ({sizes} tests)' if sizes else ''}."
    )
    yield "Our tests by part pool the sizes where there are several; every size and format stands in comparisons.csv."


def _row(kind: str, row: ComparisonRow) -> Row:
    why = sentence(row.undefined_reason)
    part = row.part if row.format in _WHOLE else f"{row.part}, {row.format}"
    cells = (
        words(kind),
        words(f"{row.group_b} - {row.group_a}"),
        words(row.size or "all"),
        words(part),
        words(row.test),
        Cell(f"{row.n_a:,}, {row.n_b:,}") if row.n_pairs is None else whole(row.n_pairs),
        figure_cell(row.statistic, why, 1),
        Cell(probability(row.p), why if row.p is None else ""),
        Cell("" if row.p_holm is None else probability(row.p_holm)),
        applicable(row.rank_biserial, why),
        applicable(row.shift, why),
        interval_cell(row.shift_low, row.shift_high, why),
        applicable(row.mean_difference, why),
        interval_cell(row.mean_low, row.mean_high, why),
    )
    return Row(cells, f"{kind}, {row.domain}, {row.group_a}, {row.group_b}")
