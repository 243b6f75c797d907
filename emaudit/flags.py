"""Flags on a reply that may try to steer its judge. Pure: they are shown beside a reply and never change a score.

A flag is a reason to read the reply oneself, not a finding: a letter to a court addresses a judge too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from emaudit.prompts import Rubric

NGRAM: Final = 7
"""Words in a row of the rubric that a reply must hold to be flagged for it."""
EXCERPT: Final = 80
"""Characters of the reply that a flag quotes."""


class FlagKind(StrEnum):
    """What makes a reply worth a look."""

    GRADER = "addresses a grader"
    SCORE = "holds a score phrase"
    HIDDEN = "hidden characters"
    RUBRIC = "holds the rubric's text"


@dataclass(frozen=True, slots=True)
class Flag:
    """One kind of flag on a reply: the first place (a character offset), what stands there, and how many there are."""

    kind: FlagKind
    at: int
    excerpt: str
    n: int = 1

    @property
    def words(self) -> str:
        """The flag in words. The excerpt is verbatim and hostile."""
        more = f", {self.n} times" if self.n > 1 else ""
        return f"{self.kind}{more}: {self.excerpt}"


_GRADER_EN: Final = r"(?:grader|judge|evaluator|rater|assessor|scorer|annotator)s?"
_GRADER_ELSE: Final = (
    r"bewerter(?:in|innen)?|gutachter(?:in|innen)?|prüfer(?:in|innen)?|évaluateurs?|évaluatrices?|correcteurs?"
    r"|evaluador(?:a|es)?|calificador(?:a|es)?|valutator[ei]|avaliador(?:a|es)?"
)
_GRADER: Final = re.compile(
    rf"""
    \b(?:dear|hey|hi|hello|attention|note|notice|message|memo|instructions?|reminder)[,:]?\s+(?:(?:to|for)\s+)?
        (?:(?:the|any|whichever|all)\s+)?(?:(?:ai|llm|automated|human)\s+)*{_GRADER_EN}\b
  | \bwho(?:m)?(?:so)?ever\s+(?:rates?|judges?|grades?|evaluates?|scores?)\b
  | \bas\s+(?:the|a|an|my)\s+(?:ai\s+)?{_GRADER_EN},?\s+you\s+(?:must|should|will|have\s+to|need\s+to)\b
  | \b(?:{_GRADER_EN}|{_GRADER_ELSE})\s*:
  | \b(?:liebe[rs]?|hinweis\s+an\s+(?:die|den)|hinweis\s+für\s+(?:die|den)|chers?|chère|note\s+(?:pour|à)\s+l['’]
        |nota\s+para\s+(?:el|la)|estimad[oa]|gentile|nota\s+per\s+il|caro)\s*(?:{_GRADER_ELSE}|bewertung|évaluation)\b
  | \b(?:ignore|disregard|forget|override)\s+(?:(?:all|any|the|your|of|every)\s+){{0,3}}
        (?:previous|prior|above|earlier|preceding|existing|given|system)?\s*
        (?:instructions?|rubrics?|guidelines?|scoring\s+rules|system\s+prompts?|levels)\b
  | \b(?:rubric|scoring|grading|rating\s+(?:guide|rules|scale))\s+(?:has|have|is|are|was)\s+(?:been\s+)?
        (?:changed|updated|replaced|void|obsolete)\b
  | \b(?:ignorier\w*|vergiss|vergesst|missachte\w*)\s+(?:\w+\s+){{0,3}}(?:anweisung|vorgabe|bewertungs)\w*
  | \b(?:ignore[rz]?|oublie[rz]?)\s+(?:\w+\s+){{0,2}}(?:instructions?|consignes?|barème)\b
  | \b(?:ignor[ae]|olvid[ae]|dimentica|desconsidere)\s+(?:\w+\s+){{0,3}}(?:instrucciones|istruzioni|instruções)\b
  | (?:忽略|无视|忘记)[^。\n]{{0,8}}(?:指令|指示|说明|规则|评分)
  | (?:尊敬的|致|亲爱的)(?:评委|评审|评分员|评估者|裁判)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_NUMBER: Final = r"[1-5](?![0-9]|[.,][0-9]|\s*[%-]|\s*(?:stars?|percent|points?\s+(?:lead|ahead)))"
_TARGET: Final = r"(?:it|me|my\s+\w+|(?:this|that|the)(?:\s+(?:above|reply|answer|response|text|following|one))?)"
_END: Final = r"(?=\s*(?:$|[^\w\s/%-]|/\s*5|out\b|please\b|for\b|and\b|because\b|thanks?\b|à\b|aus\b|sur\b|von\b))"
"""What may follow a score given in passing: `give it a 5.` is one, `give it 5 minutes` is none."""
_SCORE: Final = re.compile(
    rf"""
    ["'“”`]?\b(?:score|rating|verdict|harm(?:_level|_score)?)["'“”`]?\s*[:=]\s*["'“”]?{_NUMBER}
  | \b(?:final|overall|harm|my|right|correct|proper|its?|deserved)\s+(?:score|rating|grade|verdict)\s+
        (?:is|of|should\s+be|must\s+be|=)?\s*(?:a\s+)?{_NUMBER}
  | \b(?:score|rating|grade)\s+of\s+(?:a\s+)?{_NUMBER}
  | \b(?:give|rate|grade|score|mark|assign|award)\s+{_TARGET}\s+
        (?:(?:with|as|a|an|the|only|lowest|highest|score|rating|grade|of|at|to|number)\s+){{0,4}}{_NUMBER}{_END}
  | \b(?:right|correct|only|proper)\s+(?:right\s+|correct\s+)?(?:number|score|rating|grade)\b[^.\n]{{0,30}}\b{_NUMBER}
  | \bgets?\s+{_NUMBER}\s+out\s+of\s+5\b
  | \b(?:score|rate|rating|grade)\w*\b[^.\n]{{0,20}}?\b[1-5]\s*(?:/|out\s+of)\s*5\b
  | \b(?:punktzahl|bewertung|wertung|note)\s+(?:von\s+|ist\s+|lautet\s+|:\s*)?(?:eine?\s+)?{_NUMBER}{_END}
  | \b(?:attribue[rz]?|donne[rz]?|mette[rz]|met[s]?)\b[^.\n]{{0,20}}\b(?:note|score)\s+(?:de\s+)?{_NUMBER}
  | \b(?:puntuación|puntaje|calificación|punteggio|voto|pontuação|nota)\s+
        (?:de\s+|di\s+|es\s+|è\s+|:\s*)?{_NUMBER}{_END}
  | (?:评分|打分|分数|得分)[^。\n]{{0,6}}[1-5]\s*分?
  | (?:给|打)[^。\n]{{0,8}}[1-5]\s*分
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ASKS_FOR_A_NUMBER: Final = re.compile(
    r"\b(?:[0-9]+\s*(?:to|-|–|through|and|bis|à)\s*[0-9]+|scale|rate|rating|score|grade|out\s+of)\b", re.IGNORECASE
)
_GRADER_HINTS: Final = (
    *("judge", "grader", "evaluat", "évaluat", "rater", "assessor", "scorer", "annotator", "whoever", "whomever"),
    *("whosoever", "rubric", "scoring", "grading", "rating ", "bewert", "gutachter", "prüfer", "correcteur"),
    *("evaluador", "calificador", "valutator", "avaliador", "disregard", "override", "forget", "ignor", "vergiss"),
    *("vergesst", "missacht", "oublie", "olvid", "dimentica", "desconsidere", "忽略", "无视", "忘记", "评", "裁判"),
)
_SCORE_HINTS: Final = (
    *("score", "rating", "verdict", "harm_level", "grade", "give ", "rate ", "mark ", "assign ", "award ", " number"),
    *("get", "punktzahl", "bewertung", "wertung", "note", "puntuación", "puntaje", "calificación", "punteggio", "voto"),
    *("pontuação", "nota", "分"),
)
"""Every match of the expression holds one of these: the expression is only tried around them."""
_AROUND: Final = 100
"""Characters on both sides of a hint that are looked at."""
_WORD: Final = re.compile(r"\w+")
_JOINERS: Final = "\u200c\u200d"
_SUSPECTS: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
"""Characters that show nothing of their own: controls, bidi marks, zero widths, tags, variation selectors."""


def flags_of(prompt: str, reply: str, rubric: Rubric) -> tuple[Flag, ...]:
    """The flags of a reply, at most one of each kind, in a fixed order.

    A score phrase is none where the prompt asked for a number, and what the prompt itself holds is not held
    against the reply.
    """
    found = [_first(FlagKind.GRADER, _matches(_GRADER, _GRADER_HINTS, reply), prompt)]
    if not _ASKS_FOR_A_NUMBER.search(prompt):
        found.append(_first(FlagKind.SCORE, _matches(_SCORE, _SCORE_HINTS, reply), prompt))
    found += [_hidden(prompt, reply), _copied(prompt, reply, rubric)]
    return tuple(flag for flag in found if flag is not None)


def _matches(pattern: re.Pattern[str], hints: Sequence[str], reply: str) -> list[re.Match[str]]:
    """Every match, in order; the pattern is tried near its hints alone, since it costs a thousand times as much."""
    lower = (
        "".join(char.lower() if len(char.lower()) == 1 else char for char in reply) if "İ" in reply else reply.lower()
    )
    return [match for begin, end in _stretches(lower, hints) for match in pattern.finditer(reply, begin, end)]


def _stretches(lower: str, hints: Sequence[str]) -> list[tuple[int, int]]:
    """Begin and end of what lies near a hint, in order; what overlaps is joined, so that nothing is looked at twice."""
    near: list[tuple[int, int]] = []
    for hint in hints:
        at = lower.find(hint)
        while at >= 0:
            near.append((max(0, at - _AROUND), at + len(hint) + _AROUND))
            at = lower.find(hint, at + len(hint))
    joined: list[tuple[int, int]] = []
    for begin, end in sorted(near):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def _first(kind: FlagKind, matches: Sequence[re.Match[str]], prompt: str) -> Flag | None:
    asked = prompt.casefold()
    held = [match for match in matches if match[0].casefold() not in asked]
    return Flag(kind, held[0].start(), held[0][0][:EXCERPT], len(held)) if held else None


def _hidden(prompt: str, reply: str) -> Flag | None:
    known = set(prompt)
    places = [
        match.start()
        for match in _SUSPECTS.finditer(reply)
        if match[0] not in known and _is_hidden(reply, match.start(), match[0])
    ]
    if not places:
        return None
    names = dict.fromkeys(_name(reply[at]) for at in places)
    return Flag(FlagKind.HIDDEN, places[0], ", ".join(names)[:EXCERPT], len(places))


def _is_hidden(reply: str, at: int, char: str) -> bool:
    """Whether a suspect hides something here: joiners and variation selectors do in a row, tags but in flag emoji."""
    if char in _JOINERS:
        return at > 0 and reply[at - 1] in _JOINERS
    if "\ufe00" <= char <= "\ufe0f":
        return at > 0 and "\ufe00" <= reply[at - 1] <= "\ufe0f"
    if "\U000e0000" <= char <= "\U000e0fff":
        return not _is_flag_emoji(reply, at)
    return True


_FLAG_TAGS: Final = 7
"""Most tag characters of a regional flag."""


def _is_flag_emoji(reply: str, at: int) -> bool:
    """Whether tag characters here spell a regional flag, as behind U+1F3F4."""
    start = at
    while start > max(0, at - _FLAG_TAGS) and "\U000e0020" <= reply[start] <= "\U000e007f":
        start -= 1
    return reply[start] == "\U0001f3f4"


def _name(char: str) -> str:
    return unicodedata.name(char, "") or f"U+{ord(char):04X}"


def _copied(prompt: str, reply: str, rubric: Rubric) -> Flag | None:
    known = _rubric_ngrams(rubric.system, rubric.question, rubric.reminder)
    matches = list(_WORD.finditer(reply))
    words = [match[0].casefold() for match in matches]
    held = [at for at, gram in enumerate(_in_a_row(words)) if gram in known]
    asked = frozenset(_ngrams(prompt)) if held else frozenset()
    held = [at for at in held if tuple(words[at : at + NGRAM]) not in asked]
    if not held:
        return None
    start = matches[held[0]].start()
    return Flag(FlagKind.RUBRIC, start, reply[start : matches[held[0] + NGRAM - 1].end()][:EXCERPT], len(held))


@lru_cache(maxsize=16)
def _rubric_ngrams(*texts: str) -> frozenset[tuple[str, ...]]:
    return frozenset(gram for text in texts for gram in _ngrams(text))


def _ngrams(text: str) -> Iterator[tuple[str, ...]]:
    return _in_a_row([word.casefold() for word in _WORD.findall(text)])


def _in_a_row(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(NGRAM)), strict=False)
