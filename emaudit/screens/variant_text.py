"""A variant in words: the pane beside the table, and the page that enter opens. Pure: a row in, content out."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from emaudit.text import one_line
from emaudit.variants import PROVENANCE
from emaudit.watch.snapshot import Cell, Stage, VariantRow, title
from emaudit.widgets import figures
from emaudit.widgets.cells import GLYPHS

STYLES = {
    Stage.NONE: "$quiet",
    Stage.COUNTING: "$quiet",
    Stage.RUNNING: "$primary",
    Stage.WAITING: "$quiet",
    Stage.OWED: "$warning",
    Stage.JUDGING: "$secondary",
    Stage.DONE: "$success",
}
"""Colour of a stage; its glyph and word stand beside it."""

Part = Content | tuple[str, str]


def joined(lines: list[Content]) -> Content:
    """Lines of content as one."""
    return Content("\n").join(lines)


def field_line(name: str, text: str, width: int = 10) -> Content:
    """A field's name and what it holds; a dash where it holds nothing."""
    shown = one_line(text, 200) or figures.UNKNOWN
    return Content.assemble((f"{name:<{width}}", "$quiet"), shown)


def address(row: VariantRow, base_url: str) -> str:
    """The endpoint's name and where it is."""
    held = row.variant
    return " ".join(part for part in (held.endpoint, held.base_url or base_url) if part)


def pane(row: VariantRow, base_url: str, is_wide: bool) -> Content:
    """The selected variant: who it is, then a line per assessment, then what is owed."""
    held = row.variant
    facts = [field_line("model", held.model), field_line("endpoint", address(row, base_url))]
    recipe = " · ".join(part or figures.UNKNOWN for part in (held.size, held.domain, held.stage))
    if is_wide:
        lines = [
            *facts,
            field_line("recipe", recipe),
            field_line("parent", held.parent),
            Content(""),
            *_wide_cells(row),
            owed_line(row),
        ]
        return joined(lines)
    first = Content.assemble(facts[0], "  ", (address(row, base_url), "$quiet"))
    second = Content.assemble(field_line("recipe", recipe), "   ", field_line("parent", held.parent, 7))
    return joined([first, second, *(_narrow_cell(cell) for cell in row.cells), owed_line(row)])


def _stage(cell: Cell) -> tuple[str, str]:
    return f"{GLYPHS[cell.stage]} {cell.stage}", STYLES[cell.stage]


def _value(cell: Cell) -> tuple[str, str]:
    return figures.value(cell.value, cell.assessment), "bold"


def _behind(cell: Cell) -> str:
    return f"{figures.count(cell.used)}/{figures.count(cell.expected)} {cell.unit}" if cell.expected else ""


def _progress(cell: Cell) -> str:
    return f"{figures.count(cell.n_closed)}/{figures.count(cell.n_slots)}"


def _verdicts(cell: Cell) -> str:
    return f"{figures.count(cell.n_judged)}/{figures.count(cell.n_referred)} judged" if cell.n_referred else ""


def _trouble(cell: Cell) -> list[Part]:
    parts: list[Part] = []
    if cell.n_unscored:
        parts.append((f"{figures.count(cell.n_unscored)} unscored", "$warning"))
    if cell.n_errors:
        parts.append((figures.plural(cell.n_errors, "error"), "$error"))
    return parts


def _spaced(parts: list[Part]) -> Content:
    return Content("  ").join([part if isinstance(part, Content) else Content.styled(*part) for part in parts])


def _wide_cells(row: VariantRow) -> Iterator[Content]:
    for cell in row.cells:
        if cell.stage is not Stage.NONE:
            yield from _wide_cell(cell)
    others = [title(cell.assessment) for cell in row.cells if cell.stage is Stage.NONE]
    if others:
        yield Content.styled(f"{GLYPHS[Stage.NONE]} {Stage.NONE}: {', '.join(others)}", "$quiet")
        yield Content("")


def _wide_cell(cell: Cell) -> Iterator[Content]:
    name = Content.styled(title(cell.assessment), "bold")
    yield Content.assemble(name, "  ", (one_line(cell.preset, 24), "$quiet"))
    yield Content.assemble("  ", _stage(cell), "  ", _progress(cell))
    if cell.stage is not Stage.COUNTING:
        details: list[Part] = [_value(cell), (f"of {_behind(cell)}", "$quiet")] if cell.expected else []
        yield Content.assemble("  ", _spaced(details))
        rest: list[Part] = [(_verdicts(cell), "$quiet")] if cell.n_referred else []
        rest += _trouble(cell)
        if rest:
            yield Content.assemble("  ", _spaced(rest))
    yield Content("")


def _narrow_cell(cell: Cell) -> Content:
    name = f"{title(cell.assessment):<22}"
    glyph, style = GLYPHS[cell.stage], STYLES[cell.stage]
    if cell.stage is Stage.NONE:
        return Content.assemble(name, (f"{glyph} {cell.stage}", style))
    parts: list[Part] = [(f"{figures.value(cell.value, cell.assessment):>5}", "bold")]
    if cell.expected:
        parts.append((f"of {figures.count(cell.used)}/{figures.count(cell.expected)}", "$quiet"))
    parts += [(str(cell.stage), style)] if cell.stage is not Stage.DONE else _trouble(cell)
    return Content.assemble(name, (f"{glyph} ", style), f"{_progress(cell):>13}  ", _spaced(parts))


def owed_line(row: VariantRow) -> Content:
    """What is owed of everything planned, or that nothing is."""
    if not any(cell.n_slots for cell in row.cells):
        return Content.styled("nothing asked yet: r runs it", "$quiet")
    replies, verdicts = row.n_replies_owed, row.n_verdicts_owed
    if any(cell.stage is Stage.COUNTING for cell in row.cells):
        return Content.styled("counting", "$quiet")
    if not replies and not verdicts:
        return Content.styled("nothing owed", "$success")
    owed = " and ".join(
        text
        for n, text in ((replies, figures.plural(replies, "reply")), (verdicts, figures.plural(verdicts, "verdict")))
        if n
    )
    return Content.assemble((f"owed: {owed}", "$warning"), ("" if row.is_running else "  r resumes", "$quiet"))


def page(row: VariantRow, base_url: str) -> Content:
    """Everything known of a variant."""
    held = row.variant
    lines = [field_line(name, getattr(held, name), 16) for name in ("name", "model")]
    lines.append(field_line("endpoint", address(row, base_url), 16))
    lines.append(field_line("key variable", held.api_key_env, 16))
    lines += [field_line(name, getattr(held, name), 16) for name in ("size", "domain", "stage", "parent")]
    known = [name for name in PROVENANCE if getattr(held, name)]
    if known:
        lines += [Content(""), Content.styled("fine-tuning", "bold")]
        lines += [field_line(name, getattr(held, name), 16) for name in known]
    lines.append(Content(""))
    return joined([*lines, *_wide_cells(row), owed_line(row)])
