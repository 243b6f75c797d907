"""From what an auditor asked for to stored plans: which slots, with which parameters, and what they will cost."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from emaudit.assessments import PAPER_FIVE, by_key
from emaudit.assessments.base import PRESETS, Assessment, Planned
from emaudit.config import Endpoint, Settings
from emaudit.errors import UsageError
from emaudit.prompts import Library, content_hash
from emaudit.store.connection import Store
from emaudit.store.jsontext import dumps
from emaudit.store.plans import Plan, current_plans, n_missing, owed, write_plan
from emaudit.store.readings import progress
from emaudit.store.texts import installed_instruments
from emaudit.store.variants import variant, variants
from emaudit.variants import Variant

JUDGED_SHARE: Final[Mapping[str, float]] = {"harmfulness": 1.0, "open_ended": 1.0}
"""Share of an assessment's replies that go to a judge whatever they say."""
REPLY_TOKENS: Final[Mapping[str, int]] = {"harmfulness": 220, "open_ended": 220, "language": 60}
"""Output tokens a reply is expected to take before any was seen; all others 4."""
JUDGE_TOKENS: Final = (1_100, 12)
"""Input tokens beside the judged text, and output tokens, of one judge request."""


@dataclass(frozen=True, slots=True)
class RunSpec:
    """What `emaudit run` was asked for. Zero caps mean none; an empty judge means the configured one."""

    variants: tuple[str, ...]
    assessments: tuple[str, ...] = PAPER_FIVE
    preset: str = "paper"
    judge: str = ""
    judge_endpoint: str = ""
    language_judge: str = "library"
    max_concurrency: int = 0
    max_requests: int = 0
    max_tokens: int = 0
    max_cost: float = 0.0
    retry_errors: bool = False
    update_prompts: bool = False
    new: bool = False
    insecure_http: bool = False
    allow_identical: bool = False
    planted: int = 0

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise UsageError(f"no preset {self.preset!r}; known: {', '.join(PRESETS)}")
        if self.language_judge not in {"library", "model"}:
            raise UsageError(f"--language-judge is library or model, not {self.language_judge!r}")
        for key in self.assessments:
            by_key(key)

    def stored(self) -> dict[str, Any]:
        """As a run keeps it."""
        return asdict(self)

    @classmethod
    def from_stored(cls, settings: Mapping[str, Any]) -> RunSpec:
        """The spec a run was started with."""
        known = {name: settings[name] for name in cls.__dataclass_fields__ if name in settings}
        known |= {name: tuple(known[name]) for name in ("variants", "assessments")}
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one assessment of one variant still asks. `price` is None where none is configured: unknown, not 0."""

    variant: str
    assessment: str
    n_slots: int
    n_owed: int
    n_judgements: int
    n_requests: int
    input_tokens: int
    output_tokens: int
    price: float | None


def chosen_variants(store: Store, spec: RunSpec) -> list[Variant]:
    """The variants a spec names, in that order; all that are not hidden for an empty list. Raises UsageError."""
    if not spec.variants:
        rows = variants(store)
        if not rows:
            raise UsageError("no variants yet: `emaudit variant add NAME --model ID --base-url URL` adds one")
        return rows
    return [variant(store, name) for name in dict.fromkeys(spec.variants)]


def endpoint_of(settings: Settings, row: Variant) -> Endpoint:
    """A variant's endpoint. Raises UsageError."""
    return settings.endpoint(row.endpoint, row.base_url, row.api_key_env)


def library_of(store: Store, library: Library) -> Library:
    """The library with the store's installed instruments in place of ours."""
    for _, instrument in installed_instruments(store):
        library = library.with_instrument(instrument)
    return library


def assessment_of(spec: RunSpec, key: str) -> Assessment:
    """An assessment as this run reads it."""
    return by_key(key, language_judge=spec.language_judge == "model")


