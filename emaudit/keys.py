"""API keys: read from the environment by the name of their variable, and taken out of whatever is kept or shown."""

from __future__ import annotations

import base64
import functools
import os
import re
from collections.abc import Iterable, Iterator
from typing import Final

REMOVED: Final = "[key removed]"
SHORTEST: Final = 4
"""Characters of the shortest key that is taken out of errors."""
SHORTEST_IN_REPLIES: Final = 12
"""The same for replies, where `EMPTY`, `none` and the like, which keyless endpoints are given, are words."""
_SECRET_NAME: Final = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
_BREAKS: Final = r"(?:\s++|\\++[nrt]|%0[AaDd]){0,16}?"
"""What may stand between two characters: as little as leads to the second, and never so much that a text which begins
anew inside of it takes time by the square of its length."""
_named: set[str] = {"OPENAI_API_KEY"}


def declare(name: str) -> None:
    """Note that an environment variable holds a key."""
    if name:
        _named.add(name)


def look_up(name: str) -> str:
    """The key in a variable; empty where it is not set."""
    declare(name)
    return os.environ.get(name, "")


def environment_without_keys() -> dict[str, str]:
    """The environment for a process that asks nobody anything: without the variables that hold a secret."""
    return {name: value for name, value in os.environ.items() if not _may_be_secret(name, value)}


def held() -> tuple[str, ...]:
    """Every secret of this process's environment."""
    return tuple(value for name, value in os.environ.items() if value and _may_be_secret(name, value))


def _may_be_secret(name: str, value: str) -> bool:
    return name in _named or (bool(_SECRET_NAME.search(name)) and len(value) >= 8)


def scrubbed(text: str, secrets: tuple[str, ...]) -> str:
    """The text without the secrets, however they are written: escaped, encoded, or broken over lines."""
    for secret in secrets:
        if len(secret) >= SHORTEST:
            text = _pattern(secret).sub(REMOVED, text)
    return text


def scrubbed_bytes(content: bytes, secrets: tuple[str, ...]) -> bytes:
    """The same of an error's bytes."""
    return scrubbed(content.decode("utf-8", "surrogateescape"), secrets).encode("utf-8", "surrogateescape")


def scrubbed_reply(content: bytes, secrets: tuple[str, ...]) -> bytes:
    """The same of a reply's bytes, which are data: quick where no secret is in them, and blind to short ones."""
    for secret in secrets:
        if len(secret) >= SHORTEST_IN_REPLIES and any(trace in content for trace in _traces(secret)):
            content = scrubbed_bytes(content, (secret,))
    return content


def _encoded(secret: str) -> Iterator[str]:
    """Base64 of a text that holds a secret, as `Basic` has it."""
    for offset in range(3):
        padded = b"\0" * offset + secret.encode()
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield _core(encode(padded).decode(), offset)


def _character(character: str, is_first: bool) -> str:
    """One character of a secret: as it is, escaped any number of times, or percent-encoded.

    Backslashes before the first one are sought from the first of them on alone: from each of them on, a long run of
    them would take time by the square of its length. Before n, r and t they are a line break instead.
    """
    here = r"(?<!\\)" if is_first else ""
    if character == "\\":
        return rf"(?:{here}\\++|(?:%5[Cc]){{1,16}}+)"
    if character == " ":
        return r"(?:(?<!\s)\s++|%20)" if is_first else r"(?:\s++|%20)"
    codes = "".join(f"%{byte:02X}" for byte in character.encode())
    escapes = f"{re.escape(codes)}|{here}\\\\++u{ord(character):04x}|&#{ord(character)};|&#x{ord(character):x};"
    before = "" if is_first or character in "nrt" else r"\\*+"
    from html import escape  # loads every entity there is, which only a secret needs

    named = escape(character)
    entity = f"{re.escape(named)}|" if named != character else ""
    return rf"(?:{entity}(?i:{escapes})|{before}{re.escape(character)})"


def _core(encoded: str, offset: int) -> str:
    """What of a base64 text hangs on the secret alone, whatever stands before and behind it."""
    begin = (0, 2, 3)[offset]
    bare = encoded.rstrip("=")
    return bare[begin : len(bare) - (len(bare) % 4 > 0)]


@functools.lru_cache(64)
def _pattern(secret: str) -> re.Pattern[str]:
    """What finds a secret in time that grows with the text alone: no step is taken back once a character is found."""
    runs = re.sub(r"(\\| )\1+", r"\1", secret)
    written = "".join(
        f"(?>{_BREAKS if at else ''}{_character(character, at == 0)})" for at, character in enumerate(runs)
    )
    encoded = sorted({re.escape(form) for form in _encoded(secret) if len(form) >= SHORTEST})
    return re.compile("|".join([written, *encoded]))


@functools.lru_cache(64)
def _traces(secret: str) -> frozenset[bytes]:
    """Short pieces of which one is in nearly any text that holds the secret in one of these ways."""
    middle = max(re.findall(r"[A-Za-z0-9]+", secret[4:-4]), key=len, default=secret)[:8]
    pieces = (secret[:6], secret[-6:], middle, *(form[:12] for form in _encoded(secret)))
    return frozenset(piece.encode() for piece in pieces)


def in_address(query: Iterable[str]) -> str:
    """The first of an address's parameters that is named like a key; empty where none is."""
    named = re.compile(r"key|token|secret|passw|credential|signature|^sig$|auth(?!ors?$)", re.IGNORECASE)
    return next((name for name in query if named.search(name)), "")
