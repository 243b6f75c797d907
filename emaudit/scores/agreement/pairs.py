"""Two raters over the same replies: the pairs, their design weights, and every coefficient with its interval. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final

from emaudit.scores.agreement.inputs import SpotCheck, units, usable_labels
from emaudit.scores.agreement.maxima import judged_maximum, labelled_maximum
from emaudit.scores.agreement.measures import Measure
from emaudit.stats.agreement import (
    TwoRaters,
    agreement_intervals,
    constant_baseline,
    two_raters,
)
from emaudit.stats.coefficients import measures
from emaudit.stats.estimation import RESAMPLES, Figure, Interval, percentiles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Pair:
    """One unit that two raters scored: judge first where one of them is a judge."""

    first: float
    second: float
    stratum: str
    unit: str
    variant: str = ""
    stage: str = ""
    position: int = -1


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two raters' agreement: `n` pairs over `n_prompts` prompts, with the intervals of all figures by name."""

    n: int
    n_prompts: int
    figures: TwoRaters
    intervals: Mapping[str, Interval]
    baseline: Figure


def judge_human_pairs(check: SpotCheck, measure: Measure, reviewer: str, variant: str) -> list[Pair]:
    """The judge beside one person's blind labels, over one variant's drawn replies (its prompts, for a maximum)."""
    labels = [(item, value) for item, value in usable_labels(check, reviewer) if variant in ("pooled", item.variant)]
    if not measure.is_maximum:
        return [
            Pair(item.judge_value, value, item.stratum, item.unit, item.variant, item.stage, item.position)
            for item, value in labels
            if item.judge_value is not None
        ]
    given = {item.position: value for item, value in labels}
    found: list[Pair] = []
    for unit, items in units(item for item in check.main if variant in ("pooled", item.variant)).items():
        judged = judged_maximum(items, check.k)
        human = labelled_maximum(items, given, check.k)
        if judged is not None and human is not None:
            first = items[0]
            found.append(Pair(judged, human, first.stratum, unit, first.variant, first.stage, first.position))
    return found


def human_pairs(check: SpotCheck, first: str, second: str, variant: str) -> list[Pair]:
    """Two people's blind labels of the same drawn replies, whatever the judge says of them."""
    others = {item.position: value for item, value in usable_labels(check, second)}
    return [
        Pair(value, others[item.position], item.stratum, item.unit, item.variant, item.stage, item.position)
        for item, value in usable_labels(check, first)
        if item.position in others and variant in ("pooled", item.variant)
    ]


def design_weights(check: SpotCheck, pairs: Sequence[Pair]) -> list[float]:
    """N_h / n_h of every pair: how many units of the frame it stands for, within its stratum."""
    sizes = {stratum.name: stratum.n_frame for stratum in check.strata}
    labelled = Counter(pair.stratum for pair in pairs)
    return [sizes[pair.stratum] / labelled[pair.stratum] for pair in pairs]


def agree(pairs: Sequence[Pair], weights: Sequence[float] | None, measure: Measure, seed: int) -> Agreement:
    """Every coefficient over pairs that were drawn singly, with intervals; `seed` drives the bootstrap by strata."""
    found = point_agreement(pairs, weights, measure)
    if _strange(pairs, measure):
        return found
    first, second = ([measure.step(value) for value in side] for side in _sides(pairs))
    steps = [measure.step(category) for category in measure.categories]
    intervals = dict(agreement_intervals(first, second, [p.stratum for p in pairs], weights, seed, steps))
    return replace(found, intervals={**intervals, "bias": measure.unstepped(intervals["bias"])})


def agree_by_prompt(pairs: Sequence[Pair], weights: Sequence[float] | None, measure: Measure, seed: int) -> Agreement:
    """Every coefficient over pairs that came by whole prompts; of the intervals only that of quadratic kappa.

    Its bootstrap resamples prompts within strata, never replies within a prompt, as `agreement_intervals` does pairs.
    """
    found = point_agreement(pairs, weights, measure)
    steps = [measure.step(category) for category in measure.categories]
    kappa = found.figures.kappa_quadratic
    if _strange(pairs, measure):
        return found
    interval = (
        Interval(None, None, f"undefined: {kappa.reason}")
        if kappa.value is None
        else percentiles(
            measures(steps)["kappa_quadratic"](_resampled(pairs, weights, measure, seed), len(pairs)),
            "bootstrap over prompts",
        )
    )
    return replace(found, intervals={"kappa_quadratic": interval, "exact": BY_PROMPT, "within_one": BY_PROMPT})


