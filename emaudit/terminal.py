"""Opening the app in a terminal: whether anything can be drawn there, on what it is opened, and how it ended."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from emaudit.app import EmauditApp
from emaudit.config import load_settings
from emaudit.errors import UsageError
from emaudit.paths import default_config

if TYPE_CHECKING:
    from emaudit.reviewing.spotchecks import Opening


class QueueApp(EmauditApp):
    """The app opened on a queue: nothing else is drawn before it, since the names of variants are on every list."""

    DEFAULT_MODE = "review"


def check_terminal() -> None:
    """Refuse to open where nothing can be drawn. Raises UsageError."""
    streams = (sys.__stdin__, sys.__stdout__, sys.__stderr__)
    if not all(stream is not None and stream.isatty() for stream in streams):
        raise UsageError("the app needs a terminal; `emaudit --help` lists the commands that do not")
    if os.environ.get("TERM", "dumb") in {"", "dumb"}:
        raise UsageError("TERM=dumb cannot draw screens: set TERM, or use the commands of `emaudit --help`")


def run_app(
    store_path: Path,
    config_path: Path | None = None,
    prompts_dir: Path | None = None,
    opening: Opening | None = None,
) -> int:
    """Open the app on a store (and on what `opening` names) until the user leaves; returns the exit code.

    Raises EmauditError before anything is drawn, and whatever unexpected error ended the app, after the
    terminal is as it was.
    """
    check_terminal()
    config_path = config_path or default_config()
    settings = load_settings(config_path)
    if store_path.exists() or store_path.is_symlink():
        from emaudit.store import Store

        Store.open(store_path).close()
    config_args = ["--config", str(config_path)] if config_path.exists() else []
    config_args += ["--prompts", str(prompts_dir)] if prompts_dir else []
    kind = QueueApp if opening else EmauditApp
    app = kind(store_path, settings, config_args, opening=opening)
    app.run()
    if app._exception is not None:
        raise app._exception
    if app.not_noted:
        print(f"emaudit: {app.not_noted}", file=sys.stderr)
    return app.return_code or 0
