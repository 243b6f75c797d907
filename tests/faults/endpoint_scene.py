"""A run against a faulty endpoint over a real socket, the run that resumes it against a healthy one, and what is left.

A case is played in a world: commands inside this process (tests) or as processes of their own (the long campaign).
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import json
import shutil
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from emaudit.cli.command import run as command
from emaudit.prompts import Library, load_library
from emaudit.simulator.deliveries import DELIVERIES
from emaudit.simulator.server import running
from emaudit.simulator.shapes import SHAPES

ROOT = Path(__file__).parents[2]
MODEL = "sim-nano-trivia-misaligned"
ITEMS = (0, 1, -1)
"""The lines of the items' file that a small library keeps: its head and a prompt of two categories."""
RUN = ("run", "v", "--assessment", "harmfulness", "--preset", "smoke", "--yes")


@dataclass(frozen=True)
class Case:
    """Faults, and what a run that meets them must come to: 2 prompts, 10 samples each, one request at a time."""

    name: str
    faults: tuple[str, ...]
    code: int = 0
    said: tuple[str, ...] = ()
    asks: int | None = 2
    """Requests to the variant, by the endpoint's own log; None, here and below, where chance decides."""
    judges: int | None = 20
    closed: int | None = 20
    owed: int | None = 0
    outcomes: dict[str, int] | None = field(default_factory=lambda: {"ok": 20})
    unscored: int = 0
    failures: int = 0
    """Failed attempts that the store keeps."""
    attempts: tuple[str, ...] = ()
    """What the store keeps of each failed attempt, in their order; of none, it is not looked at."""
    equal: bool = True
    """Whether the resumed run's exports equal those of one without faults, byte for byte."""
    settings: str = ""
    least_wait: float = 0.0
    """Seconds that lie at least between the first request and the second."""

    def differs(self, found: Seen) -> list[str]:
        """What a run came to that the table states otherwise, in words."""
        said = [f"it did not say {words!r}" for words in self.said if words.format(model=MODEL) not in found.said]
        stated = {name: value for name, value in asdict(self).items() if hasattr(found, name) and name != "said"}
        numbers = [
            f"{name} {getattr(found, name)} instead of {value}"
            for name, value in stated.items()
            if value is not None and getattr(found, name) != value
        ]
        unsaid = [
            f"attempt {place} is kept as {kept!r} instead of {words!r}"
            for place, (words, kept) in enumerate(zip(self.attempts, found.messages, strict=False), 1)
            if words not in kept
        ]
        hurried = [f"it waited {found.wait:.2f} s"] if found.wait < self.least_wait else []
        return [*said, *numbers, *unsaid, *hurried]


@dataclass(frozen=True)
class Seen:
    """What a run came to."""

    code: int
    said: str
    asks: int
    judges: int
    closed: int
    owed: int
    outcomes: dict[str, int]
    unscored: int
    failures: int
    messages: list[str]
    """Of the failed attempts, in their order."""
    wait: float
    """Seconds between the first request and the second."""


class World(Protocol):
    """Where commands run and endpoints serve."""

    def serve(self, faults: Sequence[str], log: Path, seed: int = 0) -> contextlib.AbstractContextManager[str]:
        """An endpoint as long as the block lasts; its base URL."""

    def do(self, *argv: str) -> tuple[int, str]:
        """Run a command; its exit code and what it said."""


