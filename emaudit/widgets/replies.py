"""The table of a paged list: moving past its last row asks for the next page."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding
from textual.message import Message

from emaudit.widgets.table import RowTable


class ReplyTable(RowTable):
    """A RowTable over one page of many; the ends of the page are not the ends of the list."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("pagedown,space", "page_down", "Page", show=False, id="replies.page_down", tooltip="One screen down"),
        Binding("pageup", "page_up", "Page back", show=False, id="replies.page_up", tooltip="One screen up"),
    ]

    class Turned(Message):
        """Another page is wanted: `before`, `after`, `first` or `last`."""

        def __init__(self, way: str) -> None:
            super().__init__()
            self.way = way

    @property
    def _at_end(self) -> bool:
        return self.cursor_row >= self.row_count - 1

    def action_cursor_down(self) -> None:
        """One row down; from the last one on to the next page."""
        if self._at_end:
            self.post_message(self.Turned("after"))
        else:
            super().action_cursor_down()

    def action_cursor_up(self) -> None:
        """One row up; from the first one back to the page before."""
        if self.cursor_row <= 0:
            self.post_message(self.Turned("before"))
        else:
            super().action_cursor_up()

    def action_page_down(self) -> None:
        """One screen down; from the last row on to the next page."""
        if self._at_end:
            self.post_message(self.Turned("after"))
        else:
            super().action_page_down()

    def action_page_up(self) -> None:
        """One screen up; from the first row back to the page before."""
        if self.cursor_row <= 0:
            self.post_message(self.Turned("before"))
        else:
            super().action_page_up()

    def action_first_row(self) -> None:
        """To the first row of the whole list."""
        self.post_message(self.Turned("first"))

    def action_last_row(self) -> None:
        """To the last row of the whole list."""
        self.post_message(self.Turned("last"))
