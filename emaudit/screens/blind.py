"""What the screens share on which people score without knowing what the judge said.

Every key goes through one queue and is acted on in the order it was typed, on the item that stands there when its
turn comes; nothing advances before it is committed. Only these screens say anything while they are open.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, NamedTuple, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.content import Content

from emaudit.errors import EmauditError
from emaudit.reviewing.sitting import Sitting
from emaudit.screens import rating_text
from emaudit.screens.base import TABS, WIDE, Explains
from emaudit.screens.item_view import ItemView
from emaudit.screens.phases import CLOSED, Phase
from emaudit.text import one_line
from emaudit.widgets.keybar import KeyBar
from emaudit.widgets.typed import Turn, TypedLine
from emaudit.widgets.words import Words

if TYPE_CHECKING:
    from emaudit.reviewing.session import Shown, Tally

SLOW_S: Final = 0.4
"""Seconds after which a wait for the store is said."""
LEAVE_S: Final = 1.0
"""Longest time that leaving the app waits for keys that are not taken yet."""
COPIES: Final = frozenset({"ctrl+c", "super+c"})
ALWAYS_BLANKS: Final = frozenset({"B", "shift+b"})
MODES: Final[Mapping[str, str]] = {key.lower(): mode for key, mode, _ in TABS}
Table = TypeVar("Table", bound="Any")
Answer = TypeVar("Answer")
Chosen = Callable[[], Awaitable[None]]
Typed = Callable[[str], Awaitable[None]]


class Press(NamedTuple):
    """A key as it was typed."""

    key: str
    character: str


class BlindScreen(Explains[bool], Generic[Table]):
    """One item at a time; subclasses say what their keys do. Gives True where the disagreements are wanted next."""

    is_blind = True
    TOLD: ClassVar[str] = "spot-check"
    """What the header calls this."""
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (18, "-tall")]  # noqa: RUF012
    ACTS: ClassVar[Mapping[str, str]] = {}
    """Key -> name of the method that it calls while an item stands."""
    FINAL_KEYS: ClassVar[frozenset[str]] = frozenset({"u", "g", "b", "escape", "question_mark", *MODES})
    """Keys that act when nothing is left."""

    def __init__(self, sitting: Sitting[Table], reviewer: str) -> None:
        super().__init__()
        self.phase = Phase.OPENING
        self.shown: Shown | None = None
        self.tally: Tally | None = None
        self._sitting = sitting
        self._reviewer = reviewer
        self._waiting: deque[Press] = deque()
        self._has_keys, self._is_idle = asyncio.Event(), asyncio.Event()
        self._line = TypedLine("")
        self._typed: Typed | None = None
        self._choices: dict[str, Chosen] = {}
        self._said = Content("")
        self._seen_at = self._blank_at = 0.0
        self._is_leaving = False

    def compose(self) -> ComposeResult:
        """Own header, the item, what stands in its place, a line of what happened, the keys."""
        yield Words(id="sit-head", is_fixed=True)
        yield ItemView()
        yield Words(id="sit-door")
        yield Words(id="sit-line")
        yield KeyBar()
        yield Words(id="sit-blank", is_fixed=True)

    def on_mount(self) -> None:
        """Hold back what the rest of the app says, and open the queue in its own thread."""
        self.audit.hold_back()
        self.query_one("#sit-blank", Words).show(Content.styled("any key", "$quiet"))
        self.draw()
        self.run_worker(self._serve(), name="keys", group="keys", exit_on_error=False)

    def on_unmount(self) -> None:
        """Close the table after what was asked of it; tell what was held back."""
        self._sitting.close()
        self.audit.tell_held_back()

    # Keys, in order.

    def on_key(self, event: events.Key) -> None:
        """Take a key into the queue; blanking and coming back wait for nothing."""
        event.prevent_default()
        if event.key in COPIES:
            return
        event.stop()
        if self.has_class("-blank"):
            self._set_blank(False)
        else:
            self._press(Press(event.key, event.character or ""))

    def action_press(self, key: str) -> None:
        """What every binding does: as if its key were typed."""
        self._press(Press(key, key if len(key) == 1 else ""))

    def on_paste(self, event: events.Paste) -> None:
        """Pasted text goes where a line is being typed, and nowhere else."""
        event.stop()
        if self.phase is Phase.TYPING:
            self._line.add(event.text)
            self.draw_line()

    def _press(self, press: Press) -> None:
        if self._blanks(press.key):
            self._set_blank(True)
            return
        self._waiting.append(press)
        self._has_keys.set()
        self._is_idle.clear()

    def _blanks(self, key: str) -> bool:
        """Whether a key blanks: not where it is an answer, nor where it is, or will be, typed into a line."""
        if self.phase is Phase.TYPING or (key != "b" and key not in ALWAYS_BLANKS):
            return False
        opens_line = any(self.ACTS.get(press.key) in {"note", "find", "go"} for press in self._waiting)
        is_answer = self.shown is not None and key in self.shown.keys
        return not opens_line and not is_answer

    def _set_blank(self, is_blank: bool) -> None:
        now = time.monotonic()
        if is_blank:
            self._blank_at = now
        else:
            self._seen_at += now - self._blank_at
        self.set_class(is_blank, "-blank")

    async def taken(self) -> None:
        """Wait until the keys typed so far are taken, but not for ever: the store may be held."""
        await asyncio.sleep(0.05)
        await asyncio.wait([asyncio.ensure_future(self._is_idle.wait())], timeout=LEAVE_S)

    async def _serve(self) -> None:
        await self._open()
        while True:
            if not self._waiting:
                self._is_idle.set()
                self._has_keys.clear()
                await self._prepare()
                await self._has_keys.wait()
            while self._waiting:
                await self._take(self._waiting.popleft())

    async def _open(self) -> None:
        """Open the queue; the warning is read once in a session of the app."""
        if await self.ask(lambda table: None):
            self.phase = Phase.SCORING if self.audit.has_been_warned else Phase.DOOR
        else:
            self.phase = Phase.REFUSED
        self.begin_item()

    async def _prepare(self) -> None:
        """Have the next item ready before it is asked for."""
        if self.phase is Phase.SCORING:
            found = await self.do(lambda table: table.ahead)
            if isinstance(found, EmauditError):
                self.say(Content.styled(one_line(str(found), 300), "$error"))

    async def _take(self, press: Press) -> None:
        """Act on a key, by what the screen waits for."""
        key = press.key
        if self.phase is Phase.TYPING:
            await self._type(press)
        elif key in MODES or (key == "escape" and self.phase in CLOSED):
            self.leave(MODES.get(key, ""))
        elif self.phase is Phase.CHOOSING:
            await self._choose(key)
        elif key in {"question_mark", "f1"}:
            self.audit.action_help()
        elif self.phase is Phase.READING:
            await self.go_on(key)
        elif self.phase in {Phase.DOOR, Phase.TROUBLE}:
            await self._go_in(key)
        elif self.phase in {Phase.SCORING, Phase.FINISHED}:
            await self._act(key)

    async def _act(self, key: str) -> None:
        if self.phase is Phase.FINISHED and key not in self.FINAL_KEYS:
            return
        if key == "ctrl+p":
            self.audit.action_command_palette()
        elif self.shown is not None and key in self.shown.keys:
            await self.score(key)
        elif key in self.ACTS:
            await getattr(self, self.ACTS[key])()

    async def _go_in(self, key: str) -> None:
        """Past the warning, or past what went wrong; a digit typed ahead does not count as having read it.

        What stands is asked for again: what failed may have failed only after its event was kept.
        """
        if key in {"enter", "space"} and await self.ask(lambda table: None):
            self.audit.has_been_warned = True
            self.audit.hold_back()
            self.phase = Phase.SCORING
            self.begin_item()
            self.say(Content(""))

    def leave(self, mode: str) -> None:
        """Leave; every key before is saved."""
        if not self._is_leaving:
            self._is_leaving = True
            self.app.call_later(self._left, mode)

    def _left(self, mode: str, wants_gallery: bool = False) -> None:
        self.dismiss(wants_gallery)
        if mode and mode != self.app.current_mode:
            self.app.call_later(self.audit.action_show, mode)

    # The table.

    async def do(self, job: Callable[[Table], Answer]) -> Answer | EmauditError:
        """Do a job at the table; gives what comes of it, or why nothing did."""
        future = asyncio.ensure_future(self._sitting.ask(job))
        done, _ = await asyncio.wait([future], timeout=SLOW_S)
        if not done:
            self.say(Content.styled("waiting for the store: another process is writing", "$warning"))
        try:
            return await asyncio.shield(future)
        except EmauditError as error:
            return error

    async def ask(self, job: Callable[[Table], Answer], then: Callable[[Answer], None] | None = None) -> bool:
        """Do a job, and show what stands there afterwards. False where it failed, and nothing advances."""
        found = await self.do(lambda table: (job(table), table.item, table.tally))
        if isinstance(found, EmauditError):
            self._fail(found)
            return False
        answer, shown, self.tally = found
        is_other = (shown and shown.position) != (self.shown and self.shown.position)
        self.shown = shown
        if is_other:
            self.begin_item()
        if then is not None:
            then(answer)
        self.draw()
        return True

    def begin_item(self) -> None:
        """Begin to count the seconds of the item that stands."""
        self._seen_at = time.monotonic()
        if self.phase in {Phase.SCORING, Phase.FINISHED}:
            self.phase = Phase.SCORING if self.shown is not None else Phase.FINISHED
        self.call_after_refresh(self.refresh_bindings)
        self.draw()

    def _fail(self, error: EmauditError) -> None:
        """Say why nothing was saved; keys typed after the one that failed are forgotten."""
        why = one_line(str(error), 300)
        text = why if self.phase is Phase.OPENING else f"not saved: {why}   enter: go on here · esc: leave"
        self._waiting.clear()
        self.phase = Phase.TROUBLE
        self.say(Content.styled(text, "$error"))

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
        if press.key in MODES:
            self.leave(MODES[press.key])
            return
        turn = self._line.take(press.key, press.character)
        if turn is Turn.LEFT:
            self.end_line()
        elif turn is Turn.DONE and self._typed is not None:
            await self._typed(self._line.text)
        else:
            self.line_edited(self._line)
        self.draw_line()

    def end_line(self) -> None:
        """Go back to the item."""
        self.phase = Phase.SCORING if self.shown is not None else Phase.FINISHED

    def line_edited(self, line: TypedLine) -> None:
        """What a key changes while a line is typed."""

    def line_note(self, line: TypedLine) -> str:
        """What is said beside a line while it is typed."""
        return ""

    def choose(self, question: Content, choices: dict[str, Chosen]) -> None:
        """Ask for one of a few keys; escape changes nothing."""
        self._choices, self.phase = choices, Phase.CHOOSING
        self.say(question)

    async def _choose(self, key: str) -> None:
        chosen = self._choices.get(key)
        if chosen is None and key not in {"escape", "enter"}:
            return
        self.end_line()
        self.say(Content(""))
        if chosen is not None:
            await chosen()

    # What is drawn.

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
        if self.tally is not None:
            head = rating_text.header(self.TOLD, self.shown, self.tally, self._reviewer, self.size.width)
            self.query_one("#sit-head", Words).show(head)
        if not place and self.shown is not None:
            self.query_one(ItemView).show(self.shown)
        self.draw_line()

    def _in_place(self) -> Content:
        """What stands where there is no item; empty where there is one."""
        if self.phase is Phase.OPENING:
            return Content.styled("Opening the queue.", "$quiet")
        if self.phase is Phase.REFUSED:
            return Content("This queue cannot be opened. esc goes back.")
        if self.phase is Phase.DOOR:
            return Content.assemble(rating_text.WARNING, ("\n\nenter: begin · esc: not now", "bold"))
        if self.shown is None and self.tally is not None:
            return rating_text.finished(self.tally, self.what_next())
        return Content("")

    def what_next(self) -> list[Content]:
        """What can be done when nothing is left."""
        return [Content("u: undo the last · g: go to an item · esc: leave")]

    def draw_line(self) -> None:
        """Draw the line above the keys."""
        if self.is_mounted:
            is_typing = self.phase is Phase.TYPING
            typed = self._line.content(self.size.width - 2, self.line_note(self._line)) if is_typing else self._said
            self.query_one("#sit-line", Words).show(typed)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only the keys that do something for the item that stands."""
        if action != "press":
            return True
        key = str(parameters[0])
        if self.phase in {Phase.DOOR, Phase.OPENING, Phase.REFUSED}:
            return key in {"escape", "question_mark", "b"}
        if self.shown is None:
            return key in self.FINAL_KEYS
        return key in self.shown.keys if key in {"1", "2", "3", "4", "5", "a"} else True
