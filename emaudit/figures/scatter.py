"""Behaviour and self-report of every variant against each other: what each headline rho is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from emaudit.figures import panels
from emaudit.figures.captions import listed, small_print
from emaudit.figures.correlations import COLUMNS, WARNING, bounds, is_whole, over, rows_of, signed, statements
from emaudit.figures.material import Material, Measured, measured, spoken
from emaudit.figures.sheet import Entry, Fill, Sheet, Space
from emaudit.figures.style import DIM, FAINT, INK, N_MARKS, TEXT, WIDTHS, Mark, fitted, label, mark
from emaudit.scores import Score
from emaudit.scores.study import Subject

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from emaudit.scores.correlations import CorrelationRow

_FILLS: Final[Sequence[Fill]] = ("full", "left", "none", "bottom", "right", "top")
_TESTED: Final = frozenset({"harmfulness", "intentions", "self_assessment"})


@dataclass(frozen=True, slots=True)
class _Point:
    """One variant with its two scores and their values."""

    subject: Subject
    x: Score
    y: Score
    at: tuple[float, float]


def scatters(material: Material, width: str) -> Iterator[Sheet | str]:
    """One page for each column (harmless, total) with its headline pairs, or one sentence why there is none."""
    found = False
    for columns in COLUMNS:
        rows = [row for row in rows_of(material, columns) if _tested(row)]
        if rows:
            found = True
            yield _page(material, f"scatter-{columns}", rows, width)
    if not found:
        yield "scatter: of harmfulness, intentions and self-assessment no two were asked"


def _tested(row: CorrelationRow) -> bool:
    return is_whole(row) and {name.split(".")[0] for name in (row.x, row.y)} <= _TESTED


def _score(material: Material, subject: Subject, name: str) -> Score | None:
    of, part = _measured(name)
    return material.score(subject.name, of, part)


def _measured(name: str) -> tuple[Measured, str]:
    found = measured(name)
    if found is None:
        raise ValueError(f"{name!r} is no measure that figures show")
    return found


def _points(material: Material, row: CorrelationRow) -> list[_Point]:
    """The variants that are complete in both, as correlations take them."""
    found = []
    for subject in material.correlated:
        x, y = (_score(material, subject, name) for name in (row.x, row.y))
        if x and y and x.complete and y.complete and x.value is not None and y.value is not None:
            found.append(_Point(subject, x, y, (x.value, y.value)))
    return found


Recipe = tuple[str, str]
"""(domain, stage); without the domain where there are more recipes than marks."""


def _is_crowded(material: Material) -> bool:
    return len({subject.recipe for subject in material.correlated}) > N_MARKS or len(material.sizes) > len(_FILLS)


def _recipe(material: Material, subject: Subject) -> Recipe:
    return ("", subject.stage) if _is_crowded(material) else subject.recipe


def _recipes(material: Material) -> list[Recipe]:
    held = {_recipe(material, subject) for subject in material.correlated}
    return sorted(held, key=lambda recipe: (recipe[0], material.stages.index(recipe[1])))


def _page(material: Material, name: str, rows: Sequence[CorrelationRow], width: str) -> Sheet:
    shape = (len(rows), 1) if width == "one" else (1, len(rows))
    inches = WIDTHS[width]
    space = Space(1.45 if width == "one" else 1.85, left=0.5, across=0.5, down=0.55, bottom=0.38)
    points = {row: _points(material, row) for row in rows}
    scores = list({score: None for found in points.values() for point in found for score in (point.x, point.y)})
    reference = material.published is not None
    caption = [*_caption(material, rows), *small_print(material, scores, reference)]
    sheet = Sheet(name, inches, shape, space, _keys(material, rows, reference), caption, material.simulated)
    for index, row in enumerate(rows):
        axes = sheet.axes[index][0] if width == "one" else sheet.axes[0][index]
        _draw(material, sheet, axes, row, points[row])
    return sheet


def _caption(material: Material, rows: Sequence[CorrelationRow]) -> Iterator[str]:
    crowded = " Marks tell the stage alone: there are too many domains and sizes." if _is_crowded(material) else ""
    yield f"One mark for each variant.{over(material)}{crowded} {WARNING}"
    yield from statements(rows)
    left_out = [row.excluded for row in rows if row.excluded]
    if left_out:
        yield f"Left out: {listed(left_out)}."
    reasons = [f"{spoken(row.x)} and {spoken(row.y)}: {row.undefined_reason}" for row in rows if row.rho is None]
    if reasons:
        yield f"No rho: {listed(reasons)}."


def _keys(material: Material, rows: Sequence[CorrelationRow], reference: bool) -> list[Entry]:
    recipes = _recipes(material)
    entries = [
        Entry(label(" ".join(recipe).strip(), 40) or "(none)", "point", mark(index))
        for index, recipe in enumerate(recipes)
    ]
    if len(material.sizes) > 1 and not _is_crowded(material):
        entries += [
            Entry(label(size, 40) or "(no size)", "size", fill=_fill(index))
            for index, size in enumerate(material.sizes)
        ]
    entries += panels.chance_keys([_measured(name)[0] for row in rows for name in (row.x, row.y)])
    return [*entries, panels.PAPER] if reference else entries


def _fill(index: int) -> Fill:
    return _FILLS[index % len(_FILLS)]


def _draw(material: Material, sheet: Sheet, axes: Axes, row: CorrelationRow, points: Sequence[_Point]) -> None:
    (x, x_part), (y, y_part) = _measured(row.x), _measured(row.y)
    axes.set(xlim=(x.low - 0.04, x.high + 0.04), ylim=(y.low - 0.04, y.high + 0.04))
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.set_xlabel(fitted(label(spoken(row.x)), TEXT, sheet.panel_width), labelpad=2)
    axes.set_ylabel(fitted(label(spoken(row.y)), TEXT, sheet.space.panel), labelpad=2)
    dotted: dict[str, Any] = {"color": INK, "linestyle": (0, (1, 1.6)), "linewidth": 0.8, "zorder": 1}
    if x.chance is not None:
        axes.axvline(x.chance, **dotted)
    if y.chance is not None:
        axes.axhline(y.chance, **dotted)
    recipes = _recipes(material)
    if material.published is not None:
        for subject in material.correlated:
            there = (subject.size, subject.stage, subject.domain)
            place = [material.published(*there, of.assessment, part) for of, part in ((x, x_part), (y, y_part))]
            if place[0] is not None and place[1] is not None:
                _paper(axes, place[0], place[1], mark(recipes.index(_recipe(material, subject))))
    for point in points:
        fill = "full" if _is_crowded(material) else _fill(material.sizes.index(point.subject.size))
        _mark(axes, point, mark(recipes.index(_recipe(material, point.subject))), fill, f"{row.x} {row.y}")
    rho = "undefined" if row.rho is None else f"{signed(row.rho, 3)} {bounds(row.ci_low, row.ci_high)}"
    sheet.title(axes, f"rho {rho}, n = {row.n}")


def _mark(axes: Axes, point: _Point, found: Mark, fill: Fill, gid: str) -> None:
    (left, up), x, y = point.at, point.x, point.y
    if x.ci_low is not None and x.ci_high is not None:
        axes.plot([x.ci_low, x.ci_high], [up, up], color=DIM, linewidth=0.4, zorder=3)
    if y.ci_low is not None and y.ci_high is not None:
        axes.plot([left, left], [y.ci_low, y.ci_high], color=DIM, linewidth=0.4, zorder=3)
    axes.plot(
        [left],
        [up],
        marker=found.marker,
        fillstyle=fill,
        color=found.colour,
        markerfacecoloralt="white",
        markeredgecolor=INK,
        markeredgewidth=0.6,
        markersize=5.0,
        linestyle="none",
        zorder=4,
        gid=label(f"point {gid} {point.subject.name}", 0),
    )


def _paper(axes: Axes, x: float, y: float, found: Mark) -> None:
    axes.plot(
        [x], [y], marker=found.marker, color=FAINT, markeredgecolor=DIM, markeredgewidth=0.4, markersize=4.0,
        linestyle="none", zorder=2,
    )  # fmt: skip
