"""Plans: which slots an assessment of a variant asks under a preset, and which of them are still owed.

A plan never changes once written; the newest plan of (variant, replicate, assessment, preset) is its table's.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from emaudit import prompts
from emaudit.assessments.base import Planned, Prompt
from emaudit.store.connection import Store
from emaudit.store.jsontext import dumps
from emaudit.store.texts import now, put_text, text_hash


@dataclass(frozen=True, slots=True)
class Plan:
    """One stored plan. `n_slots` is what it expects; `instrument` is `name@8hex`."""

    plan_id: int
    variant_id: int
    replicate: int
    assessment: str
    preset: str
    instrument: str
    label: str
    content_hash: str
    n_cells: int
    n_slots: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """A run of neighbouring samples of one cell that are still owed: what one request can ask."""

    cell_id: int
    prompt: Prompt
    params: str
    first: int
    n: int
    replicate: int
    round: int


def stored_prompt(row: Sequence[str]) -> Prompt:
    """A prompt from its stored columns: assessment, item, part, format, condition, text, scoring as JSON."""
    assessment, item, part, format, condition, text, scoring = row
    return Prompt(assessment, item, part, format, condition, text, json.loads(scoring))


_PLAN = "plan_id, variant_id, replicate, assessment, preset, instrument, label, content_hash, n_cells, n_slots"


def _prompt_key(prompt: Prompt) -> tuple[str, str, str, str, str]:
    digest = prompts.content_hash([prompt.text, prompt.part, dumps(prompt.scoring)])
    return prompt.assessment, prompt.item, prompt.format, prompt.condition, digest


SlotKey = tuple[str, str, str, str, str]
"""What tells a cell of a variant, replicate and assessment: item, format, condition, hashes of text and parameters."""


def slot_key(prompt: Prompt, params: str) -> SlotKey:
    """The key of a prompt asked with parameters (JSON text)."""
    _, item, form, condition, digest = _prompt_key(prompt)
    return item, form, condition, digest, text_hash(params)


def stored_samples(store: Store, variant_id: int, replicate: int, assessment: str) -> dict[SlotKey, list[int]]:
    """Which samples have a closed reply, whatever plan they were asked under."""
    found: dict[SlotKey, list[int]] = {}
    for *key, sample in store.db.execute(
        """
        SELECT p.item, p.format, p.condition, p.hash, c.params_hash, r.sample
        FROM cells c JOIN prompts p ON p.prompt_id = c.prompt_id JOIN replies r ON r.cell_id = c.cell_id
        WHERE c.variant_id = ? AND c.replicate = ? AND p.assessment = ?
          AND NOT EXISTS (SELECT 1 FROM voided WHERE voided.reply_id = r.reply_id)
        """,
        (variant_id, replicate, assessment),
    ):
        item, form, condition, digest, params_hash = key
        found.setdefault((item, form, condition, digest, params_hash), []).append(sample)
    return found


def _prompt_id(db: sqlite3.Connection, prompt: Prompt) -> int:
    scoring = dumps(prompt.scoring)
    key = _prompt_key(prompt)
    row = db.execute(
        "SELECT prompt_id FROM prompts WHERE assessment = ? AND item = ? AND format = ? AND condition = ? AND hash = ?",
        key,
    ).fetchone()
    if row:
        return int(row[0])
    cursor = db.execute(
        "INSERT INTO prompts (assessment, item, part, format, condition, hash, text, scoring) VALUES (?,?,?,?,?,?,?,?)",
        (prompt.assessment, prompt.item, prompt.part, prompt.format, prompt.condition, key[4], prompt.text, scoring),
    )
    return int(cursor.lastrowid or 0)


def _cell_id(db: sqlite3.Connection, variant_id: int, replicate: int, prompt_id: int, params_hash: str) -> int:
    key = (variant_id, replicate, prompt_id, params_hash)
    row = db.execute(
        "SELECT cell_id FROM cells WHERE variant_id = ? AND replicate = ? AND prompt_id = ? AND params_hash = ?", key
    ).fetchone()
    if row:
        return int(row[0])
    cursor = db.execute("INSERT INTO cells (variant_id, replicate, prompt_id, params_hash) VALUES (?,?,?,?)", key)
    return int(cursor.lastrowid or 0)


def write_plan(
    store: Store,
    variant_id: int,
    replicate: int,
    assessment: str,
    preset: str,
    instrument: str,
    label: str,
    content_hash: str,
    planned: Iterable[tuple[Planned, str]],
) -> Plan:
    """Store a plan (each planned prompt with its parameters as JSON text), or find the same one again."""
    with store.transaction() as db:
        cells: list[tuple[int, int]] = []
        params_hashes: dict[str, str] = {}
        for item, params in planned:
            if params not in params_hashes:
                params_hashes[params] = put_text(db, params)
            cell = _cell_id(db, variant_id, replicate, _prompt_id(db, item.prompt), params_hashes[params])
            cells.append((cell, item.n_samples))
        key = (variant_id, replicate, assessment, preset, content_hash)
        row = db.execute(
            f"SELECT {_PLAN} FROM plans WHERE variant_id = ? AND replicate = ? AND assessment = ? AND preset = ? "
            "AND content_hash = ?",
            key,
        ).fetchone()
        if row:
            return Plan(*row)
        n_slots = sum(n for _, n in cells)
        cursor = db.execute(
            "INSERT INTO plans (variant_id, replicate, assessment, preset, content_hash, instrument, label, n_cells, "
            "n_slots, created_at) VALUES (?,?,?,?,?,?,?,?,?,?)",
            (*key, instrument, label, len(cells), n_slots, now()),
        )
        plan_id = int(cursor.lastrowid or 0)
        db.executemany(
            "INSERT INTO plan_cells (plan_id, position, cell_id, n_samples) VALUES (?,?,?,?)",
            [(plan_id, position, cell, n) for position, (cell, n) in enumerate(cells)],
        )
    return Plan(
        plan_id, variant_id, replicate, assessment, preset, instrument, label, content_hash, len(cells), n_slots
    )


def plan(store: Store, plan_id: int) -> Plan:
    """A plan by its id. Raises KeyError."""
    row = store.db.execute(f"SELECT {_PLAN} FROM plans WHERE plan_id = ?", (plan_id,)).fetchone()
    if row is None:
        raise KeyError(plan_id)
    return Plan(*row)


def current_plans(store: Store, preset: str | None = None, variant_id: int | None = None) -> list[Plan]:
    """The newest plan of every (variant, replicate, assessment, preset), in that order.

    Newest is the one a run named last: an edited instrument that is put back makes its old plan current again.
    """
    rows = store.db.execute(
        f"""
        SELECT {_PLAN} FROM (
            SELECT plans.*, row_number() OVER (
                PARTITION BY variant_id, replicate, assessment, preset
                ORDER BY (SELECT max(since) FROM run_plans WHERE run_plans.plan_id = plans.plan_id) DESC, plan_id DESC
            ) AS age
            FROM plans WHERE (?1 IS NULL OR preset = ?1) AND (?2 IS NULL OR variant_id = ?2)
        ) WHERE age = 1 ORDER BY variant_id, replicate, assessment, preset
        """,
        (preset, variant_id),
    )
    return [Plan(*row) for row in rows]


_OPEN_CELLS = """
SELECT pc.cell_id, pc.n_samples, group_concat(r.sample), c.replicate, t.text,
       p.assessment, p.item, p.part, p.format, p.condition, p.text, p.scoring
