"""F4 Inspect: what did it actually say, and what does it say about itself?"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding
from textual.message import Message
from textual.widgets import Input

from emaudit.filters import Filters
from emaudit.inspection.wishes import Wish
from emaudit.messages import Done
from emaudit.screens import inspect_asks, inspect_text
from emaudit.screens.inspect_list import RepliesScreen
from emaudit.screens.inspect_panes import COMPANIONS
from emaudit.text import one_line
from emaudit.widgets.filter import FilterLine
from emaudit.widgets.reading import ReadingPane
from emaudit.widgets.replies import ReplyTable


class InspectScreen(RepliesScreen):
    """The keys of the list and its panes."""

    MODE = "inspect"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("slash", "search", "Search", key_display="/", id="inspect.search", tooltip="Search all stored text"),
        Binding("f", "filters", "Filters", id="inspect.filters", tooltip="Choose what is listed"),
        Binding(
            "c", "companion", "Beside", id="inspect.companion",
            tooltip="Change what stands beside it: self-reports, another variant, a second judge",
        ),
        Binding(
            "v", "choose", "Variant", id="inspect.choose", tooltip="Choose the variant or judge that stands beside"
        ),
        Binding(
            "right_square_bracket", "item('after')", "Item", key_display="[ ]", id="inspect.item_after",
            tooltip="To the item before, or the next one",
        ),
        Binding(
            "left_square_bracket", "item('before')", "Item before", show=False, key_display="[",
            id="inspect.item_before", tooltip="To the item before",
        ),
        Binding(
            "full_stop", "sample(1)", "Sample", key_display=", .", id="inspect.sample_after",
            tooltip="To the sample before, or the next one of the same prompt",
        ),
        Binding(
            "comma", "sample(-1)", "Sample before", show=False, key_display=",", id="inspect.sample_before",
            tooltip="To the sample before",
        ),
        Binding("tab", "pane(1)", "Pane", show=False, id="inspect.pane", tooltip="To the next pane"),
        Binding("shift+tab", "pane(-1)", "Pane back", show=False, id="inspect.pane_back", tooltip="To the pane before"),
        Binding("l", "lock", "Lock", show=False, id="inspect.lock", tooltip="Scroll both panes together, or not"),
        Binding("d", "differ", "Differ", show=False, id="inspect.differ", tooltip="List only where the two differ"),
        Binding("m", "more", "More", show=False, id="inspect.more", tooltip="Show all of the text, however long"),
        Binding("y", "copy", "Copy", show=False, id="inspect.copy", tooltip="Copy the response"),
        Binding(
            "asterisk", "star", "Star", show=False, key_display="*", id="inspect.star",
            tooltip="Mark as an example for the paper, or take the mark away",
        ),
        Binding("n", "renew", "New", show=False, id="inspect.renew", tooltip="Read the list again, with what is new"),
        Binding("u", "undo", "Undo", show=False, id="inspect.undo", tooltip="Back to the filters before"),
        Binding("escape", "back", "Back", show=False, id="inspect.back", tooltip="To the list; then clear filters"),
    ]  # fmt: skip

    def why_not(self, action: str) -> str:
        """Why a key of this screen cannot act now."""
        name = action.split("(")[0]
        if name == "undo":
            return "" if self._before else "the filters were not changed"
        if name in {"search", "filters"} and self._opened is None:
            return "there are no responses yet: F2, then r, runs a variant"
        if name in {"search", "filters", "renew", "back", "lock", "pane", ""}:
            return ""
        if self.panes.view is None:
            return "there is no response to read: esc clears the filters"
        if name == "sample" and len(self.panes.view.samples) < 2:
            return "this prompt was answered once"
        if name == "star" and not self.audit.snapshot.writable:
            return "this store is read-only: copy it to write to it"
        return self._why_not_beside(name) if name in {"choose", "differ"} else ""

    def _why_not_beside(self, name: str) -> str:
        beside = self.panes.beside
        if name == "differ" and (self.filters.differs_from is not None or self.filters.disagreement == "judges"):
            return ""
        if self.panes.kind == "reports":
            other = "the filters choose the variant" if name == "choose" else "self-reports are on scales of their own"
            return f"{other}: c puts another variant or judge here"
        if beside is None or not beside.choices:
            return "nothing else stands beside this response: c changes what does"
        if name == "choose" and len(beside.choices) == 1:
            return f"{one_line(beside.choices[0], 60)} is the only one"
        return ""

    @on(ReplyTable.RowSelected)
    def _entered(self) -> None:
        self._be_full(True)

    def _be_full(self, is_full: bool) -> None:
        """Give the panes the whole height, or the list its place back."""
        self.is_full = is_full
        self.query_one("#list").display = not is_full
        if is_full:
            self.panes.go_to(self.panes.shown)
        else:
            self.query_one(ReplyTable).focus()

    def action_back(self) -> None:
        """From the search line or a pane to the list; there, clear the filters."""
        line = self.query_one(FilterLine)
        if line.display:
            line.close()
            self.query_one(ReplyTable).focus()
        elif self.is_full or isinstance(self.focused, ReadingPane):
            self._be_full(False)
        elif self.filters.n_active:
            self.list_anew(Filters(judge=self.filters.judge))

    def action_search(self) -> None:
        """Open the search line, with what was searched for."""
        self._be_full(False)
        line = self.query_one(FilterLine)
        line.value = self.filters.words
        line.open()

    @on(Input.Submitted, "#filter")
    def _searched(self, event: Input.Submitted) -> None:
        self.query_one(FilterLine).display = False
        self.query_one(ReplyTable).focus()
        self.list_anew(replace(self.filters, words=event.value))

    def action_filters(self) -> None:
        """Open the dialog of filters."""
        from emaudit.screens.inspect_filters import FiltersDialog

        held = self._opened
        if held is not None:
            dialog = FiltersDialog(self.filters, held.variants, held.judges, self.choices)
            self.app.push_screen(dialog, self._filtered)

    def _filtered(self, filters: Filters | None) -> None:
        if filters is not None and filters != self.filters:
            self.list_anew(filters)

    def action_undo(self) -> None:
        """Back to the filters before."""
        self.list_anew(self._before.pop(), remember=False)

    def action_renew(self) -> None:
        """Read the list again, with what is new."""
        self._cursor_to = self.query_one(ReplyTable).selected
        self.list_anew(self.filters, remember=False)

    def action_companion(self) -> None:
        """Change what stands beside the response."""
        self.panes.next_kind()
        self._draw_reading()
        self._read_beside()
        self.refresh_reasons()

    def action_choose(self) -> None:
        """Choose the variant or judge that stands beside."""
        from emaudit.screens.inspect_choose import ChooseDialog

        beside = self.panes.beside
        if beside is not None:
            dialog = ChooseDialog(COMPANIONS[beside.kind], beside.choices, beside.name)
            self.app.push_screen(dialog, self._has_chosen)

    def _has_chosen(self, name: str | None) -> None:
        if name:
            self._chosen[self.panes.kind] = name
            self._read_beside()

    def action_item(self, way: str) -> None:
        """To the next item of the list, or the one before."""
        keys = [(row.listed.variant_id, row.listed.replicate, row.listed.item) for row in self._page.rows]
        table = self.query_one(ReplyTable)
        to = inspect_text.other_item(keys, table.cursor_row, 1 if way == "after" else -1)
        if to is None:
            self._turn(way)
        else:
            table.select(str(self._page.rows[to].reply_id))

    def action_sample(self, step: int) -> None:
        """To the next sample of the same prompt, or the one before; the cursor follows where it is listed."""
        samples = self.panes.view.samples if self.panes.view else ()
        ids = [sample.reply_id for sample in samples]
        at = ids.index(self._wanted_id) + step if self._wanted_id in ids else 0
        if 0 <= at < len(ids):
            self._read(ids[at])
            self.query_one(ReplyTable).select(str(ids[at]))

    def action_pane(self, step: int) -> None:
        """To the next pane: the list, the response, what stands beside it."""
        stops = ["left", "right"] if self.is_full else ["list", "left", "right"]
        here = self.focused.id if isinstance(self.focused, ReadingPane) and self.focused.id else stops[0]
        name = stops[(stops.index(here) + step) % len(stops)]
        if name == "list":
            self.query_one(ReplyTable).focus()
        else:
            self.panes.shown = name
            self._draw_reading()
            self.panes.go_to(name)

    def action_lock(self) -> None:
        """Scroll both panes together, or not."""
        self.panes.is_locked = not self.panes.is_locked
        self._draw_reading()

    def action_differ(self) -> None:
        """List only where the response and what stands beside it were scored differently; again, all."""
        held, beside, view = self.filters, self.panes.beside, self.panes.view
        if held.differs_from is not None or held.disagreement == "judges":
            self.list_anew(replace(held, differs_from=None, disagreement=""))
        elif self.panes.kind == "judge":
            self.list_anew(replace(held, disagreement="judges"))
        elif beside is not None and beside.other is not None and view is not None:
            self._chosen["variant"] = beside.name
            own, other = view.variant.variant_id, beside.other.variant.variant_id
            self.list_anew(replace(held, variants=frozenset({own}), differs_from=other))

    def action_more(self) -> None:
        """Show all of the pane's text, however long."""
        dialog = self.panes.whole()
        if dialog is not None:
            if self.audit.snapshot.writable:
                self.audit.was_shown(self.panes.in_whole())
            self.app.push_screen(dialog)

    def action_copy(self) -> None:
        """Copy the response of the pane that is read."""
        text = self.panes.response()
        if text is not None:
            self.app.copy_to_clipboard(text)
            self.notify("the response is in the clipboard", markup=False, timeout=3)

    def action_star(self) -> None:
        """Mark the response as an example for the paper, or take the mark away."""
        view = self.panes.view
        if view is not None:
            is_on = not any(mark.kind == "star" for mark in view.marks)
            self.audit.carry_out(partial(self._starred, view.full.listed.reply_id, is_on), self)

    def _starred(self, reply_id: int, is_on: bool) -> Message:
        self.audit.commands.star(self.audit.settings, reply_id, is_on)
        return Done("starred as an example for the paper" if is_on else "no longer an example for the paper")

    def on_done(self, message: Done) -> None:
        """A mark was written: read the page and the reply again."""
        self._reader.ask(Wish.PAGE, partial(inspect_asks.turned, "again", self._page))
