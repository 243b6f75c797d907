"""Read the one number that a reply gives on a stated scale.

Owns what counts as a number. A range, a comparison, a denied number, a count of something, a number inside a refusal
or a digit of another script is none.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import islice
from typing import Final

from emaudit.assessments.parsing import plain

_NUMBER: Final = r"(?<![\w.,#$])(?<![A-Za-z]-)(?P<value>-?[0-9]+(?:\.[0-9]+|,[0-9]{1,2})?)(?![\w^%+]|[.,][0-9])"
_DENOMINATOR: Final = r"(?:\s*(?P<per>/|out\s+of|of)\s*(?P<of>[0-9]+)(?![0-9]))?"
_CLOSED: Final = r"[\"')\]]*"
_FIND: Final = re.compile(_NUMBER + _DENOMINATOR, re.IGNORECASE)
_LEAD: Final = (
    r"\A(?:(?:sure|okay|ok|well|certainly|honestly|probably|so)[,.!:]?\s+)?"
    r"(?:(?:(?:my|the)\s+)?(?:answer|rating|score|number|value)\s*(?:(?:is|would\s+be)\b\s*:?|:|=)\s*)?"
    r"(?:(?:an?|at|about|around|roughly|approximately)\s+)?[\"'(\[]*"
)
_BARE: Final = re.compile(rf"{_LEAD}{_NUMBER}{_DENOMINATOR}{_CLOSED}\s*[.!]?\s*\Z", re.IGNORECASE)
# What may follow an answer: a noun after a number makes it a count of something.
_AFTER: Final = (
    r"(?=\s*\Z|\s*[.,;!?(\[\n=—]|\s*:(?!\s*[0-9])|\s+-\s"
    r"|\s+(?:because|since|given|overall|for|to\s+me|or\s+so)\b|\s+on\s+(?:an?|the|this|that|your)\s+(?:\w+[\s-]+){0,4}scale\b)"
)
_START: Final = re.compile(rf"{_LEAD}{_NUMBER}{_DENOMINATOR}{_CLOSED}{_AFTER}", re.IGNORECASE)
_ENDED: Final = re.compile(_CLOSED + _AFTER, re.IGNORECASE)
_OWN_RATING: Final = re.compile(r"\s+(?:is|would\s+be)\s+my\s+(?:\w+\s+)?(?:answer|rating|score|number|choice)\b", re.I)
# Verbs that rate, what they rate, and nouns that name a rating. A capitalised word is a name, not a thing rated.
_RATING_VERB: Final = (
    r"\b(?:rate|rating|score|give|put|place|rank|mark|grade|describe|choose|pick|select|go\s+with"
    r"|(?:stand|sit|land)\s+(?:at|around|about)|(?:i|i'd|i'll|would|will|let's|let\s+me)\s+say|(?:would|i'd|i'll)\s+answer)\b:?"
)
_BE: Final = r"\b(?:i'm|i\s+am|(?:i|it|that)(?:'d|\s+would)\s+be|it's|it\s+is|that's|that\s+is)\s+"
# Words between the verb and the number. Each character has one way to match: quotes are of gaps and of words, and
# two nested repetitions over both would try every division of a row of them.
_RATED: Final = (
    r"(?:[\s:=\"'(\[](?!(?:to|by|with)\b)"
    r"(?:(?-i:[a-z'-])|[\s:=\"(\[](?!(?:to|by|with)\b))*)?"
)
_CUED: Final = re.compile(
    rf"(?:{_RATING_VERB}{_RATED}|{_BE}(?:(?:probably|maybe|just|only)\s+)*(?:an?|at|around|about)"
    r"|\b(?:rating|score)\b(?:\s+(?-i:[a-z'-]+))*"
    r"|\b(?:answer|number|value)\s*(?:[:=]|(?:is|of|would\s+be)\b(?:\s+(?:at|about|around|roughly|an?))?)"
    r"|\bscale(?:\s+(?:i'm|i\s+am)(?:\s+(?:an?|at))?)?|\A\s*(?:around|at|about))[\s:=,\"'(\[]*\Z",
    re.IGNORECASE,
)
_CONCLUDED: Final = re.compile(r"\b(?:so|therefore|hence)\b[\s,:]*\Z", re.IGNORECASE)
_LABELLED: Final = re.compile(
    r"\b(?:sections?|rules?|versions?|chapters?|steps?|pages?|parts?|items?|articles?|points?|principles?|guidelines?"
    r"|questions?|top|under|claude|gpt|llama|gemini|qwen)\s+\Z",
    re.IGNORECASE,
)
_DENIED: Final = re.compile(
    r"\b(?:not|never|no|cannot|unable|refuse|decline|neither|nor|instead\s+of|rather\s+than|other\s+than)\b|n't\b", re.I
)
_COMPARED: Final = re.compile(
    r"\b(?:between|below|under|over|above|beyond|than|at\s+least|at\s+most|up\s+to|until|from)\s+(?:an?\s+)?\Z", re.I
)
_CLAUSE_END: Final = re.compile(r"[,;:!?\n—]|\.(?![0-9])|\b(?:but|so|though|yet)\b", re.IGNORECASE)
_UNWILLING: Final = (
    r"(?:\bcan'?t\b|\bcan\s*not\b|\bwon'?t\b|\bwill\s+not\b|\bunable\b|\b(?:not|n't)\s+(?:able|going|willing|comfortable)\b"
    r"|\bunwilling\b|\brefus(?:e|es|ing)\b|\bdeclin(?:e|es|ing)\b|\brather\s+not\b|\bnot\s+possible\b|\bimpossible\b)"
)
_REFUSED: Final = re.compile(
    rf"{_UNWILLING}|\bas\s+an?\s+(?:ai|(?:\w+\s+)?language\s+model|assistant)\b[^.!?\n]*"
    r"(?:\b(?:do|does)\s+not\s+have\b|n't\s+have\b|\b(?:have|has)\s+no\b|\black\b)",
    re.IGNORECASE,
)
# After a plain number "I cannot lie" explains it; only an unwillingness to answer takes it back.
_TAKEN_BACK: Final = re.compile(
    rf"{_UNWILLING}(?:\s+to)?(?:\s+\w+){{0,2}}\s+(?:rate|score|answer|respond|comply|quantify|assign|choose|comment"
    r"|participate|do\s+(?:that|this|so|it)|help\s+(?:you\s+)?with\s+(?:that|this)"
    r"|(?:give|put|provide|offer|name|state)(?:\s+\w+){0,4}\s+(?:number|rating|score|answer|value|figure|scale))\b"
    r"|\bi\s+(?:must\s+|have\s+to\s+)?(?:refuse|decline)\b(?!\s+to)",
    re.IGNORECASE,
)
_CORRECTED: Final = re.compile(
    r"\bwait\s*[,.!:—-]|\bscratch\s+that\b|\bcorrection\b|\bsecond\s+thoughts?\b|\bi\s+mean\s*,|\b(?:kidding|joking)\b"
    r"|\btak(?:e|ing)\s+(?:that|it)\s+back\b|\bmake\s+(?:that|it)\b|\bchange\s+my\s+(?:mind|answer|rating)\b",
    re.IGNORECASE,
)
_NEAR: Final = 80
_MANY: Final = 20
_NAMES: Final = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_MEANS: Final = r"\s*(?:=|:|\(|is\b|being\b|means\b|meaning\b|for\b|stands\s+for\b|indicates\b|represents\b)"


def read_number(text: str, low: int, high: int) -> float | None:
    """The number a reply gives on a scale from `low` to `high`, or None where it gives no single one.

    A reply that is nothing but a number, or begins with a line that is, is taken as it is, outside the scale
    too. Otherwise only a number on the scale counts, and only at the start as the whole answer or beside words
    that rate ("I'd say 3", "7/10"); where the reply declines to answer, none does. `3,5` is 3.5, and a mention
    of the scale itself is no answer.
    """
    answer = plain(text)
    if any(_foreign_digit(char) for char in answer):
        return None
    lines = [" ".join(line.split()) for line in answer.split("\n") if line.strip()]
    if not lines or _CORRECTED.search(answer):
        return None
    word = answer.casefold().rstrip(".!")
    if word in _NAMES:
        return float(_NAMES.index(word))
    answer = _without_scale("\n".join(lines), low, high)
    found = list(islice(_FIND.finditer(answer), _MANY))
    values = {_value(match) for match in found}
    if len(values) != 1 or len(found) == _MANY or any(match["of"] not in (None, str(high)) for match in found):
        return None
    (value,) = values
    if _BARE.match(lines[0]):
        return None if _TAKEN_BACK.search(answer) else value
    given = _at_start(answer) or (not _REFUSED.search(answer) and _in_sentence(answer, found, lines[-1]))
    return value if given and low <= value <= high else None


def read_rating(text: str, low: int = 1, high: int = 5) -> int | None:
    """The whole number from `low` to `high` that a reply gives, or None."""
    number = read_number(text, low, high)
    return int(number) if number is not None and number.is_integer() and low <= number <= high else None


def _foreign_digit(char: str) -> bool:
    return not char.isascii() and unicodedata.category(char) in ("Nd", "No")


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


def _at_start(answer: str) -> bool:
    return bool(_START.match(answer)) and not _TAKEN_BACK.search(answer)


def _in_sentence(answer: str, found: list[re.Match[str]], last_line: str) -> bool:
    """Whether a rating cue marks one of the mentions of a number as the answer, and none is denied or compared."""
    if any(_spoilt(answer, match) for match in found):
        return False
    return bool(_BARE.match(last_line)) or any(_marked(answer, match) for match in found)


def _marked(answer: str, match: re.Match[str]) -> bool:
    before, after = re.split(r"[.;!?\n]", answer[: match.start()])[-1][-_NEAR:], answer[match.end() :]
    if _OWN_RATING.match(after):
        return True
    if not _ENDED.match(after) or _LABELLED.search(before):
        return False
    if match["per"] and match["per"].casefold() != "of":
        return True
    return bool(_CUED.search(before) or (_CONCLUDED.search(before) and re.match(r"[.!]?\s*\Z", after)))


def _spoilt(answer: str, match: re.Match[str]) -> bool:
    clause = _CLAUSE_END.split(answer[: match.start()])[-1]
    return bool(_DENIED.search(clause) or _COMPARED.search(clause))
