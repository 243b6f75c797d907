"""Runs that are ended by signals at random moments and gone on with, and what must hold after each of them."""

from __future__ import annotations

import math
import os
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

from forking import Process
from lab import Lab

from emaudit.runner.jobs import JUDGE_ATTEMPTS
from emaudit.store import chains, runs
from emaudit.store.connection import Store

KILLS_A_ROUND = 8
"""A store is killed at most so often before its run may end: with fewer, early and late moments would be rare."""
COMMITTED_MS = 100
"""An answer is on disk after the writer's window of 20 ms and two commits, which take 40 ms each on a busy disk."""
ENDS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
"""Signals that a run answers by saving what is in flight, and ending with 128 and their number."""


@dataclass(frozen=True)
class Case:
    """What is asked, how many requests are in flight, and what the endpoint does meanwhile."""

    name: str
    words: tuple[str, ...]
    concurrency: int
    latency_ms: int
    faults: tuple[str, ...] = ()
    n_planted: int = 0

    @property
    def command(self) -> tuple[str, ...]:
        """The words of `emaudit run`."""
        planted = ("--planted", str(self.n_planted)) if self.n_planted else ()
        return ("run", "v", "--yes", "--max-concurrency", str(self.concurrency), *self.words, *planted)

    @property
    def most_planted(self) -> int:
        """Requests of the planted pairs, which are kept all at once: three texts each, asked again if unreadable."""
        return 3 * self.n_planted * JUDGE_ATTEMPTS

    @property
    def most_repeated(self) -> int:
        """Requests that one kill may cost: those in flight, those answered in the time that an answer may wait for its
        commit, and the planted pairs.
        """
        return self.concurrency * (1 + math.ceil(COMMITTED_MS / self.latency_ms)) + self.most_planted


@dataclass
class Tally:
    """What a campaign has tried and seen. `lost`, `asked_twice` and `wrong` must stay empty."""

    stores: int = 0
    kills: int = 0
    unborn: int = 0
    """Kills before the run stood in the store."""
    late: int = 0
    """Kills after the last reply and verdict were on disk."""
    seen: int = 0
    """Replies and verdicts that a reader saw before a kill, over all kills."""
    repeated: int = 0
    """Answers asked for again, since a kill came before they were on disk."""
    most_repeated: int = 0
    """The most of them at one kill."""
    most_waiting: int = 0
    """The most of them, beyond as many as were in flight, that had been answered; planted pairs apart."""
    lost: int = 0
    asked_twice: int = 0
    wrong: list[str] = field(default_factory=list)

    def with_more(self, more: Tally) -> Tally:
        """Both together."""
        both = Tally(*(getattr(self, held.name) + getattr(more, held.name) for held in fields(self)))
        both.most_repeated = max(self.most_repeated, more.most_repeated)
        both.most_waiting = max(self.most_waiting, more.most_waiting)
        return both


