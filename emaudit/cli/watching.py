"""`emaudit status`, `stop`, `wait`: what runs do, ending one, and waiting for its end."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from emaudit.cli.arguments import Verbs
from emaudit.cli.context import Context
from emaudit.cli.output import emit_json, say, table
from emaudit.errors import UsageError
from emaudit.paths import run_log
from emaudit.store import runs
from emaudit.store.connection import Store
from emaudit.store.readings import progress
from emaudit.store.runs import Run
from emaudit.store.scorers import by_id
from emaudit.text import one_line

POLL_S: Final = 0.2
STOP_PATIENCE_S: Final = 150.0
"""How long `stop` waits for replies in flight: a little more than the default time a request may take."""


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run as `status` shows it. `state` is live, ended or interrupted; `owed` counts replies and verdicts."""

    run: str
    state: str
    kind: str
    preset: str
    started_at: str
    n_planned: int
    n_closed: int
    n_verdicts_owed: int
    n_unscored: int
    owed: int
    exit_code: int | None
    expected_input_tokens: int | None
    expected_output_tokens: int | None
    expected_cost: float | None
    process: str
    log: str
    last: str


def register(verbs: Verbs) -> None:
    """Add `status`, `stop` and `wait`."""
    verbs.add("status", "a row per run: state, progress, owed, log file, last line", _status, lists=True)
    stop = verbs.add("stop", "end a run once its replies in flight are saved", _stop)
    stop.add_argument("run", metavar="RUN", nargs="?", default="", help="its id; else the one that is live")
    wait = verbs.add("wait", "wait until a run ends; exit with its exit code", _wait)
    wait.add_argument("run", metavar="RUN")


def run_line(store: Store, run: Run) -> RunLine:
    """What is known of a run now."""
    holder = runs.holder(store, run)
    ended = last_end(store, run)
    judge = by_id(store, run.judge_id) if run.judge_id is not None else None
    states = [progress(store, plan, judge) for plan in runs.run_plans(store, run.run_id)]
    if run.kind == "judge":
        states = [replace(found, n_slots=found.n_closed) for found in states]
    state = "live" if holder else "ended" if ended or run.kind == "import" else "interrupted"
    log = run_log(store.path, run.uid)
    state_line = runs.state(store, run.run_id)
    return RunLine(
        run=run.uid,
        state=state,
        kind=run.kind,
        preset=run.preset,
        started_at=run.created_at,
        n_planned=sum(found.n_slots for found in states),
        n_closed=sum(found.n_closed for found in states),
        n_verdicts_owed=sum(found.n_referred - found.n_judged for found in states),
        n_unscored=sum(found.n_unscored for found in states),
        owed=sum(found.n_owed for found in states),
        exit_code=_exit_code(ended) if state == "ended" and ended else None,
        **_expected(state_line),
        process=f"{holder.get('pid', '')} on {holder.get('host', '')}" if holder else "",
        log=str(log) if log.exists() else "",
        last=_last(store, run, state, ended),
    )


def _expected(state: Mapping[str, object]) -> dict[str, Any]:
    """What a run said that it will have taken at its end; None before it said so."""
    return {name: state.get(name) for name in ("expected_input_tokens", "expected_output_tokens", "expected_cost")}


def last_end(store: Store, run: Run) -> Mapping[str, object]:
    """How a run ended when it was last started (exit, why, owed); empty where it did not."""
    marks = [event for event in runs.events(store, run.run_id) if event.kind in {"started", "ended"}]
    if not marks or marks[-1].kind != "ended":
        return {}
    found = json.loads(marks[-1].detail)
    return found if isinstance(found, dict) else {}


def _exit_code(ended: Mapping[str, object]) -> int:
    code = ended.get("exit", 1)
    return code if isinstance(code, int) else 1


def _last(store: Store, run: Run, state: str, ended: Mapping[str, object]) -> str:
    if state == "live":
        told = runs.state(store, run.run_id)
        return one_line(f"{told.get('line', '')}{_expected_words(told)}")
    if state == "interrupted":
        return f"its process is gone; `emaudit resume {run.uid}` goes on"
    return one_line(str(ended.get("why") or "done"))


def _expected_words(state: Mapping[str, object]) -> str:
    asked, said, cost = _expected(state).values()
    if not isinstance(asked, int) or not isinstance(said, int):
        return ""
    price = f", price {cost:,.2f}" if isinstance(cost, float) else ""
    return f"; at the end about {asked:,} tokens in, {said:,} out{price}"


def _status(context: Context) -> int:
    with context.open() as store:
        lines = [run_line(store, run) for run in runs.runs(store)]
    if context.json:
        emit_json([asdict(line) for line in lines])
        return 0
    if not lines:
        say("no runs yet: `emaudit run NAME` starts one")
        return 0
    table(
        ("RUN", "KIND", "STATE", "PRESET", "STARTED", "REPLIES", "VERDICTS OWED", "OWED", "LAST", "LOG"),
        [
            (
                line.run,
                line.kind,
                line.state,
                line.preset,
                line.started_at[:16].replace("T", " "),
                f"{line.n_closed:,}/{line.n_planned:,}",
                f"{line.n_verdicts_owed:,}",
                f"{line.owed:,}",
                line.last,
                line.log,
            )
            for line in lines
        ],
        right=("REPLIES", "VERDICTS OWED", "OWED"),
        whole=("LOG",),
    )
    return 0


def _stop(context: Context) -> int:
    with context.open(write=True) as store:
        run = _to_stop(store, context.options.run)
        if runs.holder(store, run) is None:
            say(f"run {run.uid} is not running")
            return 0
        runs.request_stop(store, run.run_id, "stopped with `emaudit stop`")
        say(f"run {run.uid} ends once its replies in flight are saved")
        deadline = time.monotonic() + STOP_PATIENCE_S
        while runs.holder(store, run) is not None:
            if time.monotonic() > deadline:
                say(f"run {run.uid} still has requests in flight; `emaudit wait {run.uid}` waits on")
                return 1
            time.sleep(POLL_S)
    say(f"run {run.uid} has ended; `emaudit resume {run.uid}` goes on with it")
    return 0


def _to_stop(store: Store, uid: str) -> Run:
    if uid:
        return runs.run(store, uid)
    return _only_live([run for run in runs.runs(store) if runs.holder(store, run) is not None])


def _only_live(live: Sequence[Run]) -> Run:
    if len(live) == 1:
        return live[0]
    if not live:
        raise UsageError("no run is live: `emaudit status` lists them")
    raise UsageError(f"several runs are live: name one of {', '.join(run.uid for run in live)}")


def _wait(context: Context) -> int:
    with context.open() as store:
        run = runs.run(store, context.options.run)
        while runs.holder(store, run) is not None:
            time.sleep(POLL_S)
        line = run_line(store, run)
        ended = last_end(store, run)
    say(
        f"run {run.uid}: {line.state}, {line.n_closed:,} of {line.n_planned:,} replies, {line.owed:,} owed; {line.last}"
    )
    if line.state == "interrupted":
        return 1
    return _exit_code(ended) if ended else 0
