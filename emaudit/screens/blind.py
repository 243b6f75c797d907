"""What the screens share on which people score without knowing what the judge said.

Every key goes through one queue and is acted on in the order it was typed, on the item that stands there when its
turn comes; nothing advances before it is committed. Only these screens say anything while they are open.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, NamedTuple, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Footer

from emaudit.errors import EmauditError
from emaudit.screens import rating_text
from emaudit.screens.base import TABS, WIDE, Explains
from emaudit.sitting import Sitting
from emaudit.text import DISPLAY_LIMIT, one_line
from emaudit.widgets import figures
from emaudit.widgets.typed import Turn, TypedLine
from emaudit.widgets.words import Words

if TYPE_CHECKING:
    from emaudit.reviewing.session import Shown, Tally, Undone

SLOW_S: Final = 0.4
"""Seconds after which a wait for the store is said."""
Table = TypeVar("Table", bound="Any")
Answer = TypeVar("Answer")
MODES: Final[Mapping[str, str]] = {key.lower(): mode for key, mode, _ in TABS}


class Phase(StrEnum):
    """What the next key is for."""

    OPENING = "the queue is being opened"
    REFUSED = "the queue cannot be opened"
    DOOR = "the warning stands"
    SCORING = "an item stands"
    READING = "a verdict stands; any key goes on"
    TYPING = "a line is being typed"
    CHOOSING = "a reason, or a yes, is asked for"
    TROUBLE = "a key could not be saved"
    FINISHED = "nothing is left"


class Press(NamedTuple):
    """A key as it was typed."""

    key: str
    character: str


Chosen = Callable[[], Awaitable[None]]
Typed = Callable[[str], Awaitable[None]]


class BlindScreen(Explains[None], Generic[Table]):
    """One item at a time; subclasses say what their keys do."""

    is_blind = True
    TOLD: ClassVar[str] = "spot-check"
    """What the header calls this."""
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (18, "-tall")]  # noqa: RUF012
    ACTS: ClassVar[Mapping[str, str]] = {}
    """Key -> name of the method that it calls while an item stands."""
    FINAL_KEYS: ClassVar[frozenset[str]] = frozenset({"u", "g", "escape", "question_mark", *MODES})
    """Keys that act when nothing is left."""

    def __init__(self, sitting: Sitting[Table], reviewer: str) -> None:
        super().__init__()
        self.phase = Phase.OPENING
        self.shown: Shown | None = None
        self._sitting = sitting
        self._reviewer = reviewer
        self._tally: Tally | None = None
        self._presses: asyncio.Queue[Press] = asyncio.Queue()
        self._line = TypedLine("")
        self._typed: Typed | None = None
        self._choices: dict[str, Chosen] = {}
        self._said = Content("")
        self._words, self._match = "", 0
        self._seen_at = self._blank_at = 0.0
        self._is_leaving = False

    def compose(self) -> ComposeResult:
        """Own header, the item, the anchors, a line of what happened, the keys."""
        yield Words(id="sit-head", is_fixed=True)
        with Container(id="sit-body"):
            with VerticalScroll(id="sit-reading", classes="pane", can_focus=False) as reading:
                reading.border_title = Content("prompt and response")
                yield from self.compose_item()
            with Vertical(id="sit-answers", classes="pane"):
                yield Words(id="sit-anchors", is_fixed=True)
        yield Words(id="sit-door")
        yield Words(id="sit-line")
        yield Footer(show_command_palette=False)
        yield Words(id="sit-blank", is_fixed=True)

    def compose_item(self) -> Iterable[Widget]:
        """The prompt and the response."""
        yield Words(id="sit-prompt")
        yield Words(id="sit-notices")
        yield Words(id="sit-response")

    def on_mount(self) -> None:
        """Hold back what the rest of the app says, and open the queue in its own thread."""
        self.audit.hold_back()
        self.query_one("#sit-blank", Words).show(Content.styled("any key", "$quiet"))
        self.watch(self.query_one("#sit-reading"), "scroll_y", self._mark_more, init=False)
        self.watch(self.query_one("#sit-reading"), "virtual_size", self._mark_more, init=False)
        self.draw()
        self.run_worker(self._serve(), name="keys", group="keys", exit_on_error=False)

    def on_unmount(self) -> None:
        """Close the table after what was asked of it; tell what was held back."""
        self._sitting.close()
        self.audit.tell_held_back()

    # Keys, in order.

    def on_key(self, event: events.Key) -> None:
        """Take a key into the queue; blanking and coming back wait for nothing."""
        event.stop()
        event.prevent_default()
        if self.has_class("-blank"):
            self._set_blank(False)
        elif self._blanks(event.key):
            self._set_blank(True)
        else:
            self.press(event.key, event.character or "")

    def on_paste(self, event: events.Paste) -> None:
        """Pasted text goes where a line is being typed, and nowhere else."""
        event.stop()
        if self.phase is Phase.TYPING:
            self._line.add(event.text)
            self.draw_line()

    def press(self, key: str, character: str = "") -> None:
        """Queue a key."""
        self._presses.put_nowait(Press(key, character))

    def action_press(self, key: str) -> None:
        """What every binding does: as if its key were typed."""
        if self._blanks(key):
            self._set_blank(True)
        else:
            self.press(key, key if len(key) == 1 else "")

    def _blanks(self, key: str) -> bool:
        if key in {"B", "shift+b", "ctrl+b"}:
            return self.phase is not Phase.TYPING or key == "ctrl+b"
        answers = self.shown is not None and key in self.shown.keys
        waits = any(self.ACTS.get(press.key, "") in {"note", "find", "go"} for press in self._held_presses())
        return key == "b" and self.phase is not Phase.TYPING and not answers and not waits

    def _held_presses(self) -> list[Press]:
        return list(self._presses._queue)  # type: ignore[attr-defined]

    def _set_blank(self, is_blank: bool) -> None:
        now = time.monotonic()
        if is_blank:
            self._blank_at = now
        else:
            self._seen_at += now - self._blank_at
        self.set_class(is_blank, "-blank")

    async def _serve(self) -> None:
        await self._open()
        while True:
            press = await self._presses.get()
            await self._take(press)
            if self._presses.empty() and self.phase is Phase.SCORING:
                await self._prepare()

    async def _open(self) -> None:
        """Open the queue; where it was open before in this session of the app, the warning was read."""
        if await self.ask(lambda table: None):
            self.phase = Phase.SCORING if self.audit.has_been_warned else Phase.DOOR
            self.begin_item()
        elif self.phase is Phase.TROUBLE:
            self.phase = Phase.REFUSED
        self._settle()
        self.refresh_bindings()
        self.draw()

    async def _prepare(self) -> None:
        """Have the next item ready before it is asked for."""
        try:
            await asyncio.shield(self._sitting.ask(lambda table: table.ahead))
        except EmauditError as error:
            self.say(Content.styled(one_line(str(error), 400), "$warning"))

    async def _take(self, press: Press) -> None:
        key = press.key
        if self.phase is Phase.TYPING:
            await self._type(press)
        elif key in MODES:
            self._leave(MODES[key])
        elif key in {"question_mark", "f1"} and self.phase is not Phase.CHOOSING:
            self.audit.action_help()
        elif key == "ctrl+p" and self.phase is Phase.SCORING:
            self.audit.action_command_palette()
        elif self.phase is Phase.DOOR:
            await self._enter(key)
        elif self.phase is Phase.CHOOSING:
            await self._choose(key)
        elif self.phase is Phase.READING:
            await self.go_on(key)
        elif self.phase is Phase.TROUBLE:
            self._try_again(key)
        elif key == "escape":
            self._leave("")
        elif self.phase is Phase.FINISHED and key not in self.FINAL_KEYS:
            return
        elif self.phase in {Phase.SCORING, Phase.FINISHED}:
            await self._act(key)

    async def _act(self, key: str) -> None:
        if self.shown is not None and key in self.shown.keys:
            await self.score(key)
        elif key in self.ACTS:
            await getattr(self, self.ACTS[key])()

    async def _enter(self, key: str) -> None:
        """Past the warning with enter or space; a digit typed ahead does not count as having read it."""
        if key == "escape":
            self._leave("")
        elif key in {"enter", "space"}:
            self.audit.has_been_warned = True
            self.audit.hold_back()
            self.begin_item()
            self.phase = Phase.SCORING
            self._settle()
            self.refresh_bindings()
            self.draw()

    def _try_again(self, key: str) -> None:
        """Leave the trouble behind: what was typed after the key that failed is forgotten."""
        if key == "escape":
            self._leave("")
        elif key in {"enter", "space"}:
            self.phase = Phase.SCORING
            self._settle()
            self.say(Content(""))

    def _leave(self, mode: str) -> None:
        """Leave; every key before is saved."""
        if not self._is_leaving:
            self._is_leaving = True
            self.app.call_later(self._left, mode)

    def _left(self, mode: str) -> None:
        self.dismiss(None)
        if mode and mode != self.app.current_mode:
            self.app.call_later(self.audit.action_show, mode)

    # The table.

    async def ask(self, job: Callable[[Table], Answer], then: Callable[[Answer], None] | None = None) -> bool:
        """Do a job at the table; shows what stands there afterwards. False where it failed, and nothing advances."""
        future = asyncio.ensure_future(self._sitting.ask(lambda table: (job(table), table.item, table.tally)))
        done, _ = await asyncio.wait([future], timeout=SLOW_S)
        if not done:
            self.say(Content.styled("waiting for the store: another process is writing", "$warning"))
        try:
            answer, shown, tally = await asyncio.shield(future)
        except EmauditError as error:
            self._fail(error)
            return False
        is_other = shown is None or self.shown is None or shown.position != self.shown.position
        if self._is_other_kind(shown):
            self.call_after_refresh(self.refresh_bindings)
        self.shown, self._tally = shown, tally
        if is_other:
            self.begin_item()
        self._settle()
        if then is not None:
            then(answer)
        self.draw()
        return True

    def _is_other_kind(self, shown: Shown | None) -> bool:
        """Whether other keys answer now."""
        return (shown.keys if shown else ()) != (self.shown.keys if self.shown else ())

    def begin_item(self) -> None:
        """Begin to count the seconds of the item that stands, from its first line."""
        self._seen_at = time.monotonic()
        self._words, self._match = "", 0
        if self.is_mounted:
            self._reading.scroll_home(animate=False)

    def _fail(self, error: EmauditError) -> None:
        while not self._presses.empty():
            self._presses.get_nowait()
        self.phase = Phase.TROUBLE
        text = f"not saved: {one_line(str(error), 300)}   enter: go on here · esc: leave"
        self.say(Content.styled(text, "$error"))

    def _settle(self) -> None:
        """Scoring while something is open, else finished."""
        if self.phase in {Phase.SCORING, Phase.FINISHED}:
            before = self.phase
            self.phase = Phase.SCORING if self.shown is not None else Phase.FINISHED
            if before is not self.phase:
                self.refresh_bindings()

    @property
    def seconds(self) -> float:
        """How long the item has been on screen, without the time it was blanked."""
        return round(max(0.0, time.monotonic() - self._seen_at), 3)

    async def score(self, key: str) -> None:
        """Score the item that stands."""
        raise NotImplementedError

    async def go_on(self, key: str) -> None:
        """Go on after a verdict was read."""
        raise NotImplementedError

    # Lines that are typed, and choices.

    def type_line(self, line: TypedLine, typed: Typed) -> None:
        """Have a line typed; nothing typed there is anything else."""
        self._line, self._typed, self.phase = line, typed, Phase.TYPING
        self.draw_line()

    async def _type(self, press: Press) -> None:
        turn = self._line.take(press.key, press.character)
        if turn is Turn.LEFT:
            self._end_typing()
        elif turn is Turn.DONE and self._typed is not None:
            await self._typed(self._line.text)
        elif press.key in MODES:
            self._leave(MODES[press.key])
        else:
            self.line_edited()
        self.draw_line()

    def _end_typing(self) -> None:
        self.phase = Phase.SCORING
        self._settle()

    def line_edited(self) -> None:
        """What a key changes while a line is typed."""
        if self._line.label == "find":
            self._words, self._match = self._line.text, 0
            self._draw_response()

    def choose(self, question: Content, choices: dict[str, Chosen]) -> None:
        """Ask for one of a few keys; escape changes nothing."""
        self._choices, self.phase = choices, Phase.CHOOSING
        self.say(question)

    async def _choose(self, key: str) -> None:
        chosen = self._choices.get(key)
        if chosen is None and key not in {"escape", "enter"}:
            return
        self.phase = Phase.SCORING
        self._settle()
        self.say(Content(""))
        if chosen is not None:
            await chosen()

    async def note(self) -> None:
        """Type a note on the item."""
        if self.shown is not None:
            self.type_line(TypedLine("note", one_line(self.shown.own.note)), self._note_typed)

    async def _note_typed(self, text: str) -> None:
        self._end_typing()
        if await self.ask(lambda table: table.note(text.strip())):
            self.say(Content("note saved" if text.strip() else "note removed"))

    async def go(self) -> None:
        """Type the number of an item to go to."""
        n = self._tally.n_planned if self._tally else 0
        self.type_line(
            TypedLine("go to item", hint=f"1 to {n} · enter goes · esc back", digits_only=True), self._go_typed
        )

    async def _go_typed(self, text: str) -> None:
        self._end_typing()
        if text:
            await self.ask(lambda table: table.go_to(int(text)), lambda _: self.say(Content("")))

    async def find(self) -> None:
        """Type words to find in the response; enter goes to the next place."""
        self.type_line(TypedLine("find", self._words, hint="enter next · esc back"), self._find_next)
        self._draw_response()

    async def _find_next(self, text: str) -> None:
        self._match += 1
        self._draw_response()

    async def undo(self) -> None:
        """Take back what this person did last."""
        await self.ask(lambda table: table.undo(), self._undone)

    def _undone(self, undone: Undone | None) -> None:
        if undone is None:
            self.say(Content.styled("nothing of yours is left to undo", "$warning"))
        else:
            what = rating_text.EVENTS.get(undone.kind, undone.kind)
            told = f"undone: the {what} of item {undone.number}"
            self.say(Content.assemble(told, ("   u: undo one more", "$primary")))

    async def whole(self) -> None:
        """Open the whole response, where only its first part is shown."""
        from emaudit.screens.whole import WholeDialog

        if self.shown is not None and len(self.shown.response) > DISPLAY_LIMIT:
            self.app.push_screen(WholeDialog(self.shown.response))
        else:
            self.say(Content("the response is shown whole"))

    async def down(self) -> None:
        """One line down."""
        self._reading.scroll_relative(y=1, animate=False)

    async def up(self) -> None:
        """One line up."""
        self._reading.scroll_relative(y=-1, animate=False)

    async def page_down(self) -> None:
        """One page down."""
        self._reading.scroll_relative(y=max(1, self._reading.size.height - 2), animate=False)

    async def page_up(self) -> None:
        """One page up."""
        self._reading.scroll_relative(y=-max(1, self._reading.size.height - 2), animate=False)

    # What is drawn.

    @property
    def _reading(self) -> VerticalScroll:
        return self.query_one("#sit-reading", VerticalScroll)

    def on_resize(self) -> None:
        """Lay out again for the new size."""
        self.call_after_refresh(self.draw)

    def say(self, content: Content) -> None:
        """Say something on the line above the keys."""
        self._said = content
        self.draw_line()

    def draw(self) -> None:
        """Draw the item that stands, or what stands in its place."""
        if not self.is_mounted:
            return
        place = self._in_place()
        self.set_class(bool(place), "-in-place")
        self.query_one("#sit-door", Words).show(place)
        if self._tally is not None:
            head = rating_text.header(self.TOLD, self.shown, self._tally, self._reviewer, self.size.width)
            self.query_one("#sit-head", Words).show(head)
        if not place and self.shown is not None:
            self.draw_item(self.shown)
        self.draw_line()

    def _in_place(self) -> Content:
        """What stands where there is no item; empty where there is one."""
        if self.phase is Phase.OPENING:
            return Content.styled("Opening the queue.", "$quiet")
        if self.phase is Phase.REFUSED:
            return Content("This queue cannot be opened. esc goes back.")
        if self.phase is Phase.DOOR:
            return Content.assemble(rating_text.WARNING, ("\n\nenter: begin · esc: not now", "bold"))
        if self.shown is None and self._tally is not None:
            return rating_text.finished(self._tally, self.what_next())
        return Content("")

    def what_next(self) -> list[Content]:
        """What can be done when nothing is left."""
        return [Content("u: undo the last · g: go to an item · esc: leave")]

    def draw_item(self, shown: Shown) -> None:
        """Draw the item that stands."""
        self.query_one("#sit-prompt", Words).show(rating_text.prompt(shown))
        notices = self.query_one("#sit-notices", Words)
        told = rating_text.notices(shown)
        notices.display = bool(told)
        notices.show(told)
        self._draw_response()
        self._draw_anchors(shown)
        self.call_after_refresh(self._mark_more)

    def _draw_response(self) -> None:
        if self.shown is None:
            return
        whole = rating_text.response(self.shown)
        content, n, starts = rating_text.found(whole, self._words, self._match % max(1, self._n_found))
        self._n_found = n
        self.query_one("#sit-response", Words).show(content)
        if starts and self.phase is Phase.TYPING:
            self._show_match(content, starts[self._match % n])

    _n_found = 0

    def _show_match(self, content: Content, start: int) -> None:
        response = self.query_one("#sit-response", Words)
        line = len(content[:start].wrap(max(1, response.content_region.width))) if start else 1
        self._reading.scroll_to(y=max(0, response.virtual_region.y + line - 3), animate=False, force=True)

    def _draw_anchors(self, shown: Shown) -> None:
        width = self.size.width - 2 if self.has_class("-narrow") else 0
        self.query_one("#sit-anchors", Words).show(rating_text.anchors(shown, width))

    def _mark_more(self) -> None:
        """Say what there is below: under the response, or on the line between it and the answers."""
        if self.shown is None or not self.is_mounted:
            return
        reading, answers = self._reading, self.query_one("#sit-answers")
        below = round(reading.max_scroll_y - reading.scroll_y)
        more = f"▼ more below: {figures.plural(below, 'line')}, space" if below > 0 else ""
        is_narrow = self.has_class("-narrow")
        reading.border_subtitle = "" if is_narrow else more
        question = Content(self.shown.question)
        answers.border_title = (
            Content.assemble(question, (f" ── {more}", "$warning")) if is_narrow and more else question
        )

    def draw_line(self) -> None:
        """Draw the line above the keys."""
        if not self.is_mounted:
            return
        line = self.query_one("#sit-line", Words)
        if self.phase is Phase.TYPING:
            note = ""
            if self._line.label == "find" and self._words:
                note = f"{self._match % self._n_found + 1} of {self._n_found}" if self._n_found else "not found"
            line.show(self._line.content(self.size.width - 2, note))
        else:
            line.show(self._said)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only the keys that do something for the item that stands."""
        if action != "press":
            return True
        key = str(parameters[0])
        if self.phase in {Phase.DOOR, Phase.OPENING, Phase.REFUSED}:
            return key in {"escape", "question_mark", "b"}
        if self.phase is Phase.FINISHED or self.shown is None:
            return key in self.FINAL_KEYS or key == "b"
        answers = self.shown.keys
        if key in {"1", "2", "3", "4", "5", "a"}:
            return key in answers
        return True
