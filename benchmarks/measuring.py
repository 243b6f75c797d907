"""One command as a process: how long it took, what it used, and how it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True)
class Used:
    """Wall seconds from start to end; CPU seconds (user and system) of the process and all it waited for; MiB of the
    largest one among them."""

    wall: float
    cpu: float
    peak: float
    code: int
    out: str
    err: str


def measured(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    at_most: float = 3600.0,
) -> Used:
    """Run a command in a session of its own; one that takes too long is killed, and all it started with it."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env={**os.environ, **(environment or {})},
            cwd=folder,
            start_new_session=True,
        )
        alarm = threading.Timer(at_most, os.killpg, (process.pid, signal.SIGKILL))
        alarm.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        alarm.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        texts = [_read(file) for file in (out, err)]
    peak = usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    return Used(wall, usage.ru_utime + usage.ru_stime, peak, process.returncode, *texts)


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def emaudit(store: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of emaudit that has to succeed."""
    command = [sys.executable, "-m", "emaudit", "--store", str(store), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"emaudit {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
    return done
