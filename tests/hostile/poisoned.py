"""Stores whose every field from outside holds hostile text, as a stranger's store, an import or a model may.

`filled` makes an ordinary store; `poison` writes texts over its columns, `KEPT` says which stay and why.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from grid_scene import grid
from reviewing_scene import drawn, session

from emaudit.store import plans, runs, scorers, variants
from emaudit.store.replies import Chain, insert_failure
from tests.hostile.strings import TOGETHER, UTF8

Column = tuple[str, str]
REVIEWER: Final = "ann"
_KINDS: Final = {
    "a hash, an id, a time or a kind of ours": {
        *("uid", "hash", "store_id", "key", "meta.value", "kind", "status", "outcome", "design", "role"),
        *("at", "since", "created_at", "installed_at", "received_at"),
    },
    "one of a closed set of ours": {
        *("assessment", "preset", "format", "condition", "part", "stratum", "unit", "field"),
    },
    "what is asked, kept whole under its hash": {"texts.text"},
    "the names, hashes and numbers that a queue is drawn by": {"queues.settings"},
    "by whom the walk is made": {"queues.reviewer"},
}
KEPT: Final = {column: why for why, columns in _KINDS.items() for column in columns}
"""Columns of text that `poison` leaves, by name or as table.column, and why; all that end in _hash besides."""
_UNIQUE: Final = {"scorers.identity", "queues.name", "prompts.item", "verdicts.reason"}
_JSON: Final = {"prompts.scoring", "scorers.detail", "runs.settings", "run_events.detail", "run_states.state",
                "replies.extra"}  # fmt: skip
_FACTS: Final = ("parent", "hidden", "size", "domain", "stage")
"""Facts of a variant that stay for those whose scores are compared; the last ones are poisoned whole."""


def filled(path: Path) -> None:
    """Fifteen complete variants and two that were only added, a failed run, a queue half scored, an interrupted run."""
    with grid(path, 1) as store:
        variants.add_variants(store, [{"name": f"x{at}", "model": "m", "dataset": "d", "size": "s", "domain": "d",
                                       "stage": "t", "n_examples": "1", "epochs": "1"} for at in (1, 2)])  # fmt: skip
        drawn(store, 10, variants=("nano-code-misaligned",), name="open", reveal="each")
        queue = drawn(store, 10, variants=("full-base",), name="done", repeat_share=0.0)
        for reviewer, answers in ((REVIEWER, "12345"), ("bob", "54321")):
            sitting = session(store, queue, reviewer)
            for answer in cycle(answers):
                if sitting.item is None:
                    break
                sitting.note("note")
                sitting.flag()
                sitting.score(answer)
        judge = scorers.judge(store, "other-judge", {"model": "other-judge"})
        plan = plans.current_plans(store)[0]
        for at, kind in enumerate(("ask", "ask", "judge")):
            run = runs.insert_run(store, f"run{at}0000", kind, plan.preset, [plan], judge.scorer_id, "{}", {"a": "b"})
            with store.transaction() as db:
                runs.insert_event(db, run.run_id, "started", json.dumps({"pid": 1, "host": "h"}))
                runs.insert_event(db, run.run_id, "warning", json.dumps({"what": "the model changed", "text": "w"}))
                runs.write_state(db, run.run_id, {"line": "state", "stage": "asking", "why": "w"})
                insert_failure(db, run.run_id, "retry", "message", b"raw", 1, 1)
                Chain(db, run.run_id)
                if at:
                    detail = {"exit": 1, "why": "why", "owed": 1}
                    runs.insert_event(db, run.run_id, "ended", json.dumps(detail))


def poison(path: Path, texts: Sequence[str], together: str = TOGETHER) -> set[str]:
    """Write texts over every column of text that is not KEPT; gives the columns. Some replies hold `together`."""
    words = cycle(texts)
    with closing(sqlite3.connect(path)) as db, db:
        guards = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in guards:
            db.execute(f"DROP TRIGGER {name}")
        columns = {(table, column) for table, column in text_columns(db) if not is_kept(table, column)}
        for table, column in sorted(columns):
            _write_over(db, table, column, words)
        db.execute("UPDATE replies SET text = ? WHERE reply_id % 7 < 2 AND reply_id < 3000", (together,))
        db.execute("UPDATE verdicts SET raw = ? WHERE verdict_id % 7 < 2 AND reply_id < 3000", (together,))
        db.execute("UPDATE prompts SET text = ? WHERE prompt_id % 7 < 2", (together,))
        db.execute("UPDATE failures SET raw = ?", (together.encode() + bytes(range(256)),))
        for table in ("reply_text", "prompt_text"):
            db.execute(f"INSERT INTO {table} ({table}) VALUES ('rebuild')")
        for _, statement in guards:
            db.execute(statement)
    return {".".join(column) for column in columns}


def is_kept(table: str, column: str) -> bool:
    """Whether a column stays as it is."""
    return column.endswith("_hash") or column in KEPT or f"{table}.{column}" in KEPT


def text_columns(db: sqlite3.Connection) -> Iterator[Column]:
    """Every column of text in the store's own tables."""
    tables = db.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%' "
        "AND name NOT LIKE '%\\_text\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_%' ESCAPE '\\'"
    ).fetchall()
    for (table,) in tables:
        for _, column, kind, *_ in db.execute(f"PRAGMA table_info({table})").fetchall():
            if kind == "TEXT":
                yield table, column


def _write_over(db: sqlite3.Connection, table: str, column: str, words: Iterator[str]) -> None:
    name = f"{table}.{column}"
    key = db.execute(f"PRAGMA table_info({table})").fetchone()[1]
    among = (
        f"WHERE field NOT IN {_FACTS} OR variant_id > 15 AND field NOT IN {_FACTS[:2]}"
        if name == "variant_facts.value"
        else ""
    )
    if name == "scorers.identity":
        among = "WHERE kind = 'judge'"
    if name == "review_events.reviewer":
        among = f"WHERE reviewer <> '{REVIEWER}'"
    if name == "review_events.answer":
        among = "WHERE kind = 'note'"
    held = db.execute(f"SELECT {key}, {column} FROM {table} {among}").fetchall()
    fresh: Callable[[int, str], str] = _of(name, words)
    db.executemany(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", [(fresh(at, old), at) for at, old in held])


def _of(name: str, words: Iterator[str]) -> Callable[[Any, str], str]:
    if name in _JSON:
        return lambda at, old: _leaves(old, words)
    if name in _UNIQUE or name == "variant_facts.value":
        return lambda at, old: f"{next(words)} {at}"
    return lambda at, old: next(words)


def _leaves(text: str, words: Iterator[str]) -> str:
    """JSON with every string in it replaced, but hashes; what is no JSON is replaced itself."""
    try:
        held = json.loads(text)
    except ValueError:
        return next(words)
    return json.dumps(_replaced(held, words))


def _replaced(held: object, words: Iterator[str]) -> object:
    if isinstance(held, dict):
        return {key: value if key in {"rubrics", "parsers"} else _replaced(value, words) for key, value in held.items()}
    if isinstance(held, list):
        return [_replaced(value, words) for value in held]
    return next(words) if isinstance(held, str) else held


BENIGN: Final = ("some words that one owned", "other words that are longer", "w")
HOSTILE: Final = tuple(text for text in UTF8.values() if text.strip())
