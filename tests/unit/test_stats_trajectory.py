"""A change over shared prompts, the share undone, and p, against numbers worked out some other way."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Sequence

import numpy as np
import pytest

from emaudit.stats.estimation import clopper_pearson
from emaudit.stats.trajectory import (
    BOOTSTRAP,
    FEW_PROMPTS,
    Change,
    Level,
    few,
    gap_bounds,
    p_above_zero,
    shape,
    undone,
)

BASE = [0, 0, 0.25, 0, 0, 0.5, 0, 0.25, 0, 0, 0, 0.25, 0, 0, 0, 0, 0.25, 0, 0, 0]
WORSE = [0.5, 1, 0.75, 0.25, 0, 1, 0.5, 1, 0.75, 0.25, 1, 1, 0.5, 0, 0.75, 0.25, 1, 0.5, 0.25, 0.75]
BETTER = [0.25, 0.5, 0.25, 0, 0, 0.75, 0.25, 0.5, 0, 0.25, 0.5, 0.25, 0.25, 0, 0.5, 0, 0.25, 0, 0.25, 0.5]


def change(first: Sequence[float], second: Sequence[float], resamples: int = 2_000, seed: int = 1) -> Change:
    """One set of prompts; the resamples are drawn here, one by one."""
    draw = random.Random(seed)
    n = len(first)
    draws = []
    for _ in range(resamples):
        chosen = [draw.randrange(n) for _ in range(n)]
        draws.append(sum(second[i] - first[i] for i in chosen) / n)
    centre = (sum(second) - sum(first)) / n
    error = tuple((second[i] - first[i] - centre) / n for i in range(n))
    return Change(Level(sum(first) / n, n), Level(sum(second) / n, n), np.array(draws), (error,))


def ordered(change: Change) -> list[float]:
    return sorted(float(value) for value in change.draws)


def test_the_interval_is_the_expanded_percentile() -> None:
    """t with 19 degrees is 2.0930; times sqrt(20/19) it is the normal's 2.1474, a tail of .015882."""
    rise = change(BASE, WORSE)
    tail = 0.5 * math.erfc(2.093024054408263 * math.sqrt(20 / 19) / math.sqrt(2))
    assert tail == pytest.approx(0.01588, abs=2e-5)
    low, high = ordered(rise)[int(tail * 1_999)], ordered(rise)[math.ceil((1 - tail) * 1_999)]
    found = rise.interval()
    assert (found.low, found.high, found.method) == (low, high, BOOTSTRAP)
    assert rise.value == pytest.approx(statistics.mean(WORSE) - statistics.mean(BASE))


def test_it_is_wider_than_the_plain_percentiles_by_what_few_prompts_cost() -> None:
    rise = change(BASE, WORSE)
    low, high = rise.bounds()
    plain = np.quantile(rise.draws, [0.025, 0.975])
    assert low < plain[0] and high > plain[1]


def test_equal_differences_have_no_zero_width() -> None:
    rise = change([0.0] * 10, [1.0] * 10)
    found = rise.interval()
    one = clopper_pearson(10, 10)
    none = clopper_pearson(0, 10)
    assert one.low is not None and none.high is not None
    assert found.method == FEW_PROMPTS
    assert found.low == pytest.approx(1 - math.hypot(1 - one.low, none.high))
    assert found.high == 1


def test_no_change_at_all_has_an_interval_about_zero() -> None:
    found = change([0.0] * 10, [0.0] * 10).interval()
    bound = clopper_pearson(0, 10).high
    assert (found.low, found.high) == (pytest.approx(-(bound or 0)), pytest.approx(bound))


def test_on_another_scale_the_interval_of_few_moves_with_it() -> None:
    plain = change([0.0] * 10, [1.0] * 10)
    moved = Change(Level(-0.5, 10), Level(0.5, 10), plain.draws, plain.strata, (-0.5, 0.5))
    assert moved.bounds() == pytest.approx(plain.bounds())


@pytest.mark.parametrize(
    ("strata", "expected"),
    [
        (((0.1, 0.1, 0.1, 0.1, 0.1, 0.1),), True),
        (((0.1, 0.1, 0.1, 0.2, 0.3, 0.4, 0.5),), True),
        (((0.1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6),), False),
        (((0.1, 0.2, 0.3), (0.1, 0.2, 0.3, 0.4)), False),
        (((0.1,), (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)), True),
    ],
)
def test_few_prompts_are_those_that_depart_from_the_rest(strata: tuple[tuple[float, ...], ...], expected: bool) -> None:
    assert few(strata) is expected


def test_p_is_where_the_interval_would_touch_zero() -> None:
    rise = change([0.1 * i for i in range(12)], [0.1 * ((5 * i) % 12) + 0.12 for i in range(12)])
    p = p_above_zero(rise.bounds)
    assert 0.01 < p < 0.4
    assert rise.bounds(1 - 2 * p - 0.01)[0] > 0 >= rise.bounds(1 - 2 * p + 0.01)[0]


