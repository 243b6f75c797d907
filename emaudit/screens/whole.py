"""A text of any length over a screen."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import TextArea

from emaudit.screens.base import Dialog
from emaudit.text import visible


class WholeDialog(Dialog[None]):
    """All of a long text, read only; a text area draws only the lines in view."""

    BINDINGS = [Binding("q,w", "leave", "Back", show=False, id="page.leave", tooltip="Back to the screen")]  # noqa: RUF012

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """The text."""
        with Vertical(id="whole", classes="dialog") as box:
            box.border_title = Content(f"the whole response, {len(self._text):,} characters")
            box.border_subtitle = Content("esc back")
            yield TextArea(visible(self._text), read_only=True, show_cursor=False, compact=True)

    def on_mount(self) -> None:
        """Scroll with the keys at once."""
        self.query_one(TextArea).focus()
