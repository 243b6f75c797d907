"""Commands as processes of their own, forked from one that has the heavy libraries loaded: their import is the most
of what a short command costs. Nothing of emaudit is loaded there but what every command loads at its start.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[1]


class Process:
    """A command that was started; what tests use of `subprocess.Popen`."""

    def __init__(self, status: int, stdout: IO[str], stderr: IO[str]) -> None:
        self.returncode: int | None = None
        self.stdout = stdout
        self.stderr = stderr
        self._status = status
        self.pid = self._told()

    def _told(self) -> int:
        """The next line of its status: its process id, then its exit code."""
        line = b""
        while not line.endswith(b"\n"):
            byte = os.read(self._status, 1)
            assert byte, "the process that commands are forked from is gone"
            line += byte
        return int(line)

    def poll(self) -> int | None:
        """The exit code, negative after a signal; None while it goes on."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("emaudit", timeout or 0.0)
            self.returncode = self._told()
            os.close(self._status)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, where it still goes on."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """All that is still to read, and wait for its end. Raises subprocess.TimeoutExpired."""
        said = ["", ""]

        def read(at: int, stream: IO[str]) -> None:
            said[at] = "" if stream.closed else stream.read()

        threads = [
            threading.Thread(target=read, args=held, daemon=True) for held in enumerate((self.stdout, self.stderr))
        ]
        for thread in threads:
            thread.start()
        self.wait(timeout)
        for thread, stream in zip(threads, (self.stdout, self.stderr), strict=True):
            thread.join()
            stream.close()
        return said[0], said[1]


class Forker:
    """The process that commands are forked from."""

    def __init__(self) -> None:
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("EMAUDIT_", "OPENAI_", "XDG_"))}
        ours, theirs = socket.socketpair()
        self._control = ours
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("forker.py")), str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env={**keep, "PYTHONPATH": str(ROOT), "PYTHONFAULTHANDLER": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        theirs.close()

    def start(self, argv: Sequence[str], environment: dict[str, str], folder: Path) -> Process:
        """Start `emaudit` with these words.

        All commands of one forker order their sets alike: what must not hang on that is run by a Python of its own.
        """
        request = json.dumps({"argv": list(argv), "environment": environment, "folder": str(folder)})
        pipes = [os.pipe() for _ in range(3)]
        socket.send_fds(self._control, [request.encode() + b"\n"], [given for _, given in pipes])
        for _, given in pipes:
            os.close(given)
        stdout, stderr, status = (kept for kept, _ in pipes)
        return Process(status, os.fdopen(stdout, encoding="utf-8"), os.fdopen(stderr, encoding="utf-8"))

    def close(self) -> None:
        """End it; the commands it started go on."""
        self._control.close()
        self._process.wait(30)
