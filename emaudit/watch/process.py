"""Where a store is watched: in a process of its own, so that counting never holds the interpreter that draws.

The child looks, and writes a snapshot to its stdout whenever something changed. A byte on its stdin makes it
look at once; when its stdin closes, because the app left or died, it ends.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from emaudit.child import ask_to_end, messages, module_command, module_environment, reap, write_message
from emaudit.errors import EmauditError
from emaudit.priority import stand_back
from emaudit.watch.snapshot import Snapshot

LOOK_S: Final = 1.0
LIVE_LOOK_S: Final = 0.5
UNSETTLED_LOOK_S: Final = 0.02
"""Seconds between two looks: as a rule, while a run goes on, while counting is behind."""
TELL_S: Final = 0.4
"""Least seconds between two snapshots told, but for the last of a row."""
NICENESS: Final = 7

Tell = Callable[[Snapshot], None]
Wait = Callable[[float], bool]
"""Waits for so many seconds or until woken; False where watching ends."""


class Watch(Protocol):
    """Tells snapshots of a store until it is stopped."""

    def run(self, tell: Tell) -> None:
        """Watch until stopped; blocks. Raises EmauditError where watching failed."""

    def wake(self) -> None:
        """Look at once."""

    def stop(self) -> None:
        """End `run`."""


def look_on(path: Path, wait: Wait, tell: Tell) -> None:
    """Look at a store again and again; tell what changed."""
    from emaudit.watch.watcher import Watcher

    watcher = Watcher(path)
    last: Snapshot | None = None
    told_at = 0.0
    try:
        while True:
            snapshot = watcher.look()
            is_settled = watcher.is_settled
            if snapshot != last and (is_settled or time.monotonic() - told_at >= TELL_S):
                tell(snapshot)
                last, told_at = snapshot, time.monotonic()
            idle = LIVE_LOOK_S if snapshot.live_runs else LOOK_S
            if not wait(idle if is_settled else UNSETTLED_LOOK_S):
                return
    finally:
        watcher.close()


class WatchThread:
    """Watches in the calling thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._woken = threading.Event()
        self._has_ended = False

    def run(self, tell: Tell) -> None:
        """Watch until stopped."""
        look_on(self._path, self._wait, tell)

    def _wait(self, seconds: float) -> bool:
        self._woken.wait(seconds)
        self._woken.clear()
        return not self._has_ended

    def wake(self) -> None:
        """Look at once."""
        self._woken.set()

    def stop(self) -> None:
        """End `run`."""
        self._has_ended = True
        self._woken.set()


class WatchProcess:
    """Watches in a process of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process: subprocess.Popen[bytes] | None = None
        self._has_ended = threading.Event()

    def run(self, tell: Tell) -> None:
        """Start the process and pass on what it tells. Raises EmauditError where it ends by itself."""
        command = module_command("emaudit.watch.process", str(self._path.absolute()))
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(command, env=module_environment(), stdin=pipe, stdout=pipe, stderr=pipe)
        except OSError as error:
            raise EmauditError(f"{sys.executable} cannot be started: {error.strerror}") from error
        self._process = process
        assert process.stdin and process.stdout and process.stderr
        if self._has_ended.is_set():
            process.stdin.close()
        for snapshot in messages(process.stdout):
            if isinstance(snapshot, Snapshot):
                tell(snapshot)
        last_words = process.stderr.read().decode("utf-8", "replace").strip().splitlines()[-1:]
        process.stdout.close()
        process.stderr.close()
        reap(process)
        if not self._has_ended.is_set():
            raise EmauditError(f"the process that watches the store ended: {''.join(last_words) or 'without a word'}")

    def wake(self) -> None:
        """Look at once."""
        process = self._process
        if process is not None and process.stdin is not None and not process.stdin.closed:
            try:
                process.stdin.write(b".")
                process.stdin.flush()
            except OSError:
                return

    def stop(self) -> None:
        """End the process, and `run` with it."""
        self._has_ended.set()
        ask_to_end(self._process)


def _wait_for_stdin(seconds: float) -> bool:
    ready, _, _ = select.select([0], [], [], seconds)
    return not ready or bool(os.read(0, 4096))


def main(path: str) -> None:
    """Watch a store for the app at the other end of the pipes."""
    stand_back(NICENESS)
    try:
        look_on(Path(path), _wait_for_stdin, lambda snapshot: write_message(sys.stdout.buffer, snapshot))
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
