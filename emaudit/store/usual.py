"""What stored replies of an assessment took: tokens, and how many went to a judge. Reads only, a bounded number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from emaudit.store.connection import Store
from emaudit.store.variants import variants
from emaudit.variants import Variant

_VARIANTS: Final = 6
"""Other variants looked at, those planned last."""
_PLANS: Final = 2
"""Plans of the variant itself that are looked at, the newest with replies."""
_NEWEST: Final = 2_000
ENOUGH: Final = 20
"""Replies that stand for the rest; what is known beforehand of a share counts as much as so many."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What the replies of one format took.

    `n` replies with `tokens` output tokens each on average; `referred` of `n_read` a parser sent to a judge, with
    `referred_tokens` each. `verdict_tokens` is what a verdict took. None: nothing stored that tells.
    """

    n: float
    tokens: float
    n_read: float
    referred: float
    referred_tokens: float | None
    verdict_tokens: float | None

    def share(self, before: float) -> float:
        """The share of replies that go to a judge, from what is stored and what was taken for it before."""
        return (self.referred + ENOUGH * before) / (self.n_read + ENOUGH)


class _Took(NamedTuple):
    """Of one variant and format: counts, and averages for each reply or verdict."""

    variant_id: int
    form: str
    n: int
    tokens: float
    n_read: int
    referred: int
    referred_tokens: float | None
    verdict_tokens: float | None


_TOOK = """
SELECT c.variant_id, p.format, count(*),
       coalesce(1.0 * sum(r.completion_tokens), sum(length(CAST(r.text AS BLOB))) / 4.0) / count(*),
       count(v.status), coalesce(sum(v.status = 'referred'), 0),
       avg(CASE v.status WHEN 'referred' THEN length(r.text) / 4.0 END),
       avg((SELECT j.completion_tokens FROM verdicts j JOIN scorers s ON s.scorer_id = j.scorer_id AND s.kind = 'judge'
            WHERE j.reply_id = r.reply_id AND j.completion_tokens IS NOT NULL ORDER BY j.verdict_id LIMIT 1))
FROM plan_cells pc
JOIN cells c ON c.cell_id = pc.cell_id
JOIN prompts p ON p.prompt_id = c.prompt_id
JOIN replies r ON r.cell_id = pc.cell_id AND r.sample < pc.n_samples AND r.outcome <> 'error'
LEFT JOIN scorers s ON s.kind = 'parser' AND s.identity = ?
LEFT JOIN verdicts v ON v.reply_id = r.reply_id AND v.scorer_id = s.scorer_id
WHERE pc.plan_id IN ({plans})
GROUP BY c.variant_id, p.format
"""
_WITH_REPLIES = (
    "EXISTS (SELECT 1 FROM plan_cells JOIN replies USING (cell_id) WHERE plan_cells.plan_id = plans.plan_id)"
)
_OWN = (
    f"SELECT plan_id FROM plans WHERE assessment = ? AND variant_id = ? AND {_WITH_REPLIES} "
    "ORDER BY plan_id DESC LIMIT ?"
)
_OF_OTHERS = (
    f"SELECT max(plan_id) FROM plans WHERE assessment = ? AND variant_id <> ? AND {_WITH_REPLIES} "
    "GROUP BY variant_id ORDER BY max(plan_id) DESC LIMIT ?"
)


def own_usual(store: Store, variant_id: int, assessment: str, parser: str) -> dict[str, Usual]:
    """What replies of the variant itself took, by format."""
    return _pooled(_took(store, _OWN, (parser, assessment, variant_id, _PLANS)), lambda _: 1.0)


def others_usual(store: Store, variant_id: int, assessment: str, parser: str) -> dict[str, Usual]:
    """What replies of other variants took, by format: those of a like recipe, and then of the same stage, most."""
    rows = {row.variant_id: row for row in variants(store, hidden=True)}
    own = rows[variant_id]
    found = _took(store, _OF_OTHERS, (parser, assessment, variant_id, _VARIANTS))
    return _pooled(found, lambda other: _likeness(own, rows[other]))


def _likeness(own: Variant, other: Variant) -> float:
    """How much a variant's replies count for those of another."""
    if own.stage and (own.stage, own.domain) == (other.stage, other.domain):
        return 4.0
    return 2.0 if own.stage and own.stage == other.stage else 1.0


def _took(store: Store, plans: str, values: tuple[str | int, ...]) -> Iterator[_Took]:
    return map(_Took._make, store.db.execute(_TOOK.format(plans=plans), values))


def _pooled(rows: Iterable[_Took], weight: Callable[[int], float]) -> dict[str, Usual]:
    """Means over variants by format; one of few replies counts less, so one of thousands is not all that counts."""
    by_format: dict[str, list[tuple[float, _Took]]] = defaultdict(list)
    for row in rows:
        by_format[row.form].append((weight(row.variant_id) * row.n / (row.n + ENOUGH), row))
    return {form: _mean(held) for form, held in by_format.items() if sum(row.n for _, row in held) >= ENOUGH}


def _mean(held: list[tuple[float, _Took]]) -> Usual:
    n_read = sum(row.n_read for _, row in held)
    share = _average((weight, row.referred / row.n_read) for weight, row in held if row.n_read)
    return Usual(
        sum(row.n for _, row in held),
        _average((weight, row.tokens) for weight, row in held) or 0.0,
        n_read,
        (share or 0.0) * n_read,
        _average((row.referred, row.referred_tokens) for _, row in held if row.referred_tokens is not None),
        _average((weight, row.verdict_tokens) for weight, row in held if row.verdict_tokens is not None),
    )


def _average(values: Iterable[tuple[float, float]]) -> float | None:
    held = list(values)
    total = sum(weight for weight, _ in held)
    return sum(weight * value for weight, value in held) / total if total else None


def asked_singly(store: Store, url: str) -> bool:
    """Whether the newest replies of an endpoint came one with each request, although more were asked for."""
    n, alone = store.db.execute(
        "SELECT count(*), coalesce(sum(prompt_tokens IS NOT NULL), 0) FROM "
        "(SELECT * FROM replies ORDER BY reply_id DESC LIMIT ?) WHERE endpoint_url = ? AND sample > 0",
        (_NEWEST, url),
    ).fetchone()
    return bool(n >= ENOUGH and alone * 2 > n)
