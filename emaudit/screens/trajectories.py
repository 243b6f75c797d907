"""F7 Trajectories: base -> misaligned -> realigned: the inverted V, per size and domain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from textual import on
from textual.binding import Binding
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget

from emaudit.analysing.answers import ALL, Axis, Intervals, Line, Scope, Topic, Trajectories
from emaudit.filters import Filters
from emaudit.screens import trajectory_text as text
from emaudit.screens.analysis import AnalysisScreen, after, common_bindings
from emaudit.screens.analysis_text import as_csv, subset_words
from emaudit.watch.snapshot import Snapshot
from emaudit.widgets import figures
from emaudit.widgets.plot_lines import panels
from emaudit.widgets.plot_pane import PlotPane
from emaudit.widgets.table import RowTable
from emaudit.widgets.words import Words

MOST: Final = 500
"""Rows that a table is drawn from without a pause."""


class TrajectoriesScreen(AnalysisScreen):
    """A panel per lineage, the rows of trajectories.csv under them, and what they say in words."""

    MODE = "trajectories"
    WHAT = "trajectories"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("t", "part", "Part", id="trajectories.part", tooltip="The total, or one dimension of the self-reports"),
        Binding("b", "subset", "Subset", id="trajectories.subset", tooltip="All lineages, or those of one domain"),
        Binding("f", "group", "Measures", id="trajectories.group",
                tooltip="Three measures together, the moral foundations, or harmfulness by category"),
        *common_bindings("trajectories"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.group = next(iter(text.GROUPS))
        self.part = text.TOTAL
        self.subset = ALL
        self._found: Trajectories | None = None
        self._lines: list[Line] = []

    def scoped(self, scope: Scope) -> Scope:
        """Trajectories are of every reply, decided or not."""
        return Scope(scope.judge, scope.preset)

    def compose_body(self) -> Iterable[Widget]:
        """The line, the panels over the table and the words."""
        yield Words(id="where", is_fixed=True)
        with PlotPane(id="plot", classes="pane"):
            yield Words(id="plot-text", is_fixed=True)
        with Container(id="under"):
            with Vertical(id="list", classes="pane"):
                yield RowTable("lineages")
                yield Words(id="empty")
            with VerticalScroll(id="card", classes="pane", can_focus=False):
                yield Words(id="card-text")

    def draw(self, snapshot: Snapshot) -> None:
        """Draw the panels, the table and the words."""
        known = self.known(Topic.TRAJECTORIES)
        if isinstance(known.found, Trajectories):
            self._found, self.held = known.found, known.found.held
            self._keep_choices(known.found)
            self._lines = text.chosen(known.found, self.group, self.part, self.subset)
        sentence = self.sentence(snapshot, known, len(self._lines))
        waits = not sentence and self.known(Topic.INTERVALS).is_awaited
        of = (self.group, f"part {self.part}", subset_words(self.subset))
        self.draw_line(known, of, "the intervals" if waits else "")
        self._draw_table(sentence)
        self._draw_panes(bool(sentence))

    def nothing(self) -> str:
        """No variant has a base and a stage after it."""
        return "No lineages yet: a variant needs its stage and parent. Press F2 and e to say them."

    def _keep_choices(self, found: Trajectories) -> None:
        held = text.groups(found)
        if held and self.group not in held:
            self.group = held[0]
        if self.part not in text.parts(found, self.group):
            self.part = next(iter(text.parts(found, self.group)), text.TOTAL)
        if self.subset not in self._subsets():
            self.subset = ALL

    def _draw_table(self, sentence: str) -> None:
        table = self.query_one(RowTable)
        table.display = not sentence
        empty = self.query_one("#empty", Words)
        empty.display = bool(sentence)
        empty.show(Content(sentence))
        if sentence:
            return
        n_lineages = len({entry.row.lineage for entry in self._lines})
        more = f" (the first {MOST} rows)" if len(self._lines) > MOST else ""
        n_over = len(self._found.passed_over) if self._found else 0
        over = f"; {figures.plural(n_over, 'variant')} in none" if n_over else ""
        lineages = figures.plural(n_lineages, "lineage")
        self.entitle("#list", f"{lineages}: the rise, and how much is undone{over}{more}")
        columns = text.columns(self.query_one("#list").size.width - 1)
        named: set[str] = set()
        rows = []
        for entry in self._lines[:MOST]:
            is_first = entry.row.lineage not in named
            named.add(entry.row.lineage)
            rows.append((text.key_of(entry), text.cells(entry, columns, is_first, self.audit.tones)))
        table.show(columns, rows)

    @property
    def line(self) -> Line | None:
        """The line under the cursor."""
        key = self.query_one(RowTable).selected
        return next((entry for entry in self._lines if text.key_of(entry) == key), None)

    def _draw_panes(self, is_empty: bool) -> None:
        is_wide = self.has_class("-wide")
        plot, card = self.query_one("#plot"), self.query_one("#card")
        plot.display = not is_empty and (is_wide or not self.shows_words)
        card.display = not is_empty and (is_wide or self.shows_words)
        self.query_one("#under").set_class(not is_empty and plot.display, "-under")
        if not is_empty:
            self._draw_chosen()

    def _draw_chosen(self) -> None:
        """Draw what depends on the line under the cursor."""
        if self._found is None:
            return
        asked = self.known(Topic.INTERVALS)
        spots = asked.found if isinstance(asked.found, Intervals) else None
        has_published, entry = self.analyses.has_published, self.line
        self.query_one("#card-text", Words).show(text.words(self._found, self._lines, entry, spots, has_published))
        self.entitle("#card", "in words")
        self.entitle("#plot", f"{self.group}, {self.part}")
        axis = entry.axis if entry is not None else Axis("")
        chance = next((held.axis.chance for held in self._lines if held.axis.chance is not None), None)
        held = text.plotted(self._lines, spots, text.key_of(entry) if entry else "", has_published)
        room = self.query_one("#plot").content_region
        scale = Axis(axis.name, axis.low, axis.high, chance)
        drawn = panels(held, scale, room.width, room.height - 1)
        legend = text.key_line(self._lines, has_published, chance is not None)
        plot = self.query_one("#plot-text", Words)
        plot.show(Content("\n").join([*drawn, legend]))

    # What the keys do.

    @on(RowTable.RowHighlighted)
    def _moved(self) -> None:
        self._draw_chosen()
        self.refresh_reasons()

    @on(RowTable.RowSelected)
    async def _entered(self) -> None:
        """Go to the replies behind the line."""
        entry = self.line
        if entry is None:
            return
        held = [self.audit.snapshot.variant(name) for name in entry.variants]
        numbers = frozenset(row.variant.variant_id for row in held if row is not None)
        parts = frozenset() if entry.row.part == text.TOTAL or ":" in entry.row.part else frozenset({entry.row.part})
        await self.audit.inspect(Filters(variants=numbers, assessments=frozenset({entry.row.assessment}), parts=parts))

    def why_not(self, action: str) -> str:
        """Why a key of this screen cannot act now."""
        reason = super().why_not(action)
        if reason:
            return reason
        if action in {"part", "subset", "group"} and self._found is None:
            return "there are no trajectories yet"
        if self._found is not None and action == "part" and len(text.parts(self._found, self.group)) < 2:
            return "there is only one part here"
        if action == "subset" and len(self._subsets()) < 3:
            return "there is only one domain here"
        if self._found is not None and action == "group" and len(text.groups(self._found)) < 2:
            return "nothing else was asked"
        return "no line is chosen" if action == "copy" and self.is_mounted and self.line is None else ""

    def _subsets(self) -> list[str]:
        domains = {entry.row.domain for entry in self._found.lines} if self._found else set()
        return [ALL, *sorted(domains - {""})]

    def action_part(self) -> None:
        """The next part."""
        if self._found is not None:
            self.part = after(text.parts(self._found, self.group), self.part)
            self.redraw()

    def action_subset(self) -> None:
        """All lineages, or the next domain."""
        self.subset = after(self._subsets(), self.subset)
        self.redraw()

    def action_group(self) -> None:
        """The next group of measures."""
        if self._found is not None:
            self.group = after(text.groups(self._found), self.group)
            self.redraw()

    def action_copy(self) -> None:
        """Copy the line as trajectories.csv has it."""
        entry = self.line
        if entry is not None:
            self.copy(as_csv([entry.row]))
