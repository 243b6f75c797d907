"""The embedded endpoint as a child process: for as long as a block lasts, or a run of its store goes on."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from emaudit.errors import EndpointError
from emaudit.keys import environment_without_keys
from emaudit.store.runs import has_live_run

_GRACE_S: Final = 5.0
_ENDING: Final = (signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def endpoint(prompts: Path | None, store: Path) -> Iterator[str]:
    """Start `emaudit simulate` on a free port; yields its base URL and ends it with the block, on signals too.

    While a run of the store still goes on in the background, the endpoint stays, and ends by itself after it.
    Raises EndpointError where it does not start.
    """
    words = ["--prompts", str(prompts)] if prompts else []
    command = [sys.executable, "-m", "emaudit", *words, "simulate", "--for-store", str(store)]
    # A session of its own, so that ctrl+c reaches the runner alone and replies in flight still arrive.
    process = subprocess.Popen(
        command,
        env=environment_without_keys(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with _ended_by_signals():
        try:
            yield _address(process)
        finally:
            if not has_live_run(store):
                _end(process)


def _address(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None and process.stderr is not None
    line = process.stdout.readline().decode("utf-8", "replace").strip()
    if not line:
        said = process.stderr.read().decode("utf-8", "replace").strip().splitlines()
        cause = said[-1].removeprefix("emaudit: ") if said else f"it ended with code {process.wait()}"
        raise EndpointError(f"the embedded endpoint did not start: {cause}")
    return line


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP leave the block as an exception, so that nothing stays behind."""

    def leave(number: int, _: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
