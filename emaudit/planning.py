"""From what an auditor asked for to stored plans: which slots, with which parameters."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from emaudit.assessments import PAPER_FIVE, by_key
from emaudit.assessments.base import PRESETS, Assessment, Planned
from emaudit.config import Endpoint, Settings
from emaudit.errors import UsageError
from emaudit.prompts import Library, content_hash
from emaudit.store.connection import Store
from emaudit.store.jsontext import dumps
from emaudit.store.plans import Plan, current_plans, write_plan
from emaudit.store.texts import installed_instruments
from emaudit.store.variants import variant, variants
from emaudit.variants import Variant


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
        held = {(plan.assessment, plan.preset): plan for plan in newest_replicates(store, row.variant_id)}
        endpoint = endpoint_of(settings, row)
        for key in spec.assessments:
            ready.append(_prepare_one(store, settings, library, spec, row, endpoint, key, held))
    return ready


def newest_replicates(store: Store, variant_id: int) -> list[Plan]:
    """A variant's current plans, of every assessment those of its newest replicate."""
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


def pinned_library(protocol: str, library: Library) -> Library:
    """The library a run pinned: its rubrics as stored, whatever the files say now."""
    stored = json.loads(protocol)
    for key, texts in stored["rubrics"].items():
        library = library.with_rubric(replace(library.rubrics[key], **texts))
    return library
