"""Choosing one of several names: the variant or judge that stands beside a response."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from emaudit.screens.base import Dialog
from emaudit.text import one_line


class Names(OptionList):
    """The names, with the keys that rows have everywhere."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("j", "cursor_down", "Down", show=False, id="rows.down", tooltip="One row down"),
        Binding("k", "cursor_up", "Up", show=False, id="rows.up", tooltip="One row up"),
        Binding("g", "first", "First", show=False, id="rows.first", tooltip="To the first row"),
        Binding("G,shift+g", "last", "Last", show=False, id="rows.last", tooltip="To the last row"),
    ]


class ChooseDialog(Dialog[str]):
    """A list of names, the present one first under the cursor; gives the name, or None."""

    def __init__(self, title: str, names: Sequence[str], present: str) -> None:
        super().__init__()
        self._dialog_title = title
        self._names = tuple(names)
        self._present = present

    def compose(self) -> ComposeResult:
        """The names, the nearest relatives first."""
        with Vertical(id="choose", classes="dialog") as box:
            box.border_title = Content(one_line(self._dialog_title, 60))
            box.border_subtitle = Content("enter choose · esc back")
            yield Names(*(Option(Content(one_line(name, 70))) for name in self._names), compact=True)

    def on_mount(self) -> None:
        """Choose with the keys of rows at once."""
        options = self.query_one(Names)
        options.highlighted = self._names.index(self._present) if self._present in self._names else 0
        options.focus()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._names[event.option_index])
