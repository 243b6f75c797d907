"""Review events: one row for every keystroke that says something, chained by hash per queue, never changed.

Owns their SQL, and which of them stand. What they add up to in a queue is `reviewing.labels`'s.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from emaudit import __version__
from emaudit.store.connection import Store
from emaudit.store.merge.origins import Numbers
from emaudit.store.texts import now

ANSWERS: Final = ("score", "cannot_tell", "defer")
"""The kinds of event that say what became of an item; the newest one counts."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event to keep. `queue_id` None for stars and what Inspect showed; `value` is on the scale of responses.csv.

    `answer` is what was chosen (`1`..`5`, a pole `first`/`second`, a language) or a note's text; `undoes` is the
    event_id taken back; `seconds` the time from showing to answering.
    """

    queue_id: int | None
    position: int | None
    reply_id: int | None
    reviewer: str
    kind: str
    answer: str = ""
    value: float | None = None
    reason: str = ""
    undoes: int | None = None
    seconds: float | None = None
    is_blind: bool = True
    rubric_hash: str = ""
    judge: str = ""
    seed: int | None = None
    version: str = __version__


@dataclass(frozen=True, slots=True)
class Event(EventRow):
    """One stored event; `seq` counts from 1 within its queue."""

    at: str = ""
    seq: int = 0
    event_id: int = 0


STANDS: Final = "NOT EXISTS (SELECT 1 FROM review_events u WHERE u.undoes = e.event_id)"
"""Holds for a review event `e` that nobody took back: `reviewing.labels.effective` in SQL, for whole stores."""
_ITEM: Final = "e.reply_id, e.reviewer, e.queue_id, e.position"


def newest(kinds: Iterable[str], among: str = "", by: str = _ITEM) -> str:
    """A SELECT of the newest standing event of some kinds, for each person and item (or for each `by`).

    `among` is a further condition on an event `e`. Columns: those of `review_events` that say who said what.
    """
    return (
        "SELECT e.event_id, e.reply_id, e.kind, e.reviewer, e.value, e.answer, e.reason, e.is_blind, e.at, "
        "max(e.event_id) FROM review_events e "
        f"WHERE e.kind IN ({', '.join(repr(kind) for kind in kinds)}) AND e.reply_id IS NOT NULL "
        f"AND {STANDS}{f' AND {among}' if among else ''} GROUP BY {by}"
    )


def labels_among(among: str = "") -> str:
    """A SELECT of everyone's labels: the newest answer to each item, where it was not left for later."""
    return f"SELECT * FROM ({newest(ANSWERS, among)}) WHERE kind <> 'defer'"


LABELS: Final = labels_among()
STARRED: Final = f"SELECT * FROM ({newest(('star',), by='e.reply_id')}) WHERE value"
FLAGGED: Final = f"SELECT * FROM ({newest(('flag',))}) WHERE value"


def said_among(among: str) -> str:
    """A SELECT of what people hold of some replies: labels, notes, flags, stars, settled differences; in order."""
    parts = (
        labels_among(among),
        f"SELECT * FROM ({newest(('note',), among)}) WHERE answer <> ''",
        f"SELECT * FROM ({newest(('flag',), among)}) WHERE value",
        f"SELECT * FROM ({newest(('star',), among, 'e.reply_id')}) WHERE value",
        newest(("adjudicate",), among, "e.reply_id, e.queue_id, e.position"),
    )
    return f"SELECT * FROM ({' UNION ALL '.join(parts)}) ORDER BY event_id"


_FIELDS: Final = tuple(EventRow.__dataclass_fields__)
_INSERT: Final = (
    f"INSERT INTO review_events ({', '.join(_FIELDS)}, at, seq, chain) VALUES ({'?,' * (len(_FIELDS) + 2)}?)"
)
_SELECT: Final = f"SELECT {', '.join(_FIELDS)}, at, seq, event_id FROM review_events"


def insert_event(store: Store, event: EventRow) -> int:
    """Keep one event in a committed transaction of its own (or in the one that is open); returns its event_id."""
    return insert_events(store, [event])[0]


def insert_events(store: Store, rows: Iterable[EventRow]) -> list[int]:
    """Keep several events, all or none."""
    with store.transaction() as db:
        return [_insert(db, row) for row in rows]


def _insert(db: sqlite3.Connection, row: EventRow) -> int:
    seq, last = _end(db, row.queue_id)
    values = (*_values(row), now())
    cursor = db.execute(_INSERT, (*values, seq + 1, _link(last, seq + 1, values)))
    return int(cursor.lastrowid or 0)


def _values(row: EventRow) -> tuple[object, ...]:
    values = {name: getattr(row, name) for name in _FIELDS}
    return tuple(int(value) if name == "is_blind" else value for name, value in values.items())


def n_events(store: Store, queue_id: int | None) -> int:
    """How many events a queue has, which is the `seq` of its newest."""
    return _end(store.db, queue_id)[0]


def _end(db: sqlite3.Connection, queue_id: int | None) -> tuple[int, bytes]:
    row = db.execute(
        "SELECT seq, chain FROM review_events WHERE queue_id IS ? ORDER BY seq DESC, event_id DESC LIMIT 1", (queue_id,)
    ).fetchone()
    return (int(row[0]), bytes(row[1])) if row else (0, b"")


