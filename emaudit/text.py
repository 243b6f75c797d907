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
    ]
    table |= {code: f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" for code in hidden}
    return table | {code: f"\\U{code:08X}" for code in range(0xE0000, 0xE0080)}


_VISIBLE: Final = _table()


def visible(text: str) -> str:
    """The text with every control, bidi, zero-width and tag character shown as a visible glyph.

    Tabs and newlines stay, `\\r\\n` becomes `\\n`; ZWJ and ZWNJ stay, since scripts need them.
    """
    return text.replace("\r\n", "\n").translate(_VISIBLE)


def one_line(text: str, limit: int = 0) -> str:
    """`visible` text on one line, cut with an ellipsis after `limit` characters (0: not cut)."""
    cut = text[: limit * 4 + 80] if limit else text
    line = " ".join(visible(cut).split())
    return line if not limit or len(line) <= limit else line[: limit - 1] + "…"


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


def scrubbed(text: str, secrets: tuple[str, ...]) -> str:
    """The text without any of the given secrets (of 4 or more characters)."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, "[key removed]")
    return text
