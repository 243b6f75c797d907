"""A table of a paper as a GitHub Markdown table: every character of a cell as itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from emaudit.papertables.model import Cell, PaperTable, Row
from emaudit.text import one_line, visible

_ESCAPES: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "@": "&#64;"}
    | {mark: f"\\{mark}" for mark in "\\`*_[]~$#!"}
)
_LINKS: Final = re.compile(r"(?i)(?<=http):|(?<=https):|(?<=ftp):|(?<=www)\.")
"""What would make a link of a bare address."""


def escaped(text: str) -> str:
    """Text on one line, as Markdown and HTML show it: no mark-up, no cell border, no link in it works."""
    links_cut = _LINKS.sub(lambda match: f"\0{ord(match[0])};", one_line(text))
    return links_cut.translate(_ESCAPES).replace("\0", "&#")


def fenced(text: str) -> str:
    """Text of several lines as a code block, whose fence is longer than any run of backticks in it."""
    shown = visible(text)
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{shown}\n{fence}"


def markdown_page(table: PaperTable) -> str:
    """The table with its heading, caption and notes; blocks follow one another."""
    simulated = "**SIMULATED.** " if table.simulated else ""
    lines = [f"## {escaped(table.heading)}", "", simulated + escaped(table.caption), ""]
    lines.append(_line(escaped(column.heading) for column in table.columns))
    lines.append(_line("---:" if column.is_number else ":---" for column in table.columns))
    marks = table.marks
    lines += [_line(_cells(row, marks)) for row in table.rows]
    notes = [f"<sup>{mark}</sup> {escaped(note)}" for note, mark in marks.items()]
    notes += [escaped(note) for note in table.notes]
    for note in notes:
        lines += ["", note]
    return "\n".join(lines) + "\n"


def _line(cells: Iterator[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(row: Row, marks: dict[str, str]) -> Iterator[str]:
    for cell in row.cells:
        text = _cell(cell, marks)
        yield f"*{text}*" if row.kind != "own" and text else text


def _cell(cell: Cell, marks: dict[str, str]) -> str:
    return escaped(cell.text) + (f"<sup>{marks[cell.why]}</sup>" if cell.why else "")
