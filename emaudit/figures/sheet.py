"""A page of panels with its legend above and what the numbers stand on below, laid out in inches so nothing is cut."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from emaudit.figures import style
from emaudit.figures.style import DIM, FAINT, HATCH, INK, SMALL, TEXT, Mark, fitted, text_width, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIMULATED: Final = "SIMULATED"
_LINE: Final = 0.115
"""Inches from one line of the caption to the next."""
_KEY: Final = 0.15
_EDGE: Final = 0.06
_SAMPLE: Final = 0.34
"""Inches of a legend entry before its text."""
_GAP: Final = 0.18


Fill = Literal["full", "left", "none", "bottom", "right", "top"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the legend. `kind` is line, point, hollow, chance, hatch, dim or size (how a marker is filled)."""

    text: str
    kind: str
    mark: Mark = field(default_factory=lambda: style.mark(0))
    fill: Fill = "full"


@dataclass(frozen=True, slots=True)
class Space:
    """Inches around and between panels, and the height of one."""

    panel: float
    left: float = 0.42
    right: float = 0.1
    top: float = 0.2
    bottom: float = 0.2
    across: float = 0.14
    down: float = 0.26

    def panel_width(self, width: float, n_columns: int) -> float:
        """Inches of each of the panels beside each other on a page of that width."""
        return (width - self.left - self.right - (n_columns - 1) * self.across) / n_columns


HATCHED: Final[Mapping[str, Any]] = {"facecolor": "none", "edgecolor": DIM, "hatch": HATCH, "linewidth": 0.4}
"""How a place without a value is filled."""


class Sheet:
    """A figure of rows x columns panels, all of one size."""

    def __init__(
        self,
        name: str,
        width: float,
        shape: tuple[int, int],
        space: Space,
        legend: Sequence[Entry] = (),
        caption: Sequence[str] = (),
        simulated: bool = False,
    ) -> None:
        from matplotlib.figure import Figure

        self.name = name
        self.width = width
        self.space = space
        self.simulated = simulated
        self.caption = [
            line for text in caption for line in wrapped(style.label(text, 0), SMALL, 0.98 * (width - 2 * _EDGE))
        ]
        self.legend = legend
        self._lines = self._in_lines()
        n_rows, n_columns = shape
        above = _EDGE + (len(self._lines) + simulated) * _KEY + space.top
        below = _EDGE + len(self.caption) * _LINE + space.bottom
        self.height = above + n_rows * space.panel + (n_rows - 1) * space.down + below
        self.figure: Figure = Figure(figsize=(width, self.height), facecolor="white")
        self.panel_width = space.panel_width(width, n_columns)
        self.axes = [[self._panel(row, column, above) for column in range(n_columns)] for row in range(n_rows)]
        self._write_caption()
        self._write_legend()
        if simulated:
            self._stamp()

    def _panel(self, row: int, column: int, above: float) -> Axes:
        space = self.space
        left = space.left + column * (self.panel_width + space.across)
        bottom = self.height - above - (row + 1) * space.panel - row * space.down
        return self.figure.add_axes(
            (left / self.width, bottom / self.height, self.panel_width / self.width, space.panel / self.height)
        )

    def _in_lines(self) -> list[list[tuple[float, Entry]]]:
        """The legend's lines: each entry with how far from the left it starts."""
        lines: list[list[tuple[float, Entry]]] = [[]]
        x = 0.0
        for entry in self.legend:
            taken = _SAMPLE + text_width(entry.text, TEXT - 0.5)
            if lines[-1] and x + taken > self.width - 2 * _EDGE:
                lines.append([])
                x = 0.0
            lines[-1].append((x, entry))
            x += taken + _GAP
        return lines if self.legend else []

    def _write_legend(self) -> None:
        start = self.height - _EDGE - (_KEY if self.simulated else 0.0)
        for row, line in enumerate(self._lines):
            for x, entry in line:
                self._key(entry, _EDGE + x, start - (row + 0.5) * _KEY)

    def _key(self, entry: Entry, x: float, y: float) -> None:
        from matplotlib.lines import Line2D
        from matplotlib.patches import Rectangle

        place = self.figure.transFigure
        if entry.kind == "hatch":
            corner = ((x + 0.06) / self.width, (y - 0.045) / self.height)
            size = (0.18 / self.width, 0.09 / self.height)
            self.figure.add_artist(Rectangle(corner, *size, transform=place, **HATCHED))
        else:
            xs = [(x + shift) / self.width for shift in (0.02, 0.15, 0.28)]
            self.figure.add_artist(Line2D(xs, [y / self.height] * 3, transform=place, **_looks(entry)))
        text = fitted(entry.text, TEXT - 0.5, self.width - 2 * _EDGE - _SAMPLE)
        self._say(x + _SAMPLE, y, text, TEXT - 0.5)

    def _say(self, x: float, y: float, text: str, size: float, colour: str = INK) -> None:
        self.figure.text(
            x / self.width, y / self.height, text, fontsize=size, color=colour, va="center_baseline", ha="left"
        )

    def _write_caption(self) -> None:
        for index, line in enumerate(self.caption):
            self._say(_EDGE, _EDGE + (len(self.caption) - index - 0.6) * _LINE, line, SMALL, "#444444")

    def _stamp(self) -> None:
        self._say(_EDGE, self.height - _EDGE - _KEY / 2, f"{SIMULATED}: replies or verdicts are made up", TEXT - 0.5)
        size = min(60.0, 60 * self.width * 0.75 / text_width(SIMULATED, 60))
        self.figure.text(
            0.5, 0.55, SIMULATED, fontsize=size, color="#000000", alpha=0.07, ha="center", va="center", rotation=20,
            zorder=-1,
        )  # fmt: skip

    def title(self, axes: Axes, text: str) -> None:
        """The heading of a panel, cut to its width."""
        axes.set_title(fitted(text, TEXT, self.panel_width + self.space.across * 0.6), loc="left")

    def content(self, form: str) -> bytes:
        """The page as svg, pdf or png; the same page is the same bytes."""
        held = io.BytesIO()
        title = f"{SIMULATED}: {self.name}" if self.simulated else self.name
        self.figure.savefig(held, format=form, metadata=style.metadata(form, title))
        return held.getvalue()


def _looks(entry: Entry) -> dict[str, Any]:
    found = entry.mark
    plain: dict[str, Any] = {"markevery": [1], "linewidth": 1.1, "markersize": 4.0, "markeredgewidth": 0.6}
    match entry.kind:
        case "chance":
            return {"color": INK, "linestyle": (0, (1, 1.6)), "linewidth": 0.8}
        case "dim":
            return {**plain, "color": FAINT, "marker": found.marker, "linestyle": found.line, "markeredgecolor": DIM}
        case "hollow":
            return {**plain, "linestyle": "none", "marker": "o", "markerfacecolor": "white", "markeredgecolor": INK}
        case "size":
            shape = {"marker": "o", "fillstyle": entry.fill, "markerfacecoloralt": "white", "markersize": 5.0}
            return {**plain, **shape, "color": DIM, "linestyle": "none", "markeredgecolor": INK}
        case "point":
            return {**plain, "color": found.colour, "marker": found.marker, "linestyle": "none", "markeredgecolor": INK}
    return {**plain, "color": found.colour, "marker": found.marker, "linestyle": found.line, "markeredgecolor": INK}