def _link(last: bytes, seq: int, values: Sequence[object]) -> bytes:
    """sha256(previous hash, canonical JSON of the row), as `store.replies.Chain` has it."""
    line = json.dumps(["review", seq, *values], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(last + line.encode("ascii")).digest()


def _event(row: Sequence[object]) -> Event:
    values = dict(zip((*_FIELDS, "at", "seq", "event_id"), row, strict=True))
    values["is_blind"] = bool(values["is_blind"])
    return Event(**values)  # type: ignore[arg-type]


def event(store: Store, event_id: int) -> Event:
    """One event. Raises KeyError."""
    row = store.db.execute(f"{_SELECT} WHERE event_id = ?", (event_id,)).fetchone()
    if row is None:
        raise KeyError(event_id)
    return _event(row)


def events(store: Store, queue_id: int | None) -> list[Event]:
    """All events of a queue in their order; None: those of no queue."""
    return [_event(row) for row in store.db.execute(f"{_SELECT} WHERE queue_id IS ? ORDER BY event_id", (queue_id,))]


def broken_link(store: Store, queue_id: int | None) -> int | None:
    """The seq of the first event of a queue that does not fit its chain; None where all do."""
    return next((seq for _, seq in broken_links(store, queue_id)), None)


def broken_links(store: Store, queue_id: int | None) -> Iterator[tuple[int, int]]:
    """The event_id and seq of every event of a queue that does not fit its chain.

    An event that was changed is named alone: the next one is held against the hash that stands there. Where the next
    one fits what that hash should be, it was the hash that was changed. Events that a merge brought are a branch.
    """
    numbers = Numbers(store)
    ends: dict[int, tuple[set[bytes], int]] = {}
    by_place: dict[int, set[bytes]] = {0: {b""}}
    rows = store.db.execute(
        f"SELECT {', '.join(_FIELDS)}, at, event_id, seq, chain FROM review_events WHERE queue_id IS ? "
        "ORDER BY event_id",
        (queue_id,),
    )
    for *values, event_id, seq, chain in rows:
        home = numbers.home("review_events", event_id)
        if home not in ends:
            ends[home] = (by_place.get(seq - 1, {b""}), seq - 1 if seq - 1 in by_place else 0)
        fits, place = ends[home]
        if numbers and seq - 1 in by_place:
            fits, place = fits | by_place[seq - 1], seq - 1
        written = numbers.written("review_events", home, values)
        links = {_link(last, seq, written) for last in fits}
        held = bytes(chain)
        if seq != place + 1 or held not in links:
            yield event_id, seq
        ends[home] = (links if held in links else links | {held}, seq)
        if numbers:
            by_place.setdefault(seq, set()).add(held)


_SHOWN: Final = """
SELECT e.reply_id FROM review_events e WHERE e.reviewer = :reviewer AND {among}
  AND (e.kind IN ('reveal', 'seen', 'cause') OR (e.kind = 'star' AND NOT e.is_blind))
UNION
SELECT e.reply_id FROM review_events e JOIN queues q ON q.queue_id = e.queue_id
WHERE e.reviewer = :reviewer AND {among} AND e.kind IN ('score', 'cannot_tell')
  AND json_extract(q.settings, '$.reveal') = 'each'
UNION
SELECT i.reply_id FROM review_events e JOIN queue_items i ON i.queue_id = e.queue_id
WHERE e.reply_id IS NULL AND e.kind = 'reveal' AND e.reviewer = :reviewer
"""


def seen(store: Store, reviewer: str, reply_ids: Collection[int] | None = None) -> set[int]:
    """The replies (of those given) whose verdict this person has had in view, in whatever queue or screen.

    A verdict is in view after a reveal, a queue revealed as a whole, a score in a queue that reveals each, a reply
    opened in Inspect (`seen`), a star given with its verdict beside it, and the tagging of a disagreement.
    """
    among = "e.reply_id IS NOT NULL" if reply_ids is None else "e.reply_id IN (SELECT value FROM json_each(:ids))"
    binding = {"reviewer": reviewer, "ids": json.dumps(sorted(reply_ids or ()))}
    found = {int(row[0]) for row in store.db.execute(_SHOWN.format(among=among), binding)}
    return found if reply_ids is None else found & set(reply_ids)


def mark_seen(store: Store, reviewer: str, reply_ids: Collection[int]) -> None:
    """Note that this person has had these replies' verdicts in view; what was seen before is not noted again."""
    known = seen(store, reviewer, reply_ids)
    insert_events(
        store,
        [
            EventRow(None, None, reply_id, reviewer, "seen", is_blind=False)
            for reply_id in reply_ids
            if reply_id not in known
        ],
    )


def star(store: Store, reviewer: str, reply_id: int, on: bool = True, is_blind: bool = False) -> int:
    """Mark a reply as an example for the paper, or take the mark away; `is_blind` where no verdict is in view."""
    return insert_event(store, EventRow(None, None, reply_id, reviewer, "star", value=float(on), is_blind=is_blind))


def stars(store: Store) -> dict[int, tuple[str, str]]:
    """Starred replies with who starred them last and when; a star counts whoever set it, until it is taken away."""
    rows = store.db.execute(f"SELECT reply_id, reviewer, at FROM ({STARRED}) ORDER BY reply_id")
    return {int(reply_id): (reviewer, at) for reply_id, reviewer, at in rows}