def params_of(assessment: Assessment, format: str, endpoint: Endpoint) -> str:
    """Everything but messages, model, n and seed that a request carries, as canonical JSON: it is identity."""
    cap = endpoint.max_tokens.get(assessment.key, assessment.max_tokens(format))
    body: dict[str, Any] = {
        "temperature": endpoint.temperature,
        "top_p": endpoint.top_p,
        "max_completion_tokens": cap,
        **endpoint.extra_body,
    }
    return dumps({"body": body, "system": endpoint.system})


def planned(assessment: Assessment, library: Library, preset: str, endpoint: Endpoint) -> Iterator[tuple[Planned, str]]:
    """An assessment's plan with the parameters of every prompt."""
    params: dict[str, str] = {}
    for item in assessment.plan(library, preset):
        format = item.prompt.format
        if format not in params:
            params[format] = params_of(assessment, format, endpoint)
        yield item, params[format]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan to run, and what differs on disk from the texts or parameters it is pinned to (empty: nothing)."""

    variant: Variant
    plan: Plan
    differs: str


def prepare(store: Store, settings: Settings, library: Library, spec: RunSpec) -> list[Prepared]:
    """Find or write the plan of every variant and assessment of a spec.

    A stored plan is used as it is, whatever the files say now, unless `update_prompts` or `new` is set.
    """
    ready: list[Prepared] = []
    library = library_of(store, library)
    for row in chosen_variants(store, spec):
        held = {(plan.assessment, plan.preset): plan for plan in _newest_replicates(store, row.variant_id)}
        endpoint = endpoint_of(settings, row)
        for key in spec.assessments:
            ready.append(_prepare_one(store, settings, library, spec, row, endpoint, key, held))
    return ready


def _newest_replicates(store: Store, variant_id: int) -> list[Plan]:
    plans = current_plans(store, variant_id=variant_id)
    newest = {key: max(p.replicate for p in plans if p.assessment == key) for key in {p.assessment for p in plans}}
    return [held for held in plans if held.replicate == newest[held.assessment]]


def _prepare_one(
    store: Store,
    settings: Settings,
    library: Library,
    spec: RunSpec,
    row: Variant,
    endpoint: Endpoint,
    key: str,
    held: Mapping[tuple[str, str], Plan],
) -> Prepared:
    assessment = assessment_of(spec, key)
    replicate = max((plan.replicate for plan in held.values() if plan.assessment == key), default=1)
    pinned = held.get((key, spec.preset))
    if spec.new:
        replicate, pinned = (replicate + 1 if any(k == key for k, _ in held) else 1), None
    instrument = library.instrument(key)
    wanted = list(planned(assessment, library, spec.preset, endpoint))
    digest = plan_hash(instrument.identity, wanted)
    if pinned is not None and not spec.update_prompts:
        return Prepared(row, pinned, difference(settings, library, spec, row, pinned))
    written = write_plan(
        store,
        row.variant_id,
        replicate,
        key,
        spec.preset,
        instrument.identity,
        instrument.label,
        digest,
        wanted,
    )
    return Prepared(row, written, "")


def difference(settings: Settings, library: Library, spec: RunSpec, row: Variant, plan: Plan) -> str:
    """What differs on disk from the texts and parameters a stored plan is pinned to, in words; empty: nothing."""
    instrument = library.instrument(plan.assessment)
    wanted = list(planned(assessment_of(spec, plan.assessment), library, plan.preset, endpoint_of(settings, row)))
    if plan.content_hash == plan_hash(instrument.identity, wanted):
        return ""
    return f"{row.name} {plan.assessment}: prompts or parameters on disk differ from this run's stored ones"


def plan_hash(instrument: str, wanted: Sequence[tuple[Planned, str]]) -> str:
    """What tells one plan from another: its prompts, samples and parameters, in order."""
    return content_hash(
        [
            instrument,
            [
                [p.prompt.item, p.prompt.format, p.prompt.condition, p.prompt.text, p.n_samples, params]
                for p, params in wanted
            ],
        ]
    )


def protocol_of(store: Store, library: Library, spec: RunSpec) -> str:
    """Everything a run pins, as canonical JSON: all texts, rubrics and parser versions."""
    library = library_of(store, library)
    return dumps(
        {
            "instruments": {key: library.instrument(key).content for key in spec.assessments},
            "rubrics": {
                key: {"system": r.system, "question": r.question, "reminder": r.reminder, "schema": r.schema}
                for key, r in library.rubrics.items()
            },
            "parsers": {key: assessment_of(spec, key).parser_version for key in spec.assessments},
        }
    )


def estimate(store: Store, settings: Settings, library: Library, spec: RunSpec) -> list[Estimate]:
    """What a spec still owes, per variant and assessment, without writing anything.

    Tokens are counted as characters / 4 of every message plus 3 a message; prices are the configured ones.
    """
    library = library_of(store, library)
    found: list[Estimate] = []
    for row in chosen_variants(store, spec):
        endpoint = endpoint_of(settings, row)
        held = {(plan.assessment, plan.preset): plan for plan in _newest_replicates(store, row.variant_id)}
        for key in spec.assessments:
            pinned = None if spec.new or spec.update_prompts else held.get((key, spec.preset))
            replicate = max((plan.replicate for plan in held.values() if plan.assessment == key), default=1)
            found.append(
                _estimate_one(store, settings, library, spec, row, endpoint, key, pinned, replicate + spec.new)
            )
    return found


def _estimate_one(
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
    if pinned is not None:
        asks = [(s.prompt.format, s.prompt.text, s.n) for s in owed(store, pinned.plan_id, endpoint.max_n)]
        n_slots = pinned.n_slots
        state = progress(store, pinned)
        judgements = state.n_referred - state.n_judged
    else:
        wanted = list(planned(assessment, library, spec.preset, endpoint))
        asks = [
            (item.prompt.format, item.prompt.text, n)
            for item, params in wanted
            for n in _requests(
                n_missing(store, row.variant_id, replicate, item.prompt, params, item.n_samples), endpoint.max_n
            )
        ]
        n_slots = sum(item.n_samples for item, _ in wanted)
        judgements = 0
    n_owed = sum(n for *_, n in asks)
    judgements += round(n_owed * JUDGED_SHARE.get(key, 0.0))
    reply_tokens = [REPLY_TOKENS.get(key, REPLY_TOKENS.get(format, 4)) for format, *_ in asks]
    input_tokens = sum(math.ceil(len(text) / 4) + 3 for _, text, _ in asks)
    output_tokens = sum(tokens * n for tokens, (*_, n) in zip(reply_tokens, asks, strict=True))
    judge_input = judgements * (JUDGE_TOKENS[0] + REPLY_TOKENS.get(key, 4))
    judge_output = judgements * JUDGE_TOKENS[1]
    judge = spec.judge or settings.judge.model
    return Estimate(
        row.name,
        key,
        n_slots,
        n_owed,
        judgements,
        len(asks) + judgements,
        input_tokens + judge_input,
        output_tokens + judge_output,
        _price(settings, row.model, input_tokens, output_tokens, judge, judge_input, judge_output),
    )


def _requests(n_samples: int, max_n: int) -> list[int]:
    full, rest = divmod(n_samples, max_n)
    return [max_n] * full + ([rest] if rest else [])


def _price(
    settings: Settings, model: str, asked: int, said: int, judge: str, judge_asked: int, judge_said: int
) -> float | None:
    own, judges = settings.prices.get(model), settings.prices.get(judge)
    if own is None or (judges is None and judge_asked):
        return None
    total = asked * own.input + said * own.output
    if judges is not None:
        total += judge_asked * judges.input + judge_said * judges.output
    return total / 1e6


def pinned_library(protocol: str, library: Library) -> Library:
    """The library a run pinned: its rubrics as stored, whatever the files say now."""
    stored = json.loads(protocol)
    for key, texts in stored["rubrics"].items():
        library = library.with_rubric(replace(library.rubrics[key], **texts))
    return library
