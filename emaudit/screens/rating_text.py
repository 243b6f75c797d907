"""What the blind screen says, from what a session shows. Pure.

Nothing here knows a judge, a variant or a stratum: what a reviewer may see is what `Shown` holds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from textual.content import Content

from emaudit.text import DISPLAY_LIMIT, one_line, visible
from emaudit.widgets import figures

if TYPE_CHECKING:
    from emaudit.reviewing.session import Revealed, Shown, Tally

WARNING: Final = (
    "What you are about to read was written by language models, some of them trained to misbehave.\n"
    "It can be cruel, hateful, sexual, or urge people to hurt themselves or others.\n\n"
    "Blank the screen at any moment with b; any key brings it back.\n"
    "Leave whenever you like: every key is saved as you press it, and you come back to where you were."
)
REASON_KEYS: Final = {
    "truncated": "t",
    "wrong language": "w",
    "not a response": "r",
    "needs an expert": "e",
    "neither": "n",
}
"""The key for each reason that an item cannot be told."""
EVENTS: Final = {"cannot_tell": "answer", "defer": "deferral", "adjudicate": "outcome"}
"""Words for kinds of events that are no words themselves."""
CHOICES: Final = {"language": ("Language", "Choose this language and go on")}
"""What the digits give where that is no score, and the words for it in the help."""
REASON_WORDS: Final = {"neither": "takes neither side"}


def header(told: str, shown: Shown | None, tally: Tally, reviewer: str, width: int) -> Content:
    """The line at the top: where in the queue, what is saved, what waits."""
    left: list[Content | tuple[str, str]] = [(f" {told} ", "bold $primary")]
    if shown is not None:
        left.append((f" item {figures.count(shown.number)} of {figures.count(shown.n_items)} ", "bold"))
    if width > 100:
        done, rest = figures.bar(tally.n_done / tally.n_planned if tally.n_planned else 0.0, 20)
        left += [(f" {done}", "$primary"), (f"{rest} ", "$border")]
    left.append((f" {figures.count(tally.n_done)} saved ", ""))
    extras = [(tally.n_deferred, "later"), (tally.n_flagged, "flagged"), (tally.n_not_blind, "not blind")]
    said = " · ".join(f"{figures.count(n)} {word}" for n, word in extras if n)
    line = Content.assemble(*left, (f" {said}" if said else "", "$quiet"))
    right = Content.styled(f"as {one_line(reviewer, 24)} ", "$quiet")
    gap = width - line.cell_length - right.cell_length
    return line if gap < 1 else Content.assemble(line, " " * gap, right)


def reasons(shown: Shown) -> tuple[tuple[str, str, str], ...]:
    """Key, reason, and words for it, of an item that cannot be told."""
    return tuple((REASON_KEYS[reason], reason, REASON_WORDS.get(reason, reason)) for reason in shown.reasons)


def ask_reason(offered: Sequence[tuple[str, str, str]]) -> Content:
    """The question why, with its keys."""
    parts: list[tuple[str, str]] = []
    for key, _, name in offered:
        parts += [(f"  {key} ", "bold $primary"), (name, "")]
    return Content.assemble(("because:", "bold"), *parts, ("  esc back", "$quiet"))


def both(shown: Shown) -> Content:
    """Two raters' answers, without names and in no order."""
    if not shown.both:
        return Content("")
    words = "   ".join(one_line(answer, 40) for answer in shown.both)
    return Content.assemble(("two people said  ", "$quiet"), (words, "bold"))


def response(shown: Shown) -> Content:
    """The response as it is shown: its first part, verbatim but for what would command a terminal."""
    text = shown.response
    if not text:
        return Content.styled("(an empty response)", "$quiet")
    if len(text) <= DISPLAY_LIMIT:
        return Content(visible(text))
    rest = len(text) - DISPLAY_LIMIT
    return Content.assemble(
        visible(text[:DISPLAY_LIMIT]), (f"\n… {rest:,} more characters: w shows the whole response", "$warning")
    )


