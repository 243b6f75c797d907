"""Queues as table cells and lines. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.text import Text
from textual.content import Content

from emaudit.reviewing.spotchecks import QueueRow, Rater
from emaudit.text import one_line
from emaudit.themes import Tones
from emaudit.watch.snapshot import title
from emaudit.widgets import figures
from emaudit.widgets.cells import Column, plain_cell

_LABELS: Final = {
    "name": "queue",
    "done": "done",
    "raters": "raters",
    "design": "design",
    "judge": "judge",
    "assessment": "assessment",
}
_GIVEN_UP: Final = ("assessment", "judge", "design", "raters")
"""Columns that are left out where not all fit, the first one first."""
DESIGNS: Final = {"stratified": "judge score × variant", "simple": "simple random", "prompts": "whole prompts"}
REVEALS: Final = {"each": "after each score", "end": "after the session", "never": "never"}


def columns(rows: Sequence[QueueRow], width: int) -> tuple[Column, ...]:
    """The columns that fit, as wide as what they hold."""
    widths = {
        key: min(30, max([len(label), *(cell_len(_text(row, key)) for row in rows)])) + 2
        for key, label in _LABELS.items()
    }
    keys = list(_LABELS)
    for key in _GIVEN_UP:
        if sum(widths[held] for held in keys) > width:
            keys.remove(key)
    return tuple((key, _LABELS[key], widths[key]) for key in keys)


def cells(row: QueueRow, shown: Sequence[Column], tones: Tones) -> tuple[Text, ...]:
    """One row of the table."""
    styles = {"name": tones.plain, "done": tones.good if row.is_finished else tones.plain}
    return tuple(plain_cell(_text(row, key), width, styles.get(key, tones.quiet)) for key, _, width in shown)


def _text(row: QueueRow, key: str) -> str:
    first = row.raters[0]
    if key == "done":
        glyph = "■" if row.stopped else "●" if row.is_finished else "◐" if first.n_done else "·"
        return f"{glyph} {figures.count(first.n_done)}/{figures.count(first.n_planned)}"
    if key == "raters":
        others = "".join(f" +{len(row.raters) - 1}" if len(row.raters) > 1 else "")
        return f"{one_line(first.name, 16)}{others}"
    if key == "assessment":
        return title(row.assessment)
    return one_line(str(getattr(row, key)), 60)


def _person(rater: Rater) -> str:
    words = f"{one_line(rater.name, 24)} {figures.count(rater.n_done)}/{figures.count(rater.n_planned)}"
    return words + (f", repeats {rater.n_repeats_done}/{rater.n_repeats}" if rater.n_repeats else "")


def facts(row: QueueRow) -> list[Content]:
    """What the queue is: drawn from what, by whom, how, and how far each person is."""
    people = "   ".join(_person(rater) for rater in row.raters)
    held = [
        ("judge", one_line(row.judge, 60)),
        ("design", f"{DESIGNS.get(row.design, row.design)}, seed {row.seed}, revealed {REVEALS.get(row.reveal, '')}"),
        ("frame", f"{figures.count(row.n_frame)} replies of {one_line(', '.join(row.variants), 200)}, {row.preset}"),
        ("people", people),
    ]
    if row.stopped:
        held.append(("ended", row.stopped))
    if row.n_to_settle or row.n_settled:
        held.append(("settled", f"{row.n_settled} of {row.n_to_settle + row.n_settled} where two raters differ"))
    lines = [Content.assemble((f"{label:<9}", "$quiet"), words) for label, words in held]
    return [*lines, Content("")]
