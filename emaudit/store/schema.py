"""The tables of a store, as numbered migrations, each applied in one transaction.

Owns every CREATE statement. A released migration never changes; a new one is appended.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import sqlite_utils

APPLICATION_ID: Final = 0x656D6175
"""`emau`, in the header of every store."""

_TABLES: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE texts (hash TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE variants (
    variant_id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL
) STRICT;
CREATE TABLE variant_facts (
    fact_id INTEGER PRIMARY KEY, variant_id INTEGER NOT NULL REFERENCES variants,
    field TEXT NOT NULL, value TEXT NOT NULL, at TEXT NOT NULL
) STRICT;
CREATE INDEX variant_facts_current ON variant_facts (variant_id, field, fact_id);

CREATE TABLE instruments (
    instrument_id INTEGER PRIMARY KEY, key TEXT NOT NULL, name TEXT NOT NULL, label TEXT NOT NULL,
    content_hash TEXT NOT NULL REFERENCES texts, installed_at TEXT NOT NULL
) STRICT;

CREATE TABLE prompts (
    prompt_id INTEGER PRIMARY KEY, assessment TEXT NOT NULL, item TEXT NOT NULL, part TEXT NOT NULL,
    format TEXT NOT NULL, condition TEXT NOT NULL, hash TEXT NOT NULL, text TEXT NOT NULL, scoring TEXT NOT NULL,
    UNIQUE (assessment, item, format, condition, hash)
) STRICT;
CREATE TABLE cells (
    cell_id INTEGER PRIMARY KEY, variant_id INTEGER NOT NULL REFERENCES variants, replicate INTEGER NOT NULL,
    prompt_id INTEGER NOT NULL REFERENCES prompts, params_hash TEXT NOT NULL REFERENCES texts,
    UNIQUE (variant_id, replicate, prompt_id, params_hash)
) STRICT;
CREATE TABLE plans (
    plan_id INTEGER PRIMARY KEY, variant_id INTEGER NOT NULL REFERENCES variants, replicate INTEGER NOT NULL,
    assessment TEXT NOT NULL, preset TEXT NOT NULL, instrument TEXT NOT NULL, label TEXT NOT NULL,
    content_hash TEXT NOT NULL, n_cells INTEGER NOT NULL, n_slots INTEGER NOT NULL, created_at TEXT NOT NULL,
    UNIQUE (variant_id, replicate, assessment, preset, content_hash)
) STRICT;
CREATE TABLE plan_cells (
    plan_id INTEGER NOT NULL REFERENCES plans, position INTEGER NOT NULL,
    cell_id INTEGER NOT NULL REFERENCES cells, n_samples INTEGER NOT NULL,
    PRIMARY KEY (plan_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX plan_cells_by_cell ON plan_cells (cell_id, plan_id, n_samples);

CREATE TABLE scorers (
    scorer_id INTEGER PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('parser', 'judge', 'human', 'imported')),
    identity TEXT NOT NULL UNIQUE, detail TEXT NOT NULL, created_at TEXT NOT NULL
) STRICT;
CREATE TABLE judge_choices (
    choice_id INTEGER PRIMARY KEY, scorer_id INTEGER NOT NULL REFERENCES scorers, at TEXT NOT NULL
) STRICT;

CREATE TABLE runs (
    run_id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, preset TEXT NOT NULL,
    judge_id INTEGER REFERENCES scorers, protocol_hash TEXT NOT NULL REFERENCES texts, settings TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE TABLE run_plans (
    run_id INTEGER NOT NULL REFERENCES runs, plan_id INTEGER NOT NULL REFERENCES plans, since TEXT NOT NULL,
    PRIMARY KEY (run_id, plan_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE run_events (
    event_id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES runs, kind TEXT NOT NULL,
    detail TEXT NOT NULL, at TEXT NOT NULL
) STRICT;
CREATE INDEX run_events_by_run ON run_events (run_id, event_id);
CREATE TABLE run_states (
    run_id INTEGER PRIMARY KEY REFERENCES runs, state TEXT NOT NULL, at TEXT NOT NULL
) STRICT;

CREATE TABLE replies (
    reply_id INTEGER PRIMARY KEY, cell_id INTEGER NOT NULL REFERENCES cells, sample INTEGER NOT NULL,
    round INTEGER NOT NULL, run_id INTEGER NOT NULL REFERENCES runs, seq INTEGER NOT NULL,
    outcome TEXT NOT NULL, text TEXT NOT NULL, finish_reason TEXT NOT NULL, refusal TEXT NOT NULL,
    extra TEXT NOT NULL, model TEXT NOT NULL, fingerprint TEXT NOT NULL,
    prompt_tokens INTEGER, completion_tokens INTEGER, seed INTEGER, attempt INTEGER NOT NULL,
    endpoint_url TEXT NOT NULL, received_at TEXT NOT NULL, chain BLOB NOT NULL,
    UNIQUE (cell_id, sample, round)
) STRICT;
CREATE TABLE voids (
    void_id INTEGER PRIMARY KEY, variant_id INTEGER NOT NULL REFERENCES variants, assessment TEXT NOT NULL,
    item TEXT NOT NULL, reason TEXT NOT NULL, n_replies INTEGER NOT NULL, at TEXT NOT NULL
) STRICT;
CREATE TABLE voided (
    reply_id INTEGER PRIMARY KEY REFERENCES replies, void_id INTEGER NOT NULL REFERENCES voids
) STRICT;
CREATE TABLE verdicts (
    verdict_id INTEGER PRIMARY KEY, reply_id INTEGER NOT NULL REFERENCES replies,
    scorer_id INTEGER NOT NULL REFERENCES scorers, part TEXT NOT NULL, attempt INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('scored', 'neutral', 'unscored', 'referred', 'retry')),
    value REAL CHECK ((value IS NULL) = (status NOT IN ('scored', 'neutral'))),
    reason TEXT NOT NULL, raw TEXT NOT NULL, model TEXT NOT NULL, fingerprint TEXT NOT NULL,
    prompt_tokens INTEGER, completion_tokens INTEGER,
    run_id INTEGER NOT NULL REFERENCES runs, seq INTEGER NOT NULL, at TEXT NOT NULL, chain BLOB NOT NULL,
    UNIQUE (reply_id, scorer_id, part, attempt)
) STRICT;
CREATE TABLE failures (
    failure_id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES runs, cell_id INTEGER, sample INTEGER,
    reply_id INTEGER, kind TEXT NOT NULL, message TEXT NOT NULL, raw BLOB NOT NULL, at TEXT NOT NULL
) STRICT;
CREATE INDEX failures_by_run ON failures (run_id);

CREATE VIRTUAL TABLE reply_text USING fts5 (text, content='replies', content_rowid='reply_id');
CREATE TRIGGER reply_indexed AFTER INSERT ON replies BEGIN
    INSERT INTO reply_text (rowid, text) VALUES (new.reply_id, new.text);
END;
CREATE VIRTUAL TABLE prompt_text USING fts5 (text, content='prompts', content_rowid='prompt_id');
CREATE TRIGGER prompt_indexed AFTER INSERT ON prompts BEGIN
    INSERT INTO prompt_text (rowid, text) VALUES (new.prompt_id, new.text);
END;
"""

