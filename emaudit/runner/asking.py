"""Ask one endpoint until it answers: retries, cooldowns, refused parameters, and when to give up.

Transport is retried, content never. Rate limits are waited for and never counted as failures.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from emaudit.client import Client
from emaudit.completions import Completion
from emaudit.failures import Kind, RequestFailed
from emaudit.runner.caps import Ticket
from emaudit.runner.limits import Limiter

TRIES: Final = 6
REFUSALS_AT_FIRST: Final = 10
FAILURES_IN_ROW: Final = 10
FAILURES_BORNE: Final = 4
"""So many failures in a row make nobody wait but those that failed: at 100 in flight they come by chance."""
LONGEST_WAIT: Final = 15 * 60.0
_OLDER_NAME: Final = {"max_completion_tokens": "max_tokens"}


Admit = Callable[[Mapping[str, Any]], Awaitable[Ticket]]
"""Waits until a request may be sent."""


class GaveUp(Exception):
    """The endpoint failed 10 times in a row, or asks to wait longer than anyone should: it is left alone."""


class Session:
    """What one run knows of one endpoint in one role (asking or judging)."""

    def __init__(self, client: Client, limiter: Limiter, warn: Callable[[str], None]) -> None:
        self.client = client
        self.limiter = limiter
        self.answered = False
        self.single = False
        """Asked for one sample at a time, since this endpoint ignores or refuses `n`."""
        self.last_failure = ""
        """The newest failed attempt, in words; empty where none failed."""
        self._down = ""
        self._refused: dict[str, str] = {}
        self._n_refused_at_first = 0
        self._warn = warn
        self._in_row = 0
        self._last_failure_at = 0.0

    @property
    def dropped(self) -> list[str]:
        """Parameters this endpoint refused, by the names first tried."""
        return sorted(self._refused)

    async def ask(
        self,
        body: Mapping[str, Any],
        n: int,
        on_failure: Callable[[RequestFailed], None],
        admit: Admit,
    ) -> tuple[Completion, int]:
        """The completion and how many attempts it took.

        Every attempt is admitted first (`admit` raises to end the run there); `on_failure` is told of failed ones.
        Raises RequestFailed for what cannot be retried or was tried 6 times, GaveUp when the endpoint is down.
        """
        attempt = n_rate_limits = 0
        while True:
            await self.limiter.acquire()
            try:
                if self._down:
                    raise GaveUp(self._down)
                sent = self._translated(body)
                ticket = await admit(sent)
                started = time.monotonic()
                completion = await _sent(self.client.complete(sent, n), ticket)
            except RequestFailed as failure:
                failed = failure
            else:
                self._succeeded()
                return completion, attempt + 1
            finally:
                self.limiter.release()
            if failed.kind is Kind.RATE_LIMIT:
                self._check_wait(failed)
                n_rate_limits += 1
                if not self.limiter.rate_limited(failed.retry_after):
                    await asyncio.sleep(_backoff(n_rate_limits))
                continue
            if failed.kind is Kind.PARAMETER:
                if failed.parameter in sent:
                    self._refuse(failed, sent, self._translated(body))
                    continue
                failed = RequestFailed(Kind.RECORD, str(failed), failed.raw)
            self.last_failure = str(failed)
            on_failure(failed)
            attempt += 1
            if failed.kind is Kind.RECORD and not self.answered:
                self._doubt(failed)
            if failed.kind not in (Kind.RETRY, Kind.UNREACHABLE):
                raise failed
            self._count_failure(failed, started)
            if attempt >= TRIES:
                raise failed
            await asyncio.sleep(_backoff(attempt))

    def reopen(self) -> None:
        """Ask again after giving up."""
        self._down = ""

    def _give_up(self, why: str) -> GaveUp:
        """Ask nothing more, whoever is waiting for a place or for another try."""
        self._down = why
        return GaveUp(why)

    def _succeeded(self) -> None:
        self.answered = True
        self._in_row = 0
        self.limiter.succeeded()

    def _check_wait(self, failure: RequestFailed) -> None:
        """Raises GaveUp where the endpoint asks to wait longer than anyone should."""
        if failure.retry_after is not None and failure.retry_after > LONGEST_WAIT:
            raise self._give_up(f"{failure}; it asks to wait {failure.retry_after / 60:.0f} minutes: resume then")

    def _doubt(self, failure: RequestFailed) -> None:
        """A refusal before the first answer may mean every prompt: its slot stays owed, and ten of them end it."""
        self._n_refused_at_first += 1
        if self._n_refused_at_first >= REFUSALS_AT_FIRST:
            raise self._give_up(f"refused every request so far; the last: {failure}")
        raise RequestFailed(Kind.RETRY, str(failure), failure.raw)

    def _count_failure(self, failure: RequestFailed, started: float) -> None:
        """Count failures in a row; those in flight together when something broke count as one."""
        if failure.kind is Kind.UNREACHABLE and not self.answered:
            raise self._give_up(str(failure))
        self._check_wait(failure)
        if started < self._last_failure_at:
            return
        self._last_failure_at = time.monotonic()
        self._in_row += 1
        if self._in_row >= FAILURES_IN_ROW:
            raise self._give_up(f"{FAILURES_IN_ROW} failures in a row; the last: {failure}")
        if failure.retry_after is not None:
            self.limiter.pause(min(failure.retry_after, 60.0))
        elif self._in_row > FAILURES_BORNE:
            self.limiter.pause(min(2.0, 0.8 * 2 ** (self._in_row - FAILURES_BORNE - 1)))

    def _refuse(self, failure: RequestFailed, sent: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        """Ask without a refused parameter from now on, or under its older name. Raises what cannot be left out."""
        name = failure.parameter
        if name == "n":
            self.single = True
            raise failure
        if sent.keys() != now.keys():
            return
        original = next((first for first, instead in self._refused.items() if instead == name), name)
        instead = _OLDER_NAME.get(name, "")
        self._refused[original] = instead
        how = f"asked with {instead}" if instead else "asked without it"
        self._warn(f"endpoint {self.client.endpoint.name!r} refuses {name}: {how} ({failure})")

    def _translated(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if not self._refused:
            return body
        names = {name: self._refused.get(name, name) for name in body}
        return {names[name]: value for name, value in body.items() if names[name]}


def _backoff(n_tries: int) -> float:
    """Seconds to wait after so many tries in vain: full jitter."""
    return random.uniform(0, min(8.0, 0.1 * 2 ** min(n_tries, 9)))


async def _sent(attempt: Awaitable[Completion], ticket: Ticket) -> Completion:
    """What one attempt brings, with what it took counted. Raises RequestFailed."""
    try:
        completion = await attempt
    except RequestFailed as failure:
        ticket.failed(failure)
        raise
    except BaseException:
        ticket.close()
        raise
    ticket.answered(completion)
    return completion
