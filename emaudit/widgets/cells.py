"""Table cells of the Variants screen: rows of the snapshot as rich text, and the columns that fit. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from emaudit.text import one_line
from emaudit.themes import Tones
from emaudit.watch.snapshot import Cell, Stage, VariantRow, short_title, title
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


def plain_cell(text: str, width: int, style: str = "") -> Text:
    """A cell of outside text: one line, cut with an ellipsis so that a gap stays to the next column."""
    cell = Text(one_line(text, 400), style=style, no_wrap=True, overflow="ellipsis", end="")
    cell.truncate(max(1, width - 1), overflow="ellipsis")
    return cell


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
    return row.branch + one_line(row.variant.name, 80)


def recipe(row: VariantRow) -> str:
    """Size, domain and stage, or what of them is known."""
    held = row.variant
    return one_line(" ".join(part for part in (held.size, held.domain, held.stage) if part), 60) or figures.UNKNOWN


def progress_text(cell: Cell) -> str:
    """How much of an assessment is stored: `1,204/3,200`."""
    if cell.stage is Stage.NONE:
        return ""
    done = "…" if cell.stage is Stage.COUNTING else figures.count(cell.n_closed)
    return f"{done}/{figures.count(cell.n_slots)}"


def percent_text(cell: Cell) -> str:
    """How much of an assessment is stored, in percent; of its verdicts, where all replies are."""
    if cell.stage in {Stage.NONE, Stage.COUNTING}:
        return ""
    done = cell.n_slots - cell.n_verdicts_owed if cell.stage is Stage.JUDGING else cell.n_closed
    return figures.percent(done, cell.n_slots)


class Form(StrEnum):
    """How an assessment's cell is written, the fullest first."""

    WHOLE = "glyph, count, value"
    TALL = "glyph and value over the count"
    PERCENT = "glyph, percent, value"
    TERSE = "glyph, and value or percent"


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns that fit: how wide the name is, whether the recipe has a column, how cells are written."""

    name: int
    form: Form
    counts: tuple[int, ...]
    """Width of the widest count of each assessment."""
    has_recipe: bool = False
    gap: int = 2

    @property
    def height(self) -> int:
        """Lines of a row."""
        return 2 if self.form is Form.TALL else 1

    def columns(self, assessments: Sequence[str]) -> tuple[Column, ...]:
        """Key, label and width of every column."""
        fixed: tuple[Column, ...] = (("name", "  variant", self.name),)
        if self.has_recipe:
            fixed += (("recipe", "size domain stage", RECIPE),)
        widths = self.widths(assessments)
        labels = [_label(key, width) for key, width in zip(assessments, widths, strict=True)]
        return fixed + tuple(zip(assessments, labels, widths, strict=True))

    def widths(self, assessments: Sequence[str]) -> list[int]:
        """The width of every assessment's column, with the gap behind it."""
        return [self._width(key, count) + self.gap for key, count in zip(assessments, self.counts, strict=True)]

    def _width(self, assessment: str, count: int) -> int:
        value = figures.value_width(assessment)
        return {
            Form.WHOLE: 2 + count + 1 + value,
            Form.TALL: max(2 + value, 2 + count),
            Form.PERCENT: 2 + 4 + 1 + value,
            Form.TERSE: 2 + value,
        }[self.form]

    def total(self, assessments: Sequence[str]) -> int:
        """The width of all columns."""
        return self.name + (RECIPE if self.has_recipe else 0) + sum(self.widths(assessments))


def _label(assessment: str, width: int) -> str:
    name = title(assessment)
    return name if len(name) < width else short_title(assessment)


def layout(rows: Sequence[VariantRow], assessments: Sequence[str], width: int, height: int) -> Layout:
    """The fullest layout that fits into `width`, two lines a row where `height` has room for all rows."""
    longest = max((cell_len(tree_name(row)) + (7 if row.is_gone else 0) for row in rows), default=0) + 4
    name = max(NAME_MIN, min(longest, 40))
    tall = max([name, *(cell_len(row.branch + recipe(row)) + 4 for row in rows)])
    cut = max(NAME_MIN, min(name, 24))
    counts = _counts(rows, len(assessments))
    choices = [
        Layout(name, Form.WHOLE, counts, has_recipe=True),
        Layout(name, Form.WHOLE, counts),
        *([Layout(tall, Form.TALL, counts)] if 2 * len(rows) <= height else []),
        Layout(name, Form.PERCENT, counts, has_recipe=True),
        Layout(name, Form.PERCENT, counts),
        Layout(cut, Form.PERCENT, counts, gap=1),
        Layout(name, Form.TERSE, counts),
    ]
    narrowest = Layout(NAME_MIN, Form.TERSE, counts, gap=1)
    return next((choice for choice in choices if choice.total(assessments) <= width), narrowest)


def _counts(rows: Sequence[VariantRow], n: int) -> tuple[int, ...]:
    return tuple(
        max([len(progress_text(row.cells[at])) for row in rows if at < len(row.cells)], default=0) for at in range(n)
    )


def cells(row: VariantRow, plan: Layout, marked: Collection[str], tones: Tones) -> tuple[Text, ...]:
    """One row of the table."""
    found = [_name_cell(row, plan, row.variant.name in marked, tones)]
    if plan.has_recipe:
        found.append(plain_cell(recipe(row), RECIPE, tones.quiet))
    counts = zip(row.cells, plan.counts, strict=False)
    return (*found, *(assessment_cell(cell, plan.form, count, tones) for cell, count in counts))


def _name_cell(row: VariantRow, plan: Layout, is_marked: bool, tones: Tones) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis", end="")
    text.append(f"{MARK} " if is_marked else "  ", tones.active)
    text.append(row.branch, tones.quiet)
    text.append(one_line(row.variant.name, 80), tones.quiet if row.is_gone else tones.plain)
    text.truncate(plan.name - (9 if row.is_gone else 1), overflow="ellipsis")
    if row.is_gone:
        text.append(" ✗ gone", tones.bad)
    if plan.form is Form.TALL:
        stem = "".join("│" if character in "│├" else " " for character in row.branch)
        text.append(f"\n  {stem}{recipe(row)}", tones.quiet)
    return text


def assessment_cell(cell: Cell, form: Form, width: int, tones: Tones) -> Text:
    """Glyph, progress and headline value of one assessment."""
    stage = cell.stage
    text = Text(no_wrap=True, overflow="ellipsis", end="")
    text.append(GLYPHS[stage], stage_style(stage, tones))
    if stage is Stage.NONE:
        return text
    value = f"{figures.value(cell.value, cell.assessment):>{figures.value_width(cell.assessment)}}"
    value_style = tones.quiet if cell.value is None or stage is not Stage.DONE else f"bold {tones.plain}"
    count_style = tones.quiet if stage is not Stage.DONE or form is Form.TALL else ""
    if form is Form.TALL:
        return text.append(f" {value}", value_style).append(f"\n  {progress_text(cell)}", count_style)
    if form is Form.TERSE:
        shown = value if stage is Stage.DONE else f"{percent_text(cell):>{len(value)}}"
        return text.append(f" {shown}", value_style)
    progress = f"{progress_text(cell):>{width}}" if form is Form.WHOLE else f"{percent_text(cell):>4}"
    return text.append(f" {progress} ", count_style).append(value, value_style)
