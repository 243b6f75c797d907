"""Values corrected by people's labels: the stratified difference estimator and its relatives. Pure.

A corrected value stands beside the judge's, never instead of it. Labels are taken as truth, and the draw as random
within strata with the inclusion probabilities n_h/N_h.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from emaudit.stats.estimation import CONFIDENCE, Figure

LEVELS: Final = (1.0, 5.0)
NORMAL: Final = "normal"
SCORE: Final = "score, square-and-add"
_ROUNDING: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Stratum:
    """One stratum of a draw: `n_frame` units, of which those in `human` have a label.

    `judge` is the mean of the judge's values over all units of the stratum (its score, where strata are judge
    scores). `judged` are the judge's values of the labelled units, in the order of `human`; left empty where
    every unit of the stratum has the same judge's value. `is_mixed` says that it has not: the stratum holds all
    scores, as a simple draw's does, also while it has no label.
    """

    label: str
    n_frame: int
    human: tuple[float, ...]
    judge: float | None = None
    judged: tuple[float, ...] = ()
    is_mixed: bool = False


@dataclass(frozen=True, slots=True)
class Corrected:
    """A corrected value with its standard error and interval; what is None is explained by `reason`.

    `n` counts labels, `n_guarded` the strata whose variance was widened by a pseudo-label.
    """

    value: float | None
    se: float | None
    low: float | None
    high: float | None
    method: str
    reason: str
    n: int
    n_guarded: int = 0


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """Whether people correct the judge alike in every variant: chi-squared statistic, degrees of freedom, p."""

    statistic: Figure
    df: int
    p: Figure


def corrected_mean(
    strata: Sequence[Stratum],
    guard: bool = True,
    bounds: tuple[float, float] = LEVELS,
    confidence: float = CONFIDENCE,
) -> Corrected:
    """Mean over the frame as people see it: sum_h W_h mean(human in h), W_h = N_h/N, on the labels' scale.

    The stratified difference estimator (Cochran 1977, Sampling Techniques, ch. 5; prediction-powered inference
    with lambda = 1 and score strata, Angelopoulos et al. 2023): where strata are judge scores the judge's term
    cancels, with `judged` it is sum_h W_h (judge_h + mean(human - judged)). The standard error squared is
    sum_h W_h^2 (1 - n_h/N_h) s_h^2 / n_h.

    With `guard` a stratum whose labels show no variance takes that of its labels and one pseudo-label one step away,
    1/(n_h + 1), for the standard error only; and the interval is not value -+ z se, which covers .75 to .93 where
    disagreements are rare and all on one side, but of score type: the raised and the lowered parts of a stratum's
    errors each have Wilson's (1927) bounds, in steps of sum e^2 / sum e (1 where none was seen) and with n_h
    enlarged to n_h/(1 - n_h/N_h); distances from the estimate add up squared over parts and strata (Newcombe 1998;
    Zou and Donner 2008, Statistics in Medicine 27). It is wider on the side where errors can hide.
    Without `guard`: the normal interval and no pseudo-labels; undefined where it would have no width.
    The value, which the judge's term can carry beyond `bounds`, is held within them, and so is the interval about it.

    Undefined, with the reason: no units; a stratum without a label (named). A stratum that is labelled whole adds
    no error; where all are, the value is exact, its standard error 0 and the interval undefined.
    Raises ValueError for more labels than units, labels outside `bounds`, and `judged` that does not fit `human`.
    """
    used = [_Part.of(stratum, bounds) for stratum in strata if stratum.n_frame or stratum.human]
    n = sum(len(part.errors) for part in used)
    unlabelled = [part.label for part in used if not part.errors]
    if not used or unlabelled:
        reason = f"no label in stratum {', '.join(unlabelled)}" if used else "no units"
        return Corrected(None, None, None, None, "", reason, n)
    total = sum(part.n_frame for part in used)
    value = math.fsum(part.n_frame / total * part.mean for part in used)
    shares = [(part.n_frame / total, part) for part in used]
    held = min(max(value, bounds[0]), bounds[1])
    guarded = sum(part.flat for part in used) if guard else 0
    if all(part.rest == 0 for part in used):
        return Corrected(held, 0.0, None, None, "census", "every unit has a label: no sampling error", n)
    unknown = [part.label for part in used if part.rest and len(part.errors) < 2]
    if unknown and not guard:
        reason = f"one label only in stratum {', '.join(unknown)}: no variance"
        return Corrected(held, None, None, None, NORMAL, reason, n)
    se = math.sqrt(math.fsum(share**2 * part.variance(guard) for share, part in shares))
    z = _quantile(confidence)
    low, high = _score_reach(shares, z) if guard else (z * se, z * se)
    low, high = max(bounds[0], held - low), min(bounds[1], held + high)
    method = (SCORE if guard else NORMAL) + ("" if held == value else HELD)
    if high - low < _ROUNDING:
        reason = "no stratum saw a disagreement: the interval would have no width"
        return Corrected(held, se, None, None, method, reason, n, guarded)
    return Corrected(held, se, low, high, method, "", n, guarded)


HELD: Final = ", held within the scale"
"""Ends the method where the estimate itself lay outside the bounds: few labels can err by more than the scale."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A checked stratum: errors are human - judge of its labelled units, `base` what they are added to."""

    label: str
    n_frame: int
    base: float
    errors: tuple[float, ...]
    raises: float
    lowers: float

    @classmethod
    def of(cls, stratum: Stratum, bounds: tuple[float, float]) -> _Part:
        """Raises ValueError for a stratum that cannot be."""
        human, judged = stratum.human, stratum.judged
        if len(human) > stratum.n_frame:
            raise ValueError(f"{len(human)} labels in stratum {stratum.label}, which has {stratum.n_frame} units")
        if not all(bounds[0] <= value <= bounds[1] for value in human):
            raise ValueError(f"a label in stratum {stratum.label} lies outside {bounds[0]:g}..{bounds[1]:g}")
        if judged and (stratum.judge is None or len(judged) != len(human)):
            raise ValueError(
                f"stratum {stratum.label} needs the judge's mean and one value of the judge for each label"
            )
        base = _reference(stratum)
        seen = judged or (base,) * len(human)
        errors = tuple(person - machine for person, machine in zip(human, seen, strict=True))
        raises = bounds[1] - min(base, *seen) if seen else 0.0
        lowers = max(base, *seen) - bounds[0] if seen else 0.0
        return cls(stratum.label, stratum.n_frame, base, errors, raises, lowers)

    @property
    def mean(self) -> float:
        return self.base + math.fsum(self.errors) / len(self.errors)

    @property
    def rest(self) -> float:
        """Share of the stratum without a label."""
        return 1 - len(self.errors) / self.n_frame

    @property
    def flat(self) -> bool:
        """Whether the labels show no variance though some units have none."""
        return self.rest > 0 and min(self.errors) == max(self.errors)

    def variance(self, guard: bool) -> float:
        """Variance of the stratum's mean, with n - 1 and the finite-population factor."""
        n = len(self.errors)
        if not self.rest:
            return 0.0
        if guard and self.flat:
            return self.rest / (n * (n + 1))
        mean = math.fsum(self.errors) / n
        return self.rest * math.fsum((error - mean) ** 2 for error in self.errors) / ((n - 1) * n)

    def reach(self, z: float) -> tuple[float, float]:
        """Squared distances from the stratum's mean to its lower and upper bound."""
        if not self.rest:
            return 0.0, 0.0
        n = len(self.errors) / self.rest
        raised = [max(error, 0.0) for error in self.errors]
        lowered = [max(-error, 0.0) for error in self.errors]
        less_raised, more_raised = _wilson_reach(raised, n, z, min(self.raises, 1.0))
        less_lowered, more_lowered = _wilson_reach(lowered, n, z, min(self.lowers, 1.0))
        both = 2 * z * z * math.fsum(raised) * math.fsum(lowered) / (len(self.errors) ** 2 * n)
        return less_raised**2 + more_lowered**2 + both, more_raised**2 + less_lowered**2 + both


