"""The pane a plot is drawn in: a plot is made for its size, so the screen is told of a new one."""

from __future__ import annotations

from textual.containers import Container
from textual.message import Message


class PlotPane(Container):
    """Holds a plot; says when it got another size, or came into view."""

    class Resized(Message):
        """The plot must be drawn for another size."""

    def on_resize(self) -> None:
        """Tell the screen, which knows the plot."""
        self.post_message(self.Resized())
