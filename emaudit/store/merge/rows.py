"""Replies, verdicts, voids and what happened to runs, brought in with their hash chains as they stand.

Rows keep their distance from each other: here they stand at their number there plus one shift for all of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from emaudit.store.merge.maps import adopt, here, match
from emaudit.store.replies import ReplyRow

_REPLY: Final = tuple(name for name in ReplyRow.__slots__ if name != "cell_id")
_VERDICT: Final = (
    *("part", "attempt", "status", "value", "reason", "raw", "model", "fingerprint", "prompt_tokens"),
    *("completion_tokens", "seq", "at", "chain"),
)

_PAGE: Final = 500
"""Rows that are held in memory at a time."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Rows of one table that came in: the first and the last of their numbers there, and how far they moved."""

    n: int = 0
    first: int = 0
    last: int = -1
    shift: int = 0


def moving(db: sqlite3.Connection, kind: str, number: str) -> Moved:
    """What of a kind is not mapped, and the shift that puts it behind everything that is here."""
    n, first, last = db.execute(
        f"SELECT count(*), min({number}), max({number}) FROM there_{kind} "
        f"WHERE {number} NOT IN (SELECT old FROM map_{kind})"
    ).fetchone()
    if not n:
        return Moved()
    newest = db.execute(f"SELECT coalesce(max({number}), 0) FROM main.{kind}").fetchone()[0]
    return Moved(n, first, last, newest + 1 - first)


def reply_here(shift: int) -> str:
    """The number here of the reply that `s` names, as SQL."""
    return f"coalesce({here('replies', 'reply_id')}, s.reply_id + {shift})"


def replies_to_come(db: sqlite3.Connection) -> Moved:
    """The replies that the store does not have."""
    return moving(db, "replies", "reply_id")


def bring_replies(db: sqlite3.Connection, moved: Moved) -> None:
    """Insert the replies that the store does not have."""
    columns = ", ".join(_REPLY)
    db.execute(
        f"INSERT INTO main.replies (reply_id, cell_id, run_id, seq, chain, {columns}) "
        f"SELECT s.reply_id + {moved.shift}, {here('cells', 'cell_id')}, {here('runs', 'run_id')}, seq, chain, "
        f"{columns} FROM there_replies s WHERE s.reply_id NOT IN (SELECT old FROM map_replies) ORDER BY s.reply_id"
    )


@dataclass(frozen=True, slots=True)
class Doubled:
    """Verdicts of the same judge on the same replies as some that are here: how many, and how many say otherwise."""

    n: int
    n_other: int


_SAME_VERDICT: Final = f"""
FROM map_replies m JOIN there_verdicts s ON s.reply_id = m.old
CROSS JOIN main.verdicts t ON t.reply_id = m.new AND t.scorer_id = {here("scorers", "scorer_id")}
     AND t.part = s.part AND t.attempt = s.attempt
"""


def match_verdicts(db: sqlite3.Connection) -> Doubled:
    """Map the verdicts that the store has; those that say again what another verdict here says are listed apart."""
    db.execute(f"INSERT INTO map_verdicts SELECT s.verdict_id, t.verdict_id, 0 {_SAME_VERDICT} WHERE t.chain = s.chain")
    db.execute("DROP TABLE IF EXISTS temp.doubled")
    db.execute(
        "CREATE TEMP TABLE doubled AS SELECT s.verdict_id AS old, s.status <> t.status OR s.value IS NOT t.value "
        f"AS is_other {_SAME_VERDICT} WHERE t.chain <> s.chain ORDER BY 1"
    )
    db.execute("INSERT INTO map_verdicts SELECT old, 0, 0 FROM doubled")
    db.execute(
        "DELETE FROM doubled WHERE EXISTS (SELECT 1 FROM there_verdicts s JOIN main.verdicts_apart a "
        f"ON a.run_id = {here('runs', 'run_id')} AND a.seq = s.seq AND a.chain = s.chain WHERE s.verdict_id = old)"
    )
    return Doubled(*db.execute("SELECT count(*), coalesce(sum(is_other), 0) FROM doubled").fetchone())


def verdicts_to_come(db: sqlite3.Connection) -> Moved:
    """The verdicts that the store does not have, without those that stay apart."""
    return moving(db, "verdicts", "verdict_id")


def bring_verdicts(db: sqlite3.Connection, moved: Moved, shift: int) -> None:
    """Insert the verdicts that the store does not have; replies moved by `shift`."""
    columns = ", ".join(_VERDICT)
    db.execute(
        f"INSERT INTO main.verdicts (verdict_id, reply_id, scorer_id, run_id, {columns}) "
        f"SELECT s.verdict_id + {moved.shift}, {reply_here(shift)}, {here('scorers', 'scorer_id')}, "
        f"{here('runs', 'run_id')}, {columns} FROM there_verdicts s "
        "WHERE s.verdict_id NOT IN (SELECT old FROM map_verdicts) ORDER BY s.verdict_id"
    )


