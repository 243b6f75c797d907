"""Agreement of a judge and people: reference values, values worked out by hand, what has no value."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_cases import reference_cases

from emaudit.stats.agreement import (
    TwoRaters,
    agreement_intervals,
    constant_baseline,
    kappa_interval,
    krippendorff,
    share_interval,
    two_raters,
    undetected_at_most,
    undetected_sentence,
)
from emaudit.stats.estimation import Figure

FIGURES = tuple(field.name for field in fields(TwoRaters) if field.type == "Figure")
REFERENCE_NAMES = {
    "percent_agreement": "exact",
    "within_one": "within_one",
    "mean_diff_judge_minus_human": "bias",
    "kappa_nominal": "kappa_nominal",
    "kappa_linear": "kappa_linear",
    "kappa_quadratic": "kappa_quadratic",
    "krippendorff_nominal": "alpha_nominal",
    "krippendorff_ordinal": "alpha_ordinal",
    "krippendorff_interval": "alpha_interval",
    "gwet_ac1": "ac1",
    "gwet_ac2_quadratic": "ac2_quadratic",
    "gwet_ac2_ordinal": "ac2_ordinal",
}
LEVEL = st.integers(1, 5)
PAIRS = st.lists(st.tuples(LEVEL, LEVEL), min_size=1, max_size=30)
NO_THREE = ([1, 1, 2, 2, 4, 4, 5, 5, 1, 5], [1, 2, 2, 2, 4, 5, 5, 4, 1, 5])
CANONICAL = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)


def values_of(found: TwoRaters) -> dict[str, float | None]:
    return {name: getattr(found, name).value for name in FIGURES}


def split(pairs: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
    return [judge for judge, _ in pairs], [human for _, human in pairs]


def test_two_raters_reference() -> None:
    for case in reference_cases()["agreement_two_raters"]:
        found = two_raters(case["judge"], case["human"], categories=case["categories"])
        expected = dict(case["expected"])
        assert [list(row) for row in found.confusion] == expected.pop("confusion_judge_rows")
        for name, value in expected.items():
            figure: Figure = getattr(found, REFERENCE_NAMES[name])
            if value is None:
                assert figure.value is None and figure.reason
            else:
                assert figure.value == pytest.approx(value, rel=1e-9, abs=1e-9), name


def test_krippendorff_reference() -> None:
    for case in reference_cases()["krippendorff_multi"]:
        for metric, value in case["expected"].items():
            found = krippendorff(case["ratings_by_coder"], metric)
            assert found.value == (None if value is None else pytest.approx(value, rel=1e-9, abs=1e-9))


def test_design_weighted_reference() -> None:
    for case in reference_cases()["stratified_spotcheck"]:
        pairs = [
            (row["judge"], value, row["N"] / len(row["human"])) for row in case["strata"] for value in row["human"]
        ]
        judge, human, weights = (list(column) for column in zip(*pairs, strict=True))
        weighted, plain, expected = two_raters(judge, human, weights), two_raters(judge, human), case["expected"]
        for found, name in ((weighted, "design_weighted"), (plain, "unweighted_sample")):
            assert found.kappa_quadratic.value == pytest.approx(expected[f"kappa_quadratic_{name}"], rel=1e-9)
            assert found.exact.value == pytest.approx(expected[f"percent_agreement_{name}"], rel=1e-9)


def test_a_category_nobody_used_keeps_its_place() -> None:
    found = two_raters(*NO_THREE)
    assert found.kappa_quadratic.value == pytest.approx(0.9433962264150944, abs=1e-12)
    assert found.ac2_ordinal.value == pytest.approx(0.9089529590288316, abs=1e-12)
    assert found.confusion[2] == (0, 0, 0, 0, 0)
    assert found.judge_prevalence == pytest.approx((0.3, 0.2, 0, 0.2, 0.3))
    assert found.human_prevalence == pytest.approx((0.2, 0.3, 0, 0.2, 0.3))


def test_skewed_categories_show_all_three_coefficients() -> None:
    judge = [1] * 46 + [1, 1, 2, 2]
    human = [1] * 46 + [2, 2, 1, 1]
    found = two_raters(judge, human)
    assert found.exact.value == 0.92
    assert found.kappa_quadratic.value == pytest.approx(-1 / 24, abs=1e-12)
    assert found.alpha_ordinal.value == pytest.approx(-0.03125, abs=1e-12)
    assert found.ac2_quadratic.value == pytest.approx(0.9946120689655172, abs=1e-12)


def test_kappa_by_hand() -> None:
    # By chance 0.5 * 0.5 + 0.5 * 0.5 agree; 3 of 4 do.
    found = two_raters([1, 1, 2, 2], [1, 2, 2, 2], categories=(1, 2))
    assert found.kappa_nominal.value == pytest.approx((0.75 - 0.5) / 0.5)
    # Coincidences (1,1) 2, (1,2) 1, (2,1) 1, (2,2) 4 of 8 values: 1 - 7 * 2 / (2 * 3 * 5).
    assert found.alpha_nominal.value == pytest.approx(1 - 14 / 30)
    # Mean prevalence 3/8 and 5/8: p_e = 2 * 15/64.
    assert found.ac1.value == pytest.approx((0.75 - 30 / 64) / (1 - 30 / 64))


def test_a_constant_judge_is_worth_nothing_but_defined() -> None:
    found = two_raters([1, 1, 1, 1], [1, 2, 1, 5])
    assert found.kappa_nominal.value == found.kappa_linear.value == found.kappa_quadratic.value == 0
    assert found.exact.value == 0.5
    assert found.alpha_interval.value is not None and found.alpha_interval.value < 0


@pytest.mark.parametrize("level", [1, 3, 5])
def test_both_constant_is_undefined_with_a_reason(level: int) -> None:
    found = two_raters([level] * 4, [level] * 4)
    for figure in (found.kappa_nominal, found.kappa_quadratic, found.alpha_nominal, found.alpha_ordinal):
        assert figure.value is None
        assert "0/0" in figure.reason
    assert found.exact.value == found.within_one.value == found.ac1.value == found.ac2_quadratic.value == 1
    assert found.bias.value == 0


def test_one_pair() -> None:
    assert two_raters([2], [2]).kappa_quadratic.value is None
    assert two_raters([2], [5]).kappa_quadratic.value == 0
    assert two_raters([2], [5]).alpha_interval.value == 0
    assert two_raters([2], [5]).bias.value == -3


def test_no_pairs_is_a_reason_everywhere() -> None:
    found = two_raters([], [])
    assert found.n == 0
    assert {getattr(found, name) for name in FIGURES} == {Figure(None, "no pairs")}
    assert found.judge_prevalence == found.human_prevalence == ()
    assert two_raters([1], [2], [0.0]).exact == Figure(None, "all weights are 0")


@pytest.mark.parametrize(
    ("judge", "human", "weights", "said"),
    [
        ([1, 2], [1], None, "2 values of the judge beside 1"),
        ([6], [1], None, "6 is none of the categories"),
        ([1], [2.5], None, "2.5 is none of the categories"),
        ([1], [float("nan")], None, "nan is none of the categories"),
        ([1], [1], [1.0, 1.0], "2 weights beside 1"),
        ([1], [1], [-1.0], "negative"),
        ([1], [1], [float("inf")], "no finite number"),
    ],
)
def test_what_cannot_be_paired_is_refused(
    judge: list[float], human: list[float], weights: list[float] | None, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        two_raters(judge, human, weights)


@given(PAIRS)
def test_a_whole_weight_is_that_many_pairs_for_shares_and_kappa(pairs: list[tuple[int, int]]) -> None:
    judge, human = split(pairs)
    times = [1 + place % 3 for place in range(len(pairs))]
    weighted = values_of(two_raters(judge, human, times))
    repeated = values_of(two_raters(*split([pair for pair, n in zip(pairs, times, strict=True) for _ in range(n)])))
    for name in FIGURES:
        if not name.startswith("alpha"):
            assert weighted[name] == pytest.approx(repeated[name], abs=1e-9), name


@given(PAIRS, st.sampled_from([0.01, 7.0, 1e6]))
def test_the_unit_of_the_weights_does_not_matter(pairs: list[tuple[int, int]], unit: float) -> None:
    judge, human = split(pairs)
    scaled = values_of(two_raters(judge, human, [unit] * len(pairs)))
    for name, value in values_of(two_raters(judge, human)).items():
        assert scaled[name] == (None if value is None else pytest.approx(value, abs=1e-9)), name


@given(PAIRS)
def test_bounds_and_symmetry(pairs: list[tuple[int, int]]) -> None:
    judge, human = split(pairs)
    found, turned = values_of(two_raters(judge, human)), values_of(two_raters(human, judge))
    for name, value in found.items():
        other = turned[name]
        if value is None or other is None:
            assert value is other
            continue
        assert other == pytest.approx(-value if name == "bias" else value, abs=1e-9)
        assert math.isfinite(value) and value <= (4 if name == "bias" else 1 + 1e-12)


@given(PAIRS)
def test_two_coders_are_two_raters(pairs: list[tuple[int, int]]) -> None:
    judge, human = split(pairs)
    found = two_raters(judge, human)
    for metric in ("nominal", "ordinal", "interval"):
        figure = krippendorff([judge, human], metric)
        pair_figure: Figure = getattr(found, f"alpha_{metric}")
        assert figure.value == (None if pair_figure.value is None else pytest.approx(pair_figure.value, abs=1e-9))


def test_krippendorff_canonical_example() -> None:
    assert krippendorff(CANONICAL, "nominal").value == pytest.approx(0.743421052631579, abs=1e-12)
    assert krippendorff(CANONICAL, "ordinal").value == pytest.approx(0.8153875037548813, abs=1e-12)
    assert krippendorff(CANONICAL, "interval").value == pytest.approx(0.8491071428571428, abs=1e-12)


def test_units_with_one_rating_say_nothing() -> None:
    without = [row[:10] for row in CANONICAL]
    longer = [(*row, value) for row, value in zip(without, (5, None, None, None), strict=True)]
    for metric in ("nominal", "ordinal", "interval"):
        assert krippendorff(longer, metric) == krippendorff(without, metric)


def test_alpha_without_a_value_says_why() -> None:
    assert krippendorff([], "ordinal") == Figure(None, "no unit has two ratings")
    assert krippendorff([[1, None], [None, 2]], "ordinal") == Figure(None, "no unit has two ratings")
    same = krippendorff([[2, 2, 5], [2, 2, None]], "interval")
    assert same.value is None and "0/0" in same.reason
    with pytest.raises(ValueError, match="different numbers of units"):
        krippendorff([[1, 2], [1]], "nominal")
    with pytest.raises(ValueError, match="no finite number"):
        krippendorff([[1, math.nan], [1, 2]], "nominal")


@given(st.permutations(range(4)))
def test_alpha_does_not_know_its_coders(order: list[int]) -> None:
    found = krippendorff([CANONICAL[place] for place in order], "ordinal")
    assert found.value == pytest.approx(0.8153875037548813, abs=1e-12)


def test_intervals_hold_their_figures_and_repeat() -> None:
    judge, human = NO_THREE[0] * 4, NO_THREE[1] * 4
    strata = [str(value) for value in judge]
    weights = [40.0 if value == 1 else 3.0 for value in judge]
    found = agreement_intervals(judge, human, strata, weights, seed=7)
    values = values_of(two_raters(judge, human, weights))
    assert tuple(found) == FIGURES
    for name, interval in found.items():
        value = values[name]
        if interval.low is None or interval.high is None:
            assert interval.method.startswith("undefined: ")
            continue
        assert value is not None
        assert interval.low - 1e-9 <= value <= interval.high + 1e-9, name
        assert interval.low < interval.high
    assert found == agreement_intervals(judge, human, strata, weights, seed=7)
    assert found["kappa_quadratic"] == kappa_interval(judge, human, strata, weights, 7)
    assert found["kappa_quadratic"] != kappa_interval(judge, human, strata, weights, 8)


def test_the_bootstrap_spreads_as_far_as_theory_says() -> None:
    # Mean of judge - human over one stratum: the rescaled bootstrap has the variance s^2/n.
    judge, human = [2] * 40, [1, 2, 2, 3, 2, 2, 2, 4] * 5
    found = agreement_intervals(judge, human, ["2"] * 40, None, seed=3, resamples=4_000)["bias"]
    gaps = [a - b for a, b in zip(judge, human, strict=True)]
    mean = sum(gaps) / 40
    error = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / 39 / 40)
    assert found.low is not None and found.high is not None
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.08)


@pytest.mark.parametrize(("judge", "human"), [([1, 2, 3, 4], [1, 2, 3, 4]), ([1, 1, 1, 1], [1, 1, 1, 1])])
def test_no_disagreement_gives_no_interval_of_zero_width(judge: list[int], human: list[int]) -> None:
    found = agreement_intervals(judge * 3, human * 3, ["all"] * 12, None, seed=1)
    for name in ("kappa_quadratic", "alpha_ordinal", "bias"):
        assert found[name].low is found[name].high is None
        assert found[name].method.startswith("undefined: ")
    assert found["exact"].low is not None and found["exact"].low < 1 == found["exact"].high


def test_intervals_of_nothing_and_of_one_pair() -> None:
    for judge, human in (([], []), ([1], [2])):
        found = agreement_intervals(judge, human, ["a"] * len(judge), None, seed=1)
        assert found["kappa_quadratic"].low is None
        assert found["kappa_quadratic"].method.startswith("undefined: ")
    assert agreement_intervals([], [], [], None, seed=1)["exact"].method == "undefined: no pairs"
    with pytest.raises(ValueError, match="1 strata beside 2 pairs"):
        agreement_intervals([1, 2], [1, 2], ["a"], None, seed=1)


def test_a_stratum_of_one_pair_joins_its_neighbour() -> None:
    judge, human = [1, 1, 1, 1, 2, 3, 3, 3], [1, 1, 2, 1, 3, 3, 2, 3]
    alone = agreement_intervals(judge, human, ["a"] * 4 + ["b"] + ["c"] * 3, None, seed=5)
    joined = agreement_intervals(judge, human, ["a"] * 4 + ["c"] * 4, None, seed=5)
    assert alone["kappa_quadratic"] == joined["kappa_quadratic"]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("ab"), st.floats(0.5, 60)), min_size=1, max_size=40))
def test_a_share_always_has_a_width(rows: list[tuple[bool, str, float]]) -> None:
    hits, strata, weights = (list(column) for column in zip(*rows, strict=True))
    found = share_interval(hits, strata, weights)
    assert found.low is not None and found.high is not None
    share = math.fsum(weight for hit, _, weight in rows if hit) / math.fsum(weights)
    assert 0 <= found.low <= share + 1e-9 and share - 1e-9 <= found.high <= 1
    assert found.high - found.low > 0.01


def test_an_unweighted_share_is_clopper_pearson_on_at_most_its_pairs() -> None:
    # 35 of 500 by Clopper-Pearson, Korn and Graubard's variance factor 499/500 apart.
    found = share_interval([True] * 35 + [False] * 465, ["all"] * 500)
    assert (found.low, found.high) == pytest.approx((0.0492386447203788, 0.09601109159263317), abs=2e-4)
    assert share_interval([True] * 69, ["1"] * 69).low == pytest.approx(0.025 ** (1 / 69))


def test_weights_cost_certainty() -> None:
    even = share_interval([True] * 40, ["a"] * 40)
    uneven = share_interval([True] * 40, ["a"] * 40, [50.0] * 10 + [1.0] * 30)
    assert even.low is not None and uneven.low is not None
    assert uneven.low < even.low


def test_constant_baseline_counts_weights() -> None:
    assert constant_baseline([1, 1, 2, 5]) == Figure(0.5)
    assert constant_baseline([1, 2], [9.0, 1.0]) == Figure(0.9)
    assert constant_baseline([1, 2, 2, 5], constant=2) == Figure(0.5)
    assert constant_baseline([]) == Figure(None, "no labels")


def test_undetected_disagreements() -> None:
    assert undetected_sentence(0, 69) == "0 disagreements in 69: at most 4.3% undetected"
    assert undetected_at_most(0, 69).value == pytest.approx(1 - 0.05 ** (1 / 69))
    assert undetected_sentence(1, 20) == "1 disagreement in 20: at most 21.7% undetected"
    assert undetected_at_most(5, 5).value == 1
    assert undetected_at_most(0, 0) == Figure(None, "no labels")
    with pytest.raises(ValueError, match="6 disagreements in 5 labels"):
        undetected_at_most(6, 5)


def test_every_pair_of_levels_has_its_cell() -> None:
    for judge, human in itertools.product(range(1, 6), repeat=2):
        found = two_raters([judge], [human], [2.5])
        assert found.confusion[judge - 1][human - 1] == 2.5
        assert sum(map(sum, found.confusion)) == 2.5
