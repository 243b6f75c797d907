"""The speed of a run with the app open on its store, against the same run alone.

    python benchmarks/watched.py [--rounds 3] [--latency 50] [--concurrency 100] [--store FILE]

The app stands open in a pseudo-terminal of 140x45 from before the run until after it. `--store` runs on a copy of that
store, else on a new one. Three simulated variants, harmfulness: 9,600 replies and as many verdicts.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import stores
from endpoints import endpoint
from measuring import measured
from pseudo import in_terminal, read_along

BOUND = 0.9
N_VARIANTS = 3


def speed(options: argparse.Namespace, is_open: bool) -> float:
    """Requests a second between the first and the last."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        asked = stack.enter_context(endpoint(f"latency:{options.latency}ms"))
        store = stores.copied(options.store, folder)
        names = stores.add_simulated(store, asked.url, N_VARIANTS)
        if is_open:
            terminal = stack.enter_context(in_terminal(stores.app(store)))
            terminal.drawn_after()
            terminal.drain(2.0, 30.0)
            stack.enter_context(read_along(terminal))
        what = ["run", *names, "--assessment", "harmfulness", "--preset", options.preset, "--yes"]
        used = measured([*stores.app(store), *what, "--max-concurrency", str(options.concurrency)])
        served = asked.served()
        words = f"{served.n:,} requests, {served.rate:,.0f}/s, {used.wall:.1f} s, {used.cpu:.1f} s of CPU"
        print(f"{'app open' if is_open else 'alone'}: {words}", file=sys.stderr, flush=True)
        if used.code:
            raise SystemExit(f"the run ended with {used.code}:\n{used.err}")
        return served.rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency", type=int, default=50, help="milliseconds")
    parser.add_argument("--concurrency", type=int, default=100)
    parser.add_argument("--preset", default="paper")
    parser.add_argument("--store", type=Path)
    options = parser.parse_args()
    rounds = [(speed(options, False), speed(options, True)) for _ in range(options.rounds)]
    alone, watched = (statistics.median(rates) for rates in zip(*rounds, strict=True))
    met = "met " if watched >= BOUND * alone else "MISSED"
    print(f"{met}  requests/s, app open {watched:,.0f}, alone {alone:,.0f}: {watched / alone:.2f} (>= {BOUND})")


if __name__ == "__main__":
    main()
