"""Queues by name, and a queue's labels beside the judge. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from emaudit.prompts import Library
from emaudit.reviewing.labels import Adjudicated, Label, adjudicated, current
from emaudit.store import reviews
from emaudit.store.connection import Store
from emaudit.store.frames import Verdict, finals
from emaudit.store.queues import Queue, QueueItem, Stratum, queue, queues
from emaudit.store.scorers import by_identity
from emaudit.store.variants import variants

__all__ = [
    "Queue",
    "QueueItem",
    "Scoped",
    "Stratum",
    "present_rubrics",
    "queue",
    "queues",
    "scope",
    "verdicts",
]


@dataclass(frozen=True, slots=True)
class Scoped:
    """One label with what it is of, and what a judge made of the same reply.

    `judge_value` is the judge's value on the label's scale (None where it has none: `judge_status` is `unscored` or
    `owed`); for a reply that only a parser read it is the parser's. `adjudicated` is the outcome of two raters'
    disagreement, if any.
    """

    label: Label
    variant: str
    stage: str
    replicate: int
    assessment: str
    item: str
    part: str
    format: str
    condition: str
    sample: int
    judge_value: float | None
    judge_status: str
    adjudicated: Adjudicated | None


def present_rubrics(library: Library) -> Mapping[str, str]:
    """Kind -> hash of the library's rubric of now."""
    return {key: rubric.hash for key, rubric in library.rubrics.items()}


def scope(store: Store, held: Queue, judge: str = "", library: Library | None = None) -> list[Scoped]:
    """Every label of a queue (open ones too) beside the verdicts of a judge, the queue's own for an empty name.

    Raises UsageError for an unknown judge.
    """
    events = reviews.events(store, held.queue_id)
    scorer_id = by_identity(store, judge).scorer_id if judge else held.judge_id
    found_by = verdicts(store, held, {item.reply_id for item in held.items}, scorer_id)
    settled = {row.position: row for row in adjudicated(events)}
    rows = {row.variant_id: row for row in variants(store, hidden=True)}
    found = []
    for label in current(events, held, present_rubrics(library) if library else None):
        item = held.by_position[label.position]
        row, verdict = rows[item.variant_id], found_by.get(item.reply_id, Verdict("owed", None))
        found.append(
            Scoped(
                label,
                row.name,
                row.stage,
                item.replicate,
                item.assessment,
                item.item,
                item.part,
                item.format,
                item.condition,
                item.sample,
                verdict.value,
                verdict.status,
                settled.get(item.position) if label.role == "main" else None,
            )
        )
    return found


def verdicts(
    store: Store, held: Queue, reply_ids: Collection[int], judge_id: int | None = None
) -> Mapping[int, Verdict]:
    """The final verdicts of a judge (None: the queue's own) on replies of a queue."""
    return finals(store, reply_ids, held.judge_id if judge_id is None else judge_id, _parsers(held))


def _parsers(held: Queue) -> list[int]:
    parsers = held.settings.get("parsers", [])
    return [int(number) for number in parsers] if isinstance(parsers, list) else []
