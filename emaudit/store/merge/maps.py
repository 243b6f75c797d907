"""How rows of a source are told from those that the store has, and the numbers that the rest gets: any kind of row.

`map_KIND` (temporary) holds for every row of the source its number there (`old`), its number here (`new`), and whether
it comes in (`is_new`). `there_TABLE` (temporary) is the source's table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Final

NUMBERS: Final[Mapping[str, str]] = {
    "variants": "variant_id",
    "variant_facts": "fact_id",
    "instruments": "instrument_id",
    "prompts": "prompt_id",
    "scorers": "scorer_id",
    "judge_choices": "choice_id",
    "runs": "run_id",
    "cells": "cell_id",
    "plans": "plan_id",
    "replies": "reply_id",
    "verdicts": "verdict_id",
    "voids": "void_id",
    "queues": "queue_id",
    "review_events": "event_id",
}
"""Every kind of row that has a number of its own, with the column that holds it."""


_TABLES: Final = (
    *NUMBERS,
    *("texts", "plan_cells", "run_plans", "run_events", "run_states", "failures", "voided", "queue_strata"),
    *("queue_items", "merges", "merged_rows", "merged_numbers", "variant_uids", "verdicts_apart"),
)


def look_at(db: sqlite3.Connection, source: str) -> None:
    """Let `there_TABLE` stand for the tables of an attached store."""
    for table in _TABLES:
        db.execute(f"DROP VIEW IF EXISTS temp.there_{table}")
        db.execute(f"CREATE TEMP VIEW there_{table} AS SELECT * FROM {source}.{table}")


def begin(db: sqlite3.Connection, variants: Mapping[int, int]) -> None:
    """Make the maps anew; `variants` names those of the source that the store has, by their numbers there and here."""
    for kind in NUMBERS:
        db.execute(f"DROP TABLE IF EXISTS temp.map_{kind}")
        db.execute(
            f"CREATE TEMP TABLE map_{kind} (old INTEGER PRIMARY KEY, new INTEGER NOT NULL, is_new INTEGER NOT NULL)"
        )
    db.execute("DROP TABLE IF EXISTS temp.moved")
    db.execute(
        "CREATE TEMP TABLE moved (variant_id INTEGER, replicate INTEGER, assessment TEXT, target INTEGER NOT NULL, "
        "PRIMARY KEY (variant_id, replicate, assessment))"
    )
    db.executemany("INSERT INTO map_variants VALUES (?, ?, 0)", variants.items())


def here(kind: str, column: str) -> str:
    """The number here of a row that the source names in a column of `s`, as SQL."""
    return f"(SELECT new FROM map_{kind} WHERE old = s.{column})"


def match(db: sqlite3.Connection, kind: str, same: str) -> None:
    """Map the rows of a kind that the store has: those for which `same` holds of `s` (there) and `t` (here)."""
    number = NUMBERS[kind]
    db.execute(
        f"INSERT INTO map_{kind} SELECT s.{number}, min(t.{number}), 0 FROM there_{kind} s "
        f"JOIN main.{kind} t ON {same} GROUP BY s.{number}"
    )


def adopt(db: sqlite3.Connection, kind: str, columns: Mapping[str, str]) -> int:
    """Bring in the rows of a kind that are not mapped yet, in their order; returns how many.

    `columns` says what each column holds here; empty where it is what it holds there.
    """
    number = NUMBERS[kind]
    db.execute(
        f"INSERT INTO map_{kind} SELECT {number}, "
        f"(SELECT coalesce(max({number}), 0) FROM main.{kind}) + row_number() OVER (ORDER BY {number}), 1 "
        f"FROM there_{kind} WHERE {number} NOT IN (SELECT old FROM map_{kind}) ORDER BY {number}"
    )
    values = ", ".join(value or f"s.{column}" for column, value in columns.items())
    cursor = db.execute(
        f"INSERT INTO main.{kind} ({number}, {', '.join(columns)}) SELECT m.new, {values} FROM map_{kind} m "
        f"JOIN there_{kind} s ON s.{number} = m.old WHERE m.is_new ORDER BY m.old"
    )
    return cursor.rowcount


def newest_last(db: sqlite3.Connection, table: str, key: str, columns: str, order: str) -> int:
    """Say what holds once more where a merged row came after it: the last row of a key is what counts.

    Of each store its own last row is asked, whatever its clock said; of the two the one that holds is the one that the
    other store does not know, or else the first by `order`. Without a key there is one row that counts.
    """
    number = NUMBERS[table]
    listed = ", ".join(filter(None, (key, columns)))
    by = key or "''"
    come = f"SELECT {by} FROM main.{table} JOIN map_{table} ON new = {number} WHERE is_new"
    common = f"SELECT {listed} FROM main.{table} JOIN map_{table} ON new = {number} WHERE NOT is_new"
    db.execute("DROP TABLE IF EXISTS temp.lasting")
    db.execute(
        f"CREATE TEMP TABLE lasting AS SELECT {number}, {listed}, ({listed}) IN ({common}) AS is_known "
        f"FROM main.{table} WHERE {number} IN (SELECT max({number}) FROM main.{table} "
        f"WHERE {number} NOT IN (SELECT new FROM map_{table} WHERE is_new) GROUP BY {by}) AND ({by}) IN ({come})"
    )
    # Beside max(), SQLite takes the other columns from the row that holds it.
    db.execute(
        f"INSERT INTO temp.lasting SELECT {number}, {listed}, NOT is_new FROM (SELECT t.*, is_new, max(old) "
        f"FROM map_{table} JOIN main.{table} t ON {number} = new GROUP BY {by}) WHERE ({by}) IN ({come})"
    )
    cursor = db.execute(
        f"INSERT INTO main.{table} ({listed}) SELECT {listed} FROM (SELECT *, row_number() OVER ("
        f"PARTITION BY {by} ORDER BY is_known, {order}, {number} DESC) AS place FROM temp.lasting) WHERE place = 1 "
        f"AND {number} NOT IN (SELECT max({number}) FROM main.{table} GROUP BY {by}) ORDER BY {number}"
    )
    return cursor.rowcount