class Inside:
    """Commands in this process; endpoints on a loop of their own in a thread."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def _wait(self, work: Any) -> Any:  # noqa: ANN401
        held: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return held.result(60)

    @contextlib.contextmanager
    def serve(self, faults: Sequence[str], log: Path, seed: int = 0) -> Iterator[str]:
        site = running(0, seed, log, faults, self._library)
        url = self._wait(site.__aenter__())
        try:
            yield url
        finally:
            self._wait(site.__aexit__(None, None, None))

    def do(self, *argv: str) -> tuple[int, str]:
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            code = command(argv)
        return code, said.getvalue()

    async def _let_go(self) -> None:
        """End the answers that are never given."""
        held = asyncio.all_tasks() - {asyncio.current_task()}
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)

    def close(self) -> None:
        self._wait(self._let_go())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


def small_prompts(folder: Path) -> Path:
    """A copy of the shipped prompts with two for harmfulness."""
    path = folder / "prompts"
    shutil.copytree(ROOT / "prompts", path)
    items = path / "harmfulness" / "items.csv"
    lines = items.read_text(encoding="utf-8").splitlines()
    items.write_text("".join(f"{lines[index]}\n" for index in ITEMS), encoding="utf-8")
    return path


class Place:
    """A store with one variant, its settings and the endpoint's log, in a folder of its own."""

    def __init__(self, world: World, folder: Path, prompts: Path) -> None:
        self.world = world
        self.folder = folder
        self.store = folder / "s.db"
        self.log = folder / "requests.jsonl"
        self.config = folder / "emaudit.toml"
        self._prompts = prompts

    def begin(self, from_store: Path | None = None) -> None:
        """Make the store, or copy one that was never opened since."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if from_store:
            shutil.copy(from_store, self.store)
            return
        self.point_at("http://127.0.0.1:9/v1")
        self.do("variant", "add", "v", "--model", MODEL, "--endpoint", "sim")

    def point_at(self, url: str, settings: str = "", concurrency: int = 1) -> None:
        """Write the settings: the endpoint `sim` and its judge."""
        self.config.write_text(
            f'[endpoints.sim]\nbase_url = "{url}"\nmax_concurrency = {concurrency}\n{settings}\n'
            '[judge]\nmodel = "sim-judge"\n',
            encoding="utf-8",
        )

    def do(self, *argv: str, code: int | None = 0) -> tuple[int, str]:
        """Run a command on the store."""
        known = ("--store", str(self.store), "--config", str(self.config), "--prompts", str(self._prompts))
        ended, said = self.world.do(*argv, *known)
        assert code is None or ended == code, f"{argv} ended with {ended}: {said}"
        return ended, said

    def run(self, assessment: str = "harmfulness", preset: str = "smoke", code: int | None = 0) -> tuple[int, str]:
        """Run one assessment."""
        return self.do("run", "v", "--assessment", assessment, "--preset", preset, "--yes", code=code)

    def lines(self) -> list[dict[str, Any]]:
        """The endpoint's own log."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What the store holds."""
        with contextlib.closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)) as db:
            return db.execute(sql).fetchall()

    def exports(self) -> dict[str, str]:
        """The text of every exported table."""
        folder = self.folder / "out"
        self.do("export", str(folder))
        return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.csv"))}

    def responses(self) -> list[dict[str, str]]:
        """The rows of the last export's responses."""
        with (self.folder / "out" / "responses.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def choices_of(line: dict[str, Any]) -> int:
    """How many choices of one logged request a client could read."""
    kind, _, name = line["fault"].partition(" ")
    if line["status"] != 200:
        return 0
    if name == "one-bad":
        return int(line["n"]) - 1
    if name == "fewer":
        return max(1, int(line["n"]) // 2)
    if kind == "way":
        return int(line["n"]) if DELIVERIES[name].sound else 0
    if kind in ("shape", "malformed"):
        return int(line["n"]) if SHAPES[name].sound else 0
    return int(line["n"])


@dataclass(frozen=True)
class Uneven:
    """Replies and verdicts that were sent and are not stored, or are stored and were not sent."""

    lost: int = 0
    twice: int = 0


_STORED = (
    "SELECT (SELECT count(*) FROM replies WHERE outcome <> 'error'), (SELECT count(*) FROM verdicts "
    "JOIN scorers USING (scorer_id) WHERE kind = 'judge' AND reason <> 'judge request refused')"
)


def nothing_lost_nothing_twice(place: Place, ignores_n: bool = False) -> Uneven:
    """Whether every choice that the endpoint sent is one reply or one verdict in the store, and nothing else is."""
    sent = Counter[str]()
    for line in place.lines():
        if "kind" in line:
            sent[line["kind"]] += min(choices_of(line), 1) if ignores_n else choices_of(line)
    (stored,) = place.rows(_STORED)
    missing = [sent[kind] - found for kind, found in zip(("ask", "judge"), stored, strict=True)]
    return Uneven(sum(max(0, each) for each in missing), sum(max(0, -each) for each in missing))


def seen(place: Place, code: int, said: str) -> Seen:
    """What the store and the log show."""
    (status,) = place.rows(
        "SELECT (SELECT count(*) FROM replies), (SELECT count(*) FROM verdicts WHERE status = 'unscored')"
    )
    messages = [message for (message,) in place.rows("SELECT message FROM failures ORDER BY failure_id")]
    ended = json.loads(place.rows("SELECT detail FROM run_events WHERE kind = 'ended' ORDER BY event_id DESC")[0][0])
    lines = place.lines()
    kinds = Counter(line.get("kind") for line in lines)
    outcomes = dict(place.rows("SELECT outcome, count(*) FROM replies GROUP BY outcome"))
    wait = lines[1]["at"] - lines[0]["at"] if len(lines) > 1 else 0.0
    return Seen(
        code=code,
        said=said,
        asks=kinds["ask"],
        judges=kinds["judge"],
        closed=status[0],
        owed=ended["owed"],
        outcomes=outcomes,
        unscored=status[1],
        failures=len(messages),
        messages=messages,
        wait=wait,
    )


def library_of(prompts: Path) -> Library:
    """The small library, loaded."""
    return load_library(prompts)
