"""The keys that rating and settling share, and what they do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from textual.binding import ActiveBinding, Binding
from textual.content import Content

from emaudit.screens import rating_text
from emaudit.screens.base import TABS
from emaudit.screens.blind import BlindScreen, Chosen
from emaudit.screens.item_view import ItemView
from emaudit.screens.page import PageDialog
from emaudit.text import DISPLAY_LIMIT, one_line
from emaudit.widgets.typed import TypedLine

if TYPE_CHECKING:
    from emaudit.reviewing.session import Undone

Table = TypeVar("Table", bound="Any")


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
        ("r", "Rubric", "", "Read in full what each key stands for", False),
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


SCROLL: Final[Mapping[str, str]] = {
    "space": "page_down",
    "pagedown": "page_down",
    "pageup": "page_up",
    "j": "down",
    "down": "down",
    "k": "up",
    "up": "up",
}


SHARED: Final[Mapping[str, str]] = {
    **SCROLL,
    "u": "undo",
    "0": "cannot_tell",
    "g": "go",
    "slash": "find",
    "w": "whole",
    "r": "rubric",
}


class ScoringScreen(BlindScreen[Table]):
    """Scoring, undoing, going to an item, finding words, reading on."""

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """The keys that can be pressed, the digits called by what they give on the item that stands."""
        held = super().active_bindings
        if self.shown is not None and "1" in held and "1" in self.shown.keys:
            label, tip = rating_text.CHOICES.get(self.shown.kind, ("", ""))
            one = held["1"]
            display = f"{self.shown.keys[0]}-{self.shown.keys[-1]}"
            named = replace(
                one.binding,
                description=label or one.binding.description,
                tooltip=tip or one.binding.tooltip,
                key_display=display,
            )
            held["1"] = one._replace(binding=named)
        return held

    async def score(self, key: str) -> None:
        """Give the item that stands this answer, and go on to the next."""
        seconds = self.seconds
        await self.answer(lambda table: table.score(key, seconds), key)

    async def cannot_tell(self) -> None:
        """Ask why it cannot be told."""
        if self.shown is not None:
            offered = rating_text.reasons(self.shown)
            choices: dict[str, Chosen] = {key: partial(self._untold, reason) for key, reason, _ in offered}
            self.choose(rating_text.ask_reason(offered), choices)

    async def _untold(self, reason: str) -> None:
        seconds = self.seconds
        await self.answer(lambda table: table.cannot_tell(reason, seconds), reason)

    async def answer(self, job: Callable[[Table], object], words: str) -> None:
        """Do what answers the item that stands; say what was given and how to take it back."""
        before = self.shown
        if before is not None:
            await self.ask(job, lambda _: self.say(rating_text.given(words, before.number)))

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

    async def go(self) -> None:
        """Type the number of an item to go to."""
        n = self.shown.n_items if self.shown is not None else self.tally.n_planned if self.tally else 0
        line = TypedLine("go to item", hint=f"1 to {n} · enter goes · esc back", digits_only=True)
        self.type_line(line, self._go_typed)

    async def _go_typed(self, text: str) -> None:
        self.end_line()
        if text:
            await self.ask(lambda table: table.go_to(int(text)), lambda _: self.say(Content("")))

    async def find(self) -> None:
        """Type words to find in the response; enter goes to the next place."""
        if self.shown is not None:
            self.type_line(TypedLine("find", hint="enter next · esc back"), self._find_next)

    async def _find_next(self, text: str) -> None:
        self.query_one(ItemView).find_next()

    def line_edited(self, line: TypedLine) -> None:
        """Mark what is found as it is typed."""
        if line.label == "find":
            self.query_one(ItemView).find(line.text)

    def line_note(self, line: TypedLine) -> str:
        """How often what is typed is found."""
        return self.query_one(ItemView).found if line.label == "find" else ""

    async def note(self) -> None:
        """Type a note on the item."""
        if self.shown is not None:
            self.type_line(TypedLine("note", one_line(self.shown.own.note)), self._note_typed)

    async def _note_typed(self, text: str) -> None:
        self.end_line()
        said = Content("note saved" if text.strip() else "note removed")
        await self.ask(lambda table: table.note(text.strip()), lambda _: self.say(said))

    async def whole(self) -> None:
        """Open the whole response, where only its first part is shown."""
        from emaudit.screens.whole import WholeDialog

        if self.shown is not None and len(self.shown.response) > DISPLAY_LIMIT:
            self.app.push_screen(WholeDialog(self.shown.response))
        else:
            self.say(Content("the response is shown whole"))

    async def rubric(self) -> None:
        """Open what each key stands for, in full: beside or below a response it may be cut."""
        if self.shown is not None:
            self.app.push_screen(PageDialog(self.shown.question, rating_text.rubric(self.shown)))

    async def down(self) -> None:
        """One line down."""
        self.query_one(ItemView).scroll_lines(1)

    async def up(self) -> None:
        """One line up."""
        self.query_one(ItemView).scroll_lines(-1)

    async def page_down(self) -> None:
        """One page down."""
        self.query_one(ItemView).scroll_pages(1)

    async def page_up(self) -> None:
        """One page up."""
        self.query_one(ItemView).scroll_pages(-1)
