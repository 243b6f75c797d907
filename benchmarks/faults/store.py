"""A store damaged at random, and a disk that fills up: nothing crashes, nothing is changed, nothing is lost.

    python benchmarks/faults/store.py [--damages 200] [--seed 1]

Each damage (pages of nonsense, zeroes, flipped bits, a file cut short) is met by every listing command. The full disk
is a small file system in memory, which only root may mount: without that right it is left out, and said.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import io
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "tests" / "faults")]

from damage import COMMANDS, DAMAGES  # noqa: E402
from endpoints import endpoint  # noqa: E402

from emaudit.cli.command import run  # noqa: E402

SAID = {0: "answered", 1: "told a difference", 2: "told the damage", 70: "CRASHED"}


def made(store: Path, url: str, *arguments: str) -> subprocess.Popen[str]:
    """A run of every assessment at preset smoke on a new store."""
    words = [sys.executable, "-m", "emaudit", "--store", str(store)]
    add = ["variant", "add", "v", "--model", "sim-nano-trivia-misaligned", "--base-url", url, "--size", "nano"]
    subprocess.run([*words, *add], check=True, capture_output=True)
    ask = ["run", "v", "--preset", "smoke", "--yes", *arguments]
    return subprocess.Popen([*words, *ask], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def answered(store: Path, words: tuple[str, ...]) -> int:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return run(["--store", str(store), *words])


def damages(whole: bytes, folder: Path, n: int, seed: int) -> None:
    counts: collections.Counter[tuple[str, str]] = collections.Counter()
    changed = 0
    store = folder / "damaged.db"
    for number in range(n):
        rng = random.Random(f"{seed} {number}")
        data = bytearray(whole)
        kind = rng.choice(DAMAGES)
        kind(data, rng)
        for left in folder.glob("damaged.db*"):
            left.unlink()
        store.write_bytes(data)
        for words in COMMANDS:
            code = answered(store, words)
            counts[" ".join(words), SAID.get(code, f"exit {code}")] += 1
        changed += store.read_bytes() != data
    for (command, said), times in sorted(counts.items()):
        print(f"| {command} | {said} | {times} |")
    print(f"{n} damaged files, {changed} changed by reading")


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def full_disk(folder: Path, url: str) -> None:
    if os.geteuid() != 0:
        print("full disk: left out, only root may mount one")
        return
    with small_disk(folder, "1500k") as disk:
        store = disk / "s.db"
        process = made(store, url, "--max-concurrency", "8")
        before, now = -1, 0
        while not now or before != now:
            before = now
            time.sleep(4)
            assert process.poll() is None, process.communicate()
            now = replies(store)
        subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
        _, err = process.communicate(timeout=300)
        print(f"full disk at {now:,} replies, then space: exit {process.returncode}, {replies(store):,} replies; {err}")


def replies(store: Path) -> int:
    with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT count(*) FROM replies").fetchone()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--damages", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, endpoint() as served:
        folder = Path(name)
        made(folder / "whole.db", served.url).communicate()
        subprocess.run(
            [sys.executable, "-m", "emaudit", "--store", str(folder / "whole.db"), "backup", str(folder / "copy.db")],
            check=True,
            capture_output=True,
        )
        damages((folder / "copy.db").read_bytes(), folder, chosen.damages, chosen.seed)
        full_disk(folder, served.url)


if __name__ == "__main__":
    main()
