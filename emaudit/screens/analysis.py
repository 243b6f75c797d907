"""What F6 and F7 share: asking for analyses, saying of what they are and whether they are still being computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding
from textual.content import Content
from textual.message import Message

from emaudit.analysing.answers import Held, Pair, Question, Scope, Topic
from emaudit.analysing.keeper import Analyses, Known
from emaudit.messages import Done
from emaudit.screens.base import AuditScreen
from emaudit.text import one_line
from emaudit.watch.snapshot import Snapshot
from emaudit.widgets.plot_pane import PlotPane
from emaudit.widgets.words import Words


def common_bindings(group: str) -> list[Any]:
    """The keys that both screens have."""
    held = [
        ("v", "judge", "Judge", "", True, "Choose the judge: the same under another one"),
        ("s", "preset", "Preset", "", False, "Choose the preset whose replies count"),
        ("c", "beside", "Published", "", True, "Put the paper's published values beside, or take them away"),
        ("tab", "pane", "Pane", "", True, "Plot or words, where both do not fit"),
        ("x", "export", "Export", "", True, "Write all tables as CSV into a folder beside the store"),
        ("y", "copy", "Copy", "", False, "Copy this row, as the export writes it"),
        ("n", "renew", "New", "", False, "Compute again, with what is new"),
        ("J,shift+j", "scroll('down')", "Read on", "", False, "Scroll the words"),
        ("K,shift+k", "scroll('up')", "Read back", "", False, "Scroll them back"),
    ]
    return [
        Binding(
            key, action, label, show=show, key_display=display or None,
            id=f"{group}.{action.split('(')[0]}{'_back' if 'up' in action else ''}", tooltip=tip,
        )
        for key, action, label, display, show, tip in held
    ]  # fmt: skip


class AnalysisScreen(AuditScreen):
    """Asks the analyses of the app; draws what is known, and says where it is old or still awaited."""

    WHAT: ClassVar[str] = ""
    """What is shown, for sentences: `correlations`."""

    def __init__(self) -> None:
        super().__init__()
        self.held = Held()
        self.shows_words = False

    @property
    def analyses(self) -> Analyses:
        """The analyses of the app."""
        return self.audit.analyses

    def known(self, topic: Topic, pair: Pair | None = None) -> Known:
        """What is known on a topic in the present scope; asks where nothing is."""
        return self.analyses.look(Question(topic, self.scoped(self.analyses.scope), pair), self.audit.snapshot)

    def scoped(self, scope: Scope) -> Scope:
        """The scope as this screen asks in it."""
        return scope

    # What stands in for a table, and above it.

    def sentence(self, snapshot: Snapshot, known: Known, n_rows: int) -> str:
        """Why there is nothing to show, and what to press; empty where there is."""
        if known.found is not None and n_rows:
            return ""
        if not snapshot.has_read:
            return "Looking at the store."
        if snapshot.problem:
            return f"The store cannot be read: {one_line(snapshot.problem, 300)}"
        if not snapshot.variants:
            return "No variants yet. Press F2 and a to add some."
        if not any(cell.n_closed for row in snapshot.variants for cell in row.cells):
            return f"No {self.WHAT} yet: nothing was asked. Press F2 and r to ask some variants."
        if known.problem:
            return f"The {self.WHAT} cannot be computed: {one_line(known.problem, 300)}. Press n to try again."
        if known.found is None:
            return f"Computing the {self.WHAT}."
        return self.nothing()

    def nothing(self) -> str:
        """What to do where an answer holds no rows."""
        return f"No {self.WHAT} here: too little was asked. Press F2 and r to ask more."

    def draw_line(self, known: Known, of: Iterable[str], also: str = "") -> None:
        """The line that says of what everything below is, and what else (`also`) is still being computed."""
        held = self.held
        known_of = (held.preset and f"preset {held.preset}", held.judge and f"judge {held.judge}")
        parts = [part for part in (*of, *known_of) if part]
        told, style = self._standing(known)
        if also and not told:
            told, style = f"… computing {also}", "$primary"
        line = Content.assemble(
            (told, style), ("  " if told else "", ""), (" · ".join(one_line(part, 60) for part in parts), "$quiet")
        )  # fmt: skip
        self.query_one("#where", Words).show(line)

    def _standing(self, known: Known) -> tuple[str, str]:
        if known.found is not None and known.problem:
            return f"✗ {one_line(known.problem, 60)}: n tries again", "$error"
        if known.is_awaited:
            return "… computing" + ("; these are the values before" if known.found is not None else ""), "$primary"
        if known.found is not None and known.is_old:
            return "◐ older than the store: n computes again", "$warning"
        return "", ""

    @on(PlotPane.Resized)
    def _plot_resized(self) -> None:
        self.redraw()

    # Keys.

    def why_not(self, action: str) -> str:
        """Why a key of this screen cannot act now."""
        name = action.split("(")[0]
        if name == "pane" and self.has_class("-wide"):
            return "both panes are in view"
        if name in {"judge", "beside", "export", "copy"} and not self.held.preset:
            return f"there are no {self.WHAT} yet"
        if name == "judge" and len(self.held.judges) < 2:
            return "only one judge has judged here: `emaudit rejudge` has another one judge"
        if name == "preset" and len(self.held.presets) < 2:
            return "only one preset was asked here"
        return ""

    def action_judge(self) -> None:
        """Choose the judge."""
        self._choose("the judge whose verdicts count", self.held.judges, self.held.judge, self._judge_chosen)

    def action_preset(self) -> None:
        """Choose the preset."""
        self._choose("the preset whose replies count", self.held.presets, self.held.preset, self._preset_chosen)

    def _choose(self, title: str, names: tuple[str, ...], present: str, chosen: Callable[[str | None], None]) -> None:
        from emaudit.screens.inspect_choose import ChooseDialog

        self.app.push_screen(ChooseDialog(title, names, present), chosen)

    def _judge_chosen(self, name: str | None) -> None:
        if name:
            self.analyses.scope = replace(self.analyses.scope, judge=name)
            self.redraw()

    def _preset_chosen(self, name: str | None) -> None:
        if name:
            self.analyses.scope = replace(self.analyses.scope, preset=name)
            self.redraw()

    def action_beside(self) -> None:
        """Put the published values beside, or take them away."""
        self.analyses.has_published = not self.analyses.has_published
        self.redraw()

    def action_pane(self) -> None:
        """Show the words in place of the plot, or the plot again."""
        self.shows_words = not self.shows_words
        self.redraw()

    def action_renew(self) -> None:
        """Compute again."""
        self.analyses.renew()
        self.redraw()

    def action_export(self) -> None:
        """Write all tables beside the store."""
        self.notify("writing the tables", markup=False, timeout=3)
        self.audit.carry_out(partial(self._exported, self.held.preset, self.held.judge))

    def _exported(self, preset: str, judge: str) -> Message:
        return Done(f"written: {self.audit.commands.export(preset, judge)}")

    def copy(self, text: str) -> None:
        """Put a text into the clipboard, and say so."""
        self.app.copy_to_clipboard(text)
        self.notify("the row is in the clipboard", markup=False, timeout=3)

    def action_scroll(self, way: str) -> None:
        """Scroll the words."""
        self.query_one("#card").scroll_relative(y=5 if way == "down" else -5, animate=False)


def after(choices: Iterable[str], present: str) -> str:
    """The choice after the present one, the first again after the last."""
    held = list(choices)
    return held[(held.index(present) + 1) % len(held)] if present in held else held[0]
