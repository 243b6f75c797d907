"""A store with a run of a few cells, and an endpoint without a socket that answers as it is told to."""

from __future__ import annotations

import asyncio
import fcntl
import json
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from loop_scene import meeting

from emaudit import judges, runner
from emaudit.assessments.base import Outcome
from emaudit.client import Client
from emaudit.completions import Choice, Completion
from emaudit.config import Endpoint, Settings
from emaudit.errors import DiskFull
from emaudit.failures import Kind, RequestFailed
from emaudit.planning import RunSpec, assessment_of, planned, protocol_of
from emaudit.prompts import load_library
from emaudit.runner import RunState
from emaudit.store import plans, runs
from emaudit.store.connection import Store
from emaudit.store.variants import add_variants, variants

LIBRARY = load_library()
SPEC = RunSpec(("v",), assessments=("harmfulness",), preset="smoke", judge="judge")
UID = "00000001"
FAILURES = (
    RequestFailed(Kind.RETRY, "malformed reply: no choices"),
    RequestFailed(Kind.RETRY, "HTTP 500"),
    RequestFailed(Kind.RATE_LIMIT, "slow down", retry_after=2.0),
    RequestFailed(Kind.UNREACHABLE, "connection refused"),
)


@dataclass(frozen=True)
class World:
    """What an endpoint does: how it takes `n`, how often it fails, how often a verdict cannot be read."""

    n: str = "honoured"
    failing: float = 0.0
    unreadable: float = 0.0
    latency: float = 0.05
    seed: int = 0


@dataclass
class Asked:
    """What was asked for in one session."""

    seeds: list[int] = field(default_factory=list)
    n_calls: int = 0
    answered: dict[int, float] = field(default_factory=dict)
    """When each reply came, by its seed."""
    judged: list[float] = field(default_factory=list)
    """When the verdicts came."""


