"""Hostile text as LaTeX: nothing in it is a command, and line ends and indents stay."""

from __future__ import annotations

import re

import pytest

from emaudit.latex import FALLBACK, paragraph, verbatim

ALLOWED = re.compile(
    r"\\text(?:backslash|asciicircum|asciitilde|less|greater|bar|asciigrave)\{\}"
    r"|\\emauditchar\{[0-9A-F]{4,6}\}\{[^\\{}]\}|\\mbox\{\}|\\\\\n|\\[{}$&#%_]"
    r"|\{[\"']\}|-\{\}|~"
)


@pytest.mark.parametrize(
    "text",
    [
        r"\end{quote}\input{/etc/passwd}",
        r"\write18{rm -rf} ^^5cinput $x_1^2$ & 50% #1 ~",
        "a\n\n\n[b]\n  indented\n\\end{verbatim}",
        "``quotes'' --- <tag> | \"x\" 'y'",
        "\x1b]0;owned\x07 \u202e \u200b \x00 \u2028",
    ],
)
def test_nothing_in_a_text_is_a_command(text: str) -> None:
    for made in (verbatim(text), paragraph(text)):
        rest = ALLOWED.sub("", made)
        assert not set(rest) & set("\\{}$&#%_^~<>|`\x1b\x00\x07"), rest


def test_lines_and_indents_stay() -> None:
    assert verbatim("def f():\n    x\n\nend") == "\\mbox{}def f():\\\\\n\\mbox{}~~~~x\\\\\n\\mbox{}\\\\\n\\mbox{}end"


def test_a_line_end_never_takes_what_follows_as_its_argument() -> None:
    assert "\\\\\n[" not in verbatim("a\n[2cm]b\n*c")
    assert "\\\\\n*" not in verbatim("a\n[2cm]b\n*c")


def test_other_scripts_are_left_to_the_font_and_have_their_number_beside_them() -> None:
    assert paragraph("Zo\u00eb \u4e2d \U0001f600 \u2013") == (
        "Zo\u00eb \\emauditchar{4E2D}{\u4e2d} \\emauditchar{1F600}{\U0001f600} \\textendash{}"
    )
    assert FALLBACK.startswith("\\providecommand{\\emauditchar}[2]")
