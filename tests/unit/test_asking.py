"""The retry loop and the live limit of one endpoint, against a fake client with a queue of answers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from typing import Any

import pytest

from emaudit.assessments.base import Outcome
from emaudit.completions import Choice, Completion
from emaudit.config import Endpoint
from emaudit.failures import Kind, RequestFailed
from emaudit.planning import RunSpec
from emaudit.runner import asking
from emaudit.runner.asking import GaveUp, Session
from emaudit.runner.caps import Caps, Ticket
from emaudit.runner.counts import Counts
from emaudit.runner.limits import Limiter

DONE = Completion([Choice("hi", Outcome.OK, "stop")], "m", "", 1, 1, b"")


class FakeClient:
    """Answers from a queue, and keeps what it was asked."""

    def __init__(self, *answers: Completion | RequestFailed) -> None:
        self.endpoint = Endpoint("fake", "http://127.0.0.1:1/v1")
        self.answers = list(answers)
        self.asked: list[Mapping[str, Any]] = []

    async def complete(self, body: Mapping[str, Any], n: int) -> Completion:
        self.asked.append(body)
        answer = self.answers.pop(0) if self.answers else DONE
        if isinstance(answer, RequestFailed):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    real = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda _: real(0))
    monkeypatch.setattr(Limiter, "pause", lambda *_: None)
    monkeypatch.setattr(random, "uniform", lambda *_: 0.0)


def session(*answers: Completion | RequestFailed, warnings: list[str] | None = None) -> tuple[Session, FakeClient]:
    client = FakeClient(*answers)
    said = warnings if warnings is not None else []
    return Session(client, Limiter(4), said.append), client  # type: ignore[arg-type]


async def admit(body: Mapping[str, Any]) -> Ticket:
    ticket = Caps(RunSpec(()), Counts([], {}), {}, lambda _: None).admit(body)
    assert ticket is not None
    return ticket


async def ask(held: Session, body: Mapping[str, Any] | None = None) -> tuple[Completion, int, list[RequestFailed]]:
    failures: list[RequestFailed] = []
    completion, attempt = await held.ask(body or {"model": "m"}, 1, failures.append, admit)
    return completion, attempt, failures


def failed(kind: Kind, **more: Any) -> RequestFailed:  # noqa: ANN401
    return RequestFailed(kind, "why", **more)


async def test_transport_failures_are_retried_and_kept() -> None:
    held, client = session(failed(Kind.RETRY, raw=b"x"), failed(Kind.RETRY))
    completion, attempt, failures = await ask(held)
    assert (completion, attempt, len(failures), len(client.asked)) == (DONE, 3, 2, 3)
    assert held.limiter.in_flight == 0


async def test_at_most_six_tries() -> None:
    held, client = session(*[failed(Kind.RETRY)] * 20)
    with pytest.raises(RequestFailed):
        await ask(held)
    assert len(client.asked) == asking.TRIES


async def test_rate_limits_are_never_failures() -> None:
    held, client = session(*[failed(Kind.RATE_LIMIT, retry_after=0.0)] * 30)
    completion, attempt, failures = await ask(held)
    assert (completion, attempt, failures, len(client.asked)) == (DONE, 1, [], 31)


@pytest.mark.parametrize("kind", [Kind.RATE_LIMIT, Kind.RETRY])
async def test_a_wait_over_15_minutes_ends_it(kind: Kind) -> None:
    held, client = session(failed(kind, retry_after=3600.0))
    with pytest.raises(GaveUp, match="60 minutes"):
        await ask(held)
    assert len(client.asked) == 1


async def test_who_waits_for_another_try_asks_nothing_more_once_an_endpoint_is_given_up() -> None:
    held, client = session(*[failed(Kind.RETRY)] * 500)
    ended = await asyncio.gather(*(ask(held) for _ in range(100)), return_exceptions=True)
    assert all(isinstance(each, GaveUp | RequestFailed) for each in ended)
    asked = len(client.asked)
    assert asked < asking.FAILURES_IN_ROW + held.limiter.cap
    with pytest.raises(GaveUp):
        await ask(held)
    assert len(client.asked) == asked
    held.reopen()
    with pytest.raises(GaveUp):
        await ask(held)
    assert len(client.asked) == asked + 1
    assert held.last_failure == "why"


@pytest.mark.parametrize("kind", [Kind.STOP_RUN, Kind.STOP_VARIANT, Kind.RECORD])
async def test_what_cannot_be_retried_is_not(kind: Kind) -> None:
    held, client = session(DONE, failed(kind))
    await ask(held)
    with pytest.raises(RequestFailed) as found:
        await ask(held)
    assert found.value.kind is kind
    assert len(client.asked) == 2


async def test_nobody_there_from_the_start_ends_it_at_once() -> None:
    held, client = session(*[failed(Kind.UNREACHABLE)] * 5)
    with pytest.raises(GaveUp):
        await ask(held)
    assert len(client.asked) == 1


async def test_nobody_there_after_an_answer_is_retried() -> None:
    held, client = session(DONE, failed(Kind.UNREACHABLE), DONE)
    await ask(held)
    assert (await ask(held))[1] == 2
    assert len(client.asked) == 3


async def test_ten_failures_in_a_row_end_it() -> None:
    held, client = session(*[failed(Kind.RETRY)] * 50)
    with pytest.raises(RequestFailed):
        await ask(held)
    with pytest.raises(GaveUp, match="10 failures in a row"):
        await ask(held)
    assert len(client.asked) == asking.FAILURES_IN_ROW


@pytest.mark.parametrize(
    ("asked_wait", "waits"), [(None, [0.8, 1.6, 2.0, 2.0, 2.0]), (0.0, [0.0] * 9), (90.0, [60.0] * 9)]
)
async def test_failures_in_a_row_make_everyone_wait(
    monkeypatch: pytest.MonkeyPatch, asked_wait: float | None, waits: list[float]
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(Limiter, "pause", lambda _, seconds: waited.append(seconds))
    held, _ = session(*[failed(Kind.RETRY, retry_after=asked_wait)] * 50)
    with pytest.raises(RequestFailed):
        await ask(held)
    with pytest.raises(GaveUp):
        await ask(held)
    assert waited == pytest.approx(waits)


async def test_a_refused_parameter_is_renamed_then_left_out() -> None:
    said: list[str] = []
    held, client = session(
        failed(Kind.PARAMETER, parameter="max_completion_tokens"),
        failed(Kind.PARAMETER, parameter="max_tokens"),
        failed(Kind.PARAMETER, parameter="seed"),
        warnings=said,
    )
    await ask(held, {"max_completion_tokens": 5, "seed": 1, "model": "m"})
    assert client.asked == [
        {"max_completion_tokens": 5, "seed": 1, "model": "m"},
        {"max_tokens": 5, "seed": 1, "model": "m"},
        {"seed": 1, "model": "m"},
        {"model": "m"},
    ]
    assert held.dropped == ["max_completion_tokens", "seed"]
    assert len(said) == 3
    await ask(held, {"max_completion_tokens": 5, "model": "m"})
    assert client.asked[-1] == {"model": "m"}


async def test_a_parameter_that_was_not_sent_is_an_answer_about_the_prompt() -> None:
    held, _ = session(DONE, failed(Kind.PARAMETER, parameter="seed"))
    await ask(held)
    with pytest.raises(RequestFailed) as found:
        await ask(held, {"model": "m"})
    assert found.value.kind is Kind.RECORD


async def test_stopping_asks_nothing_more() -> None:
    held, client = session()

    async def stop(body: Mapping[str, Any]) -> Ticket:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await held.ask({}, 1, lambda _: None, stop)
    assert client.asked == []
    assert held.limiter.in_flight == 0


async def test_refusing_every_prompt_from_the_start_closes_nothing_and_ends_it() -> None:
    held, client = session(*[failed(Kind.RECORD)] * 20)
    for _ in range(asking.REFUSALS_AT_FIRST - 1):
        with pytest.raises(RequestFailed) as found:
            await ask(held)
        assert found.value.kind is Kind.RETRY, "the slot stays owed"
    with pytest.raises(GaveUp, match="refused every request"):
        await ask(held)
    assert len(client.asked) == asking.REFUSALS_AT_FIRST


async def test_a_parameter_that_was_not_sent_is_no_answer_before_the_first_one() -> None:
    held, _ = session(failed(Kind.PARAMETER, parameter="max_tokens"))
    failures: list[RequestFailed] = []
    with pytest.raises(RequestFailed) as found:
        await held.ask({"model": "m"}, 1, failures.append, admit)
    assert found.value.kind is Kind.RETRY, "the slot stays owed"
    assert [failure.kind for failure in failures] == [Kind.RECORD], "what came back is kept"


async def test_one_refused_prompt_after_an_answer_is_recorded() -> None:
    held, _ = session(DONE, failed(Kind.RECORD))
    await ask(held)
    with pytest.raises(RequestFailed) as found:
        await ask(held)
    assert found.value.kind is Kind.RECORD


async def test_n_refused_where_none_was_sent_is_no_reason_to_ask_again() -> None:
    held, _ = session(DONE, failed(Kind.PARAMETER, parameter="n"), failed(Kind.PARAMETER, parameter="n"))
    await ask(held)
    with pytest.raises(RequestFailed) as single:
        await ask(held, {"model": "m"})
    assert single.value.kind is Kind.RECORD
    with pytest.raises(RequestFailed) as several:
        await ask(held, {"model": "m", "n": 10})
    assert several.value.kind is Kind.PARAMETER
    assert held.single
