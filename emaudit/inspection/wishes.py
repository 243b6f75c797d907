"""What can be asked of the reading thread, and how it says that it cannot. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Wish(IntEnum):
    """What is asked for, the most urgent first."""

    PAGE = 0
    VIEW = 1
    BESIDE = 2
    COUNT = 3


@dataclass(frozen=True, slots=True)
class Failed:
    """A wish that could not be read, and why, in one line."""

    wish: Wish
    why: str


class NotYet:
    """A job gives this where it has to go on: it is called again when nothing more urgent waits."""


NOT_YET: Final = NotYet()
