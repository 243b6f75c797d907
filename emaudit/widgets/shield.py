"""The filter behind the trust boundary: whatever a widget draws, no control character reaches the terminal."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

KEPT: Final = frozenset(
    "\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
"""The joiners, which scripts and emoji need, and the number signs that are drawn; `text.visible` keeps them too."""
REFUSED: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that are drawn as nothing and may command a terminal."""
INSTEAD: Final = "\ufffd"
"""Stands where a refused character takes a cell, so that what is right of it stays where it is."""


@lru_cache(4096)
def harmless(text: str) -> str:
    """The text without control, format and surrogate characters, as wide as it was.

    Most take no room on the line, which is laid out already, and are dropped. Outside text has been through
    `text.visible`, which shows them; this only catches what a widget forgot.
    """
    if text.isprintable():
        return text
    return "".join(
        character
        if character in KEPT or unicodedata.category(character) not in REFUSED
        else INSTEAD * cell_len(character)
        for character in text
    )


class Shield(LineFilter):
    """Drops control characters, links and rich's own control segments from every line that is drawn."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments, harmless."""
        if all(_is_harmless(segment) for segment in segments):
            return segments
        return [Segment(harmless(text), _unlinked(style)) for text, style, control in segments if not control]


def _is_harmless(segment: Segment) -> bool:
    text, style, control = segment
    return not control and text.isprintable() and (style is None or style.link is None)


def _unlinked(style: Style | None) -> Style | None:
    """The style without a link, whose address would be written as it came."""
    return style.update_link(None) if style is not None and style.link is not None else style
