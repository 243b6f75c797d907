"""What the reader of stored replies asks for, and its words as a full-text query. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Final

PLACES: Final = ("all", "replies", "prompts", "judge", "notes")
"""Where words are searched."""
STATUSES: Final = ("scored", "neutral", "unscored", "owed")
DISAGREEMENTS: Final = ("judges", "human")
"""Another judge gave another verdict; a person gave another score than the judge."""
_TOKEN: Final = re.compile(r'"([^"]*)"?|([^\s"]+)')


@dataclass(frozen=True, slots=True)
class Filters:
    """Which replies to list; an empty field leaves all. `low` and `high` bound the score, on its own scale.

    `judge` is the number of the scorer whose verdicts count, None for the active one (a variant that it never
    judged is read by its own). `differs_from` is the number of another variant: replies that it answered with
    another score at the same prompt and sample.
    """

    words: str = ""
    place: str = "all"
    variants: frozenset[int] = frozenset()
    assessments: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    formats: frozenset[str] = frozenset()
    outcomes: frozenset[str] = frozenset()
    status: str = ""
    low: float | None = None
    high: float | None = None
    judge: int | None = None
    disagreement: str = ""
    differs_from: int | None = None
    reviewed: bool | None = None
    flagged: bool = False
    starred: bool = False

    @property
    def n_active(self) -> int:
        """How many of them leave something out; the choice of a judge does not."""
        rest = {"place", "judge", "high" if self.low is not None else ""}
        return sum(
            getattr(self, name) != default
            for name, default in ((held.name, held.default) for held in fields(self))
            if name not in rest
        )

    @property
    def by_score(self) -> bool:
        """Whether a score or its status is asked for."""
        return bool(self.status) or self.low is not None or self.high is not None


def match_expression(words: str) -> str:
    """Words as an FTS5 expression that finds texts with all of them; empty where there is no word in it.

    `"two words"` stand side by side, `harm*` is a beginning; everything else is taken as it is, so that no
    operator or column of FTS5's own language can be typed.
    """
    found = []
    for phrase, bare in _TOKEN.findall(words.replace("\0", " ")):
        text = phrase or bare
        if any(character.isalnum() for character in text):
            stem = text.rstrip("*") if bare else text
            found.append(f'"{stem}"' + ("*" if stem != text else ""))
    return " ".join(found)
