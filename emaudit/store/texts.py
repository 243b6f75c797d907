"""Content-addressed texts: pinned protocols, parameters, installed instruments."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from emaudit.prompts import Instrument
from emaudit.store.connection import Store


def now() -> str:
    """This moment, ISO-8601 in UTC, to the millisecond."""
    moment = time.time_ns() // 1_000_000
    return f"{_second(moment // 1000)}.{moment % 1000:03d}Z"


@lru_cache(maxsize=1)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().removesuffix("+00:00")


def text_hash(text: str) -> str:
    """SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def put_text(db: sqlite3.Connection, text: str) -> str:
    """Keep a text under its hash, inside an open transaction; the same text twice is kept once."""
    digest = text_hash(text)
    db.execute("INSERT OR IGNORE INTO texts VALUES (?, ?)", (digest, text))
    return digest


def get_text(store: Store, digest: str) -> str:
    """The text with a hash. Raises KeyError where there is none."""
    row = store.db.execute("SELECT text FROM texts WHERE hash = ?", (digest,)).fetchone()
    if row is None:
        raise KeyError(digest)
    return str(row[0])


def install_instrument(store: Store, key: str, instrument: Instrument) -> None:
    """Keep an instrument in the store; the newest of a key is used from then on."""
    import sqlite_utils

    from emaudit.store.jsontext import dumps

    with store.transaction() as db:
        digest = put_text(db, dumps(instrument.content))
        sqlite_utils.Database(db).table("instruments").insert(
            {
                "key": key,
                "name": instrument.name,
                "label": instrument.label,
                "content_hash": digest,
                "installed_at": now(),
            }
        )


def installed_instruments(store: Store) -> Sequence[tuple[str, Instrument]]:
    """The newest installed instrument of each key, with its key."""
    import json

    rows = store.db.execute(
        "SELECT key, name, label, text FROM instruments JOIN texts ON hash = content_hash "
        "WHERE instrument_id IN (SELECT max(instrument_id) FROM instruments GROUP BY key) ORDER BY key"
    )
    return [(key, Instrument(key, name, label, json.loads(text))) for key, name, label, text in rows]
