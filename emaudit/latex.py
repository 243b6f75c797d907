"""Text as LaTeX that shows it: every special character escaped, line ends and indents kept. Pure."""

from __future__ import annotations

import re
from typing import Final

from emaudit.text import visible

_SPECIAL: Final = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "%": r"\%",
        "_": r"\_",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        '"': '{"}',
        "'": "{'}",
        "`": r"\textasciigrave{}",
        "-": "-{}",
        "\t": "    ",
        "\u2013": r"\textendash{}",
        "\u2014": r"\textemdash{}",
        "\u2018": r"\textquoteleft{}",
        "\u2019": r"\textquoteright{}",
        "\u201c": r"\textquotedblleft{}",
        "\u201d": r"\textquotedblright{}",
        "\u2026": r"\ldots{}",
        "\u00a0": " ",
    }
)
_FOREIGN: Final = re.compile(
    r"[^\x20-\x7e\n\u00c0-\u00cf\u00d1-\u00d6\u00d8-\u00dd\u00df-\u00ef\u00f1-\u00f6\u00f8-\u00fd\u00ff]"
)
"""What not every engine and font has: all but ASCII and the accented letters of western Europe."""
FALLBACK: Final = (
    r"\providecommand{\emauditchar}[2]{\ifdefined\Umathchar\iffontchar\font\string"
    '"#1 #2'
    r"\else[U+#1]\fi\else[U+#1]\fi}"
)
"""The command that shows a character where engine and font have it, and else its number; once before any text."""


def paragraph(text: str) -> str:
    """One line of text. Needs FALLBACK before it."""
    return " ".join(_escaped(visible(text)).split())


def verbatim(text: str) -> str:
    """Text of several lines: each ends with `\\\\`, and its leading spaces stay. Needs FALLBACK before it."""
    return "\\\\\n".join(_line(line) for line in visible(text).split("\n"))


def _escaped(text: str) -> str:
    return _FOREIGN.sub(lambda match: f"\\emauditchar{{{ord(match[0]):04X}}}{{{match[0]}}}", text.translate(_SPECIAL))


def _line(line: str) -> str:
    body = line.expandtabs(4).rstrip()
    indent = len(body) - len(body.lstrip(" "))
    return r"\mbox{}" + "~" * indent + _escaped(body[indent:])
