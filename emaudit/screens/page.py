"""One page of text over a screen, scrolled with the arrows."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from emaudit.screens.base import Dialog
from emaudit.text import one_line


class PageDialog(Dialog[None]):
    """A title and content; escape, enter or q closes it."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("enter,q", "leave", "Back", show=False, id="page.leave", tooltip="Back to the screen"),
        Binding("j,down", "scroll('down')", "Down", show=False, id="page.down", tooltip="One line down"),
        Binding("k,up", "scroll('up')", "Up", show=False, id="page.up", tooltip="One line up"),
    ]

    def __init__(self, title: str, content: Content) -> None:
        super().__init__()
        self._page_title = title
        self._content = content

    def compose(self) -> ComposeResult:
        """The page."""
        with VerticalScroll(id="page", classes="dialog") as scroll:
            scroll.border_title = Content(one_line(self._page_title, 80))
            scroll.border_subtitle = Content("esc back")
            yield Static(self._content)

    def on_mount(self) -> None:
        """Scroll with the keys at once."""
        self.query_one("#page").focus()

    def action_scroll(self, way: str) -> None:
        """Scroll one line."""
        page = self.query_one("#page", VerticalScroll)
        page.scroll_relative(y=1 if way == "down" else -1, animate=False)
