"""The signed-rank test and the shift: reference values, every sign flipped, published examples, what has no value."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_cases import reference_cases

from emaudit.stats.signedrank import ZERO_RULES, Zeros, hodges_lehmann, signed_rank

DEPRESSION = [0.952, -0.147, 1.022, 0.43, 0.62, 0.59, 0.49, -0.08, 0.01]
"""First visit minus second of nine patients (Hollander and Wolfe 1999, table 3.1)."""
TIED = [((7 * i * i + 3 * i) % 11) - 4 for i in range(320)]
"""320 differences of six values, 29 of them 0."""
DIFFERENCES = st.lists(st.sampled_from([-3, -2, -1, 0, 0, 1, 1, 2, 0.5]), min_size=1, max_size=9)


def flipped(differences: Sequence[float], zeros: Zeros) -> tuple[Fraction, Fraction]:
    """P(W+ >= observed) and P(W+ <= observed) by writing out every assignment of signs."""
    ranked = sorted(abs(value) for value in differences if value or zeros == "pratt")
    rank = {size: Fraction(2 * ranked.index(size) + ranked.count(size) + 1, 2) for size in ranked}
    off_zero = [value for value in differences if value]
    observed = sum(rank[abs(value)] for value in off_zero if value > 0)
    sums = [
        sum(rank[abs(value)] for value, sign in zip(off_zero, signs, strict=True) if sign)
        for signs in itertools.product((0, 1), repeat=len(off_zero))
    ]
    shares = (sum(total >= observed for total in sums), sum(total <= observed for total in sums))
    return Fraction(shares[0], len(sums)), Fraction(shares[1], len(sums))


def test_reference_cases() -> None:
    names = {"p_exact_two_sided": "p_two_sided", "p_exact_greater": "p_greater", "p_exact_less": "p_less"}
    for case in reference_cases()["wilcoxon"]:
        for zeros in ZERO_RULES:
            found = signed_rank(case["d"], zeros)
            for name, value in case["expected"].get(zeros, {}).items():
                assert getattr(found, names.get(name, name)) == pytest.approx(value, rel=1e-9, abs=1e-9), name
        expected, shift = case["expected"], hodges_lehmann(case["d"])
        for name in ("hodges_lehmann", "hodges_lehmann_all_pairs"):
            if name in expected:
                assert shift.estimate == pytest.approx(expected[name], abs=1e-9)
        if "ci_95_exact" in expected:
            assert (shift.low, shift.high) == pytest.approx(expected["ci_95_exact"], abs=1e-9)
            assert shift.achieved_confidence == pytest.approx(expected["achieved_confidence"], abs=1e-9)
        if expected.get("defined") is False:
            assert found.p_two_sided is None and found.reason


def test_zeros_and_ties_where_scipy_is_silently_wrong() -> None:
    found = signed_rank([0, 0, 1, -1, 2, 2, 3, -2, 4, 1, 0, 1], "wilcox")
    assert (found.w_plus, found.w_minus, found.n_zero, found.n_nonzero) == (36.5, 8.5, 3, 9)
    assert found.n_tied == 7
    assert found.p_two_sided == 0.12109375
    pratt = signed_rank([0, 0, 1, -1, 2, 2, 3, -2, 4, 1, 0, 1])
    assert (pratt.zero_rule, pratt.p_two_sided, pratt.w_plus) == ("pratt", 0.109375, 57.5)
    assert pratt.z == pytest.approx(1.7145222790821348, rel=1e-12)


@given(DIFFERENCES, st.sampled_from(ZERO_RULES))
def test_exact_p_is_that_of_every_assignment_of_signs(differences: list[float], zeros: Zeros) -> None:
    found = signed_rank(differences, zeros)
    if not any(differences):
        assert (found.p_two_sided, found.rank_biserial, found.reason) == (None, None, "every difference is 0")
        return
    greater, less = flipped(differences, zeros)
    assert found.p_greater == pytest.approx(float(greater), rel=1e-12)
    assert found.p_less == pytest.approx(float(less), rel=1e-12)
    assert found.p_two_sided == pytest.approx(min(1.0, 2 * float(min(greater, less))), rel=1e-12)
    turned = signed_rank([-value for value in differences], zeros)
    assert (turned.p_two_sided, turned.p_greater) == (found.p_two_sided, found.p_less)
    assert found.rank_biserial is not None and turned.rank_biserial == -found.rank_biserial


def test_320_pairs_with_ties_and_zeros_are_exact() -> None:
    """Expected values: the same distribution in integers."""
    pratt, wilcox = signed_rank(TIED), signed_rank(TIED, "wilcox")
    assert (pratt.n_pairs, pratt.n_zero, pratt.n_tied, pratt.method) == (320, 29, 291, "exact")
    assert (pratt.w_plus, pratt.w_minus) == (23664.0, 27261.0)
    assert pratt.p_two_sided == pytest.approx(0.2817192317291584, rel=1e-12)
    assert pratt.p_greater == pytest.approx(0.8591403920985717, rel=1e-12)
    assert (wilcox.w_plus, wilcox.w_minus) == (20300.0, 22186.0)
    assert wilcox.p_two_sided == pytest.approx(0.5145403508500461, rel=1e-12)


def test_a_far_tail_is_no_rounding_error() -> None:
    found = signed_rank([float(i) for i in range(1, 321)])
    assert found.p_greater == math.ldexp(1, -320)
    assert found.p_two_sided == math.ldexp(1, -319)
    assert found.p_less == 1.0
    assert found.rank_biserial == 1.0


def test_published_example() -> None:
    """R 4.2: wilcox.test(x, y, paired = TRUE, conf.int = TRUE)."""
    found, shift = signed_rank(DEPRESSION), hodges_lehmann(DEPRESSION)
    assert (found.w_plus, found.w_minus, found.p_two_sided, found.p_greater) == (40.0, 5.0, 0.0390625, 0.01953125)
    assert (shift.estimate, shift.low, shift.high) == pytest.approx((0.46, 0.01, 0.786), abs=1e-12)
    assert shift.achieved_confidence == 0.9609375


def test_beyond_500_differences_the_method_is_named() -> None:
    values = [((i * 37) % 101) / 10 - 4.85 for i in range(501)]
    exact, normal = signed_rank(values[:500]), signed_rank(values)
    assert (exact.method, normal.method) == ("exact", "normal approximation")
    assert normal.p_two_sided == normal.p_asymptotic
    assert exact.p_two_sided == pytest.approx(exact.p_asymptotic, rel=0.02)
    assert signed_rank([*values[:500], 0.0], "wilcox").method == "exact"


def test_differences_are_rounded_before_they_are_ranked() -> None:
    found = signed_rank([0.1 + 0.2 - 0.3, 0.3 - 0.2, 0.2 - 0.1, -0.5])
    assert (found.n_zero, found.n_tied, found.w_plus, found.w_minus) == (1, 2, 5.0, 4.0)


def test_continuity_correction_stops_at_the_mean() -> None:
    found = signed_rank([1.0, 2.0, -3.0])
    assert (found.w_plus, found.w_minus, found.z, found.p_asymptotic_cc) == (3.0, 3.0, 0.0, 1.0)


@pytest.mark.parametrize("zeros", ZERO_RULES)
def test_nothing_to_rank_has_no_p(zeros: Zeros) -> None:
    for differences, reason in (([], "no pairs"), ([0.0] * 5, "every difference is 0")):
        found = signed_rank(differences, zeros)
        assert (found.p_two_sided, found.p_greater, found.z, found.rank_biserial) == (None, None, None, None)
        assert (found.n_pairs, found.reason, found.w_plus) == (len(differences), reason, 0.0)


def test_what_is_no_number_is_refused() -> None:
    for bad in (math.nan, math.inf):
        with pytest.raises(ValueError, match="a difference of"):
            signed_rank([1.0, bad])
        with pytest.raises(ValueError, match="a difference of"):
            hodges_lehmann([bad])
    with pytest.raises(ValueError, match="zsplit"):
        signed_rank([1.0], "zsplit")  # type: ignore[arg-type]


@given(st.lists(st.integers(-6, 6), min_size=1, max_size=10))
def test_shift_and_its_interval_are_those_of_all_means_of_pairs(differences: list[int]) -> None:
    means = sorted((a + b) / 2 for a, b in itertools.combinations_with_replacement(differences, 2))
    found, n = hodges_lehmann(differences), len(differences)
    assert found.estimate == statistics.median(means)
    signs = itertools.product((0, 1), repeat=n)
    sums = [sum(rank for rank, sign in enumerate(row, 1) if sign) for row in signs]
    outside = [2 * sum(total < k for total in sums) / 2**n for k in range(n * (n + 1) // 4 + 1)]
    k = max(place for place, share in enumerate(outside) if share <= 0.05)
    if not k or means[k - 1] == means[-k]:
        assert (found.low, found.high, found.achieved_confidence) == (None, None, None) and found.reason
    else:
        assert (found.low, found.high) == (means[k - 1], means[-k])
        assert found.achieved_confidence == pytest.approx(1 - outside[k])


def test_too_few_pairs_have_no_interval() -> None:
    found = hodges_lehmann([1.0, 2.0, 3.0, 4.0, 5.0])
    assert (found.estimate, found.low, found.achieved_confidence) == (3.0, None, None)
    assert found.reason == "5 pairs reach a confidence of 93.8% at most"
    assert hodges_lehmann([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).achieved_confidence == 0.96875
    assert hodges_lehmann([1.0, 2.0, 3.0, 4.0, 5.0], confidence=0.9).low == 1.0
    assert hodges_lehmann([]).reason == "no pairs"


def test_ties_leave_no_interval_of_no_width() -> None:
    found = hodges_lehmann([0.0] * 30 + [1 / 3, -2 / 3])
    assert (found.estimate, found.low, found.high) == (0.0, None, None)
    assert found.reason == "ties leave the interval no width"


def test_interval_of_many_pairs() -> None:
    """Bounds of 501 differences by the normal approximation lie beside those of 500 by the exact distribution."""
    values = [((i * 37) % 101) / 10 - 4.8 for i in range(501)]
    exact, normal = hodges_lehmann(values[:500]), hodges_lehmann(values)
    assert normal.achieved_confidence == pytest.approx(0.95, abs=1e-3)
    assert exact.achieved_confidence == pytest.approx(0.95, abs=1e-3)
    assert (normal.low, normal.high) == pytest.approx((exact.low, exact.high), abs=0.05)
