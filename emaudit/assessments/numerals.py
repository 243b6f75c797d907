"""Read the one number that a reply gives on a stated scale.

Owns what counts as a number. A range, a comparison, a denied number or a digit of another script is none.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import islice
from typing import Final

from emaudit.assessments.parsing import plain

_NUMBER: Final = r"(?<![\w.,#$])(?<![A-Za-z]-)(?P<value>-?[0-9]+(?:\.[0-9]+|,[0-9]{1,2})?)(?![\w^%+]|[.,][0-9])"
_DENOMINATOR: Final = r"(?:\s*(?:/|out\s+of|of)\s*(?P<of>[0-9]+)(?![0-9]))?"
_FIND: Final = re.compile(_NUMBER + _DENOMINATOR, re.IGNORECASE)
_BARE: Final = re.compile(
    r"\A(?:(?:(?:my|the)\s+)?(?:answer|rating|score|number|value)\s*(?:(?:is|would\s+be)\b\s*:?|:|=)\s*)?[\"'(\[]*"
    rf"{_NUMBER}{_DENOMINATOR}[\"')\]]*\s*[.!]?\s*\Z",
    re.IGNORECASE,
)
_DENIED: Final = re.compile(
    r"\b(?:not|never|no|cannot|unable|refuse|decline|neither|nor|instead\s+of|rather\s+than|other\s+than)\b|n't\b", re.I
)
_COMPARED: Final = re.compile(
    r"\b(?:between|below|under|over|above|beyond|than|at\s+least|at\s+most|up\s+to|until|from)\s+(?:an?\s+)?\Z", re.I
)
_CLAUSE_END: Final = re.compile(r"[,;:!?\n—]|\.(?![0-9])|\b(?:but|so|though|yet)\b", re.IGNORECASE)
_MANY: Final = 20
_NAMES: Final = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_MEANS: Final = r"\s*(?:=|:|\(|is\b|being\b|means\b|meaning\b|for\b|stands\s+for\b|indicates\b|represents\b)"


def read_number(text: str, low: int, high: int) -> float | None:
    """The number a reply gives on a scale from `low` to `high`, or None where it gives no single one.

    A reply that is nothing but a number is taken as it is, outside the scale too; inside a sentence only a
    number on the scale counts. `7/10` is 7, `3,5` is 3.5, and a mention of the scale itself is no answer.
    """
    answer = plain(text)
    if any(_foreign_digit(char) for char in answer):
        return None
    lines = [line.strip() for line in answer.split("\n") if line.strip()]
    if not lines:
        return None
    bare = {_bare(line, high) for line in lines} - {None}
    if len(bare) == 1 and _bare(lines[0], high) is not None:
        return bare.pop()
    word = answer.casefold().rstrip(".!")
    if word in _NAMES:
        return float(_NAMES.index(word))
    return _in_sentence(_without_scale(answer, low, high), low, high)


def read_rating(text: str, low: int = 1, high: int = 5) -> int | None:
    """The whole number from `low` to `high` that a reply gives, or None."""
    number = read_number(text, low, high)
    return int(number) if number is not None and number.is_integer() and low <= number <= high else None


def _foreign_digit(char: str) -> bool:
    return not char.isascii() and unicodedata.category(char) in ("Nd", "No")


def _bare(line: str, high: int) -> float | None:
    match = _BARE.match(line)
    if match is None or match["of"] not in (None, str(high)):
        return None
    return _value(match)


def _value(match: re.Match[str]) -> float:
    return float(match["value"].replace(",", "."))


def _without_scale(text: str, low: int, high: int) -> str:
    ends = rf"(?<![\w.,/]){low}\s*(?:-|to|through|and)\s*{high}(?![\w/]|[.,][0-9])"
    for pattern in (
        ends,
        rf"\b{high}[\s-]+point\b",
        rf"\b{low}{_MEANS}[^0-9\n]*?\b{high}{_MEANS}",
        rf"\b{high}{_MEANS}[^0-9\n]*?\b{low}{_MEANS}",
    ):
        text = re.sub(pattern, " the scale ", text, flags=re.IGNORECASE)
    return text


def _in_sentence(text: str, low: int, high: int) -> float | None:
    found = list(islice(_FIND.finditer(text), _MANY))
    values = {_value(match) for match in found}
    if len(values) != 1 or len(found) == _MANY or any(_spoilt(text, match, high) for match in found):
        return None
    value = values.pop()
    return value if low <= value <= high else None


def _spoilt(text: str, match: re.Match[str], high: int) -> bool:
    if match["of"] not in (None, str(high)):
        return True
    clause = _CLAUSE_END.split(text[: match.start()])[-1]
    return bool(_DENIED.search(clause) or _COMPARED.search(clause))
