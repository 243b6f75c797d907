"""Numbers and names as the pages of an export print them: three decimals, p to four, no mark-up in a name. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from emaudit.text import one_line, visible

_TAG: Final = re.compile(r"<(?=[A-Za-z/!?])")
_LINK: Final = re.compile(r"\](?=[(\[:])")
_PLAIN: Final = re.compile(r"[^\x20-\x7e\n]+")


class Laid(str):
    """Lines of a Markdown page that stand as they are."""

    __slots__ = ()


def laid(lines: Iterable[str]) -> Laid:
    """Lines that stay apart, such as those of a list."""
    return Laid("\n".join(map(_told, lines)))


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Laid:
    """A table; what stands in a cell stays in it."""
    lines = [
        headings,
        ["---" for _ in headings],
        *([_told(value).replace("|", "\\|") for value in row] for row in rows),
    ]
    return Laid("\n".join(f"| {' | '.join(line)} |" for line in lines))


def markdown_page(parts: Iterable[str]) -> str:
    """A page of paragraphs, each on one line, and of what is Laid. No tag or link in a name or a reason works."""
    return "\n\n".join(part if isinstance(part, Laid) else _told(part) for part in parts) + "\n"


def _told(text: str) -> str:
    return _LINK.sub(r"]\\", _TAG.sub("&lt;", one_line(text)))


def json_page(content: Mapping[str, object]) -> str:
    """A file of JSON: sorted, indented, every character that shows nothing of its own as an escape."""
    text = json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    return _PLAIN.sub(lambda found: "".join(map(_escape, found[0])), text)


def _escape(character: str) -> str:
    if visible(character) == character:
        return character
    return "\\u007f" if character == "\x7f" else json.dumps(character)[1:-1]


def counted(n: int, what: str) -> str:
    """`1 lineage`, `1,200 lineages`."""
    return f"{n:,} {what if n == 1 else f'{what}s'}"


def number(value: float | None) -> str:
    """A value."""
    return "undefined" if value is None else f"{value:.3f}"


def signed(value: float | None) -> str:
    """A difference, always with its sign."""
    return "undefined" if value is None else f"{value:+.3f}"


def bounds(low: float | None, high: float | None) -> str:
    """An interval; empty where it has no ends."""
    return "" if low is None or high is None else f"[{low:.3f}, {high:.3f}]"


def p_text(value: float | None) -> str:
    """A p."""
    if value is None:
        return "undefined"
    return "<.0001" if value < 0.0001 else f"{value:.4f}"
