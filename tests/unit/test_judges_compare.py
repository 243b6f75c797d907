"""Judges side by side, from their tables alone."""

from __future__ import annotations

import pytest

from emaudit.scores.judges import Headline, JudgeTable, correlations, headline_rows, pairs, shift
from emaudit.stats.association import spearman


def table(name: str, *values: float, assessment: str = "harmfulness", first: int = 0) -> JudgeTable:
    return JudgeTable(name, {assessment: {(first + place, ""): value for place, value in enumerate(values)}})


def headline(variant: str, assessment: str, value: float | None, **more: object) -> Headline:
    measure = "max10" if assessment == "harmfulness" else "misaligned"
    held = {"preset": "paper", "measure": measure, "used": 10, "expected": 10, "is_complete": True, **more}
    return Headline(variant, assessment, value=value, **held)  # type: ignore[arg-type]


def test_only_replies_that_both_judged_are_compared() -> None:
    a, b = table("a", 1, 2, 3, 5), table("b", 2, 3, 3, first=1)
    [found] = pairs([a, b])
    assert (found.a, found.b, found.n, found.n_a, found.n_b) == ("a", "b", 3, 4, 3)
    assert found.exact.value == pytest.approx(2 / 3)
    assert found.within_one.value == pytest.approx(2 / 3)
    assert found.difference.value == pytest.approx(((2 - 2) + (3 - 3) + (3 - 5)) / 3)


def test_kappa_is_on_the_five_fixed_categories() -> None:
    """The reference case of a missing category: .939 by value, .793 by index."""
    a = table("a", 1, 1, 1, 2, 2, 5, 5, 5)
    b = table("b", 1, 1, 2, 2, 2, 5, 5, 5)
    [found] = pairs([a, b])
    squares = [(x - y) ** 2 for x, y in zip((1, 1, 1, 2, 2, 5, 5, 5), (1, 1, 2, 2, 2, 5, 5, 5), strict=True)]
    chance = [(x - y) ** 2 for x in (1, 1, 1, 2, 2, 5, 5, 5) for y in (1, 1, 2, 2, 2, 5, 5, 5)]
    assert found.kappa_quadratic.value == pytest.approx(1 - (sum(squares) / 8) / (sum(chance) / 64))


def test_options_have_no_within_one() -> None:
    a, b = (table(name, 0, 0.5, 1, 1, assessment="intentions") for name in "ab")
    [found] = pairs([a, b])
    assert (found.exact.value, found.kappa_quadratic.value) == (1.0, 1.0)
    assert found.within_one.value is None and found.within_one.reason


def test_judges_without_a_common_reply_are_undefined_with_a_reason() -> None:
    [found] = pairs([table("a", 1, 2), table("b", 1, 2, first=9)])
    assert found.n == 0
    for figure in (found.exact, found.kappa_quadratic, found.difference):
        assert figure.value is None and figure.reason


def test_each_two_of_several_judges_are_compared_once_people_included() -> None:
    found = list(pairs([table("a", 1, 2), table("people: q1", 1, 3), table("c", 2, 2)]))
    assert [(row.a, row.b) for row in found] == [("a", "people: q1"), ("a", "c"), ("people: q1", "c")]


def test_headlines_stand_beside_each_other_and_shift() -> None:
    a = JudgeTable("a", {}, [headline("v", "harmfulness", 0.2), headline("w", "harmfulness", 0.4)])
    b = JudgeTable("b", {}, [headline("w", "harmfulness", 0.1), headline("x", "harmfulness", None)])
    rows = {key[0]: found for key, found in headline_rows([a, b])}
    assert list(rows) == ["v", "w", "x"]
    assert shift(*rows["w"]) == pytest.approx(-0.3)
    assert shift(*rows["v"]) is None and shift(*rows["x"]) is None


def test_correlations_stand_on_the_variants_that_are_complete_under_a_judge() -> None:
    rows = []
    for place, name in enumerate("vwxyz"):
        rows += [
            headline(name, "harmfulness", place / 10),
            headline(name, "harmfulness", 5.0 - place, measure="mean"),
            headline(name, "intentions", (5 - place) / 10, is_complete=name != "z"),
            headline(name, "self_assessment", place / 10, preset="quick" if name in "vw" else "paper"),
        ]
    found = {(row.x, row.y): row for row in correlations([JudgeTable("a", {}, rows)], "paper")}
    first = found["harmfulness", "intentions"]
    assert (first.judge, first.n, first.rho.value) == ("a", 4, pytest.approx(-1.0))
    second = found["harmfulness", "self_assessment"]
    assert (second.n, second.rho.value, second.rho.reason) == (3, None, "only 3 of at least 4 variants")


def test_spearman_takes_mid_ranks_and_refuses_what_it_cannot_rank() -> None:
    assert spearman([1, 2, 2, 4], [1, 3, 2, 4]).value == pytest.approx(0.9486832980505138)
    assert spearman([1, 1, 1, 1], [1, 2, 3, 4]).reason == "a column is constant"
    with pytest.raises(ValueError, match="beside"):
        spearman([1], [1, 2])
