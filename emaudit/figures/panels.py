"""What a panel is made of: axes of one measure, values with their intervals, the chance line, missing values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from emaudit.figures.material import Measured
from emaudit.figures.sheet import HATCHED, Entry, Sheet
from emaudit.figures.style import DIM, FAINT, INK, TEXT, Mark, fitted, label, mark, text_width, wrapped
from emaudit.scores import Score

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LONGEST: Final = 0.78
"""Inches of a tick label before it is cut."""
_SLANT: Final = 40

PAPER: Final = Entry("the paper", "dim")
INCOMPLETE: Final = Entry("incomplete", "hollow")
NO_VALUE: Final = Entry("no value", "hatch")


def tick_names(names: Sequence[str]) -> list[str]:
    """Names from outside as tick labels, cut."""
    return [fitted(label(name) or "(none)", TEXT - 0.5, _LONGEST) for name in names]


def is_slanted(names: Sequence[str], panel_width: float) -> bool:
    """Whether tick labels side by side would touch."""
    return any(text_width(name, TEXT - 0.5) > panel_width / max(len(names), 1) * 0.94 for name in names)


def tick_space(names: Sequence[str], panel_width: float) -> float:
    """Inches under a panel that its tick labels take."""
    if not is_slanted(names, panel_width):
        return 0.24
    return 0.18 + 0.66 * max(text_width(name, TEXT - 0.5) for name in names)


def frame(sheet: Sheet, row: int, column: int, of: Measured, names: Sequence[str], heading: str = "") -> Axes:
    """The empty panel of a measure over named places on the x axis; only outer panels carry the words."""
    axes = sheet.axes[row][column]
    margin = 0.04 * (of.high - of.low)
    axes.set_ylim(of.low - margin, of.high + margin)
    middle = (of.low + of.high) / 2
    axes.set_yticks(
        [of.low, middle, of.high], [f"{tick:g}".replace("-", "\u2212") for tick in (of.low, middle, of.high)]
    )
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_xticks(range(len(names)), tick_names(names))
    if of.chance is not None:
        axes.axhline(
            of.chance, color=INK, linestyle=(0, (1, 1.6)), linewidth=0.8, zorder=1, gid=f"chance-{row}-{column}"
        )
    elif of.low < 0:
        axes.axhline(0, color=FAINT, linewidth=0.6, zorder=1)
    if column:
        axes.tick_params(labelleft=False)
    else:
        lines = wrapped(label(of.title), TEXT, sheet.space.panel)
        axes.set_ylabel("\n".join(lines[:2]), labelpad=2)
    if row < len(sheet.axes) - 1:
        axes.tick_params(labelbottom=False)
    elif is_slanted(tick_names(names), sheet.panel_width):
        for tick in axes.get_xticklabels():
            tick.set(rotation=_SLANT, ha="right", rotation_mode="anchor")
    if heading:
        sheet.title(axes, label(heading))
    return axes


def line(axes: Axes, xs: Sequence[float], rows: Sequence[Score | None], found: Mark, gid: str) -> None:
    """Values in order, joined, each with its interval; a gap where there is no value."""
    values = [float("nan") if row is None or row.value is None else row.value for row in rows]
    look: dict[str, Any] = {"color": found.colour, "linestyle": found.line, "linewidth": 1.1, "zorder": 3}
    axes.plot(xs, values, **look, gid=label(f"line {gid}", 0))
    for x, row in zip(xs, rows, strict=True):
        if row is not None and row.value is None:
            _hatch(axes, x)
        elif row is not None:
            value(axes, x, row, found, gid)


def value(axes: Axes, x: float, row: Score, found: Mark, gid: str) -> None:
    """One value: its interval as the row has it, and its marker, hollow where it is incomplete."""
    if row.value is None:
        return
    if row.ci_low is not None and row.ci_high is not None:
        axes.plot(
            [x, x], [row.ci_low, row.ci_high], color=INK, linewidth=0.7, zorder=4, gid=label(f"interval {gid} {x:g}", 0)
        )
    axes.plot(
        [x],
        [row.value],
        marker=found.marker,
        color=found.colour if row.complete else "white",
        markersize=4.0,
        markeredgewidth=0.6,
        markeredgecolor=INK,
        linestyle="none",
        zorder=5,
        gid=label(f"value {gid} {x:g}", 0),
    )


def dimmed(axes: Axes, xs: Sequence[float], values: Sequence[float | None], found: Mark) -> None:
    """The paper's values, pale and behind."""
    axes.plot(
        xs,
        [float("nan") if y is None else y for y in values],
        color=FAINT,
        marker=found.marker,
        linestyle=found.line,
        linewidth=1.1,
        markersize=4.0,
        markeredgewidth=0.5,
        markeredgecolor=DIM,
        zorder=2,
    )


def _hatch(axes: Axes, x: float) -> None:
    from matplotlib.patches import Rectangle

    low, high = axes.get_ylim()
    axes.add_patch(Rectangle((x - 0.06, low), 0.12, high - low, zorder=1.5, **HATCHED))


def spread(n: int, step: float = 0.16) -> list[float]:
    """Shifts along x that keep the intervals of n groups apart, within the place of one tick."""
    step = min(step, 0.8 / max(n, 1))
    return [step * (index - (n - 1) / 2) for index in range(n)]


def chance_keys(measures: Sequence[Measured]) -> list[Entry]:
    """The legend of the chance line, for scales of 0..1 and for those that are 0 there."""
    at = sorted({of.chance for of in measures if of.chance is not None})
    words = {0.0: "chance: answers at random (0.5, here 0)", 0.5: "chance: answers at random (0.5)"}
    return [Entry(words[value], "chance") for value in at]


def keys(
    names: Sequence[str],
    rows: Sequence[Score],
    measures: Sequence[Measured],
    reference: bool,
    marks: Sequence[Mark] = (),
) -> list[Entry]:
    """The legend of groups, and of whatever else the rows call for."""
    found = marks or [mark(index) for index in range(len(names))]
    entries = [Entry(label(name, 40) or "(none)", "line", kind) for name, kind in zip(names, found, strict=True)]
    entries += chance_keys(measures)
    if reference:
        entries.append(PAPER)
    if any(row.value is not None and not row.complete for row in rows):
        entries.append(INCOMPLETE)
    if any(row.value is None for row in rows):
        entries.append(NO_VALUE)
    return entries
