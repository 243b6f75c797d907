"""Settling where two raters differ: both answers, without names, and no judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.content import Content
from textual.widget import Widget

from emaudit.screens import rating_text
from emaudit.screens.blind import BlindScreen, Chosen
from emaudit.screens.rating import SCROLL, common_bindings
from emaudit.widgets.words import Words

if TYPE_CHECKING:
    from emaudit.reviewing.session import Adjudication, Shown


class SettleScreen(BlindScreen["Adjudication"]):
    """Scores what two raters scored differently; the outcome is kept apart from their labels."""

    TOLD = "settling"
    BINDINGS: ClassVar[list[Any]] = common_bindings("settle", without={"s", "n"})
    ACTS: ClassVar[Mapping[str, str]] = {
        **SCROLL,
        "u": "undo",
        "0": "cannot_tell",
        "g": "go",
        "slash": "find",
        "w": "whole",
    }

    def compose_item(self) -> Iterable[Widget]:
        """The two answers, then the prompt and the response."""
        yield Words(id="sit-both")
        yield from super().compose_item()

    def draw_item(self, shown: Shown) -> None:
        """The two answers above the item."""
        self.query_one("#sit-both", Words).show(rating_text.both(shown))
        super().draw_item(shown)

    async def score(self, key: str) -> None:
        """Settle the item that stands with an answer, and go on."""
        seconds = self.seconds
        await self._settle_item(lambda table: table.score(key, seconds), key)

    async def cannot_tell(self) -> None:
        """Ask why it cannot be told."""
        if self.shown is not None:
            offered = rating_text.reasons(self.shown)
            choices: dict[str, Chosen] = {key: partial(self._untold, reason) for key, reason, _ in offered}
            self.choose(rating_text.ask_reason(offered), choices)

    async def _untold(self, reason: str) -> None:
        seconds = self.seconds
        await self._settle_item(lambda table: table.cannot_tell(reason, seconds), reason)

    async def _settle_item(self, job: Callable[[Adjudication], object], words: str) -> None:
        before = self.shown
        if before is not None and await self.ask(job):
            self.say(rating_text.given(words, before.number))

    async def go_on(self, key: str) -> None:
        """No verdict is ever shown here."""

    def what_next(self) -> list[Content]:
        """What can be done when nothing is left."""
        return [Content("Nothing is left to settle."), Content("u: undo the last · g: go to an item · esc: leave")]
