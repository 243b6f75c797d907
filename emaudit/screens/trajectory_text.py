"""Trajectories in words and cells: the table, the panels, what the lines say. Pure: answers in, content out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.text import Text
from textual.content import Content

from emaudit.analysing.answers import Intervals, Line, Spot, Trajectories
from emaudit.screens.analysis_text import (
    UNDEFINED,
    heading,
    line,
    measure_words,
    number,
    problem,
    share,
    signed,
    span,
)
from emaudit.text import one_line
from emaudit.themes import Tones
from emaudit.watch.snapshot import short_title, title
from emaudit.widgets.cells import Column, plain_cell
from emaudit.widgets.plot_lines import DOTS, STEPS, STYLES, Panel, Series

TOTAL: Final = "total"
GROUPS: Final = {
    "three measures": ("harmfulness", "intentions", "self_assessment"),
    "moral foundations": ("moral_foundations", "moral_self_assessment"),
    "harmfulness by category": ("harmfulness",),
}
"""What is shown together, and of which assessments."""
LETTERS: Final = {
    "harmfulness": "H",
    "intentions": "I",
    "self_assessment": "S",
    "moral_foundations": "M",
    "moral_self_assessment": "A",
}
V: Final = "inverted V"
NAME: Final = 14
VALUE: Final = 7
NAMED: Final = 12
"""Variants named for one reason why they are in no lineage."""


def groups(found: Trajectories) -> list[str]:
    """The groups of which there is anything."""
    held = {entry.row.assessment for entry in found.lines}
    return [name for name, assessments in GROUPS.items() if held & set(assessments)]


def parts(found: Trajectories, group: str) -> list[str]:
    """The parts that a group can be shown by: the total first, then the dimensions, foundations or categories."""
    wanted = GROUPS[group] if len(GROUPS[group]) == 1 else GROUPS[group][1:]
    held = dict.fromkeys(entry.row.part for entry in found.lines if entry.row.assessment in wanted)
    return sorted(held, key=lambda part: (part != TOTAL, part != "harmless", part.startswith("group:"), part))


def chosen(found: Trajectories, group: str, part: str, domain: str) -> list[Line]:
    """The lines of a group by one part, of a domain or all: by size and domain, then measure.

    Harmfulness has no dimensions: beside those of the self-reports its total stands.
    """
    order = {assessment: at for at, assessment in enumerate(GROUPS[group])}
    kept = [
        entry
        for entry in found.lines
        if entry.row.assessment in order
        and entry.row.part == (TOTAL if group == "three measures" and entry.row.assessment == "harmfulness" else part)
        and domain in ("all", entry.row.domain)
    ]
    return sorted(
        kept, key=lambda entry: (entry.row.size, entry.row.domain, entry.row.lineage, order[entry.row.assessment])
    )


def key_of(entry: Line) -> str:
    """What names a line's row in the table."""
    return f"{entry.row.lineage}\t{entry.row.assessment}"


def lineage_name(entry: Line) -> str:
    """Size and domain, else the name of the lineage's last variant."""
    known = [word for word in (entry.row.size, entry.row.domain) if word]
    return one_line(" ".join(known) if len(known) == 2 else entry.row.lineage, 60)


# The table.


def columns(width: int) -> tuple[Column, ...]:
    """Key, label and width of every column; with room the bounds get three decimals."""
    wide = width >= 96
    return (
        ("lineage", "lineage", NAME + (width - 96 if wide else 0)),
        ("measure", "", VALUE),
        *((step, label, VALUE) for step, label in zip(STEPS, ("base", "mis.", "real."), strict=True)),
        ("induced", "induced  95%", 24 if wide else 21),
        ("reversed", "reversed  95%", 24 if wide else 16),
    )


def cells(entry: Line, held: Sequence[Column], is_first: bool, tones: Tones) -> tuple[Text, ...]:
    """One row: the three values, the rise, the share of it undone. The lineage is named once."""
    row = entry.row
    widths = {key: width for key, _, width in held}
    is_narrow = widths["induced"] < 24
    mark = "  " if entry.shape in (V, "") else "! "
    name = mark + lineage_name(entry) if is_first or mark != "  " else ""
    return (
        plain_cell(name, widths["lineage"], tones.warn if mark != "  " else tones.plain),
        plain_cell(short_title(row.assessment), VALUE, tones.quiet),
        *(plain_cell(number(value), VALUE) for value in (row.base, row.misaligned, row.realigned)),
        _whole(_bounded(row.induced, row.induced_low, row.induced_high, 2 if is_narrow else 3), widths["induced"]),
        _whole(_shared(row.reversed, row.reversed_low, row.reversed_high), widths["reversed"]),
    )


def _whole(text: str, width: int) -> Text:
    """A value with its interval, closer together where it must be; a cut bound would be another number."""
    room = width - 1
    closer = text if len(text) <= room else text.replace(", ", ",")
    return plain_cell(closer if len(closer) <= room else f"{text.split(' [')[0]} […]", width)


def _bounded(value: float | None, low: float | None, high: float | None, places: int) -> str:
    if value is None:
        return UNDEFINED
    bounds = UNDEFINED if low is None or high is None else f"{number(low, places)}, {number(high, places)}"
    return f"{signed(value, places)} [{bounds}]"


