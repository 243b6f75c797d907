"""The open work of one pass: counts what is queued, in flight or waiting for the disk, and knows when none is left."""

from __future__ import annotations

import asyncio

from emaudit.runner.lanes import Job, Lane


class OpenWork:
    """A pass is over when everything opened was finished, or when it is cut short."""

    def __init__(self) -> None:
        self._n_open = 0
        self._none_left = asyncio.Event()

    def begin(self) -> None:
        """Start a pass with nothing open."""
        self._n_open = 0
        self._none_left.clear()

    def queue(self, lane: Lane, job: Job, judging: bool = False) -> None:
        """Open a request and queue it."""
        self.opened()
        lane.put(job, judging)

    def opened(self) -> None:
        """One more thing to wait for."""
        self._n_open += 1

    def finished(self) -> None:
        """One less."""
        self._n_open -= 1
        if self._n_open == 0:
            self._none_left.set()

    def cut_short(self) -> None:
        """End the pass now, whatever is open."""
        self._none_left.set()

    async def none_left(self) -> None:
        """Wait for the end of the pass."""
        await self._none_left.wait()
