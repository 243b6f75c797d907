"""Replies and verdicts: append-only rows, chained by hash per run.

Owns inserting them. A slot is closed by one reply a round; a verdict never replaces another.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from emaudit.assessments.base import Answer, Outcome, Prompt, Reading
from emaudit.store.connection import Store
from emaudit.store.plans import stored_prompt
from emaudit.store.texts import now


@dataclass(frozen=True, slots=True)
class ReplyRow:
    """A closed reply as it is stored. Token counts stand on the first sample of a request only, None elsewhere."""

    cell_id: int
    sample: int
    round: int
    outcome: str
    text: str
    finish_reason: str = ""
    refusal: str = ""
    extra: str = "{}"
    model: str = ""
    fingerprint: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seed: int | None = None
    attempt: int = 1
    endpoint_url: str = ""
    received_at: str = ""


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """A verdict of one scorer on one reply (or on one part of it)."""

    scorer_id: int
    reading: Reading
    attempt: int = 0
    raw: str = ""
    model: str = ""
    fingerprint: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    at: str = field(default_factory=now)


@dataclass(frozen=True, slots=True)
class Owed:
    """A reply whose judge verdict is owed: what the judge is asked about, and the attempts already made."""

    reply_id: int
    prompt: Prompt
    answer: Answer
    attempts: int
    key: str


class Chain:
    """The hash chain of one run over its replies and verdicts: each row's hash covers the row before it."""

    def __init__(self, db: sqlite3.Connection, run_id: int) -> None:
        self.run_id = run_id
        self.seq = 0
        self.last = b""
        self.read_end(db)

    def read_end(self, db: sqlite3.Connection) -> None:
        """Go on from the last row that is stored: at the start, and after rows were rolled back."""
        self.seq, self.last = 0, b""
        for table in ("replies", "verdicts"):
            row = db.execute(
                f"SELECT seq, chain FROM {table} WHERE run_id = ? ORDER BY seq DESC", (self.run_id,)
            ).fetchone()
            if row and row[0] > self.seq:
                self.seq, self.last = row

    def insert(self, db: sqlite3.Connection, kind: str, statement: str, values: Sequence[object]) -> int | None:
        """Insert a row with its place in the chain: sha256(previous hash, canonical JSON of the row).

        Returns its id; None, and the chain stays as it was, where the row is there already.
        """
        seq = self.seq + 1
        line = _canonical([kind, self.run_id, seq, *values])
        digest = hashlib.sha256(self.last + line.encode("ascii")).digest()
        cursor = db.execute(statement, (*values, self.run_id, seq, digest))
        if cursor.rowcount == 0:
            return None
        self.seq, self.last = seq, digest
        return int(cursor.lastrowid or 0)


_canonical = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
_values = attrgetter(*ReplyRow.__slots__)
_INSERT_REPLY = (
    "INSERT INTO replies (cell_id, sample, round, outcome, text, finish_reason, refusal, extra, model, fingerprint, "
    "prompt_tokens, completion_tokens, seed, attempt, endpoint_url, received_at, run_id, seq, chain) "
    f"VALUES ({'?,' * 18}?) ON CONFLICT (cell_id, sample, round) DO NOTHING"
)
_INSERT_VERDICT = (
    "INSERT INTO verdicts (reply_id, scorer_id, part, attempt, status, value, reason, raw, model, fingerprint, "
    "prompt_tokens, completion_tokens, at, run_id, seq, chain) "
    f"VALUES ({'?,' * 15}?) ON CONFLICT (reply_id, scorer_id, part, attempt) DO NOTHING"
)


def insert_reply(db: sqlite3.Connection, chain: Chain, row: ReplyRow, verdicts: Iterable[VerdictRow]) -> int | None:
    """Insert a closed reply with its first verdicts; None where the slot is already closed (nothing twice)."""
    reply_id = chain.insert(db, "reply", _INSERT_REPLY, _values(row))
    if reply_id is not None:
        insert_verdicts(db, chain, reply_id, verdicts)
    return reply_id


def insert_verdicts(db: sqlite3.Connection, chain: Chain, reply_id: int, rows: Iterable[VerdictRow]) -> None:
    """Insert several verdicts on one reply, in their order."""
    for row in rows:
        insert_verdict(db, chain, reply_id, row)


def insert_verdict(db: sqlite3.Connection, chain: Chain, reply_id: int, row: VerdictRow) -> None:
    """Insert one verdict; the same (reply, scorer, part, attempt) twice is kept once."""
    reading = row.reading
    values = (
        reply_id,
        row.scorer_id,
        reading.part,
        row.attempt,
        str(reading.status),
        reading.value,
        reading.reason,
        row.raw,
        row.model,
        row.fingerprint,
        row.prompt_tokens,
        row.completion_tokens,
        row.at,
    )
    chain.insert(db, "verdict", _INSERT_VERDICT, values)


def insert_failure(
    db: sqlite3.Connection,
    run_id: int,
    kind: str,
    message: str,
    raw: bytes = b"",
    cell_id: int | None = None,
    sample: int | None = None,
    reply_id: int | None = None,
) -> None:
    """Keep what a failed request brought (at most 64 KiB of it); the slot stays owed."""
    db.execute(
        "INSERT INTO failures (run_id, cell_id, sample, reply_id, kind, message, raw, at) VALUES (?,?,?,?,?,?,?,?)",
        (run_id, cell_id, sample, reply_id, kind, message, raw[:65536], now()),
    )


