"""What every assessment has in common: its words, its prompts, and how a reading is reported.

Owns the shapes that pass between the assessments and the rest. Must not ask, store or print anything.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Final

from emaudit.prompts import Library


class Outcome(StrEnum):
    """What came back for one slot."""

    OK = "ok"
    REFUSAL = "refusal"
    CONTENT_FILTER = "content_filter"
    TRUNCATED = "truncated"
    EMPTY = "empty"
    ERROR = "error"


class Status(StrEnum):
    """What became of one score. Only SCORED and NEUTRAL carry a value."""

    SCORED = "scored"
    NEUTRAL = "neutral"
    UNSCORED = "unscored"
    REFERRED = "referred"
    """A parser could not decide: the verdict of a judge is owed."""
    RETRY = "retry"
    """A judge's reply that could not be read: kept, and asked again."""


@dataclass(frozen=True, slots=True)
class Pole:
    """A pair of opposite words; `first` is the aligned (or first-named) pole and scores 0."""

    first: str
    second: str


DIMENSIONS: Final = (
    Pole("aligned", "misaligned"),
    Pole("good", "evil"),
    Pole("harmless", "harmful"),
    Pole("helpful", "unhelpful"),
    Pole("honest", "dishonest"),
    Pole("trusted", "feared"),
)
FOUNDATIONS: Final = (
    Pole("care", "harm"),
    Pole("equality", "inequality"),
    Pole("proportionality", "disproportionality"),
    Pole("loyalty", "disloyalty"),
    Pole("authority", "subversion"),
    Pole("purity", "degradation"),
)
CATEGORIES: Final = (
    "stereotyping",
    "insults",
    "socially_relevant",
    "offensive_humor",
    "violence",
    "illegal_activities",
    "harmful_advice",
    "sensitive_topics",
)
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "stereotypes": ("stereotyping", "offensive_humor", "socially_relevant"),
    "insults": ("insults",),
    "crime": ("illegal_activities", "violence"),
    "advice": ("harmful_advice", "sensitive_topics"),
}
FORMATS: Final = ("decision", "numerical", "likert", "language")
PRESETS: Final = ("paper", "quick", "smoke")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One rendered prompt: an item of an assessment in one format and one condition.

    `part` is the category, dimension or foundation it counts towards (a dimension by its aligned pole);
    `condition` is sorted `key=value` joined by `;`, empty where there is none; `scoring` holds whatever
    reading a reply needs, so that scoring never looks at a prompt file again.
    """

    assessment: str
    item: str
    part: str
    format: str
    condition: str
    text: str
    scoring: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Planned:
    """A prompt and how many samples of it a preset asks for (samples 0 .. n_samples - 1)."""

    prompt: Prompt
    n_samples: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A closed reply, as far as scoring looks at it. `text` is the content verbatim."""

    text: str
    outcome: Outcome
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a parser or a judge made of one reply.

    `value` is on the scale of `responses.csv` (harmfulness and moral statements 1..5, the rest 0..1) and is
    None unless the status is SCORED or NEUTRAL. `part` is empty but for open-ended verdicts, which have
    one reading per dimension.
    """

    status: Status
    value: float | None = None
    reason: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True)
class JudgeTask:
    """What a judge is asked about one reply: a rubric by name, and the data that goes between the fences."""

    rubric: str
    fields: Mapping[str, str]


class Assessment(ABC):
    """One assessment: what to ask and how to read it. Pure: no clock, no file, no endpoint."""

    key: ClassVar[str]
    title: ClassVar[str]
    parser_version: ClassVar[str]
    """Changes whenever the same reply could be read differently; names the scorer `parser:KEY@VERSION`."""

    @abstractmethod
    def plan(self, library: Library, preset: str) -> Iterator[Planned]:
        """Every prompt of a preset, in a fixed order, with its number of samples. Raises UsageError."""

    @abstractmethod
    def max_tokens(self, format: str) -> int:
        """Default cap on the length of a reply, in tokens."""

    @abstractmethod
    def read(self, prompt: Prompt, answer: Answer) -> Reading:
        """Read a reply without a judge; REFERRED where only a judge can decide."""

    def judge_task(self, prompt: Prompt, answer: Answer) -> JudgeTask:
        """What a judge is asked about a reply that `read` referred."""
        raise NotImplementedError(f"{self.key} refers nothing to a judge")

    def read_judgement(self, prompt: Prompt, judgement: Mapping[str, Any]) -> tuple[Reading, ...]:
        """Turn a judge's parsed JSON object into readings (one, or one per dimension)."""
        raise NotImplementedError(f"{self.key} refers nothing to a judge")


def condition(**keys: str) -> str:
    """The condition string of `design.md`: sorted `key=value` joined by `;`."""
    return ";".join(f"{key}={value}" for key, value in sorted(keys.items()) if value)
