"""The filter behind the trust boundary: whatever a widget draws, no control character reaches the terminal."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

KEPT: Final = frozenset("\u200c\u200d")
"""The joiners, which scripts and emoji need; `text.visible` keeps them too."""
REFUSED: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that are drawn as nothing and may command a terminal."""


@lru_cache(4096)
def harmless(text: str) -> str:
    """The text without control, format and surrogate characters.

    They are dropped and not replaced: they take no room on the line, which is laid out already. Outside text
    has been through `text.visible`, which shows them; this only catches what a widget forgot.
    """
    if text.isprintable():
        return text
    return "".join(
        character for character in text if character in KEPT or unicodedata.category(character) not in REFUSED
    )


class Shield(LineFilter):
    """Drops control characters, and rich's own control segments, from every line that is drawn."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments, harmless."""
        if all(not segment.control and segment.text.isprintable() for segment in segments):
            return segments
        return [Segment(harmless(text), style) for text, style, control in segments if not control]
