"""The blind screen: one response, five anchors, one key. What the judge said is told only after, or when asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding
from textual.content import Content

from emaudit.reviewing.sitting import Sitting
from emaudit.screens import rating_text
from emaudit.screens.phases import Phase
from emaudit.screens.scoring import SHARED, ScoringScreen, common_bindings

if TYPE_CHECKING:
    from emaudit.reviewing.session import Revealed, Session, Shown


class RatingScreen(ScoringScreen["Session"]):
    """Scores a queue's items one after another, each blind."""

    BINDINGS: ClassVar[list[Any]] = [
        *common_bindings("rating"),
        Binding("f", "press('f')", "Flag", id="rating.f", tooltip="Flag this item, or take the flag off"),
        Binding(
            "d",
            "press('d')",
            "Disagreements",
            show=False,
            id="rating.d",
            tooltip="When all is scored: where you and the judge differ",
        ),
        Binding(
            "v",
            "press('v')",
            "Reveal",
            show=False,
            id="rating.v",
            tooltip="Show the judge's verdict of this item; your score of it is then not blind",
        ),
    ]
    ACTS: ClassVar = {**SHARED, "s": "later", "f": "flag", "n": "note", "v": "reveal", "d": "differ"}
    FINAL_KEYS: ClassVar = ScoringScreen.FINAL_KEYS | {"d"}

    def __init__(self, sitting: Sitting[Session], reviewer: str) -> None:
        super().__init__(sitting, reviewer)
        self._next: Shown | None = None

    async def answer(self, job: Callable[[Session], object], words: str) -> None:
        """Answer the item that stands; where each is revealed, the verdict stands until a key goes on."""
        before = self.shown
        if before is None:
            return

        def answered(session: Session) -> Revealed | None:
            job(session)
            return session.revealed(before.number) if session.queue.reveal == "each" else None

        def told(revealed: Revealed | None) -> None:
            self.say(rating_text.given(words, before.number))
            if revealed is not None:
                self._next, self.shown, self.phase = self.shown, before, Phase.READING
                line = rating_text.verdict(revealed, words)
                self.say(Content.assemble(line, ("   any key goes on · u: undo", "$primary")))

        await self.ask(answered, told)

    async def differ(self) -> None:
        """When nothing is left, go to where this person and the judge differ."""
        if self.phase is Phase.FINISHED:
            self._is_leaving = True
            self.app.call_later(self._left, "", True)

    def what_next(self) -> list[Content]:
        """What can be done when nothing is left."""
        return [Content("d: where you and the judge differ"), *super().what_next()]

    async def go_on(self, key: str) -> None:
        """Go on after a verdict was read; u undoes what was scored."""
        self.shown, self._next = self._next, None
        self.phase = Phase.SCORING
        self.say(Content(""))
        self.begin_item()
        if key == "u":
            await self.undo()
        elif key == "escape":
            self.leave("")

    async def later(self) -> None:
        """Leave the item for the end."""
        before = self.shown
        if before is not None:
            said = Content.assemble(f"item {before.number} comes back at the end", ("   u: undo", "$primary"))
            await self.ask(lambda session: session.defer(), lambda _: self.say(said))

    async def flag(self) -> None:
        """Flag the item, or take its flag off."""
        if self.shown is not None:
            said = Content("flag taken off" if self.shown.own.is_flagged else "flagged")
            await self.ask(lambda session: session.flag(), lambda _: self.say(said))

    async def reveal(self) -> None:
        """Ask whether the verdict is to be shown."""
        question = Content.assemble(
            ("Show the judge's verdict? ", "bold"),
            "Your score of this item is then stored as not blind.",
            ("   y: show · esc: no", "$primary"),
        )
        if self.shown is not None:
            self.choose(question, {"y": self._reveal})

    async def _reveal(self) -> None:
        await self.ask(lambda session: session.reveal(), self._revealed)

    def _revealed(self, revealed: Revealed) -> None:
        told = rating_text.verdict(revealed)
        self.say(Content.assemble(told, ("   your score of it is not blind", "$warning")))