def test_p_beyond_the_resamples_is_that_of_t() -> None:
    """19 degrees: the contributions' variance is the ordinary squared standard error of the mean difference."""
    rise = change(BASE, WORSE)
    differences = [b - a for a, b in zip(BASE, WORSE, strict=True)]
    t = statistics.mean(differences) / (statistics.stdev(differences) / math.sqrt(20))
    from scipy.stats import t as student

    assert min(ordered(rise)) > 0
    assert p_above_zero(rise.bounds) == pytest.approx(float(student.sf(t, 19)), rel=1e-3)


def test_what_does_not_rise_has_p_of_a_half() -> None:
    assert p_above_zero(change(WORSE, BASE).bounds) == 0.5


def test_the_gap_adds_squares() -> None:
    first, second = change(BASE, WORSE), change(BASE, BETTER)
    (low, high), (other_low, other_high) = first.bounds(), second.bounds()
    gap = first.value - second.value
    assert gap_bounds(first, second) == (
        pytest.approx(gap - math.hypot(first.value - low, other_high - second.value)),
        pytest.approx(gap + math.hypot(high - first.value, second.value - other_low)),
    )


def test_the_share_undone_and_its_interval_by_a_slow_loop() -> None:
    rise, left = change(BASE, WORSE), change(BASE, BETTER)
    found = undone(rise, left)
    expected = (statistics.mean(WORSE) - statistics.mean(BETTER)) / (statistics.mean(WORSE) - statistics.mean(BASE))
    assert found.share.value == pytest.approx(expected)
    shares = sorted(1 - b / a for a, b in zip(rise.draws, left.draws, strict=True))
    tail = 0.5 * math.erfc(2.093024054408263 * math.sqrt(20 / 19) / math.sqrt(2))
    assert found.interval.low == pytest.approx(shares[int(tail * 1_999)])
    assert found.interval.high == pytest.approx(shares[math.ceil((1 - tail) * 1_999)])


def test_a_fall_is_undone_like_a_rise() -> None:
    up, left = change(BASE, WORSE), change(BASE, BETTER)
    down = undone(
        change([1 - x for x in BASE], [1 - x for x in WORSE]), change([1 - x for x in BASE], [1 - x for x in BETTER])
    )
    there = undone(up, left)
    assert down.share.value == pytest.approx(there.share.value)
    assert down.interval.low == pytest.approx(there.interval.low)


def test_no_share_of_a_rise_that_may_be_none() -> None:
    rise = change(BASE, [*BASE[1:], BASE[0]])
    found = undone(rise, change(BASE, BETTER))
    assert (found.share.value, found.interval.low, found.interval.high) == (None, None, None)
    assert found.share.reason == "the interval of the rise includes 0"


def test_all_of_it_undone_has_no_zero_width() -> None:
    """Nothing is left: 0 within u of 0, so the share is off 1 by at most x with x rise = hypot(u, x (rise - low))."""
    rise, left = change(BASE, WORSE), change(BASE, BASE)
    found = undone(rise, left)
    assert found.share.value == 1
    assert found.interval.method == FEW_PROMPTS
    u = left.bounds()[1]
    x = u / math.sqrt(rise.value**2 - (rise.value - rise.bounds()[0]) ** 2)
    assert found.interval.low == pytest.approx(1 - x)
    assert found.interval.high is not None and found.interval.high > 1


def test_resamples_without_a_rise_widen_the_share_and_never_end_it_early() -> None:
    rise = change(BASE, WORSE)
    spoilt = np.array(rise.draws)
    spoilt[:10] = -0.01
    fewer = Change(rise.earlier, rise.later, spoilt, rise.strata)
    plain, found = undone(rise, change(BASE, BETTER)).interval, undone(fewer, change(BASE, BETTER)).interval
    assert plain.low is not None and found.low is not None and found.low < plain.low
    assert plain.high is not None and found.high is not None and found.high > plain.high


@pytest.mark.parametrize(
    ("values", "expected"),
    [((0.1, 0.8, 0.2), "inverted V"), ((0.07, 0.21, 0.23), "no fall"), ((0.3, 0.3, 0.1), "no rise")],
)
def test_shapes(values: tuple[float, float, float], expected: str) -> None:
    assert shape(*values) == expected


def test_the_interval_covers_a_true_change_of_few_prompts() -> None:
    """Twelve skewed prompts, 300 times: nominal .95 (plain percentiles cover some .90 here)."""
    draw = random.Random(3)
    held = 0
    for round_ in range(300):
        first = [draw.random() ** 3 for _ in range(12)]
        second = [min(1.0, x + draw.random() ** 2) for x in first]
        low, high = change(first, second, 400, round_).bounds()
        held += low <= TRUE_RISE <= high
    assert held >= 0.92 * 300


def _true_rise() -> float:
    """The mean of min(1, u^3 + v^2) - u^3 over a fine grid."""
    steps = [(i + 0.5) / 400 for i in range(400)]
    return statistics.fmean(min(1.0, u**3 + v**2) - u**3 for u in steps for v in steps)


TRUE_RISE = _true_rise()
