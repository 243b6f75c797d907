"""F5 Spot-check: do I believe the judge? The queues, and the dashboard of the one under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import on
from textual.binding import Binding
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

from emaudit.errors import EmauditError
from emaudit.messages import Done
from emaudit.reviewing.spotchecks import QueueRow, SpotChecks
from emaudit.screens import dashboard_text, queue_text
from emaudit.screens.base import AuditScreen
from emaudit.screens.line import NameDialog, ReasonDialog
from emaudit.text import one_line
from emaudit.watch.snapshot import Snapshot
from emaudit.widgets import figures
from emaudit.widgets.table import RowTable
from emaudit.widgets.words import Words

if TYPE_CHECKING:
    from emaudit.scores.agreement.board import Dashboard

LISTED: Final = 6
"""Queues in view above the results."""
REST_S: Final = 0.15
"""Seconds the cursor rests on a queue before its dashboard is computed."""


class SpotCheckScreen(AuditScreen):
    """A row per queue; the chosen one's progress, agreement and correction beside or below it."""

    MODE = "review"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("a", "new", "New queue", id="review.new", tooltip="Draw a queue of responses to score"),
        Binding("o", "rate_as", "Score as", id="review.rate_as", tooltip="Score this queue under another name"),
        Binding("m", "adjudicate", "Settle", id="review.adjudicate", tooltip="Settle where two raters differ"),
        Binding("d", "gallery", "Disagreements", id="review.gallery", tooltip="Where people and the judge differ"),
        Binding("x", "export", "Export", id="review.export", tooltip="Write events and labels as CSV"),
        Binding("p", "stop", "Stop early", show=False, id="review.stop", tooltip="End this queue before its planned n"),
        Binding("J,shift+j", "scroll('down')", "Read on", show=False, id="review.down", tooltip="Scroll the results"),
        Binding("K,shift+k", "scroll('up')", "Read back", show=False, id="review.up", tooltip="Scroll them back"),
    ]  # fmt: skip

    class QueuesRead(Message):
        """The queues as they are."""

        def __init__(self, rows: tuple[QueueRow, ...]) -> None:
            super().__init__()
            self.rows = rows

    class DashboardRead(Message):
        """The dashboard of one queue."""

        def __init__(self, uid: str, dashboard: Dashboard) -> None:
            super().__init__()
            self.uid = uid
            self.dashboard = dashboard

    class NotRead(Message):
        """Queues (`uid` empty) or a dashboard could not be read."""

        def __init__(self, uid: str, why: str) -> None:
            super().__init__()
            self.uid = uid
            self.why = why

    class Broken(Message):
        """Reading failed as it never should."""

        def __init__(self, error: Exception) -> None:
            super().__init__()
            self.error = error

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[QueueRow, ...] = ()
        self.has_read = False
        self._problem = ""
        self._dashboards: dict[str, Dashboard | str] = {}
        self._asked = 0
        self._rest: Timer | None = None
        self._awaited = ""
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spot-checks")

    @property
    def checks(self) -> SpotChecks:
        """The spot-checks of the app's store."""
        return self.audit.spot_checks

    def compose_body(self) -> Iterable[Widget]:
        """The queues (or the sentence that stands for none) and the pane."""
        with Container(id="body"):
            with Vertical(id="list", classes="pane"):
                yield RowTable("queues")
                yield Words(id="empty")
            with VerticalScroll(id="detail", classes="pane", can_focus=False):
                yield Words(id="about")

    def on_mount(self) -> None:
        """Follow the store; open what the app was opened for."""
        super().on_mount()
        opening = self.audit.take_opening()
        if opening is not None:
            open_queue = self.settle if opening.settles else self.rate
            open_queue(opening.queue, opening.reviewer)

    def on_unmount(self) -> None:
        """End the thread that reads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def on_screen_resume(self) -> None:
        """Read the queues again: a sitting, or another process, may have changed them."""
        super().on_screen_resume()
        self.read()

    # Reading, in one thread; a newer wish makes an older one void.

    def read(self) -> None:
        """Read the queues."""
        self._dashboards.clear()
        self._submit(lambda: self.QueuesRead(self.checks.rows()), "")

    def _read_dashboard(self) -> None:
        row = self.selected
        if row is not None and row.uid not in self._dashboards:
            self._submit(partial(self._dashboard, row.uid), row.uid)

    def _dashboard(self, uid: str) -> Message:
        return self.DashboardRead(uid, self.checks.dashboard(uid))

    def _submit(self, job: Callable[[], Message], uid: str) -> None:
        self._asked += 1
        self._pool.submit(self._done, self._asked, job, uid)

    def _done(self, number: int, job: Callable[[], Message], uid: str) -> None:
        if uid and number != self._asked:
            return
        try:
            self.post_message(job())
        except EmauditError as error:
            self.post_message(self.NotRead(uid, str(error)))
        except Exception as error:
            self.post_message(self.Broken(error))
            raise

    @on(Broken)
    def _broken(self, message: Broken) -> None:
        """What is no known failure is a bug: leave with a report."""
        raise message.error

    @on(QueuesRead)
    def _queues_read(self, message: QueuesRead) -> None:
        self.rows, self.has_read, self._problem = message.rows, True, ""
        self.redraw()
        self._read_dashboard()

    @on(DashboardRead)
    def _dashboard_read(self, message: DashboardRead) -> None:
        self._dashboards[message.uid] = message.dashboard
        self._draw_pane()
        self.refresh_reasons()

    @on(NotRead)
    def _not_read(self, message: NotRead) -> None:
        if message.uid:
            self._dashboards[message.uid] = message.why
        else:
            self.has_read, self._problem = True, message.why
        self.redraw()

    # What is drawn.

    def draw(self, snapshot: Snapshot) -> None:
        """Draw the queues and the pane."""
        table = self.query_one(RowTable)
        sentence = self._empty_sentence(snapshot)
        table.display = not sentence
        empty = self.query_one("#empty", Words)
        empty.display = bool(sentence)
        empty.show(Content(sentence))
        self.entitle("#list", figures.plural(len(self.rows), "queue") if self.rows else "spot-checks")
        self._fit_list(not sentence)
        if not sentence:
            columns = queue_text.columns(self.rows, max(0, self.query_one("#list").size.width - 1))
            table.show(columns, [(row.uid, queue_text.cells(row, columns, self.audit.tones)) for row in self.rows])
            if self._awaited:
                table.select(self._awaited)
                self._awaited = ""
        self._draw_pane()

    def _fit_list(self, has_rows: bool) -> None:
        """Beside the results the list is as high as they are, above them as high as it needs."""
        is_above = has_rows and not self.has_class("-wide")
        self.query_one("#list").styles.height = min(len(self.rows), LISTED) + 2 if is_above else "1fr"

    def _empty_sentence(self, snapshot: Snapshot) -> str:
        if self._problem:
            return f"The queues cannot be read: {one_line(self._problem, 300)}"
        if not self.has_read:
            return "Reading the queues."
        if self.rows:
            return ""
        if not any(cell.n_closed for row in snapshot.variants for cell in row.cells):
            return "No replies to check yet. Press F2 and r to ask some, or import them."
        return "No spot-checks yet. Press a to draw responses for people to score."

    def _draw_pane(self) -> None:
        detail, row = self.query_one("#detail"), self.selected
        detail.display = row is not None and not self._problem
        if row is None:
            return
        self.entitle("#detail", one_line(row.name, 60))
        held = self._dashboards.get(row.uid)
        width = max(20, detail.content_region.width - 2)
        if held is None:
            content = Content("\n").join([*queue_text.facts(row), Content.styled("Computing the results.", "$quiet")])
        elif isinstance(held, str):
            problem = Content.styled(f"The results cannot be computed: {one_line(held, 300)}", "$error")
            content = Content("\n").join([*queue_text.facts(row), problem])
        else:
            content = Content("\n").join([*queue_text.facts(row), *dashboard_text.lines(held, width)])
        self.query_one("#about", Words).show(content)

    @property
    def selected(self) -> QueueRow | None:
        """The queue under the cursor."""
        key = self.query_one(RowTable).selected
        return next((row for row in self.rows if row.uid == key), None)

    def why_not(self, action: str) -> str:
        """Why a key of this screen cannot act now."""
        snapshot, row = self.audit.snapshot, self.selected if self.is_mounted else None
        writes = {"new", "rate", "rate_as", "adjudicate", "stop"}
        if action in writes and snapshot.exists and not snapshot.writable:
            return "this store is read-only: copy it to write to it"
        if action == "new":
            return "" if snapshot.variants else "there are no variants yet: F2, then a, adds some"
        if row is None:
            return "" if action.startswith("scroll") else "there are no queues yet: a draws one"
        if action == "adjudicate" and not row.n_to_settle:
            two = len(row.raters) > 1
            return "no two raters differ here" if two else "only one person has scored here: o adds a second"
        if action == "gallery" and not row.is_finished:
            return "hidden until the planned number is scored (or p stops early), so that nobody is swayed"
        if action == "gallery" and row.reveal == "never":
            return "this queue was drawn to never reveal the judge"
        if action == "stop" and row.is_finished:
            return f"this queue is {row.stopped or 'done'}"
        return ""

    # What the keys do.

    @on(RowTable.RowHighlighted)
    def _moved(self) -> None:
        self._draw_pane()
        self.refresh_reasons()
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(REST_S, self._read_dashboard)

    @on(RowTable.RowSelected)
    def _entered(self) -> None:
        reason = self.why_not("rate")
        if reason:
            self.notify(reason, severity="warning", markup=False)
        elif self.selected is not None:
            self.rate(self.selected.uid)

    def rate(self, uid: str, named: str = "") -> None:
        """Open the blind screen on a queue."""
        from emaudit.screens.rating import RatingScreen

        reviewer = self._reviewer(named)
        if reviewer:
            self._awaited = uid
            self.audit.sits_down(reviewer)
            screen = RatingScreen(self.checks.sitting(uid, reviewer), reviewer)
            self.app.push_screen(screen, partial(self._rated, uid, reviewer))

    def _rated(self, uid: str, reviewer: str, wants_gallery: bool | None) -> None:
        if wants_gallery:
            self._open_gallery(uid, reviewer)

    def _reviewer(self, named: str) -> str:
        try:
            return self.checks.reviewer(named)
        except EmauditError as error:
            self.notify(one_line(str(error), 300), severity="error", markup=False)
            return ""

    def action_rate_as(self) -> None:
        """Ask for a name, then open the blind screen under it."""
        row = self.selected
        if row is not None:
            self.app.push_screen(NameDialog(row.name), partial(self._rate_as, row.uid))

    def _rate_as(self, uid: str, name: str | None) -> None:
        if name:
            self.rate(uid, name)

    def action_new(self) -> None:
        """Open the draw dialog."""
        from emaudit.screens.draw import DrawDialog

        self.app.push_screen(DrawDialog(self.audit.marked_variants()), self._drawn)

    def _drawn(self, uid: str | None) -> None:
        if uid:
            self._awaited = uid
            self.read()

    def action_adjudicate(self) -> None:
        """Open the screen on which two raters' differences are settled."""
        if self.selected is not None:
            self.settle(self.selected.uid)

    def settle(self, uid: str, named: str = "") -> None:
        """Open the settling of a queue's differences."""
        from emaudit.screens.settle import SettleScreen

        reviewer = self._reviewer(named)
        if reviewer:
            self._awaited = uid
            self.audit.sits_down(reviewer)
            self.app.push_screen(SettleScreen(self.checks.settling(uid, reviewer), reviewer))

    def action_gallery(self) -> None:
        """Open the disagreements."""
        row, reviewer = self.selected, self._reviewer("")
        if row is not None and reviewer:
            self._open_gallery(row.uid, reviewer)

    def _open_gallery(self, uid: str, reviewer: str) -> None:
        from emaudit.screens.gallery import GalleryScreen

        name = next((row.name for row in self.rows if row.uid == uid), uid)
        self.app.push_screen(GalleryScreen(self.checks.gallery(uid, reviewer), name))

    def action_export(self) -> None:
        """Write events and labels beside the store."""
        row = self.selected
        if row is not None:
            self.audit.carry_out(partial(self._export, row.uid))

    def _export(self, uid: str) -> Message:
        return Done(f"written: {self.checks.export(uid)}")

    def action_stop(self) -> None:
        """Ask why, then end the queue early."""
        row = self.selected
        if row is not None:
            self.app.push_screen(ReasonDialog(row.name), partial(self._stop, row.uid))

    def _stop(self, uid: str, reason: str | None) -> None:
        if reason:
            self._submit(partial(self._stopped, uid, reason), "")

    def _stopped(self, uid: str, reason: str) -> Message:
        self.checks.stop(uid, reason)
        self._dashboards.pop(uid, None)
        return self.QueuesRead(self.checks.rows())

    def action_scroll(self, way: str) -> None:
        """Scroll the results."""
        self.query_one("#detail").scroll_relative(y=5 if way == "down" else -5, animate=False)