def _reference(stratum: Stratum) -> float:
    """What people's labels are compared with: the judge's value, else the most frequent label (lowest if tied)."""
    if stratum.judge is not None:
        return stratum.judge
    counts = Counter(stratum.human)
    return min(counts, key=lambda value: (-counts[value], value), default=0.0)


def _wilson_reach(sizes: Sequence[float], n: float, z: float, step: float) -> tuple[float, float]:
    """Distances from the mean of sizes >= 0 down and up to its bounds; `step` stands in where all sizes are 0.

    In steps of sum s^2 / sum s the mean has about the variance of a share of as many trials.
    """
    total = math.fsum(sizes)
    if total:
        step = math.fsum(size**2 for size in sizes) / total
    if not step:
        return 0.0, 0.0
    share = total / len(sizes) / step
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return step * max(0.0, share - centre + half), step * max(0.0, centre + half - share)


def _score_reach(shares: Sequence[tuple[float, _Part]], z: float) -> tuple[float, float]:
    reaches = [(share, *part.reach(z)) for share, part in shares]
    low = math.sqrt(math.fsum(share**2 * below for share, below, _ in reaches))
    return low, math.sqrt(math.fsum(share**2 * above for share, _, above in reaches))


def _quantile(confidence: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + confidence) / 2))


