"""F2 Variants: what do I have, by lineage, and how far is each assessment?"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding
from textual.containers import Container, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from emaudit.commands import Order
from emaudit.messages import Done
from emaudit.screens import variant_text
from emaudit.screens.base import AuditScreen
from emaudit.text import one_line
from emaudit.watch.snapshot import RunRow, Snapshot, VariantRow
from emaudit.widgets import cells, figures
from emaudit.widgets.filter import FilterLine
from emaudit.widgets.table import RowTable
from emaudit.widgets.words import Words


class VariantsScreen(AuditScreen):
    """The lineage tree with a cell per assessment, and the selected variant beside or below it."""

    MODE = "variants"
    CSS_PATH = None  # the app's own stylesheet has what the first frame needs, and is parsed before it
    BINDINGS: ClassVar[list[Any]] = [
        Binding("a", "add", "Add", id="variants.add", tooltip="Add variants from the models an endpoint lists"),
        Binding("r", "run", "Run", id="variants.run", tooltip="Run or resume assessments of the marked variants"),
        Binding("p", "stop", "Stop", id="variants.stop", tooltip="Stop the run that asks this variant"),
        Binding("space", "mark", "Mark", id="variants.mark", tooltip="Mark this variant, to run several at once"),
        Binding(
            "A,shift+a", "mark_all", "Mark all", show=False, id="variants.mark_all", tooltip="Mark all shown, or none"
        ),
        Binding("slash", "filter", "Filter", key_display="/", id="variants.filter", tooltip="Show some variants only"),
        Binding("e", "edit", "Edit", show=False, id="variants.edit", tooltip="Edit size, domain, stage, parent, name"),
        Binding("h", "hide", "Hide", show=False, id="variants.hide", tooltip="Hide this variant; u shows it again"),
        Binding("u", "undo", "Undo", show=False, id="variants.undo", tooltip="Show the variant hidden last again"),
        Binding("escape", "clear", "Clear", show=False, id="variants.clear", tooltip="Clear the filter, or the marks"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.marked: set[str] = set()
        self.hidden_here: list[str] = []
        self._rows: tuple[VariantRow, ...] = ()

    def compose_body(self) -> Iterable[Widget]:
        """The table (or the sentence that stands for an empty one) and the pane."""
        with Container(id="body"):
            with Vertical(id="list", classes="pane"):
                yield FilterLine()
                yield RowTable("variants")
                yield Words(id="empty")
            with Vertical(id="detail", classes="pane"):
                yield Words(id="about", is_fixed=True)

    def draw(self, snapshot: Snapshot) -> None:
        """Draw the rows that pass the filter, and the pane."""
        words = self.query_one(FilterLine).words
        self._rows = tuple(row for row in snapshot.variants if row.matches(words))
        self.marked &= {row.variant.name for row in snapshot.variants}
        self._draw_table(snapshot, words)
        self._draw_pane()

    def _draw_table(self, snapshot: Snapshot, words: str) -> None:
        table = self.query_one(RowTable)
        sentence = _empty_sentence(snapshot, words, bool(self._rows))
        table.display = not sentence
        empty = self.query_one("#empty", Words)
        empty.display = bool(sentence)
        empty.show(Content(sentence))
        self.entitle("#list", _title(snapshot, len(self._rows), len(self.marked), words))
        if not sentence:
            tones = self.audit.tones
            room = self.query_one("#list").size
            plan = cells.layout(self._rows, snapshot.assessments, room.width - 1, room.height - 1)
            rows = [(row.variant.name, cells.cells(row, plan, self.marked, tones)) for row in self._rows]
            table.show(plan.columns(snapshot.assessments), rows, plan.height)

    def _draw_pane(self) -> None:
        detail = self.query_one("#detail")
        row = self.selected
        detail.display = row is not None
        if row is None:
            return
        self.entitle("#detail", one_line(row.variant.name, 60))
        about = variant_text.pane(row, self._base_url(row), self.has_class("-wide"))
        self.query_one("#about", Words).show(about)

    def _base_url(self, row: VariantRow) -> str:
        held = self.audit.settings.endpoints.get(row.variant.endpoint)
        return held.base_url if held else ""

    @property
    def selected(self) -> VariantRow | None:
        """The variant under the cursor."""
        key = self.query_one(RowTable).selected
        return next((row for row in self._rows if row.variant.name == key), None)

    @property
    def wanted(self) -> list[VariantRow]:
        """The marked variants, or the one under the cursor."""
        marked = [row for row in self.audit.snapshot.variants if row.variant.name in self.marked]
        return marked or ([self.selected] if self.selected else [])

    def _live_run(self) -> RunRow | None:
        row = self.selected
        live = self.audit.snapshot.live_runs
        return next((run for run in live if row is not None and row.variant.name in run.variants), None)

    def why_not(self, action: str) -> str:
        """Why a key of this screen cannot act now."""
        snapshot = self.audit.snapshot
        if snapshot.problem:
            return "the store cannot be read now"
        needs_row = {"run", "stop", "mark", "mark_all", "open", "edit", "hide", "filter"}
        if action in needs_row and not snapshot.variants:
            return "there are no variants yet: a adds some"
        if action in needs_row - {"filter", "run"} and self.selected is None:
            return "no variant passes the filter: esc clears it"
        if action in {"add", "run", "edit", "hide", "undo", "stop"} and snapshot.exists and not snapshot.writable:
            return "this store is read-only: copy it to write to it"
        if action == "run" and self.wanted and all(row.is_running for row in self.wanted):
            return "a run asks this already: F3 shows it, p stops it"
        if action == "run" and not self.wanted:
            return "no variant passes the filter: esc clears it"
        if action == "stop":
            run = self._live_run()
            if run is None:
                return "no run asks this variant now"
            return "this run is stopping already" if run.stage == "stopping" else ""
        return "nothing was hidden here" if action == "undo" and not self.hidden_here else ""

    @on(RowTable.RowHighlighted)
    def _moved(self) -> None:
        self._draw_pane()
        self.refresh_reasons()

    @on(RowTable.RowSelected)
    def _entered(self) -> None:
        self.action_open()

    @on(Input.Changed, "#filter")
    def _filtered(self) -> None:
        self.redraw()

    @on(Input.Submitted, "#filter")
    def _filter_done(self) -> None:
        self.query_one(RowTable).focus()

    def action_add(self) -> None:
        """Open the list of an endpoint's models."""
        from emaudit.screens.add import AddScreen

        self.app.push_screen(AddScreen())

    def action_run(self) -> None:
        """Open the start dialog for the marked variants, or this one."""
        from emaudit.screens.start import StartDialog

        self.app.push_screen(StartDialog(tuple(row.variant for row in self.wanted)), self._ordered)

    def _ordered(self, order: Order | None) -> None:
        if order is not None:
            self.audit.start_run(order)

    def action_stop(self) -> None:
        """Ask the run of this variant to stop."""
        run = self._live_run()
        if run is not None:
            self.audit.stop_run(run.uid)

    def action_mark(self) -> None:
        """Mark the variant under the cursor, or unmark it, and go on to the next."""
        row = self.selected
        if row is not None:
            self.marked ^= {row.variant.name}
            self.redraw()
            self.query_one(RowTable).action_cursor_down()

    def action_mark_all(self) -> None:
        """Mark all variants shown; none where all are marked."""
        shown = {row.variant.name for row in self._rows}
        self.marked = set() if shown <= self.marked else self.marked | shown
        self.redraw()

    def action_filter(self) -> None:
        """Open the filter."""
        self.query_one(FilterLine).open()

    def action_clear(self) -> None:
        """Close the filter, or take all marks away."""
        line = self.query_one(FilterLine)
        if line.display:
            line.close()
            self.query_one(RowTable).focus()
        else:
            self.marked.clear()
        self.redraw()

    def action_open(self) -> None:
        """Open everything known of the variant."""
        from emaudit.screens.page import PageDialog

        row = self.selected
        if row is not None:
            self.app.push_screen(PageDialog(row.variant.name, variant_text.page(row, self._base_url(row))))

    def action_edit(self) -> None:
        """Edit the variant under the cursor."""
        from emaudit.screens.edit import EditDialog

        row = self.selected
        if row is not None:
            names = [other.variant.name for other in self.audit.snapshot.variants]
            self.app.push_screen(EditDialog(row.variant, names))

    def action_hide(self) -> None:
        """Hide the variant under the cursor."""
        row = self.selected
        if row is not None:
            self.hidden_here.append(row.variant.name)
            self.audit.carry_out(partial(self._set_hidden, row.variant.name, True))

    def action_undo(self) -> None:
        """Show the variant hidden last again."""
        self.audit.carry_out(partial(self._set_hidden, self.hidden_here.pop(), False))

    def _set_hidden(self, name: str, hidden: bool) -> Message:
        self.audit.commands.hide(name, hidden)
        return Done(f"{name} is hidden; u shows it again" if hidden else f"{name} is shown again")


def _title(snapshot: Snapshot, n_shown: int, n_marked: int, words: str) -> str:
    total = len(snapshot.variants)
    text = f"{n_shown} of {figures.plural(total, 'variant')}" if words else figures.plural(total, "variant")
    if not snapshot.has_read or snapshot.problem:
        text = "variants"
    parts = [text]
    if n_marked:
        parts.append(f"{n_marked} marked")
    if snapshot.judge:
        parts.append(f"judge {one_line(snapshot.judge, 40)}")
    return " · ".join(parts)


def _empty_sentence(snapshot: Snapshot, words: str, has_rows: bool) -> str:
    if has_rows:
        return ""
    if not snapshot.has_read:
        return "Reading the store."
    if snapshot.problem:
        return "The store cannot be read now; what is known stands above."
    if words:
        return "No variant has these words in it; esc clears the filter."
    return "No variants yet. Press a to add some from the models an endpoint lists."
