"""Stored replies with their verdicts, marks and neighbours, for reading. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from emaudit.shapes import Full, Given, Listed, Mark, Said
from emaudit.store.connection import Store
from emaudit.store.reviews import said_among

HEAD_BYTES: Final = 1_200
"""How much of a reply a list gives."""


_LISTED: Final = f"""
SELECT r.reply_id, r.cell_id, r.sample, r.round, c.variant_id, c.replicate, c.prompt_id,
       p.assessment, p.item, p.part, p.format, p.condition, r.outcome, substr(CAST(r.text AS BLOB), 1, {HEAD_BYTES})
FROM replies r JOIN cells c ON c.cell_id = r.cell_id JOIN prompts p ON p.prompt_id = c.prompt_id
"""


def _listed(row: Sequence[object]) -> Listed:
    head = row[13]
    text = head.decode("utf-8", "ignore") if isinstance(head, bytes) else ""
    return Listed(*row[:13], text)  # type: ignore[call-arg, arg-type]


def _ids(ids: Iterable[int]) -> str:
    return ", ".join(str(int(reply_id)) for reply_id in ids)


def listed(store: Store, reply_ids: Sequence[int]) -> list[Listed]:
    """Replies as a list shows them, in the order asked for."""
    rows = store.db.execute(f"{_LISTED} WHERE r.reply_id IN ({_ids(reply_ids)})")
    found = {row[0]: _listed(row) for row in rows}
    return [found[reply_id] for reply_id in reply_ids if reply_id in found]


def verdicts(store: Store, reply_ids: Collection[int], with_raw: bool = False) -> dict[int, list[Given]]:
    """All verdicts of some replies, in the order they were given."""
    more = ", raw, model, at" if with_raw else ""
    rows = store.db.execute(
        f"SELECT reply_id, scorer_id, part, attempt, status, value, reason{more} FROM verdicts "
        f"WHERE reply_id IN ({_ids(reply_ids)}) ORDER BY verdict_id"
    )
    found: dict[int, list[Given]] = {reply_id: [] for reply_id in reply_ids}
    for row in rows:
        found[row[0]].append(Given(*row))
    return found


def marks(store: Store, reply_ids: Collection[int]) -> dict[int, list[Mark]]:
    """What people hold of some replies, in the order it was said: each label of each item stands for itself."""
    found: dict[int, list[Mark]] = {}
    for _, reply_id, kind, reviewer, value, answer, reason, is_blind, at, _ in store.db.execute(
        said_among(f"e.reply_id IN ({_ids(reply_ids)})")
    ):
        found.setdefault(reply_id, []).append(Mark(reply_id, kind, reviewer, value, answer, reason, bool(is_blind), at))
    return found


def full(store: Store, reply_id: int) -> Full | None:
    """All that is stored of a reply; None where there is none of this id."""
    found = listed(store, [reply_id])
    if not found:
        return None
    row = store.db.execute(
        "SELECT p.text, r.text, r.finish_reason, r.refusal, r.extra, r.model, r.fingerprint, r.prompt_tokens, "
        "r.completion_tokens, r.seed, r.attempt, r.endpoint_url, r.received_at, runs.uid FROM replies r "
        "JOIN cells c ON c.cell_id = r.cell_id JOIN prompts p ON p.prompt_id = c.prompt_id "
        "JOIN runs ON runs.run_id = r.run_id WHERE r.reply_id = ?",
        (reply_id,),
    ).fetchone()
    return Full(found[0], *row)


_NOT_VOIDED: Final = "NOT EXISTS (SELECT 1 FROM voided WHERE voided.reply_id = r.reply_id)"


def samples(store: Store, cell_id: int) -> list[tuple[int, int]]:
    """(sample, reply id) of the replies of a cell that count, by sample."""
    return store.db.execute(
        f"SELECT r.sample, r.reply_id FROM replies r WHERE r.cell_id = ? AND {_NOT_VOIDED} ORDER BY r.sample",
        (cell_id,),
    ).fetchall()


def same_slot(store: Store, held: Listed) -> dict[int, int]:
    """Variant -> its reply to the same prompt and sample, for all other variants; the newest replicate of each."""
    rows = store.db.execute(
        "SELECT c.variant_id, r.reply_id FROM (SELECT DISTINCT variant_id, replicate FROM plans) v "
        "CROSS JOIN (SELECT q.prompt_id FROM prompts p JOIN prompts q ON q.assessment = p.assessment "
        "AND q.item = p.item AND q.format = p.format AND q.condition = p.condition AND q.text = p.text "
        "WHERE p.prompt_id = ?) q "
        "CROSS JOIN cells c ON c.variant_id = v.variant_id AND c.replicate = v.replicate AND c.prompt_id = q.prompt_id "
        f"JOIN replies r ON r.cell_id = c.cell_id AND r.sample = ? AND {_NOT_VOIDED} "
        "WHERE c.variant_id <> ? ORDER BY c.replicate",
        (held.prompt_id, held.sample, held.variant_id),
    )
    return dict(rows.fetchall())


def said(store: Store, plan_id: int, part: str = "", at_most: int = 4_000) -> list[Said]:
    """What was said to the prompts of a plan (and part), the same texts to the same prompt counted together.

    In the order of the plan; of each prompt the most frequent text first. At most so many texts are given.
    """
    rows = store.db.execute(
        "SELECT p.prompt_id, p.assessment, p.item, p.part, p.format, p.condition, p.text, r.text, count(*) AS n, "
        "min(r.reply_id) FROM plan_cells pc JOIN cells c ON c.cell_id = pc.cell_id "
        "JOIN prompts p ON p.prompt_id = c.prompt_id "
        f"JOIN replies r ON r.cell_id = pc.cell_id AND r.sample < pc.n_samples AND {_NOT_VOIDED} "
        "WHERE pc.plan_id = ? AND (? = '' OR p.part = ?) "
        "GROUP BY pc.position, r.text ORDER BY pc.position, n DESC, 10 LIMIT ?",
        (plan_id, part, part, at_most),
    )
    return [Said(*row) for row in rows]


def scorer_names(store: Store) -> dict[int, tuple[str, str]]:
    """Scorer -> its kind and identity."""
    return {row[0]: (row[1], row[2]) for row in store.db.execute("SELECT scorer_id, kind, identity FROM scorers")}


def choices(store: Store) -> dict[str, tuple[str, ...]]:
    """What the stored prompts and replies can be chosen by: assessments, parts, formats, outcomes, each in order."""
    found: dict[str, tuple[str, ...]] = {}
    for column in ("assessment", "part", "format"):
        rows = store.db.execute(f"SELECT {column}, min(prompt_id) FROM prompts GROUP BY 1 ORDER BY 2")
        found[column] = tuple(row[0] for row in rows if row[0])
    rows = store.db.execute("SELECT DISTINCT outcome FROM replies WHERE outcome <> 'ok' ORDER BY 1")
    found["outcome"] = ("ok", *(row[0] for row in rows))
    return found
