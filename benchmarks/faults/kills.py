"""Kill `emaudit run` at random moments, many times over, and look at what is left. Run it from the checkout.

    python benchmarks/faults/kills.py [--kills N] [--seed N] [--signals]

With `--signals` the runs get SIGTERM, SIGHUP or SIGINT instead of SIGKILL: what is in flight must be saved then.
Each case asks other assessments with another number of requests in flight, at an endpoint with or without faults.
Moments are uniform over what a run takes, from the start of its process to its end. Exit code 1 where anything is lost.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

_TESTS = Path(__file__).resolve().parents[2] / "tests"
sys.path[:0] = [str(_TESTS.parent), str(_TESTS), str(_TESTS / "faults")]

from forking import Forker  # noqa: E402
from kill_scene import ENDS, Campaign, Case, Tally  # noqa: E402
from lab import Lab  # noqa: E402

HARM = ("--assessment", "harmfulness")
SELF = ("--assessment", "intentions", "--assessment", "self_assessment", "--assessment", "moral_foundations")
CASES = (
    Case("harmfulness smoke", (*HARM, "--preset", "smoke"), 1, 10),
    Case("harmfulness smoke, then planted pairs", (*HARM, "--preset", "smoke"), 8, 40, n_planted=10),
    Case("all five smoke", ("--preset", "smoke"), 4, 30),
    Case("harmfulness quick", (*HARM, "--preset", "quick"), 16, 20),
    Case(
        "harmfulness quick, faults",
        (*HARM, "--preset", "quick"),
        64,
        50,
        ("429:0.1", "500:0.05", "503:0.02", "drop:0.05", "malformed:0.05"),
    ),
    Case("self-reports smoke, n ignored", (*SELF, "--preset", "smoke"), 32, 30, ("ignore-n", "429:0.1")),
)
HEADINGS = (
    "case",
    "in flight",
    "stores",
    "kills",
    "before / after the work",
    "rows seen",
    "repeated (most; beyond flight)",
    "lost",
)


def killed(case: Case, forker: Forker, n_kills: int, seed: int, signals: Sequence[int]) -> Tally:
    """The kills of one case, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder), forker)
        try:
            calm = lab.simulate()
            lab.add()
            lab(*replace(case, concurrency=32).command)
            tables = lab.export("out-calm", store=lab.store)
            lab.end(calm)
            return Campaign(lab, case, random.Random(f"{seed} {case.name}"), tables, signals).go(n_kills)
        finally:
            lab.close()


def row_of(name: str, in_flight: str, tally: Tally) -> str:
    """One line of the table."""
    lost = f"{tally.lost} lost, {tally.asked_twice} asked twice, {len(tally.wrong)} wrong"
    cells = (
        name,
        in_flight,
        f"{tally.stores}",
        f"{tally.kills}",
        f"{tally.unborn} / {tally.late}",
        f"{tally.seen:,}",
        f"{tally.repeated:,} ({tally.most_repeated}; {tally.most_waiting})",
        lost if tally.lost or tally.asked_twice or tally.wrong else "nothing",
    )
    return f"| {' | '.join(cells)} |"


def main(argv: Sequence[str] | None = None) -> int:
    """Run every case and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="over all cases")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--signals", action="store_true", help="SIGTERM, SIGHUP and SIGINT instead of SIGKILL")
    options = parser.parse_args(argv)
    signals = ENDS if options.signals else (signal.SIGKILL,)
    print(f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}", flush=True)
    forker, whole = Forker(), Tally()
    try:
        for number, case in enumerate(CASES):
            n_kills = options.kills // len(CASES) + (number < options.kills % len(CASES))
            tally = killed(case, forker, n_kills, options.seed, signals)
            print(row_of(case.name, f"{case.concurrency}", tally), flush=True)
            for said in tally.wrong:
                print(f"WRONG {said}", file=sys.stderr, flush=True)
            whole = whole.with_more(tally)
    finally:
        forker.close()
    print(row_of("all", "", whole))
    return 1 if whole.lost or whole.asked_twice or whole.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
