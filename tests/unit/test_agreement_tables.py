"""What a spot-check comes to, from labels made by hand: agreement, correction, and what stays out of both."""

from __future__ import annotations

from dataclasses import replace

import pytest
from agreement_checks import CASE, prompts, rating, stratified, with_rating

from emaudit.scores.agreement.corrected import Correction, correct
from emaudit.scores.agreement.inputs import FrameValue, Item, SpotCheck, hidden_because
from emaudit.scores.agreement.measures import MAXIMUM, measures_of
from emaudit.scores.agreement.rows import COLUMNS, AgreementRow, Table, tables

MEAN = measures_of("harmfulness", "stratified", (), False)[0]


def found(check: SpotCheck, variant: str = "base", measure: str = "mean", pair: str = "judge-human") -> Table:
    rows = [t for t in tables(check) if (t.row.variant, t.row.measure, t.row.pair) == (variant, measure, pair)]
    assert len(rows) == 1
    return rows[0]


def row(check: SpotCheck, variant: str = "base", measure: str = "mean", pair: str = "judge-human") -> AgreementRow:
    return found(check, variant, measure, pair).row


def correction(check: SpotCheck, variant: str = "base", measure: str = "mean") -> Correction:
    made = found(check, variant, measure).correction
    assert made is not None
    return made


def test_the_columns_are_the_contract() -> None:
    assert ",".join(COLUMNS) == (
        "variant,assessment,measure,pair,judge,reviewer,design,n,n_prompts,n_blind,exact,within_one,kappa_quadratic,"
        "kappa_low,kappa_high,alpha_ordinal,ac2,bias,baseline_exact,value_judge,value_corrected,corrected_low,"
        "corrected_high,simulated"
    )


def test_a_stratified_check_has_the_reference_values() -> None:
    held = row(stratified(CASE))
    assert held.exact == pytest.approx(0.8997916666666667, abs=1e-12)
    assert held.kappa_quadratic == pytest.approx(0.9689246374002649, abs=1e-12)
    assert held.value_judge == pytest.approx(1.9166666666666667, abs=1e-12)
    assert held.value_corrected == pytest.approx(1.929375, abs=1e-12)
    assert held.bias == pytest.approx(1.9166666666666667 - 1.929375, abs=1e-12)
    assert (held.n, held.n_blind, held.n_prompts) == (54, 54, 7)
    assert held.kappa_low is not None and held.kappa_high is not None
    assert held.kappa_low < 0.9689 < held.kappa_high
    assert held.corrected_low is not None and held.corrected_high is not None
    assert held.corrected_low < 1.929375 < held.corrected_high
    assert held.baseline_exact == pytest.approx((139 * 19 / 20) / 240)
    assert not held.reasons


def test_confusion_counts_labels_and_adds_up_the_frame() -> None:
    cells = {(cell.first_score, cell.second_score): cell for cell in found(stratified(CASE)).confusion}
    assert {place: cell.n for place, cell in cells.items()} == {
        (1, 1): 19,
        (1, 2): 1,
        (2, 2): 9,
        (2, 3): 1,
        (3, 3): 9,
        (3, 4): 1,
        (4, 4): 8,
        (5, 4): 3,
        (5, 5): 3,
    }
    assert sum(cell.weight for cell in cells.values()) == pytest.approx(240)
    assert cells[1, 2].weight == pytest.approx(139 / 20)


def test_a_label_that_is_not_blind_is_counted_and_stays_out() -> None:
    check = stratified(CASE)
    seen = with_rating(check, 3, replace(rating(3, 5.0), blind=None, is_blind=False))
    held = row(seen)
    assert (held.n, held.n_blind) == (54, 53)
    assert held.value_corrected == pytest.approx((139 * 1 + 38 * 2.1 + 28 * 3.1 + 14 * 4 + 21 * 4.5) / 240)
    corrected_later = with_rating(check, 3, replace(rating(3, 5.0), blind=2.0, is_blind=False))
    assert row(corrected_later).value_corrected == pytest.approx(1.929375), "the blind label it had still counts"


def test_a_label_under_another_rubric_is_counted_and_stays_out() -> None:
    held = row(with_rating(stratified(CASE), 3, replace(rating(3, 2.0), blind=None, is_old_rubric=True)))
    assert (held.n, held.n_blind) == (54, 53)


def test_what_cannot_be_told_is_bounded_and_leaves_the_estimate() -> None:
    made = correction(with_rating(stratified(CASE), 3, rating(3, None)))
    assert made.value == pytest.approx((139 * 1 + 38 * 2.1 + 28 * 3.1 + 14 * 4 + 21 * 4.5) / 240)
    assert made.n_missing == 1
    rest = 38 * 2.1 + 28 * 3.1 + 14 * 4 + 21 * 4.5
    assert made.bound_low == pytest.approx((139 * 20 / 20 + rest) / 240)
    assert made.bound_high == pytest.approx((139 * 24 / 20 + rest) / 240)
    assert correction(stratified(CASE)).bound_low is None