def bring_apart(db: sqlite3.Connection, shift: int) -> list[tuple[str, int, int]]:
    """Keep verdicts apart that say again what stands here; returns each one's table and number there, and here."""
    columns = ", ".join(_VERDICT)
    wanted = (
        ("verdicts", "verdict_id", "s.verdict_id IN (SELECT old FROM doubled)"),
        (
            *("verdicts_apart", "apart_id"),
            "NOT EXISTS (SELECT 1 FROM main.verdicts_apart a WHERE a.seq = s.seq AND a.chain = s.chain "
            f"AND a.run_id = {here('runs', 'run_id')}) AND NOT EXISTS (SELECT 1 FROM main.verdicts v "
            f"WHERE v.reply_id = {reply_here(shift)} AND v.scorer_id = {here('scorers', 'scorer_id')} "
            "AND v.part = s.part AND v.attempt = s.attempt AND v.chain = s.chain)",
        ),
    )
    found: list[tuple[str, int, int]] = []
    for table, number, condition in wanted:
        page = (
            f"SELECT {number}, {reply_here(shift)}, {here('scorers', 'scorer_id')}, {here('runs', 'run_id')}, "
            f"{columns} FROM there_{table} s WHERE {number} > ? AND {condition} ORDER BY {number} LIMIT {_PAGE}"
        )
        last = 0
        # A statement that is not read to its end would lock the source when an insert fails.
        while rows := db.execute(page, (last,)).fetchall():
            for last, *values in rows:
                cursor = db.execute(
                    f"INSERT INTO main.verdicts_apart (reply_id, scorer_id, run_id, {columns}) "
                    f"VALUES ({'?,' * (len(values) - 1)}?)",
                    values,
                )
                found.append((table, last, int(cursor.lastrowid or 0)))
    return found


def bring_voids(db: sqlite3.Connection, shift: int) -> int:
    """Bring in what was taken out of the count, and why; a reply is voided once."""
    same = "(t.assessment, t.item, t.reason, t.at) = (s.assessment, s.item, s.reason, s.at)"
    match(db, "voids", f"t.variant_id = {here('variants', 'variant_id')} AND {same}")
    counted = (
        f"(SELECT count(*) FROM there_voided d WHERE d.void_id = s.void_id AND NOT EXISTS (SELECT 1 FROM main.voided "
        f"v WHERE v.reply_id = coalesce((SELECT new FROM map_replies WHERE old = d.reply_id), d.reply_id + {shift})))"
    )
    plain = dict.fromkeys(("assessment", "item", "reason", "at"), "")
    n = adopt(db, "voids", {"variant_id": here("variants", "variant_id"), "n_replies": counted, **plain})
    db.execute(
        f"INSERT OR IGNORE INTO main.voided SELECT {reply_here(shift)}, m.new FROM map_voids m "
        "JOIN there_voided s ON s.void_id = m.old WHERE m.is_new ORDER BY 1"
    )
    return n


def bring_history(db: sqlite3.Connection, shift: int) -> int:
    """Bring in what happened to runs, what failed, and their last states; returns how many rows."""
    run, cell = here("runs", "run_id"), here("cells", "cell_id")
    reply = f"CASE WHEN reply_id IS NOT NULL THEN {reply_here(shift)} END"
    n = _bring_missing(db, "run_events", "event_id", {"run_id": run, "kind": "", "detail": "", "at": ""})
    plain = dict.fromkeys(("kind", "message", "at"), "")
    found = {"run_id": run, "cell_id": cell, "sample": "", "reply_id": reply, **plain}
    n += _bring_missing(db, "failures", "failure_id", found, "raw")
    n += db.execute(
        f"INSERT INTO main.run_states SELECT {run}, state, at FROM there_run_states s WHERE true "
        "ON CONFLICT DO UPDATE SET state = excluded.state, at = excluded.at WHERE excluded.at > at"
    ).rowcount
    return n


def _bring_missing(db: sqlite3.Connection, table: str, number: str, columns: Mapping[str, str], *also: str) -> int:
    """Bring in rows that have no id; returns how many. Where some are equal there are as many here as there, or more.

    `columns` tell them apart, with what each is here, empty where it is what it is there; `also` only come along.
    """
    names = ", ".join(columns)
    equal = f"PARTITION BY {names} ORDER BY {number}"
    told = ", ".join(f"ifnull({name}, -1)" for name in columns)
    values = ", ".join(f"{value or f's.{name}'} AS {name}" for name, value in columns.items())
    db.execute("DROP TABLE IF EXISTS temp.missing")
    db.execute(
        f"CREATE TEMP TABLE missing AS SELECT {number} AS old, {names} FROM (SELECT *, row_number() OVER ({equal}) "
        f"AS place FROM (SELECT {number}, {values} FROM there_{table} s)) WHERE ({told}, place) NOT IN ("
        f"SELECT {told}, row_number() OVER ({equal}) FROM main.{table} "
        "WHERE run_id IN (SELECT new FROM map_runs WHERE NOT is_new))"
    )
    every = ", ".join((*(f"m.{name}" for name in columns), *(f"s.{name}" for name in also)))
    cursor = db.execute(
        f"INSERT INTO main.{table} ({', '.join((*columns, *also))}) SELECT {every} FROM temp.missing m "
        f"JOIN there_{table} s ON s.{number} = m.old ORDER BY m.old"
    )
    return cursor.rowcount
