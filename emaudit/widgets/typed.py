"""A line that is typed into without holding the focus: its screen hands it every key, so that none goes astray."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from textual.content import Content

from emaudit.text import one_line

LIMIT: Final = 2_000
"""Characters that a line takes."""


class Turn(StrEnum):
    """What a key did to a line."""

    EDITED = "edited"
    DONE = "done"
    LEFT = "left"


@dataclass(slots=True)
class TypedLine:
    """A prompt and the text behind it. `digits_only` refuses everything else."""

    label: str
    text: str = ""
    hint: str = "enter saves · esc back"
    digits_only: bool = False

    def take(self, key: str, character: str) -> Turn:
        """Take a key: enter ends, escape leaves, the rest edits or does nothing."""
        if key in {"enter", "escape"}:
            return Turn.DONE if key == "enter" else Turn.LEFT
        if key in {"backspace", "ctrl+h"}:
            self.text = self.text[:-1]
        elif key in {"ctrl+w", "alt+backspace"}:
            self.text = self.text.rstrip().rpartition(" ")[0]
        elif key == "ctrl+u":
            self.text = ""
        elif character and character.isprintable():
            self.add(character)
        return Turn.EDITED

    def add(self, text: str) -> None:
        """Add typed or pasted text, on one line."""
        fresh = text if len(text) == 1 else one_line(text)
        if not self.digits_only or fresh.isdecimal():
            self.text = (self.text + fresh)[:LIMIT]

    def content(self, width: int, note: str = "") -> Content:
        """The line for the width there is: its end where it is longer."""
        tail = f"{note}  {self.hint}" if note else self.hint
        room = max(8, width - len(self.label) - len(tail) - 6)
        text = one_line(self.text) + (" " if self.text.endswith(" ") else "")
        shown = text if len(text) <= room else "…" + text[1 - room :]
        return Content.assemble((f"{self.label} ", "bold"), shown, ("▏", "$primary"), ("  " + tail, "$quiet"))
