"""Variants from a file: a CSV with a header of field names, or TOML with one `[variants.NAME]` table each.

All or nothing: the first thing wrong is raised with file, line and field, before anything is kept.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from emaudit.errors import BadInput, UsageError
from emaudit.prompts import read_toml
from emaudit.variants import FIELDS, check_key_variable, check_lineage, check_name, check_value

READABLE: Final = tuple(name for name in FIELDS if name != "hidden")
"""The fields that a file may give."""

Facts = dict[str, str]


def read_variants(
    path: Path,
    held: Mapping[str, str],
    check: Callable[[Facts], None],
    endpoint: Callable[[], str],
) -> list[Facts]:
    """The variants of a file, checked one by one against each other and against those held (name -> parent).

    `check` refuses an endpoint or address that cannot be; `endpoint` gives the one of rows that name none.
    Raises BadInput.
    """
    rows = list(_toml_rows(path) if path.suffix == ".toml" else _csv_rows(path))
    if not rows:
        raise BadInput(path, f"holds no variants; fields: {', '.join(READABLE)}")
    parents = dict(held)
    for line, facts in rows:
        _check_row(path, line, facts, parents, check, endpoint)
    for line, facts in rows:
        try:
            check_lineage({facts["name"]: facts.get("parent", ""), **parents})
        except UsageError as error:
            raise BadInput(path, str(error), _line_of_parent(rows, str(error), line), "field 'parent'") from error
    return [facts for _, facts in rows]


def _line_of_parent(rows: Iterable[tuple[int, Facts]], message: str, line: int) -> int:
    """The line of the row that a lineage error is about."""
    named = [number for number, facts in rows if facts.get("parent") and repr(facts["name"]) in message]
    return named[0] if named else line


def _check_row(
    path: Path,
    line: int,
    facts: Facts,
    parents: dict[str, str],
    check: Callable[[Facts], None],
    endpoint: Callable[[], str],
) -> None:
    name = facts.get("name", "")
    try:
        check_name(name)
    except UsageError as error:
        raise BadInput(path, str(error), line, "field 'name'") from error
    if name in parents:
        raise BadInput(path, f"variant {name!r} exists already", line, "field 'name'")
    if not facts.get("model"):
        raise BadInput(path, "is missing", line, "field 'model'")
    parents[name] = facts.get("parent", "")
    try:
        check_key_variable(facts.get("api_key_env", ""))
    except UsageError as error:
        raise BadInput(path, str(error), line, "field 'api_key_env'") from error
    for field, value in facts.items():
        try:
            check_value(field, value)
        except UsageError as error:
            raise BadInput(path, str(error), line, f"field {field!r}") from error
    field = "base_url" if facts.get("base_url") else "endpoint"
    try:
        if field == "endpoint" and not facts.get("endpoint"):
            facts["endpoint"] = endpoint()
        check(facts)
    except UsageError as error:
        raise BadInput(path, str(error), line, f"field {field!r}") from error


def _csv_rows(path: Path) -> Iterable[tuple[int, Facts]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(path, f"not UTF-8: {error.reason} at byte {error.start}") from error
    except OSError as error:
        raise BadInput(path, f"cannot be read: {error.strerror}") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [column.strip() for column in next(reader, [])]
        _check_fields(path, 1, header)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise BadInput(path, f"expected {len(header)} cells, found {len(cells)}", reader.line_num)
            yield (
                reader.line_num,
                {name: cell.strip() for name, cell in zip(header, cells, strict=True) if cell.strip()},
            )
    except csv.Error as error:
        raise BadInput(path, f"not valid CSV: {error}", reader.line_num) from error


def _check_fields(path: Path, line: int, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name not in READABLE:
            raise BadInput(path, f"is not a field of a variant; known: {', '.join(READABLE)}", line, f"field {name!r}")
        if name in seen:
            raise BadInput(path, "stands twice", line, f"field {name!r}")
        seen.add(name)


_TABLE: Final = re.compile(r'^\s*\[\s*variants\s*\.\s*(?:"(?P<quoted>[^"]*)"|\'(?P<literal>[^\']*)\'|(?P<bare>[\w-]+))')


def _toml_rows(path: Path) -> Iterable[tuple[int, Facts]]:
    data = read_toml(path)
    tables = data.get("variants")
    if not isinstance(tables, dict) or set(data) != {"variants"}:
        raise BadInput(path, "expected nothing but tables like [variants.NAME]")
    lines = _table_lines(path)
    for name, given in tables.items():
        line = lines.get(name, 0)
        if not isinstance(given, dict):
            raise BadInput(path, "expected a table", line or None, f"variants.{name}")
        _check_fields(path, line, given)
        for field, value in given.items():
            if isinstance(value, dict | list):
                raise BadInput(path, f"expected a text or a number, found {value!r}", line or None, f"field {field!r}")
        yield line, {"name": name, **{field: str(value).strip() for field, value in given.items()}}


def _table_lines(path: Path) -> dict[str, int]:
    """The line of each `[variants.NAME]`."""
    found: dict[str, int] = {}
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = _TABLE.match(text)
        if match:
            found[match["quoted"] or match["literal"] or match["bare"] or ""] = number
    return found
