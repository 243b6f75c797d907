"""The runs of a store, as the Runs screen shows them: stage, progress, state line, events. Reads only."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from emaudit.paths import run_log
from emaudit.store import Progress, Store, runs, scorers
from emaudit.store import variants as stored_variants
from emaudit.store.plans import Plan
from emaudit.store.recent import Spent
from emaudit.store.runs import Run, RunEvent
from emaudit.watch.snapshot import EventLine, RunRow, RunStage

SILENT_S: Final = 15.0
"""Seconds without a state line after which a live run is said to be silent."""

_JUDGE: Final = "judge"

ProgressOf = Callable[[Sequence[Plan]], tuple[Progress, bool]]


@dataclass
class _Held:
    """One run with what does not change while it goes on."""

    run: Run
    plans: list[Plan]
    events: list[RunEvent]
    holder: Mapping[str, object] | None = None


class RunWatch:
    """Keeps the runs of one store between looks."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
        self._names: dict[int, str] = {}
        self._heard: dict[str, tuple[str, float]] = {}
        self.spent = Spent()
        self.gone: frozenset[str] = frozenset()

    def refresh(self, store: Store) -> None:
        """Read the runs, their plans and events again."""
        self._names = {row.variant_id: row.name for row in stored_variants.variants(store, hidden=True)}
        for run in runs.runs(store):
            before = self._held.get(run.uid)
            plans = runs.run_plans(store, run.run_id)
            events = runs.events(store, run.run_id)
            self._held[run.uid] = _Held(run, plans, events, before.holder if before else None)
        self.gone = frozenset(self._gone())

    def _gone(self) -> Iterator[str]:
        """Variants whose model was gone when a run last asked it."""
        latest: dict[int, _Held] = {}
        for held in self._held.values():
            if held.run.kind != _JUDGE:
                latest |= {plan.variant_id: held for plan in held.plans}
        for variant_id, held in latest.items():
            name = self._names.get(variant_id, "")
            if name and any(event.kind == "gone" and _names(event.detail, name) for event in held.events):
                yield name

    def plans(self) -> Iterator[Plan]:
        """The plans of all runs."""
        for held in self._held.values():
            yield from held.plans

    def look(self, store: Store) -> set[int]:
        """Who holds which run now; the plans of live runs."""
        live: set[int] = set()
        for held in self._held.values():
            held.holder = runs.holder(store, held.run) if _may_be_live(held) else None
            if held.holder is not None:
                live |= {plan.plan_id for plan in held.plans}
        return live

    def rows(self, store: Store, progress_of: ProgressOf) -> list[RunRow]:
        """All runs, newest first."""
        held = sorted(self._held.values(), key=lambda entry: entry.run.run_id, reverse=True)
        return [self._row(store, entry, progress_of) for entry in held]

    def _row(self, store: Store, held: _Held, progress_of: ProgressOf) -> RunRow:
        run, state = held.run, runs.state(store, held.run.run_id)
        progress, is_counted = (_judged(state), True) if run.kind == _JUDGE else progress_of(held.plans)
        stage = _stage(held)
        is_live = stage in {RunStage.RUNNING, RunStage.STOPPING}
        log = run_log(store.path, run.uid)
        stored_in, stored_out = self.spent.of(run.run_id)
        return RunRow(
            uid=run.uid,
            stage=stage,
            kind=run.kind,
            preset=run.preset,
            judge=scorers.by_id(store, run.judge_id).identity if run.judge_id is not None else "",
            created_at=local_time(run.created_at, with_date=True),
            variants=_once(self._names.get(plan.variant_id, "?") for plan in held.plans),
            assessments=_once(plan.assessment for plan in held.plans),
            n_slots=progress.n_slots,
            n_closed=progress.n_closed,
            n_referred=progress.n_referred,
            n_judged=progress.n_judged,
            n_unscored=progress.n_unscored,
            n_errors=progress.n_errors,
            is_counted=is_counted,
            line=_line(held, state, is_live, self._silence(run.uid, str(state.get("at", "")), is_live)),
            replies_per_s=_number(state, "replies_per_s") if is_live else None,
            eta_s=_number(state, "eta_s") if is_live else None,
            in_flight=int(_number(state, "in_flight") or 0) if is_live else 0,
            limit=int(_number(state, "limit") or 0) if is_live else 0,
            reason=str(state.get("reason", "")) if is_live else "",
            input_tokens=max(stored_in, int(_number(state, "input_tokens") or 0)),
            output_tokens=max(stored_out, int(_number(state, "output_tokens") or 0)),
            cost=_number(state, "cost"),
            expected_input=int(_number(state, "expected_input_tokens") or 0) if is_live else 0,
            expected_output=int(_number(state, "expected_output_tokens") or 0) if is_live else 0,
            expected_cost=_number(state, "expected_cost") if is_live else None,
            is_resumed=sum(event.kind == "started" for event in held.events) > 1,
            holder=_holder(held.holder) if is_live else "",
            log_path=str(log) if log.exists() else "",
            events=tuple(_event(event) for event in held.events[-50:]),
        )

    def _silence(self, uid: str, at: str, is_live: bool) -> float:
        """Seconds since a live run's state line came; by the wall clock, which may jump, only up to the first look."""
        moment = time.monotonic()
        told, since = self._heard.get(uid) or (at, moment - max(0.0, _age_s(at)))
        self._heard[uid] = (at, since if is_live and told == at else moment)
        return moment - self._heard[uid][1]


