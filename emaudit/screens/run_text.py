"""Runs in words: table cells, the pane of the selected run, the last replies. Pure: rows in, text out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.text import Text
from textual.content import Content

from emaudit.screens.variant_text import field_line, joined
from emaudit.text import one_line
from emaudit.themes import Tones
from emaudit.watch.snapshot import LandedReply, RunRow, RunStage, short_title, title
from emaudit.widgets import figures
from emaudit.widgets.cells import Column

GLYPHS: Final = {
    RunStage.RUNNING: "▶",
    RunStage.STOPPING: "◼",
    RunStage.DONE: "●",
    RunStage.STOPPED: "◐",
    RunStage.FAILED: "✗",
    RunStage.INTERRUPTED: "!",
}
STYLES: Final = {
    RunStage.RUNNING: "$primary",
    RunStage.STOPPING: "$warning",
    RunStage.DONE: "$success",
    RunStage.STOPPED: "$warning",
    RunStage.FAILED: "$error",
    RunStage.INTERRUPTED: "$error",
}
_OPTIONAL: Final[tuple[Column, ...]] = (
    ("errors", "errors", 7),
    ("unscored", "unscored", 9),
    ("concurrency", "in flight", 11),
    ("judged", "judged", 15),
    ("spent", "spent", 14),
    ("what", "variants", 26),
)
"""Columns that a wider table has, the first first; the pane has what does not fit."""
_FIXED: Final[tuple[Column, ...]] = (
    ("run", "run", 9),
    ("stage", "state", 14),
    ("bar", "", 12),
    ("done", "done", 16),
    ("rate", "rate", 8),
    ("eta", "left", 8),
)


def columns(width: int) -> tuple[Column, ...]:
    """The columns that fit into `width`."""
    found = list(_FIXED)
    room = width - sum(column[2] for column in found)
    for column in _OPTIONAL:
        if column[2] > room:
            break
        found.append(column)
        room -= column[2]
    return tuple(found)


def cells(run: RunRow, wanted: Sequence[Column], tones: Tones) -> tuple[Text, ...]:
    """One row of the table, for the columns there are."""
    made = {
        "run": Text(one_line(run.uid, 8)),
        "stage": Text(f"{GLYPHS[run.stage]} {run.stage}", _tone(run.stage, tones)),
        "bar": _bar(run, tones),
        "done": Text(f"{figures.count(run.n_closed)}/{figures.count(run.n_slots)}" if run.n_slots else ""),
        "rate": Text(figures.rate(run.replies_per_s) if run.is_live else "", tones.active),
        "eta": Text(figures.duration(run.eta_s) if run.is_live else ""),
        "errors": Text(figures.count(run.n_errors), tones.bad if run.n_errors else tones.quiet),
        "unscored": Text(figures.count(run.n_unscored), tones.warn if run.n_unscored else tones.quiet),
        "concurrency": Text(f"{run.in_flight}/{run.limit}" if run.is_live else ""),
        "judged": Text(f"{figures.count(run.n_judged)}/{figures.count(run.n_referred)}" if run.n_referred else ""),
        "spent": Text(spent(run), tones.quiet),
        "what": Text(one_line(", ".join(run.variants), 200), tones.quiet),
    }
    return tuple(_cut(made[key]) for key, _, _ in wanted)


def _cut(text: Text) -> Text:
    text.no_wrap, text.overflow, text.end = True, "ellipsis", ""
    return text


def _tone(stage: RunStage, tones: Tones) -> str:
    return {
        "$quiet": tones.quiet,
        "$primary": tones.active,
        "$warning": tones.warn,
        "$success": tones.good,
        "$error": tones.bad,
    }[STYLES[stage]]


def _bar(run: RunRow, tones: Tones) -> Text:
    done, rest = figures.bar(run.share, 10)
    text = Text(done, _tone(run.stage, tones) if run.n_slots else tones.quiet)
    return text.append(rest if run.n_slots else "", tones.quiet)


def spent(run: RunRow) -> str:
    """Tokens so far, and the price where it is known."""
    if not run.input_tokens and not run.output_tokens:
        return ""
    tokens = f"{figures.tokens(run.input_tokens)}+{figures.tokens(run.output_tokens)}"
    return f"{figures.price(run.cost)} {tokens}" if run.cost is not None and not run.is_resumed else f"{tokens} tok"


def pane(run: RunRow, is_wide: bool) -> Content:
    """The selected run: what it asks, what it does now and why, and what happened to it."""
    first = Content.assemble((f"{GLYPHS[run.stage]} {run.stage}", f"bold {STYLES[run.stage]}"), "  ", _now(run))
    lines = [first, *_facts(run)]
    n_events = 12 if is_wide else 5
    if run.events:
        lines += [Content(""), Content.styled("events", "bold")] if is_wide else []
        lines += [_event(event.at, event.kind, event.text) for event in reversed(run.events[-n_events:])]
    return joined(lines)


def _now(run: RunRow) -> Content:
    return Content(one_line(run.line, 400))


def _facts(run: RunRow) -> list[Content]:
    facts = []
    if run.is_live and run.limit:
        reason = f" · {one_line(run.reason, 120)}" if run.reason else ""
        facts.append(field_line("in flight", f"{run.in_flight} of at most {run.limit}{reason}"))
    facts.append(_counts(run))
    if run.variants:
        asks = ", ".join(short_title(key) for key in run.assessments)
        facts.append(field_line("asks", f"{run.preset}: {asks}"))
        facts.append(field_line("variants", ", ".join(run.variants)))
    if run.judge:
        facts.append(field_line("judge", run.judge))
    if spent(run):
        facts.append(field_line("spent", _spent_words(run)))
    if run.expected_input:
        facts.append(field_line("expected", _expected_words(run)))
    if run.created_at:
        facts.append(field_line("started", f"{run.created_at}  {run.holder}"))
    if run.log_path:
        facts.append(field_line("log", run.log_path))
    return facts


def _spent_words(run: RunRow) -> str:
    tokens = f"{figures.tokens(run.input_tokens)} tokens in, {figures.tokens(run.output_tokens)} out"
    since = " since the last start" if run.is_resumed and run.cost is not None else ""
    return f"{tokens}, price {figures.price(run.cost)}{since}"


def _expected_words(run: RunRow) -> str:
    tokens = f"{figures.tokens(run.expected_input)} tokens in, {figures.tokens(run.expected_output)} out at the end"
    since = " (since the last start)" if run.is_resumed else ""
    return f"{tokens}{since}, price {figures.price(run.expected_cost)}"


def _counts(run: RunRow) -> Content:
    if not run.n_slots:
        return field_line("done", "")
    parts: list[Content | str | tuple[str, str]] = [("done      ", "$quiet")]
    parts.append(f"{figures.count(run.n_closed)}/{figures.count(run.n_slots)}")
    if run.n_referred:
        parts.append(f"  judged {figures.count(run.n_judged)}/{figures.count(run.n_referred)}")
    if run.n_owed and not run.is_live:
        parts.append((f"  {figures.count(run.n_owed)} owed: r resumes", "$warning"))
    for n, word, style in ((run.n_unscored, "unscored", "$warning"), (run.n_errors, "errors", "$error")):
        if n:
            parts.append((f"  {figures.count(n)} {word}", style))
    return Content.assemble(*parts)


def _event(at: str, kind: str, text: str) -> Content:
    style = "$warning" if kind in {"warned", "gone", "stop requested"} else ""
    return Content.assemble((f"{one_line(at, 24)} ", "$quiet"), (one_line(kind, 40), style), f" {one_line(text)}")


@dataclass(frozen=True, slots=True)
class _Widths:
    variant: int
    item: int


def replies(rows: Sequence[LandedReply], n: int, width: int) -> Content:
    """The last replies, newest first, one line each: who, what, whether it was read, the text.

    No line tells a score: whoever watches a run may score its replies later, and blind.
    """
    shown = rows[:n]
    if not shown:
        return Content.styled("Replies stand here as they land.", "$quiet")
    widths = _Widths(
        min(24, max(len(one_line(row.variant, 24)) for row in shown)),
        min(24, max(len(one_line(row.item, 24)) for row in shown)),
    )
    return joined([_reply(row, widths, width) for row in shown])


def _reply(row: LandedReply, widths: _Widths, width: int) -> Content:
    variant = f"{one_line(row.variant, widths.variant):<{widths.variant}}"
    item = f"{one_line(row.item, widths.item):<{widths.item}}"
    reading, style = reading_of(row)
    room = max(10, width - widths.variant - widths.item - 14)
    return Content.assemble(
        (variant, "$quiet"),
        " ",
        (item, "$quiet"),
        " ",
        (f"{reading:<10}", style),
        " ",
        one_line(row.text, room) or f"({one_line(row.outcome, 20)})",
    )


def reading_of(row: LandedReply) -> tuple[str, str]:
    """How far the reading of a reply is, in a word, and its colour."""
    words = {
        "referred": ("to judge", "$quiet"),
        "scored": ("read", "bold"),
        "neutral": ("read", "bold"),
        "unscored": ("read", "bold"),
        "": ("stored", ""),
    }
    return words.get(row.status, (one_line(row.status, 10), ""))


def summary(run: RunRow) -> str:
    """A run in one line, for dialogs."""
    names = ", ".join(run.variants[:2]) + (f" and {len(run.variants) - 2} more" if len(run.variants) > 2 else "")
    done = f"{figures.count(run.n_closed)}/{figures.count(run.n_slots)}" if run.n_slots else "starting"
    return one_line(f"{run.uid}  {names}  {done}", 200)


__all__ = ["cells", "columns", "pane", "replies", "summary", "title"]
