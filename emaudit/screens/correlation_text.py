"""Correlations in words and cells: the matrix, the legend, the card. Pure: answers in, content out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual.content import Content

from emaudit.analysing.answers import COLUMNS, Axis, Card, Correlations, Judges, Pair, Point, Without
from emaudit.screens.analysis_text import (
    FORMATS,
    MORAL,
    UNDEFINED,
    heading,
    line,
    measure_label,
    measure_words,
    number,
    probability,
    problem,
    signed,
    span,
    subset_words,
)
from emaudit.text import one_line
from emaudit.themes import Tones
from emaudit.watch.snapshot import TITLES
from emaudit.widgets.cells import Column, plain_cell
from emaudit.widgets.plot import STAGE_GLYPHS, STAGE_STYLES, Mark, letter

if TYPE_CHECKING:
    from emaudit.scores.correlationrow import CorrelationRow

STANDING: Final = (
    "Much of a rho may be what fine-tunes share and not what single variants know of themselves: read it beside "
    "recipe only and p within recipe."
)
"""Stands under every correlation."""
LEVELS: Final = ("measures", "formats", "foundations")
NAME_WIDTH: Final = 24
CELL_WIDTH: Final = 11
WORST: Final = 8
"""Rows shown of what is left without one thing; the page has all."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Which pair stands in which cell: names of rows and columns, and the row behind each cell."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[tuple[str, str], CorrelationRow]


def levels(found: Correlations) -> list[str]:
    """The levels at which there is anything to choose."""
    return [level for level in LEVELS if any(_level(row) == level for row in found.rows)]


def _level(row: CorrelationRow) -> str:
    names = (row.x.split("."), row.y.split("."))
    if any(word in FORMATS for name in names for word in name[1:]):
        return "formats"
    return "foundations" if all(name[0] in MORAL and name[1:] for name in names) else "measures"


def matrix(found: Correlations, columns: str, subset: str, level: str) -> Matrix:
    """The pairs of one level: every measure with every other; formats and foundations beside what they go with."""
    rows = [row for row in found.rows if (row.columns, row.subset) == (columns, subset) and _level(row) == level]
    cells = {(row.x, row.y): row for row in rows}
    if level == "measures":
        names = tuple(sorted({name for pair in cells for name in pair}, key=_rank))
        cells |= {(y, x): row for (x, y), row in cells.items()}
        return Matrix(names, names, cells)
    if level == "foundations":
        return Matrix(tuple(row.x for row in rows), ("same",), {(row.x, "same"): row for row in rows})
    turned = {_with_format_first(row): row for row in rows}
    return Matrix(tuple(dict.fromkeys(x for x, _ in turned)), tuple(sorted({y for _, y in turned}, key=_rank)), turned)


def _with_format_first(row: CorrelationRow) -> tuple[str, str]:
    has_format = any(word in FORMATS for word in row.x.split(".")[1:])
    return (row.x, row.y) if has_format else (row.y, row.x)


def _rank(name: str) -> tuple[int, str]:
    known = list(TITLES)
    head = name.split(".")[0]
    return known.index(head) if head in known else len(known), name


def matrix_columns(held: Matrix) -> tuple[Column, ...]:
    """Key, label and width of every column."""
    labels = {"same": "m-self"}
    names = [(name, labels.get(name) or measure_label(name, is_column=True), CELL_WIDTH) for name in held.columns]
    return (("name", "rho  (n)", NAME_WIDTH), *names)


def matrix_rows(held: Matrix, tones: Tones) -> list[tuple[str, tuple[Text, ...]]]:
    """The rows of the matrix: rho with n; a dot where a measure meets itself, ∅ where rho is not defined."""
    return [
        (
            name,
            (
                plain_cell(measure_label(name), NAME_WIDTH, tones.quiet),
                *(_cell(held.cells.get((name, column)), tones) for column in held.columns),
            ),
        )
        for name in held.rows
    ]


def _cell(row: CorrelationRow | None, tones: Tones) -> Text:
    if row is None:
        return Text("     ·", style=tones.quiet, no_wrap=True, end="")
    text = Text(no_wrap=True, end="")
    text.append(f"{number(row.rho):>6}", tones.plain if row.rho is not None else tones.warn)
    return text.append(f" {row.n:>3}", tones.quiet)


# The scatter and its legend.


def marks(points: Sequence[Point], chosen: str = "") -> list[Mark]:
    """The variants as marks; letters go by size, domain and stage, so that they stay where values change."""
    ordered = sorted(points, key=_place_of)
    return [Mark(letter(at), held.stage, held.x, held.y, held.variant == chosen) for at, held in enumerate(ordered)]