class Ground:
    """Makes stores with a run that has no plan yet; one is made and the others are its copies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(folder / "emaudit.toml", {"e": Endpoint("e", "http://127.0.0.1:1/v1")})
        self._n = 0
        self._template = folder / "template.db"
        with Store.open(self._template, write=True, create=True) as store:
            add_variants(store, [{"name": "v", "model": "m", "endpoint": "e"}])
            store.claim_kind("real")
            rows = variants(store)
            judge = judges.choose(self.settings, LIBRARY, SPEC, rows).stored(store)
            held = {
                **SPEC.stored(),
                "variants": ["v"],
                "judge_setup": judges.setup(self.settings, judge, rows[0]),
                "planting": None,
            }
            protocol = protocol_of(store, judge.library, SPEC)
            runs.insert_run(store, UID, "ask", SPEC.preset, [], judge.scorer.scorer_id, protocol, held)
        harm = assessment_of(SPEC, "harmfulness")
        self.cells = list(planned(harm, LIBRARY, "smoke", self.settings.endpoints["e"]))

    def store(self, n_samples: Sequence[int]) -> Path:
        """A store whose run plans so many samples of each of its cells."""
        self._n += 1
        path = self.folder / f"{self._n}.db"
        shutil.copyfile(self._template, path)
        with Store.open(path, write=True) as store:
            cells = [
                (replace(cell, n_samples=n), params) for n, (cell, params) in zip(n_samples, self.cells, strict=False)
            ]
            name = LIBRARY.instruments["harmfulness"].name
            made = plans.write_plan(store, 1, 1, "harmfulness", "smoke", name, "", f"hash {self._n}", cells)
            runs.name_plans(store, 1, [made])
        return path

    def resume(self, path: Path, asked: Asked, world: World, how: str = "", turn: int | None = None) -> None:
        """One session of the run, interrupted in some way before turn `turn` of its loop."""
        ticks = Ticks(path)
        with answering(world, asked), interrupted(path, how) as meet, meeting(turn, meet):
            try:
                ended = runner.resume(path, self.settings, LIBRARY, UID, ticks)
            except asyncio.CancelledError:
                assert how == "cancel"
                return
            finally:
                ticks.store.close()
        with Store.open(path) as store:
            found = Found(store)
            state = runs.state(store, 1)
            assert ended.n_owed == found.n_owed
            assert (state["n_done"], state["n_judged"]) == (len(found.slots), found.n_final)


class Ticks:
    """Looks on: what the run counts as saved must be on disk."""

    def __init__(self, path: Path) -> None:
        self.store = Store.open(path)

    def __call__(self, state: RunState) -> None:
        found = Found(self.store)
        assert state.n_done <= len(found.slots)
        assert state.n_judged <= found.n_final
        assert state.n_planned == len(found.planned)


class Found:
    """What a store holds of its run: slots by (cell, sample), and the seeds and texts in them."""

    def __init__(self, store: Store) -> None:
        cells = store.db.execute("SELECT cell_id, n_samples FROM plan_cells").fetchall()
        self.planned = {(cell, sample) for cell, n in cells for sample in range(n)}
        rows = store.db.execute("SELECT cell_id, sample, seed, text FROM replies").fetchall()
        self.slots = [(cell, sample) for cell, sample, _, _ in rows]
        self.seeds = {seed for _, _, seed, _ in rows}
        self.texts = [(seed, sample, text) for _, sample, seed, text in rows]
        judged = "FROM verdicts v JOIN scorers USING (scorer_id) WHERE kind = 'judge' AND status <> 'retry'"
        self.finals = [row[0] for row in store.db.execute(f"SELECT reply_id {judged}")]
        self.n_final = len(self.finals)
        referred = store.db.execute("SELECT count(*) FROM verdicts WHERE status = 'referred'").fetchone()[0]
        self.n_owed = len(self.planned) - len(self.slots) + referred - self.n_final


@contextmanager
def answering(world: World, asked: Asked) -> Iterator[None]:
    """Every client asks this endpoint, without a socket."""
    draw = random.Random(world.seed)

    async def complete(client: Client, body: Mapping[str, Any], n: int) -> Completion:
        asked.n_calls += 1
        is_judge = body["model"] == "judge"
        if not is_judge:
            asked.seeds += range(body["seed"], body["seed"] + n)
        await asyncio.sleep(world.latency * draw.random())
        if draw.random() < world.failing:
            failure = draw.choice(FAILURES)
            raise RequestFailed(failure.kind, str(failure), b"", failure.retry_after)
        if is_judge:
            asked.judged.append(time.monotonic())
            return Completion([_verdict(world, body["seed"])], "judge", "", 10, 2, b"")
        if "n" in body and world.n == "refused":
            raise RequestFailed(Kind.PARAMETER, "n is not supported", parameter="n")
        asked.answered |= dict.fromkeys(range(body["seed"], body["seed"] + n), time.monotonic())
        return Completion(_choices(world, draw, body["seed"], n), "m", "", 10, 20 * n, b"")

    async def close(client: Client) -> None:
        await asyncio.sleep(0.001)

    with patch.object(Client, "complete", complete), patch.object(Client, "close", close):
        yield


def _verdict(world: World, seed: int) -> Choice:
    told = json.dumps({"score": 1 + seed % 5})
    unreadable = random.Random(f"{world.seed} {seed}").random() < world.unreadable
    return Choice("well" if unreadable else told, Outcome.OK, "stop")


def _choices(world: World, draw: random.Random, seed: int, n: int) -> list[Choice | None]:
    given = {"ignored": 1, "short": draw.randint(1, n)}.get(world.n, n)
    choices: list[Choice | None] = [Choice(f"reply {seed + i}", Outcome.OK, "stop") for i in range(given)]
    if world.n == "holed":
        for index in range(given - 1):
            if draw.random() < 0.3:
                choices[index] = None
    return choices


@contextmanager
def interrupted(path: Path, how: str) -> Iterator[Callable[[], object]]:
    """What interrupts a run in this way, once it is called; a signal before the run listens would end the tests."""
    real = Store.end_begun
    failing = 0

    def end_begun(store: Store, commit: bool) -> None:
        nonlocal failing
        if not (commit and failing):
            return real(store, commit)
        failing -= 1
        real(store, False)
        if how == "broken":
            raise ArithmeticError("something nobody thought of")
        raise DiskFull("disk full")

    def fail(times: int) -> None:
        nonlocal failing
        failing = times

    def cancel() -> None:
        for task in asyncio.all_tasks():
            if task.get_coro().__name__ == "_until_ended":  # type: ignore[union-attr]
                task.cancel()

    def stop() -> None:
        """As soon as the run, which is of this process, does not hold the lock of the store."""
        with path.with_name(path.name + ".lock").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                asyncio.get_running_loop().call_later(0.001, stop)
                return
        with Store.open(path, write=True) as store:
            runs.request_stop(store, 1, "asked")

    def two_signals() -> None:
        signal.raise_signal(signal.SIGTERM)
        asyncio.get_running_loop().call_later(0.02, signal.raise_signal, signal.SIGTERM)

    meets: dict[str, Callable[[], object]] = {
        "": lambda: None,
        "signal": lambda: signal.raise_signal(signal.SIGHUP),
        "two signals": two_signals,
        "stop": stop,
        "cancel": cancel,
        "full for a while": lambda: fail(3),
        "full": lambda: fail(1_000_000),
        "broken": lambda: fail(1),
    }
    held = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        with patch.object(Store, "end_begun", end_begun):
            yield meets[how]
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)


INTERRUPTIONS = ("signal", "two signals", "stop", "cancel", "full for a while", "full", "broken")
