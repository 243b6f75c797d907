"""Work on one run until it ends: its event loop, its signals, its state line, its first and last event.

Prints nothing. What is owed is always read from the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final

from emaudit.config import Settings
from emaudit.errors import EmauditError, EndpointError, StoreGone, UsageError
from emaudit.judges import Judge
from emaudit.planning import Prepared, RunSpec, assessment_of
from emaudit.priority import stand_back
from emaudit.runner.caps import Stopped
from emaudit.runner.planting import Planting, plant, still_owed
from emaudit.runner.work import Work
from emaudit.store import runs
from emaudit.store.connection import Store
from emaudit.store.jsontext import dumps
from emaudit.store.plans import n_owed
from emaudit.store.readings import progress
from emaudit.store.replies import Chain, VerdictRow, insert_verdict, unread
from emaudit.store.scorers import by_id

NICENESS: Final = 10
SIGNALS: Final = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
TICK: Final = 0.5


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: its exit code, why in one line, and what it still owes."""

    exit_code: int
    why: str
    n_owed: int
    run_uid: str


@dataclass(frozen=True, slots=True)
class RunState:
    """What a run is doing at one moment; also its state in the store. Counts are of committed rows.

    `cost` is what the tokens reported to this process cost by the configured prices; None where a price is missing.
    `expected_...` is what this process will have taken at the end; None before 20 replies are in.
    """

    phase: str
    line: str
    n_done: int
    n_planned: int
    n_judged: int
    n_referred: int
    in_flight: int
    limit: int
    reason: str
    replies_per_s: float
    eta_s: float | None
    requests: int
    input_tokens: int
    output_tokens: int
    cost: float | None
    expected_input_tokens: int | None
    expected_output_tokens: int | None
    expected_cost: float | None
    unscored: int
    errors: int
    pid: int


Observe = Callable[[RunState], None]


def work(
    store: Store,
    settings: Settings,
    spec: RunSpec,
    run: runs.Run,
    ready: list[Prepared],
    judge: Judge,
    parsers: Mapping[int, int],
    observe: Observe | None,
    asks: bool = True,
    planting: Planting | None = None,
) -> Ended:
    """Work on a run until it ends, between its `started` and `ended` events.

    `parsers` maps plan numbers to the parser that counts; `planting` is done once nothing else is left to do.
    Raises StoreGone where the store lost its name meanwhile.
    """
    stand_back(NICENESS)
    store.stay_small()
    with store.transaction() as db:
        runs.insert_event(db, run.run_id, "started", dumps({"pid": os.getpid()}))
        for item in ready:
            if item.differs:
                runs.insert_event(db, run.run_id, "warned", item.differs)
    _read_unread(store, spec, run, ready, parsers)
    done, last = asyncio.run(
        _until_ended(lambda: Work(store, settings, spec, run, ready, judge, parsers, asks), planting, observe)
    )
    if not store.is_in_place:
        raise StoreGone(done.why)
    code, why = done.exit_code, done.why
    owed = _owed(store, ready, judge, parsers, asks)
    if code == 1 and not owed and (planting is None or still_owed(store, run) is None):
        code = 0
    if code == 0 and owed:
        code, why = (3 if why or not asks else 1), why or _unanswered(done, ready, asks)
    with contextlib.suppress(EmauditError), store.transaction() as db:
        runs.insert_event(db, run.run_id, "ended", dumps({"exit": code, "why": why, "owed": owed}))
        runs.write_state(db, run.run_id, asdict(replace(last, line=why or "done")))
    return Ended(code, why, owed, run.uid)


def was_interrupted(store: Store, run: runs.Run) -> bool:
    """Whether a run's process went without a word."""
    found = runs.events(store, run.run_id)
    return bool(found) and found[-1].kind != "ended"


def _unanswered(done: Work, ready: list[Prepared], asks: bool) -> str:
    """Who left something owed in a run that ended by itself, and what was last seen of that."""
    judging = not (asks and any(n_owed(done.store, item.plan.plan_id) for item in ready))
    saw = done.last_failure(judging)
    return f"the {'judge' if judging else 'endpoint'} did not answer for the rest" + (
        f"; the last: {saw}" if saw else ""
    )


def check_prices(settings: Settings, max_cost: float, models: Iterable[str]) -> None:
    """A cap on money needs every price; checked before a run is stored. Raises UsageError naming what has none."""
    unpriced = set(models) - settings.prices.keys()
    if max_cost and unpriced:
        raise UsageError(f"--max-cost needs [prices] of every model; missing: {', '.join(sorted(unpriced))}")


