"""From starting the process to the first full frame: the app, and the least that a Textual app can be.

    python benchmarks/first_frame.py [--rounds 15] [--store FILE]

Both run in a pseudo-terminal of 140x45, in turn. A frame is full when the last line of the screen holds something
(the app's line of keys, the other's only line); what the terminal shows is worked out afterwards, with pyte.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import stores
from pseudo import in_terminal

MINIMAL = Path(__file__).with_name("minimal_app.py")
BOUND = 1.5


def frame_time(command: list[str]) -> float:
    with in_terminal(command) as terminal:
        return terminal.drawn_after() * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--store", type=Path, help="a store to open (a copy of it); else none is there yet")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = stores.copied(options.store, Path(folder))
        commands = {"app": stores.app(store), "minimal": [sys.executable, str(MINIMAL)]}
        times: dict[str, list[float]] = {name: [] for name in commands}
        for number in range(options.rounds + 1):
            for name, command in commands.items():
                took = frame_time(command)
                if number:  # the first is only to have all files in memory
                    times[name].append(took)
    for name, held in times.items():
        print(f"{name}: median {statistics.median(held):.0f} ms, {min(held):.0f} to {max(held):.0f}, {len(held)} times")
    ratio = statistics.median(times["app"]) / statistics.median(times["minimal"])
    print(
        f"{'met ' if ratio <= BOUND else 'MISSED'}  first frame: {ratio:.2f} times that of the minimal app (<= {BOUND})"
    )


if __name__ == "__main__":
    main()