def _judged(state: Mapping[str, object]) -> Progress:
    """How far a run that judges stored replies is, by its own count: its unit is the verdict."""
    planned, done, unscored = (int(_number(state, name) or 0) for name in ("n_referred", "n_judged", "unscored"))
    return Progress(planned, done, 0, 0, unscored, 0)


def merged(counts: Sequence[tuple[Plan, Progress | None]]) -> tuple[Progress, bool]:
    """The sum of several plans' progress, and whether all of them are counted."""
    known = [progress for _, progress in counts if progress is not None]
    total = Progress(
        sum(plan.n_slots for plan, _ in counts),
        *(
            sum(getattr(progress, name) for progress in known)
            for name in ("n_closed", "n_referred", "n_judged", "n_unscored", "n_errors")
        ),
    )
    return total, len(known) == len(counts)


def _once(names: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _may_be_live(held: _Held) -> bool:
    """Whether the lease is worth a look: an ended run that was not started again has none."""
    return not held.events or _last(held) != "ended" or held.holder is not None


def _last(held: _Held) -> str:
    marks = [event.kind for event in held.events if event.kind in {"started", "ended"}]
    return marks[-1] if marks else ""


def _stage(held: _Held) -> RunStage:
    kinds = [event.kind for event in held.events]
    since_start = kinds[len(kinds) - kinds[::-1].index("started") :] if "started" in kinds else kinds
    if held.holder is not None:
        return RunStage.STOPPING if "stop_requested" in since_start else RunStage.RUNNING
    if _last(held) == "ended":
        code = _ended(held).get("exit")
        return {0: RunStage.DONE, 3: RunStage.FAILED}.get(code if isinstance(code, int) else 1, RunStage.STOPPED)
    return RunStage.DONE if held.run.kind == "import" else RunStage.INTERRUPTED


def _ended(held: _Held) -> Mapping[str, Any]:
    details = [event.detail for event in held.events if event.kind == "ended"]
    return _json(details[-1]) if details else {}


def _json(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _names(detail: str, name: str) -> bool:
    return detail == name or _json(detail).get("variant") == name or detail.startswith((f"{name}:", f"{name} "))


def _line(held: _Held, state: Mapping[str, object], is_live: bool, silent: float) -> str:
    if not is_live:
        return str(_ended(held).get("why", "")) if _last(held) == "ended" else ""
    line = str(state.get("line", ""))
    return f"{line} (no word for {silent:.0f} s)" if line and silent > SILENT_S else line


def _age_s(at: str) -> float:
    moment = _moment(at)
    return (datetime.now(UTC) - moment).total_seconds() if moment else 0.0


def _moment(at: str) -> datetime | None:
    try:
        return datetime.fromisoformat(at)
    except ValueError:
        return None


def local_time(at: str, with_date: bool = False) -> str:
    """A stored UTC moment on the clock of this machine; as it is where it cannot be read."""
    moment = _moment(at)
    if moment is None:
        return at
    return moment.astimezone().strftime("%Y-%m-%d %H:%M" if with_date else "%H:%M:%S")


def _number(state: Mapping[str, object], name: str) -> float | None:
    value = state.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _holder(holder: Mapping[str, object] | None) -> str:
    return f"process {holder.get('pid', '?')} on {holder.get('host', '?')}" if holder else ""


def _event(event: RunEvent) -> EventLine:
    detail = _json(event.detail)
    words = [f"exit {detail['exit']}"] if "exit" in detail else []
    words += [str(detail[key]) for key in ("why", "text", "variant") if detail.get(key)]
    words += [f"{detail['owed']:,} owed"] if isinstance(detail.get("owed"), int) else []
    return EventLine(local_time(event.at), event.kind.replace("_", " "), ", ".join(words) if detail else event.detail)
