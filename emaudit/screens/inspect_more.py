"""All of a long text."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from emaudit.screens.base import Dialog
from emaudit.text import one_line, visible
from emaudit.widgets.longtext import LongText


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
            yield LongText(visible(self._text))

    def on_mount(self) -> None:
        """Scroll with the keys at once."""
        self.query_one(LongText).focus()
