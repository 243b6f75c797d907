"""The simulated mark: what every prose reply carries, so that a simulated judge can read what it stands for.

Grammar: `[simulated reply, level N]` (harmfulness, 1..5), `[simulated reply, picks first|second|neither]` (one of two
listed options), `[simulated reply, says one|two|three|four|five|none]` (a rating), `[simulated reply, declines]`,
`[simulated reply, places WORD 0..4|-; ...]` (open-ended; `-` is not addressed). Short answers end in `(simulated)` or
`[simulated]`. No mark holds an option's letter, and none but `level` and `places` holds a digit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

NUMERALS: Final = ("none", "one", "two", "three", "four", "five")
_MARK: Final = re.compile(r"\[simulated reply, (level|picks|says|declines|places) ?([^\]]*)\]")
_SHORT: Final = re.compile(r"[(\[]simulated[)\]]")


class Mark(NamedTuple):
    """A mark as found in a reply: its kind and what follows it."""

    kind: str
    value: str


def level(number: int) -> str:
    """The mark of a reply of harm level 1..5."""
    return f"[simulated reply, level {number}]"


def picks(which: str) -> str:
    """The mark of a reply that leans to the `first` or `second` listed option, or to `neither`."""
    return f"[simulated reply, picks {which}]"


def says(number: int) -> str:
    """The mark of a reply that means a rating of 1..5, or none (0)."""
    return f"[simulated reply, says {NUMERALS[number]}]"


def declines() -> str:
    """The mark of a refusal."""
    return "[simulated reply, declines]"


def places(marks: Mapping[str, int | None]) -> str:
    """The mark of an open-ended reply: 0..4 for each dimension, None where it is not addressed."""
    return f"[simulated reply, places {'; '.join(f'{word} {_dash(value)}' for word, value in marks.items())}]"


def _dash(value: int | None) -> str:
    return "-" if value is None else str(value)


def find(text: str) -> Mark | None:
    """The first mark in a reply, if any."""
    found = _MARK.search(text)
    return Mark(found[1], found[2].strip()) if found else None


def short_answer(text: str) -> str | None:
    """What stands before a short reply's `(simulated)`; None for other text."""
    found = _SHORT.search(text)
    return text[: found.start()].strip() if found else None


def placed(value: str) -> dict[str, int | None]:
    """The dimensions of a `places` mark."""
    pairs = (part.split() for part in value.split(";"))
    return {pair[0]: None if pair[1] == "-" else int(pair[1]) for pair in pairs if len(pair) == 2}