def _place_of(point: Point) -> tuple[str, str, int, str]:
    known = list(STAGE_GLYPHS)
    return point.size, point.domain, known.index(point.stage) if point.stage in known else len(known), point.variant


def point_name(point: Point) -> str:
    """Who a letter is: size and domain (the glyph says the stage), else the variant's name."""
    known = bool(point.size) and point.stage in STAGE_GLYPHS
    return one_line(" ".join(word for word in (point.size, point.domain) if word) if known else point.variant, 80)


def legend(points: Sequence[Point], width: int, height: int, hidden: Sequence[str], axes: Sequence[Axis]) -> Content:
    """Letter, stage and variant in as many columns as fit; what has no room here is in the page."""
    ordered = sorted(points, key=_place_of)
    foot = [_stage_key()]
    if any(axis.chance is not None for axis in axes):
        foot.append(Content.styled("┊┈ chance: answers at random", "$quiet"))
    if hidden:
        foot.append(Content.styled(f"no room for {' '.join(hidden)[:40]}", "$quiet"))
    room = max(1, height - len(foot))
    n_columns = max(1, min(3, -(-len(ordered) // room), width // 16))
    each = width // n_columns
    lines: list[list[Content]] = [[] for _ in range(min(room, len(ordered)))]
    shown = ordered if len(ordered) <= room * n_columns else ordered[: room * n_columns - 1]
    entries = [_entry(held, letter(at), each) for at, held in enumerate(shown)]
    if len(shown) < len(ordered):
        entries.append(Content.styled(f"{len(ordered) - len(shown)} more: enter"[:each], "$quiet"))
    for at, entry in enumerate(entries):
        lines[at % len(lines)].append(entry)
    return Content("\n").join([*(Content.assemble(*held) for held in lines), *foot])


def _entry(point: Point, held: str, width: int) -> Content:
    glyph = STAGE_GLYPHS.get(point.stage, "◇")
    name = point_name(point)
    room = max(1, width - len(held) - 4)
    text = name if cell_len(name) <= room else set_cell_size(name, room - 1) + "…"
    style = STAGE_STYLES.get(point.stage, "$quiet")
    return Content.assemble((f"{held} ", style), (f"{glyph} ", style), (set_cell_size(text, room + 1), ""))


def _stage_key() -> Content:
    words = [(f"{glyph} {stage}  ", STAGE_STYLES[stage]) for stage, glyph in STAGE_GLYPHS.items()]
    return Content.assemble(*[(text.replace("aligned", "al."), style) for text, style in words])


# The card.


def elsewhere(found: Correlations, columns: str, subset: str, level: str) -> str:
    """What to press where a level has pairs, but none in these columns and this subset; empty where it has none."""
    other = next((name for name in COLUMNS if name != columns and matrix(found, name, subset, level).cells), "")
    if other:
        return f"No {level} under {columns}. Press t for {other}."
    held = any(_level(row) == level for row in found.rows)
    return f"No {level} of {subset_words(subset)} under {columns}. Press b for others." if held else ""


def card(held: Card) -> list[Content]:
    """The first lines of a card: the row and what stands behind it."""
    row = held.row
    lines = row_lines(row)
    lines += [line(fact.name, one_line(fact.value, 80), one_line(fact.note, 120)) for fact in held.facts]
    if row.excluded and not any(text.startswith("not in") for text in held.warnings):
        lines.append(line("left out", one_line(row.excluded)))
    return lines


def said_lines(held: Card, judges: Judges | None) -> list[Content]:
    """What must be said of a card, in words, then the pair under each judge."""
    lines = [problem(text) for text in held.warnings]
    if held.sentence:
        lines += [Content(""), Content(one_line(held.sentence, 1000))]
    return [*lines, *judge_lines(judges)]


def row_lines(row: CorrelationRow) -> list[Content]:
    """What the row of a pair says by itself."""
    return [heading(f"{measure_words(row.x)} × {measure_words(row.y)}"), *_numbers(row)]


def _numbers(row: CorrelationRow) -> list[Content]:
    if row.rho is None:
        return [
            line("rho", UNDEFINED, f"n {row.n}"),
            problem(row.undefined_reason or "no reason is given"),
        ]
    n_arranged = "" if row.n_arrangements is None else f", {row.n_arrangements:,} arrangements"
    holm = "of the three pairs" if row.p_holm is not None else "not one of the three pairs"
    greater = f"greater {probability(row.p_within_recipe_greater)}"
    lines = [
        line("rho", number(row.rho), f"Spearman, n {row.n}, ties {row.ties_x} and {row.ties_y}"),
        line("95% interval", span(row.ci_low, row.ci_high), one_line(row.ci_method, 120)),
        line("prompts alone", span(row.measurement_low, row.measurement_high), "resampled"),
        line("tau-b", number(row.tau_b), "Kendall"),
        line("p within size", probability(row.p_within_size), "permuted within each size"),
        line("p Holm", probability(row.p_holm), holm),
        line("p unrestricted", probability(row.p_unrestricted), "as if independent"),
        line("recipe only", number(row.rho_recipe_only), "rho that the labels alone carry"),
        line("p within recipe", probability(row.p_within_recipe), greater + n_arranged),
        line("without a size", span(row.loso_low, row.loso_high), "lowest and highest"),
    ]
    return [*lines, problem(row.undefined_reason)] if row.undefined_reason else lines


def published_lines(row: CorrelationRow, published: CorrelationRow | None) -> list[Content]:
    """The paper's numbers of a pair beside ours, or that it has none."""
    if published is None:
        return [Content.styled("the paper has no value for this pair", "$quiet")]
    numbers = (
        f"n {published.n}, recipe only {number(published.rho_recipe_only)}, "
        f"p within recipe {probability(published.p_within_recipe)}"
    )
    return [
        line("published", number(published.rho), f"ours is {signed(_difference(row.rho, published.rho))} from it"),
        Content.styled(numbers, "$quiet dim"),
        Content.styled("other prompts, other judge: compare direction, not level", "$quiet"),
    ]


def _difference(own: float | None, published: float | None) -> float | None:
    return None if own is None or published is None else own - published


def judge_lines(found: Judges | None) -> list[Content]:
    """The same pair under every stored judge."""
    if found is None or len(found.rows) < 2:
        return []
    lines = [Content(""), heading("Under each judge")]
    for held in found.rows:
        value = number(held.row.rho) if held.row else UNDEFINED
        note = f"n {held.row.n}  {held.row.undefined_reason}" if held.row else held.reason
        lines.append(
            Content.assemble(
                (f"{value:>6}  ", ""), (one_line(held.judge, 50), ""), (f"  {one_line(note, 120)}", "$quiet")
            )
        )
    return lines  # fmt: skip


def without_lines(held: Card, kind: str, most: int = WORST) -> list[Content]:
    """rho without one variant, size, question or category, the lowest first; what is undefined last."""
    found = _left(held, kind)
    lines = [Content(""), heading(f"Without one {kind}, the lowest rho first")]
    if not found:
        return [*lines, Content.styled(f"nothing to leave out: no {kind} of its own stands behind this pair", "$quiet")]
    for entry in found[:most]:
        change = _difference(entry.rho, held.row.rho)
        note = f"{signed(change)}" if entry.rho is not None else one_line(entry.reason, 120)
        lines.append(
            Content.assemble((f"{number(entry.rho):>6}  ", ""), (one_line(entry.name, 60), ""), (f"  {note}", "$quiet"))
        )
    if len(found) > most:
        lines.append(Content.styled(f"{len(found) - most} more: enter shows all", "$quiet"))
    return lines


def _left(held: Card, kind: str) -> list[Without]:
    """What is left without one thing of a kind, the lowest rho first, what is undefined last."""
    found = [entry for entry in held.without if entry.kind == kind]
    return sorted(found, key=lambda entry: (entry.rho is None, entry.rho if entry.rho is not None else 0.0, entry.name))


def without_title(held: Card, kind: str) -> str:
    """What is left out, with the lowest and the highest rho, in a pane's title."""
    known = [entry for entry in _left(held, kind) if entry.rho is not None]
    if not known:
        return f"without one {kind}: {UNDEFINED}"
    low, high = known[0], known[-1]
    names = ", ".join(one_line(entry.name, 24) for entry in (low, high))
    return f"without one {kind}: {number(low.rho)} to {number(high.rho)} ({names})"


def page(held: Card, published: list[Content], judges: Judges | None, kinds: Sequence[str]) -> Content:
    """Everything of a card, with every variant's values."""
    lines = [*card(held), *published, *said_lines(held, judges)]
    for kind in kinds:
        lines += without_lines(held, kind, most=1_000)
    lines += [Content(""), heading(f"Variants: {measure_words(held.row.x)}, {measure_words(held.row.y)}")]
    for at, point in enumerate(sorted(held.points, key=_place_of)):
        values = f"{number(point.x):>7}{number(point.y):>8}  "
        lines.append(Content.assemble(_entry(point, letter(at), 30), (values, ""), (one_line(point.variant, 80), "")))
    return Content("\n").join([*lines, Content(""), problem(STANDING)])


def first_pair(held: Matrix) -> tuple[str, str]:
    """The cell that is chosen first: the first pair there is."""
    return next(iter(held.cells), ("", ""))


def pair_at(held: Matrix, place: tuple[str, str]) -> Pair | None:
    """The pair of a cell."""
    row = held.cells.get(place)
    return Pair.of(row) if row is not None else None
