"""What a run will have taken at its end: what it took so far, and what the rest takes at the rate seen so far.

Kept by plan and format, since a number takes fewer tokens than a paragraph; what was expected beforehand counts as
much as some replies. Asks nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from emaudit import tokens
from emaudit.assessments.base import Reading, Status
from emaudit.completions import Completion
from emaudit.config import Price, Settings
from emaudit.estimates import ASSUMED, OTHERS, OWN, Expected, Load, owed_by_format
from emaudit.judges import Judge
from emaudit.planning import Prepared, RunSpec, assessment_of, endpoint_of
from emaudit.runner.counts import Counts
from emaudit.store.connection import Store

ENOUGH: Final = 20
"""Replies or verdicts before which nothing is said of the end; a share expected counts as much as so many."""
WORTH: Final[Mapping[str, float]] = {ASSUMED: 0.25, OTHERS: 4.0, OWN: 40.0}
"""Replies as much as which an expected length counts, by what it rests on."""
_LONG: Final = 20.0
"""Output tokens from which a reply is free text: who is brief in some of it is brief in the rest."""


@dataclass(frozen=True, slots=True)
class Part:
    """The replies of one format that a plan owed when the run began, and what they were expected to take."""

    plan_id: int
    assessment: str
    form: str
    model: str
    load: Load
    expected: Expected


@dataclass(slots=True)
class _Took:
    n: int = 0
    asked: float = 0.0
    said: float = 0.0
    planned: float = 0.0
    read: int = 0
    referred: int = 0


@dataclass(frozen=True, slots=True)
class End:
    """Tokens of this process at the end of its run, and their price; None where one is not configured."""

    input_tokens: int
    output_tokens: int
    cost: float | None


@dataclass(slots=True)
class Outlook:
    """Follows one run; `waiting` is how many stored replies owed a verdict when it began."""

    parts: Sequence[Part]
    judge: str
    counts: Counts
    prices: Mapping[str, Price]
    waiting: int = 0
    _replies: dict[tuple[int, str], _Took] = field(default_factory=lambda: defaultdict(_Took))
    _verdicts: dict[tuple[str, str], _Took] = field(default_factory=lambda: defaultdict(_Took))

    def replied(self, plan_id: int, form: str, n: int, body: Mapping[str, Any], completion: Completion) -> None:
        """A request brought `n` replies."""
        asked, said = tokens.taken(body, completion)
        took = self._replies[plan_id, form]
        took.n += n
        took.asked += asked
        took.said += said
        took.planned += tokens.of_request(body) * n

    def read(self, plan_id: int, form: str, reading: Reading) -> None:
        """A reply was read, and may go to the judge."""
        took = self._replies[plan_id, form]
        took.read += 1
        took.referred += reading.status is Status.REFERRED

    def judged(self, assessment: str, form: str, body: Mapping[str, Any], completion: Completion) -> None:
        """A judge answered."""
        asked, said = tokens.taken(body, completion)
        took = self._verdicts[assessment, form]
        took.n += 1
        took.asked += asked
        took.said += said

    def end(self) -> End | None:
        """The end as it looks now; None before 20 replies or verdicts are in."""
        counts, prices = self.counts, self.prices
        seen = (*self._replies.values(), *self._verdicts.values())
        if not self.parts or sum(took.n for took in seen) < ENOUGH:
            return None
        rest: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for part in self.parts:
            asked, said = self._own_rest(part)
            rest[part.model][0] += asked
            rest[part.model][1] += said
        for asked, said in self._judging_rest():
            rest[self.judge][0] += asked
            rest[self.judge][1] += said
        more = {model: (round(asked), round(said)) for model, (asked, said) in rest.items() if asked or said}
        money = counts.money
        known = money is not None and more.keys() <= prices.keys()
        cost = sum((prices[model].of(*held) for model, held in more.items()), money or Decimal(0)) if known else None
        return End(
            counts.input_tokens + sum(asked for asked, _ in more.values()),
            counts.output_tokens + sum(said for _, said in more.values()),
            None if cost is None else float(cost),
        )

    def _own_rest(self, part: Part) -> tuple[float, float]:
        """Input and output tokens of the replies of a part that are not there yet."""
        took, load = self._replies[part.plan_id, part.form], part.load
        left = max(0, load.n_owed - took.n)
        ratio = (
            took.asked * load.n_owed / (took.planned * load.n_requests) if took.n >= ENOUGH and took.planned else 1.0
        )
        return load.input_tokens * ratio * left / load.n_owed, self._each(part) * left

    def _each(self, part: Part) -> float:
        """Output tokens of a reply of a part."""
        took, expected = self._replies[part.plan_id, part.form], part.expected
        if not took.n and expected.basis == ASSUMED and expected.reply_tokens >= _LONG:
            return expected.reply_tokens * self._length(part.model)
        worth = WORTH[expected.basis]
        return (took.said + worth * expected.reply_tokens) / (took.n + worth)

    def _length(self, model: str) -> float:
        """How long the free text of a model is, by the length assumed of it."""
        said = assumed = 0.0
        for part in self.parts:
            took, expected = self._replies[part.plan_id, part.form], part.expected
            if part.model == model and expected.basis == ASSUMED and expected.reply_tokens >= _LONG:
                said += took.said
                assumed += took.n * expected.reply_tokens
        return said / assumed if assumed else 1.0

    def _judging_rest(self) -> Iterable[tuple[float, float]]:
        """Input and output tokens of the verdicts that are not there yet, by assessment and format."""
        owed: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
        for part in self.parts:
            took, expected = self._replies[part.plan_id, part.form], part.expected
            share = (took.referred + ENOUGH * expected.judged_share) / (took.read + ENOUGH)
            n = took.referred + max(0, part.load.n_owed - took.read) * share
            held = owed[part.assessment, part.form]
            held[0] += n
            longer = self._each(part) - expected.reply_tokens if expected.judged_share == 1.0 else 0.0
            held[1] += n * (expected.judge_input + longer)
            held[2] += n * expected.verdict_tokens
        waiting = self.waiting
        for key, (n, asked, said) in owed.items():
            took = self._verdicts[key]
            surplus = min(waiting, max(0, took.n - n))
            waiting -= int(surplus)
            left = max(0.0, n + surplus - took.n)
            worth = min(n, 1.0)
            if took.n or worth:
                each = worth / n if n else 0.0
                yield (
                    (took.asked + asked * each) / (took.n + worth) * left,
                    (took.said + said * each) / (took.n + worth) * left,
                )


def outlook_of(
    store: Store, settings: Settings, spec: RunSpec, ready: Sequence[Prepared], judge: Judge, counts: Counts
) -> Outlook:
    """The outlook of a run about to begin."""
    parts: list[Part] = []
    for item in ready:
        endpoint, plan = endpoint_of(settings, item.variant), item.plan
        owed = owed_by_format(store, judge.library, assessment_of(spec, plan.assessment), plan, endpoint)
        parts += [
            Part(plan.plan_id, plan.assessment, held.form, item.variant.model, held.load, held.expected)
            for held in owed
        ]
    return Outlook(parts, judge.model, counts, settings.prices, counts.n_referred - counts.n_judged)
