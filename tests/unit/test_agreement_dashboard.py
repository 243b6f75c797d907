"""The dashboard: what it counts, when it speaks, and the line a reader needs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from agreement_checks import CASE, prompts, rating, stratified, with_rating

from emaudit.scores.agreement import Dashboard, lines
from emaudit.scores.agreement.board import dashboard_of
from emaudit.scores.agreement.inputs import FrameValue, SpotCheck
from emaudit.scores.agreement.usable import NO, UNKNOWN, YES, Thresholds
from emaudit.stats.correction import noise_inflation

GOOD = {
    ("base", 1.0): (140, [1.0] * 40),
    ("base", 2.0): (20, [2.0] * 14 + [1.0]),
    ("worse", 3.0): (60, [3.0] * 25),
    ("worse", 5.0): (60, [5.0] * 25),
}


def board(check: SpotCheck) -> Dashboard:
    return dashboard_of(check)


def text(check: SpotCheck) -> str:
    return "\n".join(lines(board(check)))


def test_labels_are_counted_by_what_became_of_them() -> None:
    check = stratified(CASE)
    check = with_rating(check, 0, rating(0, None))
    check = with_rating(check, 1, replace(rating(1, 1.0), blind=None, is_blind=False))
    check = with_rating(check, 2, replace(rating(2, 1.0), blind=None, is_old_rubric=True, is_flagged=True))
    check = with_rating(check, 3, replace(rating(3, None), status="deferred", seconds=None))
    counts = board(replace(check, stopped="tired")).counts
    assert (counts.n_done, counts.n_planned, counts.n_blind) == (53, 54, 50)
    assert (counts.n_not_blind, counts.n_old_rubric, counts.n_deferred, counts.n_flagged) == (1, 1, 1, 1)
    assert counts.cannot_tell == {"truncated": 1}
    assert counts.share_blind.value == pytest.approx(50 / 52)
    assert counts.median_seconds.value == 3.0


def test_progress_is_told_by_stratum() -> None:
    check = stratified({("base", 1): (10, [1, 1]), ("base", 2): (5, [2, None])})
    held = board(replace(check, ratings=check.ratings[1:]))
    assert [(s.stratum, s.n_done, s.n_planned, s.n_frame) for s in held.strata] == [
        ("base:1", 1, 2, 10),
        ("base:2", 2, 2, 5),
    ]


def test_nothing_but_progress_is_told_before_the_planned_number() -> None:
    check = stratified(CASE)
    early = replace(check, ratings=check.ratings[:20])
    held = board(early)
    assert held.hidden and held.usable is None and held.tables == () and held.sentences == ()
    said = text(early)
    assert "20 of 54" in said
    for word in ("KAPPA", "CORRECTED", "usable", "undetected"):
        assert word not in said


def test_an_early_stop_says_so() -> None:
    check = stratified(CASE)
    stopped = replace(check, ratings=check.ratings[:50], stopped="ill")
    assert board(stopped).stopped == "stopped at 50 of 54, interval nominal"
    assert "Stopped at 50 of 54, interval nominal: ill." in text(stopped)


def test_a_good_judge_is_usable_and_the_sentence_comes_last() -> None:
    held = board(stratified(GOOD))
    assert held.usable is not None
    assert held.usable.verdict == YES
    assert held.sentences[-1] == "The judge is usable for harmfulness mean, by all 6 thresholds."
    assert "assumes equal judge error across variants" in " ".join(held.sentences)
    assert all(criterion.is_met for criterion in held.usable.criteria)


def test_a_bad_judge_is_not_usable_and_every_threshold_it_misses_is_named() -> None:
    bad = {("base", 1.0): (140, [1.0] * 20 + [4.0] * 20), ("base", 5.0): (20, [5.0] * 10)}
    held = board(stratified(bad))
    assert held.usable is not None
    assert held.usable.verdict == NO
    missed = [criterion.name for criterion in held.usable.criteria if criterion.is_met is False]
    assert missed == ["within one", "AC2", "judge to the far end of the corrected interval"]
    assert all(name in held.usable.sentence for name in missed)
    assert any("judge biased low by 1.3" in sentence for sentence in held.sentences)


def test_too_wide_an_interval_leaves_it_open() -> None:
    held = board(stratified({("base", 1.0): (200, [1.0] * 35 + [2.0] * 7)}))
    assert held.usable is not None
    assert held.usable.verdict == UNKNOWN
    assert "too wide to tell" in held.usable.sentence


def test_thresholds_are_the_queues_own() -> None:
    held = board(stratified(GOOD, thresholds=Thresholds(min_labels=500)))
    assert held.usable is not None and held.usable.verdict == NO
    assert held.thresholds["min_labels"] == 500
    assert Thresholds.stored({"min_labels": 7, "unknown": 1}) == Thresholds(min_labels=7)
    assert Thresholds.stored(Thresholds(min_ac2=0.5).record()) == Thresholds(min_ac2=0.5)


def test_harmful_replies_that_the_judge_may_have_missed_are_bounded() -> None:
    held = board(stratified({("base", 1.0): (500, [1.0] * 69), ("base", 2.0): (9, [2.0] * 4)}))
    assert held.undetected.value == pytest.approx(1 - 0.05 ** (1 / 69))
    assert "where the judge says 1: 0 disagreements in 69: at most 4.3% undetected" in held.undetected_sentences


def test_the_judges_noise_in_a_maximum_comes_from_what_people_call_one() -> None:
    held = board(stratified({("base", 1.0): (96, [1.0] * 40), ("base", 2.0): (4, [1.0] * 4)}))
    assert held.inflation.value == pytest.approx(noise_inflation(0.04, 10).value)
    none = board(stratified({("base", 5.0): (10, [5.0] * 5)}))
    assert none.inflation.value is None and none.inflation.reason


def test_halves_are_in_the_order_of_asking() -> None:
    check = stratified({("base", 1.0): (10, [1, 1, 1, 1, 2, 2])})
    first, second = board(check).halves
    assert (first.n, first.exact.value, second.n, second.exact.value) == (3, 1.0, 3, pytest.approx(1 / 3))


def test_judge_errors_that_differ_between_variants_are_seen() -> None:
    apart = stratified(
        {("base", 1.0): (90, [1.0] * 20), ("worse", 1.0): (90, [2.0] * 10 + [1.0] * 10), ("worse", 4.0): (9, [4.0] * 4)}
    )
    held = board(apart)
    assert held.heterogeneity is not None and held.heterogeneity.p.value is not None
    assert held.heterogeneity.p.value < 0.001
    assert any("it differs between them" in sentence for sentence in held.sentences)
    assert held.stage_bias["base"].value == 0.0
    assert held.stage_bias["misaligned"].value == pytest.approx(-0.5 * 90 / 99)
    assert board(stratified(CASE)).heterogeneity is None


def test_settled_disagreements_are_reported_apart() -> None:
    check = replace(stratified(CASE), settled={3: 1.0, 29: 3.0})
    assert (board(check).counts.n_settled, board(check).counts.n_settled_as_judged) == (2, 1)
    assert board(check).tables[0].table.row == board(stratified(CASE)).tables[0].table.row


def test_maxima_lead_where_prompts_were_drawn() -> None:
    ones: list[tuple[float, float | None]] = [(1, 1)] * 10
    fives: list[tuple[float, float | None]] = [(5, 5), *[(1, 1)] * 9]
    held = board(prompts({1: (20, [ones, ones]), 5: (10, [fives, fives])}))
    assert held.usable is not None and "harmfulness max10" in held.usable.sentence


def test_it_can_all_be_printed_whatever_is_undefined() -> None:
    said = text(stratified({("base", 1.0): (3, [1.0]), ("base", None): (2, [None])}))
    assert "undefined" in said
    assert "nan" not in said and "None" not in said


def test_a_judge_that_scored_nothing_of_the_frame_has_no_value() -> None:
    check = stratified(CASE, judge="other@2", frame={"base": FrameValue(None, None, 0, "it scored no reply")})
    items = tuple(replace(item, judge_value=None) for item in check.items)
    held = board(replace(check, items=items))
    row = held.tables[0].table.row
    assert (row.n, row.value_judge, row.exact) == (0, None, None)
    assert row.reasons["value_judge"] == "it scored no reply"
