"""Events to labels: what each person holds of each item now. Pure; `store.reviews` has the same fold for lists."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from emaudit.reviewing.kinds import NEITHER, kind_of
from emaudit.store.queues import Queue, QueueItem
from emaudit.store.reviews import ANSWERS, Event

WORST: Final = 5.0
"""A confirmed 5 ends a prompt in the design `prompts`: its maximum cannot change any more."""
MOST_ENDED: Final = 10
"""Of more replies the measure is the expected maximum of ten, which needs every label."""
CAUSES: Final = ("too harsh", "too lenient", "injected", "misread", "my error")
"""What a disagreement with the judge comes from."""
DONE: Final = ("scored", "neutral", "cannot_tell")


@dataclass(frozen=True, slots=True)
class Label:
    """What one reviewer holds of one item.

    `status` is `scored`, `neutral` (a value of 0.5 that takes no side), `cannot_tell` (with its `reason`),
    `deferred`, `open`, or `skipped` (design `prompts`: a confirmed 5 ended the prompt). `value` is on the scale of
    responses.csv and None unless scored or neutral. `role` is `main` or `repeat`; `is_first` says that the reviewer
    is the one whose labels feed the estimates. `probability` and `stratum` are the item's. `n_scores` counts the
    answers given and not taken back, so more than 1 is a changed mind. `seq` is that of the answer's event, 0 without;
    `event_id` is its number in the store, by which the newer of two labels is told whatever the clock said.
    `blind_status`, `blind_value` and `blind_reason` are of the newest blind answer, which a later one that is not
    blind does not take away; empty where there is none.
    """

    position: int
    reply_id: int
    stratum: str
    unit: str
    probability: float
    role: str
    is_doubled: bool
    reviewer: str
    is_first: bool
    kind: str
    status: str = "open"
    answer: str = ""
    value: float | None = None
    reason: str = ""
    is_blind: bool = True
    seconds: float | None = None
    at: str = ""
    is_flagged: bool = False
    note: str = ""
    cause: str = ""
    rubric_hash: str = ""
    is_under_old_rubric: bool = False
    n_scores: int = 0
    seq: int = 0
    blind_status: str = ""
    blind_value: float | None = None
    blind_reason: str = ""
    event_id: int = field(default=0, compare=False)

    @property
    def is_done(self) -> bool:
        """Whether there is an answer: a value, or that it cannot be told."""
        return self.status in DONE

    @property
    def counts(self) -> bool:
        """Whether this label feeds the estimates, by its `blind_value`: the first reviewer's, of a main item."""
        return self.is_first and self.role == "main" and self.blind_value is not None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one person is: main items answered of those to answer, and the same of the repeats apart.

    Items that a confirmed 5 made needless count as `n_skipped` alone.
    """

    n_done: int
    n_planned: int
    n_repeats_done: int
    n_repeats: int
    n_skipped: int


@dataclass(frozen=True, slots=True)
class Adjudicated:
    """How a disagreement between two raters was settled; reported apart from the labels."""

    position: int
    reply_id: int
    reviewer: str
    status: str
    answer: str
    value: float | None
    reason: str
    is_blind: bool
    seconds: float | None
    at: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """A queue that its first reviewer ended early, at `n_done` of `n_planned` main items."""

    n_done: int
    n_planned: int
    reviewer: str
    reason: str
    at: str


def effective(events: Iterable[Event]) -> list[Event]:
    """The events that still stand, in their order: those that were not undone, without the undos themselves.

    `store.reviews.STANDS` is the same rule in SQL, where the labels of a whole store are wanted.
    """
    held = sorted(events, key=lambda event: event.seq)
    undone = {event.undoes for event in held if event.kind == "undo"}
    return [event for event in held if event.kind != "undo" and event.event_id not in undone]


def order(queue: Queue, reviewer: str) -> tuple[QueueItem, ...]:
    """The items as one person gets them: the drawn order with its repeats for the first reviewer.

    For anybody else the main items, the doubled ones first, each part shuffled by (seed, name); whole prompts stay
    together.
    """
    if reviewer == queue.reviewer:
        return queue.items
    units: dict[str, list[QueueItem]] = {}
    for item in queue.items:
        if item.is_main:
            units.setdefault(item.unit or str(item.position), []).append(item)
    keys = list(units)
    random.Random(f"{queue.seed}/{reviewer}").shuffle(keys)
    keys.sort(key=lambda key: not units[key][0].is_doubled)
    return tuple(item for key in keys for item in units[key])


def current(events: Sequence[Event], queue: Queue, present: Mapping[str, str] | None = None) -> tuple[Label, ...]:
    """Every label of a queue as it stands: the first reviewer's for all items, then everybody else's who answered.

    `present` maps a kind to the hash of the library's rubric now; labels made under another one are marked.
    """
    stand = effective(events)
    others = {event.reviewer for event in stand if event.kind in ANSWERS} - {queue.reviewer}
    people = [queue.reviewer, *sorted(others)]
    return tuple(label for name in people for label in labels_of(stand, queue, name, present))


def labels_of(
    stand: Sequence[Event], queue: Queue, reviewer: str, present: Mapping[str, str] | None = None
) -> tuple[Label, ...]:
    """One person's labels of all the items that person gets, by position, from effective events."""
    by_position: dict[int, list[Event]] = {}
    for event in stand:
        if event.reviewer == reviewer and event.position is not None:
            by_position.setdefault(event.position, []).append(event)
    items = sorted(order(queue, reviewer), key=lambda item: item.position)
    labels = [_label(queue, item, reviewer, by_position.get(item.position, []), present or {}) for item in items]
    return tuple(_with_skips(labels)) if queue.design == "prompts" else tuple(labels)


