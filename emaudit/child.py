"""A process of the app's own: messages pickled over its pipes; it ends when its stdin closes."""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from emaudit.keys import environment_without_keys

PATIENCE_S: Final = 2.0
"""Seconds that a process has to end by itself."""


def module_command(module: str, *words: str) -> list[str]:
    """The command that runs a module of this package, whatever lies in the working folder."""
    return [sys.executable, "-P", "-m", module, *words]


def module_environment() -> dict[str, str]:
    """The environment in which that command finds this package and no other, and no key: it asks no endpoint."""
    paths = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return {**environment_without_keys(), "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def write_message(stream: IO[bytes], message: object) -> None:
    """Send one message. Raises OSError where nobody reads any more."""
    body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    stream.write(len(body).to_bytes(8, "big") + body)
    stream.flush()


def messages(stream: IO[bytes]) -> Iterator[object]:
    """What comes through a pipe, until its end."""
    while len(head := stream.read(8)) == 8:
        size = int.from_bytes(head, "big")
        body = stream.read(size)
        if len(body) < size:
            return
        yield pickle.loads(body)


def ask_to_end(process: subprocess.Popen[bytes] | None) -> None:
    """Close a process's stdin, upon which it ends."""
    if process is not None and process.stdin is not None:
        with contextlib.suppress(OSError):  # it is gone already
            process.stdin.close()


def reap(process: subprocess.Popen[bytes]) -> None:
    """Wait until a process has ended; kill it where it does not."""
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
