"""Run a plan to its end: ask what is owed, judge what was referred, commit, repeat until nothing more closes.

Owns the run's process: its lease, its signals, its state line. Prints nothing. What is owed is always read from
the store, so resuming is nothing but running again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Final

from emaudit import judges
from emaudit.config import Endpoint, Settings
from emaudit.errors import EmauditError, EndpointError, UsageError
from emaudit.judges import Judge
from emaudit.planning import (
    Prepared,
    RunSpec,
    assessment_of,
    chosen_variants,
    difference,
    endpoint_of,
    library_of,
    pinned_library,
    prepare,
    protocol_of,
)
from emaudit.prompts import Library
from emaudit.runner.work import Stopped, Work
from emaudit.store import runs
from emaudit.store.connection import Store
from emaudit.store.jsontext import dumps
from emaudit.store.plans import n_owed
from emaudit.store.readings import progress
from emaudit.store.replies import Chain, VerdictRow, insert_verdict, unread, void
from emaudit.store.scorers import by_id, scorer
from emaudit.store.texts import get_text
from emaudit.store.variants import variants
from emaudit.variants import Variant

SIGNALS: Final = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
NICENESS: Final = 10
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
    unscored: int
    errors: int
    pid: int


Observe = Callable[[RunState], None]


def start(
    store_path: Path,
    settings: Settings,
    library: Library,
    spec: RunSpec,
    uid: str = "",
    observe: Observe | None = None,
) -> Ended:
    """Start a run and work until it ends. Raises EmauditError where it cannot begin."""
    with Store.open(store_path, write=True) as store:
        rows = chosen_variants(store, spec)
        _check_endpoints(settings, spec, rows)
        judge = judges.resolve(store, settings, library, spec, rows)
        judge.endpoint.key()
        uid = uid or runs.new_uid()
        with runs.lease(store, uid, [row.uid for row in rows]):
            if spec.retry_errors:
                for row, key in product(rows, spec.assessments):
                    void(store, row.variant_id, key, "", "asked again (--retry-errors)", errors_only=True)
            ready = prepare(store, settings, library, spec)
            stored = {
                **spec.stored(),
                "variants": [row.name for row in rows],
                "judge_setup": _judge_setup(settings, judge, rows[0]),
            }
            run = runs.insert_run(
                store,
                uid,
                "ask",
                spec.preset,
                [item.plan for item in ready],
                judge.scorer.scorer_id,
                protocol_of(store, judge.library, spec),
                stored,
            )
            return _work(store, settings, spec, run, ready, judge, observe)


def resume(
    store_path: Path,
    settings: Settings,
    library: Library,
    uid: str,
    observe: Observe | None = None,
    caps: Mapping[str, float] | None = None,
) -> Ended:
    """Work on what a run still owes, with the texts and the judge it was started with. Raises EmauditError.

    `caps` (max_requests, max_tokens, max_cost; 0 for none) stand in place of the run's own this time.
    """
    with Store.open(store_path, write=True) as store:
        run = runs.run(store, uid)
        spec = RunSpec.from_stored({**run.settings, **(caps or {})})
        by_number = {row.variant_id: row for row in variants(store, hidden=True)}
        plans = runs.run_plans(store, run.run_id)
        rows = [by_number[number] for number in dict.fromkeys(plan.variant_id for plan in plans)]
        with runs.lease(store, run.uid, [row.uid for row in rows]):
            if _was_interrupted(store, run):
                store.quick_check()
            _check_endpoints(settings, spec, rows)
            judge = _pinned_judge(store, settings, library, run, rows)
            judge.endpoint.key()
            on_disk = library_of(store, library)
            ready = [
                Prepared(row, plan, difference(settings, on_disk, spec, row, plan))
                for plan in plans
                for row in [by_number[plan.variant_id]]
            ]
            edited = [key for key, rubric in library.rubrics.items() if rubric.hash != judge.library.rubrics[key].hash]
            if edited:
                with store.transaction() as db:
                    said = f"rubrics on disk differ from this run's stored ones: {', '.join(edited)}"
                    runs.insert_event(db, run.run_id, "warned", said)
            runs.name_plans(store, run.run_id, plans)
            return _work(store, settings, spec, run, ready, judge, observe)


def _check_endpoints(settings: Settings, spec: RunSpec, rows: list[Variant]) -> None:
    """Every endpoint has an address that may be asked, and its key. Raises UsageError or EndpointError."""
    for row in rows:
        endpoint = endpoint_of(settings, row)
        endpoint.check(spec.insecure_http)
        endpoint.key()


def _judge_setup(settings: Settings, judge: Judge, first: Variant) -> dict[str, object]:
    """How to find the judge again: `variant` is the uid of the variant whose own endpoint it is asked at."""
    shared = judge.endpoint == endpoint_of(settings, first)
    where = {"name": judge.endpoint.name, "base_url": judge.endpoint.base_url, "key": judge.endpoint.api_key_env}
    found = {**where, "variant": first.uid if shared else ""}
    return {"model": judge.model, "endpoint": found, "params": dict(judge.params)}


def _pinned_judge(store: Store, settings: Settings, library: Library, run: runs.Run, rows: list[Variant]) -> Judge:
    """The judge a run was started with: its endpoint by name, wherever that lives now; its rubrics as stored."""
    setup = run.settings["judge_setup"]
    assert isinstance(setup, dict)
    named = setup["endpoint"]
    own = next((row for row in rows if row.uid == named["variant"]), None)
    if own is not None:
        endpoint = endpoint_of(settings, own)
    elif named["name"] in settings.endpoints:
        endpoint = settings.endpoints[named["name"]]
    else:
        endpoint = Endpoint(named["name"], named["base_url"], named["key"])
    pinned = pinned_library(get_text(store, run.protocol_hash), library)
    return judges.make(store, setup["model"], endpoint, pinned, setup["params"])


def _was_interrupted(store: Store, run: runs.Run) -> bool:
    found = runs.events(store, run.run_id)
    return bool(found) and found[-1].kind != "ended"


def _work(
    store: Store,
    settings: Settings,
    spec: RunSpec,
    run: runs.Run,
    ready: list[Prepared],
    judge: Judge,
    observe: Observe | None,
) -> Ended:
    _check_prices(settings, spec, ready, judge)
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    with store.transaction() as db:
        runs.insert_event(db, run.run_id, "started", dumps({"pid": os.getpid()}))
        for item in ready:
            if item.differs:
                runs.insert_event(db, run.run_id, "warned", item.differs)
    parsers = _parsers(store, spec, ready)
    _read_unread(store, spec, run, ready, parsers)
    code, why, last = asyncio.run(
        _until_ended(lambda: Work(store, settings, spec, run, ready, judge, parsers), observe)
    )
    owed = _owed(store, ready, judge, parsers)
    if code == 1 and not owed:
        code = 0
    if code == 0 and owed:
        code, why = (3 if why else 1), why or _unanswered(ready, store)
    with contextlib.suppress(EmauditError), store.transaction() as db:
        runs.insert_event(db, run.run_id, "ended", dumps({"exit": code, "why": why, "owed": owed}))
        runs.write_state(db, run.run_id, asdict(replace(last, line=why or "done")))
    return Ended(code, why, owed, run.uid)


def _unanswered(ready: list[Prepared], store: Store) -> str:
    """Who left something owed in a run that ended by itself."""
    who = "endpoint" if any(n_owed(store, item.plan.plan_id) for item in ready) else "judge"
    return f"the {who} did not answer for the rest"


def _check_prices(settings: Settings, spec: RunSpec, ready: list[Prepared], judge: Judge) -> None:
    """A cap on money needs every price. Raises UsageError naming what has none."""
    unpriced = {item.variant.model for item in ready} | {judge.model}
    unpriced -= settings.prices.keys()
    if spec.max_cost and unpriced:
        raise UsageError(f"--max-cost needs [prices] of every model; missing: {', '.join(sorted(unpriced))}")


def _parsers(store: Store, spec: RunSpec, ready: list[Prepared]) -> dict[str, int]:
    """The scorer number of every assessment's parser."""
    keys = dict.fromkeys(item.plan.assessment for item in ready)
    return {
        key: scorer(store, "parser", f"parser:{key}@{assessment_of(spec, key).parser_version}", {}).scorer_id
        for key in keys
    }


