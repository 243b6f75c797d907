"""Caps without any network: what is reserved, given back, lost; waiting for requests in flight, and the end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from emaudit import tokens
from emaudit.assessments.base import Outcome
from emaudit.completions import Choice, Completion
from emaudit.config import Price
from emaudit.failures import Kind, RequestFailed
from emaudit.planning import RunSpec
from emaudit.runner.caps import CapReached, Caps, Ticket
from emaudit.runner.counts import Counts

PRICES = {"m": Price(0.1, 0.3)}


def body(limit: int | None = 100, n: int = 1, text: str = "what?") -> dict[str, Any]:
    made: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": text}]}
    return made | ({"max_completion_tokens": limit} if limit else {}) | ({"n": n} if n > 1 else {})


def answer(asked: int | None, said: int | None, text: str = "hi") -> Completion:
    return Completion([Choice(text, Outcome.OK, "stop")], "m", "", asked, said, b"")


def caps(warned: list[str] | None = None, **limits: Any) -> tuple[Caps, Counts]:  # noqa: ANN401
    counts = Counts([], PRICES)
    said = warned if warned is not None else []
    return Caps(RunSpec((), **limits), counts, PRICES, said.append), counts


def admitted(held: Caps, request: Mapping[str, Any]) -> Ticket:
    ticket = held.admit(request)
    assert ticket is not None
    return ticket


def test_requests_are_counted_as_they_are_sent() -> None:
    held, _ = caps(max_requests=3)
    for _ in range(3):
        admitted(held, body()).failed(RequestFailed(Kind.RATE_LIMIT, "busy"))
    with pytest.raises(CapReached, match="cap of 3 requests reached"):
        held.admit(body())
    assert held.n_requests == 3


def test_room_that_is_given_back_is_used_again() -> None:
    most = tokens.most_asked(body()) + 100
    held, counts = caps(max_tokens=most + 15)
    for _ in range(2):
        admitted(held, body()).answered(answer(3, 4))
    assert (counts.input_tokens, counts.output_tokens) == (6, 8)
    admitted(held, body()).answered(answer(1, 1))
    with pytest.raises(CapReached, match=f"cap of {most + 15} tokens reached: 16 taken.*may take {most}"):
        held.admit(body())


def test_what_only_requests_in_flight_keep_out_waits() -> None:
    most = tokens.most_asked(body()) + 100
    held, _ = caps(max_tokens=most + 50)
    first = admitted(held, body())
    assert held.admit(body()) is None
    assert held.n_requests == 1
    first.answered(answer(3, 4))
    assert held.admit(body()) is not None


def test_samples_and_the_limit_on_a_reply_make_the_most_it_can_take() -> None:
    assert tokens.most_answered(body(100, n=7)) == 700
    assert tokens.most_answered({"max_tokens": 5}) == 5
    assert tokens.most_asked(body(text="一" * 50)) >= 150


@pytest.mark.parametrize("kind", [Kind.RETRY, Kind.RATE_LIMIT, Kind.UNREACHABLE])
def test_what_may_have_been_worked_on_stays_taken(kind: Kind) -> None:
    most = tokens.most_asked(body()) + 100
    held, _ = caps(max_tokens=2 * most - 1)
    admitted(held, body()).failed(RequestFailed(kind, "no", may_have_cost=False))
    admitted(held, body()).failed(RequestFailed(Kind.RETRY, "lost", may_have_cost=True))
    with pytest.raises(CapReached, match=f"{most} of them for requests that went unanswered"):
        held.admit(body())


def test_money_is_exact() -> None:
    counts = Counts([], PRICES)
    held = Caps(RunSpec((), max_cost=0.3), counts, {"m": Price(0.1, 0.1)}, lambda _: None)
    counts.spent("m", 0, 0)
    for _ in range(3):
        counts.spent("m", 1_000_000, 0)
    assert counts.money == Decimal("0.3")
    with pytest.raises(CapReached, match=r"cap of 0\.3 on cost reached: 0\.3 spent, and the next request may cost"):
        held.admit(body())


def test_a_reply_that_nothing_limits_keeps_no_cap() -> None:
    held, _ = caps(max_tokens=10**9)
    with pytest.raises(CapReached, match="m takes no limit on the length of its replies"):
        held.admit(body(limit=None))
    free, _ = caps()
    assert free.admit(body(limit=None)) is not None


def test_tokens_that_nobody_reports_are_estimated_and_said_once() -> None:
    warned: list[str] = []
    held, counts = caps(warned)
    for _ in range(2):
        admitted(held, body(text="x" * 41)).answered(answer(None, None, "y" * 9))
    assert (counts.input_tokens, counts.output_tokens) == (2 * (3 + 11), 2 * 3)
    assert warned == ["m reports no token counts: they are estimated (4 characters a token)"]


async def test_200_at_once_never_pass_a_cap_and_fill_it() -> None:
    held, counts = caps(max_tokens=60_000)
    draw, seen = random.Random(5), []

    async def ask() -> bool:
        while True:
            try:
                ticket = held.admit(body(200, n=2))
            except CapReached:
                held.wake()
                return False
            if ticket:
                break
            await held.freed()
        await asyncio.sleep(0)
        ticket.answered(answer(10, draw.randrange(401)))
        seen.append(counts.input_tokens + counts.output_tokens)
        return True

    done = await asyncio.wait_for(asyncio.gather(*(ask() for _ in range(400))), 30)
    assert not all(done)
    assert 60_000 - 700 < max(seen) <= 60_000


def test_the_runs_pane_tells_what_is_expected_at_the_end() -> None:
    from emaudit.screens import run_text
    from emaudit.watch.snapshot import RunRow, RunStage

    row = RunRow("u", RunStage.RUNNING, expected_input=1_234_000, expected_output=5_600, expected_cost=1.25)
    said = run_text.pane(row, is_wide=True).plain
    assert "tokens in" in said
    assert "at the end, price 1.25" in said
    assert "at the end" not in run_text.pane(RunRow("u", RunStage.RUNNING), is_wide=True).plain
