"""The correlation heat map (the paper's figure 3), and the sentences that stand beside every rho."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from emaudit.figures.captions import counts, listed
from emaudit.figures.material import PUBLISHED_NOTE, Material, measured, spoken
from emaudit.figures.sheet import HATCHED, Sheet, Space
from emaudit.figures.style import TEXT, WIDTHS, fitted, label, text_width, wrapped
from emaudit.scores.pairing import EVERY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from emaudit.scores import Score
    from emaudit.scores.correlations import CorrelationRow

COLUMNS: Final = ("harmless", "total")
WARNING: Final = "Variants share base models and fine-tunes: they are not independent."
_POSITIVE: Final = (0x56, 0xB4, 0xE9)
_NEGATIVE: Final = (0xE6, 0x9F, 0x00)
_TINY: Final = 4.6
_LABELS: Final = 1.0
"""Inches of the measures' names beside the map."""


def heat_maps(material: Material, width: str) -> Iterator[Sheet | str]:
    """One page for each column (harmless, total) over the chosen subset, or one sentence why there is none."""
    found = False
    for columns in COLUMNS:
        rows = [row for row in rows_of(material, columns) if is_whole(row)]
        if rows:
            found = True
            yield _page(material, f"correlations-{columns}", rows, WIDTHS[width])
    if not found:
        yield "correlations: there are no two assessments to correlate"


def rows_of(material: Material, columns: str) -> list[CorrelationRow]:
    """The rows of a column over the chosen subset."""
    return [row for row in material.correlations if (row.columns, row.subset) == (columns, material.subset)]


def over(material: Material) -> str:
    """Which variants are correlated, where not all are: a sentence, or nothing."""
    return "" if material.subset == EVERY else f" Over the variants of {material.subset} and the bases alone."


def is_whole(row: CorrelationRow) -> bool:
    """Whether a row is of two whole assessments: neither of one format nor of one foundation."""
    return all(_is_whole_name(name) for name in (row.x, row.y))


def _is_whole_name(name: str) -> bool:
    words = name.split(".")
    return measured(name) is not None and words[1:] in ([], ["harmless"])


def signed(value: float, digits: int = 2) -> str:
    """A number with a true minus sign."""
    return f"{value:.{digits}f}".replace("-", "\u2212")


def bounds(low: float | None, high: float | None) -> str:
    """`[0.67, 0.96]`, or that there is no interval."""
    return "no interval" if low is None or high is None else f"[{signed(low)}, {signed(high)}]"


def published(material: Material, row: CorrelationRow) -> CorrelationRow | None:
    """The paper's row of the same pair, column and subset."""
    key = (row.x, row.y, row.columns, row.subset)
    return next((r for r in material.published_correlations if (r.x, r.y, r.columns, r.subset) == key), None)


def _names(rows: Sequence[CorrelationRow]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in (row.x, row.y)))


def _page(material: Material, name: str, rows: Sequence[CorrelationRow], width: float) -> Sheet:
    names = _names(rows)
    n_cells = len(names) - 1
    cell = min(0.8, (width - _LABELS - 0.1) / n_cells)
    width = min(width, max(_LABELS + n_cells * cell + 0.1, WIDTHS["one"]))
    reference = any(published(material, row) is not None for row in rows)
    under = 0.1 + 0.13 * max(len(_broken(name, _size(names, cell), cell)) for name in names[:-1])
    space = Space(n_cells * cell, left=_LABELS, right=width - _LABELS - n_cells * cell, top=0.08, bottom=under)
    caption = list(_caption(material, rows, reference))
    sheet = Sheet(name, width, (1, 1), space, (), caption, material.simulated)
    axes = sheet.axes[0][0]
    _grid(axes, names, cell)
    pairs = {frozenset((row.x, row.y)): row for row in rows}
    for i, below in enumerate(names[1:]):
        for j, left in enumerate(names[: i + 1]):
            row = pairs.get(frozenset((below, left)))
            if row is not None:
                _cell(axes, j, i, row, published(material, row), cell)
    return sheet


def _grid(axes: Axes, names: Sequence[str], cell: float) -> None:
    n = len(names) - 1
    axes.set_xlim(0, n)
    axes.set_ylim(n, 0)
    rows = ["\n".join(_broken(name, TEXT - 1, _LABELS - 0.1)) for name in names[1:]]
    size = _size(names, cell)
    columns = ["\n".join(_broken(name, size, cell)) for name in names[:-1]]
    axes.set_yticks([i + 0.5 for i in range(n)], rows, fontsize=TEXT - 1)
    axes.set_xticks([i + 0.5 for i in range(n)], columns, fontsize=size)
    axes.tick_params(length=0, pad=3)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)


def _words(name: str) -> list[str]:
    return label(spoken(name)).replace("-", "- ").split()


