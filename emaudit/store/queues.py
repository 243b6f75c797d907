"""Review queues as stored: what was drawn from what, frozen. Owns their SQL; a queue never changes."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from emaudit.assessments.base import Answer, Outcome, Prompt
from emaudit.errors import UsageError
from emaudit.store.connection import Store
from emaudit.store.jsontext import dumps
from emaudit.store.plans import stored_prompt
from emaudit.store.texts import now
from emaudit.store.variants import variants

UNSCORED: Final = "unscored"
"""The last word of the label of a stratum of replies that the judge left unscored."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """One stratum: `n_drawn` of `n_frame` units (replies; whole prompts in the design `prompts`).

    `stratum` is its label, `VARIANT:SCORE` with the variant's name at the draw; `variant` the name now. `judge_value`
    is the judge's score (its maximum over the prompt in the design `prompts`), None for unscored replies and,
    in the design `simple`, for all.
    """

    stratum: str
    variant_id: int
    variant: str
    judge_value: float | None
    n_frame: int
    n_drawn: int

    @property
    def is_unscored(self) -> bool:
        """Whether the judge gave these replies no score: they enter only measures named `..._with_human`."""
        return self.stratum.endswith(f":{UNSCORED}")


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One drawn reply at its place in the first reviewer's order. `unit` names its cell in the design `prompts`.

    `probability` is the chance of its unit to be drawn, 0..1; `role` is `main` or `repeat` (the same reply once more,
    for the first reviewer only).
    """

    position: int
    reply_id: int
    stratum: str
    unit: str
    probability: float
    block: int
    role: str
    is_doubled: bool
    variant_id: int = 0
    replicate: int = 0
    assessment: str = ""
    item: str = ""
    part: str = ""
    format: str = ""
    condition: str = ""
    sample: int = 0

    @property
    def is_main(self) -> bool:
        """Whether this is the item itself, not its repeat."""
        return self.role == "main"


@dataclass(frozen=True)
class Queue:
    """One queue: its draw, its strata and its items in the first reviewer's order.

    `reviewer` drew it and is the first rater; `n_planned` counts its main items, `n_frame` the replies of the frame.
    `settings` holds variants, n, double_share, repeat_share, reveal (`each`, `end`, `never`), rubrics (kind -> hash
    and where its text is kept), parsers, plans, the frame's replies (runs of ids) with what the judge made of them
    (`frame`, by variant id), thresholds and version.
    """

    queue_id: int
    uid: str
    name: str
    assessment: str
    preset: str
    judge_id: int
    judge: str
    rubric_hash: str
    design: str
    n_planned: int
    n_frame: int
    frame_hash: str
    seed: int
    reviewer: str
    settings: Mapping[str, object]
    created_at: str
    strata: tuple[Stratum, ...] = ()
    items: tuple[QueueItem, ...] = ()

    @property
    def reveal(self) -> str:
        """When the judge's score is shown: `each`, `end` or `never`."""
        return str(self.settings["reveal"])

    @property
    def rubrics(self) -> Mapping[str, str]:
        """Kind -> hash of the rubric that its reviewers are shown."""
        held = self.settings["rubrics"]
        return {kind: entry["hash"] for kind, entry in held.items()} if isinstance(held, dict) else {}

    @cached_property
    def by_position(self) -> Mapping[int, QueueItem]:
        """The items by their position."""
        return {item.position: item for item in self.items}

    @cached_property
    def main_of(self) -> Mapping[int, int]:
        """Reply -> position of its main item."""
        return {item.reply_id: item.position for item in self.items if item.is_main}

    @cached_property
    def by_stratum(self) -> Mapping[str, Stratum]:
        """The strata by their label."""
        return {row.stratum: row for row in self.strata}


_ROW: Final = (
    "queue_id, uid, name, assessment, preset, judge_id, identity, rubric_hash, design, n_planned, n_frame, frame_hash, "
    "seed, reviewer, settings, q.created_at"
)
_ITEMS: Final = """
SELECT i.position, i.reply_id, i.stratum, i.unit, i.probability, i.block, i.role, i.is_doubled,
       c.variant_id, c.replicate, p.assessment, p.item, p.part, p.format, p.condition, r.sample
FROM queue_items i JOIN replies r USING (reply_id) JOIN cells c USING (cell_id) JOIN prompts p USING (prompt_id)
WHERE i.queue_id = ? ORDER BY i.position
"""


def queues(store: Store) -> list[Queue]:
    """All queues with their strata and items, in the order they were drawn."""
    rows = store.db.execute(
        f"SELECT {_ROW} FROM queues q JOIN scorers ON scorer_id = judge_id ORDER BY q.created_at, queue_id"
    )
    return [_queue(store, row) for row in rows.fetchall()]