_OWED_VERDICTS = """
SELECT r.reply_id, p.assessment, p.item, p.part, p.format, p.condition, p.text, p.scoring,
       r.text, r.outcome, r.refusal,
       (SELECT coalesce(max(attempt), 0) FROM verdicts j WHERE j.reply_id = r.reply_id AND j.scorer_id = :judge),
       r.sample, r.round
FROM plan_cells pc
JOIN cells c ON c.cell_id = pc.cell_id
JOIN prompts p ON p.prompt_id = c.prompt_id
JOIN replies r ON r.cell_id = pc.cell_id AND r.sample < pc.n_samples
JOIN verdicts v ON v.reply_id = r.reply_id AND v.scorer_id = :parser AND v.status = 'referred'
WHERE pc.plan_id = :plan
  AND NOT EXISTS (SELECT 1 FROM voided WHERE voided.reply_id = r.reply_id)
  AND NOT EXISTS (SELECT 1 FROM verdicts j WHERE j.reply_id = r.reply_id AND j.scorer_id = :judge
                  AND j.status <> 'retry')
ORDER BY pc.position, r.sample
"""


def owed_verdicts(store: Store, plan_id: int, parser_id: int, judge_id: int) -> Iterator[Owed]:
    """Replies of a plan that were referred to a judge and have no final verdict of this one."""
    rows = store.db.execute(_OWED_VERDICTS, {"plan": plan_id, "parser": parser_id, "judge": judge_id})
    for reply_id, *prompt_row, text, outcome, refusal, attempts, sample, round in rows:
        prompt = stored_prompt(prompt_row)
        key = reply_key(prompt, sample, round)
        yield Owed(reply_id, prompt, Answer(text, Outcome(outcome), refusal), attempts, key)


def reply_key(prompt: Prompt, sample: int, round: int) -> str:
    """What a reply is an answer to, the same in every store: a judge's seed comes from it."""
    return f"{prompt.assessment}/{prompt.item}/{prompt.format}/{prompt.condition}/{sample}/{round}"


def unread(store: Store, plan_id: int, parser_id: int) -> list[tuple[int, Prompt, Answer]]:
    """Closed replies of a plan that this parser has not read yet (a newer emaudit reads differently)."""
    rows = store.db.execute(
        """
        SELECT r.reply_id, p.assessment, p.item, p.part, p.format, p.condition, p.text, p.scoring,
               r.text, r.outcome, r.refusal
        FROM plan_cells pc
        JOIN cells c ON c.cell_id = pc.cell_id
        JOIN prompts p ON p.prompt_id = c.prompt_id
        JOIN replies r ON r.cell_id = pc.cell_id AND r.sample < pc.n_samples
        WHERE pc.plan_id = ?
          AND NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.reply_id = r.reply_id AND v.scorer_id = ?)
        """,
        (plan_id, parser_id),
    )
    return [
        (reply_id, stored_prompt(prompt_row), Answer(text, Outcome(outcome), refusal))
        for reply_id, *prompt_row, text, outcome, refusal in rows
    ]


def reported(store: Store, plan_id: int) -> tuple[str, str] | None:
    """The model name and fingerprint that a plan's first answered slot came with; None where none is answered."""
    found: tuple[str, str] | None = store.db.execute(
        """
        SELECT r.model, r.fingerprint FROM plan_cells pc JOIN replies r ON r.cell_id = pc.cell_id
        WHERE pc.plan_id = ? AND r.outcome <> 'error' ORDER BY pc.position, r.sample LIMIT 1
        """,
        (plan_id,),
    ).fetchone()
    return found


def void(store: Store, variant_id: int, assessment: str, item: str, reason: str, errors_only: bool = False) -> int:
    """Void the current replies of a variant (all assessments and items where empty): their slots are owed again.

    `errors_only` voids recorded errors alone. Returns how many replies it touched; they stay in the store.
    """
    with store.transaction() as db:
        ids = [
            row[0]
            for row in db.execute(
                """
                SELECT r.reply_id FROM replies r JOIN cells c USING (cell_id) JOIN prompts p USING (prompt_id)
                WHERE c.variant_id = :variant AND (:assessment = '' OR p.assessment = :assessment)
                  AND (:item = '' OR p.item = :item) AND (NOT :errors OR r.outcome = 'error')
                  AND NOT EXISTS (SELECT 1 FROM voided WHERE voided.reply_id = r.reply_id)
                """,
                {"variant": variant_id, "assessment": assessment, "item": item, "errors": errors_only},
            )
        ]
        if ids:
            cursor = db.execute(
                "INSERT INTO voids (variant_id, assessment, item, reason, n_replies, at) VALUES (?,?,?,?,?,?)",
                (variant_id, assessment, item, reason, len(ids), now()),
            )
            db.executemany("INSERT INTO voided VALUES (?, ?)", [(reply_id, cursor.lastrowid) for reply_id in ids])
    return len(ids)
