"""What the screens ask of the analyses and what they are told, as frozen values. Pure.

Every number in an answer is a field of a row that the export writes, or stands behind one (a point, an interval).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from emaudit.scores.correlationrow import CorrelationRow
    from emaudit.scores.trajectories import TrajectoryRow


ALL: Final = "all"
"""The subset of all variants."""
COLUMNS: Final = ("harmless", "total")
"""What a correlation takes of the self-reports: the part that matches the behaviour, or their mean."""
WITHOUT: Final = ("variant", "size", "question", "category")
"""What a correlation can be computed without, one at a time."""


class Topic(StrEnum):
    """What a question is about."""

    CORRELATIONS = "the correlations"
    PAIR = "the card"
    TRAJECTORIES = "the trajectories"
    JUDGES = "the other judges"
    INTERVALS = "the intervals"


COMPLETING: Final = frozenset({Topic.JUDGES, Topic.INTERVALS})
"""Topics that complete what a screen shows already: everything else goes first."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Of what: a judge by its identity (empty: the active one), a preset (empty: the largest), decided replies only."""

    judge: str = ""
    preset: str = ""
    decided: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """Two measures over the variants of a subset, named as in correlations.csv."""

    x: str
    y: str
    columns: str
    subset: str = ALL

    @staticmethod
    def of(row: CorrelationRow) -> Pair:
        """The pair of a row."""
        return Pair(row.x, row.y, row.columns, row.subset)


@dataclass(frozen=True, slots=True)
class Question:
    """What a screen wants to know; `pair` where it is about one."""

    topic: Topic
    scope: Scope
    pair: Pair | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about the store as it was in a state."""

    question: Question
    state: int


@dataclass(frozen=True, slots=True)
class Axis:
    """A measure's scale: its name, its ends, and the value of answers at random (None where there is none)."""

    name: str
    low: float = 0.0
    high: float = 1.0
    chance: float | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """A variant where two measures put it."""

    variant: str
    size: str
    domain: str
    stage: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Without:
    """The correlation without one variant, size, question or category; None with the reason where undefined."""

    kind: str
    name: str
    rho: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """One more line of a card: what it is, its value in words, what it means."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """What a store offers for an answer: the preset and judge it is of, and those that could be chosen instead."""

    preset: str = ""
    judge: str = ""
    presets: tuple[str, ...] = ()
    judges: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    n_variants: int = 0


@dataclass(frozen=True, slots=True)
class Correlations:
    """Every pair of measures, in each subset and both columns; `published` has the paper's rows."""

    held: Held
    rows: tuple[CorrelationRow, ...]
    published: tuple[CorrelationRow, ...] = ()

    def row(self, pair: Pair) -> CorrelationRow | None:
        """The row of a pair, whichever of the two is x."""
        return _row_of(self.rows, pair)

    def published_row(self, pair: Pair) -> CorrelationRow | None:
        """The paper's row of a pair."""
        return _row_of(self.published, pair)


def _row_of(rows: tuple[CorrelationRow, ...], pair: Pair) -> CorrelationRow | None:
    names = {pair.x, pair.y}
    return next(
        (row for row in rows if row.columns == pair.columns and row.subset == pair.subset and {row.x, row.y} == names),
        None,
    )


@dataclass(frozen=True, slots=True)
class Card:
    """One pair in full: its row, its points, what is left when one thing is left out, and what must be said.

    `sentence` says what the card says and what it does not; `warnings` are true of this pair alone.
    """

    row: CorrelationRow
    x: Axis
    y: Axis
    points: tuple[Point, ...]
    without: tuple[Without, ...] = ()
    facts: tuple[Fact, ...] = ()
    warnings: tuple[str, ...] = ()
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class UnderJudge:
    """A pair's row under one of the stored judges."""

    judge: str
    row: CorrelationRow | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Judges:
    """One pair under every stored judge."""

    rows: tuple[UnderJudge, ...]


@dataclass(frozen=True, slots=True)
class Spot:
    """A measure of a variant at one stage with its 95% interval, as scores.csv has them."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A row of trajectories.csv with what is plotted of it: the variants behind its three values, and the scale.

    `published` holds the paper's base, misaligned and realigned values, empty where it has none. `shape` is
    `inverted V`, `no rise` or `no fall`, empty where a value is missing or the measure has no harmful end.
    """

    row: TrajectoryRow
    axis: Axis
    variants: tuple[str, str, str] = ("", "", "")
    published: tuple[float | None, ...] = ()
    shape: str = ""


@dataclass(frozen=True, slots=True)
class Trajectories:
    """Every lineage, measure and part; `exceptions` are the lineages without the inverted V, in words.

    `passed_over` has the variants past their base that no lineage holds, each with why.
    """

    held: Held
    lines: tuple[Line, ...]
    exceptions: tuple[str, ...] = ()
    passed_over: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Intervals:
    """The intervals behind the values of trajectories: (variant, assessment, part) -> what scores.csv has."""

    spots: Mapping[tuple[str, str, str], Spot]


@dataclass(frozen=True, slots=True)
class Undone:
    """What could not be computed, and why, in one line."""

    why: str


Found = Correlations | Card | Judges | Trajectories | Intervals | Undone


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found for a question, in the store as it was (`state`) when it was asked."""

    question: Question
    state: int
    found: Found