FROM plan_cells pc
JOIN cells c ON c.cell_id = pc.cell_id
JOIN prompts p ON p.prompt_id = c.prompt_id
JOIN texts t ON t.hash = c.params_hash
LEFT JOIN replies r ON r.cell_id = pc.cell_id AND r.sample < pc.n_samples
     AND NOT EXISTS (SELECT 1 FROM voided WHERE voided.reply_id = r.reply_id)
WHERE pc.plan_id = ?
GROUP BY pc.position HAVING count(r.reply_id) < pc.n_samples
ORDER BY pc.position
"""


def owed(store: Store, plan_id: int, max_n: int) -> list[Stretch]:
    """What a plan still asks: contiguous stretches of at most `max_n` samples, in the plan's order."""
    stretches: list[Stretch] = []
    for cell_id, n_samples, closed, replicate, params, *prompt_row in store.db.execute(_OPEN_CELLS, (plan_id,)):
        have = {int(sample) for sample in closed.split(",")} if closed else set()
        prompt = stored_prompt(prompt_row)
        missing = [sample for sample in range(n_samples) if sample not in have]
        rounds = _rounds(store, cell_id) if have or _has_voids(store) else {}
        for first, n in _contiguous(missing, max_n, rounds):
            stretches.append(Stretch(cell_id, prompt, params, first, n, replicate, rounds.get(first, 0)))
    return stretches


def _has_voids(store: Store) -> bool:
    return bool(store.db.execute("SELECT EXISTS (SELECT 1 FROM voided)").fetchone()[0])


def _rounds(store: Store, cell_id: int) -> dict[int, int]:
    """How often each sample of a cell was voided so far."""
    rows = store.db.execute(
        "SELECT sample, count(*) FROM replies JOIN voided USING (reply_id) WHERE cell_id = ? GROUP BY sample",
        (cell_id,),
    )
    return dict(rows)


def _contiguous(samples: Sequence[int], max_n: int, rounds: dict[int, int]) -> list[tuple[int, int]]:
    """Split ascending samples into (first, n) stretches without holes, of one round, of at most `max_n`."""
    if not samples:
        return []
    breaks = [0]
    length = 1
    for index, (before, after) in enumerate(pairwise(samples), 1):
        if after != before + 1 or length == max_n or rounds.get(before, 0) != rounds.get(after, 0):
            breaks.append(index)
            length = 0
        length += 1
    breaks.append(len(samples))
    return [(samples[start], end - start) for start, end in pairwise(breaks)]


def n_owed(store: Store, plan_id: int) -> int:
    """How many slots of a plan have no closed reply."""
    row = store.db.execute(
        "SELECT (SELECT n_slots FROM plans WHERE plan_id = ?1) - count(*) FROM plan_cells pc "
        "JOIN replies r ON r.cell_id = pc.cell_id AND r.sample < pc.n_samples "
        "WHERE pc.plan_id = ?1 AND NOT EXISTS (SELECT 1 FROM voided WHERE voided.reply_id = r.reply_id)",
        (plan_id,),
    ).fetchone()
    return int(row[0])
