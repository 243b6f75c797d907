"""People's labels as one more judge to compare: their values on what they labelled, and the corrected headlines."""

from __future__ import annotations

from collections.abc import Iterator

from emaudit.scores.agreement.corrected import correct
from emaudit.scores.agreement.gathering import spot_check
from emaudit.scores.agreement.inputs import SpotCheck, hidden_because, usable_labels
from emaudit.scores.agreement.measures import Measure, measures_of
from emaudit.scores.agreement.pairs import design_weights, judge_human_pairs
from emaudit.scores.judges import Headline, JudgeTable
from emaudit.store.connection import Store
from emaudit.store.queues import Queue

PREFIX = "people:"


def people_table(store: Store, queue: Queue) -> JudgeTable | None:
    """A spot-check as a judge called `people:QUEUE`; None while its results are hidden, or without a blind label.

    Its values are the first reviewer's blind labels, each with its design weight; its headlines the corrected ones,
    of which `used` counts labels and `expected` those planned.
    """
    check = spot_check(store, queue)
    labels = usable_labels(check, check.reviewer)
    if hidden_because(check) or not labels:
        return None
    values = {(item.reply, ""): value for item, value in labels}
    weights = _weights(check)
    return JudgeTable(
        f"{PREFIX}{queue.name}",
        {queue.assessment: values},
        list(_headlines(check)),
        {queue.assessment: weights},
    )


def _weights(check: SpotCheck) -> dict[tuple[int, str], float]:
    """N_h / n_h of every labelled reply that the queue's judge scored."""
    measure = next(found for found in _measures(check) if not found.is_maximum)
    pairs = judge_human_pairs(check, measure, check.reviewer, "pooled")
    replies = {item.position: item.reply for item in check.main}
    found = zip(pairs, design_weights(check, pairs), strict=True)
    return {(replies[pair.position], ""): weight for pair, weight in found}


def _measures(check: SpotCheck) -> list[Measure]:
    return measures_of(check.assessment, check.design, {item.form for item in check.items}, False)


def _headlines(check: SpotCheck) -> Iterator[Headline]:
    for measure in _measures(check):
        for variant in check.variants:
            found = correct(check, measure, variant)
            planned = sum(item.variant == variant for item in check.main)
            known = found.value is not None
            yield Headline(variant, check.assessment, check.preset, measure.name, found.value, found.n, planned, known)
