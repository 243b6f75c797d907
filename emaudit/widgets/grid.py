"""A table in which a cell, not a row, is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from emaudit.widgets.cells import Column
from emaudit.widgets.table import Row, RowTable


class Grid(RowTable):
    """Rows and columns under a cursor that moves both ways; the first column names the rows."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.cursor_type = "cell"
        self.fixed_columns = 1

    @property
    def place(self) -> tuple[str, str]:
        """The keys of the row and the column under the cursor; empty where there are none."""
        columns = [key for key, _, _ in self._shown_columns]
        at = self.cursor_column
        return self.selected, columns[at] if 0 <= at < len(columns) else ""

    def show(self, columns: Sequence[Column], rows: Sequence[Row], height: int = 1) -> None:
        """Show these rows; the cursor stays on its cell where that is still there."""
        held = self.place
        super().show(columns, rows, height)
        if held != self.place:
            self.go_to(*held)

    def go_to(self, row: str, column: str) -> None:
        """Put the cursor on a cell, as near as there is one; never on the names of the rows."""
        columns = [key for key, _, _ in self._shown_columns]
        rows = list(self._shown_rows)
        self.move_cursor(
            row=rows.index(row) if row in rows else self.cursor_row,
            column=columns.index(column) if column in columns else max(1, self.cursor_column),
        )
