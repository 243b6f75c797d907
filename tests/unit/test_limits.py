"""Places in flight: handed over one by one, never lost, never more than the limit."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from statistics import fmean

import pytest

from emaudit.runner.limits import Limiter


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The time, which only passes where a test says so."""
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    yield now


def overloaded(limiter: Limiter) -> None:
    """Rate limits that are more than noise."""
    while not limiter.rate_limited(None):
        pass


async def test_a_place_is_handed_over_to_one_that_waits_in_order() -> None:
    limiter = Limiter(2)
    turns: list[int] = []

    async def take(number: int) -> None:
        await limiter.acquire()
        turns.append(number)

    waiting = [asyncio.create_task(take(number)) for number in range(6)]
    await asyncio.sleep(0)
    assert turns == [0, 1]
    limiter.release()
    limiter.release()
    assert limiter.in_flight == 2, "both places are taken before those that got them have run"
    await asyncio.sleep(0)
    assert turns == [0, 1, 2, 3]
    for _ in range(2):
        limiter.release()
    await asyncio.gather(*waiting)
    assert (turns, limiter.in_flight) == ([0, 1, 2, 3, 4, 5], 2)


async def test_a_place_given_to_one_that_was_cancelled_goes_to_the_next() -> None:
    limiter = Limiter(1)
    await limiter.acquire()
    first, second = (asyncio.create_task(limiter.acquire()) for _ in range(2))
    await asyncio.sleep(0)
    limiter.release()
    first.cancel()
    await asyncio.wait_for(second, 5)
    assert first.cancelled()
    assert limiter.in_flight == 1


async def test_a_place_that_comes_during_a_cooldown_is_not_kept() -> None:
    limiter = Limiter(1)
    await limiter.acquire()
    waiting = asyncio.create_task(limiter.acquire())
    await asyncio.sleep(0)
    limiter.pause(0.05)
    limiter.release()
    await asyncio.sleep(0)
    assert limiter.in_flight == 0
    await asyncio.wait_for(waiting, 5)
    assert limiter.in_flight == 1


async def test_no_more_in_flight_than_the_limit() -> None:
    limiter = Limiter(3)
    seen: list[int] = []

    async def one() -> None:
        await limiter.acquire()
        seen.append(limiter.in_flight)
        await asyncio.sleep(0)
        limiter.release()

    await asyncio.gather(*(one() for _ in range(50)))
    assert max(seen) == 3
    assert limiter.in_flight == 0


def test_the_limit_doubles_then_halves_then_climbs_slowly() -> None:
    limiter = Limiter(100)
    for _ in range(8):
        limiter.succeeded()
    assert limiter.limit == 16.0
    overloaded(limiter)
    assert limiter.limit == 8.0
    assert limiter.reason == "rate-limited"
    assert limiter.rate_limited(0.0)
    assert limiter.limit == 8.0, "many at once count as one"
    for _ in range(8):
        limiter.succeeded()
    assert 8.9 < limiter.limit < 9.1


def test_the_limit_never_passes_its_cap_or_falls_below_one(clock: list[float]) -> None:
    limiter = Limiter(3)
    for _ in range(10):
        limiter.succeeded()
    assert limiter.limit == 3.0
    for _ in range(5):
        clock[0] += 2
        overloaded(limiter)
    assert limiter.limit == 1.0


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1])
def test_rare_rate_limits_cost_the_refused_request_alone(clock: list[float], share: float) -> None:
    limiter, drawing = Limiter(100), random.Random(1)
    for _ in range(50_000):
        clock[0] += 0.001
        if drawing.random() < share:
            assert not limiter.rate_limited(None) and not limiter.cooldown
        else:
            limiter.succeeded()
    assert (limiter.limit, limiter.reason) == (100.0, "at the cap of 100")


def test_a_rare_rate_limit_that_names_a_wait_makes_everyone_wait(clock: list[float]) -> None:
    limiter = Limiter(100)
    for _ in range(100):
        limiter.succeeded()
    assert limiter.rate_limited(7.0)
    assert (limiter.cooldown, limiter.limit, limiter.reason) == (7.0, 100.0, "rate-limited")


@pytest.mark.parametrize("capacity", [4, 20, 60])
def test_an_endpoint_that_takes_less_is_asked_about_as_much_as_it_takes(clock: list[float], capacity: int) -> None:
    """A round trip of a second at an endpoint that answers so many requests in each and refuses the others."""
    limiter = Limiter(100)
    sent: list[int] = []
    for _ in range(400):
        clock[0] += 1.0 + limiter.cooldown
        asked = int(limiter.limit)
        for place in range(asked):
            if place < capacity:
                limiter.succeeded()
            else:
                limiter.rate_limited(None)
        sent.append(asked)
    settled = sent[100:]
    refused = sum(max(0, asked - capacity) for asked in settled) / sum(settled)
    assert 0.6 * capacity < fmean(settled) < 1.25 * capacity and max(settled) < 1.5 * capacity + 2
    assert refused < 0.2
