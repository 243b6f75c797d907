"""Text as LaTeX that shows it: every special character escaped, line ends and indents kept. Pure."""

from __future__ import annotations

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
    }
)


def paragraph(text: str) -> str:
    """One line of text."""
    return " ".join(visible(text).translate(_SPECIAL).split())


def verbatim(text: str) -> str:
    """Text of several lines: each ends with `\\\\`, and its leading spaces stay."""
    return "\\\\\n".join(_line(line) for line in visible(text).split("\n"))


def _line(line: str) -> str:
    body = line.expandtabs(4).rstrip()
    indent = len(body) - len(body.lstrip(" "))
    return r"\mbox{}" + "~" * indent + body[indent:].translate(_SPECIAL)
