"""Start a run as a process of its own, which outlives whoever started it.

It shares nothing with its parent but the store and a log file; it is found again through them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from emaudit.errors import EmauditError, StoreError, UsageError
from emaudit.paths import own_name, run_log
from emaudit.store import runs
from emaudit.store.connection import Store
from emaudit.text import one_line

PATIENCE_S: Final = 60.0
"""How long a started process may take until its run stands in the store."""
_POLL_S: Final = 0.05
_processes: list[subprocess.Popen[bytes]] = []
"""Kept so that a run that ends before its parent leaves no zombie unnoticed."""


class StartFailed(EmauditError):
    """The process ended before its run began; the message is what it said, the exit code its own."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def start(store_path: Path, config_args: Sequence[str], arguments: Sequence[str]) -> str:
    """Start `emaudit run ...`, `rejudge ...` or `resume RUN ...` detached; returns the run's id once it has begun.

    `config_args` are the global options besides the store (--config, --prompts); `arguments` begin with the verb
    and hold --yes. Raises StartFailed with the last line of its log where it ends first.
    """
    words = list(arguments)
    with Store.open(store_path) as store:
        uid = runs.run(store, words[1]).uid if words[0] == "resume" else runs.new_uid()
        before = _n_starts(store, uid)
    if words[0] != "resume":
        words += ["--run-uid", uid]
    path = own_name(store_path)
    command = [sys.executable, "-m", "emaudit", "--store", str(path), *_absolute(config_args), *words]
    process = _spawn(command, run_log(path, uid))
    _wait_until_begun(process, path, uid, before)
    return uid


def _absolute(config_args: Sequence[str]) -> list[str]:
    return [word if word.startswith("--") else str(Path(word).expanduser().absolute()) for word in config_args]


def _spawn(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    try:
        log.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StoreError(f"no log file at {log}: {error.strerror}") from error
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=descriptor, stderr=descriptor, start_new_session=True
        )
    except OSError as error:
        raise UsageError(f"{sys.executable} cannot be started: {error.strerror}") from error
    finally:
        os.close(descriptor)
    _processes[:] = [held for held in _processes if held.poll() is None]
    _processes.append(process)
    return process


def _wait_until_begun(process: subprocess.Popen[bytes], store_path: Path, uid: str, before: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    with Store.open(store_path) as store:
        while _n_starts(store, uid) <= before:
            code = process.poll()
            if code is not None and _n_starts(store, uid) <= before:
                raise StartFailed(_last_words(run_log(store_path, uid)), code if code > 0 else 2)
            if time.monotonic() > deadline:
                log = run_log(store_path, uid)
                raise StartFailed(f"run {uid} (process {process.pid}) has not begun yet: see {log}", 1)
            time.sleep(_POLL_S)


def _n_starts(store: Store, uid: str) -> int:
    held = next((run for run in runs.runs(store) if run.uid == uid), None)
    if held is None:
        return 0
    return sum(event.kind == "started" for event in runs.events(store, held.run_id))


def _last_words(log: Path) -> str:
    """The last line of a log, without the program's name."""
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return one_line(lines[-1]).removeprefix("emaudit: ") if lines else f"the run ended without a word: see {log}"
