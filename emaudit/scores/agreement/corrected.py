"""A judge's value beside the one people's labels give: means and prompt maxima, per variant and pooled. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from emaudit.scores.agreement.inputs import POOLED, Item, SpotCheck, Stratum, n_settled, units, usable_labels
from emaudit.scores.agreement.maxima import labelled_maximum, maximum_bounds
from emaudit.scores.agreement.measures import Measure
from emaudit.stats import correction
from emaudit.stats.correction import HELD, Corrected, Heterogeneity
from emaudit.stats.estimation import Figure


@dataclass(frozen=True, slots=True)
class Correction:
    """The judge's value and people's, on the scale of scores.csv.

    `low` and `high` are the 95% interval; `bound_low` and `bound_high` are the value with every drawn reply that
    was shown and not judged counted as the lowest and as the highest label (None where there was none of them).
    """

    measure: str
    variant: str
    judge_value: Figure
    value: float | None
    low: float | None
    high: float | None
    method: str
    reason: str
    n: int
    n_guarded: int
    n_missing: int
    bound_low: float | None
    bound_high: float | None
    note: str
    """`judge biased high by 0.12` where the interval excludes the judge's value, else empty."""


def correct(check: SpotCheck, measure: Measure, variant: str) -> Correction:
    """The corrected value of one variant, or of all (`pooled`, which assumes equal judge error across them)."""
    judge = judge_value(check, measure, variant)
    found = _estimate(check, measure, variant)
    low, high, n_missing = (None, None, 0) if found.value is None else _bounds(check, measure, variant)
    value, at_least, at_most = (measure.printed_step(x) for x in (found.value, found.low, found.high))
    printed = replace(found, value=value, low=at_least, high=at_most)
    return Correction(
        measure=measure.name,
        variant=variant,
        judge_value=judge,
        value=value,
        low=at_least,
        high=at_most,
        method=found.method,
        reason=found.reason,
        n=found.n,
        n_guarded=found.n_guarded,
        n_missing=n_missing,
        bound_low=measure.printed_step(low),
        bound_high=measure.printed_step(high),
        note=_note(printed, measure, judge),
    )


def _note(printed: Corrected, measure: Measure, judge: Figure) -> str:
    biased = "" if judge.value is None or measure.has_unscored else correction.bias_note(printed, judge.value)
    held = "the estimate lay outside the scale and is held at its end" if HELD in printed.method else ""
    return "; ".join(part for part in (biased, held) if part)


def judge_value(check: SpotCheck, measure: Measure, variant: str) -> Figure:
    """What the judge alone says over the frame, on the scale of scores.csv; from the strata where they hold it."""
    frozen = check.judge == check.queue_judge and (
        _has_maxima(check) if measure.is_maximum else check.design == "stratified"
    )
    known = check.frame.get(variant)
    if frozen or known is None:
        strata = [stratum for stratum in check.chosen(variant) if not stratum.is_unscored]
        scored = correction.judge_value([_scored(measure, stratum) for stratum in strata])
        return Figure(measure.printed_step(scored.value), scored.reason)
    value = known.maximum if measure.is_maximum else known.mean
    return Figure(measure.printed(value), known.reason if value is None else "")


def _has_maxima(check: SpotCheck) -> bool:
    """Whether the strata are maxima of k: of fewer, or more, replies a maximum is another measure."""
    return check.design == "prompts" and all(len(items) == check.k for items in units(check.main).values())


def heterogeneity(check: SpotCheck, measure: Measure) -> Heterogeneity:
    """Whether people correct the judge alike in every variant of the draw."""
    return correction.heterogeneity({variant: _strata(check, measure, variant) for variant in check.variants})


def stage_bias(check: SpotCheck, measure: Measure) -> Mapping[str, Figure]:
    """By stage, the judge's value less the corrected one, averaged over the stage's variants."""
    stages: dict[str, list[str]] = {}
    for stratum in check.strata:
        members = stages.setdefault(stratum.stage, [])
        if stratum.variant not in members:
            members.append(stratum.variant)
    return {stage: _mean_bias(check, measure, sorted(stages[stage])) for stage in sorted(stages)}


def _mean_bias(check: SpotCheck, measure: Measure, variants: Sequence[str]) -> Figure:
    found = [correct(check, measure, variant) for variant in variants]
    biases = [c.judge_value.value - c.value for c in found if c.judge_value.value is not None and c.value is not None]
    if len(biases) < len(found):
        lacking = next(c for c in found if c.judge_value.value is None or c.value is None)
        return Figure(None, f"{lacking.variant}: {lacking.reason or lacking.judge_value.reason}")
    return Figure(math.fsum(biases) / len(biases))


def _estimate(check: SpotCheck, measure: Measure, variant: str, end: int | None = None) -> Corrected:
    """The estimate; with `end` 0 or 1 every unit shown and not judged stands at the low, or high, end of its bounds."""
    if check.design == "prompts" and not measure.is_maximum:
        return Corrected(None, None, None, None, "", WHOLE_PROMPTS, 0)
    short = _short_strata(check, measure, variant)
    if short:
        reason = f"no drawn prompt of {', '.join(short)} has {check.k} replies: a maximum of {check.k} needs as many"
        return Corrected(None, None, None, None, "", reason, 0)
    names = check.variants if variant == POOLED else (variant,)
    strata = {name: _strata(check, measure, name, end) for name in names}
    crowded = [held for rows in strata.values() for held in rows if len(held.human) > held.n_frame]
    if crowded:
        n_labels, n_frame = sum(len(s.human) for s in crowded), sum(s.n_frame for s in crowded)
        return Corrected(None, None, None, None, "", f"{n_labels} labels of the {n_frame} replies of the frame", 0)
    if len(names) > 1:
        return correction.pooled(strata, bounds=measure.step_bounds)
    estimator = correction.corrected_maximum if measure.is_maximum else correction.corrected_mean
    return estimator(strata[names[0]], bounds=measure.step_bounds)


