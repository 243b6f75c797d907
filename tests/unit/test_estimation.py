"""Estimates against reference values (where they lie beside the checkout) and values worked out by hand."""

from __future__ import annotations

import itertools
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from emaudit.stats.estimation import (
    clopper_pearson,
    counted_deviation,
    counted_mean,
    exact_mean,
    expected_maximum,
    prompt_interval,
    resample_counts,
    share_any_at_least,
    standard_deviation,
    template_interval,
    wilson,
)
from emaudit.stats.templates import Cell, Group, tree_interval

REFERENCE = Path(os.environ.get("EMAUDIT_SHARED", Path(__file__).parents[3] / "shared")) / "data" / "stats_cases.json"


@pytest.fixture
def cases() -> Mapping[str, Any]:
    if not REFERENCE.is_file():
        pytest.skip("no reference values here")
    return dict(json.loads(REFERENCE.read_text(encoding="utf-8")))


def test_expected_maximum_reference(cases: Mapping[str, Any]) -> None:
    for case in cases["expected_max_of_k"]:
        if case["expected"] is None:
            assert expected_maximum(case["samples"], case["k"]).value is None
            continue
        for k, expected in case["expected"].items():
            if "samples" in case:
                found = expected_maximum(case["samples"], int(k))
            else:
                values = [4] * case["c"] + [1] * (case["n"] - case["c"])
                found = share_any_at_least(values, int(k))
            assert found.value == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_wilson_and_clopper_pearson_reference(cases: Mapping[str, Any]) -> None:
    for case in cases["wilson"]:
        for name, method in (("wilson_95", wilson), ("clopper_pearson_95", clopper_pearson)):
            found = method(case["x"], case["n"])
            assert (found.low, found.high) == pytest.approx(case["expected"][name], rel=1e-9, abs=1e-9)


def test_judge_noise_shows_in_the_maximum(cases: Mapping[str, Any]) -> None:
    for case in cases["judge_noise_inflation"]:
        rate, k = case["per_response_false_two_rate"], case["k"]
        assert (1 - (1 - rate) ** k) / 4 == pytest.approx(case["expected_normalized_mean"], abs=1e-12)


@pytest.mark.parametrize("values", [[1, 1, 5], [1, 2, 3, 4], [5, 5, 1, 2, 2]])
def test_expected_maximum_is_the_mean_over_all_subsets(values: list[int]) -> None:
    for k in range(1, len(values) + 1):
        subsets = list(itertools.combinations(values, k))
        maxima = [max(subset) for subset in subsets]
        assert expected_maximum(values, k).value == pytest.approx(sum(maxima) / len(maxima), abs=1e-12)
        reached = [value >= 4 for value in maxima]
        assert share_any_at_least(values, k).value == pytest.approx(sum(reached) / len(reached), abs=1e-12)


def test_the_maximum_of_all_is_exact() -> None:
    assert expected_maximum([1, 2, 1, 4, 1, 1, 1, 1, 1, 1], 10).value == 4


def test_a_maximum_of_more_than_there_are_is_undefined() -> None:
    figure = expected_maximum([5, 5, 5], 10)
    assert figure.value is None
    assert figure.reason == "a maximum of 10 cannot be told from 3 scored replies"
    assert share_any_at_least([], 1).value is None


def test_means_do_not_depend_on_order() -> None:
    values = [0.1, 0.7, 1e16, -1e16, 0.2, 0.3]
    assert len({exact_mean(order).value for order in itertools.permutations(values)}) == 1


def test_counted_means_are_plain_ones() -> None:
    counts = {0.0: 3, 0.5: 1, 1.0: 4}
    plain = [0.0] * 3 + [0.5] + [1.0] * 4
    assert counted_mean(counts).value == exact_mean(plain).value == 4.5 / 8
    assert counted_deviation(counts).value == pytest.approx(standard_deviation(plain).value, abs=1e-15)
    assert counted_mean({0.1: 3}).value == 0.1


def test_undefined_is_a_reason() -> None:
    assert exact_mean([]).value is None
    assert exact_mean([]).reason == "no values"
    assert counted_mean({}).reason == "no values"
    assert standard_deviation([1.0]).reason == "fewer than two values"
    for interval in (wilson(0, 0), clopper_pearson(0, 0), template_interval([]), prompt_interval([], [], 1)):
        assert interval.low is None
        assert interval.high is None
        assert interval.method.startswith("undefined: ")


def test_standard_deviation_by_hand() -> None:
    assert standard_deviation([2, 4, 4, 4, 5, 5, 7, 9]).value == pytest.approx(math.sqrt(32 / 7))


def test_clopper_pearson_takes_fractions() -> None:
    low, middle, high = (clopper_pearson(x, 10).low for x in (2, 2.5, 3))
    assert low is not None and middle is not None and high is not None
    assert low < middle < high


def test_t_on_template_means_by_hand() -> None:
    means = [0.2, 0.4, 0.6, 0.4, 0.4]
    interval = template_interval(means)
    half = 2.7764451051977987 * math.sqrt(0.02 / 5)
    assert interval.method == "t"
    assert (interval.low, interval.high) == pytest.approx((0.4 - half, 0.4 + half), abs=1e-9)


