"""Places in flight: handed over one by one, never lost, never more than the limit."""

from __future__ import annotations

import asyncio

from emaudit.runner.limits import Limiter


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