def _shared(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return UNDEFINED
    bounds = UNDEFINED if low is None or high is None else f"{share(low)[:-1]}, {share(high)[:-1]}"
    return f"{share(value)} [{bounds}]"


# The plot.


def plotted(lines: Sequence[Line], spots: Intervals | None, at: str, has_published: bool) -> list[Panel]:
    """A panel per lineage, with the measures of the group in it; `at` is the key of the chosen line."""
    by_lineage: dict[str, list[Line]] = {}
    for entry in lines:
        by_lineage.setdefault(entry.row.lineage, []).append(entry)
    return [
        Panel(
            lineage_name(held[0]),
            [
                Series(
                    LETTERS.get(entry.row.assessment, "?"),
                    spots_of(entry, spots),
                    entry.published if has_published else (),
                )
                for entry in held
            ],
            any(key_of(entry) == at for entry in held),
        )
        for held in by_lineage.values()
    ]


def spots_of(entry: Line, found: Intervals | None) -> list[Spot]:
    """The three values of a line, with the intervals of scores.csv where they are known."""
    values = (entry.row.base, entry.row.misaligned, entry.row.realigned)
    known = [
        found.spots.get((name, entry.row.assessment, entry.row.part)) if found else None for name in entry.variants
    ]
    return [
        Spot(value, spot.low, spot.high) if spot is not None and spot.value == value else Spot(value)
        for value, spot in zip(values, known, strict=True)
    ]  # fmt: skip


def key_line(lines: Sequence[Line], has_published: bool, has_chance: bool) -> Content:
    """What the letters of the plot stand for."""
    held = list(dict.fromkeys(entry.row.assessment for entry in lines))
    said: list[tuple[str, str]] = []
    for at, assessment in enumerate(held):
        said.append((f"{LETTERS.get(assessment, '?')}{DOTS[at % 3]} ", f"bold {STYLES[at % 3]}"))
        said.append((f"{title(assessment)}  ", ""))
    said.append(("┬┴ 95%  ", "$quiet"))
    if has_chance:
        said.append(("┈ chance  ", "$quiet"))
    if has_published:
        said.append(("small: published", "$quiet"))
    return Content.assemble(*said)


# The words.


def words(
    found: Trajectories, lines: Sequence[Line], entry: Line | None, spots: Intervals | None, published: bool
) -> Content:
    """The chosen line in full, then what all lines say of the inverted V, and its exceptions by name."""
    chosen_lines = _chosen(entry, spots, published) if entry is not None else []
    return Content("\n").join([*chosen_lines, Content(""), *_shapes(lines), *_exceptions(found), *_passed_over(found)])


def _chosen(entry: Line, spots: Intervals | None, has_published: bool) -> list[Content]:
    row = entry.row
    name = measure_words(row.assessment + ("" if row.part == TOTAL else f".{row.part}"))
    lines = [heading(f"{lineage_name(entry)}: {name}")]
    for step, variant, spot in zip(STEPS, entry.variants, spots_of(entry, spots), strict=True):
        bounds = f" [{span(spot.low, spot.high)}]" if spot.low is not None and spot.high is not None else ""
        lines.append(line(step, number(spot.value) + bounds, one_line(variant, 60)))
    change = "change" if row.induced is not None and row.induced < 0 else "rise"
    lines.append(line("induced", f"{signed(row.induced)} [{span(row.induced_low, row.induced_high)}]", f"the {change}"))
    undone = f"{share(row.reversed)} [{share(row.reversed_low)} to {share(row.reversed_high)}]"
    lines.append(line("reversed", undone, f"of the {change} undone"))
    if entry.shape:
        lines.append(line("shape", entry.shape))
    if row.undefined_reason:
        lines.append(problem(row.undefined_reason))
    if has_published and entry.published:
        values = ", ".join(number(value) for value in entry.published)
        lines.append(Content.styled(f"published       {values}", "$quiet dim"))
        lines.append(Content.styled("other prompts, other judge: compare direction, not level", "$quiet"))
    elif has_published:
        lines.append(Content.styled("the paper has no values for this lineage", "$quiet"))
    return lines


def _shapes(lines: Sequence[Line]) -> list[Content]:
    """How many lineages rise and fall back, for each measure shown."""
    followed = dict.fromkeys(entry.row.assessment for entry in lines if entry.shape)
    said = [heading("The inverted V: up when misaligned, back down when realigned")] if followed else []
    for assessment in followed:
        held = [entry for entry in lines if entry.row.assessment == assessment]
        known = [entry for entry in held if entry.shape]
        n = sum(entry.shape == V for entry in known)
        said.append(Content(f"{title(assessment)}: {n} of {len(known)} lineages"))
        if len(known) < len(held):
            said.append(Content.styled(f"  {len(held) - len(known)} more lack a stage", "$quiet"))
        others = [f"{lineage_name(entry)} ({entry.shape})" for entry in known if entry.shape != V]
        if others:
            said.append(problem(f"not in {', '.join(others)}"))
    return said


def _exceptions(found: Trajectories) -> list[Content]:
    if not found.exceptions:
        return []
    return [
        Content(""),
        heading("Totals without the inverted V"),
        *(Content(one_line(text, 400)) for text in found.exceptions),
    ]


def _passed_over(found: Trajectories) -> list[Content]:
    """The variants that no lineage holds, by the reason."""
    by_reason: dict[str, list[str]] = {}
    for name, why in found.passed_over:
        by_reason.setdefault(why, []).append(name)
    lines = [Content(one_line(f"{why}: {_some(names)}", 600)) for why, names in by_reason.items()]
    return [Content(""), heading("Variants in no lineage"), *lines] if lines else []


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
