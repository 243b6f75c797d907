"""What judges said of stored replies, across runs: who judged what, replies judged by two, draws over their scores.

Reads only. Voided replies are in none of it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emaudit.assessments.base import Answer, Outcome
from emaudit.prompts import content_hash
from emaudit.store.connection import Store
from emaudit.store.plans import Plan, stored_prompt
from emaudit.store.replies import Owed, reply_key
from emaudit.store.scorers import Scorer, active_judge, judges

_NOT_VOIDED = "NOT EXISTS (SELECT 1 FROM voided WHERE voided.reply_id = r.reply_id)"


@dataclass(frozen=True, slots=True)
class JudgeUse:
    """A judge with how many replies it judged, how many of those are unscored, and of which variants."""

    scorer: Scorer
    n_replies: int
    n_unscored: int
    variants: tuple[int, ...]
    is_simulated: bool


def judge_uses(store: Store) -> list[JudgeUse]:
    """Every judge of the store, in the order they came, also those that never answered."""
    held: dict[int, list[tuple[int, int, int, int]]] = {}
    for scorer_id, *row in store.db.execute(
        f"""
        SELECT j.scorer_id, c.variant_id, count(DISTINCT j.reply_id),
               count(DISTINCT CASE WHEN j.status = 'unscored' AND j.part = '' THEN j.reply_id END),
               max(substr(j.fingerprint, 1, 11) = 'emaudit-sim')
        FROM verdicts j JOIN scorers s ON s.scorer_id = j.scorer_id AND s.kind <> 'parser'
        JOIN replies r ON r.reply_id = j.reply_id JOIN cells c ON c.cell_id = r.cell_id
        WHERE j.status <> 'retry' AND {_NOT_VOIDED} GROUP BY 1, 2 ORDER BY 1, 2
        """
    ):
        held.setdefault(scorer_id, []).append(tuple(row))
    return [_use(found, held.get(found.scorer_id, [])) for found in judges(store)]


def _use(found: Scorer, rows: Sequence[tuple[int, int, int, int]]) -> JudgeUse:
    return JudgeUse(
        found,
        sum(row[1] for row in rows),
        sum(row[2] for row in rows),
        tuple(row[0] for row in rows),
        any(row[3] for row in rows),
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """One value of a judge: of which reply (or part of it), and to what that reply belongs."""

    reply_id: int
    part: str
    assessment: str
    value: float


def judged(store: Store, judge: Scorer, variants: Sequence[int] = ()) -> Iterator[Judged]:
    """Every value a judge gave, of some variants or (none named) of all."""
    chosen = ", ".join(map(str, variants)) or "c.variant_id"
    rows = store.db.execute(
        f"""
        SELECT j.reply_id, j.part, p.assessment, j.value FROM verdicts j
        JOIN replies r ON r.reply_id = j.reply_id JOIN cells c ON c.cell_id = r.cell_id
        JOIN prompts p ON p.prompt_id = c.prompt_id
        WHERE j.scorer_id = ? AND j.status IN ('scored', 'neutral') AND c.variant_id IN ({chosen}) AND {_NOT_VOIDED}
        """,
        (judge.scorer_id,),
    )
    return (Judged(*row) for row in rows)


def referred(store: Store) -> Iterator[tuple[int, Owed]]:
    """Every reply that some parser referred to a judge, with its variant's number, by variant."""
    rows = store.db.execute(
        f"""
        SELECT c.variant_id, r.reply_id, p.assessment, p.item, p.part, p.format, p.condition, p.text, p.scoring,
               r.text, r.outcome, r.refusal, r.sample, r.round
        FROM replies r JOIN cells c USING (cell_id) JOIN prompts p USING (prompt_id)
        WHERE {_NOT_VOIDED} AND EXISTS (
            SELECT 1 FROM verdicts v WHERE v.reply_id = r.reply_id AND v.status = 'referred')
        ORDER BY 1, 2
        """
    )
    return ((variant_id, _owed(row)) for variant_id, *row in rows)


def covering(store: Store, plans: Sequence[Plan]) -> list[Plan]:
    """The plans without those whose every slot another one holds too: a smaller preset of the same replicate."""
    kept: list[Plan] = []
    for plan in sorted(plans, key=lambda plan: (-plan.n_slots, plan.plan_id)):
        others = ", ".join(str(held.plan_id) for held in kept) or "NULL"
        row = store.db.execute(
            f"""
            SELECT EXISTS (SELECT 1 FROM plan_cells own WHERE own.plan_id = ? AND NOT EXISTS (
                SELECT 1 FROM plan_cells other WHERE other.cell_id = own.cell_id
                AND other.n_samples >= own.n_samples AND other.plan_id IN ({others})))
            """,
            (plan.plan_id,),
        ).fetchone()
        if row[0]:
            kept.append(plan)
    return sorted(kept, key=lambda plan: plan.plan_id)


