"""What the screens show, as frozen values: one `Snapshot` of the store, made by `watch` and drawn by the screens.

Pure: no store, no clock, no terminal. An empty snapshot is a value like any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from emaudit.variants import Variant


class Stage(StrEnum):
    """How far one assessment of one variant is."""

    NONE = "not planned"
    COUNTING = "counting"
    RUNNING = "running"
    WAITING = "waiting"
    OWED = "owed"
    JUDGING = "verdicts owed"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Cell:
    """One assessment of one variant: its plan, what is stored of it, and its headline value.

    `n_*` count replies and verdicts; `value` is the headline on the scale of `scores.csv`, None where nothing
    is scored yet; `used` of `expected` `unit` stand behind it.
    """

    assessment: str
    preset: str = ""
    n_slots: int = 0
    n_closed: int = 0
    n_referred: int = 0
    n_judged: int = 0
    n_unscored: int = 0
    n_errors: int = 0
    is_counted: bool = True
    activity: str = ""
    """`active` where replies landed lately, `waiting` where a live run asks it later, else empty."""
    value: float | None = None
    used: int = 0
    expected: int = 0
    unit: str = ""

    @property
    def n_replies_owed(self) -> int:
        """Planned replies without a closed reply."""
        return self.n_slots - self.n_closed

    @property
    def n_verdicts_owed(self) -> int:
        """Replies that wait for the verdict of a judge."""
        return self.n_referred - self.n_judged

    @property
    def is_owed(self) -> bool:
        """Whether anything planned is missing, reply or verdict."""
        return bool(self.n_slots) and (self.n_replies_owed > 0 or self.n_verdicts_owed > 0)

    @property
    def stage(self) -> Stage:
        """How far it is, in one word."""
        if not self.n_slots:
            return Stage.NONE
        if not self.is_counted:
            return Stage.COUNTING
        if not self.is_owed:
            return Stage.DONE
        if self.activity:
            return Stage.RUNNING if self.activity == "active" else Stage.WAITING
        return Stage.OWED if self.n_replies_owed else Stage.JUDGING


@dataclass(frozen=True, slots=True)
class VariantRow:
    """One variant with its place in the lineage and a cell per assessment."""

    variant: Variant
    branch: str
    """What stands before its name in the tree; empty for a root."""
    cells: tuple[Cell, ...]
    is_gone: bool = False

    @property
    def n_replies_owed(self) -> int:
        """Replies owed over all its plans."""
        return sum(cell.n_replies_owed for cell in self.cells)

    @property
    def n_verdicts_owed(self) -> int:
        """Verdicts owed over all its plans."""
        return sum(cell.n_verdicts_owed for cell in self.cells if cell.is_counted)

    @property
    def is_running(self) -> bool:
        """Whether a live run asks it."""
        return any(cell.activity for cell in self.cells)

    def matches(self, words: str) -> bool:
        """Whether every word of a filter stands in its name, model, size, domain, stage, parent or endpoint."""
        held = self.variant
        fields = (held.name, held.model, held.size, held.domain, held.stage, held.parent, held.endpoint)
        text = "\n".join(fields).casefold()
        return all(word in text for word in words.casefold().split())


def branches(depths: Sequence[int]) -> list[str]:
    """The branches of a tree before each row, from the rows' depths in order."""
    found = []
    for at, depth in enumerate(depths):
        goes_on = [_goes_on(depths, at, level) for level in range(1, depth + 1)]
        stems = "".join("│ " if more else "  " for more in goes_on[:-1])
        found.append(stems + ("├ " if goes_on[-1] else "└ ") if depth else "")
    return found


def _goes_on(depths: Sequence[int], at: int, level: int) -> bool:
    """Whether a later row hangs from the same stem at a level."""
    return next((below == level for below in depths[at + 1 :] if below <= level), False)


class RunStage(StrEnum):
    """What a run is doing, in one word."""

    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event of a run: when (local clock), what, and the words with it."""

    at: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run: what it asks, how far that is, and what its runner last said about itself.

    The tokens are those of all its starts; `cost` is that of the last one, as its runner counts it.
    `expected_...` is what the last one will have taken at its end; 0 before 20 replies are in.
    """

    uid: str
    stage: RunStage
    kind: str = "run"
    preset: str = ""
    judge: str = ""
    created_at: str = ""
    variants: tuple[str, ...] = ()
    assessments: tuple[str, ...] = ()
    n_slots: int = 0
    n_closed: int = 0
    n_referred: int = 0
    n_judged: int = 0
    n_unscored: int = 0
    n_errors: int = 0
    is_counted: bool = True
    line: str = ""
    replies_per_s: float | None = None
    eta_s: float | None = None
    in_flight: int = 0
    limit: int = 0
    reason: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    expected_input: int = 0
    expected_output: int = 0
    expected_cost: float | None = None
    is_resumed: bool = False
    holder: str = ""
    log_path: str = ""
    events: tuple[EventLine, ...] = ()

    @property
    def is_live(self) -> bool:
        """Whether a process runs it now."""
        return self.stage in {RunStage.RUNNING, RunStage.STOPPING}

    @property
    def n_owed(self) -> int:
        """Replies and verdicts still owed."""
        return self.n_slots - self.n_closed + self.n_referred - self.n_judged

    @property
    def share(self) -> float:
        """Stored replies of planned ones, 0..1."""
        return self.n_closed / self.n_slots if self.n_slots else 0.0


@dataclass(frozen=True, slots=True)
class LandedReply:
    """One of the last replies stored, with the reading it has so far."""

    reply_id: int
    run_uid: str
    variant: str
    assessment: str
    item: str
    outcome: str
    status: str
    value: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything the screens show of the store, at one moment.

    `has_read` is False before the first look. `problem` says why the store cannot be read now, in one line.
    """

    has_read: bool = False
    exists: bool = False
    writable: bool = True
    kind: str = ""
    banner: str = ""
    problem: str = ""
    judge: str = ""
    assessments: tuple[str, ...] = ()
    variants: tuple[VariantRow, ...] = ()
    runs: tuple[RunRow, ...] = ()
    replies: tuple[LandedReply, ...] = field(default=())

    @property
    def live_runs(self) -> tuple[RunRow, ...]:
        """The runs that go on now, newest first."""
        return tuple(run for run in self.runs if run.is_live)

    def variant(self, name: str) -> VariantRow | None:
        """The row of a variant."""
        return next((row for row in self.variants if row.variant.name == name), None)

    def run(self, uid: str) -> RunRow | None:
        """The row of a run."""
        return next((row for row in self.runs if row.uid == uid), None)


NOTHING: Final = Snapshot()
"""Before the first look at the store."""

TITLES: Final[Mapping[str, tuple[str, str]]] = {
    "harmfulness": ("harmfulness", "harm"),
    "intentions": ("intentions", "intent"),
    "self_assessment": ("self-assessment", "self"),
    "moral_foundations": ("moral foundations", "moral"),
    "moral_self_assessment": ("moral self-assessment", "m-self"),
    "open_ended": ("open-ended", "open"),
}
"""An assessment's name on screen, whole and short."""


def title(assessment: str) -> str:
    """An assessment's whole name on screen."""
    return TITLES.get(assessment, (assessment, assessment))[0]


def short_title(assessment: str) -> str:
    """An assessment's name where a column is narrow."""
    return TITLES.get(assessment, (assessment, assessment))[1]