def corrected_maximum(
    strata: Sequence[Stratum],
    guard: bool = True,
    bounds: tuple[float, float] = LEVELS,
    confidence: float = CONFIDENCE,
) -> Corrected:
    """Mean of prompt maxima (1..5) as people see it: `corrected_mean` with whole prompts as units.

    `n_frame` counts prompts, `human` holds their maxima as people see them. Prompts drawn at random make one
    stratum with `judge`, the mean of the judge's maxima over all prompts, and `judged`, its maxima of the labelled
    ones (see `whole_prompts`); prompts drawn by the judge's maximum are strata like any. A confirmed 5 ends a
    prompt: its maximum is known.
    """
    return corrected_mean(strata, guard, bounds, confidence)


def whole_prompts(judge_maxima: Mapping[str, float], human_maxima: Mapping[str, float]) -> tuple[Stratum, ...]:
    """The stratum of a simple random draw of whole prompts: the judge's maxima of all, people's of the drawn.

    Raises KeyError for a labelled prompt that is not in the frame.
    """
    if not judge_maxima:
        return ()
    labelled = sorted(human_maxima)
    return (
        Stratum(
            "prompts",
            len(judge_maxima),
            tuple(human_maxima[prompt] for prompt in labelled),
            math.fsum(judge_maxima.values()) / len(judge_maxima),
            tuple(judge_maxima[prompt] for prompt in labelled),
            is_mixed=True,
        ),
    )


def judge_value(strata: Sequence[Stratum]) -> Figure:
    """The judge's own mean over the frame, sum_h W_h judge_h."""
    total = sum(stratum.n_frame for stratum in strata)
    if not total:
        return Figure(None, "no units")
    unknown = [stratum.label for stratum in strata if stratum.n_frame and stratum.judge is None]
    if unknown:
        return Figure(None, f"no judge's value for stratum {', '.join(unknown)}")
    return Figure(math.fsum(stratum.n_frame * (stratum.judge or 0.0) for stratum in strata) / total)


def bias_note(corrected: Corrected, judge: float) -> str:
    """`judge biased high by 0.12` (or low) where the interval excludes the judge's value; else nothing."""
    if corrected.value is None or corrected.low is None or corrected.high is None:
        return ""
    if corrected.low <= judge <= corrected.high:
        return ""
    return f"judge biased {'high' if judge > corrected.value else 'low'} by {abs(judge - corrected.value):.2f}"


def pooled(
    per_variant: Mapping[str, Sequence[Stratum]],
    guard: bool = True,
    bounds: tuple[float, float] = LEVELS,
    confidence: float = CONFIDENCE,
) -> Corrected:
    """Corrected mean over the replies of all variants, labels put together by judge score.

    Assumes equal judge error across variants, given the judge's score: `heterogeneity` tests that. A variant
    without labels of its own is corrected by the others' here, so this is no estimate of any one variant.
    """
    merged = [_merged(members) for members in _by_score(per_variant).values()]
    found = corrected_mean(merged, guard, bounds, confidence)
    return replace(found, method=f"{found.method}; assumes equal judge error across variants".removeprefix("; "))


def _by_score(per_variant: Mapping[str, Sequence[Stratum]]) -> dict[object, dict[str, Stratum]]:
    """Strata of several variants by what they share: the judge's score, else the label."""
    found: dict[object, dict[str, Stratum]] = {}
    for variant, strata in per_variant.items():
        for stratum in strata:
            alike = stratum.label if stratum.is_mixed or stratum.judge is None else stratum.judge
            members = found.setdefault(alike, {})
            if variant in members:
                raise ValueError(f"variant {variant} has two strata {alike}")
            members[variant] = stratum
    return found


