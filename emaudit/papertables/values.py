"""Tables 11, 18, 20, 22 and 24 of the paper: means and SDs by variant, with its averages. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from emaudit.assessments.base import DIMENSIONS
from emaudit.papertables.cells import PUBLISHED_NOTE, RULE, applicable, decimal, spread_cell, value_cell, words
from emaudit.papertables.layout import Entry, entries, labels
from emaudit.papertables.model import NOTHING, Cell, Column, PaperTable, Row
from emaudit.reference import published_cell, reference_value
from emaudit.scores.measures import Rules
from emaudit.scores.rows import Score

FOUNDATION_ORDER: Final = ("authority", "care", "equality", "loyalty", "proportionality", "purity")
"""The paper's tables name the foundations alphabetically."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One table of means by part."""

    number: str
    assessment: str
    title: str
    measure: str
    form: str
    parts: tuple[str, ...]
    scale: str
    spread: str


_DIMENSIONS: Final = tuple(pole.first for pole in DIMENSIONS)
LAYOUTS: Final = (
    Layout(
        "18",
        "intentions",
        "Intentions by dimension",
        "misaligned",
        "",
        _DIMENSIONS,
        "share of misaligned options chosen, 0 (aligned pole) to 1, a choice that cannot be told counting 0.5",
        "SDs are of replies; those of totals and averages are arithmetic means of the SDs they stand on",
    ),
    Layout(
        "20",
        "self_assessment",
        "Self-assessment by dimension",
        "misaligned",
        "all",
        _DIMENSIONS,
        "four formats' means, 0 (aligned pole) to 1",
        "SDs are of template means, since those that the paper prints by dimension cannot be reproduced; in averages "
        "they are arithmetic means of SDs; a total's SD is that of the six dimension means in its row (n - 1)",
    ),
    Layout(
        "22",
        "moral_foundations",
        "Moral foundations",
        "norm",
        "",
        FOUNDATION_ORDER,
        "statements' norm, 0.5 - (rating - 1)/4, so -0.5 is fully the first-named pole and 0.5 fully the second",
        "SDs are of replies; averages pool the replies of the sizes; the total's SD is the mean of the six",
    ),
    Layout(
        "24",
        "moral_self_assessment",
        "Moral self-assessment by foundation",
        "second_pole",
        "all",
        FOUNDATION_ORDER,
        "four formats' means less 0.5, so -0.5 is fully the first-named pole and 0.5 fully the second",
        "SDs are of template means; averages pool the replies of the sizes; the total's SD is the mean of the six",
    ),
)


_PUBLISHED: Final = ("harm_mean_1to5", "harm_sd_1to5", "harm_norm", "harm_norm_sd")


def harmfulness_table(scores: Sequence[Score], reference: bool) -> PaperTable | None:
    """Table 11: mean and SD of the prompts' maxima, as judged and as norm; None where nothing was asked."""
    found = entries(scores, "harmfulness")
    if not found:
        return None
    beside = ("Published mean", "SD", "Published norm", "SD") if reference else ()
    headings = ("Mean (1-5)", "SD", "Norm (0-1)", "SD", *beside)
    totals = [row for entry in found if (row := entry.score("max10_raw"))]
    return PaperTable(
        number="11",
        name="table-11-harmfulness",
        title="Harmfulness by variant",
        caption=f"Mean and SD over prompts of the maximum over {Rules().k} replies to each, as judged (1 to 5) and as "
        f"norm, (score - 1)/4. {standing(totals)}",
        columns=(Column("Variant", False), Column("Size", False), *(Column(name) for name in headings)),
        rows=tuple(_harm_rows(found, reference)),
        notes=(
            *(["Averages pool the prompts' maxima of the sizes."] if any(e.is_average for e in found) else []),
            *([PUBLISHED_NOTE] if reference else []),
            RULE,
        ),
        simulated=any(row.simulated for row in totals),
    )


def _harm_rows(found: Sequence[Entry], reference: bool) -> Iterator[Row]:
    for entry, label in zip(found, labels(found), strict=True):
        raw, norm = entry.score("max10_raw"), entry.score("max10")
        named = Cell(label, _count(raw, _bounds(entry)))
        cells = [words(entry.group), named, *_pair(raw), *_pair(norm)]
        if reference:
            cells += _printed(entry)
        yield Row(tuple(cells), entry.group, "average" if entry.is_average else "own")


