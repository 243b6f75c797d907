"""The least that a Textual app can be: one line at the bottom of the screen."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class Minimal(App[None]):
    CSS = "Static { dock: bottom; height: 1; }"

    def compose(self) -> ComposeResult:
        yield Static("ready")


Minimal().run()
