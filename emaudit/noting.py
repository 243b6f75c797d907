"""An app that notes which verdicts its people had in view, so that later scores of those replies are not blind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from functools import partial
from typing import Final

from textual.message import Message
from textual.timer import Timer

from emaudit.commands import Commands
from emaudit.config import Settings
from emaudit.errors import EmauditError
from emaudit.hushed import HushedApp
from emaudit.reviewing.people import reviewer_name
from emaudit.seen import Batch, SeenLog
from emaudit.text import one_line

REST_S: Final = 0.4
"""What was shown is noted together, after so long."""
RETRY_S: Final = 5.0
"""What could not be noted is tried again after so long."""
LEAVE_S: Final = 3.0
"""Longest time that leaving the app waits for it."""


class SeenNoted(Message):
    """Notes were written to the store, or `why` they were not."""

    def __init__(self, batch: Batch, why: str = "") -> None:
        super().__init__()
        self.batch = batch
        self.why = why


class NotingApp(HushedApp):
    """Keeps what was shown until it is in the store; a store that takes no notes ends nothing."""

    settings: Settings
    commands: Commands

    def __init__(self) -> None:
        super().__init__()
        self.not_noted = ""
        self._seen = SeenLog()
        self._seen_timer: Timer | None = None
        self._is_noting = self._has_named = self._has_told = False
        self._one_writer = threading.Lock()

    def sits_down(self, reviewer: str) -> None:
        """Someone reviews here: from now on they are taken to see what any screen shows."""
        self._name_first()
        self._seen.sits_down(reviewer)
        self._note_later(REST_S)

    def was_shown(self, reply_ids: Iterable[int]) -> None:
        """These replies stand on a screen with their verdicts."""
        self._name_first()
        self._seen.shown(reply_ids)
        self._note_later(REST_S)

    def _name_first(self) -> None:
        """The reviewer of the settings sits here from the beginning, where there is one."""
        if not self._has_named:
            self._has_named = True
            try:
                self._seen.sits_down(reviewer_name(self.settings))
            except EmauditError as error:
                self._warn(f"not noted who sees these verdicts: {error}")

    def _note_later(self, seconds: float) -> None:
        if self._seen.owed and self._seen_timer is None and not self._is_noting:
            self._seen_timer = self.set_timer(seconds, self._note)

    def _note(self) -> None:
        self._seen_timer, self._is_noting = None, True
        self.run_worker(partial(self._note_in_thread, self._seen.owed), thread=True, exit_on_error=False, group="seen")

    def _note_in_thread(self, batch: Batch) -> None:
        self.post_message(SeenNoted(batch, self._written(batch)))

    def _written(self, batch: Batch) -> str:
        """Write notes; why they could not be written, empty where they were."""
        try:
            with self._one_writer:
                self.commands.mark_seen(batch)
        except EmauditError as error:
            return str(error)
        return ""

    def on_seen_noted(self, message: SeenNoted) -> None:
        """Go on with what was shown meanwhile; what could not be noted is kept, told once, and tried again."""
        self._is_noting = False
        if not message.why:
            self._seen.noted(message.batch)
            self._has_told = False
        elif not self._has_told:
            self._has_told = True
            self._warn(f"not noted yet what was seen here: {message.why}")
        self._note_later(RETRY_S if message.why else REST_S)

    def _warn(self, text: str) -> None:
        self.notify(one_line(text, 400), severity="warning", markup=False, timeout=8)

    async def on_unmount(self) -> None:
        """Note the rest, but do not wait for a store that is held: `not_noted` then says so."""
        batch = self._seen.owed
        if batch:
            said: list[str] = []
            thread = threading.Thread(target=lambda: said.append(self._written(batch)), daemon=True)
            thread.start()
            await asyncio.to_thread(thread.join, LEAVE_S)
            why = said[0] if said else "another process holds the store"
            self.not_noted = f"not noted which verdicts were seen last: {why}" if why else ""
