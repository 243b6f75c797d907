"""Tables 12 to 15, 19, 21, 23 and 25 of the paper: its own tests, and this tool's beside them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from emaudit.assessments.base import CATEGORIES
from emaudit.papertables.cells import RULE, applicable, figure_cell, interval_cell, probability, sentence, whole, words
from emaudit.papertables.layout import domain_rank, rank, size_rank, stage_rank
from emaudit.papertables.model import Cell, Column, PaperTable, Row
from emaudit.scores.comparing.contrasts import ALL
from emaudit.scores.comparing.paper import AS_PAPER, PaperRow
from emaudit.scores.comparing.row import ComparisonRow
from emaudit.scores.measures import PARTS

PAPERS: Final = "as the paper"
OWN: Final = "emaudit"
UNKNOWN: Final = "unknown"
"""What stands for a size that nobody recorded."""
_WHOLE: Final = ("", ALL)
"""The formats of a row over all of them."""
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
    "harmfulness": "The paper's tests are signed-rank tests on the means over models of each prompt's maximum; which "
    "of its tables 12 to 15 holds which contrast is inferred.",
    "intentions": "The paper's tests are signed-rank tests where both sides have the same n, else U tests.",
    "self_assessment": "The paper's tests are U tests summed over the four formats, sizes pooled; the total's over "
    "the dimensions too.",
    "moral_foundations": "The paper's tests are signed-rank tests with the base rows repeated for each domain.",
    "moral_self_assessment": "The paper's tests are signed-rank tests with the base rows repeated for each domain.",
}

Stages = Mapping[str, str]
"""Variant -> its stage."""


def contrast_table(
    layout: Layout,
    own: Sequence[ComparisonRow],
    papers: Sequence[PaperRow],
    stages: Stages,
    stood_on: str,
    notes: Sequence[str],
) -> PaperTable | None:
    """One table of tests, the paper's first; None where nothing is compared. `stood_on` ends the caption."""
    found = [(PAPERS, entry.row) for entry in papers if entry.table == layout.number]
    ours = [row for row in own if _is_of(layout, row, stages) and row.format in _WHOLE]
    is_pooled = any(row.size == ALL for row in ours)
    found += [(OWN, row) for row in ours if not is_pooled or row.size == ALL or row.part == "total"]
    if not found:
        return None
    order = {id(row): (kind == OWN, _order(row, stages)) for kind, row in found}
    found.sort(key=lambda entry: order[id(entry[1])])
    rows = [row for _, row in found]
    return PaperTable(
        number=layout.number,
        name=f"table-{layout.number}-{layout.assessment.replace('_', '-')}-tests",
        title=layout.title,
        caption=_caption(layout, found, stood_on),
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
        row.size != ALL,
        size_rank(row.size),
        row.group_a,
        row.group_b,
        rank(row.part, known),
        row.format,
        row.measure,
    )


def _caption(layout: Layout, found: Sequence[tuple[str, ComparisonRow]], stood_on: str) -> str:
    scales = sorted({f"{row.measure} on {row.scale}" for _, row in found if row.scale}) or [layout.measures[0]]
    units = [
        f"{kind}: {' or '.join(names)}"
        for kind in (PAPERS, OWN)
        if (names := sorted({row.unit for of, row in found if of == kind} - {""}))
    ]
    return f"Differences of {' and '.join(scales)}, taken as their contrast says. Unit {'; '.join(units)}. {stood_on}"


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
        "Effect is the rank-biserial correlation, of matched pairs or of U, shift the Hodges-Lehmann estimate. Holm's "
        f"correction is over all contrasts of a family{f' ({sizes} tests)' if sizes else ''}."
    )
    yield "Our tests by part pool the sizes where there are several; every size and format stands in comparisons.csv."


def _row(kind: str, row: ComparisonRow) -> Row:
    why = sentence(row.undefined_reason)
    part = row.part if row.format in _WHOLE else f"{row.part}, {row.format}"
    cells = (
        words(kind),
        words(f"{row.group_b} - {row.group_a}"),
        words(row.size or UNKNOWN),
        words(part),
        _test(row.test.removeprefix(f"{AS_PAPER}: ")),
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


def _test(name: str) -> Cell:
    """The test's short name; what more there is to say of it as a note."""
    short = next((known for known in ("signed-rank", "Mann-Whitney") if name.startswith(known)), name)
    return Cell(short, "" if name in (short, f"{short}, exact") else sentence(name))
