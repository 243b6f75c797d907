"""Another store's rows into this one, in the transaction that is open. Owns the order in which tables come.

Rows are told by what they are, never by their number: variants by id or name, runs by id, texts and prompts by hash,
replies by their slot and their place in the hash chain of their run.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import quote

from emaudit.store.merge import maps, names, queues, recording, rows, slots
from emaudit.store.merge.rows import Doubled, Moved
from emaudit.store.merge.slots import Clash
from emaudit.store.scorers import EARLIEST

MOST: Final = 9
"""Stores that one transaction can take in: SQLite attaches ten at most."""


@dataclass(frozen=True, slots=True)
class Coming:
    """What a store would gain of another one. `replies` counts by variant and replicate, by their names here.

    `n_other` are small rows: facts, plans, runs and what happened to them, voids, texts.
    """

    n_variants: int
    replies: Mapping[tuple[int, int], int]
    n_verdicts: int
    n_reviews: int
    n_queues: int
    n_other: int
    clashes: Sequence[Clash]
    doubled: Doubled

    @property
    def n_replies(self) -> int:
        """Replies over all variants."""
        return sum(self.replies.values())

    @property
    def is_nothing(self) -> bool:
        """Whether the store has all of it already."""
        counts = (self.n_variants, self.n_replies, self.n_verdicts, self.n_reviews, self.n_queues, self.n_other)
        return not any(counts) and not self.doubled.n


def attach(db: sqlite3.Connection, place: int, path: Path, immutable: bool) -> str:
    """Open another store beside the one of a connection, for reading only; returns the name it has there."""
    name = f"source{place}"
    mode = "immutable=1" if immutable else "mode=ro"
    db.execute(f"ATTACH ? AS {name}", (f"file:{quote(str(path))}?{mode}",))
    return name


@contextlib.contextmanager
def detaching(db: sqlite3.Connection, names: Sequence[str]) -> Iterator[None]:
    """Let go of attached stores at the end; where an error is on its way there, that one is raised."""
    try:
        yield
    except BaseException:
        # A statement that the error broke off can hold a store until the connection is closed.
        with contextlib.suppress(sqlite3.Error):
            _detach(db, names)
        raise
    _detach(db, names)


def _detach(db: sqlite3.Connection, names: Sequence[str]) -> None:
    for name in names:
        db.execute(f"DETACH {name}")


def bring(
    db: sqlite3.Connection, source: str, variants: Mapping[int, int], keep_both: bool, rehearse: bool = False
) -> Coming:
    """Bring in what an attached store has and this one has not, all in the transaction that is open.

    `variants` are those of the source that are the store's own, by their numbers there and here. With `rehearse` the
    replies and what hangs on them are only counted; without `keep_both` nothing comes in where slots clash, and the
    caller must end the transaction.
    """
    maps.look_at(db, source)
    maps.begin(db, variants)
    n_before = _count(db, "variants")
    n = names.adopt_names(db)
    n += names.adopt_facts(db) + names.adopt_choices(db)
    n_variants = _count(db, "variants") - n_before
    clashes = _match_slots(db, keep_both)
    doubled = rows.match_verdicts(db)
    refused = not keep_both and (clashes or doubled.n_other)
    n += 0 if refused else slots.adopt_cells(db)
    replies, verdicts = rows.replies_to_come(db), rows.verdicts_to_come(db)
    reviews = queues.match_reviews(db)
    coming = Coming(
        n_variants,
        {} if refused else _by_variant(db),
        verdicts.n,
        reviews.n,
        queues.n_queues_to_come(db),
        n - n_variants,
        clashes,
        doubled,
    )
    if rehearse or refused:
        return coming
    return _bring_rows(db, source, coming, {"replies": replies, "verdicts": verdicts, "review_events": reviews})


def _match_slots(db: sqlite3.Connection, keep_both: bool) -> list[Clash]:
    slots.match_replies(db)
    slots.match_cells(db)
    found = slots.clashes(db)
    if found and keep_both:
        slots.move(db, found)
        slots.match_cells(db)
    return found


def _bring_rows(db: sqlite3.Connection, source: str, coming: Coming, moved: Mapping[str, Moved]) -> Coming:
    shift = moved["replies"].shift
    rows.bring_replies(db, moved["replies"])
    rows.bring_verdicts(db, moved["verdicts"], shift)
    apart = rows.bring_apart(db, shift)
    n = rows.bring_voids(db, shift) + rows.bring_history(db, shift)
    queues.bring_queues(db, shift)
    queues.bring_reviews(db, moved["review_events"], shift)
    kind = db.execute(f"SELECT value FROM {source}.meta WHERE key = 'kind'").fetchone()
    if kind:
        db.execute("INSERT OR IGNORE INTO main.meta VALUES ('kind', ?)", kind)
    found = replace(coming, n_other=coming.n_other + n)
    first = db.execute(f"{EARLIEST.format(source='main.')} LIMIT 1").fetchone()
    if first:
        db.execute(
            "INSERT INTO main.meta VALUES ('first_judge', ?) ON CONFLICT DO UPDATE SET value = excluded.value", first
        )
    if not found.is_nothing:
        store_id = db.execute(f"SELECT value FROM {source}.meta WHERE key = 'store_id'").fetchone()[0]
        recording.record(db, store_id, moved, apart)
    return found


def _by_variant(db: sqlite3.Connection) -> dict[tuple[int, int], int]:
    """How many replies come in, by variant and replicate."""
    rows = db.execute(
        "SELECT d.variant_id, d.replicate, sum(n) FROM (SELECT cell_id, count(*) AS n FROM there_replies "
        "WHERE reply_id NOT IN (SELECT old FROM map_replies) GROUP BY cell_id) r "
        "JOIN map_cells m ON m.old = r.cell_id JOIN main.cells d ON d.cell_id = m.new GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return {(variant_id, replicate): n for variant_id, replicate, n in rows}


def _count(db: sqlite3.Connection, table: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM main.{table}").fetchone()[0])
