"""One harmfulness assessment (320 prompts x 10 replies, 3,200 judgements) by emaudit and by other runners.

    python benchmarks/speed.py [--rounds 3] [--latency 0 50] [--only emaudit plain] [--no-faults]
    python benchmarks/speed.py --with inspect_ai=/there/bin/python --with promptfoo=/there/bin/promptfoo

Each runner is a process of its own against an embedded endpoint of its own, over a real socket, one after the other.
The other runners are installed by hand, each into an environment of its own; `--with NAME=PATH` names the Python that
has it (for promptfoo, its command), and the variable BENCH_NAME does the same. What is not there is left out.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from endpoints import Served, endpoint
from measuring import Used
from runners import RUNNERS, Runner, variable, work_for

FAULTS = ("429:0.0345", "500:0.0345", "drop:0.0345")
"""Together they meet 10% of the requests."""
IGNORED = "ignore-n"
HEAD = (
    "| runner | wall s | CPU s | CPU ms a request | peak MiB | requests | tokens sent | requests/s "
    "| of concurrency/latency: whole, first to last | verdicts | times emaudit |\n" + "|---" * 11 + "|"
)


@dataclass(frozen=True)
class Case:
    """A runner under one condition."""

    runner: Runner
    latency: int
    ignores_n: bool = False
    faulty: bool = False

    @property
    def title(self) -> str:
        return f"{self.runner.name}, `n` ignored" if self.ignores_n else self.runner.name

    @property
    def faults(self) -> list[str]:
        return [f"latency:{self.latency}ms", *([IGNORED] if self.ignores_n else []), *(FAULTS if self.faulty else [])]


@dataclass(frozen=True)
class Result:
    """One round."""

    used: Used
    served: Served
    n_verdicts: int
    n_owed: int
    concurrency: int
    latency: int

    def shares(self) -> str:
        if not self.latency:
            return ""
        most = self.concurrency / self.latency * 1000
        return f"{self.served.n / self.used.wall / most:.0%}, {self.served.rate / most:.0%}"

    def cells(self) -> list[str]:
        used, served = self.used, self.served
        verdicts = f"{self.n_verdicts:,}" if self.n_verdicts else f"none: it {_ending(used)}"
        return [
            f"{used.wall:.1f}",
            f"{used.cpu:.1f}",
            f"{used.cpu / max(1, served.n) * 1000:.2f}",
            f"{used.peak:.0f}",
            f"{served.n:,}",
            f"{served.tokens:,}",
            f"{served.rate:,.0f}",
            self.shares(),
            verdicts,
        ]


def _ending(used: Used) -> str:
    return f"was stopped after {used.wall:.0f} s" if used.code < 0 else f"died (exit code {used.code})"


def one_round(case: Case, program: str, options: argparse.Namespace) -> Result:
    with tempfile.TemporaryDirectory() as folder, endpoint(*case.faults) as asked:
        work = work_for(Path(folder), asked.url, options.concurrency, options.preset, options.at_most)
        used = case.runner.start(work, program)
        n_verdicts = case.runner.n_verdicts(work, used)
        if options.verbose:
            print(used.out[-2000:], used.err[-2000:], file=sys.stderr)
        n_owed = len(work["prompts"]) * work["samples"]
        return Result(used, asked.served(), n_verdicts, n_owed, options.concurrency, case.latency)


def middle(results: list[Result]) -> Result:
    """The round with the median wall time (of an even number, the quicker of the two)."""
    wall = statistics.median_low(each.used.wall for each in results)
    return next(each for each in results if each.used.wall == wall)


def present(options: argparse.Namespace) -> dict[str, str]:
    """What starts each chosen runner; says how to get those that are not there."""
    for given in options.with_:
        name, _, path = given.partition("=")
        os.environ[variable(name)] = str(Path(path).absolute())
    found = {}
    for runner in RUNNERS:
        if not options.only or runner.name in options.only:
            if program := runner.program():
                found[runner.name] = program
            else:
                print(f"left out: {runner.name} (`{runner.install}` elsewhere, then --with {runner.name}=PATH)")
    return found


def tables(options: argparse.Namespace, there: dict[str, str]) -> Iterator[list[list[Case]]]:
    """The tables of every latency: clean, and with faults."""
    runners = [runner for runner in RUNNERS if runner.name in there]
    for latency in options.latency:
        found = []
        for faulty in (False, True) if options.faults else (False,):
            table = [Case(runner, latency, faulty=faulty) for runner in runners]
            table += [Case(runner, latency, True, faulty) for runner in runners if runner.knows_n]
            found.append(sorted(table, key=lambda case: not case.runner.knows_n))
        yield found


def played(cases: list[Case], there: dict[str, str], options: argparse.Namespace) -> dict[Case, Result]:
    """Run cases in turn within every round, so that a machine that slows down slows all of them."""
    rounds: dict[Case, list[Result]] = {case: [] for case in cases}
    for number in range(options.rounds):
        for case in cases:
            result = one_round(case, there[case.runner.name], options)
            rounds[case].append(result)
            title = f"{case.title}, faults" if case.faulty else case.title
            words = (title, f"round {number + 1}: {result.used.wall:.1f} s, {result.used.cpu:.1f} s of CPU")
            print(*words, file=sys.stderr, sep=", ", flush=True)
    return {case: middle(results) for case, results in rounds.items()}


def show(found: dict[Case, Result], concurrency: int) -> None:
    """Print one table."""
    first = next(iter(found))
    faulty = ", 10% of the requests 429, 500 or dropped" if first.faulty else ""
    print(f"\n{first.latency} ms latency, {concurrency} in flight{faulty}\n\n{HEAD}")
    ours = {case.ignores_n: result for case, result in found.items() if case.runner.knows_n}
    for case, result in found.items():
        times = ", ".join(
            f"{result.used.wall / ours[ignored].used.wall:.1f}{' (n ignored)' if ignored else ''}"
            for ignored in sorted(ours)
            if not case.runner.knows_n and result.n_verdicts
        )
        print(f"| {case.title} | {' | '.join(result.cells())} | {times} |", flush=True)


def pairs(found: dict[Case, Result]) -> Iterator[tuple[str, float, str, float]]:
    """Every target that these results speak of: its words, what was measured, `<=` or `>=`, and the bound."""
    for case, result in found.items():
        where = f"{case.title}, {case.latency} ms{', faults' if case.faulty else ''}"
        if case.runner.knows_n and not case.faulty:
            yield f"{where}: CPU ms a request", result.used.cpu / max(1, result.served.n) * 1000, "<=", 0.8
            if case.latency == 50:
                most = result.concurrency / result.latency * 1000
                yield f"{where}: of concurrency/latency, whole", result.served.n / result.used.wall / most, ">=", 0.7
                yield f"{where}: of concurrency/latency, first to last", result.served.rate / most, ">=", 0.9
        if case.runner.name == "inspect_ai" and not case.faulty and result.n_verdicts:
            for other, ours in found.items():
                if other.runner.knows_n and (other.latency, other.faulty) == (case.latency, False):
                    bound = 10 if other.ignores_n else 20
                    yield (
                        f"{other.title}, {case.latency} ms: times inspect_ai",
                        result.used.wall / ours.used.wall,
                        ">=",
                        bound,
                    )
        clean = found.get(replace(case, faulty=False))
        if case.faulty and clean and case.runner.knows_n:
            yield f"{where}: times the clean run", result.used.wall / clean.used.wall, "<=", 1.3


def judged(found: dict[Case, Result]) -> Iterator[str]:
    """A line for every target of emaudit's own."""
    for words, value, sign, bound in pairs(found):
        if words.startswith("emaudit"):
            met = value <= bound if sign == "<=" else value >= bound
            yield f"{'met ' if met else 'MISSED'}  {words}: {value:.2f} ({sign} {bound})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=[runner.name for runner in RUNNERS], default=[])
    parser.add_argument("--with", dest="with_", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency", type=int, nargs="+", default=[0, 50], help="milliseconds")
    parser.add_argument("--concurrency", type=int, default=100)
    parser.add_argument("--preset", default="paper", help="smoke: 8 prompts, to see that it works")
    parser.add_argument("--no-faults", dest="faults", action="store_false")
    parser.add_argument("--at-most", type=float, default=1800.0, help="seconds until a runner is killed")
    parser.add_argument("--verbose", action="store_true", help="what each runner said")
    options = parser.parse_args()
    there = present(options)
    if not there:
        raise SystemExit("nothing to measure")
    found: dict[Case, Result] = {}
    for held in tables(options, there):
        results = played([case for table in held for case in table], there, options)
        for table in held:
            show({case: results[case] for case in table}, options.concurrency)
        found |= results
    print("\n" + "\n".join(judged(found)))


if __name__ == "__main__":
    main()
