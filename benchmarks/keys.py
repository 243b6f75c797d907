"""How fast the app answers a key, idle and while a run at concurrency 200 is going: milliseconds.

    python benchmarks/keys.py [--keys 200] [--store FILE]

Measured twice: from the key to the handler that acts on it (which the app notes, by `timed_app.py`), and to the next
output. The app runs in a pseudo-terminal of 140x45, the run is a process of its own, the endpoint another. `--store`
takes a store (a copy of it) and runs on it; else there is a new one of the simulated variants alone. Output that the
app would have written anyway can only be mistaken for an answer when it falls into the same milliseconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import stores
from endpoints import endpoint
from measuring import emaudit
from pseudo import in_terminal

BOUND_MS = 50
SCREENS = {"variants": b"\x1bOQ", "inspect": b"\x1bOS"}
"""The keys F2 and F4."""


@dataclass(frozen=True)
class Times:
    """Milliseconds from each key to its handler, and to the next output."""

    handled: list[float]
    drawn: list[float]


def key_times(store: Path, n: int, screen: bytes, settling: float) -> Times:
    noted = store.with_suffix(".keys")
    noted.write_bytes(b"")
    command = [sys.executable, str(Path(__file__).with_name("timed_app.py")), "--store", str(store)]
    with in_terminal(command, {"BENCH_KEYS": str(noted)}) as terminal:
        terminal.drawn_after()
        terminal.drain(2.0, settling)
        terminal.press(screen)
        terminal.drain(2.0, settling / 2)
        pressed = []
        for number in range(n):
            terminal.drain(0.03, 1.0)
            pressed.append(terminal.press(b"jk"[number % 2 : number % 2 + 1]))
            time.sleep(0.05)
        terminal.drain(1.0, 5.0)
    handled = [float(line) for line in noted.read_text(encoding="ascii").split()][-n:]
    if len(handled) < n or handled[0] < pressed[0][0]:
        raise SystemExit(f"{n} keys were pressed, and not as many were acted on")
    return Times(
        [(moment - key) * 1000 for moment, (key, _) in zip(handled, pressed, strict=True)],
        [(moment - key) * 1000 for key, moment in pressed],
    )


def told(words: str, times: Times) -> None:
    cut, drawn = (statistics.quantiles(held, n=100) for held in (times.handled, times.drawn))
    met = "met " if cut[98] < BOUND_MS else "MISSED"
    print(
        f"{met}  {words}, {len(times.handled)} keys: to the handler p99 {cut[98]:.1f} ms (< {BOUND_MS}), "
        f"median {cut[49]:.1f}, maximum {max(times.handled):.1f}; "
        f"to output median {drawn[49]:.1f}, p99 {drawn[98]:.1f}, maximum {max(times.drawn):.1f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=200)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--settling", type=float, default=30.0, help="seconds the app may take to read the store")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, endpoint() as asked:
        store = stores.copied(options.store, Path(folder))
        names = stores.add_simulated(store, asked.url)
        for name, key in SCREENS.items():
            if name == "variants" or options.store:
                told(f"{name}, nothing going on", key_times(store, options.keys, key, options.settling))
        emaudit(store, "run", *names, "--max-concurrency", "200", "--detach", "--yes")
        for name, key in SCREENS.items():
            times = key_times(store, options.keys, key, options.settling / 3)
            told(f"{name}, a run at 200 in flight", times)
        states = [row["state"] for row in json.loads(emaudit(store, "status", "--json").stdout)]
        print(f"the run at the end: {', '.join(states)}")
        emaudit(store, "stop")


if __name__ == "__main__":
    main()
