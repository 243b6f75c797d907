"""The trust boundary for text that comes from outside: models, endpoints, files, other people.

Everything shown in a terminal goes through `visible` or `one_line`; the store keeps the text verbatim.
"""

from __future__ import annotations

from typing import Final

DISPLAY_LIMIT: Final = 20_000
"""Characters of one text that are shown before `… more`."""


def _table() -> dict[int, str]:
    table = {code: chr(0x2400 + code) for code in range(0x20) if code not in (0x09, 0x0A)}
    table[0x7F] = "\u2421"
    hidden = [
        *range(0x80, 0xA0),
        0xAD,
        0x061C,
        0x180E,
        0x200B,
        0x200E,
        0x200F,
        *range(0x2028, 0x202F),
        *range(0x2060, 0x2070),
        0xFEFF,
        *range(0xFFF9, 0xFFFC),
        *range(0xD800, 0xE000),
        *range(0xFDD0, 0xFDF0),
        *(plane + last for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF)),
        *range(0x13430, 0x13440),
        *range(0x1BCA0, 0x1BCA4),
        *range(0x1D173, 0x1D17B),
        *range(0xE0000, 0xE1000),
    ]
    return table | {code: _named(code) for code in hidden}


def _named(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


_VISIBLE: Final = _table()


def visible(text: str) -> str:
    """The text with every control, format, zero-width and tag character and noncharacter shown as a visible glyph.

    Tabs and newlines stay, `\\r\\n` becomes `\\n`; ZWJ and ZWNJ stay, since scripts need them.
    """
    return text.replace("\r\n", "\n").translate(_VISIBLE)


def one_line(text: str, limit: int = 0) -> str:
    """`visible` text on one line, cut with an ellipsis after `limit` characters (0: not cut)."""
    cut = text[: limit * 4 + 80] if limit else text
    line = " ".join(visible(cut).split())
    if not limit or (len(line) <= limit and not text[len(cut) :].strip()):
        return line
    return line[: limit - 1] + "…"


def shown(text: str) -> str:
    """`visible` text of at most DISPLAY_LIMIT characters, saying how much more there is."""
    if len(text) <= DISPLAY_LIMIT:
        return visible(text)
    return f"{visible(text[:DISPLAY_LIMIT])}\n… {len(text) - DISPLAY_LIMIT:,} more characters in the store"


def storable(text: str) -> str:
    """The text with lone surrogates as U+FFFD, which SQLite, UTF-8 files and requests can hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if _has_surrogate(text) else text


def _has_surrogate(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)
