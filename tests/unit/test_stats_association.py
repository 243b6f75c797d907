"""Rho, tau-b, intervals and what is left out: values computed elsewhere, and what has no value."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaudit.stats.association import (
    bca,
    bonett_wright,
    cluster_refusal,
    kendall_tau_b,
    leave_one_out,
    residual_rho,
    size_correlation,
    spearman,
    ties,
)
from emaudit.stats.consistency import cronbach_alpha
from emaudit.stats.estimation import Interval, jeffreys, position_bias
from emaudit.stats.multiplicity import benjamini_hochberg, family_size, holm
from emaudit.stats.profile import profile_distance
from emaudit.stats.ranks import doubled_ranks, rho_rows

X = (0, 0, 0, 0.1, 0.4, 0.4, 0.9, 0.7)
Y = (0.05, 0.05, 0.02, 0.3, 0.2, 0.5, 0.8, 0.2)
CI_SPEAR_X = (67, 28, 30, 28, 52, 40, 25, 37, 44, 10, 14, 20, 28, 40, 51)
CI_SPEAR_Y = (21, 4, 9, 12, 35, 18, 10, 22, 24, 1, 6, 8, 13, 16, 19)
"""The published example of `ci.spear` in the R package statpsych."""
SMALL = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=4, max_size=9)


def mid_rank(values: Sequence[float], value: float) -> float:
    return sum(other < value for other in values) + (values.count(value) + 1) / 2


def textbook_rho(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Pearson's correlation of mid-ranks, as a textbook has it."""
    a, b = ([mid_rank(values, value) for value in values] for values in (x, y))
    middle = (len(x) + 1) / 2
    squares = sum((p - middle) ** 2 for p in a) * sum((q - middle) ** 2 for q in b)
    return sum((p - middle) * (q - middle) for p, q in zip(a, b, strict=True)) / math.sqrt(squares) if squares else None


@given(SMALL)
def test_rho_is_the_textbooks(pairs: list[tuple[int, int]]) -> None:
    x, y = zip(*pairs, strict=True)
    found, expected = spearman(x, y), textbook_rho(x, y)
    assert found.value == (expected if expected is None else pytest.approx(expected, abs=1e-12))
    assert bool(found.reason) == (expected is None)


@given(SMALL)
def test_resampled_rows_have_the_same_rho(pairs: list[tuple[int, int]]) -> None:
    numpy = pytest.importorskip("numpy")
    x, y = (numpy.asarray(values, dtype=float) for values in zip(*pairs, strict=True))
    found = rho_rows(numpy.stack([x, x]), numpy.stack([y, -y]))
    rho = spearman(list(x), list(y)).value
    if rho is None:
        assert numpy.isnan(found).all()
    else:
        assert found.tolist() == [rho, -rho]


def test_a_row_with_a_gap_has_no_rho() -> None:
    numpy = pytest.importorskip("numpy")
    gap = numpy.asarray([[1, 2, 3, numpy.nan], [1, 2, 3, 4.0]])
    found = rho_rows(gap, numpy.asarray([[4, 3, 2, 1.0], [4, 3, 2, 1.0]]))
    assert numpy.isnan(found[0]) and found[1] == -1


def test_scipy_agrees_on_ties() -> None:
    assert spearman(X, Y).value == pytest.approx(0.8138058888328231, abs=1e-12)
    assert kendall_tau_b(X, Y).value == pytest.approx(0.6805446536716204, abs=1e-12)
    assert kendall_tau_b(X, [-value for value in Y]).value == pytest.approx(-0.6805446536716204, abs=1e-12)
    assert (ties(X), ties(Y), ties([]), ties([3, 1, 2])) == (5, 4, 0, 0)


def test_perfect_agreement_is_exactly_one() -> None:
    ties_in_both = [0.1, 0.1, 0.2, 0.3, 0.3, 0.3, 0.7]
    for values in (ties_in_both, list(range(11)), [math.sqrt(n) for n in range(250)]):
        opposed = [-value for value in values]
        assert spearman(values, values).value == kendall_tau_b(values, values).value == 1
        assert spearman(values, opposed).value == kendall_tau_b(values, opposed).value == -1