def queue(store: Store, named: str = "") -> Queue:
    """A queue by its name, its id or the beginning of that; the newest for an empty name. Raises UsageError."""
    rows = store.db.execute(f"SELECT {_ROW} FROM queues q JOIN scorers ON scorer_id = judge_id ORDER BY queue_id")
    held = rows.fetchall()
    if not held:
        raise UsageError("no queues yet: `emaudit review new NAME...` draws one")
    found = [row for row in held if row[2] == named] or [row for row in held if row[1].startswith(named)]
    if named and len(found) != 1:
        known = ", ".join(row[2] for row in held)
        raise UsageError(f"{'no queue' if not found else 'more than one queue'} {named!r}; known: {known}")
    return _queue(store, found[-1])


def _queue(store: Store, row: Sequence[object]) -> Queue:
    names = {found.variant_id: found.name for found in variants(store, hidden=True)}
    strata = store.db.execute(
        "SELECT stratum, variant_id, judge_value, n_frame, n_drawn FROM queue_strata WHERE queue_id = ? "
        "ORDER BY variant_id, judge_value IS NULL, judge_value, stratum",
        (row[0],),
    )
    items = store.db.execute(_ITEMS, (row[0],))
    values: dict[str, Any] = dict(zip(Queue.__dataclass_fields__, row, strict=False))
    values["settings"] = json.loads(values["settings"])
    values["strata"] = tuple(Stratum(label, number, names[number], *rest) for label, number, *rest in strata)
    values["items"] = tuple(_item(found) for found in items)
    return Queue(**values)


def _item(row: Sequence[object]) -> QueueItem:
    values: dict[str, Any] = dict(zip(QueueItem.__dataclass_fields__, row, strict=True))
    return QueueItem(**{**values, "is_doubled": bool(values["is_doubled"])})


def insert_queue(
    store: Store,
    name: str,
    assessment: str,
    preset: str,
    judge_id: int,
    rubric_hash: str,
    design: str,
    n_frame: int,
    frame_hash: str,
    seed: int,
    reviewer: str,
    settings: Mapping[str, object],
    strata: Sequence[Stratum],
    items: Sequence[QueueItem],
) -> Queue:
    """Keep a draw, all of it or nothing. Raises UsageError where the name is taken; a missing one is made up."""
    with store.transaction() as db:
        names = {row[0] for row in db.execute("SELECT name FROM queues")}
        if name in names:
            raise UsageError(f"queue {name!r} exists already: choose another --name")
        name = name or next(made for n in range(1, len(names) + 2) if (made := f"{assessment}-{n}") not in names)
        n_planned = sum(item.is_main for item in items)
        cursor = db.execute(
            "INSERT INTO queues (uid, name, assessment, preset, judge_id, rubric_hash, design, n_planned, n_frame, "
            "frame_hash, seed, reviewer, settings, created_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                *(secrets.token_hex(4), name, assessment, preset, judge_id, rubric_hash, design, n_planned, n_frame),
                *(frame_hash, seed, reviewer, dumps(settings), now()),
            ),
        )
        number = cursor.lastrowid
        db.executemany(
            "INSERT INTO queue_strata VALUES (?,?,?,?,?,?)",
            [(number, s.stratum, s.variant_id, s.judge_value, s.n_frame, s.n_drawn) for s in strata],
        )
        db.executemany(
            "INSERT INTO queue_items VALUES (?,?,?,?,?,?,?,?,?)",
            [
                (number, i.position, i.reply_id, i.stratum, i.unit, i.probability, i.block, i.role, int(i.is_doubled))
                for i in items
            ],
        )
    return queue(store, name)


def item_text(store: Store, reply_id: int) -> tuple[Prompt, Answer]:
    """The prompt and the reply of an item, verbatim."""
    *prompt_row, text, outcome, refusal = store.db.execute(
        "SELECT p.assessment, p.item, p.part, p.format, p.condition, p.text, p.scoring, r.text, r.outcome, r.refusal "
        "FROM replies r JOIN cells USING (cell_id) JOIN prompts p USING (prompt_id) WHERE reply_id = ?",
        (reply_id,),
    ).fetchone()
    return stored_prompt(prompt_row), Answer(text, Outcome(outcome), refusal)


def places(store: Store, reply_ids: Collection[int]) -> dict[int, tuple[int, int, str, int]]:
    """Reply -> its variant's id, its replicate, the item of the assessment, and the sample."""
    rows = store.db.execute(
        "SELECT r.reply_id, c.variant_id, c.replicate, p.item, r.sample FROM json_each(?) ids "
        "JOIN replies r ON r.reply_id = ids.value JOIN cells c USING (cell_id) JOIN prompts p USING (prompt_id)",
        (json.dumps(sorted(reply_ids)),),
    )
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}
