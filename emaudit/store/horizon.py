"""A store as it was: rows after a moment, or past a table's newest row of then, are as if they were not there.

Views of the same names stand before the tables for one connection, so that every statement reads through them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from emaudit.store.connection import Store
from emaudit.store.merge.origins import stretches_of

_TABLES: Final[Mapping[str, tuple[str, str]]] = {
    "variants": ("variant_id", "created_at"),
    "variant_facts": ("fact_id", "at"),
    "instruments": ("instrument_id", "installed_at"),
    "plans": ("plan_id", "created_at"),
    "scorers": ("scorer_id", "created_at"),
    "judge_choices": ("choice_id", "at"),
    "runs": ("run_id", "created_at"),
    "replies": ("reply_id", "received_at"),
    "verdicts": ("verdict_id", "at"),
    "voids": ("void_id", "at"),
    "queues": ("queue_id", "created_at"),
    "review_events": ("event_id", "at"),
}
"""Tables that grow, with the column that numbers their rows and the one that says when each came."""
_UNSEEN: Final = ("runs", "instruments")
"""Those of which no table of an export is: a run that found nothing owed changes none."""


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far a store is looked at; empty fields set no bound.

    `moment` is the last one that counts, as `texts.now` writes it; `rows` the number of the newest row of each table.
    With `store_id` only the rows of that merged store are in view, and the numbers are those that they had there.
    """

    moment: str = ""
    rows: Mapping[str, int] = field(default_factory=dict)
    store_id: str = ""

    def __bool__(self) -> bool:
        return bool(self.moment or self.rows)


def newest_rows(store: Store, store_id: str = "") -> dict[str, int]:
    """The number of the newest row of every table that an export reads, of those in view; 0 where there is none.

    With a `store_id`: of the rows that came from that merged store, by their numbers there.
    """
    if store_id:
        held = stretches_of(store, store_id)
        return {
            table: max((last - shift for _, last, shift in held.get(table, ())), default=0)
            for table in _TABLES
            if table not in _UNSEEN
        }
    return {
        table: int(store.db.execute(f"SELECT coalesce(max({number}), 0) FROM {table}").fetchone()[0])
        for table, (number, _) in _TABLES.items()
        if table not in _UNSEEN
    }


def heads_at(store: Store, rows: Mapping[str, int], store_id: str = "") -> dict[str, str]:
    """The hashes that stand in the rows of some numbers, in hex; empty where there is no such row.

    With a `store_id` the numbers are those of that merged store.
    """
    held = stretches_of(store, store_id) if store_id else {}
    found = {}
    for table in ("replies", "verdicts", "review_events"):
        statement = f"SELECT hex(chain) FROM {table} WHERE {_TABLES[table][0]} = ?"
        there = rows.get(table, 0)
        places = [there + shift for first, last, shift in held.get(table, ()) if first <= there + shift <= last]
        number = (places[0] if places else 0) if store_id else there
        row = store.db.execute(statement, (number,)).fetchone()
        found[table] = str(row[0]).lower() if row else ""
    return found


@contextmanager
def snapshot(store: Store) -> Iterator[None]:
    """One block in which every read sees the same moment, whoever writes meanwhile."""
    store.db.execute("BEGIN")
    try:
        yield
    finally:
        store.db.execute("COMMIT")


def look(store: Store, horizon: Horizon) -> None:
    """Let every later read of an open store see it at a horizon; nothing may be written through it then."""
    _forget(store)
    store.writable = store.writable and not horizon
    store.horizon = horizon or None
    if not horizon:
        return
    held = stretches_of(store, horizon.store_id) if horizon.store_id else {}
    for table in _TABLES:
        bounds = _bounds(table, horizon)
        if horizon.store_id and table not in _UNSEEN:
            bounds = [*_bounds(table, Horizon(horizon.moment)), _among(table, horizon, held.get(table, ()))]
        if bounds:
            store.db.execute(f"CREATE TEMP VIEW {table} AS SELECT * FROM main.{table} WHERE {' AND '.join(bounds)}")
    store.db.execute(
        "CREATE TEMP VIEW voided AS SELECT * FROM main.voided d "
        "WHERE EXISTS (SELECT 1 FROM voids WHERE voids.void_id = d.void_id)"
    )
    if horizon.moment:
        began = "(SELECT created_at FROM main.runs WHERE runs.run_id = named.run_id)"
        store.db.execute(
            "CREATE TEMP VIEW run_plans AS SELECT run_id, plan_id, "
            f"CASE WHEN since <= {_text(horizon.moment)} THEN since ELSE {began} END AS since "
            "FROM main.run_plans named "
            "WHERE run_id IN (SELECT run_id FROM runs) AND plan_id IN (SELECT plan_id FROM plans)"
        )


@contextmanager
def looking(store: Store, horizon: Horizon) -> Iterator[Store]:
    """The store at a horizon for one block, then as it was looked at before."""
    before, writable = store.horizon or Horizon(), store.writable
    look(store, horizon)
    try:
        yield store
    finally:
        look(store, before)
        store.writable = writable


def _bounds(table: str, horizon: Horizon) -> list[str]:
    number, moment = _TABLES[table]
    bounds = [f"{moment} <= {_text(horizon.moment)}"] if horizon.moment else []
    newest = horizon.rows.get(table)
    return bounds if newest is None else [*bounds, f"{number} <= {int(newest)}"]


def _among(table: str, horizon: Horizon, stretches: Sequence[tuple[int, int, int]]) -> str:
    """The rows that came from a merged store, up to its newest row that counts."""
    number, newest = _TABLES[table][0], horizon.rows.get(table)
    ends = [(first, last if newest is None else min(last, newest + shift)) for first, last, shift in stretches]
    wanted = [f"{number} BETWEEN {first} AND {last}" for first, last in ends if first <= last]
    if len(wanted) <= _FEW:
        return f"({' OR '.join(wanted)})" if wanted else "0"
    rows = ", ".join(f"({first}, {last})" for first, last in ends if first <= last)
    return (
        f"EXISTS (WITH held (first, last) AS (VALUES {rows}) SELECT 1 FROM held WHERE {number} BETWEEN first AND last)"
    )


_FEW: Final = 50
"""Stretches of rows that a condition names one by one."""


def _text(value: object) -> str:
    """A text as SQL has it; a view takes no bound parameters."""
    return "'" + str(value).replace("'", "''") + "'"


def _forget(store: Store) -> None:
    for table in (*_TABLES, "voided", "run_plans"):
        store.db.execute(f"DROP VIEW IF EXISTS temp.{table}")
