"""What of a source the store has already, and the numbers that the rest gets: variants to plans.

`map_KIND` (temporary) holds for every row of the source its number there (`old`), its number here (`new`), and whether
it comes in (`is_new`). `there_TABLE` (temporary) is the source's table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Clash:
    """Slots of one assessment of a variant that both stores hold a reply for, and not the same one."""

    variant_id: int
    replicate: int
    assessment: str
    n_replies: int


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


def adopt_names(db: sqlite3.Connection) -> int:
    """Bring in texts, variants (without their facts), instruments, prompts, scorers and runs; returns how many rows."""
    n = db.execute("INSERT OR IGNORE INTO main.texts SELECT * FROM there_texts").rowcount
    n += adopt(db, "variants", {"uid": "", "created_at": ""})
    n += _adopt_uids(db)
    match(db, "instruments", "(t.key, t.content_hash, t.installed_at) = (s.key, s.content_hash, s.installed_at)")
    n += adopt(db, "instruments", dict.fromkeys(("key", "name", "label", "content_hash", "installed_at"), ""))
    n += _newest_last(db, "instruments", "key", "name, label, content_hash, installed_at", "installed_at, content_hash")
    key = ("assessment", "item", "format", "condition", "hash")
    match(db, "prompts", f"({_of('t', key)}) = ({_of('s', key)})")
    n += adopt(db, "prompts", dict.fromkeys((*key, "part", "text", "scoring"), ""))
    match(db, "scorers", "t.identity = s.identity")
    n += adopt(db, "scorers", dict.fromkeys(("kind", "identity", "detail", "created_at"), ""))
    match(db, "runs", "(t.uid, t.created_at) = (s.uid, s.created_at)")
    plain = dict.fromkeys(("uid", "kind", "preset", "protocol_hash", "settings", "created_at"), "")
    return n + adopt(db, "runs", {**plain, "judge_id": here("scorers", "judge_id")})


def _of(table: str, columns: Sequence[str]) -> str:
    return ", ".join(f"{table}.{column}" for column in columns)


def _adopt_uids(db: sqlite3.Connection) -> int:
    """Remember under which ids other stores know a variant."""
    cursor = db.execute(
        "INSERT OR IGNORE INTO main.variant_uids SELECT uid, new FROM (SELECT uid, variant_id FROM there_variants "
        "UNION ALL SELECT uid, variant_id FROM there_variant_uids) s JOIN map_variants ON old = variant_id "
        "WHERE NOT EXISTS (SELECT 1 FROM main.variants v WHERE v.uid = s.uid)"
    )
    return cursor.rowcount


def _newest_last(db: sqlite3.Connection, table: str, key: str, columns: str, order: str) -> int:
    """Say the newest row by time once more where a merged one came after it: the last row of a key is what counts."""
    number = NUMBERS[table]
    cursor = db.execute(
        f"INSERT INTO main.{table} ({key}, {columns}) SELECT {key}, {columns} FROM ("
        f"SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY {order}, {number}) AS place, "
        f"count(*) OVER (PARTITION BY {key}) AS n, max({number}) OVER (PARTITION BY {key}) AS newest "
        f"FROM main.{table} WHERE ({key}) IN (SELECT {key} FROM main.{table} JOIN map_{table} ON new = {number} "
        f"WHERE is_new)) WHERE place = n AND {number} <> newest ORDER BY {number}"
    )
    return cursor.rowcount


def adopt_facts(db: sqlite3.Connection) -> int:
    """Bring in what was said of variants; the newest fact by time is what holds, wherever it was said."""
    value = f"CASE WHEN s.field = 'parent' AND s.value <> '' THEN CAST({_parent()} AS TEXT) ELSE s.value END"
    match(
        db,
        "variant_facts",
        f"t.variant_id = {here('variants', 'variant_id')} AND (t.field, t.at) = (s.field, s.at) AND t.value = {value}",
    )
    n = adopt(
        db, "variant_facts", {"variant_id": here("variants", "variant_id"), "field": "", "value": value, "at": ""}
    )
    return n + _newest_last(db, "variant_facts", "variant_id, field", "value, at", "at, value")


def _parent() -> str:
    return "(SELECT new FROM map_variants WHERE old = CAST(s.value AS INTEGER))"


def adopt_choices(db: sqlite3.Connection) -> int:
    """Bring in which judge was chosen to lead; the newest choice by time holds."""
    match(db, "judge_choices", f"t.at = s.at AND t.scorer_id = {here('scorers', 'scorer_id')}")
    n = adopt(db, "judge_choices", {"scorer_id": here("scorers", "scorer_id"), "at": ""})
    last = db.execute(
        "INSERT INTO main.judge_choices (scorer_id, at) SELECT scorer_id, at FROM ("
        "SELECT c.*, identity FROM main.judge_choices c JOIN main.scorers USING (scorer_id) "
        "ORDER BY at DESC, identity DESC, choice_id DESC LIMIT 1) "
        "WHERE choice_id <> (SELECT max(choice_id) FROM main.judge_choices) "
        "AND EXISTS (SELECT 1 FROM map_judge_choices WHERE is_new)"
    )
    return n + last.rowcount


_REPLICATE: Final = (
    "coalesce((SELECT target FROM moved WHERE moved.variant_id = {variant} AND moved.replicate = s.replicate "
    "AND moved.assessment = {assessment}), s.replicate)"
)
_ASSESSMENT: Final = "(SELECT assessment FROM there_prompts p WHERE p.prompt_id = s.prompt_id)"


def match_cells(db: sqlite3.Connection) -> None:
    """Map the cells that the store has: of the same variant, replicate, prompt and parameters."""
    db.execute("DELETE FROM map_cells")
    replicate = _REPLICATE.format(variant=here("variants", "variant_id"), assessment=_ASSESSMENT)
    db.execute(
        "INSERT INTO map_cells SELECT s.cell_id, t.cell_id, 0 FROM there_cells s CROSS JOIN main.cells t "
        f"ON t.variant_id = {here('variants', 'variant_id')} AND t.replicate = {replicate} "
        f"AND t.prompt_id = {here('prompts', 'prompt_id')} AND t.params_hash = s.params_hash"
    )


def adopt_cells(db: sqlite3.Connection) -> int:
    """Bring in cells, plans, and which runs ask them; returns how many rows."""
    variant = here("variants", "variant_id")
    n = adopt(
        db,
        "cells",
        {
            "variant_id": variant,
            "replicate": _REPLICATE.format(variant=variant, assessment=_ASSESSMENT),
            "prompt_id": here("prompts", "prompt_id"),
            "params_hash": "",
        },
    )
    replicate = _REPLICATE.format(variant=variant, assessment="s.assessment")
    same = "(t.assessment, t.preset, t.content_hash) = (s.assessment, s.preset, s.content_hash)"
    match(db, "plans", f"t.variant_id = {variant} AND t.replicate = {replicate} AND {same}")
    plain = ("assessment", "preset", "instrument", "label", "content_hash", "n_cells", "n_slots", "created_at")
    n += adopt(db, "plans", {"variant_id": variant, "replicate": replicate, **dict.fromkeys(plain, "")})
    n += db.execute(
        f"INSERT INTO main.plan_cells SELECT m.new, s.position, {here('cells', 'cell_id')}, s.n_samples "
        "FROM map_plans m JOIN there_plan_cells s ON s.plan_id = m.old WHERE m.is_new ORDER BY 1, 2"
    ).rowcount
    return n + _adopt_run_plans(db)


def _adopt_run_plans(db: sqlite3.Connection) -> int:
    cursor = db.execute(
        f"INSERT INTO main.run_plans SELECT {here('runs', 'run_id')}, {here('plans', 'plan_id')}, since "
        "FROM there_run_plans s WHERE true ON CONFLICT DO UPDATE SET since = excluded.since "
        "WHERE excluded.since > since"
    )
    return cursor.rowcount


_SLOTS: Final = """
INSERT INTO map_replies SELECT s.reply_id, t.reply_id, 0 FROM map_runs r
JOIN there_replies s ON s.run_id = r.old JOIN there_cells c ON c.cell_id = s.cell_id
JOIN map_variants v ON v.old = c.variant_id JOIN map_prompts p ON p.old = c.prompt_id
JOIN held ON held.variant_id = v.new
CROSS JOIN main.cells d ON d.variant_id = v.new AND d.replicate = held.replicate AND d.prompt_id = p.new
     AND d.params_hash = c.params_hash
