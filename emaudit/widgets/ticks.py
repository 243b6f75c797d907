"""Check boxes and radio buttons that show their state by a glyph: Textual's own differ in colour alone."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Checkbox, RadioButton


class Tick(Checkbox):
    """A check box: X or empty."""

    def render(self) -> Content:
        """The box as it is now, and its label."""
        self.BUTTON_INNER = "X" if self.value else " "
        return super().render()


class Choice(RadioButton):
    """A radio button: filled or empty."""

    def render(self) -> Content:
        """The button as it is now, and its label."""
        self.BUTTON_INNER = "●" if self.value else " "
        return super().render()
