"""A text of any length, wrapped once for a width and drawn only where it is in view."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from textual.binding import Binding
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip


def wrapped(text: str, width: int) -> Iterator[str]:
    """The lines of a text at a width in cells, broken at spaces where there are some."""
    pattern = re.compile(rf"(\S{{{width}}}|.{{1,{width}}}(?=\s|$)|.{{1,{width}}})\s?")
    for line in text.expandtabs(4).split("\n"):
        if len(line) <= width and cell_len(line) <= width:
            yield line
        elif line.isascii():
            yield from (match[1] for match in pattern.finditer(line))
        else:
            yield from chop_cells(line, width)


class LongText(ScrollView, can_focus=True):
    """Read-only lines; the keys of every pane that is read."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("j,down", "scroll('down')", "Down", show=False, id="reading.down", tooltip="One line down"),
        Binding("k,up", "scroll('up')", "Up", show=False, id="reading.up", tooltip="One line up"),
        Binding(
            "space,pagedown", "scroll('page_down')", "Page", show=False, id="reading.page_down", tooltip="One page down"
        ),
        Binding("pageup", "scroll('page_up')", "Page back", show=False, id="reading.page_up", tooltip="One page up"),
        Binding(
            "g,home", "scroll('home')", "Top", show=False, id="reading.top", tooltip="To the beginning of the text"
        ),
        Binding(
            "G,shift+g,end", "scroll('end')", "End", show=False, id="reading.end", tooltip="To the end of the text"
        ),
    ]

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self._lines: list[str] = []
        self._width = 0

    def on_resize(self) -> None:
        """Wrap for the new width."""
        width = max(1, self.scrollable_content_region.width)
        if width != self._width:
            self._width = width
            self._lines = list(wrapped(self._text, width))
            self.virtual_size = Size(width, len(self._lines))
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of what is in view."""
        at = y + round(self.scroll_offset.y)
        line = self._lines[at] if at < len(self._lines) else ""
        return Strip([Segment(line, self.rich_style)]).extend_cell_length(self._width, self.rich_style)

    def action_scroll(self, way: str) -> None:
        """Scroll at once."""
        {
            "down": self.scroll_down,
            "up": self.scroll_up,
            "page_down": self.scroll_page_down,
            "page_up": self.scroll_page_up,
            "home": self.scroll_home,
            "end": self.scroll_end,
        }[way](animate=False)