def test_values_that_differ_in_the_last_digit_are_no_tie() -> None:
    almost = 0.1 + 0.2
    assert almost != 0.3
    assert doubled_ranks([0.3, almost, 0.0]) == (4, 6, 2)
    assert ties([0.3, almost]) == 0
    assert ties([0.0, -0.0, 1]) == 2
    assert spearman([0.3, almost, 0.3, almost], [1, 2, 1, 2]).value == 1


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        ([1, 2, 3], [1, 2, 3], "only 3 of at least 4 variants"),
        ([], [], "only 0 of at least 4 variants"),
        ([1, 2, 3, 4], [5, 5, 5, 5], "a column is constant"),
        ([0, 0, 0, 0], [0, 0, 0, 0], "a column is constant"),
        ([1, 2, 3, math.nan], [1, 2, 3, 4], "a value is not a number"),
    ],
)
def test_no_correlation(x: list[float], y: list[float], reason: str) -> None:
    for found in (spearman(x, y), kendall_tau_b(x, y), residual_rho(x, y, "abab"[: len(x)], "aabb"[: len(x)])):
        assert found.value is None
        assert found.reason == reason
    assert bca(x, y, seed=1) == Interval(None, None, f"undefined: {reason}")


def test_columns_of_unequal_length_are_refused() -> None:
    for refused in (spearman, kendall_tau_b):
        with pytest.raises(ValueError, match="4 values beside 5"):
            refused([1, 2, 3, 4], [1, 2, 3, 4, 5])
    with pytest.raises(ValueError):
        leave_one_out([1, 2, 3, 4], [1, 2, 3, 4], ["a", "b"])
    with pytest.raises(ValueError, match="labels"):
        residual_rho([1, 2, 3, 4], [1, 2, 3, 4], "abab", "ab")


def test_bonett_wright_as_statpsych_prints_it() -> None:
    rho = spearman(CI_SPEAR_X, CI_SPEAR_Y).value
    assert rho == pytest.approx(0.8699639, abs=5e-8)
    found = bonett_wright(rho, 15)
    assert (found.low, found.high) == pytest.approx((0.5840951, 0.9638297), abs=5e-8)
    assert found.method == "Bonett-Wright"
    mirrored = bonett_wright(-0.8699639040426875, 15)
    assert (mirrored.low, mirrored.high) == pytest.approx((-0.9638297, -0.5840951), abs=5e-8)


@pytest.mark.parametrize(
    ("rho", "n", "why"),
    [(None, 15, "rho is undefined"), (0.5, 3, "only 3"), (1.0, 15, "no width"), (-1.0, 15, "exactly reversed")],
)
def test_bonett_wright_undefined(rho: float | None, n: int, why: str) -> None:
    found = bonett_wright(rho, n)
    assert found.low is found.high is None
    assert found.method.startswith("undefined") and why in found.method


def test_four_variants_tell_little() -> None:
    found = bonett_wright(0.0, 4)
    assert found.low is not None and found.high is not None
    assert (found.low, found.high) == pytest.approx((-0.9611, 0.9611), abs=1e-4)


def test_bca_is_scipys() -> None:
    """Against `scipy.stats.bootstrap` 1.17 with generators of the same seeds."""
    found = bca(X, Y, seed=11, resamples=999)
    assert (found.low, found.high) == pytest.approx((-0.03896432500995984, 0.9813067629253163), abs=1e-9)
    found = bca(CI_SPEAR_X, CI_SPEAR_Y, seed=3)
    assert (found.low, found.high) == pytest.approx((0.708334588827653, 0.9829120543655671), abs=1e-9)
    assert found.method == "BCa"
    assert bca(CI_SPEAR_X, CI_SPEAR_Y, seed=4) != found


def test_bca_names_the_resamples_it_cannot_use() -> None:
    found = bca([1, 2, 3, 4, 5], [2, 1, 4, 3, 5], seed=1)
    assert found.low is not None and found.high is not None and found.low < found.high
    assert "of 2,000 resamples without rho left out" in found.method


@pytest.mark.parametrize(
    ("x", "y", "why"),
    [
        ([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6], "agree perfectly"),
        ([1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1], "exactly reversed"),
        ([0, 0, 0, 0, 0, 0, 0, 1], [3, 1, 2, 4, 6, 5, 8, 7], "constant in"),
    ],
)
def test_bca_undefined(x: list[float], y: list[float], why: str) -> None:
    found = bca(x, y, seed=1)
    assert found.low is found.high is None
    assert found.method.startswith("undefined") and why in found.method


