"""A table of a paper as LaTeX with booktabs: a file to `\\input` into a paper, and one document that holds them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from emaudit.latex import FALLBACK, paragraph
from emaudit.papertables.model import Cell, PaperTable, Row

LONGEST: Final = 45
"""Rows that still fit on one page; a table of more breaks over pages."""
WIDEST: Final = 10
"""Columns that still fit across an upright page; a long table of more stands on its side."""
_PACKAGES: Final = ("booktabs", "graphicx", "longtable", "lscape")


def latex_page(table: PaperTable) -> str:
    """The table as a file of its own, with its caption, label and notes."""
    lines = [
        f"% {table.name}: needs \\usepackage{{{','.join(_PACKAGES)}}}.",
        FALLBACK,
        *(_long(table) if len(table.rows) > LONGEST else _short(table)),
    ]
    return "\n".join(lines) + "\n"


def document(title: str, simulated: bool, parts: Sequence[tuple[str, Sequence[str]]]) -> str:
    """A document that compiles alone: sections, each with the files (without `.tex`) it takes in."""
    lines = [
        "% Compiles alone: latexmk -pdf, latexmk -lualatex, or tectonic. A character that the font lacks is shown by",
        "% its number; with LuaLaTeX or XeLaTeX a \\setmainfont that has it shows it.",
        "\\documentclass[10pt,a4paper]{article}",
        "\\ifdefined\\Umathchar\\else\\usepackage[T1]{fontenc}\\fi",
        "\\usepackage[margin=18mm]{geometry}",
        f"\\usepackage{{{','.join(_PACKAGES)}}}",
        "\\setlength{\\parindent}{0pt}",
        "\\setlength{\\parskip}{4pt plus 1pt}",
        "\\emergencystretch=3em",
        FALLBACK,
        "\\begin{document}",
        rf"\section*{{{paragraph(title)}}}",
    ]
    if simulated:
        lines.append(f"{SIMULATED}The replies or the verdicts behind these tables are made up by a simulator.")
    for heading, files in parts:
        lines += ["\\clearpage", rf"\section*{{{paragraph(heading)}}}"]
        lines += [rf"\input{{{name}}}" for name in files]
    return "\n".join([*lines, "\\end{document}"]) + "\n"


SIMULATED: Final = "\\textbf{SIMULATED.} "


def _short(table: PaperTable) -> Iterator[str]:
    yield "\\begin{table}[htbp]"
    yield "\\centering"
    yield "\\footnotesize"
    yield rf"\caption{{{_caption(table)}}}"
    yield rf"\label{{tab:emaudit-{table.name}}}"
    yield "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%"
    yield rf"\begin{{tabular}}{{{_alignment(table)}}}"
    yield "\\toprule"
    yield _headings(table)
    yield "\\midrule"
    yield from _body(table)
    yield "\\bottomrule"
    yield "\\end{tabular}}"
    for note in _notes(table):
        yield ""
        yield rf"\parbox{{\linewidth}}{{\scriptsize {note}}}"
    yield "\\end{table}"


def _long(table: PaperTable) -> Iterator[str]:
    around = "landscape" if len(table.columns) > WIDEST else "small"
    yield rf"\begin{{{around}}}"
    yield "\\scriptsize"
    yield "\\setlength{\\tabcolsep}{2pt}"
    yield "\\setlength{\\LTcapwidth}{\\linewidth}"
    yield rf"\begin{{longtable}}{{{_alignment(table)}}}"
    yield rf"\caption{{{_caption(table)}}}\label{{tab:emaudit-{table.name}}}\\"
    for ending in ("\\endfirsthead", "\\endhead"):
        yield "\\toprule"
        yield _headings(table)
        yield "\\midrule"
        yield ending
    yield "\\bottomrule"
    yield "\\endlastfoot"
    yield from _body(table)
    yield "\\end{longtable}"
    for note in _notes(table):
        yield rf"\par {note}"
    yield rf"\par\end{{{around}}}"


def _caption(table: PaperTable) -> str:
    return (SIMULATED if table.simulated else "") + paragraph(f"{table.heading}. {table.caption}")


def _alignment(table: PaperTable) -> str:
    return "@{}" + "".join("r" if column.is_number else "l" for column in table.columns) + "@{}"


def _headings(table: PaperTable) -> str:
    return _line(paragraph(column.heading) for column in table.columns)


def _line(cells: Iterable[str]) -> str:
    return " & ".join(cells) + " \\\\"


def _body(table: PaperTable) -> Iterator[str]:
    marks = table.marks
    for number, block in enumerate(table.blocks()):
        if number:
            yield "\\addlinespace"
        for row in block:
            yield _guarded(_line(_cells(row, table, marks)))


def _guarded(line: str) -> str:
    """A row that no command before it takes for its optional argument."""
    return "{}" + line if line.startswith(("[", "*")) else line


def _cells(row: Row, table: PaperTable, marks: dict[str, str]) -> Iterator[str]:
    for cell, column in zip(row.cells, table.columns, strict=True):
        text = _cell(cell, marks, column.is_number)
        yield rf"\textit{{{text}}}" if row.kind != "own" and text else text


def _cell(cell: Cell, marks: dict[str, str], is_number: bool) -> str:
    text = paragraph(cell.text)
    shown = text.replace("-{}", "\\ensuremath{-}") if is_number else text
    return shown + (rf"\textsuperscript{{{marks[cell.why]}}}" if cell.why else "")


def _notes(table: PaperTable) -> Iterator[str]:
    for note, mark in table.marks.items():
        yield rf"\textsuperscript{{{mark}}} {paragraph(note)}"
    for note in table.notes:
        yield paragraph(note)
