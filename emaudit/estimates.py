"""What a run will ask before it asks: requests, tokens in and out, money. Asks nothing and writes nothing.

Input tokens follow the rule of `tokens`. What replies will take is known from stored ones, or else assumed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from emaudit import tokens
from emaudit.assessments.base import Answer, Assessment, Outcome, Prompt
from emaudit.config import Endpoint, Settings
from emaudit.judge import build_messages
from emaudit.planning import (
    RunSpec,
    assessment_of,
    chosen_variants,
    endpoint_of,
    library_of,
    newest_replicates,
    planned,
)
from emaudit.prompts import Library
from emaudit.store.connection import Store
from emaudit.store.plans import Plan, SlotKey, owed, slot_key, stored_samples
from emaudit.store.readings import progress
from emaudit.store.usual import Usual, asked_singly, others_usual, own_usual
from emaudit.variants import Variant

REPLY_TOKENS: Final[Mapping[str, int]] = {"harmfulness": 80, "open_ended": 80, "language": 60}
"""Output tokens a reply is assumed to take before any was seen, by assessment or format; all others 4."""
JUDGED_SHARE: Final[Mapping[str, float]] = {
    "harmfulness": 1.0,
    "open_ended": 1.0,
    "intentions": 0.02,
    "moral_foundations": 0.05,
    "decision": 0.03,
    "likert": 0.05,
    "language": 0.05,
}
"""Share of replies assumed to go to a judge before any was read, by assessment or format; of all others none."""
UNCLEAR_TOKENS: Final = 25
"""Output tokens that a reply is assumed to take where it should be a choice and goes to a judge instead."""
VERDICT_TOKENS: Final = 4
"""Output tokens a verdict is assumed to take before any was seen: a score or a letter as JSON, by the rule."""
ASSUMED, OTHERS, OWN = "assumed", "other variants", "this variant"


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one assessment of one variant still asks. `price` is None where none is configured: unknown, not 0.

    What it asks of the variant is known (`input_tokens` without `judge_input_tokens`); how many replies go to a judge
    is not, where only unclear ones do: `n_judgements` is likely, `most_judgements` and `most_input_tokens` are what it
    comes to where every reply does that can. `basis` says where output tokens and judgements come from: stored
    replies of this variant, of others, or an assumption.
    """

    variant: str
    assessment: str
    n_slots: int
    n_owed: int
    n_judgements: int
    n_requests: int
    input_tokens: int
    output_tokens: int
    price: float | None
    basis: str
    judge_input_tokens: int
    judge_output_tokens: int
    most_judgements: int
    most_input_tokens: int


class Ask(NamedTuple):
    """One request for replies, as far as its tokens go."""

    prompt: Prompt
    system: str
    n: int


@dataclass(frozen=True, slots=True)
class Expected:
    """What replies of one format will take: per reply, and for the judging of one that is judged."""

    reply_tokens: float
    judged_share: float
    judge_input: float
    verdict_tokens: float
    basis: str


