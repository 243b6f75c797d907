"""The appendix of the instruments as LaTeX and as Markdown: every text as it was, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from emaudit.latex import FALLBACK, paragraph, verbatim
from emaudit.papertables.appendix import Entry, Section
from emaudit.papertables.markdownpage import escaped, fenced

INTRODUCTION = (
    "The texts below are those that the stored replies were asked and judged with, as pinned in the store, each once. "
    "Names in braces are places where a text takes in a word or another text."
)


def latex_appendix(sections: Sequence[Section]) -> str:
    """A file to `\\input`: a subsection for each instrument and each judge, a paragraph for each text."""
    lines = ["% The instruments. No packages needed.", FALLBACK, paragraph(INTRODUCTION), ""]
    for section in sections:
        lines += [rf"\subsection*{{{paragraph(section.title)}}}", *map(paragraph, section.notes), ""]
        lines += ["\\begingroup\\footnotesize\\raggedright"]
        lines += [line for entry in section.entries for line in _latex_entry(entry)]
        lines += ["\\par\\endgroup", ""]
    return "\n".join(lines)


def _latex_entry(entry: Entry) -> Iterator[str]:
    yield rf"\par\medskip\textbf{{{paragraph(entry.label)}}}\\"
    yield verbatim(entry.text)


def markdown_appendix(sections: Sequence[Section], simulated: bool) -> str:
    """A page: a heading for each instrument and each judge, a code block for each text."""
    lines = ["# Instruments", ""]
    if simulated:
        lines += ["**SIMULATED.** The replies to these prompts, or their verdicts, are made up.", ""]
    lines += [escaped(INTRODUCTION), ""]
    for section in sections:
        lines += [f"## {escaped(section.title)}", ""]
        for note in section.notes:
            lines += [escaped(note), ""]
        for entry in section.entries:
            lines += [f"**{escaped(entry.label)}**", "", fenced(entry.text), ""]
    return "\n".join(lines).rstrip("\n") + "\n"
