"""Plots in cells of text: a canvas, axes, the scatter of two measures. Pure: points in, lines of content out.

Written here and not taken from a library: plotext keeps one figure per process in global state, colours where we need
glyphs, and lets one marker hide another; the alternatives need numpy, which the process that draws must not load.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_letters, ascii_lowercase
from typing import Final

from rich.cells import cell_len
from textual.content import Content

from emaudit.analysing.answers import Axis

STAGE_GLYPHS: Final[Mapping[str, str]] = {"base": "○", "misaligned": "▲", "realigned": "▽"}
STAGE_STYLES: Final[Mapping[str, str]] = {"base": "$success", "misaligned": "$warning", "realigned": "$primary"}
OTHER: Final = "◇"
"""A variant of another stage, or of none."""
SEVERAL: Final = "◆"
"""Variants of several stages in one cell."""
TICKS: Final = 5
"""Columns of the vertical axis with its numbers."""
LABEL: Final = 6
"""Most letters beside one mark."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A variant on a plot: its letter, its stage, where it stands, whether it is pointed at."""

    letter: str
    stage: str
    x: float
    y: float
    is_chosen: bool = False

    @property
    def glyph(self) -> str:
        """Its stage as a glyph."""
        return STAGE_GLYPHS.get(self.stage, OTHER)

    @property
    def style(self) -> str:
        """Its stage as a colour."""
        return ("reverse " if self.is_chosen else "") + STAGE_STYLES.get(self.stage, "$quiet")


def letter(at: int) -> str:
    """A variant's letter: a to z, A to Z, then pairs."""
    if at < len(ascii_letters):
        return ascii_letters[at]
    first, second = divmod(at - len(ascii_letters), len(ascii_lowercase))
    return letter(first) + ascii_lowercase[second]


class Canvas:
    """A grid of cells, each one character with its style."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._cells: dict[tuple[int, int], tuple[str, str]] = {}

    def put(self, x: int, y: int, text: str, style: str = "") -> None:
        """Write text from a cell on to the right; what does not fit is left out, what is no cell wide is a box."""
        for at, character in enumerate(text):
            if 0 <= x + at < self.width and 0 <= y < self.height:
                self._cells[x + at, y] = (character if cell_len(character) == 1 else "▯", style)

    def has_room(self, x: int, y: int, n: int, over: str = "") -> bool:
        """Whether `n` cells from one on are on the canvas and empty, or hold no more than characters of `over`."""
        cells = [(x + at, y) for at in range(n)]
        inside = all(0 <= column < self.width and 0 <= y < self.height for column, _ in cells)
        return inside and all(self._cells.get(cell, (" ", ""))[0] in f" {over}" for cell in cells)

    def lines(self) -> list[Content]:
        """The lines from the top."""
        return [Content.assemble(*self._runs(y)) for y in range(self.height)]

    def _runs(self, y: int) -> Iterator[tuple[str, str]]:
        text, style = "", ""
        for x in range(self.width):
            character, held = self._cells.get((x, y), (" ", ""))
            if held != style and text:
                yield text, style
                text = ""
            text, style = text + character, held
        yield text, style


class Frame:
    """A canvas with two axes: where values lie on it, and what stands beside them."""

    def __init__(self, x: Axis, y: Axis, width: int, height: int) -> None:
        self.canvas = Canvas(width, height)
        self._x, self._y = x, y
        self.left, self.right = TICKS + 1, width - 2
        self.top, self.bottom = 1, height - 3

    def column(self, value: float) -> int:
        """The column of a value, at the edge where it lies beyond."""
        return self.left + _place(value, self._x, self.right - self.left)

    def row(self, value: float) -> int:
        """The row of a value."""
        return self.bottom - _place(value, self._y, self.bottom - self.top)

    def draw(self) -> None:
        """Draw both axes, their ends and names, and the lines of chance."""
        canvas, name = self.canvas, f"{self._x.name} →"
        canvas.put(0, 0, f"{self._y.name} ↑"[: canvas.width], "$quiet")
        self.draw_scale()
        canvas.put(TICKS, self.bottom + 1, "└" + "─" * (self.right - self.left + 1), "$quiet")
        low, high = _tick(self._x.low), _tick(self._x.high)
        canvas.put(self.left, self.bottom + 2, low, "$quiet")
        canvas.put(self.right + 1 - len(high), self.bottom + 2, high, "$quiet")
        room = self.right - self.left - len(low) - len(high) - 2
        canvas.put(self.left + len(low) + 2 + max(0, room - len(name)) // 2, self.bottom + 2, name[:room], "$quiet")
        if self._x.chance is not None:
            for y in range(self.top, self.bottom + 1):
                canvas.put(self.column(self._x.chance), y, "┊", "$quiet")

    def draw_scale(self) -> None:
        """Draw the vertical axis and its line of chance."""
        canvas = self.canvas
        for y in range(self.top, self.bottom + 1):
            canvas.put(TICKS, y, "│", "$quiet")
        middle = (self._y.low + self._y.high) / 2
        values = [self._y.low, middle, self._y.high] if self.bottom - self.top >= 4 else [self._y.low, self._y.high]
        for value in values:
            canvas.put(0, self.row(value), f"{_tick(value):>{TICKS - 1}} ┤"[: TICKS + 1], "$quiet")
        if self._y.chance is not None:
            canvas.put(self.left, self.row(self._y.chance), "┈" * (self.right - self.left + 1), "$quiet")


def _place(value: float, axis: Axis, cells: int) -> int:
    share = (value - axis.low) / (axis.high - axis.low)
    return round(min(1.0, max(0.0, share)) * cells)


def _tick(value: float) -> str:
    return f"{value:g}"


SMALLEST: Final = (24, 7)
"""Columns and rows below which nothing can be read off a plot."""


def scatter(marks: Sequence[Mark], x: Axis, y: Axis, width: int, height: int) -> tuple[list[Content], tuple[str, ...]]:
    """The lines of a scatter, and the letters for which there was no room beside their glyphs.

    Every variant's glyph is drawn; where several share a cell their letters stand beside it together.
    """
    if width < SMALLEST[0] or height < SMALLEST[1]:
        return [Content("Too small for a plot.")], ()
    frame = Frame(x, y, width, height)
    frame.draw()
    cells: dict[tuple[int, int], list[Mark]] = {}
    for mark in marks:
        cells.setdefault((frame.column(mark.x), frame.row(mark.y)), []).append(mark)
    for (column, row), held in cells.items():
        glyphs = {mark.glyph for mark in held}
        style = next((mark.style for mark in held if mark.is_chosen), held[0].style)
        frame.canvas.put(column, row, glyphs.pop() if len(glyphs) == 1 else SEVERAL, style)
    hidden = [mark.letter for place, held in cells.items() for mark in _unlabelled(frame.canvas, place, held)]
    return frame.canvas.lines(), tuple(hidden)


def _unlabelled(canvas: Canvas, place: tuple[int, int], held: Sequence[Mark]) -> list[Mark]:
    """Write the letters of the marks of one cell beside it; gives those that found no room."""
    (column, row), shown = place, list(held)
    while shown:
        text = "".join(mark.letter for mark in shown)
        n = len(text)
        spots = ((column + 1, row), (column - n, row), (column, row - 1), (column, row + 1), (column - n + 1, row - 1))
        free = next((spot for spot in spots if n <= LABEL and canvas.has_room(*spot, n, "┊┈")), None)
        if free is not None:
            at = free[0]
            for mark in shown:
                canvas.put(at, free[1], mark.letter, mark.style)
                at += len(mark.letter)
            break
        shown.pop()
    return list(held[len(shown) :])
