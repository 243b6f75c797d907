"""The app: its modes, its keys, its palette. It watches the store; runs are processes of their own."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import events
from textual.binding import Binding
from textual.command import CommandPalette
from textual.filter import LineFilter
from textual.message import Message
from textual.message_pump import MessagePump
from textual.notifications import SeverityLevel
from textual.reactive import var
from textual.theme import Theme
from textual.worker import Worker, WorkerState

from emaudit.commands import Commands
from emaudit.config import Settings
from emaudit.errors import EmauditError
from emaudit.leaving import obey_signals
from emaudit.messages import Analysed, AnalysisEnded, Done, Refused, RunStarted, StoreRead
from emaudit.noting import NotingApp
from emaudit.screens import modes
from emaudit.screens.base import TABS
from emaudit.screens.keys import HelpDialog, keys_of
from emaudit.sheet import Sheet
from emaudit.text import one_line
from emaudit.themes import DARK, THEMES, Tones
from emaudit.watch.process import Watch, WatchProcess
from emaudit.watch.snapshot import NOTHING, Snapshot
from emaudit.widgets import figures
from emaudit.widgets.shield import Shield

if TYPE_CHECKING:
    from emaudit.analysing.answers import Answer
    from emaudit.analysing.keeper import Analyses
    from emaudit.analysing.process import Analyst
    from emaudit.commands import Order
    from emaudit.filters import Filters
    from emaudit.reviewing.spotchecks import Opening, SpotChecks

KEY_REST_S: Final = 0.15
KEY_DRAW_S: Final = 1.0
"""A new snapshot waits until no key came for this long, but no longer than this."""


class EmauditApp(NotingApp):
    """Screens over one snapshot of the store; whatever blocks is done in threads."""

    TITLE = "emaudit"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    MODES = modes.MODES
    DEFAULT_MODE = "variants"
    COMMANDS = {modes.actions}  # noqa: RUF012
    BINDINGS: ClassVar[list[Any]] = [
        *(
            Binding(
                key.lower(),
                f"show('{mode}')",
                name,
                show=False,
                key_display=key,
                id=f"app.{mode}",
                tooltip=f"Go to {name}",
            )
            for key, mode, name in TABS
        ),
        Binding("question_mark,f1", "help", "Help", key_display="?", id="app.help", tooltip="All keys of this screen"),
        Binding("ctrl+p", "command_palette", "Palette", id="app.palette", tooltip="Search everything that can be done"),
        Binding("ctrl+q", "quit", "Quit", id="app.quit", priority=True, tooltip="Leave; runs can go on"),
    ]
    snapshot: var[Snapshot] = var(NOTHING)

    def __init__(
        self,
        store_path: Path,
        settings: Settings,
        config_args: Sequence[str] = (),
        watching: Watch | None = None,
        opening: Opening | None = None,
        analyst: Analyst | None = None,
    ) -> None:
        super().__init__()
        self.store_path = store_path
        self.settings = settings
        self.commands = Commands(store_path, tuple(config_args))
        self._shield = Shield()
        self._watching: Watch = watching or WatchProcess(store_path)
        self._analyst = analyst
        self.awaited_run = ""
        self._is_quitting = False
        self.has_been_warned = False
        self._opening = opening
        self._latest = NOTHING
        self._key_at = self._drawn_at = 0.0
        for theme in THEMES:
            self.register_theme(theme)
        self.set_reactive(EmauditApp.theme, DARK.name)
        self.stylesheet = Sheet(variables=self.get_css_variables())

    def take_opening(self) -> Opening | None:
        """What the app was opened for, once."""
        opening, self._opening = self._opening, None
        return opening

    def marked_variants(self) -> tuple[str, ...]:
        """The names marked on F2."""
        stack = self._screen_stacks.get("variants", [])
        return tuple(sorted(getattr(stack[0], "marked", ()))) if stack else ()

    @cached_property
    def analyses(self) -> Analyses:
        """What is computed of the store, from when a screen first asks."""
        from emaudit.analysing.keeper import Analyses
        from emaudit.analysing.process import AnalysisProcess

        return Analyses(self._analyst or AnalysisProcess(self.store_path), self._start_analysing)

    @property
    def spot_checks(self) -> SpotChecks:
        """The spot-checks of the store."""
        from emaudit.reviewing.spotchecks import SpotChecks

        words = list(self.commands.config_args)
        folder = Path(words[words.index("--prompts") + 1]) if "--prompts" in words else None
        return SpotChecks(self.store_path, self.settings, folder)

    @property
    def tones(self) -> Tones:
        """The tones of the theme in use."""
        return Tones.of(self.current_theme)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own filters, and the shield behind the trust boundary."""
        return [*super().get_line_filters(), self._shield]

    def on_mount(self) -> None:
        """Watch the store once the first frame stands."""
        self.theme_changed_signal.subscribe(self, self._theme_changed)
        if not self.is_headless:
            obey_signals(lambda code: self.exit(code, code))
        self.call_after_refresh(self._start_watching)

    async def on_unmount(self) -> None:
        """End the watching and the computing."""
        self._watching.stop()
        if "analyses" in vars(self):
            self.analyses.stop()

    def _theme_changed(self, theme: Theme) -> None:
        """Draw the snapshot again, in other colours."""
        self.mutate_reactive(EmauditApp.snapshot)

    def _start_watching(self) -> None:
        self.run_worker(self._watch, name="watch", group="watch", thread=True, exit_on_error=False)

    def _watch(self) -> None:
        try:
            self._watching.run(self._tell)
        except EmauditError as error:
            self.post_message(StoreRead(replace(self.snapshot, has_read=True, problem=str(error))))

    def _start_analysing(self) -> None:
        self.run_worker(self._analyse, name="analyses", group="analyses", thread=True, exit_on_error=False)

    def _analyse(self) -> None:
        try:
            self.analyses.analyst.run(self._tell_answer)
        except EmauditError as error:
            self.post_message(AnalysisEnded(str(error)))

    def _tell_answer(self, answer: Answer) -> None:
        self.post_message(Analysed(answer))

    def on_analysed(self, message: Analysed) -> None:
        """Keep an answer, and draw what shows it."""
        self.analyses.take(message.answer)
        self.mutate_reactive(EmauditApp.snapshot)

    def on_analysis_ended(self, message: AnalysisEnded) -> None:
        """Say that nothing is computed any more; the screens offer to try again."""
        self.analyses.fail(message.why)
        self.mutate_reactive(EmauditApp.snapshot)

    def _tell(self, snapshot: Snapshot) -> None:
        self.post_message(StoreRead(snapshot))

    def on_store_read(self, message: StoreRead) -> None:
        """Show what the store says now; a moment later while keys are coming, which go first."""
        self._latest = message.snapshot
        now = time.monotonic()
        if now - self._key_at < KEY_REST_S and now - self._drawn_at < KEY_DRAW_S:
            self.set_timer(KEY_REST_S, self._draw_latest)
        else:
            self._draw_latest()

    async def on_event(self, event: events.Event) -> None:
        """Note when a key came."""
        if isinstance(event, events.Key):
            self._key_at = time.monotonic()
        await super().on_event(event)

    def _draw_latest(self) -> None:
        """Draw the newest snapshot, and tell of runs that ended."""
        snapshot = self._latest
        self._drawn_at = time.monotonic()
        if not self.snapshot.has_read and not self.is_headless:
            self.call_after_refresh(_spare_collections)
            self.run_worker(_warm_up, thread=True, exit_on_error=False)
        before = {run.uid for run in self.snapshot.live_runs}
        self.snapshot = snapshot
        for uid in sorted(before):
            run = snapshot.run(uid)
            if run is not None and not run.is_live:
                owed = f", {figures.count(run.n_owed)} owed" if run.n_owed else ""
                severity: SeverityLevel = "information" if not run.n_owed else "warning"
                self._say(f"run {uid} {run.stage}{owed}. {run.line}", severity)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker that failed is a bug: leave with a report and not with stale figures."""
        if event.state is WorkerState.ERROR and isinstance(event.worker.error, Exception):
            self._handle_exception(event.worker.error)

    def carry_out(self, job: Callable[[], Message], asker: MessagePump | None = None) -> None:
        """Do something that blocks, in a thread; its message (or why it was refused) comes back.

        To `asker` first, from where it goes on to the app unless it is stopped there.
        """
        self.run_worker(partial(self._carried_out, job, asker), thread=True, exit_on_error=False, group="jobs")

    def _carried_out(self, job: Callable[[], Message], asker: MessagePump | None) -> None:
        try:
            message = job()
        except EmauditError as error:
            message = Refused(str(error))
        if asker is None or not asker.post_message(message):
            self.post_message(message)
        self._watching.wake()

    def on_done(self, message: Done) -> None:
        """Say what was done."""
        self._say(message.text)

    def on_refused(self, message: Refused) -> None:
        """Say why something was not done."""
        self._say(message.text, "error")

    def _say(self, text: str, severity: SeverityLevel = "information") -> None:
        self.notify(one_line(text, 400), severity=severity, markup=False, timeout=8 if severity == "error" else 4)

    def start_run(self, order: Order) -> None:
        """Start a run as a process of its own, and show it."""
        self._say(f"starting: {figures.plural(len(order.variants), 'variant')}, preset {order.preset}")
        self.carry_out(lambda: RunStarted(self.commands.start(order)))
        self.switch_mode("runs")

    def on_run_started(self, message: RunStarted) -> None:
        """Say that a run goes on; the Runs screen goes to it once it is in a snapshot."""
        self._say(f"run {message.uid} goes on")
        self.awaited_run = message.uid
        self.mutate_reactive(EmauditApp.snapshot)

    def resume_run(self, uid: str) -> None:
        """Resume a run as a process of its own."""
        self._say(f"resuming run {uid}")
        self.carry_out(lambda: Done(f"run {self.commands.resume(uid)} goes on"))

    def stop_run(self, uid: str) -> None:
        """Ask a run to stop."""
        self.carry_out(partial(self._stopped, [uid]))

    def _stopped(self, uids: Sequence[str]) -> Message:
        for uid in uids:
            self.commands.stop(uid, "asked for in the app")
        return Done(f"run {', '.join(uids)}: stops once the replies in flight are saved")

    def action_show(self, mode: str) -> None:
        """Go to another screen."""
        if mode != self.current_mode:
            self.switch_mode(mode)

    async def inspect(self, filters: Filters) -> None:
        """Go to F4 and list what passes some filters."""
        from emaudit.screens.inspect import InspectScreen

        await self.switch_mode("inspect")
        if isinstance(self.screen, InspectScreen):
            self.screen.list_anew(filters)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """With a dialog open, the app's own keys but leaving and the help wait; the help opens once."""
        if action == "help":
            return not any(isinstance(screen, HelpDialog) for screen in self.screen_stack)
        waits = self.screen.is_modal and not isinstance(self.screen, CommandPalette)
        return not (waits and action in {"show", "command_palette"})

    def action_help(self) -> None:
        """Show the keys of this screen."""
        self.push_screen(HelpDialog(keys_of(self.screen, self)))

    async def action_quit(self) -> None:
        """Leave, once keys typed into a blind screen are taken; where runs go on, ask what becomes of them."""
        await self.blind_keys_taken()
        live = self.snapshot.live_runs
        if not live:
            self.exit(0)
        elif not self._is_quitting:
            from emaudit.screens.leave import LeaveDialog

            self._is_quitting = True
            await self.leave_blind()
            self.push_screen(LeaveDialog(live), partial(self._leave, [run.uid for run in live]))

    def _leave(self, uids: Sequence[str], choice: str | None) -> None:
        self._is_quitting = False
        if choice == "keep":
            self.exit(0)
        elif choice == "stop":
            self.run_worker(partial(self._stop_and_exit, uids), thread=True, exit_on_error=False)

    def _stop_and_exit(self, uids: Sequence[str]) -> None:
        try:
            self._stopped(uids)
        except EmauditError as error:
            self.post_message(Refused(str(error)))
        else:
            self.call_from_thread(self.exit, 0)

    def _fatal_error(self) -> None:
        """Leave without Textual's own report, which prints local variables; whoever opened the app raises the error."""
        self._close_messages_no_wait()


def _warm_up() -> None:
    """Load what F4 reads with and F5 to F7 ask with, so that their first page need not wait for it."""
    import emaudit.analysing.keeper
    import emaudit.inspection.desk
    import emaudit.reviewing.spotchecks
    import emaudit.screens.inspect  # noqa: F401


def _spare_collections() -> None:
    """Leave what the screens are made of out of garbage collection: a full one stops the app for 100 ms."""
    gc.freeze()
    gc.set_threshold(2_000, 10, 500)
