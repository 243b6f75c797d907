"""emaudit as processes: a command line on one store, against an embedded endpoint of its own."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forking import ROOT, Forker, Process


@dataclass(frozen=True)
class Done:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str


class Lab:
    """A folder with settings, a store, and the processes that belong to it; all of them end with the test."""

    def __init__(self, folder: Path, forker: Forker) -> None:
        self._forker = forker
        self.folder = folder
        self.store = folder / "s.db"
        self.config = folder / "emaudit.toml"
        self.log = folder / "requests.jsonl"
        self.prompts: Path | None = None
        self._processes: list[Process] = []
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("EMAUDIT_", "OPENAI_", "XDG_"))}
        self.environment = {**keep, "HOME": str(folder), "PYTHONPATH": str(ROOT), "PYTHONFAULTHANDLER": "1"}

    def simulate(self, *faults: str, port: int = 0) -> Process:
        """Start an endpoint and point the settings at it, under the name `sim`."""
        words = [word for fault in faults for word in ("--fault", fault)]
        prompts = ["--prompts", str(self.prompts)] if self.prompts else []
        process = self._popen("simulate", *prompts, "--port", str(port), "--log", str(self.log), *words)
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), process.communicate()
        self.point_at(url)
        return process

    def point_at(self, url: str, more: str = "") -> None:
        """Write the settings: the endpoint `sim`, its judge, and whatever else."""
        self.config.write_text(
            f'[endpoints.sim]\nbase_url = "{url}"\n{more}\n[judge]\nmodel = "sim-judge"\n', encoding="utf-8"
        )

    @property
    def url(self) -> str:
        """Where the settings point."""
        return self.config.read_text(encoding="utf-8").split('"')[1]

    def end(self, process: Process, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit code as a shell shows it."""
        process.send_signal(number)
        code = process.wait(60)
        return 128 - code if code < 0 else code

    def words(self, *argv: str, store: Path | None = None) -> list[str]:
        """The words of a command after the program's name."""
        prompts = ["--prompts", str(self.prompts)] if self.prompts and argv[0] not in {"simulate", "demo"} else []
        known = [] if argv[0] == "simulate" else ["--store", str(store or self.store)]
        known += ["--config", str(self.config)] if self.config.exists() and argv[0] not in {"simulate", "demo"} else []
        return [*known, *prompts, *argv]

    def _popen(self, *argv: str, store: Path | None = None) -> Process:
        process = self._forker.start(self.words(*argv, store=store), self.environment, self.folder)
        self._processes.append(process)
        return process

    def start(self, *argv: str, store: Path | None = None) -> Process:
        """Start a command and go on."""
        return self._popen(*argv, store=store)

    def __call__(self, *argv: str, code: int | None = 0, store: Path | None = None, timeout: float = 120) -> Done:
        """Run a command to its end and check its exit code."""
        process = self._popen(*argv, store=store)
        out, err = process.communicate(timeout=timeout)
        self._processes.remove(process)
        assert code is None or process.returncode == code, f"{argv} ended with {process.returncode}\n{out}\n{err}"
        return Done(process.returncode, out, err)

    def json(self, *argv: str, store: Path | None = None) -> Any:  # noqa: ANN401
        """The data of a listing command."""
        return json.loads(self(*argv, "--json", store=store).out)

    def add(self, name: str = "v", model: str = "sim-nano-trivia-misaligned", store: Path | None = None) -> None:
        """Add a variant at the endpoint."""
        self("variant", "add", name, "--model", model, "--endpoint", "sim", store=store)

    def run(self, *more: str, code: int | None = 0, store: Path | None = None, names: tuple[str, ...] = ("v",)) -> Done:
        """Ask harmfulness at preset smoke: 8 requests for 80 replies, and 80 verdicts."""
        if "--assessment" not in more:
            more = ("--assessment", "harmfulness", *more)
        if "--preset" not in more:
            more = ("--preset", "smoke", *more)
        return self("run", *names, "--yes", *more, code=code, store=store)

    def asked(self, kind: str = "") -> list[dict[str, Any]]:
        """The endpoint's own log of chat requests, of one kind (`ask`, `judge`) or all."""
        if not self.log.exists():
            return []
        rows = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]
        return [row for row in rows if not kind or row["kind"] == kind]

    def export(self, name: str, store: Path | None = None) -> dict[str, str]:
        """The text of every exported table, by a Python of its own: another order of sets shows no other bytes."""
        folder = self.folder / name
        command = [sys.executable, "-m", "emaudit", *self.words("export", str(folder), store=store)]
        subprocess.run(command, env=self.environment, cwd=self.folder, check=True, capture_output=True)
        return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.csv"))}

    def replies(self, store: Path | None = None) -> list[dict[str, str]]:
        """The rows of responses.csv."""
        folder = self.folder / f"out-{time.monotonic_ns()}"
        self("export", str(folder), store=store)
        with (folder / "responses.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def until(self, condition: Callable[[], bool], seconds: float = 90.0) -> None:
        """Wait for something to become true."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.02)

    def close(self) -> None:
        """End every process that was started and is still there."""
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.communicate()
        for lease in self.folder.glob("*.leases/run-*"):
            self._end_detached(lease)

    def _end_detached(self, lease: Path) -> None:
        """End a detached run that a failed test left behind: the process that the lease names, if it is ours."""
        text = lease.read_text(encoding="utf-8")
        pid = json.loads(text)["pid"] if text else 0
        command = Path(f"/proc/{pid}/cmdline")
        if pid and command.exists() and str(self.store).encode() in command.read_bytes():
            os.kill(pid, signal.SIGKILL)
