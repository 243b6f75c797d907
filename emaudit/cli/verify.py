"""`emaudit verify`: recompute an export from its rows and from the store, and walk the store's hash chains."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

from emaudit.cli.arguments import Verbs
from emaudit.cli.context import Context
from emaudit.cli.output import counted, emit, emit_json, say
from emaudit.errors import UsageError
from emaudit.text import one_line
from emaudit.verifying import Report, verify_export, verify_store
from emaudit.verifying.report import Tell


def register(verbs: Verbs) -> None:
    """Add `verify`."""
    verb = verbs.add(
        "verify",
        "recompute an export from its rows and the store; without DIR, walk the store's chains",
        _verify,
        lists=True,
    )
    verb.add_argument("directory", metavar="DIR", type=Path, nargs="?", help="a folder that export or figures wrote")


def _verify(context: Context) -> int:
    directory: Path | None = context.options.directory
    with _Narration() as tell:
        report = _of_store(context, tell) if directory is None else _of_export(context, directory, tell)
    if context.json:
        record = {"passes": report.passes, "problems": [asdict(problem) for problem in report.problems]}
        emit_json({**record, "checked": report.checked, "notes": report.notes})
    else:
        _show(report)
    return 0 if report.passes else 1


def _of_store(context: Context, tell: Tell) -> Report:
    with context.open() as store:
        return verify_store(store, tell)


def _of_export(context: Context, directory: Path, tell: Tell) -> Report:
    if not directory.is_dir():
        raise UsageError(f"{directory} is no folder: name one that `emaudit export` wrote")
    if not context.store_path.exists() and context.named_store is None:
        return verify_export(None, directory, tell)
    with context.open() as store:
        of_store, of_export = verify_store(store, tell), verify_export(store, directory, tell)
    return Report(
        of_store.problems + of_export.problems, of_store.checked + of_export.checked, of_store.notes + of_export.notes
    )


def _show(report: Report) -> None:
    for checked in report.checked:
        say(f"checked: {checked}")
    for note in report.notes:
        say(f"note: {note}")
    for problem in report.problems:
        emit(str(problem))
    if report.passes:
        emit("all of it holds")
    else:
        say(f"{counted(len(report.problems), 'problem')}")


class _Narration:
    """One line on a terminal's stderr that follows a verification; nothing where it is no terminal."""

    def __init__(self) -> None:
        self._shows = sys.stderr is not None and sys.stderr.isatty()

    def __enter__(self) -> _Narration:
        return self

    def __exit__(self, *_: object) -> None:
        self("")

    def __call__(self, text: str) -> None:
        """Put a text in place of the one before."""
        if self._shows:
            sys.stderr.write(f"\r\x1b[K{one_line(text, 70)}")
            sys.stderr.flush()
