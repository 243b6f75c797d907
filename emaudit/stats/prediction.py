"""Corrections of a judge by labels that were not drawn by strata: prediction-powered means, shares. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from emaudit.stats.estimation import CONFIDENCE


@dataclass(frozen=True, slots=True)
class Predicted:
    """A prediction-powered mean: `lam` is how far the judge is trusted (0: labels alone, 1: fully).

    What is None is explained by `reason`.
    """

    value: float | None
    se: float | None
    low: float | None
    high: float | None
    lam: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Prevalence:
    """A share corrected for a judge's errors; `value` is `unclipped` held within 0..1, None has a `reason`."""

    value: float | None
    unclipped: float | None
    se: float | None
    reason: str = ""


def ppi_mean(
    judge_labelled: Sequence[float],
    human_labelled: Sequence[float],
    judge_unlabelled: Sequence[float],
    lam: float | None = 1.0,
    confidence: float = CONFIDENCE,
) -> Predicted:
    """Prediction-powered mean: lam mean(judge, unlabelled) + mean(human - lam judge, labelled).

    Angelopoulos et al. (2023, Science 382, eq. 1); variances with n, normal interval, both samples taken as simple
    random from one population. `lam` 1 is that estimator, 0 the labels alone; None tunes it (PPI++,
    Angelopoulos, Duchi and Zrnic 2023): cov(human, judge)/((1 + n/N) var(judge, all)) within 0..1, that variance
    with n + N - 1; 0 where the judge never varies or nothing is unlabelled. A draw by strata belongs to
    `correction.corrected_mean`.
    Undefined: no labels; `lam` other than 0 without unlabelled replies; the interval, without any variance.
    Raises ValueError for labels that do not pair.
    """
    n, rest = len(human_labelled), len(judge_unlabelled)
    if len(judge_labelled) != n:
        raise ValueError(f"{len(judge_labelled)} values of the judge beside {n} labels")
    if not n:
        return Predicted(None, None, None, None, None, "no labels")
    lam = _tuned(judge_labelled, human_labelled, judge_unlabelled) if lam is None else lam
    if lam and not rest:
        return Predicted(None, None, None, None, lam, "no unlabelled replies")
    errors = [person - lam * machine for person, machine in zip(human_labelled, judge_labelled, strict=True)]
    value = _mean(errors) + (lam * _mean(judge_unlabelled) if rest else 0.0)
    variance = _variance(errors) / n + (lam**2 * _variance(judge_unlabelled) / rest if rest else 0.0)
    if n < 2:
        return Predicted(value, None, None, None, lam, "one label only: no variance")
    if variance <= 0:
        return Predicted(value, 0.0, None, None, lam, "nothing varies: the interval would have no width")
    from scipy.special import ndtri

    half = float(ndtri((1 + confidence) / 2)) * math.sqrt(variance)
    return Predicted(value, math.sqrt(variance), value - half, value + half, lam)


def _tuned(judge: Sequence[float], human: Sequence[float], unlabelled: Sequence[float]) -> float:
    everything = [*judge, *unlabelled]
    spread = _variance(everything) * len(everything) / max(len(everything) - 1, 1)
    if not unlabelled or not spread:
        return 0.0
    centre, middle = _mean(judge), _mean(human)
    products = [(person - middle) * (machine - centre) for person, machine in zip(human, judge, strict=True)]
    return min(1.0, max(0.0, _mean(products) / ((1 + len(judge) / len(unlabelled)) * spread)))


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _variance(values: Sequence[float]) -> float:
    if min(values) == max(values):
        return 0.0
    mean = _mean(values)
    return _mean([(value - mean) ** 2 for value in values])


def rogan_gladen(judge_positive: int, n: int, tp: int, human_pos: int, tn: int, human_neg: int) -> Prevalence:
    """The true share of positives from a judge's share, its sensitivity and its specificity.

    (p + Sp - 1)/(Se + Sp - 1) with p = judge_positive/n, Se = tp/human_pos, Sp = tn/human_neg (Rogan and Gladen
    1978, American Journal of Epidemiology 107); standard error by the delta method, the three taken as
    independent. Undefined without replies, or without labels of either kind, and where Se + Sp = 1: such a judge
    tells nothing. Raises ValueError for counts that cannot be.
    """
    if not (0 <= judge_positive <= n and 0 <= tp <= human_pos and 0 <= tn <= human_neg):
        raise ValueError("a count is negative or larger than what it is counted from")
    if not n or not human_pos or not human_neg:
        missing = "no replies" if not n else f"no labels that people call {'positive' if not human_pos else 'negative'}"
        return Prevalence(None, None, None, missing)
    informed = tp * human_neg + tn * human_pos - human_pos * human_neg
    if not informed:
        return Prevalence(None, None, None, "sensitivity + specificity = 1: the judge tells nothing")
    gain = informed / (human_pos * human_neg)
    share, sensitivity, specificity = judge_positive / n, tp / human_pos, tn / human_neg
    value = (share + specificity - 1) / gain
    variance = (
        share * (1 - share) / n
        + value**2 * sensitivity * (1 - sensitivity) / human_pos
        + (1 - value) ** 2 * specificity * (1 - specificity) / human_neg
    ) / gain**2
    return Prevalence(min(1.0, max(0.0, value)), value, math.sqrt(variance))
