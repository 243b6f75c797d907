"""A lane: one endpoint of a run, with its pool, its limit, and what waits to be asked there."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Final

from emaudit.client import Client
from emaudit.config import Endpoint
from emaudit.runner.asking import Session
from emaudit.runner.limits import Limiter

Job = Callable[[], Awaitable[None]]
SERVING: Final = 2
"""Requests in hand per request that may be in flight: one that waits to be tried again keeps no place from others."""


class Lane:
    """Requests to one endpoint; verdicts go before replies."""

    def __init__(self, endpoint: Endpoint, cap: int, insecure_http: bool, warn: Callable[[str], None]) -> None:
        self.endpoint = endpoint
        self.limiter = Limiter(cap or endpoint.max_concurrency)
        self.client = Client(endpoint, insecure_http)
        self.asking = Session(self.client, self.limiter, warn)
        self.judging = Session(self.client, self.limiter, warn)
        self.down = ""
        """Why nothing more is asked here in this run; empty while it answers."""
        self._waiting: asyncio.PriorityQueue[tuple[int, int, Job]] = asyncio.PriorityQueue()
        self._order = itertools.count()

    @property
    def n_waiting(self) -> int:
        """Requests ready to be sent."""
        return self._waiting.qsize()

    def last_failure(self, judging: bool) -> str:
        """The newest failed request to the judge or to variants here, in words; empty where none failed."""
        return (self.judging if judging else self.asking).last_failure

    def put(self, job: Job, judging: bool) -> None:
        """Queue a request."""
        self._waiting.put_nowait((0 if judging else 1, next(self._order), job))

    async def next(self) -> Job:
        """The next request to send, once there is one."""
        return (await self._waiting.get())[2]

    def clear(self) -> None:
        """Forget what waits."""
        self._waiting = asyncio.PriorityQueue()