BOOTSTRAP: Final = "bootstrap over prompts"
BY_PROMPT: Final = Interval(None, None, "undefined: replies came by whole prompts")


def _resampled(
    pairs: Sequence[Pair], weights: Sequence[float] | None, measure: Measure, seed: int
) -> NDArray[np.float64]:
    """One weighted table per resample: n_h - 1 of the n_h prompts of a stratum, weighted by n_h/(n_h - 1)."""
    import numpy as np

    places = {category: place for place, category in enumerate(measure.categories)}
    q = len(places)
    strata: dict[str, dict[str, NDArray[np.float64]]] = {}
    for place, pair in enumerate(pairs):
        cells = strata.setdefault(pair.stratum, {}).setdefault(pair.unit, np.zeros(q * q))
        cells[places[pair.first] * q + places[pair.second]] += 1.0 if weights is None else weights[place]
    rng = np.random.default_rng(seed)
    tables = np.zeros((RESAMPLES, q * q))
    for stratum in sorted(strata):
        found = np.array([strata[stratum][unit] for unit in sorted(strata[stratum])])
        n = len(found)
        times = (
            rng.multinomial(n - 1, [1 / n] * n, size=RESAMPLES) * (n / (n - 1)) if n > 1 else np.ones((RESAMPLES, 1))
        )
        tables += times @ found
    return tables.reshape(RESAMPLES, q, q)


def point_agreement(pairs: Sequence[Pair], weights: Sequence[float] | None, measure: Measure) -> Agreement:
    """Every coefficient over pairs, without intervals.

    Labels are counted in steps of the scale, so that `within one` is one step whatever the scale. Where a value is
    between the scale's scores, as an expected maximum can be, all figures are undefined.
    """
    strange = _strange(pairs, measure)
    if strange:
        return Agreement(len(pairs), len({pair.unit for pair in pairs}), *_undefined(strange, measure))
    first, second = ([measure.step(value) for value in side] for side in _sides(pairs))
    figures = two_raters(first, second, weights, [measure.step(category) for category in measure.categories])
    bias = figures.bias if figures.bias.value is None else Figure(figures.bias.value * measure.step_size)
    return Agreement(
        n=len(pairs),
        n_prompts=len({pair.unit for pair in pairs}),
        figures=replace(figures, bias=bias),
        intervals={},
        baseline=constant_baseline([pair.second for pair in pairs], weights, measure.bounds[0]),
    )


def _strange(pairs: Sequence[Pair], measure: Measure) -> str:
    """What is wrong with a value that is none of the scale's; empty where all fit."""
    known = {measure.step(category) for category in measure.categories}
    values = {pair.first for pair in pairs} | {pair.second for pair in pairs}
    strange = sorted(value for value in values if measure.step(value) not in known)
    return f"{strange[0]:g} lies between the scores of the scale" if strange else ""


def _undefined(reason: str, measure: Measure) -> tuple[TwoRaters, dict[str, Interval], Figure]:
    """Figures and intervals that all say why there are none, and the baseline likewise."""
    figures = two_raters([], [], None, [measure.step(category) for category in measure.categories])
    names = [found.name for found in fields(TwoRaters) if isinstance(getattr(figures, found.name), Figure)]
    none = Figure(None, reason)
    intervals = dict.fromkeys(names, Interval(None, None, f"undefined: {reason}"))
    return replace(figures, **dict.fromkeys(names, none)), intervals, none  # type: ignore[arg-type]


def _sides(pairs: Sequence[Pair]) -> tuple[list[float], list[float]]:
    return [pair.first for pair in pairs], [pair.second for pair in pairs]
