"""Judging stored replies again: which of them, by which judge, and what that will cost. Asks nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from emaudit import tokens
from emaudit.assessments import by_key
from emaudit.config import Settings
from emaudit.errors import UsageError
from emaudit.estimates import VERDICT_TOKENS, planted_load
from emaudit.judge import build_messages
from emaudit.judges import Choice, choose
from emaudit.planning import Prepared, RunSpec
from emaudit.prompts import Library
from emaudit.store.connection import Store
from emaudit.store.exporting import has_replies
from emaudit.store.jsontext import dumps
from emaudit.store.judgements import OwedTexts, covering, owed_texts
from emaudit.store.plans import Plan, current_plans
from emaudit.store.readings import parser_of
from emaudit.store.scorers import known
from emaudit.store.variants import variant, variants
from emaudit.variants import Variant

SEVERAL: Final = "several"
"""Stands for the preset of a run over plans of more than one."""


@dataclass(frozen=True, slots=True)
class JudgeSpec:
    """What `emaudit rejudge` was asked for. Empty variants, assessments or preset mean all; zero caps mean none."""

    judge: str
    variants: tuple[str, ...] = ()
    assessments: tuple[str, ...] = ()
    preset: str = ""
    judge_endpoint: str = ""
    rubric: str = ""
    max_concurrency: int = 0
    max_requests: int = 0
    max_tokens: int = 0
    max_cost: float = 0.0
    insecure_http: bool = False
    planted: int = 0

    def __post_init__(self) -> None:
        for key in self.assessments:
            by_key(key)

    def stored(self) -> dict[str, Any]:
        """As a run keeps it."""
        return asdict(self)

    @classmethod
    def from_stored(cls, settings: Mapping[str, Any]) -> JudgeSpec:
        """The spec a run was started with."""
        held = {name: settings[name] for name in cls.__dataclass_fields__ if name in settings}
        return cls(**{**held, "variants": tuple(held["variants"]), "assessments": tuple(held["assessments"])})

    @property
    def caps(self) -> RunSpec:
        """The same limits and judge as a run takes them."""
        return RunSpec(
            variants=self.variants,
            judge=self.judge,
            judge_endpoint=self.judge_endpoint,
            max_concurrency=self.max_concurrency,
            max_requests=self.max_requests,
            max_tokens=self.max_tokens,
            max_cost=self.max_cost,
            insecure_http=self.insecure_http,
        )


@dataclass(frozen=True, slots=True)
class JudgeEstimate:
    """What one plan's replies still ask of a judge. `price` is None where none is configured: unknown, not 0."""

    variant: str
    assessment: str
    preset: str
    n_judgements: int
    n_requests: int
    input_tokens: int
    output_tokens: int
    price: float | None


def judge_of(store: Store, settings: Settings, library: Library, spec: JudgeSpec) -> Choice:
    """The judge that a spec names. Raises UsageError where there is nothing to judge or no such judge."""
    return choose(settings, library, spec.caps, variants_of(store, spec), spec.rubric)


def variants_of(store: Store, spec: JudgeSpec) -> list[Variant]:
    """The variants a spec names (hidden ones too), else all that are not hidden. Raises UsageError."""
    if spec.variants:
        return [variant(store, name) for name in dict.fromkeys(spec.variants)]
    rows = variants(store)
    if not rows:
        raise UsageError("no variants yet, so no replies to judge: `emaudit run` or `emaudit import` brings some")
    return rows


def stored_plans(store: Store, spec: JudgeSpec) -> list[Prepared]:
    """The plans with stored replies that a spec means, without those another one covers. Raises UsageError."""
    found: list[Prepared] = []
    for row in variants_of(store, spec):
        plans = [
            plan
            for plan in current_plans(store, spec.preset or None, row.variant_id)
            if (not spec.assessments or plan.assessment in spec.assessments) and has_replies(store, plan)
        ]
        found += [Prepared(row, plan, "") for plan in covering(store, plans)]
    if not found:
        what = ", ".join([*spec.variants, *spec.assessments, *([spec.preset] if spec.preset else [])])
        raise UsageError(f"no stored replies{f' of {what}' if what else ''}: `emaudit status` shows what there is")
    return found


def preset_of(ready: Sequence[Prepared]) -> str:
    """The preset of a run over these plans."""
    presets = {item.plan.preset for item in ready}
    return next(iter(presets)) if len(presets) == 1 else SEVERAL


def protocol_of(choice: Choice) -> str:
    """What a judge run pins, as canonical JSON: its rubrics. It asks nothing and reads nothing, so no more."""
    rubrics = {
        key: {"system": r.system, "question": r.question, "reminder": r.reminder, "schema": r.schema}
        for key, r in choice.library.rubrics.items()
    }
    return dumps({"instruments": {}, "rubrics": rubrics, "parsers": {}})


def estimate(
    store: Store, settings: Settings, choice: Choice, ready: Sequence[Prepared], n_planted: int = 0
) -> list[JudgeEstimate]:
    """What a judge still owes, per plan, without writing anything.

    Tokens are counted as characters / 4 of every message plus 3 a message.
    """
    held = known(store, choice.identity)
    judge_id = held.scorer_id if held else -1
    rows = [_estimate(store, settings, choice, item, judge_id) for item in ready]
    if n_planted:
        rows.append(_planted(settings, choice, n_planted))
    return rows


def _estimate(store: Store, settings: Settings, choice: Choice, item: Prepared, judge_id: int) -> JudgeEstimate:
    plan: Plan = item.plan
    owed = owed_texts(store, plan, parser_of(store, plan), judge_id)
    n = sum(entry.n for entry in owed)
    asked, said = sum(_input_tokens(choice, entry) for entry in owed), n * VERDICT_TOKENS
    price = _price(settings, choice.model, asked, said)
    return JudgeEstimate(item.variant.name, plan.assessment, plan.preset, n, n, asked, said, price)


def _input_tokens(choice: Choice, owed: OwedTexts) -> int:
    """Tokens of all requests for one prompt's replies: one of them rendered, the rest by their length."""
    task = by_key(owed.sample.prompt.assessment).judge_task(owed.sample.prompt, owed.sample.answer)
    messages = build_messages(choice.library.rubrics[task.rubric], task.fields, 1)
    characters = sum(len(message["content"]) for message in messages) - len(owed.sample.answer.text)
    return tokens.of_length(owed.n * characters + owed.n_characters) + tokens.PER_MESSAGE * len(messages) * owed.n


def _planted(settings: Settings, choice: Choice, n_pairs: int) -> JudgeEstimate:
    load = planted_load(choice.library, n_pairs)
    n, asked, said = round(load.n_judgements), round(load.judge_input), round(load.judge_output)
    price = _price(settings, choice.model, asked, said)
    return JudgeEstimate("(planted pairs)", "harmfulness", "", n, n, asked, said, price)


def _price(settings: Settings, model: str, asked: int, said: int) -> float | None:
    price = settings.prices.get(model)
    return None if price is None else float(price.of(asked, said))
