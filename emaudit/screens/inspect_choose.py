"""Choosing one of several names: the variant or judge that stands beside a response."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from emaudit.screens.base import Dialog
from emaudit.text import one_line


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
            yield OptionList(*(Option(Content(one_line(name, 70))) for name in self._names), compact=True)

    def on_mount(self) -> None:
        """Choose with the arrows at once."""
        options = self.query_one(OptionList)
        options.highlighted = self._names.index(self._present) if self._present in self._names else 0
        options.focus()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._names[event.option_index])