def _read_unread(store: Store, spec: RunSpec, run: runs.Run, ready: list[Prepared], parsers: Mapping[int, int]) -> None:
    """Read stored replies that this emaudit's parsers have not read: scoring never asks a model again."""
    for item in ready:
        parser = parsers[item.plan.plan_id]
        found = unread(store, item.plan.plan_id, parser)
        if not found:
            continue
        assessment = assessment_of(spec, item.plan.assessment)
        with store.transaction() as db:
            chain = Chain(db, run.run_id)
            for reply_id, prompt, answer in found:
                insert_verdict(db, chain, reply_id, VerdictRow(parser, assessment.read(prompt, answer)))


def _owed(store: Store, ready: list[Prepared], judge: Judge, parsers: Mapping[int, int], asks: bool) -> int:
    chosen = by_id(store, judge.scorer.scorer_id)
    total = 0
    for item in ready:
        state = progress(store, item.plan, chosen, parsers[item.plan.plan_id])
        total += state.n_referred - state.n_judged + (n_owed(store, item.plan.plan_id) if asks else 0)
    return total


async def _until_ended(
    make: Callable[[], Work], planting: Planting | None, observe: Observe | None
) -> tuple[Work, RunState]:
    """Work until the end; the work and its last state. Its `why` with exit code 0 names a variant that is gone."""
    work = make()
    loop = asyncio.get_running_loop()
    for number, code in SIGNALS.items():
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
            loop.add_signal_handler(number, work.stop, code, f"stopped by {signal.Signals(number).name}")
    ticking = asyncio.create_task(_tick(work, observe))
    ticking.add_done_callback(lambda _: _stop_with(work, _error_of(ticking)))
    try:
        await work.until_done()
        if planting is not None and not work.stopping:
            await plant(work, planting)
    except Stopped:
        pass
    except EndpointError as error:
        work.stop(error.exit_code, str(error))
    finally:
        ticking.cancel()
        await work.close()
    if (ended_by := _error_of(ticking)) and not isinstance(ended_by, EmauditError):
        raise ended_by
    last = _state(work, "ended", work.why or "done")
    _show(observe, last)
    return work, last


async def _tick(work: Work, observe: Observe | None) -> None:
    while True:
        await asyncio.sleep(TICK)
        with work.store.translated():
            asked = runs.stop_requested(work.store, work.run.run_id)
        if asked and not work.stopping:
            work.stop(1, "stopped on request")
        state = _state(work, work.phase, work.line)
        work.write_state(asdict(state))
        _show(observe, state)


def _error_of(ticking: asyncio.Task[None]) -> BaseException | None:
    """What ended the state lines; None where that was the run's end."""
    return ticking.exception() if ticking.done() and not ticking.cancelled() else None


def _stop_with(work: Work, error: BaseException | None) -> None:
    """End a run that can no longer be watched or stopped from outside."""
    if error is not None and not work.stopping:
        work.stop(getattr(error, "exit_code", 3), f"{type(error).__name__}: {error}; run paused")


def _show(observe: Observe | None, state: RunState) -> None:
    """Tell whoever looks on; a terminal that is gone must not end the run."""
    if observe:
        with contextlib.suppress(OSError):
            observe(state)


def _state(work: Work, phase: str, line: str) -> RunState:
    limiters = work.limiters()
    end = work.outlook.end()
    return RunState(
        phase=phase,
        line=line,
        n_done=work.counts.n_done,
        n_planned=work.counts.n_planned,
        n_judged=work.counts.n_judged,
        n_referred=work.counts.n_referred,
        in_flight=sum(limiter.in_flight for limiter in limiters),
        limit=sum(int(limiter.limit) for limiter in limiters),
        reason="; ".join(dict.fromkeys(limiter.reason for limiter in limiters)),
        replies_per_s=work.counts.rate,
        eta_s=work.counts.eta,
        requests=work.caps.n_requests,
        input_tokens=work.counts.input_tokens,
        output_tokens=work.counts.output_tokens,
        expected_input_tokens=end.input_tokens if end else None,
        expected_output_tokens=end.output_tokens if end else None,
        expected_cost=end.cost if end else None,
        cost=None if (money := work.counts.money) is None else float(money),
        unscored=work.counts.n_unscored,
        errors=work.counts.n_errors,
        pid=os.getpid(),
    )
