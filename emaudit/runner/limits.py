"""How many requests may be in flight at one endpoint: slow start, additive increase, multiplicative decrease."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from typing import Final

START: Final = 8.0
RARE: Final = 0.2
"""Rate limits up to this share of the newest answers are noise, more are overload."""
NEWEST: Final = 100
"""Answers that the share is taken over; older ones fade."""
BEFORE: Final = 30
"""As many good answers are taken to have come before the first."""


class Limiter:
    """The live limit of one endpoint, its reason, and its shared cooldown.

    `limit` grows by one a success until the first sign of overload (doubling a round trip), then by one a round
    trip; rate limits that are more than rare halve it and start a cooldown that everyone waits for.
    """

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self.limit = min(START, float(cap))
        self.in_flight = 0
        self.reason = "starting"
        self._slow_start = True
        self._resume_at = 0.0
        self._decreased_at = 0.0
        self._rate_limits_in_row = 0
        self._share = 0.0
        self._n_answers = BEFORE
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def cooldown(self) -> float:
        """Seconds until anyone may ask again; 0 where nobody waits."""
        return max(0.0, self._resume_at - time.monotonic())

    async def acquire(self) -> None:
        """Wait for a place in flight; whoever holds one calls `release`."""
        while True:
            if (pause := self.cooldown) > 0:
                await asyncio.sleep(pause * random.uniform(1.0, 1.1) + 0.001)
                continue
            if self.in_flight < int(self.limit):
                self.in_flight += 1
                return
            await self._place()
            if not self.cooldown:
                return
            self.release()

    async def _place(self) -> None:
        """Wait until a place is handed over; it counts as in flight from that moment, so that nobody else takes it."""
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Give a place back."""
        self.in_flight -= 1
        self._wake()

    def succeeded(self) -> None:
        """One more answer: the limit may grow."""
        self._rate_limits_in_row = 0
        self._answered(0.0)
        if self.limit < self.cap:
            self.limit = min(float(self.cap), self.limit + (1.0 if self._slow_start else 1.0 / self.limit))
            self.reason = "slow start" if self._slow_start else "recovering after a rate limit"
        if self.limit >= self.cap:
            self.reason = f"at the cap of {self.cap}"
        self._wake()

    def rate_limited(self, wait: float | None) -> bool:
        """A rate limit; whether everyone waits for it now, or the refused request alone is to back off.

        Everyone waits as long as the endpoint asks. Where rate limits are overload, the limit is halved too, at most
        once a second, and a jittered backoff is the least that everyone waits.
        """
        moment = time.monotonic()
        self._answered(1.0)
        if self._share <= RARE:
            if wait:
                self._cool_down(moment + wait)
            return bool(wait)
        self._slow_start = False
        if moment - self._decreased_at > 1.0:
            self.limit = max(1.0, self.limit / 2)
            self._decreased_at = moment
            self._rate_limits_in_row += 1
        backoff = random.uniform(0, min(30.0, 0.2 * 2 ** min(self._rate_limits_in_row, 9)))
        self._cool_down(moment + max(wait or 0.0, backoff))
        return True

    def _answered(self, was_limited: float) -> None:
        self._n_answers = min(NEWEST, self._n_answers + 1)
        self._share += (was_limited - self._share) / self._n_answers

    def _cool_down(self, until: float) -> None:
        self._resume_at = max(self._resume_at, until)
        self.reason = "rate-limited"

    def pause(self, seconds: float) -> None:
        """Let nobody ask for some seconds after failures."""
        self.reason = "waiting after failures"
        self._resume_at = max(self._resume_at, time.monotonic() + seconds)

    def _wake(self) -> None:
        while self._waiting and self.in_flight < int(self.limit):
            place = self._waiting.popleft()
            if not place.done():
                self.in_flight += 1
                place.set_result(None)
