"""The single replies of a plan that have a value, by where they stand. Reads only.

Owns its SQL. A reply counts by its parser's reading unless that referred it to the judge, as in the tables.
"""

from __future__ import annotations

from typing import Final

from emaudit.store.connection import Store
from emaudit.store.plans import plan
from emaudit.store.readings import parser_of
from emaudit.store.scorers import by_identity

_SAMPLES: Final = """
SELECT CASE WHEN v.status = 'referred' THEN coalesce(nullif(j.part, ''), p.part) ELSE p.part END,
       p.format, p.item, p.condition, r.sample, CASE WHEN v.status = 'referred' THEN j.value ELSE v.value END AS counted
FROM plan_cells pc
JOIN cells c ON c.cell_id = pc.cell_id
JOIN prompts p ON p.prompt_id = c.prompt_id
JOIN replies r ON r.cell_id = pc.cell_id AND r.sample < pc.n_samples
     AND NOT EXISTS (SELECT 1 FROM voided WHERE voided.reply_id = r.reply_id)
JOIN verdicts v ON v.reply_id = r.reply_id AND v.scorer_id = :parser
LEFT JOIN verdicts j ON j.reply_id = r.reply_id AND j.scorer_id = :judge AND j.status <> 'retry'
     AND v.status = 'referred'
WHERE pc.plan_id = :plan AND counted IS NOT NULL
"""


def samples(store: Store, plan_id: int, judge: str = "") -> dict[tuple[str, str, str, str, int], float]:
    """(part, format, item, condition, sample) -> the reply's value on the scale of responses.csv.

    `judge` is the identity of the judge whose verdicts count, empty for none. Unscored replies are left out; an
    open-ended reply stands once per dimension judged. Raises UsageError for an unknown judge.
    """
    binding = {
        "plan": plan_id,
        "parser": parser_of(store, plan(store, plan_id)),
        "judge": by_identity(store, judge).scorer_id if judge else -1,
    }
    return {tuple(place): value for *place, value in store.db.execute(_SAMPLES, binding)}
