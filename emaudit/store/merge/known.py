"""The variants of a store and of one attached beside it, by every id and name that they go by. Reads only."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """A variant as one of two stores has it: every id it goes by, and its facts, the parent by name."""

    variant_id: int
    uids: frozenset[str]
    facts: Mapping[str, str]

    @property
    def name(self) -> str:
        """Its name now."""
        return self.facts["name"]


def known(db: sqlite3.Connection, source: str = "main") -> list[Known]:
    """The variants of the store, or of an attached one, hidden ones too."""
    rows = db.execute(
        f"SELECT v.variant_id, v.uid, f.field, f.value FROM {source}.variants v "
        f"JOIN {source}.variant_facts f USING (variant_id) WHERE f.fact_id IN "
        f"(SELECT max(fact_id) FROM {source}.variant_facts GROUP BY variant_id, field) ORDER BY 1"
    )
    found: dict[int, tuple[set[str], dict[str, str]]] = {}
    for variant_id, uid, field, value in rows:
        found.setdefault(variant_id, ({uid}, {}))[1][field] = value
    for uid, variant_id in db.execute(f"SELECT uid, variant_id FROM {source}.variant_uids"):
        found[variant_id][0].add(uid)
    names = {str(number): facts["name"] for number, (_, facts) in found.items()}
    for _, facts in found.values():
        facts["parent"] = names.get(facts.get("parent", ""), "")
    return [Known(number, frozenset(uids), facts) for number, (uids, facts) in found.items()]
