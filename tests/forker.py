"""Forks one `emaudit` command for each request on its control socket; run by forking.Forker."""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import threading
from typing import Any

import aiohttp.web  # noqa: F401
import numpy  # noqa: F401
import scipy.special  # noqa: F401
import sqlite_utils.migrations  # noqa: F401

import emaudit.runner  # noqa: F401
from emaudit.__main__ import main
from emaudit.cli.command import build

build()


def next_command(control: socket.socket) -> list[str]:
    """Serve requests; in each forked process, the words of its command, once it stands on its own streams."""
    ended, wakes = socket.socketpair()
    wakes.setblocking(False)
    handler = signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes.fileno())
    told: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([control, ended], [], [])
        if ended in ready:
            ended.recv(4096)
            _tell_ends(told)
        if control not in ready:
            continue
        text, given, _, _ = socket.recv_fds(control, 1 << 20, 3)
        while text and not text.endswith(b"\n"):
            text += control.recv(1 << 20)
        if not text:
            os._exit(0)
        stdout, stderr, status = given
        pid = os.fork()
        if pid == 0:
            break
        os.close(stdout)
        os.close(stderr)
        os.write(status, b"%d\n" % pid)
        told[pid] = status
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, handler)
    for held in (control, ended, wakes):
        held.close()
    for descriptor in (status, *told.values()):
        os.close(descriptor)
    return _begin(json.loads(text), stdout, stderr)


def _tell_ends(told: dict[int, int]) -> None:
    """Write the exit code of each command that has ended, for whoever started it."""
    for pid in list(told):
        ended, how = os.waitpid(pid, os.WNOHANG)
        if ended:
            status = told.pop(pid)
            with contextlib.suppress(BrokenPipeError):
                os.write(status, b"%d\n" % os.waitstatus_to_exitcode(how))
            os.close(status)


def _begin(request: dict[str, Any], stdout: int, stderr: int) -> list[str]:
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    os.close(stdout)
    os.close(stderr)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    argv: list[str] = request["argv"]
    return argv


if __name__ == "__main__":
    gc.freeze()
    code = main(next_command(socket.socket(fileno=int(sys.argv[1]))))
    # What Python does at its end, but for taking every loaded module apart, which costs more than most commands.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    os._exit(code)
