"""How long the correlations of a store take: the command as a user gives it, and many variants in memory.

    python benchmarks/correlating.py command FILE [--rounds 3]
    python benchmarks/correlating.py many FILE [--times 9]
    python benchmarks/correlating.py ranks [--n 320]

FILE is a store that `benchmarks/inspecting.py fill` made. `command` times `emaudit correlate --json` as a process,
first with an empty cache and then with what it kept. `many` takes each variant so many times, every copy a size of its
own triple, and times the rows alone. `ranks` times one exact signed-rank test with ties and zeros.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from emaudit.archive import StoreArchive, presets
from emaudit.scores.correlations import correlation_rows
from emaudit.scores.study import Study
from emaudit.stats.signedrank import signed_rank
from emaudit.store import Store
from emaudit.studies import study_of


def command(path: Path, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "XDG_CACHE_HOME": cache}
        for number in range(rounds + 1):
            begun = time.perf_counter()
            words = [sys.executable, "-m", "emaudit", "--store", str(path), "correlate", "--json"]
            subprocess.run(words, env=environment, stdout=subprocess.DEVNULL, check=True)
            print(f"{'kept' if number else 'cold'}: {time.perf_counter() - begun:.2f} s")


def copied(study: Study, times: int) -> Study:
    """A study with each variant so many times, each set of copies of sizes of its own."""
    subjects, summaries = [], {}
    for number in range(times):
        for subject in study.subjects:
            twin = replace(subject, name=f"{subject.name}-{number}", size=f"{subject.size}-{number}")
            subjects.append(twin)
            for (name, assessment), summary in study.summaries.items():
                if name == subject.name:
                    source = replace(summary.source, variant=twin.name, size=twin.size)
                    summaries[twin.name, assessment] = replace(summary, source=source)
    return replace(study, subjects=tuple(sorted(subjects, key=lambda held: held.name)), summaries=summaries)


def many(path: Path, times: int) -> None:
    with Store.open(path) as store:
        study = study_of(StoreArchive(store, presets(store)[0]))
    for chosen in (study, copied(study, times)):
        begun, worked = time.perf_counter(), time.process_time()
        rows = correlation_rows(chosen)
        print(
            f"{len(chosen.subjects)} variants, {len(rows)} rows: {time.perf_counter() - begun:.2f} s, "
            f"{time.process_time() - worked:.2f} s of CPU"
        )


def ranks(n: int) -> None:
    rng = random.Random(1)
    differences = [rng.choice((-2, -1, 0, 0, 0, 1, 1, 2, 3)) / 4 for _ in range(n)]
    took = []
    for _ in range(20):
        begun = time.perf_counter()
        signed_rank(differences)
        took.append(time.perf_counter() - begun)
    print(f"n = {n}: median {statistics.median(took) * 1e3:.1f} ms, first {took[0] * 1e3:.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("command", "many", "ranks"))
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--times", type=int, default=9)
    parser.add_argument("--n", type=int, default=320)
    chosen = parser.parse_args()
    if chosen.what == "ranks":
        ranks(chosen.n)
    elif chosen.what == "command":
        command(chosen.file, chosen.rounds)
    else:
        many(chosen.file, chosen.times)


if __name__ == "__main__":
    main()
