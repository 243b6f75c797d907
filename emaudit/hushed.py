"""An app that says nothing while somebody scores blind: what it has to say is told when they are done."""

from __future__ import annotations

from functools import partial

from textual.app import App
from textual.notifications import SeverityLevel

from emaudit.screens.base import Explains


class HushedApp(App[int]):
    """Holds notifications back while a blind screen is open."""

    def __init__(self) -> None:
        super().__init__()
        self._held_back: list[partial[None]] = []

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Show a notification; while a blind screen is open, hold it back until that is left."""
        tell = partial(super().notify, message, title=title, severity=severity, timeout=timeout, markup=markup)
        if self.is_blind:
            self._held_back.append(tell)
        else:
            tell()

    @property
    def is_blind(self) -> bool:
        """Whether someone is rating: nothing else may say anything then."""
        return any(
            isinstance(screen, Explains) and screen.is_blind for screen in self._screen_stacks[self.current_mode]
        )

    def hold_back(self) -> None:
        """Take down what is being notified, to be told later."""
        for held in list(self._notifications):
            again = partial(super().notify, held.message, title=held.title, severity=held.severity, markup=held.markup)
            self._held_back.append(again)
        self.clear_notifications()

    def tell_held_back(self) -> None:
        """Tell what was held back, oldest first."""
        held, self._held_back = self._held_back, []
        for tell in held:
            tell()

    async def leave_blind(self) -> None:
        """Leave the blind screen that is open, whatever stands over it."""
        while self.is_blind:
            await self.pop_screen()

    async def blind_keys_taken(self) -> None:
        """Wait, for a moment at most, until the keys typed into a blind screen are taken."""
        for screen in self._screen_stacks[self.current_mode]:
            if isinstance(screen, Explains) and screen.is_blind:
                await screen.taken()
