"""The runner's memory over a whole audit: 15 simulated variants at preset paper, some 458,400 replies.

    python benchmarks/memory.py [--variants 15] [--preset paper] [--concurrency 100] [--ignore-n]

What counts is the most that ever was resident (VmHWM of the runner's process; Linux only). How much was resident along
the way shows whether it grows with the replies. Three variants give a quick look.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
import time
from pathlib import Path

import stores
from endpoints import endpoint

BOUND_MIB = 150
N_SHOWN = 10


def resident(pid: int) -> tuple[float, float] | None:
    """MiB resident now and at most; None where the process is over."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    found = {name: int(kib) / 1024 for name, kib in re.findall(r"(VmRSS|VmHWM):\s+(\d+) kB", status)}
    return (found["VmRSS"], found["VmHWM"]) if found else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", type=int, default=15)
    parser.add_argument("--preset", default="paper")
    parser.add_argument("--concurrency", type=int, default=100)
    parser.add_argument("--ignore-n", action="store_true", help="the endpoint answers once, whatever `n` says")
    options = parser.parse_args()
    faults = ["ignore-n"] if options.ignore_n else []
    with tempfile.TemporaryDirectory() as folder, endpoint(*faults) as asked:
        store = Path(folder) / "bench.db"
        names = stores.add_simulated(store, asked.url, options.variants)
        what = ["run", *names, "--preset", options.preset, "--max-concurrency", str(options.concurrency), "--yes"]
        started = time.monotonic()
        seen = []
        with tempfile.TemporaryFile() as said:
            run = subprocess.Popen([*stores.app(store), *what], stdout=said, stderr=subprocess.STDOUT)
            while run.poll() is None:
                held = resident(run.pid)
                if held:
                    seen.append((time.monotonic() - started, *held))
                time.sleep(0.5)
            said.seek(0)
            lines = said.read().decode(errors="replace").splitlines()
        seconds = time.monotonic() - started
        served = asked.served()
        print("\n".join([line for line in lines if "replies" in line][-2:]))
        print(f"exit code {run.returncode}, {seconds:.0f} s, {served.n:,} requests, {served.rate:,.0f}/s")
    for moment, now, most in seen[:: max(1, len(seen) // N_SHOWN)]:
        print(f"{moment / seconds:4.0%}: {now:6.1f} MiB resident, at most {most:6.1f}")
    highest = max(each[2] for each in seen)
    print(f"{'met ' if highest <= BOUND_MIB else 'MISSED'}  memory of the runner: {highest:.1f} MiB (<= {BOUND_MIB})")


if __name__ == "__main__":
    main()
