"""Which rows came in by which merge, and the numbers that they had where their hash chains were written.

A chain's hashes are over those numbers, so that a chain is copied as it stands and `verify` walks it here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from emaudit.store.merge.maps import NUMBERS
from emaudit.store.merge.rows import Moved
from emaudit.store.texts import now

Stretch = tuple[int, int, int]
"""First and last number here, and how far they are from those there."""


def record(
    db: sqlite3.Connection,
    store_id: str,
    moved: Mapping[str, Moved],
    apart: Sequence[tuple[str, int, int]],
) -> None:
    """Keep the maps of a source: of the store itself, and of every store that was merged into it before."""
    own = _insert_merge(db, store_id, now())
    stretches = {kind: _stretches(db, kind, moved.get(kind, Moved())) for kind in NUMBERS}
    _insert_numbers(db, own, stretches)
    composed = {0: own}
    for merge_id, earlier_id, at in db.execute("SELECT merge_id, store_id, at FROM there_merges ORDER BY 1").fetchall():
        composed[merge_id] = _insert_merge(db, earlier_id, at)
        held: dict[str, list[Stretch]] = {}
        rows = db.execute("SELECT kind, first, last, shift FROM there_merged_numbers WHERE merge_id = ?", (merge_id,))
        for kind, *stretch in rows:
            held.setdefault(kind, []).append((stretch[0], stretch[1], stretch[2]))
        _insert_numbers(db, composed[merge_id], {kind: _composed(held[kind], stretches[kind]) for kind in held})
    homes = _homes(db)
    queues = db.execute("SELECT old, new FROM map_queues WHERE is_new ORDER BY 1").fetchall()
    for kind, found in moved.items():
        if found.n:
            _insert_rows(db, kind, _split(found, homes.get(kind, []), composed))
    _insert_rows(db, "queues", [(new, new, composed[_home(homes.get("queues", []), old)]) for old, new in queues])
    for table, old, new in apart:
        _insert_rows(db, "verdicts_apart", [(new, new, composed[_home(homes.get(table, []), old)])])


def _insert_merge(db: sqlite3.Connection, store_id: str, at: str) -> int:
    return int(db.execute("INSERT INTO main.merges (store_id, at) VALUES (?, ?)", (store_id, at)).lastrowid or 0)


def _insert_numbers(db: sqlite3.Connection, merge_id: int, stretches: Mapping[str, Iterable[Stretch]]) -> None:
    db.executemany(
        "INSERT OR IGNORE INTO main.merged_numbers VALUES (?, ?, ?, ?, ?)",
        [(merge_id, kind, *stretch) for kind, found in stretches.items() for stretch in found],
    )


def _insert_rows(db: sqlite3.Connection, kind: str, rows: Iterable[tuple[int, int, int]]) -> None:
    db.executemany("INSERT INTO main.merged_rows VALUES (?, ?, ?, ?)", [(kind, *row) for row in rows])


def _stretches(db: sqlite3.Connection, kind: str, moved: Moved) -> list[Stretch]:
    """The map of a kind, as stretches of equal shift."""
    rows = db.execute(
        "SELECT min(new), max(new), new - old FROM (SELECT old, new, "
        "new - row_number() OVER (PARTITION BY new - old ORDER BY new) AS place "
        f"FROM map_{kind} WHERE new > 0) GROUP BY new - old, place ORDER BY 1"
    ).fetchall()
    found = [(row[0], row[1], row[2]) for row in rows]
    return [*found, (moved.first + moved.shift, moved.last + moved.shift, moved.shift)] if moved.n else found


def _composed(earlier: Iterable[Stretch], later: Sequence[Stretch]) -> list[Stretch]:
    """What two maps, one after the other, come to."""
    found = []
    for first, last, shift in earlier:
        for start, end, step in later:
            low, high = max(first, start - step), min(last, end - step)
            if low <= high:
                found.append((low + step, high + step, shift + step))
    return found


def _homes(db: sqlite3.Connection) -> dict[str, list[tuple[int, int, int]]]:
    """Kind -> the rows of the source that came into it by a merge, and by which."""
    found: dict[str, list[tuple[int, int, int]]] = {}
    for kind, *row in db.execute("SELECT kind, first, last, merge_id FROM there_merged_rows ORDER BY kind, first"):
        found.setdefault(kind, []).append((row[0], row[1], row[2]))
    return found


def _home(homes: Iterable[tuple[int, int, int]], number: int) -> int:
    return next((merge_id for first, last, merge_id in homes if first <= number <= last), 0)


def _split(
    moved: Moved, homes: Iterable[tuple[int, int, int]], composed: Mapping[int, int]
) -> list[tuple[int, int, int]]:
    """The rows that came in, as stretches by the merge whose numbers their chains are written in."""
    found: list[tuple[int, int, int]] = []
    start = moved.first
    for first, last, merge_id in homes:
        low, high = max(first, moved.first), min(last, moved.last)
        if low > high:
            continue
        if start < low:
            found.append((start, low - 1, composed[0]))
        found.append((low, high, composed[merge_id]))
        start = high + 1
    if start <= moved.last:
        found.append((start, moved.last, composed[0]))
    return [(first + moved.shift, last + moved.shift, merge_id) for first, last, merge_id in found]
