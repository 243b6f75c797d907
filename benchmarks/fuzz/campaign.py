"""Fuzz everything that reads bytes from outside, guided by coverage, and print a row for each reader.

    python benchmarks/fuzz/campaign.py --seconds 60 [TARGET...]

The targets and what each promises are in tests/hostile/targets*.py. Guided by `atheris` where it is installed in the
Python at hand, else by mutations of the seeds alone. Each target runs in a process of its own; an input that breaks a
promise is kept under --keep, with the traceback, and the campaign ends with exit code 1.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "hostile")]

LONGEST = 4096
"""Bytes of one input."""


def main() -> int:
    """Run every target for so long, one after the other."""
    options = _options()
    if options.worker:
        return _work(options.worker, options.seconds, options.seed, options.keep)
    import targets

    names = options.targets or list(targets.TARGETS)
    guided = importlib.util.find_spec("atheris") is not None
    how = "guided by coverage (atheris)" if guided else "not guided: atheris is not installed"
    print(f"{how}, {options.seconds} s each")
    print(f"{'target':<16}{'inputs':>12}{'a second':>10}{'broken':>8}", flush=True)
    n_broken = 0
    for name in names:
        found = _run(name, options)
        n_broken += found.broken
        print(f"{name:<16}{found.n:>12,}{found.n / max(found.seconds, 1e-9):>10,.0f}{found.broken:>8}", flush=True)
        if found.told:
            print(found.told, flush=True)
    return 1 if n_broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", metavar="TARGET", nargs="*", help="else all of them")
    parser.add_argument("--seconds", type=int, default=60, help="for each target; default 60")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--keep", type=Path, default=Path(tempfile.gettempdir()) / "emaudit-fuzz", help="for what breaks"
    )
    parser.add_argument("--worker", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


class Found:
    """What one target's process came to."""

    def __init__(self, n: int, broken: int, seconds: float, told: str) -> None:
        self.n = n
        self.broken = broken
        self.seconds = seconds
        self.told = told


def _run(name: str, options: argparse.Namespace) -> Found:
    """One target in a process of its own, with a home of its own."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="emaudit-fuzz-home-") as home:
        words = [
            "--worker",
            name,
            "--seconds",
            str(options.seconds),
            "--seed",
            str(options.seed),
            "--keep",
            str(options.keep),
        ]
        environment = {**os.environ, "HOME": home, "XDG_CACHE_HOME": home, "XDG_CONFIG_HOME": home}
        done = subprocess.run(
            [sys.executable, str(Path(__file__)), *words],
            env=environment,
            cwd=home,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    seconds = time.monotonic() - began
    counted = re.findall(r"(?:Done |inputs )([0-9]+)", done.stdout + done.stderr)
    if not counted:
        counted = re.findall(r"^#([0-9]+)", done.stderr, re.MULTILINE)
    told = "" if done.returncode == 0 else _last_words(done.stdout + done.stderr)
    return Found(int(counted[-1]) if counted else 0, int(done.returncode != 0), seconds, told)


def _last_words(text: str) -> str:
    begin = max(text.rfind("Traceback"), text.rfind("Uncaught"), 0)
    return "\n".join("    " + line for line in text[begin:].splitlines()[:40])


def _work(name: str, seconds: int, seed: int, keep: Path) -> int:
    """Fuzz one target until the time is over or something breaks."""
    os.nice(10)
    keep.mkdir(parents=True, exist_ok=True)
    if importlib.util.find_spec("atheris") is not None:
        return _guided(name, seconds, seed, keep)
    return _mutated(name, seconds, seed, keep)


def _guided(name: str, seconds: int, seed: int, keep: Path) -> int:
    import atheris

    with atheris.instrument_imports(
        include=["emaudit", "json", "csv", "tomllib", "email"], enable_loader_override=False
    ):
        import targets
    import seeds

    for data in seeds.of(name):
        targets.TARGETS[name](data)
    corpus = Path(tempfile.mkdtemp(prefix="emaudit-corpus-"))
    for number, data in enumerate(seeds.of(name)):
        (corpus / f"seed-{number}").write_bytes(data)
    words = corpus.with_name(corpus.name + ".dict")
    words.write_text(seeds.dictionary(), encoding="ascii")
    arguments = [
        sys.argv[0],
        *(f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={LONGEST}", "-rss_limit_mb=4096", "-timeout=60"),
        *(f"-artifact_prefix={keep}/{name}-", f"-dict={words}", "-print_final_stats=1", str(corpus)),
    ]
    atheris.Setup(arguments, targets.TARGETS[name])
    atheris.Fuzz()
    return 0


def _mutated(name: str, seconds: int, seed: int, keep: Path) -> int:
    import seeds
    import targets

    rng, held, words = random.Random(seed), list(seeds.of(name)), seeds.words()
    until, n = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        data = rng.choice(held)
        for _ in range(rng.randint(0, 6)):
            at, end = sorted((rng.randint(0, len(data)), rng.randint(0, len(data))))
            data = (data[:at] + rng.choice((rng.randbytes(2), rng.choice(words), data[at:end] * 2)) + data[end:])[
                :LONGEST
            ]
        n += 1
        try:
            targets.TARGETS[name](data)
        except Exception:  # noqa: BLE001 - whatever a target raises is what is looked for
            traceback.print_exc()
            (keep / f"{name}-mutated").write_bytes(data)
            print(f"inputs {n}")
            return 1
    print(f"inputs {n}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