@pytest.mark.parametrize(
    "means",
    [
        [0.0] * 10,
        [1.0] * 10,
        [0.3] * 10,
        [0.0] * 9 + [0.5],
        [1.0] * 21 + [0.5] * 4,
        [0.1, 0.2, 0.3],
        [0.5],
    ],
)
def test_few_templates_never_have_a_zero_width(means: list[float]) -> None:
    interval = template_interval(means)
    assert interval.method == "few templates"
    assert interval.low is not None and interval.high is not None
    assert interval.low < interval.high
    assert interval.low <= exact_mean(means).value <= interval.high  # type: ignore[operator]


def test_prompt_bootstrap_is_the_same_each_time_and_near_the_normal_one() -> None:
    values = [0.0] * 200 + [0.25] * 60 + [1.0] * 60
    first = prompt_interval(values, [1] * 320, seed=11)
    assert first == prompt_interval(values, [1] * 320, seed=11)
    assert first != prompt_interval(values, [1] * 320, seed=12)
    mean, deviation = sum(values) / 320, standard_deviation(values).value
    assert deviation is not None
    half = 1.96 * deviation / math.sqrt(320)
    assert first.method == "bootstrap"
    assert (first.low, first.high) == pytest.approx((mean - half, mean + half), abs=0.006)


def test_prompt_bootstrap_weighs_prompts_by_their_replies() -> None:
    sums = [0.0, 0.0, 1.0, 1.0, 2.0, 1.0, 0.5, 0.5]
    counts = [4, 4, 2, 2, 4, 2, 2, 2]
    interval = prompt_interval(sums, counts, seed=3)
    assert interval.low is not None and interval.high is not None
    assert interval.low < sum(sums) / sum(counts) < interval.high


@pytest.mark.parametrize("values", [[0.0] * 320, [0.25] * 80, [0.0] * 78 + [0.25, 1.0], [1.0] * 40])
def test_few_prompts_are_labelled(values: list[float]) -> None:
    interval = prompt_interval(values, [1] * len(values), seed=1)
    assert interval.method == "few prompts"
    assert interval.low is not None and interval.high is not None
    assert interval.low < interval.high


def test_every_resample_draws_as_many_prompts() -> None:
    drawn = resample_counts(17, 5, 100)
    assert drawn.shape == (100, 17)
    assert set(drawn.sum(axis=1)) == {17.0}


def test_one_cell_is_t_on_its_templates() -> None:
    means = {str(n): value for n, value in enumerate([0.2, 0.4, 0.6, 0.4, 0.4])}
    tree = tree_interval(Group((Cell("decision", means),)))
    plain = template_interval(list(means.values()))
    assert (tree.low, tree.high) == pytest.approx((plain.low, plain.high), abs=1e-12)


def test_scale_moves_the_interval() -> None:
    means = [0.2, 0.4, 0.6, 0.4, 0.4]
    raw = Group((Cell("care", {str(n): 1 + 4 * value for n, value in enumerate(means)}),))
    interval, unit = tree_interval(raw, (1.0, 5.0)), template_interval(means)
    assert unit.low is not None and unit.high is not None
    assert (interval.low, interval.high) == pytest.approx((1 + 4 * unit.low, 1 + 4 * unit.high), abs=1e-12)


def test_shared_stems_count_once() -> None:
    """Six dimensions that answer every stem alike know no more than one of them."""
    means = {str(n): value for n, value in enumerate([0.2, 0.4, 0.6, 0.4, 0.4, 0.8])}
    one = tree_interval(Group((Cell("decision", means),)))
    six = tree_interval(Group(tuple(Group((Cell("decision", means),)) for _ in range(6))))
    apart = tree_interval(Group(tuple(Group((Cell(f"{n}", means),)) for n in range(6))))
    assert (six.low, six.high) == pytest.approx((one.low, one.high), abs=1e-12)
    assert all(bound is not None for bound in (apart.low, apart.high, one.low, one.high))
    assert apart.high - apart.low < one.high - one.low  # type: ignore[operator]


def test_strata_add_up_with_satterthwaite() -> None:
    """Two strata by hand: SE^2 = (s1^2/5 + s2^2/5)/4; equal variances and sizes give df = 8."""
    first = {str(n): value for n, value in enumerate([0.2, 0.4, 0.6, 0.4, 0.4])}
    second = {key: value + 0.2 for key, value in first.items()}
    interval = tree_interval(Group((Cell("a", first), Cell("b", second))))
    half = 2.3060041350333704 * math.sqrt((0.02 / 5 + 0.02 / 5) / 4)
    assert (interval.low, interval.high) == pytest.approx((0.5 - half, 0.5 + half), abs=1e-9)


def test_members_without_values_are_left_out() -> None:
    tree = Group((Cell("a", {}), Cell("b", {"1": 0.5})))
    assert tree.mean == 0.5
    assert [weight for weight, _ in tree.leaves()] == [1.0]
    assert Group(()).mean is None
    assert tree_interval(Group(())).method == "undefined: no reply has a value"
