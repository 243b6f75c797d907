"""The texts that plans and judges were pinned to, and the prompts as they were asked. Reads only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emaudit.prompts import content_hash
from emaudit.store.connection import Store
from emaudit.store.plans import Plan
from emaudit.store.scorers import Scorer


@dataclass(frozen=True, slots=True)
class AskedPrompt:
    """One prompt of a plan as it went out, without its system prompt."""

    item: str
    part: str
    format: str
    condition: str
    text: str


def asked_prompts(store: Store, plan: Plan) -> list[AskedPrompt]:
    """Every prompt of a plan, in its order."""
    rows = store.db.execute(
        "SELECT p.item, p.part, p.format, p.condition, p.text FROM plan_cells pc JOIN cells c USING (cell_id) "
        "JOIN prompts p USING (prompt_id) WHERE pc.plan_id = ? ORDER BY pc.position",
        (plan.plan_id,),
    )
    return [AskedPrompt(*row) for row in rows]


def pinned_content(store: Store, plan: Plan) -> Mapping[str, Any] | None:
    """The instrument of a plan as its runs pinned it; None where none did (imported replies)."""
    wanted = plan.instrument.rpartition("@")[2]
    rows = store.db.execute(
        "SELECT DISTINCT t.hash, t.text FROM run_plans rp JOIN runs USING (run_id) "
        "JOIN texts t ON t.hash = runs.protocol_hash WHERE rp.plan_id = ? ORDER BY t.hash",
        (plan.plan_id,),
    )
    for _, text in rows:
        content = json.loads(text).get("instruments", {}).get(plan.assessment)
        if content is not None and content_hash(content).startswith(wanted):
            return dict(content)
    return None


def pinned_rubrics(store: Store, judge: Scorer) -> dict[str, Mapping[str, Any]]:
    """Kind -> the texts of a judge's rubric as its runs pinned them; without those that no run did."""
    wanted = judge.detail.get("rubrics", {})
    hashes = wanted if isinstance(wanted, dict) else {}
    found: dict[str, Mapping[str, Any]] = {}
    for rubrics in _rubrics(store, judge):
        for kind, texts in rubrics.items():
            if kind not in found and _rubric_hash(texts) == hashes.get(kind):
                found[kind] = texts
    return {kind: found[kind] for kind in sorted(found)}


def _rubrics(store: Store, judge: Scorer) -> Iterator[Mapping[str, Any]]:
    rows = store.db.execute(
        "SELECT DISTINCT t.hash, t.text FROM runs JOIN texts t ON t.hash = runs.protocol_hash "
        "WHERE runs.judge_id = ? ORDER BY t.hash",
        (judge.scorer_id,),
    )
    for _, text in rows:
        yield json.loads(text).get("rubrics", {})


def _rubric_hash(texts: Mapping[str, Any]) -> str:
    return content_hash([texts.get(name) for name in ("system", "question", "reminder", "schema")])
