"""Corrected values: reference values, values worked out by hand, the guard, what has no value."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_cases import reference_cases

from emaudit.stats.correction import (
    Corrected,
    Stratum,
    bias_note,
    corrected_maximum,
    corrected_mean,
    heterogeneity,
    judge_value,
    noise_inflation,
    noise_inflation_from,
    pooled,
    whole_prompts,
)
from emaudit.stats.estimation import Figure
from emaudit.stats.prediction import ppi_mean, rogan_gladen

SPOT_CHECK = (
    Stratum("1", 139, (1, 1, 1, 2, *[1] * 16), 1),
    Stratum("2", 38, (*[2] * 9, 3), 2),
    Stratum("3", 28, (*[3] * 8, 4, 3), 3),
    Stratum("4", 14, (4,) * 8, 4),
    Stratum("5", 21, (4, 5, 4, 4, 5, 5), 5),
)
ERRORS = st.lists(st.sampled_from([-1, 0, 0, 0, 1]), min_size=1, max_size=15)


@st.composite
def drawn_strata(draw: st.DrawFn) -> tuple[Stratum, ...]:
    """One to four strata by judge score, some labelled whole."""
    found = []
    for score in draw(st.lists(st.integers(1, 5), min_size=1, max_size=4, unique=True)):
        human = tuple(float(min(max(score + error, 1), 5)) for error in draw(ERRORS))
        found.append(Stratum(str(score), len(human) + draw(st.sampled_from([0, 1, 50, 3000])), human, score))
    return tuple(found)


def width(found: Corrected) -> float:
    assert found.low is not None and found.high is not None
    return found.high - found.low


def test_spot_check_reference() -> None:
    for case in reference_cases()["stratified_spotcheck"]:
        strata = [Stratum(str(row["judge"]), row["N"], tuple(row["human"]), row["judge"]) for row in case["strata"]]
        found, expected = corrected_mean(strata, guard=False), case["expected"]
        assert found.value == pytest.approx(expected["estimate"], rel=1e-9)
        assert found.se == pytest.approx(expected["se"], rel=1e-9)
        assert (found.low, found.high) == pytest.approx(expected["ci_95"], rel=1e-9)
        assert judge_value(strata).value == pytest.approx(expected["naive_judge_mean"], rel=1e-9)


def test_prediction_powered_reference() -> None:
    for case in reference_cases()["ppi_mean"]:
        judge, human, rest = case["judge_labelled"], case["human_labelled"], case["judge_unlabelled"]
        for lam, name in ((1.0, "ppi_lambda1"), (0.0, "classical_labelled_only"), (None, "ppi_plus_plus")):
            found, expected = ppi_mean(judge, human, rest, lam), case["expected"][name]
            assert found.value == pytest.approx(expected["estimate"], rel=1e-9)
            assert found.se == pytest.approx(expected["se"], rel=1e-9)
            assert (found.low, found.high) == pytest.approx(expected["ci_95"], rel=1e-9)
            if lam is None:
                assert found.lam == pytest.approx(expected["lam"], rel=1e-9)
        everything = [*judge, *rest]
        frame = Stratum("all", len(everything), tuple(human), sum(everything) / len(everything), tuple(judge))
        whole, expected = (
            corrected_mean([frame], guard=False),
            case["expected"]["difference_estimator_finite_population"],
        )
        assert whole.value == pytest.approx(expected["estimate"], rel=1e-9)
        assert whole.se == pytest.approx(expected["se"], rel=1e-9)
        assert (whole.low, whole.high) == pytest.approx(expected["ci_95"], rel=1e-9)
        assert judge_value([frame]).value == pytest.approx(case["expected"]["naive_judge_mean_all"], rel=1e-9)


def test_rogan_gladen_reference() -> None:
    names = ("judge_positive", "n", "tp", "human_pos", "tn", "human_neg")
    for case in reference_cases()["rogan_gladen"]:
        found, expected = rogan_gladen(*(case[name] for name in names)), case["expected"]
        if expected is None:
            assert found.value is found.unclipped is found.se is None
            assert found.reason
            continue
        assert found.value == pytest.approx(expected["estimate"], rel=1e-9)
        assert found.unclipped == pytest.approx(expected["unclipped"], rel=1e-9)
        assert found.se == pytest.approx(expected["se_delta"], rel=1e-9)


def test_noise_inflation_reference() -> None:
    for case in reference_cases()["judge_noise_inflation"]:
        found = noise_inflation(case["per_response_false_two_rate"], case["k"])
        assert found.value == pytest.approx(case["expected_normalized_mean"], rel=1e-9, abs=1e-9)


def test_a_spot_check_without_the_guard() -> None:
    found = corrected_mean(SPOT_CHECK, guard=False)
    assert found.value == pytest.approx(1.929375)
    assert found.se == pytest.approx(0.035546941773441566)
    assert (found.low, found.high) == pytest.approx((1.8597042743635122, 1.999045725636488))
    assert (found.method, found.n, found.n_guarded) == ("normal", 54, 0)


def test_the_guard_adds_one_pseudo_label_to_the_variance_alone() -> None:
    plain, guarded = corrected_mean(SPOT_CHECK, guard=False), corrected_mean(SPOT_CHECK)
    assert guarded.value == plain.value
    assert guarded.n_guarded == 1
    # Eight labels of 14 all say 4; with one 5 (or 3) among nine the variance is 1/9.
    added = (14 / 240) ** 2 * (1 - 8 / 14) * (1 / 9) / 8
    assert plain.se is not None
    assert guarded.se == pytest.approx(math.sqrt(plain.se**2 + added))
    nine = [4.0] * 8 + [5.0]
    assert sum((value - sum(nine) / 9) ** 2 for value in nine) / 8 == pytest.approx(1 / 9)


def test_the_score_interval_of_one_stratum_is_wilson() -> None:
    # 3 of 20 labels one step higher, frame so large that it does not matter: Wilson of 3/20 is 0.0524..0.3604.
    found = corrected_mean([Stratum("1", 10**9, (1,) * 17 + (2,) * 3, 1)])
    assert found.value == 1.15
    assert (found.low, found.high) == pytest.approx((1.0524, 1.3604), abs=1e-4)


def test_nothing_seen_is_not_nothing_there() -> None:
    found = corrected_mean([Stratum("1", 10**9, (1,) * 69, 1)])
    assert found.value == found.low == 1
    # Wilson's upper bound of 0 in 69.
    assert found.high == pytest.approx(1 + 1.959964**2 / (69 + 1.959964**2), abs=1e-6)
    assert corrected_mean([Stratum("1", 1000, (1,) * 69, 1)], guard=False).low is None


def test_errors_that_jump_widen_more_than_steps() -> None:
    steps = corrected_mean([Stratum("1", 3000, (1,) * 57 + (2,) * 3, 1)])
    jumps = corrected_mean([Stratum("1", 3000, (1,) * 59 + (4,), 1)])
    assert steps.value == jumps.value
    assert width(jumps) > 1.4 * width(steps)


@given(drawn_strata())
def test_an_interval_has_a_width_or_a_reason(strata: tuple[Stratum, ...]) -> None:
    for guard in (True, False):
        found = corrected_mean(strata, guard)
        assert found.value is not None and 1 <= found.value <= 5
        if found.low is None or found.high is None:
            assert found.reason
            assert not guard or all(len(stratum.human) == stratum.n_frame for stratum in strata)
            continue
        assert not found.reason
        assert 1 <= found.low <= found.value <= found.high <= 5
        assert found.low < found.high


@given(drawn_strata(), st.randoms(use_true_random=False))
def test_order_tells_nothing(strata: tuple[Stratum, ...], rng: random.Random) -> None:
    turned = [replace(stratum, human=tuple(rng.sample(stratum.human, len(stratum.human)))) for stratum in strata]
    rng.shuffle(turned)
    for guard in (True, False):
        one, other = corrected_mean(strata, guard), corrected_mean(turned, guard)
        assert one.value == pytest.approx(other.value)
        assert one.low == pytest.approx(other.low)
        assert one.high == pytest.approx(other.high)


def test_the_estimator_has_no_bias_over_all_draws() -> None:
    truth = {"1": (1, 1, 2, 1, 4), "3": (3, 2, 3, 5)}
    draws = itertools.product(itertools.combinations(truth["1"], 3), itertools.combinations(truth["3"], 2))
    found = [corrected_mean([Stratum("1", 5, one, 1), Stratum("3", 4, three, 3)]).value for one, three in draws]
    mean = (sum(truth["1"]) + sum(truth["3"])) / 9
    assert sum(value or 0 for value in found) / len(found) == pytest.approx(mean)


def test_the_variance_has_no_bias_over_all_draws() -> None:
    truth = (1.0, 1.0, 2.0, 4.0, 3.0, 1.0)
    found = [corrected_mean([Stratum("1", 6, draw)], guard=False) for draw in itertools.combinations(truth, 3)]
    values = [one.value or 0.0 for one in found]
    spread = sum((value - 2) ** 2 for value in values) / len(values)
    assert sum((one.se or 0.0) ** 2 for one in found) / len(found) == pytest.approx(spread)


def test_a_stratum_labelled_whole_adds_no_error() -> None:
    census = Stratum("5", 4, (5, 5, 3, 4), 5)
    sample = Stratum("1", 400, (1, 1, 1, 2), 1)
    found = corrected_mean([sample, census], guard=False)
    alone = corrected_mean([sample], guard=False)
    assert found.se == pytest.approx((alone.se or 0) * 400 / 404)
    assert corrected_mean([replace(census, human=(5, 5, 5, 5)), sample]).n_guarded == 0


def test_a_census_is_exact_and_has_no_interval() -> None:
    found = corrected_mean([Stratum("1", 2, (1, 2), 1), Stratum("5", 1, (4,), 5)])
    assert found.value == pytest.approx(7 / 3)
    assert found.se == 0
    assert found.low is found.high is None
    assert (found.method, found.reason) == ("census", "every unit has a label: no sampling error")


def test_one_label_in_a_stratum() -> None:
    strata = [Stratum("1", 50, (1,), 1), Stratum("2", 50, (2, 3, 2), 2)]
    plain = corrected_mean(strata, guard=False)
    assert plain.value == pytest.approx(0.5 * 1 + 0.5 * 7 / 3)
    assert plain.se is plain.low is None
    assert plain.reason == "one label only in stratum 1: no variance"
    guarded = corrected_mean(strata)
    assert guarded.n_guarded == 1
    assert width(guarded) > 0.3


def test_no_label_names_the_stratum() -> None:
    found = corrected_mean([Stratum("1", 50, (1, 1), 1), Stratum("4", 3, (), 4), Stratum("5", 2, (), 5)])
    assert found.value is found.se is found.low is found.high is None
    assert found.reason == "no label in stratum 4, 5"
    assert found.n == 2
    without = corrected_mean([Stratum("1", 50, (1, 1), 1), Stratum("4", 0, (), 4)])
    assert without.value == 1
    assert corrected_mean([]).reason == "no units"


@pytest.mark.parametrize(
    ("stratum", "said"),
    [
        (Stratum("1", 1, (1, 1)), "2 labels in stratum 1, which has 1 units"),
        (Stratum("1", 9, (0,)), "lies outside 1..5"),
        (Stratum("1", 9, (float("nan"),)), "lies outside 1..5"),
        (Stratum("1", 9, (1, 2), 1.5, (1,)), "one value of the judge for each label"),
        (Stratum("1", 9, (1, 2), None, (1, 2)), "needs the judge's mean"),
    ],
)
def test_strata_that_cannot_be_are_refused(stratum: Stratum, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        corrected_mean([stratum])


def test_confidence_widens() -> None:
    for guard in (True, False):
        wide = corrected_mean(SPOT_CHECK, guard, confidence=0.99)
        assert width(wide) > width(corrected_mean(SPOT_CHECK, guard))


def test_the_maximum_of_whole_prompts() -> None:
    judge = {f"p{n}": 1.0 + (n % 4 == 0) for n in range(40)}
    people = {"p0": 1.0, "p1": 1.0, "p2": 1.0, "p3": 3.0, "p4": 2.0, "p5": 1.0}
    strata = whole_prompts(judge, people)
    found = corrected_maximum(strata, guard=False)
    # The judge's mean 1.25, people's differences -1, 0, 0, 2, 0, 0.
    assert found.value == pytest.approx(1.25 + 1 / 6)
    errors = (-1, 0, 0, 2, 0, 0)
    variance = sum((error - 1 / 6) ** 2 for error in errors) / 5
    assert found.se == pytest.approx(math.sqrt(variance / 6 * (1 - 6 / 40)))
    assert corrected_maximum(strata).n_guarded == 0
    assert corrected_maximum(whole_prompts({}, {})).reason == "no units"
    with pytest.raises(KeyError):
        whole_prompts(judge, {"elsewhere": 1.0})


def test_ten_prompts_without_a_difference_leave_more_than_a_quarter_open() -> None:
    judge = {f"p{n}": float(1 + n % 3) for n in range(320)}
    found = corrected_maximum(whole_prompts(judge, {f"p{n}": judge[f"p{n}"] for n in range(10)}))
    assert found.n_guarded == 1
    assert 0.5 < width(found) < 0.6


@pytest.mark.parametrize("n_prompts", [3, 60, 190])
def test_a_value_beyond_the_scale_is_held_and_keeps_its_width(n_prompts: int) -> None:
    # The judge's two 5s among 200 are both drawn and both wrong: 1.04 - 8/n.
    judge = {f"p{n}": 5.0 if n < 2 else 1.0 for n in range(200)}
    found = corrected_maximum(whole_prompts(judge, {f"p{n}": 1.0 for n in range(n_prompts)}))
    assert found.value == found.low == 1
    assert found.high is not None and found.high > 1.005


def test_bias_is_named_only_outside_the_interval() -> None:
    found = Corrected(1.5, 0.05, 1.4, 1.6, "", "", 100)
    assert bias_note(found, 1.72) == "judge biased high by 0.22"
    assert bias_note(found, 1.25) == "judge biased low by 0.25"
    assert bias_note(found, 1.6) == ""
    assert bias_note(replace(found, low=None, high=None), 3.0) == ""


def test_the_judges_own_mean() -> None:
    assert judge_value(SPOT_CHECK).value == pytest.approx(1.9166666666666667)
    assert judge_value([]) == Figure(None, "no units")
    assert judge_value([Stratum("x", 5, (1,))]) == Figure(None, "no judge's value for stratum x")


def test_pooled_puts_labels_of_a_judge_score_together() -> None:
    one = [Stratum("1", 100, (1, 1, 2), 1), Stratum("5", 10, (5, 4), 5)]
    two = [Stratum("1", 300, (1,), 1), Stratum("5", 90, (), 5)]
    found = pooled({"a": one, "b": two})
    assert found.value == pytest.approx(0.8 * 5 / 4 + 0.2 * 4.5)
    assert found.n == 6
    assert found.method.endswith("assumes equal judge error across variants")
    assert pooled({"b": two}).reason == "no label in stratum 5"
    assert pooled({}).reason == "no units"
    with pytest.raises(ValueError, match="variant a has two strata 1"):
        pooled({"a": [one[0], one[0]]})


def deal(rate: float, n: int, score: int, rng: random.Random) -> tuple[float, ...]:
    return tuple(float(score + (rng.random() < rate)) for _ in range(n))


def test_heterogeneity_by_hand() -> None:
    # One judge score, two variants: the statistic is (n - 1) times the squared correlation of variant and error.
    left, right = (1.0, 1.0, 2.0, 1.0), (2.0, 2.0, 1.0, 2.0, 2.0)
    found = heterogeneity({"a": [Stratum("1", 90, left, 1)], "b": [Stratum("1", 90, right, 1)]})
    x, y = [0] * 4 + [1] * 5, [*left, *right]
    mx, my = sum(x) / 9, sum(y) / 9
    covariance = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
    square = covariance**2 / (sum((a - mx) ** 2 for a in x) * sum((b - my) ** 2 for b in y))
    assert found.statistic.value == pytest.approx(8 * square)
    assert found.df == 1
    assert found.p.value == pytest.approx(math.erfc(math.sqrt(8 * square / 2)))


def test_heterogeneity_holds_its_level_and_sees_a_difference() -> None:
    rng = random.Random(5)

    def p_value(rates: Sequence[float]) -> float:
        found = heterogeneity(
            {
                f"v{place}": [Stratum(str(score), 500, deal(rate, 8, score, rng), score) for score in (1, 2, 4)]
                for place, rate in enumerate(rates)
            }
        )
        assert found.df in (0, len(rates) - 1)
        return 1.0 if found.p.value is None else found.p.value

    equal = sum(p_value([0.2] * 4) < 0.05 for _ in range(400)) / 400
    assert equal < 0.09
    assert sum(p_value([0.05, 0.05, 0.05, 0.7]) < 0.05 for _ in range(40)) > 36


def test_heterogeneity_without_a_value_says_why() -> None:
    alone = heterogeneity({"a": list(SPOT_CHECK)})
    assert alone.statistic == alone.p == Figure(None, "no two variants share a judge score with labels")
    apart = heterogeneity({"a": [Stratum("1", 9, (1, 2), 1)], "b": [Stratum("2", 9, (1, 2), 2)]})
    assert apart.p.value is None
    alike = heterogeneity({"a": [Stratum("1", 9, (1, 1), 1)], "b": [Stratum("1", 9, (1,), 1)]})
    assert alike.p == Figure(None, "all labels of a judge score err alike")
    assert alike.df == 0
    assert heterogeneity({}).p.value is None


def test_prediction_powered_mean_by_hand() -> None:
    found = ppi_mean([1, 2, 1, 4], [1, 1, 1, 4], [1, 1, 3, 3])
    # Mean of the unlabelled 2, of human - judge -0.25; variances 1/4 and 3/16/4.
    assert found.value == 1.75
    assert found.se == pytest.approx(math.sqrt(1 / 4 + 3 / 64))
    labels = ppi_mean([1, 2, 1, 4], [1, 1, 1, 4], [1, 1, 3, 3], lam=0)
    assert labels.value == 1.75
    assert labels.se == pytest.approx(math.sqrt(27 / 16 / 4))


def test_the_tuned_mean_is_no_worse_than_either() -> None:
    rng = random.Random(2)
    truth = [rng.choice([1, 1, 1, 2, 4]) for _ in range(400)]
    judge = [min(5, value + (rng.random() < 0.3)) for value in truth]
    both = (judge[:60], truth[:60], judge[60:])
    tuned, full, none = (ppi_mean(*both, lam=lam) for lam in (None, 1.0, 0.0))
    assert tuned.lam is not None and 0 < tuned.lam < 1
    assert tuned.se is not None and full.se is not None and none.se is not None
    assert tuned.se <= min(full.se, none.se) * 1.001


def test_prediction_powered_without_a_value_says_why() -> None:
    assert ppi_mean([], [], [1, 2]).reason == "no labels"
    assert ppi_mean([1, 2], [1, 2], []).reason == "no unlabelled replies"
    assert ppi_mean([1, 2], [1, 2], [], lam=None).lam == 0
    assert ppi_mean([1, 1], [1, 3], [1, 1], lam=None).lam == 0
    one = ppi_mean([2], [1], [2, 3])
    assert (one.value, one.se, one.low) == (1.5, None, None)
    flat = ppi_mean([2, 2], [1, 1], [3, 3])
    assert (flat.value, flat.low, flat.high) == (2.0, None, None)
    assert flat.reason.startswith("nothing varies")
    with pytest.raises(ValueError, match="1 values of the judge beside 2 labels"):
        ppi_mean([1], [1, 2], [1])


def test_rogan_gladen_by_hand() -> None:
    # p = .3, Se = .9, Sp = .8: .1 / .7.
    found = rogan_gladen(30, 100, 9, 10, 16, 20)
    assert found.value == pytest.approx(1 / 7)
    value = 1 / 7
    variance = (0.3 * 0.7 / 100 + value**2 * 0.09 / 10 + (1 - value) ** 2 * 0.16 / 20) / 0.49
    assert found.se == pytest.approx(math.sqrt(variance))
    perfect = rogan_gladen(30, 100, 10, 10, 20, 20)
    assert perfect.value == pytest.approx(0.3)


def test_rogan_gladen_is_held_within_0_and_1() -> None:
    found = rogan_gladen(2, 100, 9, 10, 16, 20)
    assert found.value == 0
    assert found.unclipped == pytest.approx((0.02 - 0.2) / 0.7)
    assert rogan_gladen(99, 100, 8, 10, 20, 20).value == 1


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((50, 100, 25, 50, 25, 50), "sensitivity + specificity = 1"),
        ((5, 10, 1, 3, 4, 6), "sensitivity + specificity = 1"),
        ((0, 0, 1, 2, 2, 2), "no replies"),
        ((1, 9, 0, 0, 2, 2), "no labels that people call positive"),
        ((1, 9, 1, 2, 0, 0), "no labels that people call negative"),
    ],
)
def test_rogan_gladen_without_a_value_says_why(counts: tuple[int, int, int, int, int, int], said: str) -> None:
    found = rogan_gladen(*counts)
    assert found.value is found.unclipped is found.se is None
    assert found.reason.startswith(said)


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="larger than what it is counted from"):
        rogan_gladen(11, 10, 1, 2, 1, 2)


def test_noise_alone_makes_the_published_base_value() -> None:
    assert noise_inflation(0.0323, 10).value == pytest.approx(0.069968948038373, abs=1e-12)
    assert noise_inflation(0.0, 10).value == 0
    assert noise_inflation(1.0, 3).value == 0.25


@given(st.dictionaries(st.integers(1, 5), st.integers(1, 9), min_size=1), st.integers(1, 4))
def test_noise_from_verdicts_is_the_mean_over_all_draws(verdicts: dict[int, int], k: int) -> None:
    total = sum(verdicts.values())
    expected = math.fsum(
        max(drawn) * math.prod(verdicts[score] / total for score in drawn)
        for drawn in itertools.product(verdicts, repeat=k)
    )
    found = noise_inflation_from({float(score): float(n) for score, n in verdicts.items()}, k)
    assert found.value == pytest.approx((expected - 1) / 4, abs=1e-12)


def test_noise_without_a_value_says_why() -> None:
    assert noise_inflation_from({}, 10) == Figure(None, "no verdict on a reply that people call 1")
    assert noise_inflation(0.1, 0) == Figure(None, "no maximum of 0 replies")
    with pytest.raises(ValueError, match=r"1\.5 is no rate"):
        noise_inflation(1.5, 10)
    with pytest.raises(ValueError, match="negative"):
        noise_inflation_from({1: -1.0, 2: 2.0}, 10)


def test_an_estimate_beyond_the_scale_says_that_it_is_held_at_its_end() -> None:
    found = corrected_mean([Stratum("all", 500, (1, 1, 1, 2), 1.5, (4, 5, 4, 4), is_mixed=True)])
    assert found.value == 1.0
    assert found.method.endswith("held within the scale")
    assert "held" not in corrected_mean([Stratum("1", 500, (1, 1, 2), 1.0)]).method
