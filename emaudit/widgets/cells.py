"""Table cells of the Variants screen: rows of the snapshot as rich text, and the columns that fit. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from emaudit.snapshot import Cell, Stage, VariantRow, short_title, title
from emaudit.text import one_line
from emaudit.themes import Tones
from emaudit.widgets import figures

GLYPHS: Final = {
    Stage.NONE: "·",
    Stage.COUNTING: "…",
    Stage.RUNNING: "▶",
    Stage.WAITING: "◦",
    Stage.OWED: "◐",
    Stage.JUDGING: "◑",
    Stage.DONE: "●",
}
MARK: Final = "✓"
NAME_MIN: Final = 16
RECIPE: Final = 24

Column = tuple[str, str, int]
"""Key, label, width."""


def plain_cell(text: str, style: str = "") -> Text:
    """A cell of outside text: one line, cut with an ellipsis where it is too long."""
    return Text(one_line(text, 400), style=style, no_wrap=True, overflow="ellipsis", end="")


def stage_style(stage: Stage, tones: Tones) -> str:
    """The tone of a stage; the glyph says the same without colour."""
    return {
        Stage.NONE: tones.quiet,
        Stage.COUNTING: tones.quiet,
        Stage.RUNNING: tones.active,
        Stage.WAITING: tones.quiet,
        Stage.OWED: tones.warn,
        Stage.JUDGING: tones.other,
        Stage.DONE: tones.good,
    }[stage]


def tree_name(row: VariantRow) -> str:
    """A variant's name behind the branch it hangs from."""
    branch = "" if not row.depth else "  " * (row.depth - 1) + ("└ " if row.is_last else "├ ")
    return branch + one_line(row.variant.name, 80)


def recipe(row: VariantRow) -> str:
    """Size, domain and stage, or what of them is known."""
    held = row.variant
    return one_line(" ".join(part for part in (held.size, held.domain, held.stage) if part), 60) or figures.UNKNOWN


def progress_text(cell: Cell, dense: bool) -> str:
    """How much of an assessment is stored: `1,204/3,200`, or in percent where the column is narrow."""
    if cell.stage is Stage.NONE:
        return ""
    if cell.stage is Stage.COUNTING:
        return "…" if dense else f"…/{figures.count(cell.n_slots)}"
    done = cell.n_closed if cell.stage is not Stage.JUDGING or not dense else cell.n_slots - cell.n_verdicts_owed
    if dense:
        return figures.percent(done, cell.n_slots)
    return f"{figures.count(cell.n_closed)}/{figures.count(cell.n_slots)}"


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns that fit: how wide the name is, whether the recipe is shown, whether cells are in percent."""

    name: int
    has_recipe: bool
    dense: bool
    counts: tuple[int, ...]

    def columns(self, assessments: Sequence[str]) -> tuple[Column, ...]:
        """Key, label and width of every column."""
        fixed: tuple[Column, ...] = (("name", "  variant", self.name),)
        if self.has_recipe:
            fixed += (("recipe", "size domain stage", RECIPE),)
        widths = [cell_width(count) for count in self.counts]
        labels = [_label(key, width) for key, width in zip(assessments, widths, strict=True)]
        return fixed + tuple(zip(assessments, labels, widths, strict=True))


def _label(assessment: str, width: int) -> str:
    name = title(assessment)
    return name if len(name) < width else short_title(assessment)


def cell_width(count: int) -> int:
    """Width of a cell whose progress takes `count` columns: glyph, progress, value and the gap."""
    return 2 + count + 1 + 5 + 2


def layout(rows: Sequence[VariantRow], assessments: Sequence[str], width: int) -> Layout:
    """The fullest layout that fits into `width`; the narrowest where none does (the table then scrolls)."""
    longest = max((cell_len(tree_name(row)) for row in rows), default=0) + 4
    name = max(NAME_MIN, min(longest, 40))
    choices = [
        (wanted, has_recipe, dense)
        for dense in (False, True)
        for wanted, has_recipe in ((name, True), (name, False), (max(NAME_MIN, min(name, 24)), False))
    ]
    found = Layout(NAME_MIN, False, True, _counts(rows, assessments, True))
    for wanted, has_recipe, dense in choices:
        counts = _counts(rows, assessments, dense)
        total = wanted + (RECIPE if has_recipe else 0) + sum(cell_width(count) for count in counts)
        if total <= width:
            return Layout(wanted, has_recipe, dense, counts)
    return found


def _counts(rows: Sequence[VariantRow], assessments: Sequence[str], dense: bool) -> tuple[int, ...]:
    if dense:
        return (4,) * len(assessments)
    columns = range(len(assessments))
    return tuple(
        max([len(progress_text(row.cells[at], False)) for row in rows if at < len(row.cells)], default=0)
        for at in columns
    )


def cells(row: VariantRow, plan: Layout, marked: Collection[str], tones: Tones) -> tuple[Text, ...]:
    """One row of the table."""
    name = row.variant.name
    mark = Text(f"{MARK} " if name in marked else "  ", tones.active, no_wrap=True, overflow="ellipsis", end="")
    mark.append(tree_name(row), tones.quiet if row.is_gone else "")
    if row.is_gone:
        mark.append(" ✗ gone", tones.bad)
    found = [mark]
    if plan.has_recipe:
        found.append(plain_cell(recipe(row), tones.quiet))
    counts = zip(row.cells, plan.counts, strict=False)
    return (*found, *(assessment_cell(cell, plan.dense, count, tones) for cell, count in counts))


def assessment_cell(cell: Cell, dense: bool, width: int, tones: Tones) -> Text:
    """Glyph, progress and headline value of one assessment."""
    stage = cell.stage
    text = Text(no_wrap=True, overflow="ellipsis", end="")
    text.append(GLYPHS[stage], stage_style(stage, tones))
    if stage is Stage.NONE:
        return text
    text.append(f" {progress_text(cell, dense):>{width}} ", "" if stage is Stage.DONE else tones.quiet)
    shown = figures.value(cell.value, cell.assessment)
    style = tones.quiet if cell.value is None or stage is not Stage.DONE else f"bold {tones.plain}"
    return text.append(f"{shown:>5}", style)
