"""The blind screen: one response, five anchors, one key. What the judge said is told only after, or when asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding
from textual.content import Content

from emaudit.screens import rating_text
from emaudit.screens.base import TABS
from emaudit.screens.blind import BlindScreen, Chosen, Phase
from emaudit.sitting import Sitting

if TYPE_CHECKING:
    from emaudit.reviewing.session import Revealed, Session, Shown


def common_bindings(group: str, without: Collection[str] = ()) -> list[Any]:
    """The keys that every blind screen has; each is queued as if it were typed."""
    held = [
        ("1", "Score", "1-5", "Give this score and go on", True),
        ("2", "Score 2", "", "Give 2 and go on", False),
        ("3", "Score 3", "", "Give 3 and go on", False),
        ("4", "Score 4", "", "Give 4 and go on", False),
        ("5", "Score 5", "", "Give 5 and go on", False),
        ("a", "Choose", "a b", "Choose this option and go on", True),
        ("0", "Cannot tell", "", "Cannot be told; a second key says why", True),
        ("u", "Undo", "", "Take back what you did last; again for the one before", True),
        ("s", "Later", "", "Leave this item for the end", True),
        ("n", "Note", "", "Type a note on this item; digits typed there score nothing", True),
        ("g", "Go to", "", "Go to an item by its number", False),
        ("slash", "Find", "/", "Find words in the response", False),
        ("w", "Whole response", "", "Open the whole response where it is long", False),
        ("space", "Page down", "", "Read on: one page down", False),
        ("j", "Down", "", "One line down", False),
        ("k", "Up", "", "One line up", False),
        ("b", "Blank", "", "Blank the screen at once; any key brings it back (B where b is an answer)", True),
        ("escape", "Leave", "esc", "Leave; all is saved", True),
        ("question_mark,f1", "Help", "?", "All keys of this screen", True),
    ]
    found = [
        Binding(
            key,
            f"press('{key.partition(',')[0]}')",
            label,
            show=show,
            key_display=display or None,
            id=f"{group}.{key.partition(',')[0]}",
            tooltip=tip,
        )
        for key, label, display, tip, show in held
        if key not in without
    ]
    leave = [
        Binding(key.lower(), f"press('{key.lower()}')", name, show=False, key_display=key, id=f"{group}.{mode}",
                tooltip=f"Leave, and go to {name}; all is saved")
        for key, mode, name in TABS
    ]  # fmt: skip
    return [*found, *leave]


SCROLL: Mapping[str, str] = {
    "space": "page_down",
    "pagedown": "page_down",
    "pageup": "page_up",
    "j": "down",
    "down": "down",
    "k": "up",
    "up": "up",
}


class RatingScreen(BlindScreen["Session"]):
    """Scores a queue's items one after another, each blind."""

    BINDINGS: ClassVar[list[Any]] = [
        *common_bindings("rating"),
        Binding("f", "press('f')", "Flag", id="rating.f", tooltip="Flag this item, or take the flag off"),
        Binding("v", "press('v')", "Reveal", show=False, id="rating.v",
                tooltip="Show the judge's verdict of this item; your score of it is then not blind"),
    ]  # fmt: skip
    ACTS: ClassVar[Mapping[str, str]] = {
        **SCROLL,
        "u": "undo",
        "0": "cannot_tell",
        "s": "later",
        "f": "flag",
        "n": "note",
        "g": "go",
        "slash": "find",
        "v": "reveal",
        "w": "whole",
    }

    def __init__(self, sitting: Sitting[Session], reviewer: str) -> None:
        super().__init__(sitting, reviewer)
        self._next: Shown | None = None

    async def score(self, key: str) -> None:
        """Score the item that stands, and go on to the next."""
        seconds = self.seconds
        await self._answer(lambda session: session.score(key, seconds), key)

    async def cannot_tell(self) -> None:
        """Ask why it cannot be told."""
        if self.shown is None:
            return
        offered = rating_text.reasons(self.shown)
        choices: dict[str, Chosen] = {key: partial(self._untold, reason) for key, reason, _ in offered}
        self.choose(rating_text.ask_reason(offered), choices)

    async def _untold(self, reason: str) -> None:
        seconds = self.seconds
        await self._answer(lambda session: session.cannot_tell(reason, seconds), reason)

    async def _answer(self, job: Callable[[Session], object], words: str) -> None:
        before = self.shown
        if before is None:
            return

        def answer(session: Session) -> Revealed | None:
            job(session)
            return session.revealed(before.number) if session.queue.reveal == "each" else None

        def told(revealed: Revealed | None) -> None:
            self.say(rating_text.given(words, before.number))
            if revealed is not None:
                self._next, self.shown, self.phase = self.shown, before, Phase.READING
                line = rating_text.verdict(revealed, words)
                self.say(Content.assemble(line, ("   any key goes on · u: undo", "$primary")))

        await self.ask(answer, told)

    async def later(self) -> None:
        """Leave the item for the end."""
        before = self.shown
        if before is not None and await self.ask(lambda session: session.defer()):
            self.say(Content.assemble(f"item {before.number} comes back at the end", ("   u: undo", "$primary")))

    async def flag(self) -> None:
        """Flag the item, or take its flag off."""
        if self.shown is not None:
            await self.ask(lambda session: session.flag())
            is_flagged = self.shown is not None and self.shown.own.is_flagged
            self.say(Content("flagged" if is_flagged else "flag taken off"))

    async def reveal(self) -> None:
        """Ask whether the verdict is to be shown."""
        question = Content.assemble(
            ("Show the judge's verdict? ", "bold"),
            "Your score of this item is then stored as not blind.",
            ("   y: show · esc: no", "$primary"),
        )
        self.choose(question, {"y": self._reveal})

    async def _reveal(self) -> None:
        await self.ask(lambda session: session.reveal(), self._revealed)

    def _revealed(self, revealed: Revealed) -> None:
        if self.shown is not None:
            told = rating_text.verdict(revealed)
            self.say(Content.assemble(told, ("   your score of it is not blind", "$warning")))

    async def go_on(self, key: str) -> None:
        """Go on after a verdict was read; u undoes what was scored."""
        self.shown, self._next = self._next, None
        self.phase = Phase.SCORING
        self.begin_item()
        self._settle()
        self.say(Content(""))
        if key == "u":
            await self.undo()
        elif key == "escape":
            self._leave("")
        self.draw()