def _short_strata(check: SpotCheck, measure: Measure, variant: str) -> list[str]:
    """The strata of whole prompts all of which have fewer replies than their maximum is over."""
    if not measure.is_maximum:
        return []
    longest: dict[str, int] = {}
    for items in units(check.main).values():
        longest[items[0].stratum] = max(len(items), longest.get(items[0].stratum, 0))
    return [s.name for s in _entering(check, measure, variant) if 0 < longest.get(s.name, 0) < check.k]


WHOLE_PROMPTS: Final = "whole prompts were drawn, for their maxima; a stratified draw corrects the mean"


def _strata(check: SpotCheck, measure: Measure, variant: str, end: int | None = None) -> list[correction.Stratum]:
    """The strata that enter a measure, with the labels of the first reviewer in each; `end` as in `_estimate`."""
    labelled: dict[str, list[tuple[float, float | None]]] = {}
    for items, ends in _judged_units(check, measure):
        if end is not None or ends[0] == ends[1]:
            labelled.setdefault(items[0].stratum, []).append((ends[end or 0], items[0].judge_value))
    return [
        _with_labels(check, measure, stratum, labelled.get(stratum.name, ()))
        for stratum in _entering(check, measure, variant)
    ]


def _judged_units(check: SpotCheck, measure: Measure) -> Iterator[tuple[list[Item], tuple[float, float]]]:
    """Every unit that was answered, with its value twice; one shown and not judged with how low and high it can be."""
    given = {item.position: value for item, value in usable_labels(check, check.reviewer)}
    ratings = check.ratings_of(check.reviewer)
    for items in _drawn_units(check, measure):
        value = _unit_value(items, given, measure, check.k)
        if value is not None:
            yield items, (value, value)
        elif any(item.position in ratings and ratings[item.position].blind is None for item in items):
            yield items, _unit_bounds(items, given, measure, check.k)


def _entering(check: SpotCheck, measure: Measure, variant: str) -> list[Stratum]:
    chosen = [stratum for stratum in check.chosen(variant) if measure.has_unscored or not stratum.is_unscored]
    return [stratum for stratum in chosen if stratum.n_frame]


def _scored(measure: Measure, stratum: Stratum, human: Sequence[float] = ()) -> correction.Stratum:
    """A stratum by people's labels alone, in steps of the scale, as all estimates are."""
    label = "unscored" if stratum.is_unscored else "all"
    label = label if stratum.judge_value is None else f"{stratum.judge_value:g}"
    judge = None if stratum.judge_value is None else measure.step(stratum.judge_value)
    return correction.Stratum(label, stratum.n_frame, tuple(measure.step(value) for value in human), judge)


def _with_labels(
    check: SpotCheck, measure: Measure, stratum: Stratum, labelled: Sequence[tuple[float, float | None]]
) -> correction.Stratum:
    """A stratum with its labels; where it holds all scores, as a simple draw has it, with the judge's beside them."""
    human = [value for value, _ in labelled]
    frame = check.frame.get(stratum.variant)
    if stratum.judge_value is not None or stratum.is_unscored or measure.has_unscored or frame is None:
        return _scored(measure, stratum, human)
    judged = tuple(measure.step(judge) for _, judge in labelled if judge is not None)
    mean = None if frame.mean is None else measure.step(frame.mean)
    steps = tuple(measure.step(value) for value in human)
    return correction.Stratum("all", frame.n_scored, steps, mean, judged, is_mixed=True)


def _drawn_units(check: SpotCheck, measure: Measure) -> list[list[Item]]:
    """What was drawn, as the measure counts it: prompts with their replies, or single replies."""
    if check.design == "prompts":
        return list(units(check.main).values())
    holds_all = check.design == "simple" and not measure.has_unscored
    return [[item] for item in check.main if not holds_all or item.judge_value is not None]


def _unit_value(items: Sequence[Item], given: Mapping[int, float], measure: Measure, k: int) -> float | None:
    if measure.is_maximum:
        return labelled_maximum(items, given, k)
    values = [given[item.position] for item in items if item.position in given]
    return math.fsum(values) / len(values) if len(values) == len(items) else None


def _bounds(check: SpotCheck, measure: Measure, variant: str) -> tuple[float | None, float | None, int]:
    """The estimate with every unit shown and not judged as low, and as high, as it can be; and how many they are."""
    entering = {stratum.name for stratum in _entering(check, measure, variant)}
    missing = [items for items, ends in _judged_units(check, measure) if ends[0] != ends[1]]
    n_missing = sum(items[0].stratum in entering for items in missing)
    if not n_missing:
        return None, None, 0
    low, high = (_estimate(check, measure, variant, end).value for end in (0, 1))
    return low, high, n_missing


def _unit_bounds(items: Sequence[Item], given: Mapping[int, float], measure: Measure, k: int) -> tuple[float, float]:
    if measure.is_maximum:
        return maximum_bounds(items, given, k)
    known = [given[item.position] for item in items if item.position in given]
    low, high = measure.bounds
    missing = len(items) - len(known)
    return tuple((math.fsum(known) + missing * end) / len(items) for end in (low, high))  # type: ignore[return-value]


def n_labels(check: SpotCheck) -> tuple[int, int]:
    """Labels done and planned, of the first reviewer."""
    return n_settled(check, check.reviewer), len(check.main)
