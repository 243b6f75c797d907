"""What replies are named by: texts, variants with their facts, instruments, prompts, judges and runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from emaudit.store.merge.maps import adopt, here, match, newest_last

_NEWEST_INSTRUMENT: Final = "installed_at DESC, content_hash DESC"


def adopt_names(db: sqlite3.Connection) -> int:
    """Bring in texts, variants (without their facts), instruments, prompts, scorers and runs; returns how many rows."""
    n = db.execute("INSERT OR IGNORE INTO main.texts SELECT * FROM there_texts").rowcount
    n += adopt(db, "variants", {"uid": "", "created_at": ""})
    n += _adopt_uids(db)
    match(db, "instruments", "(t.key, t.content_hash, t.installed_at) = (s.key, s.content_hash, s.installed_at)")
    n += adopt(db, "instruments", dict.fromkeys(("key", "name", "label", "content_hash", "installed_at"), ""))
    n += newest_last(db, "instruments", "key", "name, label, content_hash, installed_at", _NEWEST_INSTRUMENT)
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


def adopt_facts(db: sqlite3.Connection) -> int:
    """Bring in what was said of variants; of what each store said last, the newest by time holds."""
    value = f"CASE WHEN s.field = 'parent' AND s.value <> '' THEN CAST({_parent()} AS TEXT) ELSE s.value END"
    match(
        db,
        "variant_facts",
        f"t.variant_id = {here('variants', 'variant_id')} AND (t.field, t.at) = (s.field, s.at) AND t.value = {value}",
    )
    n = adopt(
        db, "variant_facts", {"variant_id": here("variants", "variant_id"), "field": "", "value": value, "at": ""}
    )
    return n + newest_last(db, "variant_facts", "variant_id, field", "value, at", "at DESC, value DESC")


def _parent() -> str:
    return "(SELECT new FROM map_variants WHERE old = CAST(s.value AS INTEGER))"


def adopt_choices(db: sqlite3.Connection) -> int:
    """Bring in which judge was chosen to lead; of what each store chose last, the newest by time holds."""
    match(db, "judge_choices", f"t.at = s.at AND t.scorer_id = {here('scorers', 'scorer_id')}")
    n = adopt(db, "judge_choices", {"scorer_id": here("scorers", "scorer_id"), "at": ""})
    identity = "(SELECT identity FROM main.scorers c WHERE c.scorer_id = lasting.scorer_id)"
    return n + newest_last(db, "judge_choices", "", "scorer_id, at", f"at DESC, {identity} DESC")