CROSS JOIN main.replies t ON t.cell_id = d.cell_id AND t.sample = s.sample AND t.round = s.round AND t.chain = s.chain
WHERE NOT r.is_new
"""


def match_replies(db: sqlite3.Connection) -> None:
    """Map the replies that the store has, in whatever replicate: same slot, same hash in the chain of the same run."""
    if not db.execute("SELECT EXISTS (SELECT 1 FROM map_runs WHERE NOT is_new)").fetchone()[0]:
        return
    db.execute("DROP TABLE IF EXISTS temp.held")
    db.execute("CREATE TEMP TABLE held AS SELECT DISTINCT variant_id, replicate FROM main.cells")
    db.execute(_SLOTS)
    db.execute(
        "INSERT OR IGNORE INTO moved SELECT DISTINCT d.variant_id, c.replicate, p.assessment, d.replicate "
        "FROM map_replies m JOIN there_replies s ON s.reply_id = m.old JOIN there_cells c ON c.cell_id = s.cell_id "
        "JOIN there_prompts p ON p.prompt_id = c.prompt_id "
        "JOIN main.replies t ON t.reply_id = m.new JOIN main.cells d ON d.cell_id = t.cell_id "
        "WHERE d.replicate > c.replicate"
    )


def clashes(db: sqlite3.Connection) -> list[Clash]:
    """Where the source holds another reply than the store for the same slot, as the cells are mapped now."""
    rows = db.execute(
        "SELECT d.variant_id, c.replicate, p.assessment, count(*) FROM map_cells m "
        "JOIN there_cells c ON c.cell_id = m.old JOIN there_prompts p ON p.prompt_id = c.prompt_id "
        "JOIN main.cells d ON d.cell_id = m.new JOIN there_replies s ON s.cell_id = m.old "
        "JOIN main.replies t ON t.cell_id = m.new AND t.sample = s.sample AND t.round = s.round "
        "WHERE s.reply_id NOT IN (SELECT old FROM map_replies) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    return [Clash(*row) for row in rows]


def move(db: sqlite3.Connection, found: Sequence[Clash]) -> None:
    """Give what clashes a replicate of its own, later than every one of the variant in either store."""
    latest: dict[int, int] = {}
    targets: dict[tuple[int, int], int] = {}
    for clash in found:
        number = clash.variant_id
        if number not in latest:
            latest[number] = db.execute(
                "SELECT max(replicate) FROM (SELECT replicate FROM main.cells WHERE variant_id = ?1 UNION ALL "
                "SELECT replicate FROM there_cells JOIN map_variants ON old = variant_id WHERE new = ?1)",
                (number,),
            ).fetchone()[0]
        if (number, clash.replicate) not in targets:
            latest[number] += 1
            targets[number, clash.replicate] = latest[number]
        target = targets[number, clash.replicate]
        key = (number, clash.replicate, clash.assessment)
        db.execute("INSERT OR REPLACE INTO moved VALUES (?, ?, ?, ?)", (*key, target))
