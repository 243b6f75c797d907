"""Bootstrap intervals of paired effects, and Mann-Whitney: published values, written out, what has no value."""

from __future__ import annotations

import itertools
import math
import random
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emaudit.stats.comparisons import BOOTSTRAP, rank_biserial_interval, too_alike
from emaudit.stats.estimation import percentiles, resample_counts
from emaudit.stats.ranksum import mann_whitney, shift_between, summed_u
from emaudit.stats.signedrank import ZERO_RULES, Zeros, signed_rank

TERM = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
EARLY = [1.15, 0.88, 0.90, 0.74, 1.21]
"""Permeability of the chorioamnion at term and early (Hollander and Wolfe 1999, table 4.1)."""
PAIRED = [0, 0, 1, -1, 2, 2, 3, -2, 4, 1, 0, 1, 2.5, -0.5, 3]


def test_mann_whitney_published() -> None:
    """R 4.2: wilcox.test(x, y, conf.int = TRUE): W = 35, p = 0.2544, 0.305 [-0.15, 0.76]."""
    found, shift = mann_whitney(EARLY, TERM), shift_between(EARLY, TERM)
    assert (found.u_a, found.method, found.n_a, found.n_b) == (15.0, "exact", 5, 10)
    assert (found.p_two_sided, found.p_greater) == pytest.approx((0.25441225, 0.12720613), abs=1e-8)
    assert found.rank_biserial == pytest.approx((35 - 15) / 50)
    assert (shift.estimate, shift.low, shift.high) == pytest.approx((0.305, -0.15, 0.76), abs=1e-9)
    turned = mann_whitney(TERM, EARLY)
    assert (turned.u_a, turned.rank_biserial) == (35.0, pytest.approx(-0.4))


def test_mann_whitney_exact_is_that_of_every_arrangement() -> None:
    a, b = [1.0, 4.0, 6.5], [2.0, 3.0, 7.0, 8.0]
    observed = sum(x > y for x in a for y in b)
    sums = [sum(x > y for x in chosen for y in set(a + b) - set(chosen)) for chosen in itertools.combinations(a + b, 3)]
    at_most = sum(u <= observed for u in sums) / len(sums)
    found = mann_whitney(a, b)
    assert found.u_a == observed
    assert found.p_greater == pytest.approx(at_most)
    assert found.p_two_sided == pytest.approx(2 * at_most)


def test_mann_whitney_with_ties_is_an_approximation_and_says_so() -> None:
    found = mann_whitney([1, 1, 2, 3], [2, 3, 3, 4, 5])
    assert (found.method, found.n_tied) == ("normal approximation", 7)
    assert found.u_a == 0.5 + (1 + 0.5 + 0.5), "2 ties one value; 3 lies above one and ties two"
    assert (found.p_two_sided, found.p_greater, found.p_less) == pytest.approx(
        (0.07854585095119067, 0.039272925475595334, 0.9778107863272566), rel=1e-9
    ), "scipy 1.17"
    other = mann_whitney([3, 1, 4, 1, 5, 9, 2, 6], [2, 7, 1, 8, 2, 8, 1])
    assert (other.u_a, other.p_two_sided, other.p_greater, other.p_less) == pytest.approx(
        (28, 1.0, 0.5233864060415847, 0.5233864060415847), rel=1e-9
    )


def test_mann_whitney_without_information() -> None:
    same, none = mann_whitney([2, 2], [2, 2, 2]), mann_whitney([], [1.0])
    assert (same.p_two_sided, same.u_a, same.reason) == (None, 3.0, "all values are the same")
    assert (none.p_two_sided, none.u_a, none.reason) == (None, None, "a group has no values")
    assert shift_between([2, 2] * 10, [2, 2, 2] * 10).reason == "ties leave the interval no width"
    assert shift_between([], [1.0]).reason == "a group has no values"
    assert shift_between([1.0], [2.0, 3.0]).low is None


def test_shift_between_large_groups_takes_the_normal_approximation() -> None:
    rng = random.Random(1)
    a, b = [rng.gauss(0, 1) for _ in range(51)], [rng.gauss(1, 1) for _ in range(60)]
    found = shift_between(a, b)
    assert found.estimate == pytest.approx(statistics.median(y - x for x in a for y in b))
    assert found.low is not None and found.high is not None and found.low < 1 < found.high
    assert found.achieved_confidence == pytest.approx(0.95, abs=2e-3) and found.achieved_confidence >= 0.95


def test_shift_between_many_replies_counts_ties_instead_of_laying_them_out() -> None:
    """18,000 ratings a side have 324 million differences, of nine values."""
    a, b = [float(place % 5) for place in range(18_000)], [float(place % 5 + (place % 2)) for place in range(18_000)]
    found = shift_between(a, b)
    assert found.estimate == statistics.median(y - x for x in a[:200] for y in b[:200]) == 0.5
    assert (found.low, found.high) == (0, 1)