def _merged(members: Mapping[str, Stratum]) -> Stratum:
    strata = list(members.values())
    known = all(stratum.judge is not None for stratum in strata)
    return Stratum(
        strata[0].label,
        sum(stratum.n_frame for stratum in strata),
        tuple(value for stratum in strata for value in stratum.human),
        judge_value(strata).value if known and any(stratum.n_frame for stratum in strata) else strata[0].judge,
        tuple(value for stratum in strata for value in stratum.judged),
        strata[0].is_mixed,
    )


def heterogeneity(per_variant: Mapping[str, Sequence[Stratum]]) -> Heterogeneity:
    """Test whether people correct the judge alike in every variant, given the judge's score.

    The generalised Cochran-Mantel-Haenszel statistic for mean scores (Landis, Heyman and Koch 1978, International
    Statistical Review 46): the variants' sums of errors human - judge against their expectation when labels are
    dealt at random within each judge score. It is chi-squared with as many degrees of freedom as variants can be
    compared, less one, and needs labels in total, not in every stratum. Undefined with fewer than two variants
    that share a judge score, and where no error differs from the others of its score.
    """
    import numpy as np
    from scipy.special import chdtrc

    variants = {variant: place for place, variant in enumerate(per_variant)}
    excess, spread = np.zeros(len(variants)), np.zeros((len(variants), len(variants)))
    shared = False
    for members in _by_score(per_variant).values():
        labelled = {name: _Part.of(stratum, _ANY).errors for name, stratum in members.items() if stratum.human}
        errors = [error for values in labelled.values() for error in values]
        if len(labelled) < 2:
            continue
        shared = True
        n, mean = len(errors), math.fsum(errors) / len(errors)
        variance = math.fsum((error - mean) ** 2 for error in errors) / (n - 1)
        sizes = np.zeros(len(variants))
        for name, values in labelled.items():
            sizes[variants[name]] = len(values)
            excess[variants[name]] += math.fsum(values) - len(values) * mean
        spread += variance * (np.diag(sizes) - np.outer(sizes, sizes) / n)
    freedom = int(np.linalg.matrix_rank(spread)) if shared else 0
    if not freedom:
        reason = (
            "all labels of a judge score err alike" if shared else "no two variants share a judge score with labels"
        )
        return Heterogeneity(Figure(None, reason), 0, Figure(None, reason))
    statistic = float(excess @ np.linalg.pinv(spread, hermitian=True) @ excess)
    return Heterogeneity(Figure(statistic), freedom, Figure(float(chdtrc(freedom, statistic))))


_ANY: Final = (-math.inf, math.inf)


def noise_inflation(false_two_rate: float, k: int) -> Figure:
    """Mean of (max - 1)/4 over prompts of k replies that are all 1, when the judge says 2 at this rate (0..1).

    (1 - (1 - rate)^k)/4: what judge noise alone makes of a harmless model.
    Raises ValueError for a rate outside 0..1.
    """
    if not 0 <= false_two_rate <= 1:
        raise ValueError(f"{false_two_rate} is no rate")
    return noise_inflation_from({1: 1 - false_two_rate, 2: false_two_rate}, k)


def noise_inflation_from(verdicts: Mapping[float, float], k: int, bounds: tuple[float, float] = (1.0, 5.0)) -> Figure:
    """The same from the judge's verdicts (score -> design-weighted number) on replies that people call 1.

    E[max of k] = sum of x (F(x)^k - F(x-)^k), replies independent, normalised to 0..1 by `bounds`.
    Undefined without such verdicts and for k < 1. Raises ValueError for a negative weight.
    """
    if any(weight < 0 for weight in verdicts.values()):
        raise ValueError("a weight is negative")
    total = math.fsum(verdicts.values())
    if k < 1:
        return Figure(None, f"no maximum of {k} replies")
    if not total:
        return Figure(None, "no verdict on a reply that people call 1")
    found, below = [], 0.0
    for score in sorted(verdicts):
        upto = below + verdicts[score] / total
        found.append(score * (min(upto, 1.0) ** k - below**k))
        below = min(upto, 1.0)
    return Figure((math.fsum(found) - bounds[0]) / (bounds[1] - bounds[0]))
