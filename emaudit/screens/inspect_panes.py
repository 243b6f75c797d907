"""The two panes of Inspect: a response, and what stands beside it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content

from emaudit.inspection.views import Companion, ReplyView, Sample
from emaudit.screens import reading_text
from emaudit.screens.inspect_more import MoreDialog
from emaudit.screens.inspect_text import tells_verdict
from emaudit.widgets.reading import ReadingPane

COMPANIONS: Final = {"reports": "self-reports", "variant": "another variant", "judge": "second judge"}
"""What can stand beside a response."""


class Panes(Container):
    """Shows a reply and its companion, side by side where there is room, else one at a time."""

    def __init__(self) -> None:
        super().__init__(id="reading")
        self.kind = "reports"
        self.view: ReplyView | None = None
        self.beside: Companion | None = None
        self.shown = "left"
        self.is_locked = False
        self._is_wide = False
        self._drawn: tuple[object, ...] = (self,) * 5
        self._titles: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """Left the response, right the companion."""
        yield ReadingPane("left")
        yield ReadingPane("right")

    def draw(self, is_wide: bool) -> None:
        """Draw what changed."""
        self._is_wide = is_wide
        now = (self.view, self.beside, is_wide, self.shown, self.is_locked)
        if all(one is other for one, other in zip(now, self._drawn, strict=True)):
            return
        self._drawn = now
        left, right = self.query_one("#left", ReadingPane), self.query_one("#right", ReadingPane)
        left.display = is_wide or self.shown == "left"
        right.display = is_wide or self.shown == "right"
        view, beside = self.view, self.beside
        self._entitle(left, self._left_title(is_wide))
        left.show(reading_text.reply(view) if view else Content(""), view and view.full.listed.reply_id)
        self._entitle(right, self._right_title(is_wide))
        right.show(reading_text.companion(beside) if beside else Content(""), beside and _subject(beside))

    def _entitle(self, pane: ReadingPane, title: str) -> None:
        name = pane.id or ""
        if self._titles.get(name) != title:
            self._titles[name] = title
            pane.border_title = Content(title)

    def _left_title(self, is_wide: bool) -> str:
        title = reading_text.reply_title(self.view) if self.view else "response"
        return title if is_wide else f"{title} · tab: {COMPANIONS[self.kind]}"

    def _right_title(self, is_wide: bool) -> str:
        title = reading_text.companion_title(self.beside) if self.beside else COMPANIONS[self.kind]
        lock = "⇅ locked · " if self.is_locked else ""
        return f"{lock}{title}" if is_wide else f"{lock}{title} · tab: response"

    def go_to(self, name: str) -> None:
        """Read in one of the panes."""
        self.shown = name
        self.query_one(f"#{name}").focus()

    def next_kind(self) -> None:
        """Put another kind of companion beside the response; it is not read yet."""
        kinds = list(COMPANIONS)
        self.kind = kinds[(kinds.index(self.kind) + 1) % len(kinds)]
        self.beside = None

    @on(ReadingPane.Scrolled)
    def _scrolled(self, message: ReadingPane.Scrolled) -> None:
        message.stop()
        other = self.query_one("#right" if message.pane.id == "left" else "#left", ReadingPane)
        if self.is_locked and message.pane.has_focus and round(other.scroll_y) != round(message.pane.scroll_y):
            other.scroll_to(y=message.pane.scroll_y, animate=False)

    def whole(self) -> MoreDialog | None:
        """All of the text in the pane that is read."""
        if self.shown == "right" and self.beside is not None:
            text = reading_text.companion(self.beside, None).plain
            return MoreDialog(reading_text.companion_title(self.beside), text)
        if self.view is None:
            return None
        return MoreDialog(reading_text.reply_title(self.view), reading_text.reply(self.view, None).plain)

    def response(self) -> str | None:
        """The response in the pane that is read, verbatim."""
        beside = self.beside.other if self.beside and self.shown == "right" else None
        view = beside or self.view
        return view.full.text if view else None

    def in_view(self) -> Iterable[int]:
        """The replies that stand here with a verdict, or with what a person said of them."""
        beside = self.beside if self._is_wide or self.shown == "right" else None
        own = self.view if self._is_wide or self.shown == "left" else None
        for view in (own, beside.other if beside else None):
            if view is not None:
                yield from _told(view.samples)
                if tells_verdict(view.standing) or view.marks:
                    yield view.full.listed.reply_id
        if beside is not None and beside.judge is not None:
            yield beside.reply_id
            yield from _told(beside.judge.samples)
        if beside is not None and beside.reports is not None:
            yield from reading_text.answered_ids(beside.reports)

    def in_whole(self) -> Iterable[int]:
        """The replies whose verdicts stand in all of the text of the pane that is read."""
        if self.shown == "right" and self.beside is not None and self.beside.reports is not None:
            yield from reading_text.answered_ids(self.beside.reports, None)


def _told(samples: Iterable[Sample]) -> Iterable[int]:
    """The samples of a prompt whose scores are listed above its reply."""
    return (sample.reply_id for sample in samples if tells_verdict(sample.standing))


def _subject(beside: Companion) -> object:
    """What the pane is about: the self-reports of a variant stay where they are while its replies go by."""
    if beside.reports is not None:
        return (beside.reports.variant, beside.reports.parts)
    return (beside.kind, beside.name, beside.reply_id)
