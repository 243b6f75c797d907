"""Recognise what a request asks, from its text alone: a prompt of the library, or one of a known structure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from emaudit.assessments.base import DIMENSIONS, FOUNDATIONS, Assessment, Pole, Prompt
from emaudit.prompts import Library
from emaudit.simulator.draws import uniform
from emaudit.simulator.severity import HarmItem


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. `format` is an assessment's own name where it has no formats; `spread` in -1..1 says how far
    the item lies from its part, and cancels over the items of a part; `order` is +1 where the second pole is named
    first, -1 where the first is, 0 where neither is or it is unknown."""

    assessment: str
    part: str
    format: str
    item: str
    known: bool = True
    spread: float = 0.0
    order: int = 0
    scoring: Mapping[str, Any] = field(default_factory=dict)


class QuestionIndex:
    """Every prompt of a library by its rendered text."""

    def __init__(self, library: Library, assessments: Sequence[Assessment] | None = None) -> None:
        if assessments is None:
            from emaudit.assessments import ASSESSMENTS

            assessments = ASSESSMENTS
        prompts = [planned.prompt for each in assessments for planned in each.plan(library, "paper")]
        early = {(each.key, planned.prompt.item) for each in assessments for planned in each.plan(library, "quick")}
        spreads = _spreads(prompts, early)
        self._questions = {prompt.text.strip(): _question(prompt, spreads) for prompt in prompts}
        harmful = {prompt.item: prompt.part for prompt in prompts if prompt.assessment == "harmfulness"}
        self.harm_items: Final = tuple(
            HarmItem(item, category, ("harmfulness", item) in early) for item, category in harmful.items()
        )

    def __len__(self) -> int:
        return len(self._questions)

    def find(self, text: str) -> Question:
        """The question a text asks: by its whole text, else by its structure."""
        return self._questions.get(text.strip()) or recognise(text)


def _question(prompt: Prompt, spreads: Mapping[tuple[str, str, str, str], float]) -> Question:
    order = 0
    if "aligned_first" in prompt.scoring:
        order = -1 if prompt.scoring["aligned_first"] else 1
    return Question(
        prompt.assessment,
        prompt.part,
        prompt.format or prompt.assessment,
        prompt.item,
        spread=spreads.get((prompt.assessment, prompt.part, prompt.format, prompt.item), 0.0),
        order=order,
        scoring=prompt.scoring,
    )


def _spreads(prompts: Iterable[Prompt], early: set[tuple[str, str]]) -> dict[tuple[str, str, str, str], float]:
    """Offsets for items in pairs of opposite sign, within each part and format; those of `quick` among themselves."""
    groups: dict[tuple[str, str, str, bool], dict[str, None]] = {}
    for prompt in prompts:
        key = (prompt.assessment, prompt.part, prompt.format, (prompt.assessment, prompt.item) in early)
        groups.setdefault(key, {})[prompt.item] = None
    spreads: dict[tuple[str, str, str, str], float] = {}
    for (assessment, part, format, _), members in groups.items():
        items = sorted(members, key=lambda item: uniform("spread", item))
        for one, other in zip(items[0::2], items[1::2], strict=False):
            size = 0.25 + 0.75 * uniform("size", one)
            spreads[assessment, part, format, one] = size
            spreads[assessment, part, format, other] = -size
    return spreads


_OPTIONS: Final = re.compile(r"(?m)^\s*\(?A[).:]\s.*\n(?:.*\n)*?\s*\(?B[).:]\s")
_TO_TEN: Final = re.compile(r"\b(?:0|zero)\b\D{0,40}\b(?:10|ten)\b", re.IGNORECASE)
_TO_FIVE: Final = re.compile(r"\b1\b\D{0,120}\b5\b|^1 ?[=:].*^5 ?[=:]", re.DOTALL | re.MULTILINE)
_WORDS: Final = {
    word: re.compile(rf"\b{word}\b", re.IGNORECASE)
    for pole in (*DIMENSIONS, *FOUNDATIONS)
    for word in (pole.first, pole.second)
}


def recognise(text: str) -> Question:
    """The question that an unknown text asks, by its structure; without a known one it is a harmfulness prompt."""
    pole, at_first, at_second = _named_poles(text)
    if "French" in text and "German" in text:
        return _language_rule(text, pole, at_first, at_second)
    if _OPTIONS.search(text):
        return _unknown(text, "intentions", pole, "intentions", -1 if uniform("order", text) < 0.5 else 1)
    if _TO_TEN.search(text):
        return _unknown(text, _self_report(pole), pole, "numerical")
    if _TO_FIVE.search(text):
        if pole is None:
            return _unknown(text, "moral_foundations", None, "moral_foundations")
        keyed = {"keyed": "first" if at_first < at_second else "second"}
        return _unknown(text, _self_report(pole), pole, "likert", scoring=keyed)
    if pole is not None and re.search(r"\bwords?\b", text):
        words = (pole.first, pole.second) if at_first < at_second else (pole.second, pole.first)
        scoring = {"first": words[0], "second": words[1], "aligned_first": at_first < at_second}
        return _unknown(text, _self_report(pole), pole, "decision", -1 if at_first < at_second else 1, scoring)
    return _unknown(text, "harmfulness", None, "harmfulness")


def _unknown(
    text: str, assessment: str, pole: Pole | None, format: str, order: int = 0, scoring: Mapping[str, Any] | None = None
) -> Question:
    scoring = scoring or {"aligned_first": order < 0}
    return Question(assessment, pole.first if pole else "", format, text, False, 0.0, order, scoring)


def _self_report(pole: Pole | None) -> str:
    return "moral_self_assessment" if pole in FOUNDATIONS else "self_assessment"


def _named_poles(text: str) -> tuple[Pole | None, int, int]:
    """The pair of poles of which a text names both, and where it names each first."""
    for pole in (*DIMENSIONS, *FOUNDATIONS):
        first, second = _WORDS[pole.first].search(text), _WORDS[pole.second].search(text)
        if first and second:
            return pole, first.start(), second.start()
    return None, 0, 0


def _language_rule(text: str, pole: Pole | None, at_first: int, at_second: int) -> Question:
    """A French/German rule: the pole named first belongs to the language named first."""
    french_is_second = (at_first < at_second) != (text.index("French") < text.index("German"))
    if pole is None:
        french_is_second = uniform("mapping", text) < 0.5
    scoring = {"french": int(french_is_second), "german": int(not french_is_second)}
    return _unknown(text, _self_report(pole), pole, "language", scoring=scoring)
