"""The line in which a filter is typed."""

from __future__ import annotations

from textual import events
from textual.widgets import Input


class FilterLine(Input):
    """An input of one line, hidden until it is opened."""

    def __init__(self) -> None:
        super().__init__(id="filter", placeholder="name, model, size, domain, stage", compact=True)
        self.display = False

    @property
    def words(self) -> str:
        """What rows must hold; empty for all rows."""
        return self.value

    def open(self) -> None:
        """Show the line and type into it."""
        self.display = True
        self.focus()

    def close(self) -> None:
        """Empty the line and hide it."""
        self.value = ""
        self.display = False

    def on_key(self, event: events.Key) -> None:
        """The arrows leave the line for the rows."""
        if event.key in {"down", "up"}:
            event.stop()
            self.screen.focus_next()