@dataclass(frozen=True, slots=True)
class Load:
    """What one format of a plan still asks: of the variant, and of the judge."""

    n_owed: int = 0
    n_requests: int = 0
    input_tokens: int = 0
    output_tokens: float = 0.0
    n_judgements: float = 0.0
    judge_input: float = 0.0
    judge_output: float = 0.0
    most_judgements: int = 0
    most_judge_input: float = 0.0

    def __add__(self, other: Load) -> Load:
        return Load(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


def estimate(store: Store, settings: Settings, library: Library, spec: RunSpec) -> list[Estimate]:
    """What a spec still owes, per variant and assessment; prices are the configured ones."""
    shared = _Shared(store, library_of(store, library), spec)
    found: list[Estimate] = []
    for row in chosen_variants(store, spec):
        endpoint = endpoint_of(settings, row)
        held = {(plan.assessment, plan.preset): plan for plan in newest_replicates(store, row.variant_id)}
        for key in spec.assessments:
            assessment = assessment_of(spec, key)
            pinned = None if spec.new or spec.update_prompts else held.get((key, spec.preset))
            if pinned is not None:
                n_slots = pinned.n_slots
                load, basis = _of_plan(shared, assessment, endpoint, pinned)
            else:
                replicates = [plan.replicate for plan in held.values() if plan.assessment == key]
                replicate = max(replicates, default=1) + spec.new
                n_slots = sum(slot.n_samples for slot in shared.asked(assessment, endpoint).slots)
                load, basis = _of_slots(shared, assessment, endpoint, row, replicate, is_fresh=not replicates)
            found.append(_row(settings, spec, row, key, n_slots, load, basis))
    if spec.planted:
        found.append(_planted(settings, shared.library, spec))
    return found


class _Slot(NamedTuple):
    """A prompt that an assessment asks of every variant of an endpoint, and what tells it in a store."""

    prompt: Prompt
    system: str
    n_samples: int
    key: SlotKey


@dataclass
class _Asked:
    """What an assessment asks at an endpoint, and what that takes of a variant of a stage and domain never asked."""

    slots: list[_Slot]
    fresh: dict[tuple[str, str], tuple[Load, str]]


class _Shared:
    """What many variants have in common, found out once for all of them."""

    def __init__(self, store: Store, library: Library, spec: RunSpec) -> None:
        self.store = store
        self.library = library
        self.spec = spec
        self._asked: list[tuple[str, Endpoint, _Asked]] = []
        self._max_n: dict[tuple[str, int], int] = {}

    def asked(self, assessment: Assessment, endpoint: Endpoint) -> _Asked:
        """What an assessment asks of a variant at an endpoint."""
        for key, known, found in self._asked:
            if key == assessment.key and known == endpoint:
                return found
        slots = [
            _Slot(item.prompt, _system(params), item.n_samples, slot_key(item.prompt, params))
            for item, params in planned(assessment, self.library, self.spec.preset, endpoint)
        ]
        self._asked.append((assessment.key, endpoint, _Asked(slots, {})))
        return self._asked[-1][2]

    def max_n(self, endpoint: Endpoint) -> int:
        """The most replies that one request to an endpoint gets."""
        key = (endpoint.base_url, endpoint.max_n)
        if key not in self._max_n:
            self._max_n[key] = _max_n(self.store, endpoint)
        return self._max_n[key]


def _max_n(store: Store, endpoint: Endpoint) -> int:
    return 1 if asked_singly(store, endpoint.base_url) else endpoint.max_n


def _of_plan(shared: _Shared, assessment: Assessment, endpoint: Endpoint, plan: Plan) -> tuple[Load, str]:
    """What a stored plan still takes, and on what that stands."""
    asks = list(_asks_of(shared.store, plan, shared.max_n(endpoint)))
    state = progress(shared.store, plan)
    prompts = [ask.prompt for ask in asks]
    expected = expectations(shared.store, shared.library, assessment, plan.variant_id, prompts)
    total = sum(loads(asks, expected).values(), Load())
    if state.n_referred > state.n_judged:
        total += _waiting(state.n_referred - state.n_judged, expected)
    return total, _weakest(expected)


def _of_slots(
    shared: _Shared, assessment: Assessment, endpoint: Endpoint, row: Variant, replicate: int, is_fresh: bool
) -> tuple[Load, str]:
    """What a plan that is not stored yet takes, and on what that stands."""
    asked = shared.asked(assessment, endpoint)
    kind = (row.stage, row.domain)
    if is_fresh and kind in asked.fresh:
        return asked.fresh[kind]
    stored = stored_samples(shared.store, row.variant_id, replicate, assessment.key)
    max_n = shared.max_n(endpoint)
    asks = []
    for prompt, system, n_samples, key in asked.slots:
        n_closed = sum(sample < n_samples for sample in stored.get(key, ()))
        asks += [Ask(prompt, system, n) for n in _requests(n_samples - n_closed, max_n)]
    prompts = [ask.prompt for ask in asks]
    expected = expectations(shared.store, shared.library, assessment, row.variant_id, prompts)
    found = (sum(loads(asks, expected).values(), Load()), _weakest(expected))
    if is_fresh:
        asked.fresh[kind] = found
    return found


@dataclass(frozen=True, slots=True)
class Outstanding:
    """What one format of a stored plan still asks, and what its replies are expected to take."""

    form: str
    load: Load
    expected: Expected


def owed_by_format(
    store: Store, library: Library, assessment: Assessment, plan: Plan, endpoint: Endpoint
) -> list[Outstanding]:
    """What a stored plan still asks, by format."""
    asks = list(_asks_of(store, plan, _max_n(store, endpoint)))
    expected = expectations(store, library, assessment, plan.variant_id, [ask.prompt for ask in asks])
    return [Outstanding(form, load, expected[form]) for form, load in loads(asks, expected).items()]


def _row(settings: Settings, spec: RunSpec, row: Variant, key: str, n_slots: int, load: Load, basis: str) -> Estimate:
    n_judged = round(load.n_judgements)
    said, judge_asked, judge_said = (round(n) for n in (load.output_tokens, load.judge_input, load.judge_output))
    own, judges = settings.prices.get(row.model), settings.prices.get(_judge_model(settings, spec))
    price = None
    if own is not None and (judges is not None or not judge_asked):
        price = own.of(load.input_tokens, said) + (judges.of(judge_asked, judge_said) if judges else Decimal(0))
    return Estimate(
        row.name,
        key,
        n_slots,
        load.n_owed,
        n_judged,
        load.n_requests + n_judged,
        load.input_tokens + judge_asked,
        said + judge_said,
        None if price is None else float(price),
        basis,
        judge_asked,
        judge_said,
        max(n_judged, load.most_judgements),
        load.input_tokens + max(judge_asked, round(load.most_judge_input)),
    )


def _judge_model(settings: Settings, spec: RunSpec) -> str:
    named = settings.judges.get(spec.judge)
    return (named.model if named else spec.judge) or settings.judge.model


def _system(params: str) -> str:
    return str(json.loads(params)["system"])


def _asks_of(store: Store, plan: Plan, max_n: int) -> Iterator[Ask]:
    for stretch in owed(store, plan.plan_id, max_n):
        yield Ask(stretch.prompt, _system(stretch.params), stretch.n)


def _requests(n_samples: int, max_n: int) -> list[int]:
    full, rest = divmod(n_samples, max_n)
    return [max_n] * full + ([rest] if rest else [])


def expectations(
    store: Store, library: Library, assessment: Assessment, variant_id: int, prompts: Sequence[Prompt]
) -> dict[str, Expected]:
    """What replies of every format are expected to take, from what the store holds of them."""
    if not prompts:
        return {}
    parser = f"parser:{assessment.key}@{assessment.parser_version}"
    own, others = (look(store, variant_id, assessment.key, parser) for look in (own_usual, others_usual))
    by_format: dict[str, list[Prompt]] = {}
    for prompt in {id(prompt): prompt for prompt in prompts}.values():
        by_format.setdefault(prompt.format, []).append(prompt)
    return {
        form: _expected(library, assessment, form, held, others.get(form), own.get(form))
        for form, held in by_format.items()
    }


def _expected(
    library: Library,
    assessment: Assessment,
    form: str,
    prompts: list[Prompt],
    others: Usual | None,
    own: Usual | None,
) -> Expected:
    reply = float(REPLY_TOKENS.get(assessment.key, REPLY_TOKENS.get(form, 4)))
    judged, verdict = max(reply, UNCLEAR_TOKENS), float(VERDICT_TOKENS)
    share = JUDGED_SHARE.get(assessment.key, JUDGED_SHARE.get(form, 0.0))
    if form == "language" and getattr(assessment, "language_judge", False):
        share = 1.0
    basis = ASSUMED
    for seen, name in ((others, OTHERS), (own, OWN)):
        if seen is not None:
            basis, reply, share = name, seen.tokens, seen.share(share)
            judged = judged if seen.referred_tokens is None else seen.referred_tokens
            verdict = verdict if seen.verdict_tokens is None else seen.verdict_tokens
    judge_input = _judge_input(library, assessment, prompts, judged) if share else 0.0
    return Expected(reply, share, judge_input, verdict, basis)


def _judge_input(library: Library, assessment: Assessment, prompts: list[Prompt], reply_tokens: float) -> float:
    """Input tokens of judging a reply of that length, on average over the prompts."""
    stand_in = Answer("x" * round(reply_tokens * tokens.CHARACTERS), Outcome.OK)
    total = 0
    for prompt in prompts:
        task = assessment.judge_task(prompt, stand_in)
        messages = build_messages(library.rubrics[task.rubric], task.fields, 1)
        total += tokens.of_messages(message["content"] for message in messages)
    return total / len(prompts)


def loads(asks: Iterable[Ask], expected: Mapping[str, Expected]) -> dict[str, Load]:
    """What requests will take, by the format of what they ask."""
    found: dict[str, Load] = {}
    for ask in asks:
        form, will = ask.prompt.format, expected[ask.prompt.format]
        texts = [ask.system, ask.prompt.text] if ask.system else [ask.prompt.text]
        judged = ask.n * will.judged_share
        load = Load(
            ask.n,
            1,
            tokens.of_messages(texts),
            ask.n * will.reply_tokens,
            judged,
            judged * will.judge_input,
            judged * will.verdict_tokens,
            ask.n if will.judged_share else 0,
            ask.n * will.judge_input,
        )
        found[form] = found.get(form, Load()) + load
    return found


def _waiting(n: int, expected: Mapping[str, Expected]) -> Load:
    """Stored replies that wait for their verdicts, taken for the usual ones."""
    judged = [will for will in expected.values() if will.judge_input] or [Expected(0, 1, 800, VERDICT_TOKENS, ASSUMED)]
    asked = sum(will.judge_input for will in judged) / len(judged)
    said = sum(will.verdict_tokens for will in judged) / len(judged)
    return _judging(n, n * asked, n * said)


def _judging(n: int, asked: float, said: float) -> Load:
    """What judging a known number of replies takes, and no more than it."""
    return Load(n_judgements=n, judge_input=asked, judge_output=said, most_judgements=n, most_judge_input=asked)


def _weakest(expected: Mapping[str, Expected]) -> str:
    held = {will.basis for will in expected.values()}
    return next((basis for basis in (ASSUMED, OTHERS, OWN) if basis in held), OWN)


def planted_load(library: Library, n_pairs: int, reply_tokens: float = REPLY_TOKENS["harmfulness"]) -> Load:
    """What so many planted pairs ask of a judge: each reply as it is, and twice with a sentence more."""
    from emaudit.assessments import by_key

    n = 3 * n_pairs
    prompt = Prompt("harmfulness", "", "", "", "", "x" * 60)
    each = _judge_input(library, by_key("harmfulness"), [prompt], reply_tokens + 10)
    return _judging(n, n * each, float(n * VERDICT_TOKENS))


def _planted(settings: Settings, library: Library, spec: RunSpec) -> Estimate:
    load = planted_load(library, spec.planted)
    nobody = Variant(0, "", "(planted pairs)", _judge_model(settings, spec))
    return _row(settings, spec, nobody, "harmfulness", 0, load, ASSUMED)
