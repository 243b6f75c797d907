"""Variants in the store: each field's newest fact is its value; the older ones stay."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace

from emaudit.errors import UsageError
from emaudit.store.connection import Store
from emaudit.store.texts import now
from emaudit.variants import FIELDS, SETTABLE, Variant, check_key_variable, check_lineage, check_name

_CURRENT = """
SELECT v.variant_id, v.uid, f.field, f.value FROM variants v JOIN variant_facts f USING (variant_id)
WHERE f.fact_id IN (SELECT max(fact_id) FROM variant_facts GROUP BY variant_id, field)
ORDER BY v.variant_id
"""


def variants(store: Store, hidden: bool = False) -> list[Variant]:
    """All variants in the order they were added; hidden ones only when asked for."""
    found: dict[int, tuple[str, dict[str, str]]] = {}
    for variant_id, uid, field, value in store.db.execute(_CURRENT):
        found.setdefault(variant_id, (uid, {}))[1][field] = value
    rows = [Variant(variant_id, uid, **facts) for variant_id, (uid, facts) in found.items()]
    parents = {str(row.variant_id): row.name for row in rows}
    named = [_with_parent_name(row, parents) for row in rows]
    return [row for row in named if hidden or not row.hidden]


def _with_parent_name(row: Variant, names: Mapping[str, str]) -> Variant:
    return replace(row, parent=names.get(row.parent, ""))


def variant(store: Store, name: str) -> Variant:
    """A variant by its name, hidden or not. Raises UsageError listing the known ones."""
    rows = variants(store, hidden=True)
    for row in rows:
        if row.name == name:
            return row
    known = ", ".join(row.name for row in rows) or "none yet: `emaudit variant add` adds one"
    raise UsageError(f"no variant {name!r}; known: {known}")


def add_variants(store: Store, rows: Sequence[Mapping[str, str]]) -> list[Variant]:
    """Add variants (each with `name` and `model`), all or none. A parent may stand later in the same list.

    Raises UsageError for a name that is taken, an unknown field or parent, or a cycle.
    """
    held = variants(store, hidden=True)
    names = {row.name for row in held}
    for row in rows:
        unknown = set(row) - set(FIELDS)
        if unknown:
            raise UsageError(f"no field {sorted(unknown)[0]!r}; known: {', '.join(FIELDS)}")
        if not row.get("model"):
            raise UsageError(f"variant {row.get('name', '')!r} has no model")
        check_key_variable(row.get("api_key_env", ""))
        if check_name(row.get("name", "")) in names:
            raise UsageError(f"variant {row['name']!r} exists already: choose another name, or `variant set` it")
        names.add(row["name"])
    parents = {row.name: row.parent for row in held} | {row["name"]: row.get("parent", "") for row in rows}
    check_lineage(parents)
    with store.transaction() as db:
        ids = {row.name: row.variant_id for row in held}
        for row in rows:
            cursor = db.execute("INSERT INTO variants (uid, created_at) VALUES (?, ?)", (secrets.token_hex(8), now()))
            ids[row["name"]] = int(cursor.lastrowid or 0)
        for row in rows:
            facts = {**row, "parent": str(ids[row["parent"]]) if row.get("parent") else ""}
            _insert_facts(db, ids[row["name"]], facts)
    return [row for row in variants(store, hidden=True) if row.name in {new["name"] for new in rows}]


def set_fields(store: Store, name: str, facts: Mapping[str, str]) -> Variant:
    """Set fields of a variant; the earlier values stay in the store.

    Raises UsageError, also for another model once replies of the present one are stored.
    """
    held = variant(store, name)
    for field in facts:
        if field not in SETTABLE:
            raise UsageError(f"no field {field!r} to set; known: {', '.join(SETTABLE)}")
    check_key_variable(facts.get("api_key_env", ""))
    stored = dict(facts)
    if "model" in facts and not facts["model"]:
        raise UsageError("a variant needs a model")
    if "parent" in facts:
        everyone = variants(store, hidden=True)
        check_lineage({row.name: row.parent for row in everyone} | {name: facts["parent"]})
        ids = {row.name: str(row.variant_id) for row in everyone}
        stored["parent"] = ids[facts["parent"]] if facts["parent"] else ""
    with store.transaction() as db:
        if facts.get("model", held.model) != held.model and _has_replies(db, held.variant_id):
            raise UsageError(
                f"{name!r} has replies of {held.model!r}, which would count for {facts['model']!r}: "
                "add a new variant for another model (`emaudit variant add`)"
            )
        _insert_facts(db, held.variant_id, stored)
    return variant(store, name)


def rename(store: Store, old: str, new: str) -> None:
    """Give a variant another name; replies stay its own. Raises UsageError where the name is taken."""
    held = variant(store, old)
    if any(row.name == check_name(new) for row in variants(store, hidden=True)):
        raise UsageError(f"variant {new!r} exists already")
    with store.transaction() as db:
        _insert_facts(db, held.variant_id, {"name": new})


def hide(store: Store, name: str, hidden: bool = True) -> None:
    """Hide a variant from listings, tables and statistics, or show it again; nothing of it is deleted."""
    held = variant(store, name)
    with store.transaction() as db:
        _insert_facts(db, held.variant_id, {"hidden": "1" if hidden else ""})


def _has_replies(db: sqlite3.Connection, variant_id: int) -> bool:
    """Whether any reply of a variant counts; voided ones do not."""
    row = db.execute(
        "SELECT EXISTS (SELECT 1 FROM cells c JOIN replies r ON r.cell_id = c.cell_id WHERE c.variant_id = ? "
        "AND NOT EXISTS (SELECT 1 FROM voided WHERE voided.reply_id = r.reply_id))",
        (variant_id,),
    ).fetchone()
    return bool(row[0])


def _insert_facts(db: sqlite3.Connection, variant_id: int, facts: Mapping[str, str]) -> None:
    db.executemany(
        "INSERT INTO variant_facts (variant_id, field, value, at) VALUES (?, ?, ?, ?)",
        [(variant_id, field, value, now()) for field, value in facts.items()],
    )
