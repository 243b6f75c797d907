"""What F4 lists and reads: asks the reading thread, and draws what it answers. The keys are in `inspect`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from textual import on
from textual.containers import Container, Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

from emaudit.filters import Filters, match_expression
from emaudit.inspection.reader import Reader
from emaudit.inspection.views import Companion, Page, ReplyView
from emaudit.inspection.wishes import Failed, Wish
from emaudit.screens import inspect_asks, inspect_text
from emaudit.screens.base import AuditScreen
from emaudit.screens.inspect_asks import Counted, Opened
from emaudit.screens.inspect_panes import Panes
from emaudit.text import one_line
from emaudit.watch.snapshot import Snapshot
from emaudit.widgets.filter import FilterLine
from emaudit.widgets.replies import ReplyTable
from emaudit.widgets.words import Words

REST_S: Final = 0.05
"""The cursor rests this long on a row before its reply is read: keys held down read nothing."""
BESIDE_S: Final = 0.12
"""What stands beside a reply is read this much later: it takes longer, and the reply itself goes first."""


class RepliesScreen(AuditScreen):
    """A list of responses over two panes: the response, and what stands beside it."""

    class Read(Message):
        """The reading thread has an answer."""

        def __init__(self, wish: Wish, answer: object) -> None:
            super().__init__()
            self.wish = wish
            self.answer = answer

    def __init__(self) -> None:
        super().__init__()
        self.filters = Filters()
        self.is_full = False
        self.panes = Panes()
        self._opened: Opened | None = None
        self.choices: Mapping[str, tuple[str, ...]] = {}
        self._page = Page()
        self._n_new = 0
        self._is_opening = False
        self._problem = ""
        self._before: list[Filters] = []
        self._chosen: dict[str, str] = {}
        self._wanted_id = 0
        self._cursor_to = ""
        self._beside_timer: Timer | None = None
        self._drawn_rows: object = None
        self._rest: Timer | None = None
        self._reader = Reader(self.audit.store_path, self._tell)
        self._start_reading()

    def _start_reading(self) -> None:
        """Read the first page while the screen is still being put together."""
        self.app.run_worker(self._reader.run, name="inspect", group="inspect", thread=True, exit_on_error=False)
        if self.audit.snapshot.exists:
            self._is_opening = True
            self._reader.ask(Wish.PAGE, partial(inspect_asks.opened, self.filters))

    def compose_body(self) -> Iterable[Widget]:
        """The line of counts and filters, the list, the two panes."""
        line = FilterLine()
        line.placeholder = 'words, "a phrase", begin*'
        yield Words(id="where", is_fixed=True)
        with Container(id="body"):
            with Vertical(id="list"):
                yield line
                yield ReplyTable("replies-table")
                yield Words(id="empty")
            yield self.panes

    def on_mount(self) -> None:
        """Follow the snapshot, and note the rows that scrolling brings into view."""
        super().on_mount()
        self.watch(self.query_one(ReplyTable), "scroll_y", self._note_shown, init=False)

    def on_unmount(self) -> None:
        """End the reading thread."""
        self._reader.stop()

    def _tell(self, wish: Wish, answer: object) -> None:
        if self.is_attached:  # a screen that left while this was read has no app to post to
            self.post_message(self.Read(wish, answer))

    def list_anew(self, filters: Filters, remember: bool = True) -> None:
        """List what passes other filters."""
        if remember and filters != self.filters:
            self._before.append(self.filters)
        self.filters = filters
        self._is_opening, self._problem = True, ""
        self._reader.forget(Wish.COUNT)
        self._reader.ask(Wish.PAGE, partial(inspect_asks.opened, filters))
        self._draw_line()
        self.refresh_reasons()

    @on(ReplyTable.Turned)
    def _page_turned(self, message: ReplyTable.Turned) -> None:
        self._turn(message.way)

    def _turn(self, way: str) -> None:
        """Turn to another page; while a list is being made there is none to turn to."""
        stretch = self._page.stretch
        is_end = (way == "after" and not stretch.has_after) or (way == "before" and not stretch.has_before)
        if not self._is_opening and not is_end:
            self._cursor_to = "last" if way in {"before", "last"} else "first"
            self._reader.ask(Wish.PAGE, partial(inspect_asks.turned, way, self._page))

    @on(Read)
    def _was_read(self, message: Read) -> None:
        answer = message.answer
        if isinstance(answer, Failed):
            self._failed(answer)
        elif isinstance(answer, Opened):
            self._show_list(answer)
        elif isinstance(answer, Page):
            self._show_page(answer)
        elif isinstance(answer, Counted):
            self._show_count(answer)
        elif isinstance(answer, Companion):
            self._show_companion(answer)
        elif message.wish is Wish.VIEW:
            self._show_view(answer if isinstance(answer, ReplyView) else None)

    def _failed(self, failed: Failed) -> None:
        self._is_opening = False
        if failed.wish is Wish.PAGE:
            self._problem = failed.why
            self._page, self.panes.view, self.panes.beside = Page(), None, None
            self._draw_list()
        else:
            self.notify(one_line(failed.why, 400), severity="error", markup=False)

    def _show_list(self, opened: Opened) -> None:
        if opened.filters != self.filters:
            return
        self._opened, self._is_opening, self._problem = opened, False, ""
        self._cursor_to = self._cursor_to or "first"
        self._show_page(opened.page)
        self._reader.ask(Wish.COUNT, partial(inspect_asks.counted, self._first_id))

    def _show_page(self, page: Page) -> None:
        n = page.n if page.n is not None else self._page.n if self._page.newest == page.newest else None
        self._page = replace(page, n=n)
        self._draw_list()
        keys = [str(row.reply_id) for row in page.rows]
        is_there = not self._cursor_to and str(self._wanted_id) in keys
        if self._cursor_to and keys:
            at = {"first": keys[0], "last": keys[-1]}.get(self._cursor_to, self._cursor_to)
            self.query_one(ReplyTable).select(at)
        self._cursor_to = ""
        self._n_new = self._count_new(self.audit.snapshot)
        key = self.query_one(ReplyTable).selected
        if is_there or key:
            self._read(self._wanted_id if is_there else int(key))
        else:
            self.panes.view = self.panes.beside = None
            self._draw_reading()
        self.refresh_reasons()

    def _show_count(self, counted: Counted) -> None:
        page = replace(self._page, n=counted.n)
        if page.rows and page.rows[0].reply_id == counted.first_id:
            page = replace(page, stretch=replace(page.stretch, position=counted.position))
        self._page = page
        self.choices = counted.choices
        self._draw_line()

    def _count_new(self, snapshot: Snapshot) -> int:
        newest = max((row.reply_id for row in snapshot.replies), default=0)
        return max(0, newest - self._page.newest) if self._opened else 0

    def _first_id(self) -> int:
        rows = self._page.rows
        return rows[0].reply_id if rows else 0

    def _read(self, reply_id: int) -> None:
        self._wanted_id = reply_id
        self._reader.ask(Wish.VIEW, partial(inspect_asks.viewed, reply_id))
        if self._beside_timer is not None:
            self._beside_timer.stop()
        self._beside_timer = self.set_timer(BESIDE_S, self._read_beside)

    def _read_beside(self) -> None:
        kind = self.panes.kind
        name = self._chosen.get(kind, "")
        self._reader.ask(Wish.BESIDE, partial(inspect_asks.beside, self._wanted_id, kind, name))

    def _show_view(self, view: ReplyView | None) -> None:
        if view is None or view.full.listed.reply_id == self._wanted_id:
            self.panes.view = view
            self._draw_reading()
            self.refresh_reasons()

    def _show_companion(self, beside: Companion) -> None:
        if beside.reply_id == self._wanted_id and beside.kind == self.panes.kind:
            self.panes.beside = beside
            self._draw_reading()
            self.refresh_reasons()

    def draw(self, snapshot: Snapshot) -> None:
        """Draw the list and the panes; open the list where there is one to open."""
        self._n_new = self._count_new(snapshot)
        is_late = self._opened is not None and not self._page.rows and self._n_new and not self.filters.n_active
        if snapshot.exists and not self._is_opening and not self._problem and (self._opened is None or is_late):
            self.list_anew(self.filters)
        self._draw_list()
        self._draw_reading()

    def _draw_line(self) -> None:
        opened = self._opened
        words = inspect_text.described(self.filters, opened.variants if opened else {}, opened.judges if opened else {})
        line = inspect_text.count_line(self._page, words, self._is_opening, self._n_new, self.size.width)
        self.query_one("#where", Words).show(line)

    def _draw_list(self) -> None:
        self._draw_line()
        table = self.query_one(ReplyTable)
        sentence = self._empty_sentence()
        self.query_one("#list").display = not self.is_full or bool(sentence)
        self.panes.display = not sentence
        table.display = not sentence
        empty = self.query_one("#empty", Words)
        empty.display = bool(sentence)
        empty.show(Content(one_line(sentence, 400)))
        self.query_one("#list").set_class(bool(sentence), "-empty")
        if not sentence:
            self._draw_rows(table)

    def _draw_rows(self, table: ReplyTable) -> None:
        """Fill the table, where its rows, its width or the colours are others than those it shows."""
        rows, tones = self._page.rows, self.audit.tones
        if self._drawn_rows == (rows, self.size.width, tones):
            return
        self._drawn_rows = (rows, self.size.width, tones)
        wanted = inspect_text.columns(self.size.width - 1, rows, len(self.filters.variants) == 1)
        table.show(wanted, [(str(row.reply_id), inspect_text.cells(row, wanted, tones)) for row in rows])

    def _empty_sentence(self) -> str:
        snapshot = self.audit.snapshot
        if self._page.rows:
            return ""
        if self._problem or snapshot.problem:
            return f"{self._problem or snapshot.problem}: n reads it again."
        if self._is_opening or not snapshot.has_read or (self._opened is None and snapshot.exists):
            return "Reading the store."
        if self.filters.words.strip() and not match_expression(self.filters.words):
            return "There is no word in what was searched for: / changes it, esc clears it."
        if self.filters.n_active:
            return "No response passes these filters: f changes them, esc clears them, u takes the last change back."
        return "No responses yet. Press F2, choose a variant and press r to run it."

    def _draw_reading(self) -> None:
        self.panes.draw(self.has_class("-wide"))
        self._note_shown()
        self.call_after_refresh(self._note_shown)

    def _note_shown(self) -> None:
        """Have it noted which verdicts are in view, in the list and the panes: later scores of those are not blind."""
        if self.is_mounted and self.is_current and self.audit.snapshot.writable:
            self.audit.was_shown({*self.panes.in_view(), *self._rows_in_view()})

    def _rows_in_view(self) -> Iterable[int]:
        """The replies of the list whose scores can be read now."""
        table = self.query_one(ReplyTable)
        keys = set(table.in_view) if table.display and self.query_one("#list").display else set()
        return (
            row.reply_id
            for row in self._page.rows
            if str(row.reply_id) in keys and inspect_text.tells_verdict(row.standing)
        )

    @on(ReplyTable.RowHighlighted)
    def _moved(self) -> None:
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(REST_S, self._rested)

    def _rested(self) -> None:
        self._rest = None
        key = self.query_one(ReplyTable).selected
        if key and int(key) != self._wanted_id:
            self._read(int(key))
