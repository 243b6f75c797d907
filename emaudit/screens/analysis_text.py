"""Numbers of the analyses as F6 and F7 write them. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, fields
from typing import TYPE_CHECKING, Final

from textual.content import Content

from emaudit.text import one_line
from emaudit.watch.snapshot import short_title, title

if TYPE_CHECKING:
    from emaudit.scores.correlationrow import CorrelationRow
    from emaudit.scores.trajectories import TrajectoryRow

UNDEFINED: Final = "∅"
"""Stands where a number is not defined; the reason stands beside it or in the card."""
FORMATS: Final = ("decision", "numerical", "likert", "language")
SMALLEST_P: Final = 0.0001
MORAL: Final = ("moral_foundations", "moral_self_assessment")


def number(value: float | None, places: int = 3) -> str:
    """A number with three decimals; never a minus in front of nothing but zeros."""
    if value is None:
        return UNDEFINED
    text = f"{value:.{places}f}"
    return text.lstrip("-") if float(text) == 0 else text


def signed(value: float | None, places: int = 3) -> str:
    """A difference with its sign."""
    return UNDEFINED if value is None else f"{round(value, places) + 0.0:+.{places}f}"


def probability(value: float | None) -> str:
    """A p with four decimals; below that, that it is."""
    if value is None:
        return UNDEFINED
    return f"< {SMALLEST_P}" if value < SMALLEST_P else f"{value:.4f}"


def span(low: float | None, high: float | None, places: int = 3) -> str:
    """An interval, or that there is none."""
    return UNDEFINED if low is None or high is None else f"{number(low, places)} to {number(high, places)}"


def share(value: float | None) -> str:
    """A share in percent."""
    return UNDEFINED if value is None else f"{100 * value:.0f}%"


def measure_words(name: str) -> str:
    """A measure's name in words: `self-assessment likert harmless`."""
    assessment, *rest = name.split(".")
    return one_line(" ".join([title(assessment), *rest]), 60)


def measure_label(name: str, is_column: bool = False) -> str:
    """A measure's name where room is short."""
    assessment, *rest = name.split(".")
    short = [word for word in rest if word in FORMATS or assessment in MORAL]
    head = short_title(assessment) if is_column or short else title(assessment)
    return one_line(" ".join([head, *short]), 40)


def subset_words(subset: str) -> str:
    """Which variants: all, or a domain with the bases."""
    return "all variants" if subset == "all" else f"{one_line(subset, 30)} and the bases"


def as_csv(rows: Iterable[CorrelationRow | TrajectoryRow]) -> str:
    """Rows as the export writes them, with their header."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    for at, row in enumerate(rows):
        if at == 0:
            writer.writerow([held.name for held in fields(row)])
        writer.writerow([_cell(value) for value in astuple(row)])
    return written.getvalue()


def _cell(value: object) -> object:
    if value is None:
        return ""
    return int(value) if isinstance(value, bool) else repr(value) if isinstance(value, float) else value


def line(name: str, value: str, note: str = "", width: int = 16) -> Content:
    """A line of a card: what, the number, what it is."""
    return Content.assemble((f"{name:<{width}}", "$quiet"), (value, ""), (f"  {note}" if note else "", "$quiet"))


def heading(text: str) -> Content:
    """The title of a part of a card."""
    return Content.styled(one_line(text, 200), "bold")


def problem(text: str) -> Content:
    """What is wrong or must not be overlooked."""
    return Content.styled(f"! {one_line(text)}", "$warning")
