"""reviews.csv and labels.csv: every event, and what stands of them, with strata and probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from emaudit.folder import Exported, Folder
from emaudit.prompts import Library
from emaudit.reviewing.queues import Scoped, scope, verdicts
from emaudit.store import reviews
from emaudit.store.connection import Store
from emaudit.store.frames import Verdict
from emaudit.store.queues import Queue, places, queues
from emaudit.store.reviews import Event
from emaudit.store.variants import variants

REVIEW_COLUMNS: Final = (
    "queue",
    "position",
    "item",
    "variant",
    "replicate",
    "sample",
    "reviewer",
    "role",
    "kind",
    "answer",
    "value",
    "reason",
    "undoes",
    "seconds",
    "is_blind",
    "judge",
    "judge_value",
    "stratum",
    "n_frame",
    "n_drawn",
    "probability",
    "rubric_hash",
    "seed",
    "version",
    "at",
    "event",
    "simulated",
)
LABEL_COLUMNS: Final = (
    "queue",
    "design",
    "position",
    "assessment",
    "item",
    "part",
    "format",
    "condition",
    "variant",
    "replicate",
    "sample",
    "reviewer",
    "role",
    "status",
    "answer",
    "value",
    "reason",
    "is_blind",
    "blind_status",
    "blind_value",
    "blind_reason",
    "n_scores",
    "seconds",
    "is_doubled",
    "is_flagged",
    "note",
    "cause",
    "adjudicated",
    "judge",
    "judge_value",
    "judge_status",
    "stratum",
    "unit",
    "n_frame",
    "n_drawn",
    "probability",
    "rubric_hash",
    "is_under_old_rubric",
    "at",
    "simulated",
)

Row = dict[str, object]


def export_events(
    store: Store, queue: Queue | None, path: Path, library: Library | None = None, excel_safe: bool = False
) -> list[Exported]:
    """Write every event at `path`, and what stands of them beside it (`labels.csv`, or `NAME-labels.csv`).

    None: of all queues, with the stars and what Inspect showed. Raises UsageError or DiskFull as an export does.
    """
    chosen = queues(store) if queue is None else [queue]
    with Folder(path.absolute().parent, excel_safe) as folder:
        folder.table(path.name, REVIEW_COLUMNS, (_cells(row, REVIEW_COLUMNS) for row in review_rows(store, queue)))
        found = (row for held in chosen for row in label_rows(store, held, library))
        folder.table(labels_name(path), LABEL_COLUMNS, (_cells(row, LABEL_COLUMNS) for row in found))
        folder.replace()
        return folder.files


def labels_name(path: Path) -> str:
    """The name of the file of labels beside a file of events."""
    return "labels.csv" if path.name == "reviews.csv" else f"{path.stem}-labels.csv"


def _cells(row: Mapping[str, object], columns: Sequence[str]) -> list[object]:
    return [row.get(column) for column in columns]


def review_rows(store: Store, queue: Queue | None = None) -> Iterator[Row]:
    """The rows of reviews.csv: the events of each queue in their order, then those of no queue (for all queues)."""
    for held in queues(store) if queue is None else [queue]:
        events = reviews.events(store, held.queue_id)
        judged = verdicts(store, held, {item.reply_id for item in held.items})
        yield from _rows(store, events, held, judged)
    if queue is None:
        yield from _rows(store, reviews.events(store, None), None, {})


def _rows(store: Store, events: Sequence[Event], queue: Queue | None, judged: Mapping[int, Verdict]) -> Iterator[Row]:
    names = {row.variant_id: row.name for row in variants(store, hidden=True)}
    where = places(store, {event.reply_id for event in events if event.reply_id is not None})
    by_id = {event.event_id: event for event in events}
    for event in sorted(events, key=lambda event: (event.seq, event.at, event.reviewer)):
        row: Row = {name: getattr(event, name) for name in REVIEW_COLUMNS if hasattr(event, name)}
        row |= {
            "queue": queue.name if queue else "",
            "event": event.seq,
            "undoes": by_id[event.undoes].seq if event.undoes is not None else None,
            "role": role(queue, by_id[event.undoes] if event.undoes is not None else event),
            "simulated": store.kind == "simulated",
        }
        if event.reply_id is not None:
            variant_id, replicate, item, sample = where[event.reply_id]
            row |= {"item": item, "variant": names[variant_id], "replicate": replicate, "sample": sample}
        if queue is not None and event.position is not None:
            row |= _of_item(queue, event.position)
            found = judged.get(event.reply_id or 0)
            row |= {"judge_value": found.value if found else None}
        yield row


def role(queue: Queue | None, event: Event) -> str:
    """What a person was when saying something: first, second, repeat or adjudicator; empty outside any queue."""
    if queue is None:
        return ""
    if event.kind == "adjudicate":
        return "adjudicator"
    if event.reviewer != queue.reviewer:
        return "second"
    item = queue.by_position.get(event.position or 0)
    return "repeat" if item is not None and not item.is_main else "first"


def _of_item(queue: Queue, position: int) -> Row:
    item = queue.by_position[position]
    stratum = queue.by_stratum[item.stratum]
    return {
        "stratum": item.stratum,
        "n_frame": stratum.n_frame,
        "n_drawn": stratum.n_drawn,
        "probability": item.probability,
    }


def label_rows(store: Store, queue: Queue, library: Library | None = None) -> Iterator[Row]:
    """The rows of labels.csv: each person's label of each item, answered or not, by person and position."""
    for scoped in scope(store, queue, library=library):
        yield _label_row(queue, scoped) | {"simulated": store.kind == "simulated"}


def _label_row(queue: Queue, scoped: Scoped) -> Row:
    label = scoped.label
    row: Row = {name: getattr(label, name) for name in LABEL_COLUMNS if hasattr(label, name)}
    row |= {name: getattr(scoped, name) for name in LABEL_COLUMNS if hasattr(scoped, name)}
    settled = scoped.adjudicated
    return (
        row
        | _of_item(queue, label.position)
        | {
            "queue": queue.name,
            "design": queue.design,
            "role": "repeat" if label.role == "repeat" else "first" if label.is_first else "second",
            "adjudicated": settled.value if settled else None,
            "judge": queue.judge,
            "is_blind": label.is_blind if label.is_done else None,
        }
    )
