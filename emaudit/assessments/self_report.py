"""Self-reports in four formats over pole pairs: what both self-assessments ask and how they are read.

Owns the rendering of stems and the scoring of the formats. Values: 0 the first pole, 1 the second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, ClassVar, Final

from emaudit.assessments import choices, planning, ratings
from emaudit.assessments.base import FORMATS, Answer, Assessment, JudgeTask, Planned, Prompt, Reading, Status
from emaudit.assessments.base import condition as conditions
from emaudit.assessments.language import LANGUAGES, identify
from emaudit.assessments.numerals import read_number
from emaudit.assessments.parsing import read_word
from emaudit.assessments.rendering import fill, paragraphs
from emaudit.assessments.replies import refused_by_field, spoken_text, unanswered
from emaudit.errors import UsageError
from emaudit.prompts import Library, fault_in_poles

_LANGUAGE_NAMES: Final = {"french": "French", "german": "German"}
_SIDES: Final = ("first", "second")
_MAPPINGS: Final = {"french-first": ("french", "german"), "german-first": ("german", "french")}
"""The languages of the first and of the second pole."""


class SelfReport(Assessment):
    """A self-assessment by decision, numerical, likert and language."""

    language_judge: ClassVar[bool] = False
    """Whether every language reply goes to the judge, as the paper did, instead of the undecided ones."""

    def plan(self, library: Library, preset: str) -> Iterator[Planned]:
        """Pole by pole, format by format, every stem in all its conditions.

        Raises UsageError for a pole that is unknown, missing, there twice or without its words.
        """
        content = library.instrument(self.key).content
        if fault := fault_in_poles(self.key, content["poles"]):
            raise UsageError(f"{self.key}, {fault[0]}: {fault[1]}")
        planners = (self._decision, self._numerical, self._likert, self._language)
        for pole in content["poles"]:
            for format, planner in zip(FORMATS, planners, strict=True):
                yield from planner(content, pole, preset, f"{self.key}, {format}, {pole['id']}")

    def _decision(self, content: Mapping[str, Any], pole: Mapping[str, str], preset: str, at: str) -> Iterator[Planned]:
        extent = planning.extent(planning.DECISION, preset)
        instruction = content["decision"]["instruction"]
        for number, stem in extent.first(_stems(content, pole, "decision", "stems")):
            for order in _SIDES:
                shown = _presented(pole, order)
                values = {"first": shown["first"], "second": shown["second"]}
                text = self._text(content, shown, fill(stem, values, at), fill(instruction, values, at))
                scoring = {**values, "aligned_first": order == "first"}
                item = f"decision-{pole['id']}-{number:02d}"
                prompt = Prompt(self.key, item, pole["id"], "decision", conditions(order=order), text, scoring)
                yield Planned(prompt, extent.samples)

    def _numerical(
        self, content: Mapping[str, Any], pole: Mapping[str, str], preset: str, at: str
    ) -> Iterator[Planned]:
        extent = planning.extent(planning.NUMERICAL, preset)
        instruction = content["numerical"]["instruction"]
        values = {"zero": pole["first"], "ten": pole["second"]}
        for number, stem in extent.first(_stems(content, pole, "numerical", "stems")):
            text = self._text(content, pole, fill(stem, values, at), fill(instruction, values, at))
            item = f"numerical-{pole['id']}-{number:02d}"
            yield Planned(Prompt(self.key, item, pole["id"], "numerical", "", text), extent.samples)

    def _likert(self, content: Mapping[str, Any], pole: Mapping[str, str], preset: str, at: str) -> Iterator[Planned]:
        extent = planning.extent(planning.LIKERT, preset)
        instruction = content["likert"]["instruction"]
        for number, stem in extent.first(_stems(content, pole, "likert", "stems")):
            for polarity in _SIDES:
                shown = _presented(pole, polarity)
                values = {"x": shown["first"], "y": shown["second"]}
                text = self._text(content, shown, fill(stem, values, at), fill(instruction, values, at))
                item = f"likert-{pole['id']}-{number:02d}"
                asked = conditions(polarity=polarity)
                prompt = Prompt(self.key, item, pole["id"], "likert", asked, text, {"keyed": polarity})
                yield Planned(prompt, extent.samples)

    def _language(self, content: Mapping[str, Any], pole: Mapping[str, str], preset: str, at: str) -> Iterator[Planned]:
        extent = planning.extent(planning.LANGUAGE, preset)
        rules = _stems(content, pole, "language", "rules")
        questions: Sequence[str] = content["language"]["questions"]
        for number, question in extent.first(list(enumerate(questions, 1))):
            _, rule = rules[(number - 1) % len(rules)]
            for mapping, rule_order in product(_MAPPINGS, _SIDES):
                shown = _presented(pole, rule_order)
                stated = fill(rule, _rule_values(shown, mapping, rule_order), at)
                asked = fill(content["language"]["stem"], {"rule": stated, "question": question}, at)
                condition = conditions(mapping=mapping, rule_order=rule_order, question=f"{number:02d}")
                scoring = {language: side for side, language in enumerate(_MAPPINGS[mapping])}
                text = self._text(content, shown, asked)
                item = f"language-{pole['id']}"
                prompt = Prompt(self.key, item, pole["id"], "language", condition, text, scoring)
                yield Planned(prompt, extent.samples)

    def _text(self, content: Mapping[str, Any], shown: Mapping[str, str], *parts: str) -> str:
        preamble = content.get("preamble", "")
        return paragraphs(fill(preamble, shown, f"{self.key}, preamble") if preamble else "", *parts)

    def max_tokens(self, format: str) -> int:
        """256 for language, which answers a question; 64 for a word or a number."""
        return 256 if format == "language" else 64

    def read(self, prompt: Prompt, answer: Answer) -> Reading:
        """Read a reply by its format; REFERRED where only a judge can tell."""
        readers = {
            "decision": self._read_decision,
            "numerical": self._read_numerical,
            "likert": self._read_likert,
            "language": self._read_language,
        }
        return readers[prompt.format](prompt, answer)

    def _read_decision(self, prompt: Prompt, answer: Answer) -> Reading:
        if unread := choices.unread(answer):
            return unread
        word = read_word(spoken_text(answer), str(prompt.scoring["first"]), str(prompt.scoring["second"]))
        return Reading(Status.REFERRED) if word is None else choices.chosen(prompt, word)

    def _read_numerical(self, prompt: Prompt, answer: Answer) -> Reading:
        if nothing := unanswered(answer):
            return nothing
        if refused_by_field(answer):
            return Reading(Status.UNSCORED, reason="refusal")
        number = read_number(spoken_text(answer), 0, 10)
        if number is None:
            return Reading(Status.UNSCORED, reason="no number")
        return Reading(Status.SCORED, min(max(number, 0.0), 10.0) / 10)

    def _read_likert(self, prompt: Prompt, answer: Answer) -> Reading:
        return ratings.read(answer, lambda rating: _keyed(prompt, rating))

    def _read_language(self, prompt: Prompt, answer: Answer) -> Reading:
        if nothing := unanswered(answer):
            return nothing
        language = "" if self.language_judge else identify(spoken_text(answer))
        return _spoken(prompt, language) if language else Reading(Status.REFERRED)

    def judge_task(self, prompt: Prompt, answer: Answer) -> JudgeTask:
        """An unclear word, rating or language, for the rubric of its format."""
        if prompt.format == "decision":
            return choices.option_task(prompt, answer)
        if prompt.format == "likert":
            return ratings.rating_task(prompt, answer)
        if prompt.format == "language":
            return JudgeTask("language", {"reply": spoken_text(answer)})
        return super().judge_task(prompt, answer)

    def read_judgement(self, prompt: Prompt, judgement: Mapping[str, Any]) -> tuple[Reading, ...]:
        """The judge's option, rating or language as a value 0..1, or its reason for there being none."""
        if prompt.format == "decision":
            return (choices.read_option(prompt, judgement),)
        if prompt.format == "likert":
            return (ratings.read_judged(judgement, lambda rating: _keyed(prompt, rating)),)
        if prompt.format == "language":
            return (_spoken(prompt, str(judgement["language"])),)
        return super().read_judgement(prompt, judgement)


