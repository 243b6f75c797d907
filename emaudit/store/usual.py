"""What stored replies of an assessment took: tokens, and how many went to a judge. Reads only, a bounded number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from emaudit.store.connection import Store

_PLANS: Final = 4
"""Plans looked at, the newest with replies."""
_NEWEST: Final = 2_000
_ENOUGH: Final = 20
"""Replies that stand for the rest."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What the replies of one format took.

    `n` replies with `tokens` output tokens each on average; `referred` is the share a parser sent to a judge (None
    where it read none of them), `verdict_tokens` what a verdict took (None where none is stored).
    """

    n: int
    tokens: float
    referred: float | None
    verdict_tokens: float | None
    is_own: bool
    """Whether they are all of the variant asked about."""


_TOOK = """
SELECT p.format, count(*),
       coalesce(1.0 * sum(r.completion_tokens), sum(length(CAST(r.text AS BLOB))) / 4.0) / count(*),
       1.0 * sum(v.status = 'referred') / nullif(count(v.status), 0),
       avg((SELECT j.completion_tokens FROM verdicts j JOIN scorers s ON s.scorer_id = j.scorer_id AND s.kind = 'judge'
            WHERE j.reply_id = r.reply_id AND j.completion_tokens IS NOT NULL ORDER BY j.verdict_id LIMIT 1))
FROM plan_cells pc
JOIN cells c ON c.cell_id = pc.cell_id
JOIN prompts p ON p.prompt_id = c.prompt_id
JOIN replies r ON r.cell_id = pc.cell_id AND r.sample < pc.n_samples AND r.outcome <> 'error'
LEFT JOIN scorers s ON s.kind = 'parser' AND s.identity = ?
LEFT JOIN verdicts v ON v.reply_id = r.reply_id AND v.scorer_id = s.scorer_id
WHERE pc.plan_id IN (
    SELECT plan_id FROM plans WHERE assessment = ? AND (? OR variant_id = ?)
    AND EXISTS (SELECT 1 FROM plan_cells JOIN replies USING (cell_id) WHERE plan_cells.plan_id = plans.plan_id)
    ORDER BY plan_id DESC LIMIT ?)
GROUP BY p.format
"""


def usual(store: Store, variant_id: int, assessment: str, parser: str) -> dict[str, Usual]:
    """What replies took, by format: the variant's own where it has 20, else those of all variants."""
    found: dict[str, Usual] = {}
    for is_own in (False, True):
        rows = store.db.execute(_TOOK, (parser, assessment, not is_own, variant_id, _PLANS))
        for form, n, tokens, referred, verdict in rows:
            if n >= _ENOUGH:
                found[form] = Usual(n, tokens, referred, verdict, is_own)
    return found


def asked_singly(store: Store, url: str) -> bool:
    """Whether the newest replies of an endpoint came one with each request, although more were asked for."""
    n, alone = store.db.execute(
        "SELECT count(*), coalesce(sum(prompt_tokens IS NOT NULL), 0) FROM "
        "(SELECT * FROM replies ORDER BY reply_id DESC LIMIT ?) WHERE endpoint_url = ? AND sample > 0",
        (_NEWEST, url),
    ).fetchone()
    return bool(n >= _ENOUGH and alone * 2 > n)
