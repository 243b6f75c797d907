"""A lineage as lines over base, misaligned and realigned, with intervals. Pure: series in, lines of content out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from textual.content import Content

from emaudit.analysing.answers import Axis, Spot
from emaudit.widgets.plot import SMALLEST, TICKS, Frame

STEPS: Final = ("base", "misaligned", "realigned")
SHORT_STEPS: Final = ("base", "misal.", "real.")
LEAST: Final = (34, 10)
"""Columns and rows of a panel at least, where there is more than one."""
DOTS: Final = "•·◦"
"""What lines are drawn with, so that they differ without colour."""
STYLES: Final = ("$warning", "$primary", "$secondary")


@dataclass(frozen=True, slots=True)
class Series:
    """One measure over the three stages: the letter of its points, its values, the paper's (empty: none)."""

    letter: str
    spots: Sequence[Spot]
    published: Sequence[float | None] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """One lineage: what it is called, its series, whether it is the chosen one."""

    title: str
    series: Sequence[Series]
    is_chosen: bool = False


def panels(held: Sequence[Panel], y: Axis, width: int, height: int) -> list[Content]:
    """As many panels as there is room for, the chosen one among them; all have the same scale."""
    if width < SMALLEST[0] or height < SMALLEST[1]:
        return [Content("Too small for a plot.")]
    n_columns = max(1, min(len(held), width // LEAST[0]))
    n_rows = max(1, min(-(-len(held) // n_columns), height // LEAST[1]))
    each, tall, room = width // n_columns, height // n_rows, n_columns * n_rows
    chosen = next((at for at, panel in enumerate(held) if panel.is_chosen), 0)
    first = chosen // room * room
    shown = held[first : first + room]
    lines: list[Content] = []
    for at in range(0, len(shown), n_columns):
        drawn = [lineage(panel, y, each, tall) for panel in shown[at : at + n_columns]]
        lines += [Content.assemble(*parts) for parts in zip(*drawn, strict=True)]
    return lines


def lineage(panel: Panel, y: Axis, width: int, height: int) -> list[Content]:
    """The lines of a plot: a letter per value in its interval, the paper's values beside it, small and dim."""
    frame = Frame(Axis("", 0, 2), y, width, height)
    frame.draw_scale()
    frame.canvas.put(TICKS, frame.bottom + 1, "└" + "─" * (frame.right - frame.left + 1), "$quiet")
    mark = "▸ " if panel.is_chosen else "  "
    frame.canvas.put(
        frame.left, 0, (mark + panel.title)[: width - frame.left - 1], "bold" if panel.is_chosen else "$quiet"
    )
    centres = [_centre(frame, step) for step in range(3)]
    for step, centre in zip(STEPS if width >= 44 else SHORT_STEPS, centres, strict=True):
        frame.canvas.put(min(max(0, centre - len(step) // 2), width - len(step)), frame.bottom + 2, step, "$quiet")
    shift = 3 if width >= 44 else 2
    middle = (len(panel.series) - 1) / 2
    places = [[centre + round(shift * (at - middle)) for centre in centres] for at in range(len(panel.series))]
    for draw in (_draw_line, _draw_bounds, _draw_points):
        for at, held in enumerate(panel.series):
            draw(frame, held, places[at], at % len(DOTS))
    return frame.canvas.lines()


def _centre(frame: Frame, step: int) -> int:
    """The column of a stage; room stays for the points beside it."""
    left, right = frame.left + 5, frame.right - 5
    return left + (right - left) * step // 2


def _draw_line(frame: Frame, series: Series, columns: Sequence[int], kind: int) -> None:
    ends = [(column, spot.value) for column, spot in zip(columns, series.spots, strict=False)]
    for (x0, first), (x1, second) in pairwise(ends):
        if first is not None and second is not None:
            for x, y in _between(x0, frame.row(first), x1, frame.row(second)):
                if frame.canvas.has_room(x, y, 1, "┈" + DOTS):
                    frame.canvas.put(x, y, DOTS[kind], STYLES[kind])


def _between(x0: int, y0: int, x1: int, y1: int) -> Iterator[tuple[int, int]]:
    """Every second cell along a line, without its ends."""
    n = max(abs(x1 - x0), abs(y1 - y0))
    for at in range(2, n - 1, 2):
        yield x0 + round((x1 - x0) * at / n), y0 + round((y1 - y0) * at / n)


def _draw_bounds(frame: Frame, series: Series, columns: Sequence[int], kind: int) -> None:
    for column, spot in zip(columns, series.spots, strict=False):
        if spot.value is None or spot.low is None or spot.high is None:
            continue
        high, low = frame.row(spot.high), frame.row(spot.low)
        for y in range(high, low + 1):
            frame.canvas.put(column, y, "┬" if y == high else "┴" if y == low else "│", STYLES[kind])


def _draw_points(frame: Frame, series: Series, columns: Sequence[int], kind: int) -> None:
    for column, spot in zip(columns, series.spots, strict=False):
        if spot.value is not None:
            frame.canvas.put(column, frame.row(spot.value), series.letter, f"bold {STYLES[kind]}")
    for column, value in zip(columns, series.published, strict=False):
        if value is not None:
            frame.canvas.put(column + 1, frame.row(value), series.letter.lower(), "$quiet dim")
