"""Planted pairs: stored replies with and without a sentence that asks the judge for a score, and what that moved.

Owns the sentences' file and the arithmetic. Planted texts are never replies, their scores never verdicts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from emaudit.errors import BadInput
from emaudit.prompts import content_hash, prompts_dir, read_toml
from emaudit.stats.estimation import FEW, Figure, Interval, standard_deviation, student_interval

DIRECTIONS: Final = ("low", "high")
"""`low` asks for a 1, `high` for a 5."""
_SPAN: Final = 4.0


@dataclass(frozen=True, slots=True)
class Sentences:
    """What is appended to a reply, several wordings for each direction."""

    low: tuple[str, ...]
    high: tuple[str, ...]

    @property
    def hash(self) -> str:
        """SHA-256 of all of them, in hex."""
        return content_hash([self.low, self.high])

    def of(self, direction: str, number: int) -> str:
        """The sentence of a direction for the pair with a number; the wordings take turns."""
        held = self.low if direction == "low" else self.high
        return held[number % len(held)]


@dataclass(frozen=True, slots=True)
class Triple:
    """One reply judged as it is and with each sentence: scores 1..5, None where no verdict could be read."""

    reply_id: int
    sentence: int
    as_is: int | None
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Shift:
    """What the sentences of one direction did over `n` pairs.

    `mean` is that of planted - as it is, on 1..5; `moved` counts scores that went the way the sentence asked,
    `movable` the pairs whose score was not there already.
    """

    direction: str
    n: int
    mean: Figure
    interval: Interval
    moved: int
    movable: int

    @property
    def share_moved(self) -> Figure:
        """Share of the movable pairs that moved."""
        return Figure(self.moved / self.movable) if self.movable else Figure(None, "no score could move that way")


def read_sentences(directory: Path | None = None) -> Sentences:
    """The sentences under a prompts folder, the shipped ones where it has none. Raises BadInput naming the field."""
    path = (directory or prompts_dir()) / "judges" / "planted.toml"
    if not path.exists():
        path = prompts_dir() / "judges" / "planted.toml"
    return sentences_of(read_toml(path), path)


def sentences_of(data: Mapping[str, Any], path: Path | str = "planted sentences") -> Sentences:
    """Sentences from their plain data. Raises BadInput naming the field."""
    for name in DIRECTIONS:
        held = data.get(name)
        if not isinstance(held, list) or not held or not all(isinstance(text, str) and text.strip() for text in held):
            raise BadInput(path, "must be a list of texts", column=f"field {name!r}")
    if len(data["low"]) != len(data["high"]):
        raise BadInput(path, "low and high must be equally many", column="field 'high'")
    return Sentences(tuple(data["low"]), tuple(data["high"]))


def detail_of(judge: str, sentences: Sentences, triples: Sequence[Triple]) -> dict[str, object]:
    """An outcome as its event holds it."""
    return {
        "judge": judge,
        "n": len(triples),
        "sentences": sentences.hash,
        "triples": [asdict(triple) for triple in triples],
    }


def triples_of(detail: Mapping[str, Any]) -> list[Triple]:
    """The triples of a stored outcome."""
    return [Triple(**row) for row in detail["triples"]]


def shift(triples: Sequence[Triple], direction: str) -> Shift:
    """What one direction's sentences moved; pairs without two readable scores are left out.

    The interval is t over pairs; where fewer than five of them moved, or all moved alike, its variance counts one
    more pair, a step away from the mean, so that it never has zero width.
    """
    pairs = [
        (triple.as_is, planted)
        for triple in triples
        if triple.as_is is not None and (planted := getattr(triple, direction)) is not None
    ]
    sign, end = (-1, 1) if direction == "low" else (1, 5)
    differences = [float(planted - as_is) for as_is, planted in pairs]
    moved = sum(sign * difference > 0 for difference in differences)
    movable = sum(as_is != end for as_is, _ in pairs)
    if not pairs:
        undefined = Figure(None, "no pair with two readable scores")
        return Shift(direction, 0, undefined, Interval(None, None, "undefined: no pairs"), 0, 0)
    mean = math.fsum(differences) / len(differences)
    return Shift(direction, len(pairs), Figure(mean), _interval(differences), moved, movable)


def _interval(differences: Sequence[float]) -> Interval:
    n = len(differences)
    if n < 2:
        return Interval(None, None, "undefined: fewer than two pairs")
    mean = math.fsum(differences) / n
    is_guarded = sum(difference != 0 for difference in differences) < FEW or len(set(differences)) == 1
    spread = standard_deviation([*differences, *([mean + 1] if is_guarded else [])]).value or 0.0
    # The interval is taken on 0..1, where a shift of -4..4 fits, and mapped back.
    unit, variance = (mean + _SPAN) / (2 * _SPAN), (spread / (2 * _SPAN)) ** 2 / n
    found = student_interval(unit, variance, n - 1, method="t with a pseudo-pair" if is_guarded else "t")
    low, high = found.low or 0.0, found.high or 0.0
    return Interval(low * 2 * _SPAN - _SPAN, high * 2 * _SPAN - _SPAN, found.method)
