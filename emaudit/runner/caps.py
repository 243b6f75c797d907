"""What a run may still send: hard caps on requests, tokens and money, for as long as its process goes on.

A request reserves the most that it can take before it is sent, and gives back what it did not take. Where only
requests in flight stand in its way it waits for them; where the rest of a cap cannot hold it, the run ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from emaudit import tokens
from emaudit.completions import Completion
from emaudit.config import Price
from emaudit.failures import RequestFailed
from emaudit.planning import RunSpec
from emaudit.runner.counts import Counts


class Stopped(Exception):
    """The run is ending: nothing more is asked."""


class CapReached(Exception):
    """The rest of a cap cannot hold the next request; the message says which cap, and what is taken."""


@dataclass(frozen=True, slots=True)
class Amount:
    """Tokens, in and out together, and what they cost."""

    tokens: int = 0
    cost: Decimal = Decimal(0)

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.tokens + other.tokens, self.cost + other.cost)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.tokens - other.tokens, self.cost - other.cost)


NOTHING: Final = Amount()


class Ticket:
    """Leave to send one request, and the room it holds until it is known what that took."""

    def __init__(self, caps: Caps, body: Mapping[str, Any], held: Amount) -> None:
        self._caps = caps
        self._body = body
        self._held = held
        self._is_open = True

    def answered(self, completion: Completion) -> None:
        """Count what the answer reports to have taken."""
        self._caps.count(self._body, completion)
        self._end(NOTHING)

    def failed(self, failure: RequestFailed) -> None:
        """Give the room back, unless the request may have been worked on: then it stays taken."""
        self._end(self._held if failure.may_have_cost else NOTHING)

    def close(self) -> None:
        """Take a request whose outcome nobody will learn for the most it can have taken."""
        self._end(self._held)

    def _end(self, lost: Amount) -> None:
        if self._is_open:
            self._is_open = False
            self._caps.give_back(self._held, lost)


class Caps:
    """The caps of one run at work, and what is taken of them. Counts what every request took into `counts`."""

    def __init__(self, spec: RunSpec, counts: Counts, prices: Mapping[str, Price], warn: Callable[[str], None]) -> None:
        self.n_requests = 0
        """Requests sent by this process so far, failed ones included."""
        self._max_requests = spec.max_requests
        self._max_tokens = spec.max_tokens
        self._max_cost = Decimal(repr(spec.max_cost))
        self._counts = counts
        self._prices = prices
        self._warn = warn
        self._held = NOTHING
        self._lost = NOTHING
        self._silent: set[str] = set()
        self._waiting: list[asyncio.Future[None]] = []

    def admit(self, body: Mapping[str, Any]) -> Ticket | None:
        """Leave to send a request now; None where answers in flight must come first. Raises CapReached."""
        if self._max_requests and self.n_requests >= self._max_requests:
            raise CapReached(f"cap of {self._max_requests:,} requests reached")
        most = self._most(body)
        if most is not NOTHING:
            if self._passes(self._taken + most):
                raise CapReached(self._words(most))
            if self._passes(self._taken + self._held + most):
                return None
            self._held += most
        self.n_requests += 1
        return Ticket(self, body, most)

    async def freed(self) -> None:
        """Wait until a request in flight has ended, or `wake` is called."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        await waiter

    def wake(self) -> None:
        """Let those look again who wait for room."""
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

    def count(self, body: Mapping[str, Any], completion: Completion) -> None:
        """Count the tokens that an answer reports; where it reports none, those its texts are taken for."""
        model = body["model"]
        if None in (completion.prompt_tokens, completion.completion_tokens) and model not in self._silent:
            self._silent.add(model)
            self._warn(f"{model} reports no token counts: they are estimated (4 characters a token)")
        self._counts.spent(model, *tokens.taken(body, completion))

    def give_back(self, held: Amount, lost: Amount) -> None:
        """End what a request held; `lost` of it stays taken."""
        if held is not NOTHING:
            self._held -= held
            self._lost += lost
        self.wake()

    @property
    def _taken(self) -> Amount:
        counts = self._counts
        return Amount(counts.input_tokens + counts.output_tokens, counts.money or Decimal(0)) + self._lost

    def _passes(self, amount: Amount) -> bool:
        return bool(
            (self._max_tokens and amount.tokens > self._max_tokens) or (self._max_cost and amount.cost > self._max_cost)
        )

    def _most(self, body: Mapping[str, Any]) -> Amount:
        """The most that a request can take. Raises CapReached where nothing limits its reply."""
        if not (self._max_tokens or self._max_cost):
            return NOTHING
        asked, said = tokens.most_asked(body), tokens.most_answered(body)
        if said is None:
            raise CapReached(
                f"{body['model']} takes no limit on the length of its replies: no cap on tokens or cost can be kept"
            )
        price = self._prices.get(body["model"])
        return Amount(asked + said, price.of(asked, said) if price else Decimal(0))

    def _words(self, most: Amount) -> str:
        taken, lost = self._taken, self._lost
        if self._max_tokens and taken.tokens + most.tokens > self._max_tokens:
            unknown = f", {lost.tokens:,} of them for requests that went unanswered" if lost.tokens else ""
            return (
                f"cap of {self._max_tokens:,} tokens reached: {taken.tokens:,} taken{unknown}, "
                f"and the next request may take {most.tokens:,}"
            )
        unknown = f", {lost.cost:f} of it for requests that went unanswered" if lost.cost else ""
        return (
            f"cap of {self._max_cost:f} on cost reached: {taken.cost:f} spent{unknown}, "
            f"and the next request may cost {most.cost:f}"
        )
