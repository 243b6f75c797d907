"""Review queues with what was drawn for them, and what people said of the replies, in the order it was said."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

from emaudit.store.jsontext import dumps
from emaudit.store.merge.maps import adopt, here, match
from emaudit.store.merge.rows import Moved, moving, reply_here

_EVENT: Final = (
    *("position", "reviewer", "kind", "answer", "value", "reason", "seconds", "is_blind", "rubric_hash", "judge"),
    *("seed", "version", "at", "seq", "chain"),
)


def bring_queues(db: sqlite3.Connection, shift: int) -> int:
    """Bring in queues with what was drawn; one whose name is taken gets its id behind it. Returns how many."""
    plain = (
        *("uid", "assessment", "preset", "rubric_hash", "design", "n_planned", "n_frame", "frame_hash", "seed"),
        *("reviewer", "created_at"),
    )
    name = "CASE WHEN s.name IN (SELECT name FROM main.queues) THEN s.name || '-' || s.uid ELSE s.name END"
    numbers = {kind: dict(db.execute(f"SELECT old, new FROM map_{kind}")) for kind in ("variants", "plans", "scorers")}
    matched = dict(db.execute("SELECT old, new FROM map_replies")) if _has_queues(db) else {}

    def translated(text: str) -> str:
        return dumps(_settings(json.loads(text), numbers, matched, shift))

    db.create_function("translated", 1, translated)
    columns = {**dict.fromkeys(plain, ""), "name": name, "judge_id": here("scorers", "judge_id")}
    n = adopt(db, "queues", {**columns, "settings": "translated(s.settings)"})
    db.execute(
        f"INSERT INTO main.queue_strata SELECT m.new, stratum, {here('variants', 'variant_id')}, judge_value, n_frame, "
        "n_drawn FROM map_queues m JOIN there_queue_strata s ON s.queue_id = m.old WHERE m.is_new"
    )
    db.execute(
        f"INSERT INTO main.queue_items SELECT m.new, position, {reply_here(shift)}, stratum, unit, probability, block, "
        "role, is_doubled FROM map_queues m JOIN there_queue_items s ON s.queue_id = m.old WHERE m.is_new"
    )
    return n


def n_queues_to_come(db: sqlite3.Connection) -> int:
    """How many queues the store does not have."""
    rows = db.execute("SELECT count(*) FROM there_queues WHERE queue_id NOT IN (SELECT old FROM map_queues)")
    return int(rows.fetchone()[0])


def _has_queues(db: sqlite3.Connection) -> bool:
    return bool(db.execute("SELECT EXISTS (SELECT 1 FROM there_queues)").fetchone()[0])


def _settings(
    held: dict[str, Any], numbers: Mapping[str, Mapping[int, int]], matched: Mapping[int, int], shift: int
) -> dict[str, Any]:
    """A queue's settings with the numbers that rows have here."""
    found = dict(held)
    if isinstance(held.get("plans"), list):
        found["plans"] = [numbers["plans"][number] for number in held["plans"]]
    if isinstance(held.get("parsers"), list):
        found["parsers"] = sorted(numbers["scorers"][number] for number in held["parsers"])
    if isinstance(held.get("frame"), dict):
        variants = {str(old): str(new) for old, new in numbers["variants"].items()}
        found["frame"] = {variants.get(key, key): value for key, value in held["frame"].items()}
    if isinstance(held.get("replies"), list):
        ids = [n for first, last in held["replies"] for n in range(first, last + 1)]
        found["replies"] = _runs(sorted(matched.get(n, n + shift) for n in ids))
    return found


def _runs(ids: Sequence[int]) -> list[list[int]]:
    """Ascending numbers as runs of consecutive ones, each its first and its last."""
    found: list[list[int]] = []
    for number in ids:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def match_reviews(db: sqlite3.Connection) -> Moved:
    """Map the queues and the review events that the store has; returns the events to come."""
    match(db, "queues", "t.uid = s.uid")
    queue = here("queues", "queue_id")
    match(db, "review_events", f"t.queue_id IS {queue} AND (t.seq, t.chain) = (s.seq, s.chain)")
    return moving(db, "review_events", "event_id")


def bring_reviews(db: sqlite3.Connection, moved: Moved, shift: int) -> None:
    """Insert the review events that the store does not have; replies moved by `shift`."""
    columns = ", ".join(_EVENT)
    undone = f"coalesce({here('review_events', 'undoes')}, s.undoes + {moved.shift})"
    db.execute(
        f"INSERT INTO main.review_events (event_id, queue_id, reply_id, undoes, {columns}) "
        f"SELECT s.event_id + {moved.shift}, {here('queues', 'queue_id')}, "
        f"CASE WHEN s.reply_id IS NOT NULL THEN {reply_here(shift)} END, "
        f"CASE WHEN s.undoes IS NOT NULL THEN {undone} END, {columns} FROM there_review_events s "
        "WHERE s.event_id NOT IN (SELECT old FROM map_review_events) ORDER BY s.event_id"
    )
