"""A store as it was: rows after a moment, or past a table's newest row of then, are as if they were not there.

Views of the same names stand before the tables for one connection, so that every statement reads through them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from emaudit.store.connection import Store

_TABLES: Final[Mapping[str, tuple[str, str]]] = {
    "variants": ("variant_id", "created_at"),
    "variant_facts": ("fact_id", "at"),
    "instruments": ("instrument_id", "installed_at"),
    "plans": ("plan_id", "created_at"),
    "scorers": ("scorer_id", "created_at"),
    "judge_choices": ("choice_id", "at"),
    "runs": ("run_id", "created_at"),
    "run_events": ("event_id", "at"),
    "replies": ("reply_id", "received_at"),
    "verdicts": ("verdict_id", "at"),
    "voids": ("void_id", "at"),
    "queues": ("queue_id", "created_at"),
    "review_events": ("event_id", "at"),
}
"""Tables that grow, with the column that numbers their rows and the one that says when each came."""
_NAMED: Final = "run_plans"
"""Says which plans a run asks, and since when: the one table here whose rows may be renewed."""


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far a store is looked at; empty fields set no bound.

    `moment` is the last one that counts, as `texts.now` writes it; `rows` the number of the newest row of each table
    (of run_plans, the moment of the newest).
    """

    moment: str = ""
    rows: Mapping[str, int | str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.moment or self.rows)


def newest_rows(store: Store) -> dict[str, int | str]:
    """The number of the newest row of every table that grows, of those in view; 0 where there is none."""
    found: dict[str, int | str] = {
        table: int(store.db.execute(f"SELECT coalesce(max({number}), 0) FROM {table}").fetchone()[0])
        for table, (number, _) in _TABLES.items()
    }
    found[_NAMED] = str(store.db.execute(f"SELECT coalesce(max(since), '') FROM {_NAMED}").fetchone()[0])
    return found


def look(store: Store, horizon: Horizon) -> None:
    """Let every later read of an open store see it at a horizon; nothing may be written through it then."""
    _forget(store)
    store.writable = store.writable and not horizon
    store.horizon = horizon or None
    if not horizon:
        return
    for table in _TABLES:
        bounds = _bounds(table, horizon)
        if bounds:
            store.db.execute(f"CREATE TEMP VIEW {table} AS SELECT * FROM main.{table} WHERE {' AND '.join(bounds)}")
    store.db.execute(
        "CREATE TEMP VIEW voided AS SELECT * FROM main.voided d "
        "WHERE EXISTS (SELECT 1 FROM voids WHERE voids.void_id = d.void_id)"
    )
    since = [_text(bound) for bound in (horizon.moment, horizon.rows.get(_NAMED, "")) if bound]
    known = "run_id IN (SELECT run_id FROM runs) AND plan_id IN (SELECT plan_id FROM plans)"
    first = "(SELECT created_at FROM main.runs WHERE runs.run_id = named.run_id)"
    kept = " AND ".join(f"since <= {bound}" for bound in since) or "1"
    store.db.execute(
        f"CREATE TEMP VIEW {_NAMED} AS SELECT run_id, plan_id, CASE WHEN {kept} THEN since ELSE {first} END AS since "
        f"FROM main.{_NAMED} named WHERE {known}"
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


def _text(value: object) -> str:
    """A text as SQL has it; a view takes no bound parameters."""
    return "'" + str(value).replace("'", "''") + "'"


def _forget(store: Store) -> None:
    for table in (*_TABLES, "voided", _NAMED):
        store.db.execute(f"DROP VIEW IF EXISTS temp.{table}")
