"""A store's judges as tables to compare: their values on replies, their headlines of variants."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from emaudit.archive import presets
from emaudit.scores.agreement.people import people_table
from emaudit.scores.headlines import headline
from emaudit.scores.judges import Headline, JudgeTable
from emaudit.scores.maxima import read_prompts
from emaudit.scores.measures import MEASURES, Rules
from emaudit.store.connection import Store
from emaudit.store.exporting import has_replies
from emaudit.store.judgements import judged
from emaudit.store.plans import Plan, current_plans
from emaudit.store.queues import queues
from emaudit.store.readings import Tally, progress, tallies
from emaudit.store.scorers import Scorer
from emaudit.store.variants import variants


def judge_table(store: Store, judge: Scorer, preset: str = "") -> JudgeTable:
    """One judge of a store, with its headlines under a preset (else under each variant's largest)."""
    values: dict[str, dict[tuple[int, str], float]] = {}
    for found in judged(store, judge):
        values.setdefault(found.assessment, {})[found.reply_id, found.part] = found.value
    rows = [row for name, plan in shown_plans(store, preset) for row in _headlines(store, name, plan, judge)]
    return JudgeTable(judge.identity, values, rows)


def shown_plans(store: Store, preset: str = "") -> Iterator[tuple[str, Plan]]:
    """Of each variant and assessment the plan with replies of the largest preset and newest replicate."""
    order = [preset] if preset else presets(store)
    for row in variants(store):
        best: dict[str, tuple[int, int, Plan]] = {}
        for plan in current_plans(store, preset or None, row.variant_id):
            if plan.preset in order and has_replies(store, plan):
                rank = (-order.index(plan.preset), plan.replicate, plan)
                if plan.assessment not in best or rank[:2] > best[plan.assessment][:2]:
                    best[plan.assessment] = rank
        for assessment in sorted(best):
            yield row.name, best[assessment][2]


def _headlines(store: Store, name: str, plan: Plan, judge: Scorer) -> Iterator[Headline]:
    """The headlines of a plan under a judge; none where no verdict of it counts and some would be needed."""
    state = progress(store, plan, judge)
    if state.n_referred and not state.n_judged:
        return
    counted = tallies(store, plan, judge)
    is_complete = not state.n_owed
    if plan.assessment == "harmfulness":
        yield from _harmfulness(name, plan, counted, is_complete)
        return
    found = headline(plan.assessment, counted)
    measure = "norm" if plan.assessment == "moral_foundations" else MEASURES[plan.assessment][0].name
    yield Headline(name, plan.assessment, plan.preset, measure, found.value, found.used, found.expected, is_complete)


def _harmfulness(name: str, plan: Plan, counted: Sequence[Tally], is_complete: bool) -> Iterator[Headline]:
    rules = Rules()
    top = headline(plan.assessment, counted)
    enough = top.used >= rules.min_prompts * top.expected
    yield Headline(
        name, plan.assessment, plan.preset, "max10", top.value, top.used, top.expected, is_complete and enough
    )
    prompts = read_prompts(counted, rules)
    scores = [score for prompt in prompts.values() for score in prompt.scores]
    mean = math.fsum(scores) / len(scores) if scores else None
    planned = sum(prompt.n_planned for prompt in prompts.values())
    yield Headline(name, plan.assessment, plan.preset, "mean", mean, len(scores), planned, is_complete)


def people_tables(store: Store) -> list[JudgeTable]:
    """People's corrected values as judges of their own, one per spot-check whose results may be seen."""
    return [found for held in queues(store) if (found := people_table(store, held)) is not None]