def _read_unread(store: Store, spec: RunSpec, run: runs.Run, ready: list[Prepared], parsers: dict[str, int]) -> None:
    """Read stored replies that this emaudit's parsers have not read: scoring never asks a model again."""
    for item in ready:
        parser = parsers[item.plan.assessment]
        found = unread(store, item.plan.plan_id, parser)
        if not found:
            continue
        assessment = assessment_of(spec, item.plan.assessment)
        with store.transaction() as db:
            chain = Chain(db, run.run_id)
            for reply_id, prompt, answer in found:
                insert_verdict(db, chain, reply_id, VerdictRow(parser, assessment.read(prompt, answer)))


def _owed(store: Store, ready: list[Prepared], judge: Judge, parsers: dict[str, int]) -> int:
    chosen = by_id(store, judge.scorer.scorer_id)
    total = 0
    for item in ready:
        state = progress(store, item.plan, chosen, parsers[item.plan.assessment])
        total += n_owed(store, item.plan.plan_id) + state.n_referred - state.n_judged
    return total


async def _until_ended(make: Callable[[], Work], observe: Observe | None) -> tuple[int, str, RunState]:
    """Work until the end; the exit code, why, and the last state. A `why` with code 0 names a variant that is gone."""
    work = make()
    loop = asyncio.get_running_loop()
    for number, code in SIGNALS.items():
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
            loop.add_signal_handler(number, work.stop, code, f"stopped by {signal.Signals(number).name}")
    ticking = asyncio.create_task(_tick(work, observe))
    try:
        await work.until_done()
    except Stopped:
        pass
    except EndpointError as error:
        work.stop(error.exit_code, str(error))
    finally:
        ticking.cancel()
        await work.close()
    last = _state(work, "ended", work.why or "done")
    _show(observe, last)
    return work.exit_code, work.why, last


async def _tick(work: Work, observe: Observe | None) -> None:
    while True:
        await asyncio.sleep(TICK)
        if not work.stopping and runs.stop_requested(work.store, work.run.run_id):
            work.stop(1, "stopped on request")
        state = _state(work, work.phase, work.line)
        work.write_state(asdict(state))
        _show(observe, state)


def _show(observe: Observe | None, state: RunState) -> None:
    """Tell whoever looks on; a terminal that is gone must not end the run."""
    if observe:
        with contextlib.suppress(OSError):
            observe(state)


def _state(work: Work, phase: str, line: str) -> RunState:
    limiters = work.limiters()
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
        requests=work.n_requests,
        input_tokens=work.counts.input_tokens,
        output_tokens=work.counts.output_tokens,
        cost=work.counts.cost,
        unscored=work.counts.n_unscored,
        errors=work.counts.n_errors,
        pid=os.getpid(),
    )