def test_three_sizes_have_ten_resamples() -> None:
    assert cluster_refusal(["full", "mini", "nano"] * 5) == (
        "a bootstrap of 3 sizes has 10 distinct resamples: not computed"
    )
    assert cluster_refusal(list("abcdefghij")) == ""


def test_leaving_groups_out() -> None:
    x, y = [1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4, 8, 7, 6, 5]
    found = leave_one_out(x, y, ["b"] * 4 + ["a"] * 4)
    assert list(found) == ["b", "a"]
    assert found["b"].value == -1 and found["a"].value == 1
    single = leave_one_out(x[:5], y[:5], list("vwxyz"))
    assert len(single) == 5 and single["z"].value == 1
    short = leave_one_out(x[:5], y[:5], ["b"] * 4 + ["a"])
    assert short["b"].value is None and "only 1" in short["b"].reason


def test_residual_ranks_of_a_balanced_grid() -> None:
    """By hand: ranks less row and column means give half of (0, -1, 1, 0, 1, -1) and half of (1, -1, 0, -1, 1, 0)."""
    x = [1, 2, 3, 4, 6, 5]
    y = [2, 1, 3, 4, 5, 6]
    found = residual_rho(x, y, list("aaabbb"), list("123123"))
    assert found.value == pytest.approx(0.5, abs=1e-9)
    renamed = residual_rho(x, y, list("bbbaaa"), list("312312"))
    assert renamed.value == pytest.approx(found.value, abs=1e-12)


@pytest.mark.parametrize(
    ("x", "y", "rows", "columns", "why"),
    [
        ([1, 2, 3, 4], [1, 3, 2, 4], "aabb", "1212", "degrees of freedom"),
        ([1, 2, 3, 4, 5, 6], [2, 1, 3, 4, 6, 5], "aaabbb", "123123", "explain the ranks"),
        ([1, 2, 3, 4], [1, 3, 2, 4], "abcd", "1111", "degrees of freedom"),
    ],
)
def test_no_residual_ranks(x: list[float], y: list[float], rows: str, columns: str, why: str) -> None:
    found = residual_rho(x, y, list(rows), list(columns))
    assert found.value is None
    assert why in found.reason


def test_size_correlation() -> None:
    """Shrout and Fleiss' (1979) example of six targets and four judges: ICC(1,1) .17, ICC(3,1) .71."""
    rows = ((9, 2, 5, 8), (6, 1, 3, 2), (8, 4, 6, 8), (7, 1, 2, 6), (10, 5, 6, 9), (6, 2, 4, 7))
    values = [float(value) for row in rows for value in row]
    targets, judges = [letter for letter in "abcdef" for _ in range(4)], list("1234") * 6
    assert size_correlation(values, targets).value == pytest.approx(0.1657, abs=1e-4)
    assert size_correlation(values, targets, judges).value == pytest.approx(0.7148, abs=1e-4)
    assert size_correlation([1, 1, 5, 5], list("aabb")).value == 1
    for found in (
        size_correlation([1, 2, 3], list("aaa")),
        size_correlation([1, 2, 3], list("abc")),
        size_correlation([0.3] * 4, list("aabb")),
    ):
        assert found.value is None and found.reason


def test_holm_and_benjamini_hochberg() -> None:
    p = [0.01, None, 0.04, 0.03, 0.005, 0.2, None]
    assert family_size(p) == 5
    assert holm(p) == [0.04, None, pytest.approx(0.09), pytest.approx(0.09), pytest.approx(0.025), 0.2, None]
    assert benjamini_hochberg(p) == [0.025, None, 0.05, pytest.approx(0.05), 0.025, 0.2, None]
    assert holm([]) == [] and holm([None]) == [None] and holm([0.7]) == [0.7]
    assert holm([0.9, 0.8, 1.0]) == [1.0, 1.0, 1.0]
    for wrong in (-0.01, 1.01, math.nan):
        with pytest.raises(ValueError, match="p-value"):
            holm([0.5, wrong])


def test_benjamini_hochberg_is_scipys() -> None:
    found = benjamini_hochberg([0.01, 0.04, 0.03, 0.005, 0.2, 0.2, 0.6])
    assert found == pytest.approx([0.035, 0.07, 0.07, 0.035, 0.7 / 3, 0.7 / 3, 0.6])


