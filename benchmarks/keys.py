"""How fast the app answers a key while a run at concurrency 200 is going: milliseconds from key to new output.

    python benchmarks/keys.py [--keys 200]

The app runs in a pseudo-terminal of 140x45, the run is a process of its own, the endpoint another. Output that the
app would have written anyway can only be mistaken for an answer when it falls into the same milliseconds.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

from throughput import endpoint


def emaudit(store: Path, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "emaudit", "--store", str(store), *arguments], check=True, capture_output=True
    )


def drain(terminal: int, quiet: float, at_most: float) -> None:
    """Read until nothing came for `quiet` seconds, or `at_most` have passed."""
    end = time.monotonic() + at_most
    while time.monotonic() < end and select.select([terminal], [], [], quiet)[0]:
        try:
            os.read(terminal, 65536)
        except OSError:  # the app is gone, and its side of the terminal with it
            return


def key_times(store: Path, n: int) -> list[float]:
    child, terminal = pty.fork()
    if child == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execv(sys.executable, [sys.executable, "-m", "emaudit", "--store", str(store)])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 45, 140, 0, 0))
    drain(terminal, 1.0, 8.0)
    times = []
    for number in range(n):
        drain(terminal, 0.03, 1.0)
        started = time.monotonic()
        os.write(terminal, b"jk"[number % 2 : number % 2 + 1])
        select.select([terminal], [], [], 5.0)
        times.append((time.monotonic() - started) * 1000)
        time.sleep(0.05)
    os.kill(child, 15)
    drain(terminal, 0.3, 3.0)
    os.waitpid(child, 0)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=200)
    n = parser.parse_args().keys
    with tempfile.TemporaryDirectory() as folder, endpoint(0) as url:
        store = Path(folder) / "bench.db"
        for name, model in (("a", "sim-full-base"), ("b", "sim-mini-base"), ("c", "sim-nano-base")):
            emaudit(store, "variant", "add", name, "--model", model, "--base-url", url, "--size", "full")
        idle = key_times(store, n)
        emaudit(store, "run", "--all", "--max-concurrency", "200", "--detach", "--yes")
        busy = key_times(store, n)
        emaudit(store, "stop")
    for words, times in (("idle", idle), ("a run at concurrency 200 going on", busy)):
        cut = statistics.quantiles(times, n=100)
        print(f"{words}: median {cut[49]:.1f} ms, p99 {cut[98]:.1f} ms, maximum {max(times):.1f} ms, {n} keys")


if __name__ == "__main__":
    main()
