"""Leaving while runs go on: keep them in the background, stop them, or stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from emaudit.screens.base import Dialog
from emaudit.screens.run_text import summary
from emaudit.watch.snapshot import RunRow
from emaudit.widgets import figures


class LeaveDialog(Dialog[str]):
    """Asks what becomes of live runs; gives `keep`, `stop`, or None to stay."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("k", "choose('keep')", "Keep", id="leave.keep", tooltip="Leave; the runs go on in the background"),
        Binding("p,s", "choose('stop')", "Stop", id="leave.stop", tooltip="Stop the runs, then leave"),
    ]

    def __init__(self, runs: Sequence[RunRow]) -> None:
        super().__init__()
        self._runs = runs

    def compose(self) -> ComposeResult:
        """What goes on, and the three choices."""
        n = len(self._runs)
        it = "it" if n == 1 else "them"
        with Vertical(id="leave", classes="dialog") as box:
            box.border_title = Content(f"{figures.plural(n, 'run')} going on")
            lines = [summary(run) for run in self._runs[:4]] + ([f"and {n - 4} more"] if n > 4 else [])
            yield Static(Content("\n".join(lines)), classes="quiet")
            yield OptionList(
                Option(Content(f"Keep {it} running in the background, and leave   k"), id="keep"),
                Option(Content(f"Stop {it}, and leave                             p"), id="stop"),
                Option(Content("Stay here                                      esc"), id="stay"),
                compact=True,
            )

    def on_mount(self) -> None:
        """Choose with the arrows at once."""
        self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id if event.option_id in {"keep", "stop"} else None)

    def action_choose(self, choice: str) -> None:
        """Leave with a choice."""
        self.dismiss(choice)