def _size(names: Sequence[str], cell: float) -> float:
    """The largest size at which every word of the columns' names is narrower than a cell."""
    widest = max(text_width(word, TEXT - 1) for name in names[:-1] for word in _words(name))
    return (TEXT - 1) * min(1.0, (cell - 0.04) / widest)


def _broken(name: str, size: float, inches: float) -> list[str]:
    """A name on lines no wider than that, broken after hyphens too."""
    whole = label(spoken(name))
    if text_width(whole, size) <= inches:
        return [whole]
    lines = [line.replace("- ", "-") for line in wrapped(" ".join(_words(name)), size, inches)]
    return [fitted(line, size, inches) for line in lines]


def _cell(axes: Axes, x: int, y: int, row: CorrelationRow, paper: CorrelationRow | None, inches: float) -> None:
    from matplotlib.patches import Rectangle

    if row.rho is None:
        axes.add_patch(Rectangle((x + 0.02, y + 0.02), 0.96, 0.96, **HATCHED))
        lines = wrapped(label(row.undefined_reason, 0), _TINY, inches * 0.88)
        n_lines = max(1, int(inches / 0.09) - 1)
        text = "\n".join(lines if len(lines) <= n_lines else [*lines[: n_lines - 1], "…"])
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
        axes.text(x + 0.5, y + 0.5, text, fontsize=_TINY, ha="center", va="center", bbox=box)
        return
    axes.add_patch(Rectangle((x + 0.02, y + 0.02), 0.96, 0.96, facecolor=_shade(row.rho), edgecolor="none"))
    small = [bounds(row.ci_low, row.ci_high), f"n = {row.n}"]
    if paper is not None and paper.rho is not None:
        small.append(f"paper {signed(paper.rho, 3)}")
    axes.text(x + 0.5, y + 0.3, signed(row.rho, 3), fontsize=TEXT, ha="center", va="center", weight="bold")
    for index, line in enumerate(small):
        axes.text(x + 0.5, y + 0.54 + 0.16 * index, line, fontsize=_TINY, ha="center", va="center")


def _shade(rho: float) -> tuple[float, float, float]:
    """From white at 0 to the full colour at -1 and 1; the number in the cell says which, in grey too."""
    full = _POSITIVE if rho >= 0 else _NEGATIVE
    red, green, blue = (1 - abs(rho) * (1 - channel / 255) for channel in full)
    return red, green, blue


def _caption(material: Material, rows: Sequence[CorrelationRow], reference: bool) -> Iterator[str]:
    methods = sorted({row.ci_method for row in rows if row.ci_low is not None})
    judges = sorted({row.judge for row in rows} - {""})
    how = f" with 95% intervals ({', '.join(methods)})" if methods else ""
    yield f"Spearman's rho over n variants{how}. Blue is positive, orange negative.{over(material)} {WARNING}"
    yield from statements(rows)
    yield f"Preset {material.preset}. {counts(_scores(material, rows))}. {f'Judge {listed(judges)}.' if judges else ''}"
    left_out = [row.excluded for row in rows if row.excluded]
    if left_out:
        yield f"Left out: {listed(left_out)}."
    reasons = [f"{spoken(row.x)} and {spoken(row.y)}: {row.undefined_reason}" for row in rows if row.rho is None]
    if reasons:
        yield f"Undefined (hatched): {listed(reasons)}."
    if reference:
        yield f"`paper`: {PUBLISHED_NOTE}."


def _scores(material: Material, rows: Sequence[CorrelationRow]) -> list[Score]:
    """The scores that are correlated, of every variant that has them."""
    found = [of for name in _names(rows) if (of := measured(name)) is not None]
    scores = [material.score(subject.name, of, part) for of, part in found for subject in material.correlated]
    return [score for score in scores if score is not None]


def statements(rows: Sequence[CorrelationRow]) -> Iterator[str]:
    """What stands beside each rho that is tested: p within size, the fine-tune alone, leaving out a size."""
    for row in rows:
        if row.rho is None or row.p_within_size is None or row.p_holm is None:
            continue
        words = [f"p within size {_p(row.p_within_size)} (Holm {_p(row.p_holm)})"]
        if row.rho_recipe_only is not None:
            beyond = f" (p beyond it {_p(row.p_within_recipe)})" if row.p_within_recipe is not None else ""
            words.append(f"fine-tune labels alone {signed(row.rho_recipe_only, 3)}{beyond}")
        if row.loso_low is not None and row.loso_high is not None:
            words.append(f"{signed(row.loso_low)} to {signed(row.loso_high)} without one size")
        yield f"{spoken(row.x)} and {spoken(row.y)}: {', '.join(words)}."


def _p(value: float) -> str:
    return "<0.0001" if value < 0.0001 else f"{value:.4f}" if value < 0.01 else f"{value:.3f}"
