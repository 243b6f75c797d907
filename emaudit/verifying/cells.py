"""Tables and texts held against each other: which cell, row or line differs, and both values."""

from __future__ import annotations

import csv
import filecmp
import math
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, zip_longest
from pathlib import Path
from typing import Final

from emaudit.problems import Problem

KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "variants.csv": ("variant",),
    "scores.csv": (
        *("variant", "size", "domain", "stage", "replicate", "assessment", "measure", "part", "format", "judge"),
    ),
    "responses.csv": (
        *("variant", "replicate", "assessment", "item", "category_or_dimension", "format", "condition", "sample"),
    ),
    "agreement.csv": ("variant", "assessment", "measure", "pair", "judge", "reviewer", "design"),
    "confusion.csv": (
        *("variant", "assessment", "measure", "pair", "judge", "reviewer", "design", "first_score", "second_score"),
    ),
    "reviews.csv": ("queue", "event"),
    "examples.csv": ("variant", "replicate", "assessment", "item", "category_or_dimension", "condition", "sample"),
    "correlations.csv": ("x", "y", "columns", "subset", "judge"),
    "comparisons.csv": ("assessment", "measure", "part", "format", "size", "domain", "group_a", "group_b"),
    "trajectories.csv": ("lineage", "assessment", "measure", "part"),
    "dissociation.csv": ("variant", "base", "part"),
    "moral_profiles.csv": ("variant",),
}
"""The columns that name a row of each table."""
MOST: Final = 50
"""Differences of one file that are named; the rest are only said to be."""
CLOSE: Final = 1e-9
"""Numbers are the same up to this, relatively, and absolutely near 0."""
AHEAD: Final = 500
"""Rows looked ahead for one that was added, removed or moved."""

Row = Sequence[str]


def read_rows(path: Path) -> Iterator[list[str]]:
    """The rows of a CSV file, its header first, one at a time. Raises csv.Error, OSError, UnicodeDecodeError."""
    csv.field_size_limit(sys.maxsize)
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.reader(file, strict=True)