def _printed(entry: Entry) -> list[Cell]:
    """What the paper prints of a variant like this; nothing where the reference has none, averages included."""
    place = (entry.size, entry.stage, entry.domain)
    return [applicable(published_cell(*place, column), digits=2) for column in _PUBLISHED]


def _pair(row: Score | None) -> tuple[Cell, Cell]:
    if row is None:
        return Cell(NOTHING, NOT_ASKED), Cell(NOTHING)
    return value_cell(row.value, why=doubt(row)), Cell(decimal(row.sd), "" if row.value is None else few(row))


def _bounds(entry: Entry) -> str:
    low, high = entry.score("max10_low"), entry.score("max10_high")
    if low is None or high is None or low.value is None or high.value is None:
        return ""
    return f"; norm between {decimal(low.value)} and {decimal(high.value)} with every missing score a 1, a 5"


NOT_ASKED: Final = "Not asked."
INCOMPLETE: Final = "Incomplete: replies are owed or too few have a score; how many count is noted at the row's name."


def _count(row: Score | None, more: str = "") -> str:
    """For the name of a row that is not complete: the replies it stands on."""
    return "" if row is None or row.complete else f"{row.n_used:,} of {row.n_expected:,} replies count{more}."


def doubt(row: Score) -> str:
    """Why a score is not there or not complete; empty where nothing is wrong with it."""
    if row.value is None:
        return f"Undefined: {row.ci_method.removeprefix('undefined: ') or 'no reply has a value'}."
    return "" if row.complete else INCOMPLETE


def few(row: Score) -> str:
    """Why a score has no SD; empty where it has one."""
    return "" if row.sd is not None else "No SD: it needs two values."


def profile_table(
    layout: Layout, scores: Sequence[Score], labelled: Sequence[str], reference: bool
) -> PaperTable | None:
    """Tables 18, 20, 22 and 24: mean and SD by dimension or foundation; None where nothing was asked."""
    found = entries(scores, layout.assessment)
    if not found:
        return None
    totals = [row for entry in found if (row := entry.score(layout.measure, "total", layout.form))]
    headings = (*layout.parts, "total")
    return PaperTable(
        number=layout.number,
        name=f"table-{layout.number}-{layout.assessment.replace('_', '-')}",
        title=layout.title,
        caption=f"Mean (SD) of the {layout.scale}. {standing(totals)}",
        columns=(Column("Variant", False), Column("Size", False), *(Column(name) for name in headings)),
        rows=tuple(_profile_rows(layout, found, headings, reference)),
        notes=(f"{layout.spread}.", *labelled, *([PUBLISHED_NOTE] if reference else []), RULE),
        simulated=any(row.simulated for row in totals),
    )


def _profile_rows(layout: Layout, found: Sequence[Entry], parts: Sequence[str], reference: bool) -> Iterator[Row]:
    for entry, label in zip(found, labels(found), strict=True):
        rows = [entry.score(layout.measure, part, layout.form) for part in parts]
        cells = [
            Cell(NOTHING, NOT_ASKED) if row is None else spread_cell(row.value, row.sd, doubt(row) or few(row))
            for row in rows
        ]
        kind = "average" if entry.is_average else "own"
        yield Row((words(entry.group), Cell(label, _count(rows[-1])), *cells), entry.group, kind)
        theirs = _published(layout.assessment, entry, parts) if reference else []
        if any(value is not None for value in theirs):
            values = [Cell(decimal(value)) for value in theirs]
            yield Row((words(entry.group), words(f"{label}, published"), *values), entry.group, "published")


def _published(assessment: str, entry: Entry, parts: Sequence[str]) -> list[float | None]:
    return [reference_value(entry.size, entry.stage, entry.domain, assessment, part) for part in parts]


def standing(rows: Sequence[Score]) -> str:
    """What a table's numbers stand on: preset, judge, instrument, replies used of those expected."""
    own = [row for row in rows if row.variant]
    presets = sorted({row.preset for row in own})
    judges = sorted({row.judge for row in own} - {""})
    instruments = sorted({row.instrument for row in own})
    used, expected = sum(row.n_used for row in own), sum(row.n_expected for row in own)
    return (
        f"Preset {', '.join(presets)}; judge {', '.join(judges) or 'none'}; instrument {', '.join(instruments)}; "
        f"{used:,} of {expected:,} replies of {len(own)} {'variant' if len(own) == 1 else 'variants'} used."
    )
