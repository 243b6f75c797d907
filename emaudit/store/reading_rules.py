"""Which scorer's verdict counts for a reply, where whole lists are read: newest parsers, and a judge per variant.

Reads only. The same rule as `readings`, without going through every plan.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from emaudit.filters import Filters
from emaudit.store.connection import Store
from emaudit.store.scorers import active_judge

Pair = tuple[int, str]
"""(variant id, assessment)."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Parsers of each assessment, oldest first, and the judge in use of every variant and assessment."""

    parsers: Mapping[str, tuple[int, ...]]
    judges: Mapping[Pair, int]
    active: int
    imported: frozenset[int]
    known: tuple[int, ...]
    """All judges there are, in the order they came."""

    def judge(self, variant_id: int, assessment: str) -> int:
        """The judge whose verdicts count for a variant and assessment; -1 where there is none."""
        return self.judges.get((variant_id, assessment), self.active)

    def in_use(self, variants: Collection[int] = (), assessments: Collection[str] = ()) -> set[int]:
        """The judges that count for some variants and assessments (all where empty)."""
        found = {
            judge
            for (variant_id, assessment), judge in self.judges.items()
            if (not variants or variant_id in variants) and (not assessments or assessment in assessments)
        }
        return found or ({self.active} if self.active != -1 else set())

    @property
    def superseded(self) -> dict[int, tuple[int, ...]]:
        """Parser -> the newer ones of its assessment; empty where each assessment has one."""
        return {
            parser: held[at + 1 :] for held in self.parsers.values() for at, parser in enumerate(held) if held[at + 1 :]
        }


def rules_of(store: Store, filters: Filters) -> Rules:
    """The rules under a choice of judge."""
    parsers: dict[str, list[int]] = {}
    judges: list[tuple[int, str]] = []
    for scorer_id, kind, identity in store.db.execute("SELECT scorer_id, kind, identity FROM scorers ORDER BY 1"):
        if kind == "parser":
            parsers.setdefault(identity.removeprefix("parser:").split("@")[0], []).append(scorer_id)
        else:
            judges.append((scorer_id, kind))
    chosen = active_judge(store) if filters.judge is None else None
    active = filters.judge if filters.judge is not None else chosen.scorer_id if chosen else -1
    return Rules(
        {key: tuple(ids) for key, ids in parsers.items()},
        {} if filters.judge is not None else _judges_in_use(store, active),
        active,
        frozenset(scorer_id for scorer_id, kind in judges if kind != "judge"),
        tuple(scorer_id for scorer_id, _ in judges),
    )


_NAMED = """
SELECT plans.variant_id, plans.assessment, plans.plan_id, runs.judge_id
FROM run_plans JOIN runs USING (run_id) JOIN plans USING (plan_id)
WHERE runs.judge_id IS NOT NULL ORDER BY run_plans.since, run_plans.run_id
"""
_ANSWERED = """
SELECT EXISTS (SELECT 1 FROM plan_cells pc JOIN replies r ON r.cell_id = pc.cell_id
    JOIN verdicts j ON j.reply_id = r.reply_id AND j.scorer_id = ? AND j.status <> 'retry' WHERE pc.plan_id = ?)
"""


def _judges_in_use(store: Store, active: int) -> dict[Pair, int]:
    """The active judge where it was asked and answered, elsewhere the one asked last that did."""
    named: dict[Pair, dict[int, set[int]]] = {}
    for variant_id, assessment, plan_id, judge_id in store.db.execute(_NAMED):
        plans = named.setdefault((variant_id, assessment), {})
        held = plans.pop(judge_id, set())
        plans[judge_id] = held | {plan_id}
    found: dict[Pair, int] = {}
    for pair, plans in named.items():
        order = sorted(plans, key=lambda judge: judge == active)
        candidates = [judge for judge in reversed(order) if len(plans) == 1 or _has_answered(store, judge, plans)]
        found[pair] = candidates[0] if candidates else active
    return found


def _has_answered(store: Store, judge: int, plans: Mapping[int, Collection[int]]) -> bool:
    return any(
        store.db.execute(_ANSWERED, (judge, plan_id)).fetchone()[0]
        for plan_id in {plan_id for held in plans.values() for plan_id in held}
    )
