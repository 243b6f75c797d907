"""A pane of text that is read: scrolls with the keys, may scroll together with another."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message

from emaudit.widgets.words import Words


class ReadingPane(VerticalScroll):
    """Content under a title; a new text starts at its top."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("j,down", "scroll_down", "Down", show=False, id="reading.down", tooltip="One line down"),
        Binding("k,up", "scroll_up", "Up", show=False, id="reading.up", tooltip="One line up"),
        Binding("space,pagedown", "page_down", "Page", show=False, id="reading.page_down", tooltip="One page down"),
        Binding("pageup", "page_up", "Page back", show=False, id="reading.page_up", tooltip="One page up"),
        Binding("g,home", "scroll_home", "Top", show=False, id="reading.top", tooltip="To the beginning of the text"),
        Binding("G,shift+g,end", "scroll_end", "End", show=False, id="reading.end", tooltip="To the end of the text"),
    ]

    class Scrolled(Message):
        """The pane was scrolled to another line."""

        def __init__(self, pane: ReadingPane) -> None:
            super().__init__()
            self.pane = pane

        @property
        def control(self) -> ReadingPane:
            """The pane."""
            return self.pane

    def __init__(self, id: str) -> None:
        super().__init__(id=id, classes="pane reading")
        self._of: object = None

    def compose(self) -> ComposeResult:
        """The text."""
        yield Words(id=f"{self.id}-text")

    def show(self, content: Content, of: object) -> None:
        """Show content; from its top where it is another thing (`of`) than before."""
        self.query_one(Words).show(content)
        if of != self._of:
            self._of = of
            self.scroll_home(animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Tell that it was scrolled."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.Scrolled(self))

    def action_scroll_down(self) -> None:
        """One line down, at once."""
        self.scroll_relative(y=1, animate=False)

    def action_scroll_up(self) -> None:
        """One line up, at once."""
        self.scroll_relative(y=-1, animate=False)

    def action_page_down(self) -> None:
        """One page down, at once."""
        self.scroll_page_down(animate=False)

    def action_page_up(self) -> None:
        """One page up, at once."""
        self.scroll_page_up(animate=False)

    def action_scroll_home(self) -> None:
        """To the beginning."""
        self.scroll_home(animate=False)

    def action_scroll_end(self) -> None:
        """To the end."""
        self.scroll_end(animate=False)
