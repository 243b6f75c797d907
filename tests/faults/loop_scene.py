"""An event loop whose time passes at once where nothing else is left to do, and in which a run can be met anywhere."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

LONGEST = 3_600.0
"""Seconds that a run may take by the loop's own clock: more, and it waits for something that never comes."""
THREAD_S = 0.003
"""Seconds that what runs in a thread takes."""
EVERY = -1
"""Before every turn."""


class Hung(Exception):
    """The loop waits for something that never comes."""


class Meeting(selectors.DefaultSelector):
    """Lets time pass instead of waiting, and calls `meet` before turn `turn` of the loop."""

    def __init__(self, turn: int | None, meet: Callable[[], object]) -> None:
        super().__init__()
        self.now = time.monotonic()
        self.until = self.now + LONGEST
        self.turns = 0
        self._turn = turn
        self._meet = meet

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self._turn in (self.turns, EVERY):
            self._meet()
        self.turns += 1
        found = super().select(0)
        if not found and (timeout is None or self.now > self.until):
            self.until += LONGEST
            raise Hung
        if not found and timeout:
            self.now += timeout
        return found


@contextmanager
def meeting(turn: int | None = None, meet: Callable[[], object] = lambda: None) -> Iterator[Meeting]:
    """The loop of the block is such a one; what would run in a thread runs in it."""
    selector = Meeting(turn, meet)
    waiting: list[Callable[[], object]] = []

    async def in_loop(act: Callable[..., Any], *given: object) -> Any:  # noqa: ANN401 (as asyncio.to_thread)
        """A little later, and even where whoever waits for it is cancelled, as a thread would."""
        loop = asyncio.get_running_loop()
        answer = loop.create_future()

        def run() -> None:
            waiting.remove(run)
            try:
                result = act(*given)
            except Exception as error:  # noqa: BLE001 (handed on to whoever waits)
                if not answer.done():
                    answer.set_exception(error)
            else:
                if not answer.done():
                    answer.set_result(result)

        waiting.append(run)
        loop.call_later(THREAD_S, run)
        return await answer

    with (
        patch("asyncio.events.new_event_loop", lambda: asyncio.SelectorEventLoop(selector)),
        patch("asyncio.to_thread", in_loop),
        patch("time.monotonic", lambda: selector.now),
        patch("emaudit.runner.loop.stand_back"),
    ):
        try:
            yield selector
        finally:
            for run in list(waiting):
                run()
