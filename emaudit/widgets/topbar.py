"""The line at the top: which screen, which store, whether it is simulated, and what runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from emaudit.text import one_line
from emaudit.watch.snapshot import NOTHING, Snapshot
from emaudit.widgets import figures

SHORT: Final[Mapping[str, str]] = {
    "variants": "Vars",
    "inspect": "Insp",
    "review": "Spot",
    "correlations": "Corr",
    "trajectories": "Traj",
}
"""A screen's name where there is no room for the names of all."""


class Form(Enum):
    """How the other screens are named, the fullest first."""

    WHOLE = "whole"
    SHORT = "short"
    KEYS = "keys alone"


class TopBar(Widget):
    """One line. SIMULATED stands directly behind the name, so that no width cuts it off."""

    snapshot: reactive[Snapshot] = reactive(NOTHING)

    def __init__(self, tabs: Sequence[tuple[str, str, str]], active: str, store_name: str) -> None:
        super().__init__(id="topbar")
        self._tabs = tabs
        self._active = active
        self._store_name = store_name

    def render(self) -> Content:
        """The line for the width there is."""
        named, short = self._right(), self._right(named=False)
        choices = [(self._left(form), right) for form in Form for right in (named, short)]
        for left, right in choices:
            gap = self.size.width - left.cell_length - right.cell_length
            if gap >= (1 if right.cell_length else 0):
                return Content.assemble(left, " " * gap, right)
        return choices[-1][0]

    def _left(self, form: Form) -> Content:
        """The name and the screens; the one that is shown is always named in full."""
        parts: list[Content | tuple[str, str]] = [(" emaudit ", "bold $primary")]
        if self.snapshot.kind == "simulated":
            parts.append((" SIMULATED ", "bold $background on $warning"))
        parts.append((" ", ""))
        for key, mode, label in self._tabs:
            style = "bold $text on $panel" if mode == self._active else "$quiet"
            parts.append((f" {key} ", f"{style} dim" if mode != self._active else style))
            if mode == self._active or form is Form.WHOLE:
                parts.append((f"{label} ", style))
            elif form is Form.SHORT:
                parts.append((f"{SHORT.get(mode, label)} ", style))
        return Content.assemble(*parts)

    def _right(self, named: bool = True) -> Content:
        """What runs now, and the name of the store."""
        live = self.snapshot.live_runs
        speed = sum(run.replies_per_s or 0.0 for run in live)
        name = f"{one_line(self._store_name, 30)} " if named else ""
        if not live:
            return Content.assemble((name, "$quiet"))
        text = f"▶ {figures.plural(len(live), 'run')} {figures.rate(speed)}"
        return Content.assemble((text, "$primary"), (f"  {name}" if named else " ", "$quiet"))
