"""The new-queue dialog: what is drawn from what, and what it will be worth, before anyone starts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Input, Label, RadioSet, Select, Static

from emaudit.errors import EmauditError
from emaudit.screens import preview_text
from emaudit.screens.base import Dialog
from emaudit.screens.queue_text import REVEALS
from emaudit.screens.start import ASSESSMENTS, NOT_BY_DEFAULT, WAIT_S
from emaudit.text import one_line
from emaudit.watch.snapshot import title
from emaudit.widgets.ticks import Choice, Tick

if TYPE_CHECKING:
    from emaudit.reviewing.drawing import Draw, Preview

COUNTS: Final = (30, 100, 200)
DEFAULT_COUNT: Final = 100
_DESIGNS: Final = {"stratified": "by judge score", "simple": "simple random", "prompts": "whole prompts"}
_OWN_WORDS: Final = "the one in the tables"
OWN: Final = ""
"""The judge in the tables."""


class DrawDialog(Dialog[str]):
    """Shows frame, strata and expected half-widths as the fields stand; gives the id of the queue drawn, or None."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("ctrl+s", "draw", "Draw", id="draw.draw", priority=True, tooltip="Draw the queue as it stands"),
    ]

    class Previewed(Message):
        """What a draw would be."""

        def __init__(self, draw: Draw, preview: Preview) -> None:
            super().__init__()
            self.draw = draw
            self.preview = preview

    class NotPreviewed(Message):
        """A draw cannot be made; `why` in one line."""

        def __init__(self, draw: Draw | None, why: str) -> None:
            super().__init__()
            self.draw = draw
            self.why = why

    class JudgesRead(Message):
        """The judges there are."""

        def __init__(self, judges: Sequence[str]) -> None:
            super().__init__()
            self.judges = judges

    class Drawn(Message):
        """A queue was drawn."""

        def __init__(self, uid: str) -> None:
            super().__init__()
            self.uid = uid

    def __init__(self, marked: Sequence[str]) -> None:
        super().__init__()
        self._marked = frozenset(marked)
        self._asked: Draw | None = None
        self._preview: Preview | None = None
        self._why = ""
        self._is_drawing = False

    def compose(self) -> ComposeResult:
        """A line per choice, then what it would be."""
        names = self._variants()
        with VerticalScroll(id="draw", classes="dialog", can_focus=False) as box:
            box.border_title = Content("new spot-check")
            box.border_subtitle = Content("ctrl+s draw · tab next · space chooses · esc back")
            with VerticalScroll(id="draw-variants", can_focus=False):
                for at, name in enumerate(names):
                    is_on = not self._marked or name in self._marked
                    yield Tick(Content(one_line(name, 60)), is_on, id=f"variant-{at}", compact=True)
            with Horizontal(classes="line"):
                yield Label(Content("assessment"))
                held = [(Content(title(key)), key) for key in ASSESSMENTS if key not in NOT_BY_DEFAULT]
                yield Select(held, value="harmfulness", allow_blank=False, id="assessment", compact=True)
            with Horizontal(classes="line"):
                yield Label(Content("judge"))
                own = [(Content(_OWN_WORDS), OWN)]
                yield Select(own, value=OWN, allow_blank=False, id="draw-judge", compact=True)
            yield from self._radio("design", _DESIGNS, "stratified")
            with Horizontal(classes="line"):
                yield Label(Content("labels"))
                with RadioSet(id="count", compact=True, classes="row"):
                    for n in COUNTS:
                        yield Choice(Content(str(n)), value=n == DEFAULT_COUNT, id=f"n-{n}")
                yield Input(id="typed-count", compact=True, type="integer", placeholder="or a number")
            yield from self._radio("reveal", REVEALS, "end")
            with Horizontal(classes="line"):
                yield Label(Content("seed"))
                yield Input(id="seed", compact=True, type="integer", placeholder="a fresh one")
                yield Label(Content("  name"), classes="second")
                yield Input(id="name", compact=True, placeholder="made up")
            yield Static(id="preview")
            with Horizontal(id="buttons"):
                yield Button(Content("Draw"), id="go", variant="primary", compact=True)
                yield Button(Content("Back"), id="back", compact=True)

    def _radio(self, name: str, words: dict[str, str], chosen: str) -> ComposeResult:
        with Horizontal(classes="line"):
            yield Label(Content("revealed" if name == "reveal" else name))
            with RadioSet(id=name, compact=True, classes="row"):
                for key, label in words.items():
                    yield Choice(Content(label), value=key == chosen, id=f"{name}-{key}")

    def _variants(self) -> list[str]:
        return [row.variant.name for row in self.audit.snapshot.variants]

    def on_mount(self) -> None:
        """Read the judges, and ask what the draw would be."""
        self._draw()
        self.run_worker(self._read_judges, thread=True, exit_on_error=False, group="judges")
        self._ask()

    def _read_judges(self) -> None:
        try:
            self.post_message(self.JudgesRead(self.audit.spot_checks.judges()))
        except EmauditError as error:
            self.post_message(self.NotPreviewed(self._asked, str(error)))

    @on(JudgesRead)
    def _judges_read(self, message: JudgesRead) -> None:
        select = self.query_one("#draw-judge", Select)
        with self.prevent(Select.Changed):
            held = [(Content(one_line(name, 60)), name) for name in message.judges]
            select.set_options([(Content(_OWN_WORDS), OWN), *held])
            select.value = OWN

    def chosen(self) -> tuple[str, ...]:
        """The variants ticked."""
        names = self._variants()
        return tuple(name for at, name in enumerate(names) if self.query_one(f"#variant-{at}", Tick).value)

    def order(self) -> Draw:
        """The draw as the dialog stands. Raises UsageError for what cannot be drawn."""
        from emaudit.reviewing.drawing import Draw

        judge, assessment = (self.query_one(id, Select).value for id in ("#draw-judge", "#assessment"))
        seed = self.query_one("#seed", Input).value
        return Draw(
            self.audit.spot_checks.reviewer(),
            self.chosen(),
            str(assessment),
            judge=judge if isinstance(judge, str) else OWN,
            design=self._picked("design", "stratified"),
            n=self._count(),
            seed=int(seed) if seed.isdecimal() else None,
            name=self.query_one("#name", Input).value.strip(),
            reveal=self._picked("reveal", "end"),
        )

    def _picked(self, name: str, default: str) -> str:
        pressed = self.query_one(f"#{name}", RadioSet).pressed_button
        return (pressed.id or default).removeprefix(f"{name}-") if pressed else default

    def _count(self) -> int:
        typed = self.query_one("#typed-count", Input).value
        if typed.isdecimal():
            return int(typed)
        pressed = self.query_one("#count", RadioSet).pressed_button
        return int((pressed.id or "").removeprefix("n-") or DEFAULT_COUNT) if pressed else DEFAULT_COUNT

    @on(RadioSet.Changed)
    @on(Select.Changed)
    @on(Input.Changed)
    @on(Tick.Changed)
    def _changed(self) -> None:
        self._why = ""
        self.set_timer(WAIT_S, self._ask)
        self.refresh_reasons()

    def _ask(self) -> None:
        """Ask what the draw as it stands would be, unless that is being asked already."""
        if not self.is_attached:
            return
        try:
            draw = self.order()
        except EmauditError as error:
            self._asked, self._preview, self._why = None, None, str(error)
            self._draw()
            return
        if draw != self._asked and self.chosen():
            self._asked, self._preview = draw, None
            self._draw()
            self.run_worker(partial(self._look, draw), thread=True, exclusive=True, exit_on_error=False, group="draw")

    def _look(self, draw: Draw) -> None:
        try:
            self.post_message(self.Previewed(draw, self.audit.spot_checks.preview(draw)))
        except EmauditError as error:
            self.post_message(self.NotPreviewed(draw, str(error)))

    @on(Previewed)
    def _previewed(self, message: Previewed) -> None:
        if message.draw == self._asked:
            self._preview, self._why = message.preview, ""
            self._draw()

    @on(NotPreviewed)
    def _not_previewed(self, message: NotPreviewed) -> None:
        if message.draw == self._asked:
            self._preview, self._why, self._is_drawing = None, message.why, False
            self._draw()

    def _draw(self) -> None:
        shown = self.query_one("#preview", Static)
        if self._why:
            shown.update(Content.styled(one_line(self._why, 400), "$warning"))
        elif self._preview is None:
            shown.update(Content.styled("counting the frame" if self.chosen() else "no variant is chosen", "$quiet"))
        else:
            shown.update(Content("\n").join(preview_text.lines(self._preview)))
        self.refresh_reasons()

    def why_not(self, action: str) -> str:
        """Why the queue cannot be drawn as the dialog stands."""
        if action != "draw" or not self.is_mounted:
            return ""
        if not self.chosen():
            return "no variant is chosen: space chooses one"
        return one_line(self._why, 300)

    @on(Button.Pressed, "#go")
    @on(Input.Submitted)
    def action_draw(self) -> None:
        """Draw the queue, and leave once it is stored."""
        reason = self.why_not("draw")
        if reason:
            self.notify(reason, severity="warning", markup=False)
        elif not self._is_drawing:
            self._is_drawing = True
            self._asked = self.order()
            self.run_worker(partial(self._create, self._asked), thread=True, exit_on_error=False, group="draw")

    def _create(self, draw: Draw) -> None:
        try:
            self.post_message(self.Drawn(self.audit.spot_checks.create(draw)))
        except EmauditError as error:
            self.post_message(self.NotPreviewed(draw, str(error)))

    @on(Drawn)
    def _drawn(self, message: Drawn) -> None:
        self.dismiss(message.uid)

    @on(Button.Pressed, "#back")
    def _back(self) -> None:
        self.dismiss(None)