@dataclass(frozen=True, slots=True)
class OwedTexts:
    """Replies to one prompt that a judge owes a verdict: how many, how long in all, and one of them."""

    n: int
    n_characters: int
    sample: Owed


def owed_texts(store: Store, plan: Plan, parser_id: int, judge_id: int) -> list[OwedTexts]:
    """What a judge still owes of a plan, by prompt. `judge_id` -1 stands for one that never judged."""
    rows = store.db.execute(
        f"""
        SELECT count(*), sum(length(r.text)), min(r.reply_id), p.assessment, p.item, p.part, p.format, p.condition,
               p.text, p.scoring, r.text, r.outcome, r.refusal, r.sample, r.round
        FROM plan_cells pc JOIN cells c ON c.cell_id = pc.cell_id JOIN prompts p ON p.prompt_id = c.prompt_id
        JOIN replies r ON r.cell_id = pc.cell_id AND r.sample < pc.n_samples
        JOIN verdicts v ON v.reply_id = r.reply_id AND v.scorer_id = :parser AND v.status = 'referred'
        WHERE pc.plan_id = :plan AND {_NOT_VOIDED}
          AND NOT EXISTS (SELECT 1 FROM verdicts j WHERE j.reply_id = r.reply_id AND j.scorer_id = :judge
                          AND j.status <> 'retry')
        GROUP BY p.prompt_id ORDER BY pc.position
        """,
        {"plan": plan.plan_id, "parser": parser_id, "judge": judge_id},
    )
    return [OwedTexts(n, characters or 0, _owed(row)) for n, characters, *row in rows]


def _owed(row: Sequence[Any]) -> Owed:
    reply_id, *prompt_row, text, outcome, refusal, sample, round = row
    prompt = stored_prompt(prompt_row)
    return Owed(reply_id, prompt, Answer(text, Outcome(outcome), refusal), 0, reply_key(prompt, sample, round))


def draw_by_level(store: Store, assessment: str, judge: Scorer, n: int, variants: Sequence[int] = ()) -> list[Owed]:
    """At most `n` judged replies, as evenly over the score levels as there are replies, the same for every judge.

    The levels are those of the active judge, else of this one, else of any. The seed hangs on the store alone.
    """
    by_level = _levels(store, assessment, judge)
    source = random.Random(content_hash([store.store_id, n]))
    for ids in by_level.values():
        source.shuffle(ids)
    found: list[Owed] = []
    waiting = [by_level[level] for level in sorted(by_level)]
    while len(found) < n and any(waiting):
        for ids in waiting:
            reply = _next(store, ids, assessment, variants)
            if reply is not None and len(found) < n:
                found.append(reply)
    return found


def _levels(store: Store, assessment: str, judge: Scorer) -> dict[float, list[int]]:
    active = active_judge(store)
    for held in [*([active] if active else []), judge, *judges(store)]:
        levels: dict[float, list[int]] = {}
        for value, reply_id in store.db.execute(
            """
            SELECT v.value, v.reply_id FROM verdicts v JOIN replies r USING (reply_id) JOIN cells c USING (cell_id)
            JOIN prompts p USING (prompt_id)
            WHERE v.scorer_id = ? AND v.status = 'scored' AND p.assessment = ? ORDER BY 1, 2
            """,
            (held.scorer_id, assessment),
        ):
            levels.setdefault(value, []).append(reply_id)
        if levels:
            return levels
    return {}


def _next(store: Store, ids: list[int], assessment: str, variants: Sequence[int]) -> Owed | None:
    """The next reply of a shuffled list that is not voided and belongs to the variants; it is used up."""
    while ids:
        row = store.db.execute(
            f"""
            SELECT c.variant_id, r.reply_id, p.assessment, p.item, p.part, p.format, p.condition, p.text, p.scoring,
                   r.text, r.outcome, r.refusal, r.sample, r.round
            FROM replies r JOIN cells c USING (cell_id) JOIN prompts p USING (prompt_id)
            WHERE r.reply_id = ? AND {_NOT_VOIDED}
            """,
            (ids.pop(),),
        ).fetchone()
        if row is not None and (not variants or row[0] in variants):
            return _owed(row[1:])
    return None


def planted_events(store: Store, kind: str) -> list[Mapping[str, Any]]:
    """The details of run events of a kind, each with its `run` and `at`, oldest first."""
    rows = store.db.execute(
        "SELECT e.detail, runs.uid, e.at FROM run_events e JOIN runs USING (run_id) WHERE e.kind = ? ORDER BY event_id",
        (kind,),
    )
    return [{**json.loads(detail), "run": uid, "at": at} for detail, uid, at in rows]