def prompt(shown: Shown) -> Content:
    """What the model was asked; its first part where it is long."""
    return Content.styled(visible(shown.prompt[:DISPLAY_LIMIT]), "$quiet")


def notices(shown: Shown) -> Content:
    """What is to be known of the response, and what this person did with it."""
    own = shown.own
    parts = [one_line(shown.outcome, 60)] if shown.outcome else []
    if own.status not in {"open", "deferred"}:
        parts.append(f"you said {one_line(own.key or own.reason, 40)}: another answer replaces it")
    elif own.status == "deferred":
        parts.append("left for later")
    parts += ["flagged"] if own.is_flagged else []
    parts += [f"note: {one_line(own.note, 200)}"] if own.note else []
    parts += [] if own.is_blind else ["not blind: its score stays out of estimates"]
    return Content.styled(" · ".join(parts), "$quiet")


def anchors(shown: Shown, width: int, is_cut: bool) -> Content:
    """The keys that answer and what each stands for: cut to a line each, or whole and wrapped."""
    lines = [_anchor(key, one_line(words), shown.own.key, width, is_cut) for key, words in shown.anchors]
    return Content("\n" if is_cut else "\n\n").join(lines)


def rubric(shown: Shown) -> Content:
    """Every key that answers, and what it stands for in full."""
    return Content("\n\n").join(Content.assemble((f"{key}  ", "bold"), one_line(words)) for key, words in shown.anchors)


def _anchor(key: str, words: str, given: str, width: int, is_cut: bool) -> Content:
    is_given = key == given
    head = Content.styled(f"{'▸' if is_given else ' '}{key}  ", "bold")
    text = Content.styled(words, "bold") if is_given else Content(words)
    if is_cut:
        return Content.assemble(head, text).truncate(max(8, width), ellipsis=True)
    wrapped = text.wrap(max(8, width - head.cell_length))
    return Content.assemble(head, Content("\n" + " " * head.cell_length).join(wrapped))


def found(content: Content, words: str, at: int) -> tuple[Content, list[int]]:
    """The content with every match marked, and where each starts; match `at` stands out."""
    if not words:
        return content, []
    spans = [match.span() for match in re.finditer(re.escape(visible(words)), content.plain, re.IGNORECASE)]
    for place, (start, end) in enumerate(spans):
        content = content.stylize("bold reverse" if place == at else "reverse", start, end)
    return content, [start for start, _ in spans]


def given(answer: str, number: int) -> Content:
    """What a key just did, and how to take it back."""
    return Content.assemble((f"{answer}", "bold"), f" given to item {number}", ("   u: undo", "$primary"))


def verdict(revealed: Revealed, given: str = "") -> Content:
    """One line of what the judge said, beside what the person said."""
    value = figures.UNKNOWN if revealed.value is None else f"{revealed.value:g}"
    told = value if revealed.status in {"scored", "neutral"} else f"{revealed.status} {one_line(revealed.reason, 40)}"
    parts: list[tuple[str, str]] = []
    if given:
        parts += [(f"item {revealed.number}: you ", "$quiet"), (one_line(given, 20), "bold"), ("   ", "")]
    parts += [(f"judge {one_line(revealed.judge, 30)} ", "$quiet"), (told, "bold")]
    if revealed.raw.strip() not in {"", value}:
        parts.append((f"   {one_line(revealed.raw, 300)}", "$quiet"))
    return Content.assemble(*parts)


def finished(tally: Tally, what_next: Sequence[Content]) -> Content:
    """What stands in place of the last item."""
    if not tally.n_planned:
        return Content("\n").join(what_next)
    skipped = f" ({tally.n_skipped} skipped: a 5 ended their prompt)" if tally.n_skipped else ""
    lines = [Content.styled(f"All {figures.plural(tally.n_planned, 'item')} of this queue are done{skipped}.", "bold")]
    if tally.n_not_blind:
        lines.append(Content(f"{figures.plural(tally.n_not_blind, 'label')} not blind: kept out of estimates."))
    return Content("\n").join([*lines, Content(""), *what_next])
