"""What a run will ask before it asks: requests, tokens in and out, money. Asks nothing and writes nothing.

Input tokens follow the rule of `tokens`. What replies will take is known from stored ones, or else assumed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
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
from emaudit.store.plans import Plan, n_missing, owed
from emaudit.store.readings import progress
from emaudit.store.usual import Usual, asked_singly, usual
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
    "language": 0.1,
}
"""Share of replies assumed to go to a judge before any was read, by assessment or format; of all others none."""
VERDICT_TOKENS: Final = 6
"""Output tokens a verdict is assumed to take before any was seen."""
ASSUMED, OTHERS, OWN = "assumed", "other variants", "this variant"


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one assessment of one variant still asks. `price` is None where none is configured: unknown, not 0.

    `basis` says where the output tokens come from: stored replies of this variant, of others, or an assumption.
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

    def __add__(self, other: Load) -> Load:
        return Load(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


def estimate(store: Store, settings: Settings, library: Library, spec: RunSpec) -> list[Estimate]:
    """What a spec still owes, per variant and assessment; prices are the configured ones."""
    library = library_of(store, library)
    found: list[Estimate] = []
    for row in chosen_variants(store, spec):
        endpoint = endpoint_of(settings, row)
        held = {(plan.assessment, plan.preset): plan for plan in newest_replicates(store, row.variant_id)}
        for key in spec.assessments:
            pinned = None if spec.new or spec.update_prompts else held.get((key, spec.preset))
            replicate = max((plan.replicate for plan in held.values() if plan.assessment == key), default=1)
            found.append(_estimate(store, settings, library, spec, row, endpoint, key, pinned, replicate + spec.new))
    if spec.planted:
        found.append(_planted(settings, library, spec))
    return found


def _estimate(
    store: Store,
    settings: Settings,
    library: Library,
    spec: RunSpec,
    row: Variant,
    endpoint: Endpoint,
    key: str,
    pinned: Plan | None,
    replicate: int,
) -> Estimate:
    assessment = assessment_of(spec, key)
    max_n = 1 if asked_singly(store, endpoint.base_url) else endpoint.max_n
    n_waiting = 0
    if pinned is not None:
        asks = list(_asks_of(store, pinned, max_n))
        n_slots, state = pinned.n_slots, progress(store, pinned)
        n_waiting = state.n_referred - state.n_judged
    else:
        wanted = list(planned(assessment, library, spec.preset, endpoint))
        asks = [
            Ask(item.prompt, _system(params), n)
            for item, params in wanted
            for n in _requests(n_missing(store, row.variant_id, replicate, item.prompt, params, item.n_samples), max_n)
        ]
        n_slots = sum(item.n_samples for item, _ in wanted)
    expected = expectations(store, library, assessment, row.variant_id, [ask.prompt for ask in asks])
    total = sum(loads(asks, expected).values(), Load())
    if n_waiting:
        total += _waiting(n_waiting, expected)
    return _row(settings, spec, row, key, n_slots, total, _weakest(expected))


@dataclass(frozen=True, slots=True)
class Owed:
    """What one format of a stored plan still asks, and what its replies are expected to take."""

    form: str
    load: Load
    expected: Expected


def owed_by_format(
    store: Store, library: Library, assessment: Assessment, plan: Plan, endpoint: Endpoint
) -> list[Owed]:
    """What a stored plan still asks, by format."""
    max_n = 1 if asked_singly(store, endpoint.base_url) else endpoint.max_n
    asks = list(_asks_of(store, plan, max_n))
    expected = expectations(store, library, assessment, plan.variant_id, [ask.prompt for ask in asks])
    return [Owed(form, load, expected[form]) for form, load in loads(asks, expected).items()]


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
    store: Store, library: Library, assessment: Assessment, variant_id: int, prompts: Iterable[Prompt]
) -> dict[str, Expected]:
    """What replies of every format are expected to take, from what the store holds of them."""
    seen = usual(store, variant_id, assessment.key, f"parser:{assessment.key}@{assessment.parser_version}")
    by_format: dict[str, list[Prompt]] = {}
    for prompt in {id(prompt): prompt for prompt in prompts}.values():
        by_format.setdefault(prompt.format, []).append(prompt)
    return {form: _expected(library, assessment, form, held, seen.get(form)) for form, held in by_format.items()}


def _expected(
    library: Library, assessment: Assessment, form: str, prompts: list[Prompt], seen: Usual | None
) -> Expected:
    assumed = float(REPLY_TOKENS.get(assessment.key, REPLY_TOKENS.get(form, 4)))
    share = JUDGED_SHARE.get(assessment.key, JUDGED_SHARE.get(form, 0.0))
    if form == "language" and getattr(assessment, "language_judge", False):
        share = 1.0
    basis, verdict = ASSUMED, float(VERDICT_TOKENS)
    if seen is not None:
        assumed, basis = seen.tokens, OWN if seen.is_own else OTHERS
        share = share if seen.referred is None else seen.referred
        verdict = verdict if seen.verdict_tokens is None else seen.verdict_tokens
    judge_input = _judge_input(library, assessment, prompts, assumed) if share else 0.0
    return Expected(assumed, share, judge_input, verdict, basis)


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
        )
        found[form] = found.get(form, Load()) + load
    return found


def _waiting(n: int, expected: Mapping[str, Expected]) -> Load:
    """Stored replies that wait for their verdicts, taken for the usual ones."""
    judged = [will for will in expected.values() if will.judge_input] or [Expected(0, 1, 800, VERDICT_TOKENS, ASSUMED)]
    asked = sum(will.judge_input for will in judged) / len(judged)
    said = sum(will.verdict_tokens for will in judged) / len(judged)
    return Load(n_judgements=n, judge_input=n * asked, judge_output=n * said)


def _weakest(expected: Mapping[str, Expected]) -> str:
    held = {will.basis for will in expected.values()}
    return next((basis for basis in (ASSUMED, OTHERS, OWN) if basis in held), OWN)


def planted_load(library: Library, n_pairs: int, reply_tokens: float = REPLY_TOKENS["harmfulness"]) -> Load:
    """What so many planted pairs ask of a judge: each reply as it is, and twice with a sentence more."""
    from emaudit.assessments import by_key

    n = 3 * n_pairs
    prompt = Prompt("harmfulness", "", "", "", "", "x" * 60)
    each = _judge_input(library, by_key("harmfulness"), [prompt], reply_tokens + 10)
    return Load(n_judgements=n, judge_input=n * each, judge_output=float(n * VERDICT_TOKENS))


def _planted(settings: Settings, library: Library, spec: RunSpec) -> Estimate:
    load = planted_load(library, spec.planted)
    nobody = Variant(0, "", "(planted pairs)", _judge_model(settings, spec))
    return _row(settings, spec, nobody, "harmfulness", 0, load, ASSUMED)