class _Ahead:
    """Rows with a look at those to come."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = iter(rows)
        self._held: deque[Row] = deque()

    @property
    def head(self) -> Row | None:
        if not self._held:
            self._held.extend(islice(self._rows, 1))
        return self._held[0] if self._held else None

    def advance(self) -> None:
        self._held.popleft()

    def drop(self, place: int) -> None:
        del self._held[place]

    def find(self, row: Row, key: Sequence[int]) -> int | None:
        """How far ahead a row of the same key stands; None where none does."""
        self._held.extend(islice(self._rows, max(0, AHEAD - len(self._held))))
        wanted = _key(row, key)
        return next((place for place, held in enumerate(self._held) if _key(held, key) == wanted), None)


def _key(row: Row, key: Sequence[int]) -> tuple[str, ...]:
    return tuple(row[place] if place < len(row) else "" for place in key)


def differences(
    name: str,
    columns: Sequence[str],
    found: Iterable[Row],
    expected: Iterable[Row],
    source: str,
    most: int = MOST,
    close: float = CLOSE,
) -> Iterator[Problem]:
    """Every cell and row in which a table is not what it should be, by the key of its row; both in the same order.

    `source` says what is expected of it, such as `the store`; `close` is how far numbers may differ, as their last
    digits do from processor to processor.
    """
    problems = _differences(name, columns, found, expected, source)
    problems = (problem for problem in problems if not _are_close(problem.found, problem.expected, close))
    yield from islice(problems, most)
    if next(problems, None):
        yield Problem(name, "", "", f"has more differences from {source}, which are not named")


def _differences(
    name: str, columns: Sequence[str], found: Iterable[Row], expected: Iterable[Row], source: str
) -> Iterator[Problem]:
    key = [columns.index(column) for column in KEYS.get(name, ()) if column in columns]
    left, right = _Ahead(found), _Ahead(expected)
    while True:
        a, b = left.head, right.head
        if a is None and b is None:
            return
        if a is None and b is not None:
            yield Problem(name, _named(b, columns, key), "", f"a row is missing that {source} gives")
            right.advance()
        elif b is None and a is not None:
            yield Problem(name, _named(a, columns, key), "", f"a row that {source} does not give")
            left.advance()
        elif a is not None and b is not None:
            yield from _paired(name, columns, key, (left, a), (right, b), source)


def _paired(
    name: str,
    columns: Sequence[str],
    key: Sequence[int],
    found: tuple[_Ahead, Row],
    expected: tuple[_Ahead, Row],
    source: str,
) -> Iterator[Problem]:
    (left, a), (right, b) = found, expected
    if list(a) == list(b) or _key(a, key) == _key(b, key) or not key:
        yield from _cells(name, columns, _named(b, columns, key), a, b, source)
        left.advance()
        right.advance()
        return
    place_a, place_b = right.find(a, key), left.find(b, key)
    if place_a is None and place_b is not None:
        yield Problem(name, _named(a, columns, key), "", f"a row that {source} does not give")
        left.advance()
    elif place_a is not None and place_b is None:
        yield Problem(name, _named(b, columns, key), "", f"a row is missing that {source} gives")
        right.advance()
    elif place_a is not None:
        yield Problem(name, _named(a, columns, key), "", "a row stands out of order")
        right.drop(place_a)
        left.advance()
    else:
        yield from _cells(name, columns, _named(b, columns, key), a, b, source)
        left.advance()
        right.advance()


def _cells(name: str, columns: Sequence[str], row: str, a: Row, b: Row, source: str) -> Iterator[Problem]:
    for column, one, other in zip_longest(columns, a, b, fillvalue=""):
        if one != other:
            yield Problem(name, row, column or "beyond the header", f"is not what {source} gives", one, other)


def _are_close(one: object, other: object, close: float) -> bool:
    if not (isinstance(one, str) and isinstance(other, str) and close):
        return False
    try:
        return math.isclose(float(one), float(other), rel_tol=close, abs_tol=close)
    except ValueError:
        return False


def _named(row: Row, columns: Sequence[str], key: Sequence[int]) -> str:
    return " ".join(f"{columns[place]}={row[place]}" for place in key if place < len(row) and row[place])


def file_differences(name: str, found: Path, expected: Path, source: str, close: float = CLOSE) -> Iterator[Problem]:
    """Where a file is not what it should be: cells and rows of a table, lines of a text, or that its bytes differ."""
    if filecmp.cmp(found, expected, shallow=False):
        return
    try:
        if name.endswith(".csv"):
            yield from _table_differences(name, found, expected, source, close)
        elif name.endswith((".md", ".tex")):
            yield from _line_differences(name, found, expected, source)
        else:
            yield Problem(name, "", "", f"is not what {source} gives")
    except (csv.Error, UnicodeDecodeError) as error:
        yield Problem(name, "", "", f"cannot be read: {error}")


def _table_differences(name: str, found: Path, expected: Path, source: str, close: float) -> Iterator[Problem]:
    one, other = read_rows(found), read_rows(expected)
    header, columns = next(one, []), next(other, [])
    if header != columns:
        yield Problem(name, "the header", "", f"is not what {source} gives", ",".join(header), ",".join(columns))
        return
    any_cell = False
    for problem in differences(name, columns, one, other, source, close=close):
        any_cell = True
        yield problem
    if not any_cell and all(one == other for one, other in zip(read_rows(found), read_rows(expected), strict=True)):
        yield Problem(name, "", "", f"says the same in other bytes than {source} gives: quoting or line ends changed")


def _line_differences(name: str, found: Path, expected: Path, source: str) -> Iterator[Problem]:
    held, made = (path.read_text(encoding="utf-8").split("\n") for path in (found, expected))
    pairs = zip_longest(held, made, fillvalue="")
    other_lines = [(number, one, other) for number, (one, other) in enumerate(pairs, 1) if one != other]
    for number, one, other in other_lines[:MOST]:
        yield Problem(name, f"line {number}", "", f"is not what {source} gives", one, other)
    if len(other_lines) > MOST:
        yield Problem(name, "", "", f"has more differences from {source}, which are not named")