_APPEND_ONLY: Final = ("texts", "variant_facts", "prompts", "replies", "verdicts", "voids", "voided", "run_events")

_REVIEWS: Final = """
CREATE INDEX verdicts_by_score ON verdicts (scorer_id, status, value, reply_id);
CREATE INDEX replies_by_outcome ON replies (outcome) WHERE outcome <> 'ok';
CREATE VIRTUAL TABLE verdict_text USING fts5 (text, content='');
CREATE TRIGGER verdict_indexed AFTER INSERT ON verdicts
    WHEN new.raw GLOB '*[A-Za-z] [A-Za-z]*' OR new.raw GLOB '*[^ -~]*' BEGIN
    INSERT INTO verdict_text (rowid, text) VALUES (new.verdict_id, new.raw);
END;
INSERT INTO verdict_text (rowid, text)
    SELECT verdict_id, raw FROM verdicts WHERE raw GLOB '*[A-Za-z] [A-Za-z]*' OR raw GLOB '*[^ -~]*';

CREATE TABLE queues (
    queue_id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE, assessment TEXT NOT NULL,
    preset TEXT NOT NULL, judge_id INTEGER NOT NULL REFERENCES scorers, rubric_hash TEXT NOT NULL,
    design TEXT NOT NULL CHECK (design IN ('stratified', 'simple', 'prompts')), n_planned INTEGER NOT NULL,
    n_frame INTEGER NOT NULL, frame_hash TEXT NOT NULL, seed INTEGER NOT NULL, reviewer TEXT NOT NULL,
    settings TEXT NOT NULL, created_at TEXT NOT NULL
) STRICT;
CREATE TABLE queue_strata (
    queue_id INTEGER NOT NULL REFERENCES queues, stratum TEXT NOT NULL,
    variant_id INTEGER NOT NULL REFERENCES variants, judge_value REAL,
    n_frame INTEGER NOT NULL, n_drawn INTEGER NOT NULL,
    PRIMARY KEY (queue_id, stratum)
) STRICT, WITHOUT ROWID;
CREATE TABLE queue_items (
    queue_id INTEGER NOT NULL REFERENCES queues, position INTEGER NOT NULL,
    reply_id INTEGER NOT NULL REFERENCES replies, stratum TEXT NOT NULL, unit TEXT NOT NULL,
    probability REAL NOT NULL, block INTEGER NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('main', 'repeat')), is_doubled INTEGER NOT NULL,
    PRIMARY KEY (queue_id, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE review_events (
    event_id INTEGER PRIMARY KEY, queue_id INTEGER REFERENCES queues, position INTEGER,
    reply_id INTEGER REFERENCES replies, reviewer TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('score', 'cannot_tell', 'defer', 'undo', 'flag', 'note', 'reveal', 'seen',
                                       'star', 'cause', 'adjudicate', 'stop')),
    answer TEXT NOT NULL, value REAL, reason TEXT NOT NULL, undoes INTEGER REFERENCES review_events,
    seconds REAL, is_blind INTEGER NOT NULL, rubric_hash TEXT NOT NULL, judge TEXT NOT NULL, seed INTEGER,
    version TEXT NOT NULL, at TEXT NOT NULL, seq INTEGER NOT NULL, chain BLOB NOT NULL
) STRICT;
CREATE INDEX review_events_by_queue ON review_events (queue_id, seq);
CREATE INDEX review_events_by_reply ON review_events (reply_id, kind);
CREATE INDEX review_events_by_undone ON review_events (undoes) WHERE undoes IS NOT NULL;
"""