def test_a_stratum_without_a_label_leaves_the_correction_undefined_and_is_named() -> None:
    check = stratified({("base", 1): (50, [1, 1, 1]), ("base", 4): (5, [None])})
    held = row(check)
    assert held.value_corrected is None
    assert "stratum 4" in held.reasons["value_corrected"]
    assert held.value_judge == pytest.approx(70 / 55)


def test_results_are_hidden_until_the_planned_number_or_a_stop() -> None:
    check = stratified(CASE)
    started = replace(check, ratings=check.ratings[:10])
    held = row(started)
    assert (held.n, held.n_blind, held.exact, held.value_corrected) == (10, 10, None, None)
    assert "10 of 54" in held.reasons["exact"]
    assert found(started).confusion == ()
    shown = row(replace(started, stopped="enough"))
    assert shown.exact == pytest.approx(0.9)
    deferred = with_rating(check, 0, replace(rating(0, None), status="deferred", blind=None))
    assert "53 of 54" in hidden_because(deferred)


def test_pooled_puts_variants_together_by_score_and_each_has_its_own() -> None:
    check = stratified(
        {
            ("base", 1): (90, [1, 1, 1, 1, 2]),
            ("base", 3): (10, [3, 3]),
            ("worse", 1): (10, [1, 1, 2, 2, 2]),
            ("worse", 3): (90, [3, 3, 3, 3, 4]),
        }
    )
    assert row(check).value_corrected == pytest.approx((90 * 1.2 + 10 * 3) / 100)
    assert row(check, "worse").value_corrected == pytest.approx((10 * 1.6 + 90 * 3.2) / 100)
    assert row(check, "pooled").value_corrected == pytest.approx((100 * 1.4 + 100 * (22 / 7)) / 200)
    assert row(check, "pooled").value_judge == pytest.approx(2.0)


def test_replies_left_unscored_enter_only_the_measure_that_says_so() -> None:
    check = stratified({("base", 1): (80, [1, 1, 1, 2]), ("base", None): (20, [4, 5])})
    assert row(check).value_corrected == pytest.approx(1.25)
    held = row(check, measure="mean_with_human")
    assert held.value_corrected == pytest.approx(0.8 * 1.25 + 0.2 * 4.5)
    assert (held.n, held.value_judge) == (4, 1.0)


def test_people_beside_each_other_and_beside_themselves() -> None:
    check = stratified(CASE)
    second = [rating(position, 2.0 if position < 2 else 1.0, "bob") for position in range(4)]
    again = Item(54, 1000, "base:1", "base", "base", "base/0", "repeat", 1)
    check = replace(check, ratings=(*check.ratings, *second, rating(54, 3.0)), items=(*check.items, again))
    both = row(check, pair="human-human")
    assert (both.reviewer, both.judge, both.n) == ("ann vs bob", "", 4)
    assert both.exact == pytest.approx(1 / 4)
    assert both.bias == pytest.approx((-1 - 1 + 0 + 1) / 4)
    own = row(check, pair="repeat")
    assert (own.reviewer, own.n, own.bias) == ("ann", 1, -2.0)
    judged = [held for held in tables(check) if held.row.pair == "judge-human" and held.row.variant == "base"]
    assert [held.row.reviewer for held in judged] == ["ann", "bob"]
    assert judged[1].row.value_corrected is None
    assert judged[0].row.n == 54, "a repeat is no label more"


def test_options_count_in_steps_of_their_own_scale() -> None:
    check = stratified({("base", 0): (50, [0, 0, 0, 0, 0.5]), ("base", 1): (50, [1, 1, 1, 0])}, assessment="intentions")
    held = row(check, measure="misaligned")
    assert held.within_one == pytest.approx((50 + 50 * 3 / 4) / 100)
    assert held.value_corrected == pytest.approx(0.5 * 0.1 + 0.5 * 0.75)
    assert held.bias == pytest.approx(0.5 - 0.425)
    sure = stratified({("base", 0): (50, [0] * 5), ("base", 1): (50, [1] * 5)}, assessment="intentions")
    made = correction(sure, measure="misaligned")
    assert made.value == 0.5
    assert made.low is not None and made.high is not None
    assert 0.25 < made.low < 0.5 < made.high < 0.75, "a pseudo-label is one step of the scale away"


def test_a_maximum_needs_whole_prompts_and_a_five_settles_one() -> None:
    ones: list[tuple[float, float | None]] = [(1, 1)] * 10
    two: list[tuple[float, float | None]] = [(2, 2), *[(1, 1)] * 9]
    milder: list[tuple[float, float | None]] = [(2, 1), *[(1, 1)] * 9]
    five: list[tuple[float, float | None]] = [(5, 5), *[(4, 0)] * 9]
    check = prompts({1: (20, [ones, ones]), 2: (10, [two, milder]), 5: (10, [five, five])})
    held = row(check, measure="max10")
    assert (held.n, held.n_blind, held.n_prompts) == (6, 6, 6)
    assert held.value_judge == pytest.approx((20 * 0 + 10 * 0.25 + 10 * 1) / 40)
    assert held.value_corrected == pytest.approx((20 * 0 + 10 * 0.125 + 10 * 1) / 40)
    assert held.bias == pytest.approx(10 * 0.5 / 40)
    mean = row(check, measure="mean")
    assert mean.value_corrected is None
    assert "whole prompts were drawn" in mean.reasons["value_corrected"]
    assert mean.value_judge == 1.5


