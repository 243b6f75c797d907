"""Replies in words: the rows of the list, and what its line says of filters and counts. Pure: values in, text out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.text import Text
from textual.content import Content

from emaudit.filters import Filters
from emaudit.inspection.views import Page, Row, Standing
from emaudit.text import one_line
from emaudit.themes import Tones
from emaudit.watch.snapshot import short_title, title
from emaudit.widgets import figures
from emaudit.widgets.cells import Column

STATUS_WORDS: Mapping[str, str] = {"owed": "owed", "unread": "unread", "unscored": "unscored", "neutral": "neutral"}
MARKS = (("is_disputed", "≠"), ("n_reviews", "✓"), ("is_flagged", "⚑"), ("is_starred", "★"))
"""Glyphs behind a score: another judge disagrees, a person scored it, it is flagged, it is starred."""
_WIDE_COLUMNS: tuple[Column, ...] = (
    ("assessment", "asked", 8),
    ("format", "format", 11),
    ("condition", "condition", 26),
)


def score_text(standing: Standing) -> str:
    """A reading in a few characters: its value, or what it is instead."""
    if standing.value is None:
        return STATUS_WORDS.get(standing.status, one_line(standing.status, 10))
    value = f"{standing.value:.3g}"
    return f"{value} neutral" if standing.status == "neutral" else value


def tells_verdict(standing: Standing) -> bool:
    """Whether what stands for a reading says what a scorer made of the reply."""
    return standing.status in {"scored", "neutral", "unscored"}


def score_style(standing: Standing, tones: Tones) -> str:
    """The tone of a reading: no colour says that a score is good or bad."""
    if standing.status in {"scored", "neutral"}:
        return f"bold {tones.plain}" if standing.status == "scored" else tones.quiet
    return tones.warn if standing.status in {"unscored", "owed", "unread"} else tones.quiet


def columns(width: int, rows: Sequence[Row], in_one_variant: bool) -> tuple[Column, ...]:
    """The columns that fit into `width`; the variant has one where the list holds several."""
    variant = min(26 if width < 100 else 34, max([8, *(len(row.variant) + 1 for row in rows)]))
    item = min(24, max([5, *(len(row.listed.item) + 1 for row in rows)]))
    fixed: list[Column] = [] if in_one_variant else [("variant", "variant", variant)]
    fixed += [("item", "item", item), ("sample", "#", 3), ("score", "score", 9)]
    fixed += [("marks", "", 5)] if any(_marks(row) for row in rows) else []
    room = width - sum(column[2] for column in fixed) - 40
    more: list[Column] = []
    if any(row.listed.assessment != rows[0].listed.assessment for row in rows) and room >= 8:
        more.append(_WIDE_COLUMNS[0])
        room -= 8
    for column in _WIDE_COLUMNS[1:]:
        if column[2] <= room and any(getattr(row.listed, column[0]) for row in rows):
            more.append(column)
            room -= column[2]
    rest = max(10, width - sum(column[2] for column in [*fixed, *more]))
    at = 2 - in_one_variant
    return (*fixed[:at], *more, *fixed[at:], ("text", "response", rest))


def _marks(row: Row) -> str:
    return "".join(glyph for name, glyph in MARKS if getattr(row.standing if name == "is_disputed" else row, name))


def cells(row: Row, wanted: Sequence[Column], tones: Tones) -> tuple[Text, ...]:
    """One row of the list, for the columns there are."""
    return tuple(_cell(row, key, width - 1, tones) for key, _, width in wanted)


def _cell(row: Row, key: str, width: int, tones: Tones) -> Text:
    held = row.listed
    if key == "text":
        return _response(row, width, tones)
    if key == "score":
        return _line(score_text(row.standing), width, score_style(row.standing, tones))
    if key == "marks":
        return _line(_marks(row), width, tones.active)
    text = {"variant": row.variant, "sample": str(held.sample), "assessment": short_title(held.assessment)}.get(key)
    return _line(getattr(held, key) if text is None else text, width, "" if key == "item" else tones.quiet)


def _response(row: Row, width: int, tones: Tones) -> Text:
    held = row.listed
    words = held.head or "(nothing)"
    if held.outcome == "ok":
        return _line(words, width, "" if held.head else tones.quiet)
    outcome = _line(held.outcome, min(width, 16), tones.warn)
    return outcome.append_text(_line(f" {words}", max(1, width - len(outcome)), tones.plain))


def _line(text: str, width: int, style: str) -> Text:
    """Outside text in one table cell; only what the cell has room for is looked at."""
    line = one_line(text, width)
    cell = Text(line, style, no_wrap=True, overflow="ellipsis", end="")
    if not line.isascii():
        cell.truncate(width, overflow="ellipsis")
    return cell


def described(filters: Filters, variants: Mapping[int, str], judges: Mapping[int, str]) -> str:
    """The active filters in words; empty where there are none."""
    parts = []
    if filters.words.strip():
        where = "" if filters.place == "all" else f" in {filters.place}"
        parts.append(f"“{one_line(filters.words, 40)}”{where}")
    names = [variants.get(key, str(key)) for key in sorted(filters.variants)]
    parts += [", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")] if names else []
    parts += [", ".join(title(key) for key in sorted(filters.assessments))] if filters.assessments else []
    for values in (filters.parts, filters.formats, filters.outcomes):
        parts += [", ".join(sorted(values))] if values else []
    parts += [filters.status] if filters.status else []
    parts += [f"score {score_range(filters.low, filters.high)}"] if (filters.low, filters.high) != (None, None) else []
    if filters.disagreement:
        parts.append("judges disagree" if filters.disagreement == "judges" else "judge and person disagree")
    if filters.differs_from is not None:
        parts.append(f"differs from {variants.get(filters.differs_from, '')}")
    if filters.reviewed is not None:
        parts.append("reviewed" if filters.reviewed else "not reviewed")
    parts += [word for word, is_on in (("flagged", filters.flagged), ("starred", filters.starred)) if is_on]
    if filters.judge is not None:
        parts.append(f"read by {judges.get(filters.judge, '')}")
    return " · ".join(one_line(part, 80) for part in parts)


def score_range(low: float | None, high: float | None) -> str:
    """A range of scores as it is typed: `5`, `4-5`, `4-`, `-2`."""
    if low == high and low is not None:
        return f"{low:g}"
    return f"{'' if low is None else f'{low:g}'}-{'' if high is None else f'{high:g}'}"


def read_range(text: str) -> tuple[float | None, float | None]:
    """A range of scores from what was typed; empty is no bound. Raises ValueError."""
    text = text.strip().replace("–", "-").replace("..", "-")
    if not text:
        return None, None
    low, dash, high = text.partition("-")
    bounds = (float(low) if low.strip() else None, float(high) if high.strip() else None)
    return bounds if dash else (bounds[0], bounds[0])


def other_item(keys: Sequence[object], at: int, step: int) -> int | None:
    """Where in a page the next (or previous) item begins; None where the page ends before that."""
    to = at
    while 0 <= to < len(keys) and keys[to] == keys[at]:
        to += step
    if not 0 <= to < len(keys):
        return None
    while step < 0 and to > 0 and keys[to - 1] == keys[to]:
        to -= 1
    return to


def count_line(page: Page, filters: str, is_reading: bool, n_new: int, width: int) -> Content:
    """How many replies the list has, which of them are on the page, what filters them, what came since."""
    n = figures.plural(page.n, "reply") if page.n is not None else "counting" if page.rows else ""
    rows = ""
    position = page.stretch.position
    if page.n and position is not None and page.n > len(page.rows):
        rows = f"  {figures.count(position + 1)}–{figures.count(position + len(page.rows))}"
    new = f"{figures.count(n_new)} new: n shows them " if n_new else ""
    busy = "reading… " if is_reading else ""
    left: list[str | tuple[str, str]] = [" ", (n, "bold"), (rows, "$quiet"), "  "]
    room = max(8, width - len(n) - len(rows) - len(new) - len(busy) - 5)
    shown = one_line(filters, room) if filters else one_line("all replies: / searches, f filters", room)
    left.append((shown, "$primary" if filters else "$quiet"))
    gap = width - len(n) - len(rows) - len(shown) - len(new) - len(busy) - 3
    return Content.assemble(*left, " " * max(1, gap), (busy, "$quiet"), (new, "$warning"))
