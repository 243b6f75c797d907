"""One item on a blind screen: what was asked, what came, and the keys that answer it. Shows; knows no session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from textual.app import ComposeResult
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget

from emaudit.screens import rating_text
from emaudit.widgets import figures
from emaudit.widgets.words import Words

if TYPE_CHECKING:
    from emaudit.reviewing.session import Shown

ANSWERS_WIDTH: Final = 43
"""Columns that the answers have beside the response, as screens.tcss gives them."""


class ItemView(Container):
    """The response with its prompt above it, the answers beside or below it."""

    def __init__(self) -> None:
        super().__init__(id="sit-body")
        self._shown: Shown | None = None
        self._words = ""
        self._match = self._n_found = 0

    def compose(self) -> ComposeResult:
        """The response and the answers."""
        with VerticalScroll(id="sit-reading", classes="pane", can_focus=False) as reading:
            reading.border_title = Content("prompt and response")
            yield from self._texts()
        with Vertical(id="sit-answers", classes="pane"):
            yield Words(id="sit-anchors", is_fixed=True)

    @staticmethod
    def _texts() -> Iterable[Widget]:
        for name in ("both", "prompt", "notices", "response"):
            yield Words(id=f"sit-{name}")

    def on_mount(self) -> None:
        """Say what there is below whenever it changes."""
        for name in ("scroll_y", "virtual_size"):
            self.watch(self._reading, name, self._mark_more, init=False)

    @property
    def _reading(self) -> VerticalScroll:
        return self.query_one("#sit-reading", VerticalScroll)

    @property
    def _is_narrow(self) -> bool:
        return self.screen.has_class("-narrow")

    def show(self, shown: Shown) -> None:
        """Show an item; another one from its first line, and with nothing marked in it."""
        if self._shown is None or self._shown.position != shown.position:
            self._words, self._match = "", 0
            self._reading.scroll_home(animate=False)
        self._shown = shown
        both, told = rating_text.both(shown), rating_text.notices(shown)
        for name, content in (("both", both), ("prompt", rating_text.prompt(shown)), ("notices", told)):
            words = self.query_one(f"#sit-{name}", Words)
            words.display = bool(content)
            words.show(content)
        self._show_response()
        width = self.screen.size.width - 2 if self._is_narrow else ANSWERS_WIDTH
        self.query_one("#sit-anchors", Words).show(rating_text.anchors(shown, width, self._is_narrow))
        self.call_after_refresh(self._mark_more)

    def _show_response(self) -> list[int]:
        if self._shown is None:
            return []
        content, starts = rating_text.found(rating_text.response(self._shown), self._words, self._match)
        self._n_found = len(starts)
        self.query_one("#sit-response", Words).show(content)
        return starts

    @property
    def found(self) -> str:
        """Which of how many places the words to find are at."""
        if not self._words:
            return ""
        return f"{self._match + 1} of {self._n_found}" if self._n_found else "not found"

    def find(self, words: str) -> None:
        """Mark where the words are, and go to the first place."""
        self._words, self._match = words, 0
        self._go_to_match()

    def find_next(self) -> None:
        """Go to the next place, after the last to the first."""
        self._match = (self._match + 1) % max(1, self._n_found)
        self._go_to_match()

    def _go_to_match(self) -> None:
        starts = self._show_response()
        if starts and self._shown is not None:
            response = self.query_one("#sit-response", Words)
            before = rating_text.response(self._shown)[: starts[self._match]]
            line = len(before.wrap(max(1, response.content_region.width))) if before else 1
            self._reading.scroll_to(y=max(0, response.virtual_region.y + line - 3), animate=False, force=True)

    def scroll_lines(self, n: int) -> None:
        """Scroll by lines."""
        self._reading.scroll_relative(y=n, animate=False)

    def scroll_pages(self, n: int) -> None:
        """Scroll by pages, two lines of which stay."""
        self._reading.scroll_relative(y=n * max(1, self._reading.size.height - 2), animate=False)

    def _mark_more(self) -> None:
        """Say what there is below: under the response, or on the line between it and the answers."""
        if self._shown is None or not self.is_mounted:
            return
        reading, answers = self._reading, self.query_one("#sit-answers")
        below = round(reading.max_scroll_y - reading.scroll_y)
        more = f"▼ more below: {figures.plural(below, 'line')}, space" if below > 0 else ""
        reading.border_subtitle = Content("" if self._is_narrow else more)
        title = [Content(self._shown.question)]
        title += [Content.styled(" · r: rubric", "$quiet")] if self._is_narrow else []
        title += [Content.styled(f" ── {more}", "$warning")] if self._is_narrow and more else []
        answers.border_title = Content.assemble(*title)
