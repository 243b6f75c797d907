"""What a blind screen waits for."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Phase(StrEnum):
    """What the next key is for."""

    OPENING = "the queue is being opened"
    REFUSED = "the queue cannot be opened"
    DOOR = "the warning stands"
    SCORING = "an item stands"
    READING = "a verdict stands; any key goes on"
    TYPING = "a line is being typed"
    CHOOSING = "a reason, or a yes, is asked for"
    TROUBLE = "a key could not be saved"
    FINISHED = "nothing is left"


CLOSED: Final = frozenset(Phase) - {Phase.TYPING, Phase.CHOOSING, Phase.READING}
"""Where escape leaves."""
