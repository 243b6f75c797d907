"""Scorers: who gave a verdict. A parser is known by its version, a judge by model, endpoint, parameters and rubric."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

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


_SCORER = "scorer_id, kind, identity, detail"


def _scorer(row: Sequence[Any]) -> Scorer:
    return Scorer(row[0], row[1], row[2], json.loads(row[3]))


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
    return scorer(store, "judge", judge_identity(model, detail), detail)


def judge_identity(model: str, detail: Mapping[str, object]) -> str:
    """`model@8hex`, the same for the same detail in every store."""
    return f"{model}@{content_hash(detail)[:8]}"


def known(store: Store, identity: str) -> Scorer | None:
    """The scorer with an identity, None where the store has none."""
    row = store.db.execute(f"SELECT {_SCORER} FROM scorers WHERE identity = ?", (identity,)).fetchone()
    return _scorer(row) if row else None


def scorers(store: Store, kind: str) -> list[Scorer]:
    """All scorers of a kind, in the order they came."""
    rows = store.db.execute(f"SELECT {_SCORER} FROM scorers WHERE kind = ? ORDER BY 1", (kind,))
    return [_scorer(row) for row in rows]


_JUDGING = ("judge", "imported", "human")
"""The kinds of scorer that can be chosen as a judge."""


def judges(store: Store) -> list[Scorer]:
    """Everything whose verdicts can lead the tables, in the order it came."""
    return sorted((found for kind in _JUDGING for found in scorers(store, kind)), key=lambda found: found.scorer_id)


def by_identity(store: Store, identity: str) -> Scorer:
    """A scorer by its identity. Raises UsageError listing the known judges."""
    found = known(store, identity)
    if found is None:
        named = ", ".join(held.identity for held in judges(store)) or "none yet"
        raise UsageError(f"no judge {identity!r}; known: {named}")
    return found


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


def use_judge(store: Store, chosen: Scorer) -> None:
    """Make a judge the active one from now on; earlier choices stay in the store."""
    with store.transaction() as db:
        db.execute("INSERT INTO judge_choices (scorer_id, at) VALUES (?, ?)", (chosen.scorer_id, now()))


def _first_to_answer(store: Store) -> tuple[int] | None:
    """A judge is stored before it is asked: one that never answered (a mistyped model) must not lead the tables."""
    merged = store.db.execute("SELECT value FROM main.meta WHERE key = 'first_judge'").fetchone()
    if merged is not None:
        return _first_by_time(store, merged[0])
    held = {} if store.horizon else _FIRST.setdefault(store, {})
    for found in judges(store):
        if found.scorer_id not in held and _has_answered(store, found.scorer_id):
            held[found.scorer_id] = store.db.execute(
                f"SELECT min(verdict_id) FROM verdicts WHERE {_BY_SCORE}", (found.scorer_id,)
            ).fetchone()[0]
    return (min(held, key=lambda number: held[number]),) if held else None


def _first_by_time(store: Store, identity: str) -> tuple[int] | None:
    """Merged rows do not stand in the order in which they came: the judge that a merge found, or that is in view."""
    if not store.horizon:
        return (by_identity(store, identity).scorer_id,)
    row = store.db.execute(f"{EARLIEST.format(source='')} LIMIT 1").fetchone()
    return (by_identity(store, row[0]).scorer_id,) if row else None


EARLIEST: Final = (
    "SELECT identity FROM {source}verdicts JOIN {source}scorers USING (scorer_id) "
    "WHERE kind IN ('judge', 'imported', 'human') AND status IN ('scored', 'neutral', 'unscored') "
    "GROUP BY scorer_id ORDER BY min(at), identity"
)
"""The judges of a store (or of one attached under the name before the dot) by their first final verdict."""


def _has_answered(store: Store, scorer_id: int) -> bool:
    row = store.db.execute(f"SELECT EXISTS (SELECT 1 FROM verdicts WHERE {_BY_SCORE})", (scorer_id,)).fetchone()
    return bool(row[0])


_BY_SCORE = "scorer_id = ? AND status IN ('scored', 'neutral', 'unscored')"
"""Final verdicts of one judge, as the index `verdicts_by_score` finds them."""
_FIRST: WeakKeyDictionary[Store, dict[int, int]] = WeakKeyDictionary()
"""The first verdict of each judge of an open store: rows are append-only, so it never changes."""
