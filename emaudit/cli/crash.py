"""What is said and kept of an unexpected error: no local variables, no keys, no control characters."""

from __future__ import annotations

import os
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from platformdirs import user_log_path

from emaudit.keys import held, scrubbed
from emaudit.text import one_line, visible

EXIT_CODE: Final = 70
"""Of an error in emaudit itself, which is none of the outcomes a command can have."""


def report(error: BaseException) -> str:
    """One line for the user; the details go to a file of the user's own, which the line names."""
    what = one_line(scrubbed(f"{type(error).__name__}: {error}", held()), 300)
    try:
        path = _keep(error)
    except OSError as failed:
        return f"emaudit: unexpected error: {what} (a bug; its details could not be kept: {failed.strerror})"
    return f"emaudit: unexpected error: {what} (a bug; details in {path})"


def _keep(error: BaseException) -> Path:
    folder = user_log_path("emaudit", appauthor=False)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"crash-{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{os.getpid()}.txt"
    details = "".join(traceback.format_exception(error))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(visible(scrubbed(details, held())))
    return path
