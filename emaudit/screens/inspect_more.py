"""All of a long text, in a read-only editor that draws only what is in view."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import TextArea

from emaudit.screens.base import Dialog
from emaudit.text import one_line, visible


class MoreDialog(Dialog[None]):
    """A title and a text of any length."""

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._dialog_title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """The text."""
        with Vertical(id="more", classes="dialog") as box:
            box.border_title = Content(one_line(self._dialog_title, 80))
            box.border_subtitle = Content("esc back")
            yield TextArea(visible(self._text), read_only=True, show_line_numbers=False, soft_wrap=True, compact=True)

    def on_mount(self) -> None:
        """Scroll with the keys at once."""
        self.query_one(TextArea).focus()
