"""Settling where two raters differ: both answers, without names, and no judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.content import Content

from emaudit.reviewing.sitting import Sitting
from emaudit.screens.scoring import SHARED, ScoringScreen, common_bindings

if TYPE_CHECKING:
    from emaudit.reviewing.session import Adjudication


class SettleScreen(ScoringScreen["Adjudication"]):
    """Scores what two raters scored differently; the outcome is kept apart from their labels."""

    TOLD = "settling"
    BINDINGS: ClassVar[list[Any]] = common_bindings("settle", without={"s", "n"})
    ACTS = SHARED

    def __init__(self, sitting: Sitting[Adjudication], reviewer: str) -> None:
        super().__init__(sitting, reviewer)

    def what_next(self) -> list[Content]:
        """What can be done when nothing is left."""
        return [Content("Nothing is left to settle."), *super().what_next()]