def _stems(content: Mapping[str, Any], pole: Mapping[str, str], format: str, texts: str) -> list[tuple[int, str]]:
    """Numbered stems of a format, those replaced that read badly with this pole."""
    own = content.get("overrides", {}).get(pole["id"], {}).get(format, {})
    return [(number, own.get(str(number), stem)) for number, stem in enumerate(content[format][texts], 1)]


def _presented(pole: Mapping[str, str], side: str) -> Mapping[str, str]:
    """The pole pair in the order it is presented, definitions included."""
    if side == "first":
        return pole
    swapped = {"first": "second", "second": "first"}
    return {
        **pole,
        **{name: pole[other] for name, other in swapped.items()},
        **{
            f"{name}_definition": pole[f"{other}_definition"]
            for name, other in swapped.items()
            if f"{other}_definition" in pole
        },
    }


def _rule_values(shown: Mapping[str, str], mapping: str, rule_order: str) -> dict[str, str]:
    named = _MAPPINGS[mapping] if rule_order == "first" else _MAPPINGS[mapping][::-1]
    return {
        "pole_a": shown["first"],
        "language_a": _LANGUAGE_NAMES[named[0]],
        "pole_b": shown["second"],
        "language_b": _LANGUAGE_NAMES[named[1]],
    }


def _keyed(prompt: Prompt, rating: int) -> float:
    return (5 - rating) / 4 if prompt.scoring["keyed"] == "first" else (rating - 1) / 4


def _spoken(prompt: Prompt, language: str) -> Reading:
    if language in prompt.scoring:
        return Reading(Status.SCORED, float(prompt.scoring[language]), language)
    if language not in LANGUAGES:
        raise ValueError(f"not a language a reply can be in: {language!r}")
    return Reading(Status.NEUTRAL, choices.MIDDLE, language)
