"""The progress bar of a run, on stderr and only where that is a terminal. Loses to every failure quietly."""

from __future__ import annotations

import contextlib
from types import TracebackType
from typing import TYPE_CHECKING

from emaudit.text import one_line

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from emaudit.runner import RunState


class Bar:
    """One line that follows a run; nothing at all where stderr is no terminal."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Bar:
        import sys

        if sys.stderr is not None and sys.stderr.isatty():
            self._progress = _progress()
            self._task = self._progress.add_task("", total=None, words="starting")
            with contextlib.suppress(OSError):
                self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            with contextlib.suppress(OSError):
                self._progress.stop()

    def show(self, state: RunState) -> None:
        """Draw one moment of the run."""
        if self._progress is None or self._task is None:
            return
        total = state.n_planned + state.n_referred
        self._progress.update(
            self._task, total=total, completed=state.n_done + state.n_judged, words=_words(state), refresh=True
        )


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    return Progress(
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[words]}", markup=False),
        console=Console(stderr=True, markup=False, highlight=False, emoji=False),
        transient=True,
        auto_refresh=False,
    )


def _words(state: RunState) -> str:
    parts = [f"{state.replies_per_s:.1f}/s"]
    if state.eta_s is not None:
        parts.append(f"{clock(state.eta_s)} left")
    parts.append(f"{state.in_flight} of {state.limit} in flight")
    if state.phase == "waiting" or not state.in_flight:
        parts.append(one_line(state.line, 60))
    return ", ".join(parts)


def clock(seconds: float) -> str:
    """`0:07`, `2:03`, `1:02:03`."""
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
