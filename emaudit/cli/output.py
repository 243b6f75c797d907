"""Printing. Data go to stdout, narration to stderr; text from outside is made visible first."""

from __future__ import annotations

import contextlib
import json
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from emaudit.text import one_line, visible

CELL_LIMIT = 60
"""Characters of one table cell before an ellipsis."""
_PIECES: Final = 65_536
"""Pieces of JSON (a bracket, a name, a value) that are printed at once."""


def emit(text: str) -> None:
    """Print data: text of one or more lines, controls made visible."""
    print(visible(text), flush=True)


def emit_json(
    content: Mapping[str, object] | Sequence[object], record: Callable[[Any], Mapping[str, object]] | None = None
) -> None:
    """Print data as JSON in ASCII, so that nothing in it reaches the terminal raw.

    `record` says what stands for an object that is not JSON; no more than some rows are held as text at once.
    """
    pieces = json.JSONEncoder(indent=2, ensure_ascii=True, default=record).iterencode(content)
    while text := "".join(islice(pieces, _PIECES)):
        print(text.replace("\x7f", "\\u007f"), end="")
    print(flush=True)


def say(text: str) -> None:
    """Print one line of narration. A terminal that is gone must not end a run, so that failure is passed over."""
    with contextlib.suppress(OSError, ValueError):
        print(one_line(text), file=sys.stderr, flush=True)


def ask(question: str) -> bool:
    """Ask a yes-or-no question at the terminal; anything but y or yes is no."""
    sys.stderr.write(f"{one_line(question)} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def is_interactive() -> bool:
    """Whether somebody sits there who can be asked."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def width(text: str) -> int:
    """Columns a text takes in a terminal."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = (), whole: Sequence[str] = ()
) -> None:
    """Print rows under headings, columns aligned; those named in `right` to the right, those in `whole` uncut."""
    limits = [0 if heading in whole else CELL_LIMIT for heading in headings]
    cells = [[cell(value, limit) for value, limit in zip(row, limits, strict=True)] for row in [headings, *rows]]
    widths = [max(width(row[index]) for row in cells) for index in range(len(headings))]
    aligned = [heading in right for heading in headings]
    for row in cells:
        print("  ".join(_padded(row, widths, aligned)).rstrip())
    sys.stdout.flush()


@contextlib.contextmanager
def on_stderr() -> Iterator[None]:
    """What is printed in the block is narration."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


def cell(value: str, limit: int = CELL_LIMIT) -> str:
    """A table cell: one line, leading spaces kept (they show a tree), cut when longer than `limit` (0: never)."""
    indent = len(value) - len(value.lstrip(" "))
    return " " * indent + one_line(value, limit)


def _padded(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> Iterator[str]:
    for text, wide, is_right in zip(row, widths, right, strict=True):
        gap = " " * (wide - width(text))
        yield gap + text if is_right else text + gap


def number(value: float | None, digits: int = 3) -> str:
    """A value with a fixed number of decimals, or a dash where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def counted(n: int, what: str) -> str:
    """`1 reply`, `2,000 replies`."""
    plural = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return f"{n:,} {what if n == 1 else plural}"
