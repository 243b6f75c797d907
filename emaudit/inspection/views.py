"""What the inspector shows, as frozen values. Pure: no store, no clock, no terminal."""

from __future__ import annotations

from dataclasses import dataclass, field

from emaudit.shapes import Full, Listed, Mark, Said, Stretch
from emaudit.variants import Variant


@dataclass(frozen=True, slots=True)
class Verdict:
    """One scorer's last word on a reply (or on a part of it). `n_attempts` counts its unreadable tries too."""

    scorer_id: int
    kind: str
    scorer: str
    part: str
    status: str
    value: float | None
    reason: str
    raw: str = ""
    model: str = ""
    at: str = ""
    n_attempts: int = 1


@dataclass(frozen=True, slots=True)
class Standing:
    """What counts as the reading of a reply under the judge in use.

    `status` is scored, neutral, unscored, owed (a verdict is missing) or unread (no parser read it). `value` is None
    unless scored or neutral, and for several parts their mean over `n_parts` scored ones.
    """

    status: str
    value: float | None = None
    reason: str = ""
    scorer: str = ""
    n_parts: int = 0
    is_disputed: bool = False
    """Another judge gave another verdict."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    listed: Listed
    variant: str
    standing: Standing
    n_reviews: int = 0
    is_flagged: bool = False
    is_starred: bool = False

    @property
    def reply_id(self) -> int:
        """The reply's number in the store."""
        return self.listed.reply_id


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a list, and where they stand in it; `n` is None until the list is counted."""

    rows: tuple[Row, ...] = ()
    stretch: Stretch = field(default_factory=lambda: Stretch(()))
    n: int | None = None
    newest: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """One of the replies of the same cell. `is_maximum`: it has the highest score of those scored."""

    sample: int
    reply_id: int
    standing: Standing
    outcome: str
    is_maximum: bool = False


@dataclass(frozen=True, slots=True)
class ReplyView:
    """One reply in full, with every verdict, its neighbours and what people said of it."""

    full: Full
    variant: Variant
    standing: Standing
    judge: str
    verdicts: tuple[Verdict, ...]
    samples: tuple[Sample, ...]
    marks: tuple[Mark, ...] = ()
    flags: tuple[str, ...] = ()
    """What in the reply may be meant for its judge."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One number of a self-report: `value` on the scale of scores.csv, standing on `used` of `expected` replies.

    `format` is `all` for the mean over an assessment's formats.
    """

    assessment: str
    part: str
    format: str
    value: float | None
    used: int
    expected: int


@dataclass(frozen=True, slots=True)
class Answered:
    """What a variant said to one prompt: the texts with their counts, the most frequent first, and their readings."""

    said: tuple[Said, ...]
    standings: tuple[Standing, ...]

    @property
    def n(self) -> int:
        """How many replies."""
        return sum(held.n for held in self.said)


@dataclass(frozen=True, slots=True)
class Block:
    """What was said to the prompts of one assessment, part and format, prompt by prompt."""

    assessment: str
    part: str
    format: str
    answers: tuple[Answered, ...]


@dataclass(frozen=True, slots=True)
class SelfReports:
    """What a variant says of itself on the matching parts: the numbers, then the replies behind them.

    `missing` names the assessments that were never asked of it.
    """

    variant: str
    parts: tuple[str, ...]
    numbers: tuple[Measured, ...]
    blocks: tuple[Block, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JudgeView:
    """A judge beside another: its verdicts on the reply, and what it made of the other samples."""

    judge: str
    verdicts: tuple[Verdict, ...]
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Companion:
    """What stands beside a reply: one of the three, or `why_not` says why none does.

    `choices` are the names of the variants or judges that could stand here, `name` the one that does.
    """

    kind: str
    reply_id: int
    name: str = ""
    reports: SelfReports | None = None
    other: ReplyView | None = None
    judge: JudgeView | None = None
    choices: tuple[str, ...] = ()
    why_not: str = ""
