"""F3 Runs: what is happening now?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widget import Widget

from emaudit.screens import run_text
from emaudit.screens.base import AuditScreen
from emaudit.text import one_line
from emaudit.watch.snapshot import LandedReply, RunRow, RunStage, Snapshot
from emaudit.widgets import figures
from emaudit.widgets.table import RowTable
from emaudit.widgets.words import Words


class RunsScreen(AuditScreen):
    """A row per run, the selected one in words, and the last replies as they land."""

    MODE = "runs"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("r", "resume", "Resume", id="runs.resume", tooltip="Resume this run: ask what it still owes"),
        Binding("p", "stop", "Stop", id="runs.stop", tooltip="Stop this run once the replies in flight are saved"),
        Binding("f", "follow", "This run only", id="runs.follow", tooltip="Show the last replies of this run only"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.is_following = False

    def compose_body(self) -> Iterable[Widget]:
        """The runs, the pane of the selected one, the last replies."""
        with Container(id="body"):
            with Vertical(id="list", classes="pane"):
                yield RowTable("runs")
                yield Words(id="empty")
            with Vertical(id="detail", classes="pane"):
                yield Words(id="about", is_fixed=True)
        with Vertical(id="landed", classes="pane"):
            yield Words(id="replies", is_fixed=True)

    def draw(self, snapshot: Snapshot) -> None:
        """Draw the runs, the pane and the replies."""
        self._draw_table(snapshot)
        self._draw_pane()
        self._draw_replies(snapshot)

    def _draw_table(self, snapshot: Snapshot) -> None:
        table = self.query_one(RowTable)
        sentence = _empty_sentence(snapshot)
        table.display = not sentence
        empty = self.query_one("#empty", Words)
        empty.display = bool(sentence)
        empty.show(Content(sentence))
        live = len(snapshot.live_runs)
        title = f"{figures.plural(len(snapshot.runs), 'run')} · {live} going on" if snapshot.runs else "runs"
        self.entitle("#list", title)
        if not sentence:
            columns = run_text.columns(max(0, self.query_one("#list").size.width))
            rows = [(run.uid, run_text.cells(run, columns, self.audit.tones)) for run in snapshot.runs]
            table.show(columns, rows)
            if snapshot.run(self.audit.awaited_run) is not None:
                table.select(self.audit.awaited_run)
                self.audit.awaited_run = ""

    def _draw_pane(self) -> None:
        detail = self.query_one("#detail")
        run = self.selected
        detail.display = run is not None
        if run is not None:
            self.entitle("#detail", f"run {one_line(run.uid, 20)}")
            self.query_one("#about", Words).show(run_text.pane(run, self.has_class("-wide")))

    def _draw_replies(self, snapshot: Snapshot) -> None:
        pane = self.query_one("#landed")
        pane.display = bool(snapshot.runs)
        rows: tuple[LandedReply, ...] = snapshot.replies
        run = self.selected
        title = "last replies"
        if self.is_following and run is not None:
            rows = tuple(row for row in rows if row.run_uid == run.uid)
            title = f"last replies of {one_line(run.uid, 20)}"
        self.entitle("#landed", title)
        height = max(1, pane.size.height)
        self.query_one("#replies", Words).show(run_text.replies(rows, height, pane.size.width))

    @property
    def selected(self) -> RunRow | None:
        """The run under the cursor."""
        return self.audit.snapshot.run(self.query_one(RowTable).selected)

    def why_not(self, action: str) -> str:
        """Why a key of this screen cannot act now."""
        snapshot = self.audit.snapshot
        run = self.selected
        if run is None:
            return "there are no runs yet: F2, then r, starts one"
        if action in {"resume", "stop"} and snapshot.exists and not snapshot.writable:
            return "this store is read-only: copy it to write to it"
        if action == "stop":
            return _why_not_stop(run)
        if action == "resume":
            return _why_not_resume(run)
        return ""

    @on(RowTable.RowHighlighted)
    def _moved(self) -> None:
        self._draw_pane()
        if self.is_following:
            self._draw_replies(self.audit.snapshot)
        self.refresh_reasons()

    @on(RowTable.RowSelected)
    def _entered(self) -> None:
        self.action_open()

    def action_resume(self) -> None:
        """Resume the run under the cursor."""
        run = self.selected
        if run is not None:
            self.audit.resume_run(run.uid)

    def action_stop(self) -> None:
        """Ask the run under the cursor to stop."""
        run = self.selected
        if run is not None:
            self.audit.stop_run(run.uid)

    def action_follow(self) -> None:
        """Show the last replies of this run only, or of all."""
        self.is_following = not self.is_following
        self._draw_replies(self.audit.snapshot)

    def action_open(self) -> None:
        """Open all that happened to the run."""
        from emaudit.screens.page import PageDialog

        run = self.selected
        if run is not None:
            self.app.push_screen(PageDialog(f"run {run.uid}", run_text.pane(run, True)))


def _why_not_stop(run: RunRow) -> str:
    if run.stage is RunStage.STOPPING:
        return "this run is stopping already: it ends once the replies in flight are saved"
    return "" if run.is_live else "this run does not go on now"


def _why_not_resume(run: RunRow) -> str:
    if run.is_live:
        return "this run goes on already: p stops it"
    if run.kind == "import":
        return "these replies were imported: there is nothing to ask"
    owes_nothing = run.stage is RunStage.DONE if run.kind == "plant" else run.is_counted and not run.n_owed
    return "this run owes nothing" if owes_nothing else ""


def _empty_sentence(snapshot: Snapshot) -> str:
    if snapshot.runs:
        return ""
    if not snapshot.has_read:
        return "Reading the store."
    if snapshot.problem:
        return "The store cannot be read now; what is known stands above."
    return "No runs yet. Press F2, choose a variant and press r to start one."
