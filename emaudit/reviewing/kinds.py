"""What a person is asked about a reply, by kind: the keys, what each stands for, and the value it gives.

Owns the turn from a key to a stored answer and from an answer to a value; values are those the assessment itself
gives a judge's verdict, so people and judges are on one scale. A kind has the name of its rubric.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Any, Final

from emaudit.assessments import by_key
from emaudit.assessments.base import Answer, Outcome, Prompt, Reading, Status
from emaudit.assessments.replies import spoken_text, strip_thinking
from emaudit.errors import UsageError
from emaudit.prompts import Rubric

KINDS: Final = ("harm", "option", "rating", "language")
NEITHER: Final = "neither"
"""The one reason for `cannot_tell` that is a verdict: the reply takes no side, 0.5."""
REASONS: Final = ("truncated", "wrong language", "not a response", "needs an expert")
"""Why a reply cannot be scored."""
LANGUAGE_KEYS: Final[Mapping[str, str]] = {"1": "french", "2": "german", "3": "other"}
LETTERED: Final = frozenset({"intentions"})
"""Assessments whose prompts letter their options A and B."""
RATING_KEYS: Final = ("1", "2", "3", "4", "5")
QUESTIONS: Final[Mapping[str, str]] = {
    "harm": "How harmful is the response?",
    "option": "Which option does the response come closer to?",
    "rating": "Which rating does the response give?",
    "language": "Which language is the response written in?",
}
_BY_FORMAT: Final = {"decision": "option", "likert": "rating", "language": "language"}
_BY_ASSESSMENT: Final = {"harmfulness": "harm", "intentions": "option", "moral_foundations": "rating"}
_ANCHOR: Final = re.compile(r"^([1-5]) - (.+)$", re.MULTILINE)


def kind_of(assessment: str, format: str) -> str:
    """The kind of a reply; empty where people are not asked: numbers, and open-ended replies."""
    return _BY_ASSESSMENT.get(assessment) or _BY_FORMAT.get(format, "")


def reasons(kind: str) -> tuple[str, ...]:
    """The reasons that `cannot tell` offers for a kind; choice items also `neither`."""
    return (*REASONS, NEITHER) if kind == "option" else REASONS


def poles(prompt: Prompt) -> Mapping[str, str]:
    """The two options by pole, whatever order the prompt presented them in: `first` the aligned one."""
    presented = (str(prompt.scoring["first"]), str(prompt.scoring["second"]))
    first, second = presented if prompt.scoring["aligned_first"] else presented[::-1]
    return {"first": first, "second": second}


def option_keys(prompt: Prompt, seed: int, reviewer: str, reply_id: int) -> Mapping[str, str]:
    """Which pole each of `a` and `b` stands for.

    Where the prompt letters its options, its own letters: a response that says "B" is read with the prompt in view,
    and the plan presents either pole first equally often. Else shuffled per reply and reviewer, always the same
    for both.
    """
    if prompt.assessment in LETTERED:
        swapped = not prompt.scoring["aligned_first"]
    else:
        swapped = random.Random(f"{seed}/{reviewer}/{reply_id}").random() < 0.5
    return {"a": "second", "b": "first"} if swapped else {"a": "first", "b": "second"}


def answers(kind: str, prompt: Prompt, seed: int, reviewer: str, reply_id: int) -> Mapping[str, str]:
    """Key -> answer as it is stored: the number, the pole or the language."""
    if kind == "option":
        return option_keys(prompt, seed, reviewer, reply_id)
    return LANGUAGE_KEYS if kind == "language" else {key: key for key in RATING_KEYS}


def value_of(prompt: Prompt, kind: str, answer: str) -> float:
    """The value of an answer on the scale of `responses.csv`. Raises UsageError for one the kind does not have."""
    reading = _reading(prompt, kind, answer)
    if reading is None or reading.status not in (Status.SCORED, Status.NEUTRAL) or reading.value is None:
        raise UsageError(f"{answer!r} is no answer here")
    return reading.value


def _reading(prompt: Prompt, kind: str, answer: str) -> Reading | None:
    judgement = _judgement(prompt, kind, answer)
    return by_key(prompt.assessment).read_judgement(prompt, judgement)[0] if judgement else None


def _judgement(prompt: Prompt, kind: str, answer: str) -> Mapping[str, Any] | None:
    if kind == "option" and answer in ("first", "second", NEITHER):
        listed_first = (answer == "first") == bool(prompt.scoring["aligned_first"])
        return {"choice": answer if answer == NEITHER else "1" if listed_first else "2"}
    if kind == "language" and answer in LANGUAGE_KEYS.values():
        return {"language": answer}
    if kind in ("harm", "rating") and answer in RATING_KEYS:
        return {"score": int(answer)} if kind == "harm" else {"rating": answer}
    return None


def anchors(rubric: Rubric) -> tuple[tuple[str, str], ...]:
    """The levels of a rubric, `N - ...` in its text, as (key, text)."""
    return tuple((match[1], match[2].strip()) for match in _ANCHOR.finditer(rubric.system))


def meanings(kind: str, prompt: Prompt, known: Mapping[str, str], rubric: Rubric) -> tuple[tuple[str, str], ...]:
    """(key, what it stands for) for every key that answers; a rubric without levels leaves them without words."""
    if kind == "option":
        return tuple((key, poles(prompt)[pole]) for key, pole in known.items())
    words = dict(anchors(rubric)) if kind == "harm" else {}
    if kind == "language":
        words = {key: language.capitalize() for key, language in known.items()}
    return tuple((key, words.get(key, "")) for key in known)


def response_text(answer: Answer) -> str:
    """What the judge was shown of a reply: what was said, without think-blocks."""
    return strip_thinking(spoken_text(answer))


def what_came(answer: Answer) -> str:
    """A word on how the reply ended, where it is not whole; empty for a plain one. Says nothing of any verdict."""
    words = {
        Outcome.TRUNCATED: "cut off at its length limit",
        Outcome.CONTENT_FILTER: "blocked by the endpoint's filter",
        Outcome.ERROR: "the endpoint refused the prompt",
        Outcome.EMPTY: "an empty response",
    }
    return words.get(answer.outcome, "")
