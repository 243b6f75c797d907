"""Leaving on a signal: the terminal is put in order first, and the process ends even where that hangs."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

RESTORE_S: Final = 2.0
"""Seconds that a killed app has to leave the terminal in order before it is ended."""
SIGNALS: Final = {signal.SIGTERM: 143, signal.SIGHUP: 129}
"""The signals that end the app, and the exit code of each."""


def obey_signals(leave: Callable[[int], None]) -> None:
    """Have the signals that end the app call `leave` with the exit code in the running loop."""
    loop = asyncio.get_running_loop()

    def obey(number: int, frame: FrameType | None) -> None:
        code = SIGNALS[signal.Signals(number)]
        _end_by_force_after(RESTORE_S, code)
        loop.call_soon_threadsafe(leave, code)

    for number in SIGNALS:
        signal.signal(number, obey)


def _end_by_force_after(seconds: float, code: int) -> None:
    """End the process even where its terminal takes no more bytes or its loop hangs."""
    timer = threading.Timer(seconds, os._exit, (code,))
    timer.daemon = True
    timer.start()