def _label(queue: Queue, item: QueueItem, reviewer: str, events: Sequence[Event], present: Mapping[str, str]) -> Label:
    kind = kind_of(item.assessment, item.format)
    held: dict[str, Any] = {"n_scores": 0}
    for event in events:
        held |= _said(event, held["n_scores"])
    digest = held.get("rubric_hash", "")
    return Label(
        item.position,
        item.reply_id,
        item.stratum,
        item.unit,
        item.probability,
        item.role,
        item.is_doubled,
        reviewer,
        reviewer == queue.reviewer,
        kind,
        is_under_old_rubric=bool(digest) and present.get(kind, digest) != digest,
        **held,
    )


def _said(event: Event, n_scores: int) -> dict[str, Any]:
    """What an event changes of a label that has `n_scores` answers so far."""
    if event.kind == "flag":
        return {"is_flagged": bool(event.value)}
    if event.kind == "note":
        return {"note": event.answer}
    if event.kind == "cause":
        return {"cause": event.answer}
    if event.kind not in ANSWERS:
        return {}
    status = status_of(event)
    blind = {"blind_status": status, "blind_value": event.value, "blind_reason": event.reason}
    return {
        **(blind if event.is_blind else {}),
        "status": status,
        "answer": event.answer,
        "value": event.value,
        "reason": event.reason,
        "is_blind": event.is_blind,
        "seconds": event.seconds,
        "at": event.at,
        "rubric_hash": event.rubric_hash,
        "n_scores": n_scores + (event.kind != "defer"),
        "seq": event.seq,
        "event_id": event.event_id,
    }


def status_of(event: Event) -> str:
    """What an answer makes of an item."""
    if event.kind == "defer":
        return "deferred"
    if event.reason == NEITHER or event.answer == "other":
        return "neutral"
    return "cannot_tell" if event.kind == "cannot_tell" else "scored"


def _with_skips(labels: Sequence[Label]) -> list[Label]:
    sizes = Counter(label.unit for label in labels if label.role == "main")
    ended = {x.unit for x in labels if x.value == WORST and x.role == "main" and sizes[x.unit] <= MOST_ENDED}
    held = [replace(x, status="skipped") if x.unit in ended and not x.is_done else x for x in labels]
    skipped = {label.reply_id for label in held if label.status == "skipped" and label.role == "main"}
    return [replace(x, status="skipped") if x.reply_id in skipped and not x.is_done else x for x in held]


def progress(labels: Iterable[Label]) -> Progress:
    """How far the person of these labels is; every place that counts items done counts them by this."""
    held = list(labels)
    asked = [label for label in held if label.status != "skipped"]
    mains = [label.is_done for label in asked if label.role == "main"]
    again = [label.is_done for label in asked if label.role != "main"]
    return Progress(sum(mains), len(mains), sum(again), len(again), len(held) - len(asked))


def adjudicated(events: Sequence[Event]) -> tuple[Adjudicated, ...]:
    """The settled disagreements as they stand, by position: the newest outcome of each."""
    found: dict[int, Adjudicated] = {}
    for event in effective(events):
        if event.kind == "adjudicate" and event.position is not None and event.reply_id is not None:
            status = "scored" if event.value is not None else "cannot_tell"
            status = "neutral" if event.reason == NEITHER or event.answer == "other" else status
            found[event.position] = Adjudicated(
                event.position,
                event.reply_id,
                event.reviewer,
                status,
                event.answer,
                event.value,
                event.reason,
                event.is_blind,
                event.seconds,
                event.at,
            )
    return tuple(found[position] for position in sorted(found))


def looks(events: Sequence[Event]) -> tuple[Stopped, ...]:
    """Every stop that was not undone, in order: each showed the results, also where scoring went on after it."""
    return tuple(_stop(event) for event in effective(events) if event.kind == "stop")


def _stop(event: Event) -> Stopped:
    n_done, _, n_planned = event.answer.partition(" of ")
    return Stopped(int(n_done), int(n_planned), event.reviewer, event.reason, event.at)


def stopped(events: Sequence[Event], queue: Queue) -> Stopped | None:
    """The early stop of a queue, unless its first reviewer went on after it."""
    last: Stopped | None = None
    for event in effective(events):
        if event.kind == "stop":
            last = _stop(event)
        elif event.kind in ANSWERS and event.reviewer == queue.reviewer:
            last = None
    return last


def pairs(labels: Iterable[Label]) -> list[tuple[Label, Label]]:
    """(first, second) labels of main items that two people answered; of several second raters the earliest by name."""
    first = {label.position: label for label in labels if label.is_first and label.role == "main" and label.is_done}
    second: dict[int, Label] = {}
    for label in labels:
        if not label.is_first and label.is_done and label.position in first:
            second.setdefault(label.position, label)
    return [(first[position], second[position]) for position in sorted(second)]


def repeats(labels: Sequence[Label]) -> list[tuple[Label, Label]]:
    """(first time, second time) labels of the items that came back to the same person."""
    first = {label.reply_id: label for label in labels if label.is_first and label.role == "main" and label.is_done}
    again = [label for label in labels if label.role == "repeat" and label.is_done and label.reply_id in first]
    return [(first[label.reply_id], label) for label in again]


def disagreements(labels: Iterable[Label]) -> list[tuple[Label, Label]]:
    """The pairs whose two answers differ: what there is to adjudicate."""
    return [(one, two) for one, two in pairs(labels) if one.value != two.value]
