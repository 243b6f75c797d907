"""What a draw would be, in lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from emaudit.text import one_line
from emaudit.widgets import figures

if TYPE_CHECKING:
    from emaudit.reviewing.drawing import Preview
    from emaudit.stats.estimation import Figure


def lines(preview: Preview) -> list[Content]:
    """Frame, strata, half-widths, warnings."""
    return [*_size(preview), *_widths(preview), *_strata(preview), *_warnings(preview)]


def _size(preview: Preview) -> Iterator[Content]:
    n = figures.count(preview.n_drawn)
    again = f"{preview.n_doubled} doubled for a second rater, {preview.n_repeats} come back"
    yield Content.assemble((f"{n} labels", "bold"), f" of {figures.count(preview.n_frame)} replies; {again}")
    yield Content.styled(f"judge {one_line(preview.judge, 40)}, preset {one_line(preview.preset, 24)}", "$quiet")


def _width(figure: Figure) -> str:
    return f"±{figure.value:.2f}" if figure.value is not None else figures.UNKNOWN


def _widths(preview: Preview) -> Iterator[Content]:
    """The 95% half-widths to expect, on the scale 1..5, pooled and per variant."""
    name = max([len("95% half-width"), *(len(one_line(row.variant, 30)) for row in preview.per_variant)]) + 2
    yield Content.styled(f"{'95% half-width':<{name}}{'labels':>7}{'mean':>8}{'maximum':>9}", "$quiet")
    if len(preview.per_variant) != 1:
        yield Content.styled(
            f"{'pooled':<{name}}{preview.n_drawn:>7}{_width(preview.mean):>8}{_width(preview.maximum):>9}", "bold"
        )
    for row in preview.per_variant:
        label = f"{one_line(row.variant, 30):<{name}}{row.n_drawn:>7}"
        yield Content(f"{label}{_width(row.mean):>8}{_width(row.maximum):>9}")


def _strata(preview: Preview) -> Iterator[Content]:
    """Drawn of the frame, a row per variant and a column per score of the judge."""
    scores: Sequence[float | None] = sorted(
        {row.judge_value for row in preview.strata}, key=lambda score: (score is None, score or 0.0)
    )
    names = list(dict.fromkeys(row.variant for row in preview.strata))
    cells = {(row.variant, row.judge_value): f"{row.n_drawn}/{figures.count(row.n_frame)}" for row in preview.strata}
    first = max([len("judge score"), *(len(one_line(name, 24)) for name in names)]) + 1
    column = max(len(cell) for cell in cells.values()) + 2 if cells else 6
    heads = ["all" if preview.design == "simple" else "none" if score is None else f"{score:g}" for score in scores]
    yield Content.styled(f"{'judge score':<{first}}" + "".join(f"{head:>{column}}" for head in heads), "$quiet")
    for name in names:
        row = "".join(f"{cells.get((name, score), '·'):>{column}}" for score in scores)
        yield Content(f"{one_line(name, 24):<{first}}{row}")


def _warnings(preview: Preview) -> Iterator[Content]:
    for what, why in _undefined(preview).items():
        yield Content.styled(f"no half-width of {what}: {one_line(why, 160)}", "$quiet")
    for warning in preview.warnings:
        yield Content.styled(one_line(warning, 300), "$warning")


def _undefined(preview: Preview) -> dict[str, str]:
    """What has no half-width, and why; of one variant alone what is pooled is the same."""
    several = len(preview.per_variant) != 1
    held = [("the pooled mean", preview.mean), ("the pooled maximum", preview.maximum)] if several else []
    for row in preview.per_variant:
        held += [
            (f"{one_line(row.variant, 30)}'s mean", row.mean),
            (f"{one_line(row.variant, 30)}'s maximum", row.maximum),
        ]
    found: dict[str, str] = {}
    for what, figure in held:
        if figure.value is None and figure.reason not in found.values():
            found[what] = figure.reason
    return found
