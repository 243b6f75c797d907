"""320 prompts x 10 and 3,200 judgements: `emaudit run` against a plain gather script, at one latency and concurrency.

    python benchmarks/throughput.py [--latency 50] [--concurrency 100] [--rounds 3]

Both talk to the embedded endpoint over a real socket, in turn, each as a process of its own.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MODEL = "sim-full-trivia-misaligned"
HERE = Path(__file__).parent


@contextmanager
def endpoint(latency_ms: int) -> Iterator[str]:
    command = [sys.executable, "-m", "emaudit", "simulate", "--fault", f"latency:{latency_ms}ms"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout
        url = next(word for line in process.stdout for word in line.split() if word.startswith("http"))
        try:
            yield url
        finally:
            process.terminate()


def emaudit(url: str, concurrency: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "emaudit", "--store", str(Path(folder) / "bench.db")]
        add = ["variant", "add", "v", "--model", MODEL, "--base-url", url, "--size", "full"]
        subprocess.run([*command, *add], check=True, capture_output=True)
        run = ["run", "v", "--assessment", "harmfulness", "--max-concurrency", str(concurrency), "--yes"]
        started = time.monotonic()
        subprocess.run([*command, *run], check=True, capture_output=True)
        return time.monotonic() - started


def plain(url: str, concurrency: int) -> float:
    started = time.monotonic()
    command = [sys.executable, str(HERE / "plain.py"), url, MODEL, str(concurrency)]
    subprocess.run(command, check=True, capture_output=True)
    return time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=int, default=50, help="milliseconds")
    parser.add_argument("--concurrency", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    with endpoint(chosen.latency) as url:
        rounds = [(emaudit(url, chosen.concurrency), plain(url, chosen.concurrency)) for _ in range(chosen.rounds)]
    ours, theirs = (statistics.median(times) for times in zip(*rounds, strict=True))
    for mine, other in rounds:
        print(f"emaudit {mine:6.2f} s   plain {other:6.2f} s   ratio {mine / other:.2f}")
    print(f"median: emaudit {ours:.2f} s, plain {theirs:.2f} s, ratio {ours / theirs:.2f}")


if __name__ == "__main__":
    main()
