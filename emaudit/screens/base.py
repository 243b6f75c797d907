"""What all screens share: the frame around them, and keys that say why they cannot act."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.worker import Worker

from emaudit.text import one_line
from emaudit.watch.snapshot import Snapshot
from emaudit.widgets.keybar import KeyBar
from emaudit.widgets.table import RowTable
from emaudit.widgets.topbar import TopBar
from emaudit.widgets.words import Words

if TYPE_CHECKING:
    from emaudit.app import EmauditApp

Result = TypeVar("Result")

TABS: Final = (
    ("F2", "variants", "Variants"),
    ("F3", "runs", "Runs"),
    ("F4", "inspect", "Inspect"),
    ("F5", "review", "Spot-check"),
    ("F6", "correlations", "Correlations"),
    ("F7", "trajectories", "Trajectories"),
)
"""Key, mode and name of the screens there are."""
WIDE: Final = 101
"""Columns from which panes stand side by side."""


class Explains(Screen[Result]):
    """A screen whose keys say why they cannot act now: `why_not` is the one place that knows."""

    CSS_PATH: ClassVar[Path | None] = Path(__file__).with_name("screens.tcss")
    _reasons: tuple[str, ...] = ()
    is_blind: ClassVar[bool] = False
    """Whether nothing but this screen itself may say anything while it is open."""

    @property
    def audit(self) -> EmauditApp:
        """The app, as what it is."""
        return cast("EmauditApp", self.app)

    async def taken(self) -> None:
        """Wait until what was typed is taken, where that takes time."""

    def why_not(self, action: str) -> str:
        """Why an action cannot be done now, for the user; empty where it can."""
        return ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey the keys of actions that cannot be done; none can before the screen stands, but it may be asked."""
        return True if self.is_mounted and not self.why_not(action) else None

    def own_bindings(self) -> Iterable[Binding]:
        """The bindings of this screen itself."""
        return (binding for _, binding in self._bindings)

    def refresh_reasons(self) -> None:
        """Draw the footer again where another key can or cannot act."""
        reasons = tuple(self.why_not(binding.action) for binding in self.own_bindings())
        if reasons != self._reasons:
            self._reasons = reasons
            self.refresh_bindings()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Pass on how a worker of this screen ended: the message does not bubble up to the app."""
        self.audit.on_worker_state_changed(event)

    def on_key(self, event: events.Key) -> None:
        """Say why a greyed key does nothing."""
        held = self.active_bindings.get(event.key)
        if held is None or held.enabled:
            return
        reason = self.why_not(held.binding.action) if held.node is self else ""
        if reason:
            event.stop()
            self.notify(reason, severity="warning", markup=False, timeout=4)


class AuditScreen(Explains[None]):
    """A main screen: the line at the top, a banner where there is something to say, the body, the keys."""

    MODE: ClassVar[str] = ""
    AUTO_FOCUS = "RowTable"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012 (as Textual declares it)
    VERTICAL_BREAKPOINTS = [(0, "-short"), (18, "-tall")]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self._titles: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """The frame, with the body of the screen in it."""
        yield TopBar(TABS, self.MODE, self.audit.store_path.name)
        yield Words(id="banner")
        yield from self.compose_body()
        yield KeyBar()

    def compose_body(self) -> Iterable[Widget]:
        """What stands between the top line and the keys."""
        raise NotImplementedError

    def entitle(self, selector: str, title: str) -> None:
        """Give a pane its title, where it has another one (setting it draws the whole pane)."""
        if self._titles.get(selector) != title:
            self._titles[selector] = title
            self.query_one(selector).border_title = Content(title)

    def draw(self, snapshot: Snapshot) -> None:
        """Draw the snapshot; called on every change while the screen is on top, and when it comes back."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Follow the app's snapshot."""
        self.watch(self.app, "snapshot", self._followed)

    def on_screen_resume(self) -> None:
        """Catch up with what happened while another screen was on top."""
        self._followed(self.audit.snapshot)

    @on(RowTable.Resized)
    def _resized(self) -> None:
        self.redraw()

    def on_resize(self) -> None:
        """Lay out again for the new size."""
        self.call_after_refresh(self.redraw)

    def redraw(self) -> None:
        """Draw what is shown again."""
        self._followed(self.audit.snapshot)

    def _followed(self, snapshot: Snapshot) -> None:
        if not self.is_mounted or (not self.is_current and not self._is_beneath_dialog()):
            return
        self.query_one(TopBar).snapshot = snapshot
        self._draw_banner(snapshot)
        self.draw(snapshot)
        self._keep_focus()
        self.refresh_reasons()

    def _keep_focus(self) -> None:
        """Focus the rows once there are some, unless something is being typed."""
        table = self.query_one(RowTable)
        if table.display and self.focused is None:
            table.focus()

    def _is_beneath_dialog(self) -> bool:
        return self in self.app.screen_stack

    def _draw_banner(self, snapshot: Snapshot) -> None:
        banner = self.query_one("#banner", Words)
        lines = [one_line(line) for line in (snapshot.problem, snapshot.banner) if line]
        banner.set_class(bool(snapshot.problem), "-problem")
        banner.display = bool(lines)
        banner.show(Content("\n".join(lines)))


class Dialog(Explains[Result], ModalScreen[Result]):
    """A dialog over a screen; escape leaves it and changes nothing."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape", "leave", "Back", id="dialog.leave", tooltip="Back, changing nothing"),
        Binding("f1,question_mark", "app.help", "Help", key_display="?", id="dialog.help", tooltip="All keys here"),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (18, "-tall")]  # noqa: RUF012

    def action_leave(self) -> None:
        """Leave without a result."""
        self.dismiss(None)
