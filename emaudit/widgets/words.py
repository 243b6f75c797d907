"""A piece of text on a screen that is drawn again only where it changed."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class Words(Static):
    """Content; showing the same again costs nothing. `is_fixed`: its place never depends on what it shows."""

    _words: Content | None = None

    def __init__(self, id: str, is_fixed: bool = False) -> None:
        super().__init__(id=id)
        self._is_fixed = is_fixed

    def show(self, content: Content) -> None:
        """Show content; lay the screen out again only where its size may be another."""
        held = self._words
        if held is not None and held.plain == content.plain and held.spans == content.spans:
            return
        self._words = content
        self.update(content, layout=not self._is_fixed)
