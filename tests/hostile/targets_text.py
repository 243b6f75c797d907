"""Text on its way to a terminal, a table or a page, and moments that a person types, as functions to be fuzzed."""

from __future__ import annotations

import csv
import io
import re

from outside import LEFT, text_of

from emaudit import folder
from emaudit.choices import parse_moment
from emaudit.errors import UsageError
from emaudit.keys import scrubbed
from emaudit.latex import paragraph, verbatim
from emaudit.text import one_line, shown, storable, visible


def as_of(data: bytes) -> None:
    """A moment: refused, or as the store writes moments."""
    try:
        found = parse_moment(text_of(data))
    except UsageError:
        return
    assert re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", found), found


def shown_text(data: bytes) -> None:
    """Text on its way to a terminal: nothing of it left that acts, twice as good as once, no longer than asked for."""
    text = text_of(data)
    seen = visible(text)
    assert not LEFT.search(seen)
    assert visible(seen) == seen
    line = one_line(text)
    assert one_line(line) == line and "\n" not in line and "\t" not in line
    for limit in (1, 2, 20, 300):
        cut = one_line(text, limit)
        assert len(cut) <= limit and not LEFT.search(cut)
        assert line == cut or cut.endswith("…"), "what is left out is said"
    assert not LEFT.search(shown(text))
    storable(text).encode()
    assert "secret" not in scrubbed(text, ("secret",))


def cells(data: bytes) -> None:
    """A row of cells as CSV: read back to the last character, and none that a spreadsheet would run."""
    row = [*text_of(data).split("\x1f"), "end"]
    csv.field_size_limit(1 << 30)
    for excel_safe in (False, True):
        written = folder._line(row, excel_safe)
        (found,) = csv.reader(io.StringIO(written, newline=""), strict=True)
        assert (
            [folder.unguarded(cell) for cell in found] == [folder.unguarded(cell) for cell in row]
            if excel_safe
            else found == row
        )
        if excel_safe:
            assert not any(cell.startswith(folder.RUNNABLE) for cell in found if not folder._SCALE.fullmatch(cell))


def latex(data: bytes) -> None:
    """Text as LaTeX: no command, group or special character of its own."""
    text = text_of(data)
    for written in (paragraph(text), verbatim(text)):
        body = re.sub(r"\\emauditchar\{[0-9A-F]{4,6}\}\{.\}", "", written, flags=re.DOTALL)
        body = re.sub(r"\\(?:text[a-z]+|ldots|mbox)\{\}|\\[{}$&#%_]|\\\\\n|\{[\"']\}|-\{\}", "", body)
        assert not re.search(r"[\\{}$&#%^]", body), body
