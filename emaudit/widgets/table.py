"""A table of rows with a cursor: shows what it is given, redraws only what changed, keeps its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.coordinate import Coordinate
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widgets import DataTable
from textual.widgets.data_table import RowKey

from emaudit.widgets.cells import Column

Row = tuple[str, tuple[Text, ...]]
"""Key and cells."""
Drawn = tuple[list[list[Segment]], list[list[Segment]]]
"""A line of a row: the segments of each cell that stays where it is, and of each that scrolls."""


class RowTable(DataTable[Text]):
    """A DataTable of whole rows. `show` is the only way in; keys name rows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Open", show=False, id="rows.open", tooltip="Open this row"),
        Binding("j", "cursor_down", "Down", show=False, id="rows.down", tooltip="One row down"),
        Binding("k", "cursor_up", "Up", show=False, id="rows.up", tooltip="One row up"),
        Binding("g", "first_row", "First", show=False, id="rows.first", tooltip="To the first row"),
        Binding("G,shift+g", "last_row", "Last", show=False, id="rows.last", tooltip="To the last row"),
    ]

    class Resized(Message):
        """The table got another size: the columns that fit may be others."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id, cursor_type="row", cell_padding=0, cursor_foreground_priority="renderable")
        self._height = 1
        self._shown_columns: tuple[Column, ...] = ()
        self._shown_rows: dict[str, tuple[Text, ...]] = {}
        self._n_changes: dict[str, int] = {}
        self._style: Style | None = None

    @property
    def selected(self) -> str:
        """The key of the row under the cursor; empty where there is none."""
        keys = list(self._shown_rows)
        return keys[self.cursor_row] if 0 <= self.cursor_row < len(keys) else ""

    @property
    def in_view(self) -> list[str]:
        """The keys of the rows that can be seen now."""
        first = round(self.scroll_offset.y) // self._height
        room = max(0, self.scrollable_content_region.height - self.header_height)
        return list(self._shown_rows)[first : first - (-room // self._height)]

    def show(self, columns: Sequence[Column], rows: Sequence[Row], height: int = 1) -> None:
        """Show these rows of `height` lines; where columns and keys stay, only changed cells are drawn."""
        fresh = dict(rows)
        stays = tuple(columns) == self._shown_columns and list(fresh) == list(self._shown_rows)
        if not stays or height != self._height:
            self._height = height
            self._rebuild(tuple(columns), fresh)
            return
        for key, cells in fresh.items():
            for (column, _, _), before, after in zip(columns, self._shown_rows[key], cells, strict=False):
                if before.plain != after.plain or before.spans != after.spans or before.style != after.style:
                    self.update_cell(key, column, after)
                    self._n_changes[key] = self._n_changes.get(key, 0) + 1
        self._shown_rows = fresh

    def _render_line_in_row(
        self, row_key: RowKey, line_no: int, base_style: Style, cursor_location: Coordinate, hover_location: Coordinate
    ) -> Drawn:
        """Draw a line of a row anew only where that row changed: Textual forgets all rows when a cell is updated.

        What is drawn stands in Textual's own cache, which it empties where styles or columns change.
        """
        name = row_key.value
        if name is None:
            return super()._render_line_in_row(row_key, line_no, base_style, cursor_location, hover_location)
        row = self.get_row_index(row_key)
        key = (
            "row", name, self._n_changes.get(name, 0), row, line_no, base_style, self.size.width,
            cursor_location.row == row, hover_location.row == row,
            self.show_cursor, self._show_hover_cursor, self._pseudo_class_state,
        )  # fmt: skip
        cache = cast("LRUCache[object, Drawn]", self._row_render_cache)
        if (drawn := cache.get(key)) is None:
            drawn = super()._render_line_in_row(row_key, line_no, base_style, cursor_location, hover_location)
            cache[key] = drawn
        return drawn

    @property
    def rich_style(self) -> Style:
        """The style of the table, worked out once for all lines that are drawn together."""
        return self._style or super().rich_style

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw lines."""
        self._style = super().rich_style
        try:
            return super().render_lines(crop)
        finally:
            self._style = None

    def _rebuild(self, columns: tuple[Column, ...], rows: dict[str, tuple[Text, ...]]) -> None:
        selected, scrolled, before = self.selected, self.scroll_offset, list(self._shown_rows)
        if columns != self._shown_columns:
            self.clear(columns=True)
            for key, label, width in columns:
                self.add_column(Text(label, no_wrap=True, overflow="ellipsis", end=""), width=width, key=key)
        else:
            self.clear()
        self._shown_columns, self._shown_rows = columns, rows
        for key, cells in rows.items():
            self.add_row(*cells, key=key, height=self._height)
        place = list(rows).index(selected) if selected in rows else min(self._place(selected, before), len(rows) - 1)
        if rows:
            self.cursor_coordinate = Coordinate(max(0, place), 0)
            self.scroll_to(scrolled.x, scrolled.y, animate=False)

    @staticmethod
    def _place(selected: str, before: Sequence[str]) -> int:
        return list(before).index(selected) if selected in before else 0

    def select(self, key: str) -> None:
        """Put the cursor on the row of a key, where there is one."""
        if key in self._shown_rows:
            self.move_cursor(row=list(self._shown_rows).index(key))

    def on_resize(self) -> None:
        """Tell the screen, which knows the columns."""
        self.post_message(self.Resized())

    def action_first_row(self) -> None:
        """Move the cursor to the first row."""
        self.move_cursor(row=0)

    def action_last_row(self) -> None:
        """Move the cursor to the last row."""
        self.move_cursor(row=self.row_count - 1)
