"""Turn text into repeatable chance: one digest gives the uniforms and the tag of one reply."""

from __future__ import annotations

import struct
from hashlib import blake2b
from typing import Final, NamedTuple

_SEPARATOR: Final = b"\x1f"
_LAYOUT: Final = struct.Struct(">5I")
_SCALE: Final = 2.0**-32
_TAG_LETTERS: Final = "bcdfghjkmnpqrstv"
"""Consonants only: a tag forms no word, no number and no letter that answers a question."""


class Draw(NamedTuple):
    """The chance of one reply: independent uniforms in [0, 1) and a tag that makes its text unique."""

    mode: float
    value: float
    wording: float
    detail: float
    extra: float
    tag: str


class Stream:
    """Draws for one subject (a server seed, a model and the messages), one per sample seed."""

    __slots__ = ("_state",)

    def __init__(self, *subject: str) -> None:
        self._state = blake2b(_encode(subject), digest_size=24)

    def draw(self, seed: int) -> Draw:
        """The draw of one sample; the same seed gives the same draw."""
        state = self._state.copy()
        state.update(str(seed).encode())
        digest = state.digest()
        mode, value, wording, detail, extra = (number * _SCALE for number in _LAYOUT.unpack_from(digest))
        tag = "".join(_TAG_LETTERS[byte >> 4] + _TAG_LETTERS[byte & 15] for byte in digest[20:24])
        return Draw(mode, value, wording, detail, extra, tag)


def uniform(*subject: str) -> float:
    """One uniform in [0, 1) that depends on the subject alone."""
    return int.from_bytes(blake2b(_encode(subject), digest_size=6).digest()) * 2.0**-48


def _encode(subject: tuple[str, ...]) -> bytes:
    return b"".join(part.encode("utf-8", "surrogatepass") + _SEPARATOR for part in subject)