_APPEND_ONLY_REVIEWS: Final = ("queues", "queue_strata", "queue_items", "review_events")

_MERGES: Final = """
CREATE TABLE merges (merge_id INTEGER PRIMARY KEY, store_id TEXT NOT NULL, at TEXT NOT NULL) STRICT;
CREATE TABLE merged_rows (
    kind TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, merge_id INTEGER NOT NULL REFERENCES merges,
    PRIMARY KEY (kind, first)
) STRICT, WITHOUT ROWID;
CREATE TABLE merged_numbers (
    merge_id INTEGER NOT NULL REFERENCES merges, kind TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    shift INTEGER NOT NULL, PRIMARY KEY (merge_id, kind, first)
) STRICT, WITHOUT ROWID;
CREATE TABLE variant_uids (uid TEXT PRIMARY KEY, variant_id INTEGER NOT NULL REFERENCES variants) STRICT, WITHOUT ROWID;
CREATE TABLE verdicts_apart (
    apart_id INTEGER PRIMARY KEY, reply_id INTEGER NOT NULL REFERENCES replies,
    scorer_id INTEGER NOT NULL REFERENCES scorers, part TEXT NOT NULL, attempt INTEGER NOT NULL,
    status TEXT NOT NULL, value REAL, reason TEXT NOT NULL, raw TEXT NOT NULL, model TEXT NOT NULL,
    fingerprint TEXT NOT NULL, prompt_tokens INTEGER, completion_tokens INTEGER,
    run_id INTEGER NOT NULL REFERENCES runs, seq INTEGER NOT NULL, at TEXT NOT NULL, chain BLOB NOT NULL
) STRICT;
CREATE INDEX verdicts_apart_by_run ON verdicts_apart (run_id, seq);
"""