class Campaign:
    """Ends runs of one case in one lab, one store after the other; `calm` are the tables they must come to."""

    def __init__(
        self,
        lab: Lab,
        case: Case,
        draw: random.Random,
        calm: dict[str, str] | None = None,
        signals: Sequence[int] = (signal.SIGKILL,),
    ) -> None:
        self.lab = lab
        self.case = case
        self.draw = draw
        self.signals = signals
        self.tally = Tally()
        lab.simulate(f"latency:{case.latency_ms}ms", *case.faults)
        self._fresh("whole")
        started = time.monotonic()
        lab(*case.command)
        self.took = time.monotonic() - started
        self.tables = lab.export("out-whole", store=lab.store)
        self._expect(calm in (None, self.tables), "not the tables of a calm endpoint")
        with Store.open(lab.store) as store:
            self.n_rows = len(rows_of(store))

    def go(self, n_kills: int) -> Tally:
        """Kill so often."""
        while self.tally.kills < n_kills:
            self._one_store(min(KILLS_A_ROUND, n_kills - self.tally.kills))
        return self.tally

    def _expect(self, holds: bool, said: str) -> None:
        if not holds:
            self.tally.wrong.append(f"{self.case.name}, kill {self.tally.kills}: {said}")

    def _fresh(self, name: str) -> None:
        self.lab.store = self.lab.folder / f"{name}.db"
        if self.lab.log.exists():
            os.truncate(self.lab.log, 0)
        self.lab.add()

    def _one_store(self, n_kills: int) -> None:
        self._fresh(f"store-{self.tally.stores}")
        self.tally.stores += 1
        with Store.open(self.lab.store) as store:
            for _ in range(n_kills):
                if not self._one_kill(store):
                    break
            self._finish(store)

    def _one_kill(self, store: Store) -> bool:
        """Start, wait, kill, look; False where the run ended before."""
        before, asked = Held(store), len(self.lab.asked())
        process = self._start(store)
        left = 1.0 - 0.8 * before.n / self.n_rows
        time.sleep(self.draw.uniform(0.0, self.took * left))
        counted, seen = counted_by(store), rows_of(store)
        if process.poll() is not None:
            return False
        number = self.draw.choice(self.signals)
        process.send_signal(number)
        code = process.wait(120)
        self.tally.kills += 1
        time.sleep(0.1)
        after = Held(store)
        self._look_at_code(number, code, after)
        self.tally.unborn += not runs.runs(store)
        self.tally.late += after.n == self.n_rows
        self.tally.seen += len(seen)
        self.tally.lost += sum(after.rows.get(key) != chain for key, chain in seen.items())
        self._expect(after.n_replies >= counted, f"status counted {counted} replies, {after.n_replies} are there")
        for said in problems_of(store):
            self._expect(False, said)
        self._look_at_log(asked, before, after, number)
        return True

    def _start(self, store: Store) -> Process:
        """Begin a run, or go on by either way there is."""
        if runs.runs(store) and self.draw.random() < 0.6:
            return self.lab.start("resume")
        return self.lab.start(*self.case.command)

    def _look_at_code(self, number: int, code: int, after: Held) -> None:
        """A signal shows in the exit code, unless nothing was left to do when it came."""
        shown = 128 - code if code < 0 else code
        is_done = shown == 0 and after.n == self.n_rows
        self._expect(shown == 128 + number or is_done, f"exit code {code} after {signal.Signals(number).name}")

    def _look_at_log(self, asked: int, before: Held, after: Held, number: int = 0) -> None:
        """Nothing on disk was asked for again, and little was asked for that is not on disk now."""
        rows = self.lab.asked()[asked:]
        self.tally.asked_twice += sum(row["kind"] == "ask" and row["seed"] in before.seeds for row in rows)
        answered = [row for row in rows if row["status"] == 200 and not row["fault"]]
        gone = [row for row in answered if row["kind"] == "ask" and row["seed"] not in after.seeds]
        judged = [row for row in answered if row["kind"] != "ask"]
        gone += judged[after.n_judged - before.n_judged :]
        self.tally.repeated += len(gone)
        self.tally.most_repeated = max(self.tally.most_repeated, len(gone))
        most = self.case.most_repeated if number == signal.SIGKILL else self.case.most_planted
        self._expect(len(gone) <= most, f"{len(gone)} answers are not on disk")
        if not self.case.n_planted:
            self.tally.most_waiting = max(self.tally.most_waiting, len(gone) - self.case.concurrency)

    def _finish(self, store: Store) -> None:
        """Go on until nothing is owed: the tables are those of an uninterrupted run."""
        before, asked = Held(store), len(self.lab.asked())
        self.lab(*self.case.command)
        self._look_at_log(asked, before, Held(store))
        exported = self.lab.export(f"out-{self.lab.store.stem}", store=self.lab.store)
        self._expect(exported == self.tables, "the tables are not those of an uninterrupted run")
        verified = self.lab("verify", code=None)
        self._expect(verified.code == 0, f"verify says {verified.err}")
        self._expect(self.lab.json("status")[-1]["owed"] == 0, "something is owed after the end")


class Held:
    """What stands in a store at one moment."""

    def __init__(self, store: Store) -> None:
        self.rows = rows_of(store)
        self.seeds = {row[0] for row in store.db.execute("SELECT seed FROM replies")}
        self.n_replies = sum(table == "replies" for table, _ in self.rows)
        self.n_judged = int(
            store.db.execute(
                "SELECT count(*) FROM (SELECT DISTINCT reply_id, attempt FROM verdicts "
                "JOIN scorers USING (scorer_id) WHERE kind = 'judge')"
            ).fetchone()[0]
        )

    @property
    def n(self) -> int:
        """How many rows."""
        return len(self.rows)


def rows_of(store: Store) -> dict[tuple[str, int], bytes]:
    """Every reply and verdict on disk, with its place in its chain."""
    return {
        (table, number): chain
        for table, column in (("replies", "reply_id"), ("verdicts", "verdict_id"))
        for number, chain in store.db.execute(f"SELECT {column}, chain FROM {table}")
    }


def counted_by(store: Store) -> int:
    """The most replies that a state line of the store tells as saved."""
    states = [runs.state(store, held.run_id) for held in runs.runs(store)]
    return max((int(str(state.get("n_done", 0))) for state in states), default=0)


def problems_of(store: Store) -> list[str]:
    """What SQLite and the hash chains say of a store; empty where it is sound."""
    checked = [str(row[0]) for row in store.db.execute("PRAGMA integrity_check")]
    return [said for said in checked if said != "ok"] + [str(found) for found in chains.chain_problems(store)]
