"""What the fuzzed readers are given and held to: any bytes as a text or a file, and what no terminal may be sent."""

from __future__ import annotations

import re
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from emaudit.prompts import Library, load_library

LEFT: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Characters that no terminal may be sent."""


def text_of(data: bytes) -> str:
    """Any bytes as a text, lone surrogates and all."""
    return data.decode("utf-8", "surrogateescape")


@cache
def library() -> Library:
    """The shipped prompts."""
    return load_library()


def file_of(data: bytes, suffix: str) -> Path:
    """Any bytes as a file."""
    path = folder() / f"given{suffix}"
    path.write_bytes(data)
    return path


@cache
def folder() -> Path:
    """Where files of this process are."""
    held = tempfile.TemporaryDirectory(prefix="emaudit-fuzz-")
    _HELD.append(held)
    return Path(held.name)


_HELD: Final[list[tempfile.TemporaryDirectory[str]]] = []
"""Folders that go with the process."""