_APPEND_ONLY_MERGES: Final = ("merges", "merged_rows", "merged_numbers", "variant_uids", "verdicts_apart")

_GUARDED: Final = (*_APPEND_ONLY, *_APPEND_ONLY_REVIEWS, *_APPEND_ONLY_MERGES)


def _append_only_triggers(tables: Iterable[str]) -> str:
    return "".join(f"{statement};\n" for table in tables for _, statement in _guards(table))


def _guards(table: str) -> Iterator[tuple[str, str]]:
    for verb in ("UPDATE", "DELETE"):
        name = f"{table}_no_{verb}"
        yield (
            name,
            (
                f"CREATE TRIGGER {name} BEFORE {verb} ON {table} BEGIN "
                f"SELECT RAISE(ABORT, '{table} is append-only'); END"
            ),
        )


def guards() -> dict[str, str]:
    """The triggers that keep rows from being changed or removed: name -> statement, as SQLite keeps it."""
    return dict(guard for table in _GUARDED for guard in _guards(table))


def _first(db: sqlite3.Connection) -> None:
    for statement in _statements(_TABLES + _append_only_triggers(_APPEND_ONLY)):
        db.execute(statement)
    db.execute("INSERT INTO meta VALUES ('store_id', ?)", (secrets.token_hex(8),))
    db.execute("INSERT INTO meta VALUES ('created_at', ?)", (datetime.now(UTC).isoformat(timespec="seconds"),))


def _statements(script: str) -> list[str]:
    """Split a script at statement ends, as SQLite sees them, so that all of it runs in one transaction."""
    statements: list[str] = []
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if pending.strip() and sqlite3.complete_statement(pending):
            statements.append(pending)
            pending = ""
    return statements


_SHAPES: Final = (
    ("verdicts", "verdicts_by_score", "1000000 250000 50000 10000 1"),
    ("verdicts", "sqlite_autoindex_verdicts_1", "1000000 2 1 1 1"),
)
"""Rows an index finds per leading columns: unless told, SQLite takes all verdicts of a judge for ten rows."""


def _reviews(db: sqlite3.Connection) -> None:
    for statement in _statements(_REVIEWS + _append_only_triggers(_APPEND_ONLY_REVIEWS)):
        db.execute(statement)
    db.execute("ANALYZE sqlite_master")
    db.executemany("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", _SHAPES)


def _merges(db: sqlite3.Connection) -> None:
    for statement in _statements(_MERGES + _append_only_triggers(_APPEND_ONLY_MERGES)):
        db.execute(statement)


MIGRATIONS: Final = (_first, _reviews, _merges)
SCHEMA_VERSION: Final = len(MIGRATIONS)
"""`user_version` of a store this emaudit can write."""


def _step(migrate: Callable[[sqlite3.Connection], None], number: int) -> Callable[[Any], None]:
    def step(database: sqlite_utils.Database, /) -> None:
        migrate(database.conn)
        database.conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.conn.execute(f"PRAGMA user_version = {number}")

    return step


def apply_migrations(db: sqlite3.Connection, version: int) -> None:
    """Bring a connection from schema `version` to the newest, each step and its record in one transaction."""
    import sqlite_utils
    from sqlite_utils.migrations import Migrations

    migrations = Migrations("emaudit")
    for number, migrate in enumerate(MIGRATIONS, 1):
        migrations(name=f"{number:03d}{migrate.__name__}")(_step(migrate, number))
    migrations.apply(sqlite_utils.Database(db))
