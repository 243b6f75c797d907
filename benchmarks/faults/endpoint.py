"""The long fault campaign at the endpoint: every case of the table in real time, every fault by chance at several
concurrencies, and random mixtures of them. Commands and endpoints are processes of their own.

    PYTHONPATH=. python benchmarks/faults/endpoint.py [--seeds 3] [--mixtures 60] [--jobs 4] [--only REGEX] [--part P]

A lost reply is one that the endpoint's log says was sent readable and the store does not hold; twice is one too many.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import re
import shutil
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "faults")]

from endpoint_cases import CASES, LONG, SAME_TEXT  # noqa: E402
from endpoint_scene import Case, Place, Uneven, nothing_lost_nothing_twice, seen, small_prompts  # noqa: E402
from forking import Forker  # noqa: E402

from emaudit.simulator.deliveries import DELIVERIES  # noqa: E402
from emaudit.simulator.shapes import SHAPES  # noqa: E402

ASSESSMENTS = ("harmfulness", "intentions", "self_assessment", "moral_foundations")
CONCURRENCIES = (1, 8, 100)
SETTINGS = "timeout_s = 5"
PATIENCE_S = 1800
COSTLY = {"huge", "endless", "gzip-bomb"}


def mild_faults() -> list[str]:
    """Faults after which the same texts come in the end."""
    shapes = [name for name, shape in SHAPES.items() if not shape.sound or name in SAME_TEXT]
    statuses = (
        "408",
        "409",
        "425",
        "500",
        "502-page",
        "503",
        "504",
        "529-overloaded",
        "500-huge",
        "429-rate",
        "429-page",
    )
    return [
        *(f"shape:{name}" for name in shapes),
        *(f"way:{name}" for name in DELIVERIES if name not in COSTLY and name != "redirect-hostile"),
        *(f"status:{name}" for name in statuses),
        *("drop", "timeout", "429", "500", "503", "malformed"),
    ]


class Outside:
    """Commands and endpoints as processes of their own, forked from one that has the libraries loaded."""

    def __init__(self, folder: Path, prompts: Path) -> None:
        self._folder = folder
        self._prompts = prompts
        self._forker = Forker()
        self._lock = threading.Lock()
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("EMAUDIT_", "OPENAI_", "XDG_"))}
        self._environment = {**keep, "HOME": str(folder), "PYTHONPATH": str(ROOT)}

    def _start(self, argv: Sequence[str]):  # noqa: ANN202
        with self._lock:
            return self._forker.start(list(argv), self._environment, self._folder)

    @contextlib.contextmanager
    def serve(self, faults: Sequence[str], log: Path, seed: int = 0) -> Iterator[str]:
        words = [word for fault in faults for word in ("--fault", fault)]
        known = ("--prompts", str(self._prompts), "--log", str(log), "--seed", str(seed))
        process = self._start(("simulate", *known, *words))
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()
            process.communicate(60)

    def do(self, *argv: str) -> tuple[int, str]:
        process = self._start(argv)
        _, said = process.communicate(PATIENCE_S)
        return process.returncode or 0, said


@dataclass
class Tally:
    """What one part of the campaign tried and found."""

    runs: int = 0
    requests: int = 0
    faults: int = 0
    lost: int = 0
    twice: int = 0
    unlike: int = 0
    wrong: int = 0
    crashes: int = 0

    def add(self, place: Place) -> None:
        """Count a place that is done with."""
        self.runs += 1
        self.requests += len(place.lines())
        self.faults += sum(bool(line["fault"]) for line in place.lines())

    def row(self, name: str) -> str:
        numbers = (self.runs, self.requests, self.faults, self.lost, self.twice, self.unlike, self.wrong, self.crashes)
        return f"| {name} | " + " | ".join(f"{number:,}" for number in numbers) + " |"


class Campaign:
    """Plays cases in a folder, against what a run without faults leaves."""

    def __init__(self, folder: Path, jobs: int) -> None:
        self.folder = folder
        self._jobs = jobs
        self._lock = threading.Lock()
        self._n_places = 0
        self.small = small_prompts(folder)
        self.tallies: dict[str, Tally] = {}

    def place(self, world: Outside, prompts: Path) -> Place:
        """A fresh store."""
        with self._lock:
            self._n_places += 1
            name = f"{self._n_places:05}"
        place = Place(world, self.folder / name, prompts)
        place.begin()
        return place

    def settle(self, part: str, place: Place, name: str, wrong: Sequence[str], uneven: Uneven, said: str) -> None:
        """Count a case, tell what is wrong, and clear away what is right."""
        with self._lock:
            tally = self.tallies.setdefault(part, Tally())
            tally.add(place)
            tally.lost += uneven.lost
            tally.twice += uneven.twice
            tally.unlike += "exports differ" in wrong
            tally.wrong += bool([each for each in wrong if each != "exports differ"])
            tally.crashes += "bug" in said or "Traceback" in said
            if wrong or uneven.lost or uneven.twice:
                print(f"{part}: {name}: {wrong} {uneven}\n{said}\nkept in {place.folder}", flush=True)
            else:
                shutil.rmtree(place.folder, ignore_errors=True)

    def each(self, work, jobs: Sequence[object]) -> None:  # noqa: ANN001
        with ThreadPoolExecutor(self._jobs) as pool:
            for done in [pool.submit(work, job) for job in jobs]:
                done.result()


def table(campaign: Campaign, world: Outside, only: str) -> None:
    """Every case of the table, in real time."""
    with world.serve((), campaign.folder / "healthy.jsonl") as healthy:
        whole = campaign.place(world, campaign.small)
        whole.point_at(healthy)
        whole.run()
        expected = whole.exports()

        def play(case: Case) -> None:
            place = campaign.place(world, campaign.small)
            with world.serve(case.faults, place.log) as url:
                place.point_at(url, case.settings)
                found = seen(place, *place.run(code=None))
            wrong = case.differs(found)
            uneven = nothing_lost_nothing_twice(place, ignores_n="ignore-n" in case.faults)
            place.point_at(healthy)
            code, said = place.do("resume", code=None)
            wrong += [f"resume ended with {code}: {said}"] if code or "0 owed" not in said else []
            wrong += ["exports differ"] if case.equal and place.exports() != expected else []
            campaign.settle("the table, in real time", place, case.name, wrong, uneven, found.said + said)

        campaign.each(play, [case for case in CASES if re.search(only, case.name)])


@dataclass(frozen=True)
class Draw:
    """One run by chance."""

    part: str
    faults: tuple[str, ...]
    assessment: str
    preset: str
    concurrency: int
    max_n: int
    seed: int


def by_chance(campaign: Campaign, world: Outside, draws: Sequence[Draw]) -> None:
    """Runs that meet their faults by chance: resumed under the same faults twice, then against a healthy endpoint."""
    kept: dict[tuple[str, str, int], dict[str, str]] = {}
    prompts = ROOT / "prompts"
    with contextlib.ExitStack() as held:
        seeds = {draw.seed for draw in draws}
        log = campaign.folder / "healthy-all.jsonl"
        healthy = {seed: held.enter_context(world.serve((), log, seed)) for seed in seeds}

        def whole(what: tuple[str, str, int]) -> None:
            assessment, preset, seed = what
            place = campaign.place(world, prompts)
            place.point_at(healthy[seed], concurrency=50)
            place.run(assessment, preset)
            kept[what] = place.exports()

        def play(draw: Draw) -> None:
            place = campaign.place(world, prompts)
            said = ""
            with world.serve(draw.faults, place.log, draw.seed) as url:
                place.point_at(url, f"{settings_for(draw)}\nmax_n = {draw.max_n}", draw.concurrency)
                code, said = place.run(draw.assessment, draw.preset, code=None)
                for _ in range(2):
                    if code:
                        code, more = place.do("resume", code=None)
                        said += more
            uneven = nothing_lost_nothing_twice(place)
            place.point_at(healthy[draw.seed], concurrency=50)
            code, more = place.do("resume", code=None)
            wrong = [f"resume ended with {code}"] if code or "0 owed" not in more else []
            wrong += ["exports differ"] if place.exports() != kept[what_of(draw)] else []
            campaign.settle(draw.part, place, str(draw), wrong, uneven, said + more)

        campaign.each(whole, sorted({what_of(draw) for draw in draws}))
        campaign.each(play, draws)


def settings_for(draw: Draw) -> str:
    """A short timeout; a long one where replies of 10 MB stand in line, since one that comes too late is not lost."""
    return "timeout_s = 120" if any(f"shape:{name}:" in fault for name in LONG for fault in draw.faults) else SETTINGS


def what_of(draw: Draw) -> tuple[str, str, int]:
    """What a run asks, whatever faults it meets."""
    return draw.assessment, draw.preset, draw.seed


def single(seeds: int) -> list[Draw]:
    """Every fault on a fifth of the requests, at every concurrency."""
    return [
        Draw(f"every fault, 20%, {n} in flight", (f"{fault}:0.2",), ASSESSMENTS[seed % 4], "smoke", n, 10, seed)
        for fault in mild_faults()
        for n in CONCURRENCIES
        for seed in range(seeds)
    ]


def mixtures(n: int) -> list[Draw]:
    """Faults in any company."""
    draw = random.Random(5)
    found = []
    for seed in range(n):
        faults = tuple(
            f"{fault}:{draw.choice((0.02, 0.1, 0.3))}" for fault in draw.sample(mild_faults(), draw.randint(3, 8))
        )
        more = draw.choice(
            ((), ("refuse-n",), ("latency:20ms",), ("retry-after:0.2",), ("old-max-tokens",), ("quota-after:40",))
        )
        place = draw.choice(ASSESSMENTS), draw.choice(("smoke", "smoke", "quick")), draw.choice((1, 3, 20, 100))
        found.append(Draw("mixtures", (*faults, *more), *place, draw.choice((1, 3, 10)), seed % 3))
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--mixtures", type=int, default=60)
    options.add_argument("--jobs", type=int, default=4)
    options.add_argument("--only", default=".", help="cases of the table whose name this finds")
    options.add_argument("--part", choices=("table", "single", "mixtures"), action="append")
    given = options.parse_args()
    parts = given.part or ["table", "single", "mixtures"]
    folder = Path(tempfile.mkdtemp(prefix="emaudit-faults-"))
    campaign = Campaign(folder, given.jobs)
    if "table" in parts:
        table(campaign, Outside(folder, campaign.small), given.only)
    draws = single(given.seeds) if "single" in parts else []
    draws += mixtures(given.mixtures) if "mixtures" in parts else []
    if draws:
        by_chance(campaign, Outside(folder, ROOT / "prompts"), draws)
    print("| part | runs | requests | faults met | lost | twice | exports unlike | outcomes unlike | crashes |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, tally in campaign.tallies.items():
        print(tally.row(name))
    total = Counter[str]()
    for tally in campaign.tallies.values():
        total += Counter({name: value for name, value in vars(tally).items() if value})
    sys.exit(1 if any(total[name] for name in ("lost", "twice", "unlike", "wrong", "crashes")) else 0)


if __name__ == "__main__":
    main()
