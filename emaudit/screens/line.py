"""Dialogs of one line: who scores, why a queue ends."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Label

from emaudit.screens.base import Dialog
from emaudit.text import one_line


class LineDialog(Dialog[str]):
    """Asks for one line of text; gives it, or None."""

    TITLE_WORDS: ClassVar[str] = ""
    LABEL: ClassVar[str] = ""
    HINT: ClassVar[str] = ""

    def __init__(self, queue: str) -> None:
        super().__init__()
        self._queue = queue

    def compose(self) -> ComposeResult:
        """The line."""
        with Vertical(id="line-dialog", classes="dialog") as box:
            box.border_title = Content(f"{self.TITLE_WORDS} {one_line(self._queue, 40)}")
            box.border_subtitle = Content("enter goes on · esc back")
            with Horizontal(classes="line"):
                yield Label(Content(self.LABEL))
                yield Input(id="line", compact=True, placeholder=self.HINT)

    def on_mount(self) -> None:
        """Type at once."""
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _given(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self.dismiss(event.value.strip())


class NameDialog(LineDialog):
    """Asks who scores."""

    TITLE_WORDS = "score"
    LABEL = "as"
    HINT = "a name: the same one every time"


class ReasonDialog(LineDialog):
    """Asks why a queue ends early."""

    TITLE_WORDS = "stop"
    LABEL = "because"
    HINT = "kept with the queue and printed with its results"
