"""The embedded endpoint as a process of its own, and what its request log says it was asked."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Served:
    """What arrived: requests, prompt tokens by the endpoint's rule, seconds between the first and the last."""

    n: int
    tokens: int
    seconds: float

    @property
    def rate(self) -> float:
        return (self.n - 1) / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Endpoint:
    url: str
    log: Path

    def served(self) -> Served:
        n, tokens, times = 0, 0, []
        with self.log.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                n += 1
                tokens += row.get("prompt_tokens", 0)
                times.append(row["at"])
        return Served(n, tokens, max(times, default=0.0) - min(times, default=0.0))


@contextmanager
def endpoint(*faults: str) -> Iterator[Endpoint]:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "requests.jsonl"
        log.touch()
        words = [word for fault in faults for word in ("--fault", fault)]
        command = [sys.executable, "-m", "emaudit", "simulate", "--log", str(log), *words]
        pipe, said = subprocess.PIPE, subprocess.STDOUT
        with subprocess.Popen(command, stdout=pipe, stderr=said, text=True, start_new_session=True) as process:
            assert process.stdout
            url = next((word for line in process.stdout for word in line.split() if word.startswith("http")), "")
            if not url:
                raise SystemExit("the endpoint did not start: see `emaudit simulate`")
            try:
                yield Endpoint(url, log)
            finally:
                process.terminate()