def test_shift_between_too_many_distinct_values_is_refused() -> None:
    a = [place / 7 for place in range(2_001)]
    found = shift_between(a, a)
    assert (found.estimate, found.low) == (None, None)
    assert found.reason == "2,001 and 2,001 distinct values have too many differences to lay out"


@settings(max_examples=30)
@given(st.lists(st.integers(1, 5), min_size=8, max_size=30), st.lists(st.integers(1, 5), min_size=8, max_size=30))
def test_shift_between_ties_is_that_of_all_differences(a: list[int], b: list[int]) -> None:
    found = shift_between(a, b)
    gaps = sorted(y - x for x in a for y in b)
    assert found.estimate == statistics.median(gaps)
    if found.low is not None:
        place = gaps.index(found.low)
        assert found.high == gaps[-place - 1] or gaps.count(found.low) > 1


@settings(max_examples=20)
@given(st.lists(st.sampled_from(PAIRED), min_size=8, max_size=14), st.sampled_from(ZERO_RULES))
def test_rank_biserial_is_ranked_anew_in_every_resample(differences: list[float], zeros: Zeros) -> None:
    found = rank_biserial_interval(differences, 5, zeros, resamples=200)
    drawn = resample_counts(len(differences), 5, 200).astype(int)
    values = [
        signed_rank([value for value, times in zip(differences, row, strict=True) for _ in range(times)], zeros)
        for row in drawn.tolist()
    ]
    there = [entry.rank_biserial for entry in values if entry.rank_biserial is not None]
    if found.low is not None:
        assert (found.low, found.high) == pytest.approx(tuple(np.quantile(there, [0.025, 0.975])), abs=1e-12)


def test_the_seed_decides_the_resamples() -> None:
    found = rank_biserial_interval(PAIRED, 11)
    assert found.low is not None and rank_biserial_interval(PAIRED, 11) == found
    assert rank_biserial_interval(PAIRED, 12) != found


def test_whole_prompts_are_resampled() -> None:
    """Each prompt twice tells no more than each prompt once; as twice as many prompts it would seem to."""
    once = rank_biserial_interval(PAIRED, 3)
    twice = [value for value in PAIRED for _ in range(2)]
    clusters = [str(place) for place in range(len(PAIRED)) for _ in range(2)]
    clustered, alone = rank_biserial_interval(twice, 3, clusters=clusters), rank_biserial_interval(twice, 3)
    assert (clustered.low, clustered.high) == pytest.approx((once.low, once.high), abs=0.02)
    assert alone.low is not None and once.low is not None and alone.low > once.low + 0.05
    with pytest.raises(ValueError, match="2 clusters beside 3"):
        rank_biserial_interval([1, 2, 3], 1, clusters=["a", "b"])


def test_no_interval_of_no_width() -> None:
    def said(differences: list[float]) -> str:
        found = rank_biserial_interval(differences, 1)
        assert found.low is None
        return found.method

    assert said([1.0] * 20).startswith("undefined: only 0 of 20 differences")
    few = "undefined: only 4 of 44 differences differ from the most frequent one, resampling takes 5"
    assert said([0.0] * 40 + [1.0] * 4) == few
    assert said([1, 2, 3, 4, 5, 6, 7]) == "undefined: all resamples agree"
    assert said([]) == "undefined: no pairs"


def test_percentiles_count_what_has_no_value() -> None:
    values = np.arange(100.0)
    lost = values.copy()
    lost[:6] = np.nan
    assert percentiles(values, BOOTSTRAP).low == pytest.approx(2.475)
    assert percentiles(lost, BOOTSTRAP).method == "undefined: 6 of 100 resamples have no value"
    assert too_alike([0.1 + 0.2, 0.3, 0.3, 0.3, 0.3]) != ""
    assert too_alike([1, 2, 3, 4, 5, 6]) == ""


def test_u_added_over_strata() -> None:
    strata = [([1, 1, 2, 3], [2, 3, 3, 4, 5]), ([0.0, 0.5], [0.5, 1.0, 1.0])]
    found = summed_u(strata)
    parts = [mann_whitney(a, b) for a, b in strata]
    assert found.u_a == sum(part.u_a or 0 for part in parts)
    assert (found.n_a, found.n_b) == (6, 8)
    assert found.rank_biserial == pytest.approx(1 - found.u_a / (20 / 2 + 6 / 2))
    alone = summed_u(strata[:1])
    ranks = [1.5, 1.5, 3.5, 6, 3.5, 6, 6, 8, 9]
    spread = statistics.pvariance(ranks) * 9 / 8 * 4 * 5 / 9
    assert alone.z == pytest.approx((10 - alone.u_a) / math.sqrt(spread))
    assert summed_u([([1], [1, 1])]).reason == "all values are the same"
    assert summed_u([([], [1])]).reason == "a group has no values"
