"""Scorers: who gave a verdict. A parser is known by its version, a judge by model, endpoint, parameters and rubric."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from emaudit.errors import UsageError
from emaudit.prompts import content_hash
from emaudit.store.connection import Store
from emaudit.store.jsontext import dumps
from emaudit.store.texts import now


@dataclass(frozen=True, slots=True)
class Scorer:
    """One scorer. `identity` is `parser:KEY@VERSION`, `model@8hex`, `imported:NAME` or `human:NAME`."""

    scorer_id: int
    kind: str
    identity: str
    detail: Mapping[str, object]


def scorer(store: Store, kind: str, identity: str, detail: Mapping[str, object]) -> Scorer:
    """The scorer with an identity, stored if it is new."""
    row = store.db.execute("SELECT scorer_id FROM scorers WHERE identity = ?", (identity,)).fetchone()
    if row is None:
        with store.transaction() as db:
            db.execute(
                "INSERT INTO scorers (kind, identity, detail, created_at) VALUES (?,?,?,?)",
                (kind, identity, dumps(detail), now()),
            )
    return by_identity(store, identity)


def judge(store: Store, model: str, detail: Mapping[str, object]) -> Scorer:
    """The judge with a model, endpoint name, parameters, rubrics and parser version; stored if it is new."""
    return scorer(store, "judge", f"{model}@{content_hash(detail)[:8]}", detail)


def scorers(store: Store, kind: str) -> list[Scorer]:
    """All scorers of a kind, in the order they came."""
    rows = store.db.execute("SELECT scorer_id, kind, identity, detail FROM scorers WHERE kind = ? ORDER BY 1", (kind,))
    return [Scorer(row[0], row[1], row[2], json.loads(row[3])) for row in rows]


_JUDGING = ("judge", "imported", "human")
"""The kinds of scorer that can be chosen as a judge."""


def by_identity(store: Store, identity: str) -> Scorer:
    """A scorer by its identity. Raises UsageError listing the known judges."""
    row = store.db.execute(
        "SELECT scorer_id, kind, identity, detail FROM scorers WHERE identity = ?", (identity,)
    ).fetchone()
    if row is None:
        known = ", ".join(found.identity for kind in _JUDGING for found in scorers(store, kind)) or "none yet"
        raise UsageError(f"no judge {identity!r}; known: {known}")
    return Scorer(row[0], row[1], row[2], json.loads(row[3]))


def by_id(store: Store, scorer_id: int) -> Scorer:
    """A scorer by its number. Raises KeyError."""
    row = store.db.execute("SELECT identity FROM scorers WHERE scorer_id = ?", (scorer_id,)).fetchone()
    if row is None:
        raise KeyError(scorer_id)
    return by_identity(store, row[0])


def active_judge(store: Store) -> Scorer | None:
    """The judge that tables use: the one chosen last, else the one with the store's first verdict; None before any."""
    row = store.db.execute("SELECT scorer_id FROM judge_choices ORDER BY choice_id DESC LIMIT 1").fetchone()
    if row is None:
        row = _first_to_answer(store)
    return by_id(store, row[0]) if row is not None else None


def _first_to_answer(store: Store) -> tuple[int] | None:
    """A judge is stored before it is asked: one that never answered (a mistyped model) must not lead the tables."""
    known = [str(found.scorer_id) for found in scorers(store, "judge")]
    if not known:
        return None
    row: tuple[int] | None = store.db.execute(
        f"SELECT scorer_id FROM verdicts WHERE scorer_id IN ({', '.join(known)}) AND status <> 'retry' "
        "ORDER BY verdict_id LIMIT 1"
    ).fetchone()
    return row