def test_a_prompt_with_a_reply_that_cannot_be_told_is_bounded() -> None:
    ones: list[tuple[float, float | None]] = [(1, 1)] * 10
    torn: list[tuple[float, float | None]] = [(1, None), *[(1, 1)] * 9]
    made = correction(prompts({1: (10, [ones, torn])}), measure="max10")
    assert (made.value, made.n, made.n_missing) == (0.0, 1, 1)
    assert (made.bound_low, made.bound_high) == (0.0, 0.5)


def test_a_maximum_of_fewer_replies_is_no_maximum_of_ten() -> None:
    check = prompts({1: (10, [[(1, 1)] * 3, [(1, 1)] * 3])})
    made = correct(check, MAXIMUM, "base")
    assert made.value is None
    assert "no drawn prompt of base:1 has 10 replies" in made.reason


def test_expected_maxima_correct_the_value_and_have_no_agreement() -> None:
    twelve: list[tuple[float, float | None]] = [(3, 3), *[(1, 1)] * 11]
    check = prompts({1: (5, [[(1, 1)] * 12] * 2), 2.6: (5, [twelve, twelve])})
    held = row(check, measure="max10")
    expected = (1 * (1 - 10 / 12) + 3 * (10 / 12) - 1) / 4
    assert held.value_corrected == pytest.approx(expected / 2)
    assert held.exact is None and "lies between the scores" in held.reasons["exact"]


def test_a_simple_draw_is_corrected_by_the_differences() -> None:
    check = stratified({("base", 1): (0, [])}, design="simple")
    stratum = replace(check.strata[0], name="base:any", judge_value=None, n_frame=100, n_drawn=4)
    judged = [1.0, 1.0, 3.0, 2.0]
    items = tuple(Item(n, n, "base:any", "base", "base", str(n), "main", value) for n, value in enumerate(judged))
    labels = tuple(rating(n, value) for n, value in enumerate([1.0, 2.0, 3.0, 1.0]))
    frame = {"base": FrameValue(1.5, None, 100), "pooled": FrameValue(1.5, None, 100)}
    check = replace(check, strata=(stratum,), items=items, ratings=labels, frame=frame)
    held = row(check)
    assert held.value_judge == 1.5
    assert held.value_corrected == pytest.approx(1.5 + 0.0)
    assert held.exact == 0.5


def test_another_judge_is_seen_through_the_same_draw() -> None:
    check = stratified(CASE, judge="other@2", frame={"base": FrameValue(2.5, None, 240)})
    items = tuple(replace(item, judge_value=min(5.0, (item.judge_value or 0) + 1)) for item in check.items)
    held = row(replace(check, items=items))
    assert (held.judge, held.value_judge) == ("other@2", 2.5)
    assert held.value_corrected == pytest.approx(1.929375), "people say the same whoever judged"
    assert held.bias == pytest.approx((139 + 38 + 28 + 14) / 240 + 1.9166666666666667 - 1.929375)
    made = correction(replace(check, items=items))
    assert made.note == "judge biased high by 0.57"


def test_constant_raters_have_no_kappa_and_say_why() -> None:
    held = row(stratified({("base", 1): (80, [1] * 8)}))
    assert (held.exact, held.kappa_quadratic, held.kappa_low) == (1.0, None, None)
    assert held.reasons["kappa_quadratic"]
    assert held.corrected_high is not None and held.corrected_high > 1.0, "no interval without a width"


def test_a_second_judge_row_is_absent_where_nobody_else_labelled() -> None:
    assert [held.row.pair for held in tables(stratified(CASE))] == ["judge-human", "judge-human"]
    assert all(isinstance(held.row.n, int) for held in tables(stratified(CASE)))


@pytest.mark.parametrize("variant", ["base", "worse", "pooled"])
def test_the_bounds_of_what_cannot_be_told_hold_the_estimate(variant: str) -> None:
    """Pooled labels are put together by judge score: bounds by another rule would lie beside the estimate."""
    check = stratified({
        ("base", 1): (900, [1] * 20 + [None]),
        ("base", 5): (10, [5, 5, 5, 1]),
        ("worse", 1): (30, [1, 2, 3, None]),
        ("worse", 5): (400, [5] * 20),
    })  # fmt: skip
    made = correct(check, MEAN, variant)
    assert made.n_missing == {"base": 1, "worse": 1, "pooled": 2}[variant]
    assert made.value is not None and made.bound_low is not None and made.bound_high is not None
    assert made.bound_low <= made.value <= made.bound_high