def test_profiles_turned_over() -> None:
    high_care, inverted = (4.0, 4.0, 3.0, 2.0), (2.0, 2.0, 3.0, 4.0)
    found = profile_distance(high_care, inverted, (1, 5))
    assert found.mean_abs.value == 1.5
    assert found.euclidean.value == pytest.approx(math.sqrt(12))
    assert found.cosine.value == pytest.approx(-1)
    assert found.pearson.value == pytest.approx(-1)
    assert found.elevation.value == 0.5
    higher = profile_distance([value + 1 for value in inverted], inverted, (1, 5))
    assert higher.pearson.value == 1
    assert higher.cosine.value is not None and higher.cosine.value < 1


def test_profiles_without_a_shape() -> None:
    found = profile_distance((3, 3, 3), (1, 2, 5), (1, 5))
    assert found.pearson.value is found.cosine.value is None
    assert "flat" in found.pearson.reason and "midpoint" in found.cosine.reason
    assert found.mean_abs.value == pytest.approx(5 / 3)
    flat = profile_distance((4, 4, 4), (1, 2, 5), (1, 5))
    assert flat.pearson.value is None and flat.cosine.value is not None
    empty = profile_distance((), (), (1, 5))
    assert empty.mean_abs.value is empty.cosine.value is empty.elevation.value is None and empty.mean_abs.reason
    with pytest.raises(ValueError):
        profile_distance((1, 2), (1,), (1, 5))
    with pytest.raises(ValueError):
        profile_distance((1, 2), (1, 2), (5, 5))


def test_cronbach_alpha() -> None:
    assert cronbach_alpha([[1, 1], [2, 2], [3, 3]]).value == 1
    assert cronbach_alpha([[1, 1], [2, 3], [3, 2]]).value == pytest.approx(2 / 3)
    assert cronbach_alpha([[1, 3], [2, 1], [3, 2]]).value == pytest.approx(-2)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([[1, 5], [2, 4], [3, 3]], "no variance"),
        ([[0.1, 0.5], [0.2, 0.4], [0.3, 0.3]], "no variance"),
        ([[0, 0], [0, 0]], "no variance"),
        ([[1, 2]], "two subjects"),
        ([], "two subjects"),
        ([[1], [2]], "two items"),
    ],
)
def test_no_cronbach_alpha(rows: list[list[float]], why: str) -> None:
    found = cronbach_alpha(rows)
    assert found.value is None
    assert why in found.reason


def test_jeffreys() -> None:
    """Against quantiles of scipy's beta distribution."""
    found = jeffreys(3, 20)
    assert (found.low, found.high) == pytest.approx((0.04413134197515587, 0.348577710858454), abs=1e-12)
    none, every = jeffreys(0, 10), jeffreys(10, 10)
    assert (none.low, none.high) == pytest.approx((0, 0.21719626750921053), abs=1e-12)
    assert (every.low, every.high) == pytest.approx((1 - 0.21719626750921053, 1), abs=1e-12)
    assert jeffreys(0, 0) == Interval(None, None, "undefined: no trials")


def test_two_orders_are_averaged_not_pooled() -> None:
    found = position_bias((60, 100), (5, 50))
    assert found.balanced_rate.value == pytest.approx(0.35)
    assert found.naive_pooled_rate.value == pytest.approx(65 / 150)
    assert found.order_effect.value == pytest.approx(0.5)
    assert found.first_option_preference.value == pytest.approx(0.75)
    mirrored = position_bias((5, 50), (60, 100))
    gap, other = found.order_effect_interval, mirrored.order_effect_interval
    assert gap.low is not None and gap.high is not None
    assert (other.low, other.high) == pytest.approx((-gap.high, -gap.low))
    assert mirrored.balanced_interval == found.balanced_interval


def test_orders_without_variation_still_have_width() -> None:
    found = position_bias((0, 250), (0, 250))
    assert found.balanced_rate.value == found.order_effect.value == 0
    for interval in (found.balanced_interval, found.order_effect_interval):
        assert interval.low is not None and interval.high is not None
        assert interval.high - interval.low > 0.01


def test_one_order_alone_is_not_balanced() -> None:
    found = position_bias((0, 0), (3, 5))
    assert found.balanced_rate.value is found.order_effect.value is found.order_effect_interval.low is None
    assert found.balanced_rate.reason == "no answers with the option first"
    assert found.naive_pooled_rate.value == 0.6
    assert position_bias((0, 0), (0, 0)).naive_pooled_rate.reason == "no answers"
    with pytest.raises(ValueError, match="6 of 5"):
        position_bias((6, 5), (1, 5))
