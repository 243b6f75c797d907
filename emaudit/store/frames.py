"""The frame of a draw: the closed replies that can be labelled, with the judge's final value. Reads only.

Owns its SQL. A reply counts by its parser's reading unless that referred it to the judge, as in the tables.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from emaudit.store.connection import Store
from emaudit.store.plans import Plan
from emaudit.store.readings import parser_of

CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class FrameRow:
    """One reply that could be drawn. `status` is scored, neutral, unscored or owed; `value` None unless one of two."""

    reply_id: int
    variant_id: int
    cell_id: int
    format: str
    status: str
    value: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge, or the parser where no judge was needed, finally made of a reply; `owed` where nobody has yet."""

    status: str
    value: float | None
    reason: str = ""
    raw: str = ""
    scored_by: str = ""


_FRAME: Final = """
SELECT r.reply_id, c.variant_id, c.cell_id, p.format,
       CASE WHEN v.status IS NULL THEN 'owed' WHEN v.status <> 'referred' THEN v.status
            ELSE coalesce(j.status, 'owed') END,
       CASE WHEN v.status = 'referred' THEN j.value ELSE v.value END
FROM plan_cells pc
JOIN cells c ON c.cell_id = pc.cell_id
JOIN prompts p ON p.prompt_id = c.prompt_id
JOIN replies r ON r.cell_id = pc.cell_id AND r.sample < pc.n_samples
     AND NOT EXISTS (SELECT 1 FROM voided WHERE voided.reply_id = r.reply_id)
LEFT JOIN verdicts v ON v.reply_id = r.reply_id AND v.scorer_id = :parser
LEFT JOIN verdicts j ON j.reply_id = r.reply_id AND j.scorer_id = :judge AND j.status <> 'retry' AND j.part = ''
     AND v.status = 'referred'
WHERE pc.plan_id = :plan
ORDER BY pc.position, r.sample
"""


def frame(store: Store, plan: Plan, judge_id: int | None) -> list[FrameRow]:
    """The closed, not voided replies of a plan in its order, with the final value under a judge (None: no judge)."""
    binding = {
        "plan": plan.plan_id,
        "parser": parser_of(store, plan),
        "judge": -1 if judge_id is None else judge_id,
    }
    return [FrameRow(*row) for row in store.db.execute(_FRAME, binding)]


def voided(store: Store, reply_ids: Collection[int]) -> set[int]:
    """Those of these replies that were voided since."""
    ids = json.dumps(sorted(reply_ids))
    rows = store.db.execute("SELECT reply_id FROM json_each(?) ids JOIN voided ON reply_id = ids.value", (ids,))
    return {row[0] for row in rows}


_FINALS: Final = """
SELECT v.reply_id, s.kind, v.scorer_id, v.status, v.value, v.reason, v.raw
FROM json_each(:ids) ids JOIN verdicts v ON v.reply_id = ids.value JOIN scorers s ON s.scorer_id = v.scorer_id
WHERE v.status <> 'retry' AND v.part = '' AND (v.scorer_id = :judge OR s.kind = 'parser')
"""


def finals(store: Store, reply_ids: Collection[int], judge_id: int, parsers: Sequence[int] = ()) -> dict[int, Verdict]:
    """The final verdict under a judge on each of these replies that has one.

    Of several parsers the one among `parsers` counts (those of the draw), else the newest.
    """
    read: dict[int, tuple[bool, int, Verdict]] = {}
    judged: dict[int, Verdict] = {}
    ids = sorted(reply_ids)
    for start in range(0, len(ids), CHUNK):
        binding = {"ids": json.dumps(ids[start : start + CHUNK]), "judge": judge_id}
        for reply_id, kind, scorer_id, status, value, reason, raw in store.db.execute(_FINALS, binding):
            found = Verdict(status, value, reason, raw, kind)
            if kind != "parser":
                judged[reply_id] = found
            elif reply_id not in read or (scorer_id in parsers, scorer_id) > read[reply_id][:2]:
                read[reply_id] = (scorer_id in parsers, scorer_id, found)
    return {
        reply_id: judged.get(reply_id, Verdict("owed", None)) if found.status == "referred" else found
        for reply_id, (_, _, found) in read.items()
    }
