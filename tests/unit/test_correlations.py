"""The rows of correlations.csv and their cards, over studies whose true values are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from emaudit import reference
from emaudit.scores import published as published_table
from emaudit.scores.cards import Card, Side, card_record
from emaudit.scores.cardtext import facts, sentence, warnings
from emaudit.scores.correlations import (
    COLUMNS,
    CorrelationRow,
    Correlations,
    correlation_rows,
    points,
    reference_correlations,
    reference_rows,
    under,
)
from emaudit.scores.measurement import measured, ranks
from emaudit.scores.pairing import measure_of
from emaudit.scores.permuting import recipe
from emaudit.scores.study import Study, Subject
from emaudit.stats.association import spearman
from emaudit.stats.estimation import Figure, Interval
from emaudit.stats.permutation import unrestricted
from tests.unit.correlation_scene import published, study

HEADLINE = [("intentions", "harmfulness"), ("intentions", "self_assessment"), ("harmfulness", "self_assessment")]


@pytest.fixture(scope="module")
def paper_like() -> Study:
    """The paper's variants, each answering as often as its published values say."""
    return study(
        assessments=("harmfulness", "intentions", "self_assessment", "moral_foundations", "moral_self_assessment")
    )


@pytest.fixture(scope="module")
def found(paper_like: Study) -> Correlations:
    return Correlations(paper_like)


@pytest.fixture(scope="module")
def rows(found: Correlations) -> list[CorrelationRow]:
    return found.rows()


def row_of(rows: Sequence[CorrelationRow], x: str, y: str, columns: str, subset: str = "all") -> CorrelationRow:
    [row] = [row for row in rows if (row.x, row.y, row.columns, row.subset) == (x, y, columns, subset)]
    return row


def headline_row(held: Study, x: str, y: str, mixed: bool = False) -> CorrelationRow:
    """The row of two totals."""
    found = Correlations(held, mixed=mixed).headline_rows(["total"])
    return row_of(found, x, y, "total")


def headline(columns: str) -> list[tuple[str, str]]:
    part = ".harmless" if columns == "harmless" else ""
    return [(x if x == "harmfulness" else x + part, y if y == "harmfulness" else y + part) for x, y in HEADLINE]


@pytest.mark.parametrize("columns", ["harmless", "total"])
def test_rho_agrees_with_the_values_put_in_within_its_measurement_interval(
    rows: list[CorrelationRow], columns: str
) -> None:
    for x, y in headline(columns):
        row = row_of(rows, x, y, columns)
        put_in = published_table.reference_rho(x, y, columns)
        assert put_in is not None and row.measurement_low is not None and row.measurement_high is not None
        assert row.measurement_low <= put_in <= row.measurement_high
        assert row.measurement_high - row.measurement_low < 0.4


def test_variants_further_apart_than_their_prompts_have_no_measurement_interval() -> None:
    """Variants that differ by far more than their prompts are ranked alike whatever prompts are drawn."""
    apart = tuple(Subject(f"v{n}", f"s{n % 2}", "code", f"stage{n // 2}", "") for n in range(6))

    def steps(subject: Subject, assessment: str, part: str) -> float:
        place = int(subject.name[1:])
        return (
            (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)[place] if assessment != "intentions" else (0.2, 0, 0.4, 0.6, 1, 0.8)[place]
        )

    row = headline_row(study(apart, steps), "intentions", "self_assessment")
    assert row.rho == pytest.approx(spearman([0.2, 0, 0.4, 0.6, 1, 0.8], [0, 0.2, 0.4, 0.6, 0.8, 1]).value)
    assert (row.measurement_low, row.measurement_high) == (None, None)
    assert "every draw of prompts gives the same rho" in row.undefined_reason


def test_each_column_and_subset_has_its_pairs_and_each_empty_cell_its_reason(rows: list[CorrelationRow]) -> None:
    assert len({(row.x, row.y, row.columns, row.subset) for row in rows}) == len(rows)
    assert {row.n for row in rows if row.subset == "all"} == {15}
    assert {row.n for row in rows if row.subset in ("code", "trivia")} == {9}
    for part in ("care", "purity"):
        assert row_of(rows, f"moral_foundations.{part}", f"moral_self_assessment.{part}", "total").rho is not None
    for form in ("decision", "numerical", "likert", "language"):
        assert row_of(rows, "harmfulness", f"self_assessment.{form}.harmless", "harmless", "code").rho is not None
    optional = {"replicate", "p_holm", "judge", "excluded", "undefined_reason"}
    for row in rows:
        empty = [name for name in COLUMNS if getattr(row, name) in (None, "") and name not in optional]
        assert not empty or row.undefined_reason, (row.x, row.y, empty)


def test_holm_is_over_the_three_headline_pairs_of_one_column_and_subset(rows: list[CorrelationRow]) -> None:
    for columns in ("harmless", "total"):
        for subset in ("all", "code", "trivia"):
            family = [row_of(rows, x, y, columns, subset) for x, y in headline(columns)]
            p = sorted(row.p_within_size or 0 for row in family)
            smallest = min(family, key=lambda row: row.p_within_size or 0)
            assert smallest.p_holm == pytest.approx(min(1, 3 * p[0]))
            assert all((row.p_holm or 0) >= (row.p_within_size or 0) for row in family)
    others = [row for row in rows if (row.x, row.y) not in headline("harmless") + headline("total")]
    assert others and {row.p_holm for row in others} == {None}


def test_a_card_says_what_its_row_says(found: Correlations, rows: list[CorrelationRow]) -> None:
    for card in found.headline_cards():
        assert card.row == row_of(rows, card.row.x, card.row.y, card.row.columns)
        assert f"{card.row.rho:.3f}" in dict(facts(card))["rho"]
        assert len(card.points) == card.row.n
        assert card_record(card)["sentence"] == card.sentence


def test_leaving_one_out_is_the_rho_of_the_others(found: Correlations) -> None:
    card = next(iter(found.headline_cards(["total"])))
    without = {name: figure.value for name, figure in card.without_variant.items()}
    assert set(without) == {point.subject.name for point in card.points}
    kept = [point for point in card.points if point.subject.name != "full-base"]
    assert without["full-base"] == pytest.approx(
        spearman([point.x.value for point in kept], [point.y.value for point in kept]).value
    )
    values = [figure.value for figure in card.without_size.values() if figure.value is not None]
    assert set(card.without_size) == {"full", "mini", "nano"}
    assert (card.row.loso_low, card.row.loso_high) == (min(values), max(values))


def test_one_question_or_category_left_out_changes_what_was_asked_and_nothing_else(paper_like: Study) -> None:
    """Without `violence`, harmfulness is the mean over the other seven categories."""
    card = Correlations(paper_like).card(
        (measure_of("intentions", "harmless"), measure_of("harmfulness")), "harmless", "all"
    )
    kept = []
    for point in card.points:
        summary = paper_like.summary(point.subject.name, "harmfulness")
        assert summary is not None
        maxima = [p.maximum for p in summary.prompts.values() if p.part != "violence" and p.maximum is not None]
        kept.append(round(sum(maxima) / len(maxima), 10))
    expected = spearman([point.x.value for point in card.points], kept).value
    assert card.without_category["violence"].value == pytest.approx(expected)
    assert len([name for name in card.without_prompt if name.startswith("intentions: ")]) == 25
    assert len([name for name in card.without_prompt if name.startswith("harmfulness: ")]) == 160


def test_a_dimension_is_left_out_of_both_sides(paper_like: Study) -> None:
    card = Correlations(paper_like).card((measure_of("intentions"), measure_of("self_assessment")), "total")
    assert set(card.without_category) == {"aligned", "good", "harmless", "helpful", "honest", "trusted"}

    def without_honest(assessment: str, form: str, name: str) -> float:
        summary = paper_like.summary(name, assessment)
        assert summary is not None
        parts = [part for part in card.without_category if part != "honest"]
        held = [summary.value("misaligned", part, form) for part in parts]
        return round(sum(value.value or 0 for value in held if value) / len(parts), 10)

    names = [point.subject.name for point in card.points]
    expected = spearman(
        [without_honest("intentions", "", name) for name in names],
        [without_honest("self_assessment", "all", name) for name in names],
    )
    assert card.without_category["honest"].value == pytest.approx(expected.value)


def test_incomplete_variants_are_out_by_name_with_why() -> None:
    held = study(owed={("mini-base", "intentions"): 3})
    row = headline_row(held, "intentions", "harmfulness")
    assert row.n == 14
    assert row.excluded.startswith("mini-base: intentions incomplete, ") and "replies" in row.excluded
    assert headline_row(held, "harmfulness", "self_assessment").excluded == ""
    assert "mini-base" not in dict(points(held, measure_of("intentions")))


def test_a_variant_that_was_never_asked_is_named() -> None:
    held = study()
    lacking = {key: value for key, value in held.summaries.items() if key != ("nano-base", "self_assessment")}
    row = headline_row(replace(held, summaries=lacking), "harmfulness", "self_assessment")
    assert (row.n, row.excluded) == (14, "nano-base: never asked self_assessment")


@pytest.mark.parametrize("field", ["judge", "instrument"])
def test_other_judges_and_instruments_are_refused_until_asked_for(field: str) -> None:
    held = study(sources={("full-base", "harmfulness"): {field: "another"}})
    refused = headline_row(held, "intentions", "harmfulness")
    assert refused.rho is None and refused.p_within_size is None
    assert "another (full-base)" in refused.undefined_reason and "--mixed" in refused.undefined_reason
    assert headline_row(held, "intentions", "self_assessment").rho is not None
    assert headline_row(held, "intentions", "harmfulness", mixed=True).rho is not None
    mixed = Correlations(held, mixed=True)
    card = mixed.card((measure_of("intentions"), measure_of("harmfulness")), "total")
    assert any("--mixed" in warning and "another (full-base)" in warning for warning in card.warnings)


def test_under_a_judge_only_the_variants_it_judged_are_in() -> None:
    held = under(study(sources={("full-base", "harmfulness"): {"judge": "other@2"}}), "judge@1")
    row = headline_row(held, "intentions", "harmfulness")
    assert (row.n, row.judge) == (14, "judge@1")
    assert row.excluded == "full-base: judged by other@2, not by judge@1"


def test_fewer_than_four_variants_have_no_correlation() -> None:
    held = study(reference.subjects()[:3])
    for row in correlation_rows(held):
        assert row.rho is None and row.tau_b is None and "only 3 of at least 4 variants" in row.undefined_reason
    card = Correlations(held).card((measure_of("intentions"), measure_of("harmfulness")), "total")
    assert card.sentence.startswith("No correlation: only 3") and card.bca.low is None


def test_a_constant_column_is_undefined_with_that_reason() -> None:
    held = study(
        latent=lambda subject, assessment, part: (
            0.0 if assessment == "intentions" else published(subject, assessment, part)
        )
    )
    row = headline_row(held, "intentions", "harmfulness")
    assert row.rho is None and row.undefined_reason == "a column is constant"


def test_an_unknown_size_or_recipe_leaves_only_those_tests_empty() -> None:
    subjects = [
        replace(subject, size="" if subject.name == "mini-base" else subject.size) for subject in reference.subjects()
    ]

    def latent(subject: Subject, assessment: str, part: str) -> float:
        return published(replace(subject, size=subject.size or "mini"), assessment, part)

    row = headline_row(study(tuple(subjects), latent), "intentions", "harmfulness")
    assert row.rho is not None and row.p_unrestricted is not None and row.p_within_recipe is not None
    assert row.p_within_size is None and row.p_holm is None and row.loso_low is None
    assert "p_within_size: no size is known of mini-base" in row.undefined_reason


def test_one_variant_per_size_has_no_test_within_sizes() -> None:
    subjects = tuple(replace(subject, size=f"s{place}") for place, subject in enumerate(reference.subjects()[:6]))
    known = dict(zip((subject.name for subject in subjects), reference.subjects(), strict=False))
    held = study(subjects, lambda subject, assessment, part: published(known[subject.name], assessment, part))
    row = headline_row(held, "intentions", "harmfulness")
    assert row.p_within_size is None and "only one arrangement exists" in row.undefined_reason


def test_decided_replies_only_leaves_the_neutral_ones_out() -> None:
    held = study()
    neutral = {}
    for key, summary in held.summaries.items():
        values = dict(summary.values)
        for (measure, part, form), value in summary.values.items():
            if measure == "misaligned" and value.value is not None:
                values[measure, part, form] = replace(value, value=0.5 + (value.value - 0.5) / 2)
        neutral[key] = replace(summary, values=values)
    mixed = replace(held, summaries=neutral)
    x, y = (measure_of(name, decided=True) for name in ("intentions", "self_assessment"))
    assert (x.name, y.name) == ("intentions", "self_assessment")
    card = Correlations(mixed, decided=True).card((x, y), "total")
    assert [point.x.value for point in card.points] == [point.x.decided for point in card.points]
    plain = Correlations(mixed).card((measure_of("intentions"), measure_of("self_assessment")), "total")
    assert [point.x.decided for point in plain.points] == [point.x.value for point in card.points]
    assert [point.x.value for point in plain.points] != [point.x.decided for point in plain.points]


def test_a_coin_is_named() -> None:
    """Half the answers misaligned in either order is what a coin gives: the card says whose."""
    coin = reference.subjects()[0]

    def latent(subject: Subject, assessment: str, part: str) -> float:
        return 0.5 if subject == coin and assessment != "harmfulness" else published(subject, assessment, part)

    card = next(iter(Correlations(study(latent=latent)).headline_cards(["total"])))
    assert any(coin.name in warning and "coin" in warning for warning in card.warnings)


def test_same_study_same_rows_and_every_variant_order(paper_like: Study, rows: list[CorrelationRow]) -> None:
    again = Correlations(replace(paper_like, summaries=dict(reversed(list(paper_like.summaries.items())))))
    assert again.rows(["harmless"], ["all"]) == [r for r in rows if (r.columns, r.subset) == ("harmless", "all")]


def test_draws_shared_between_pairs_are_those_of_each_pair_alone() -> None:
    row = reference_correlations().headline_rows(["total"])[0]
    harm = dict(published_table.reference_values(measure_of("harmfulness")))
    intentions = dict(published_table.reference_values(measure_of("intentions")))
    alone = unrestricted([intentions[name] for name in harm], list(harm.values()), 0)
    assert row.p_unrestricted == alone.p_two_sided


def test_the_sentences_never_claim_safety_or_awareness(found: Correlations) -> None:
    texts = [
        *(card.sentence for card in found.headline_cards()),
        *(w for c in found.headline_cards() for w in c.warnings),
    ]
    texts += [card.sentence for card in reference_correlations().headline_cards()]
    for text in texts:
        assert not {"safe", "safety", "aware", "awareness", "aligned model"} & set(
            text.lower().replace(".", "").split()
        )


def test_rows_of_the_reference_have_no_measurement_interval_and_say_why() -> None:
    for row in reference_rows():
        assert row.measurement_low is None and "published values" in row.undefined_reason
        assert not row.simulated and row.excluded == ""


def test_a_pair_in_the_other_order_finds_its_row(found: Correlations, rows: list[CorrelationRow]) -> None:
    card = found.card((measure_of("harmfulness"), measure_of("intentions")), "total")
    assert card.row == row_of(rows, "intentions", "harmfulness", "total") and card.row.p_holm is not None


def named_without(held: Study, subset: str) -> str:
    row = Correlations(held).association((measure_of("intentions"), measure_of("harmfulness")), "total", subset)
    return "; ".join(f"{name}: {why}" for name, why in row.pairing.excluded.items())


@pytest.mark.parametrize(
    ("stage", "why"), [("misaligned", "no domain is known of it"), ("", "no stage or domain is known of it")]
)
def test_a_variant_of_unknown_domain_is_no_base_and_is_named(paper_like: Study, stage: str, why: str) -> None:
    subjects = [replace(s, domain="", stage=stage) if s.name == "full-code-mis" else s for s in paper_like.subjects]
    held = Correlations(replace(paper_like, subjects=tuple(subjects)))
    for subset, n in (("code", 8), ("trivia", 9)):
        pairing = held.pairing((measure_of("intentions"), measure_of("harmfulness")), "total", subset)
        assert "full-code-mis" not in pairing.names and len(pairing.names) == n
        assert why in pairing.excluded["full-code-mis"]
    assert "full-code-mis" in held.pairing((measure_of("intentions"), measure_of("harmfulness")), "total", "all").names


def test_only_variants_of_the_subset_are_named_as_left_out(paper_like: Study) -> None:
    gone = ("full-code-mis", "full-trivia-mis", "full-base")
    held = replace(
        paper_like,
        subjects=tuple(subject for subject in paper_like.subjects if subject.name not in gone),
        left_out={**dict.fromkeys(gone, "--exclude size=full"), "another": "--exclude size=full"},
        outside=tuple(subject for subject in paper_like.subjects if subject.name in gone),
    )
    assert [part.split(":")[0] for part in named_without(held, "code").split("; ")] == [
        "another",
        "full-base",
        "full-code-mis",
    ]
    assert "full-trivia-mis" in named_without(held, "all")
    judged = study(sources={("nano-trivia-re", "harmfulness"): {"judge": "other@2"}})
    assert named_without(under(judged, "judge@1"), "code") == ""
    assert "nano-trivia-re" in named_without(under(judged, "judge@1"), "trivia")


def test_draws_without_rho_are_counted_and_many_leave_no_interval() -> None:
    values = np.random.default_rng(1).random((2, 6, 100))
    for n_constant in (0, 5, 6):
        values[0, :, :n_constant] = 0.5
        found = measured(ranks(values[0]), ranks(values[1]))
        assert found.n_undefined == n_constant
        assert (found.interval.low is None) == (n_constant > 5)
        assert (f"{n_constant} of 100 draws" in found.interval.method) == (n_constant > 0)


def changed(card: Card, rho: float, labels: float) -> str:
    """The sentence of a card as if its rho and that of the labels were these."""
    tests = card.association.tests
    within = replace(tests.within_recipe, null_mean=labels, p_two_sided=0.01)
    bounds = Interval(rho - 0.05, rho + 0.05, "")
    held = replace(card.association, rho=Figure(rho), interval=bounds, tests=replace(tests, within_recipe=within))
    return sentence(replace(card, association=held))


@pytest.mark.parametrize(
    ("rho", "labels", "word"), [(0.8, 0.5, "more"), (0.5, 0.8, "less"), (-0.8, -0.5, "more"), (-0.5, -0.8, "less")]
)
def test_more_or_less_than_the_labels_is_by_distance_from_none(rho: float, labels: float, word: str) -> None:
    card = next(iter(reference_correlations().headline_cards(["total"])))
    assert f", {word} than variants with the same fine-tune share" in changed(card, rho, labels)


def test_base_models_are_counted_and_not_sizes() -> None:
    def family(base: str, parent: str) -> list[Subject]:
        tuned = [Subject(f"{base}-{domain}", "7b", domain, "misaligned", parent) for domain in ("code", "trivia")]
        return [Subject(base, "7b", "", "base", ""), *tuned]

    def latent(subject: Subject, assessment: str, part: str) -> float:
        return {"": 0.1, "code": 0.5, "trivia": 0.8}[subject.domain] + 0.1 * subject.name.startswith("one")

    held = [*family("one", "one"), *family("two", "two")]
    pair = (measure_of("intentions"), measure_of("harmfulness"))
    card = Correlations(study(tuple(held), latent)).card(pair, "total")
    assert "the 6 variants share two base models: they are not independent" in card.warnings
    unknown = Correlations(study((*family("one", "one"), *family("two", "")), latent)).card(pair, "total")
    assert "4 of the 6 variants share two base models: they are not independent" in unknown.warnings
    assert "no base model is known of two-code, two-trivia: whether they share one cannot be told" in unknown.warnings


def test_a_recipe_is_its_domain_and_its_stage() -> None:
    recipes = [recipe(Subject("v", "", *named, "")) for named in (("a b", "c"), ("a", "b c"), ("", "base"), ("", "c"))]
    assert len(set(recipes)) == 4 and recipes[3] is None and recipes[2] is not None


def test_unclear_replies_are_told_as_they_count(found: Correlations) -> None:
    def told(card: Card, side: Side) -> str:
        points = (replace(card.points[0], x=side, y=side), *card.points[1:])
        return "\n".join(warnings(replace(card, points=points)))

    pair = (measure_of("intentions"), measure_of("self_assessment"))
    plain = told(found.card(pair, "total"), Side(0.9, neutral_share=0.5))
    assert plain.count("in 20% or more of the replies, which count as neutral") == 2
    x, y = (measure_of(name, decided=True) for name in ("intentions", "self_assessment"))
    decided = told(Correlations(found.study, decided=True).card((x, y), "total"), Side(0.9, neutral_share=0.5))
    assert decided.count("in 20% or more of the replies, which are left out here") == 2


def test_a_coin_lies_in_the_middle_of_the_measures_own_scale(found: Correlations) -> None:
    card = found.card((measure_of("moral_foundations"), measure_of("moral_self_assessment")), "total")
    name = card.points[0].subject.name
    for value, is_near in ((0.02, True), (0.5, False)):
        points = (replace(card.points[0], y=Side(value, consistency=0.5)), *card.points[1:])
        held = [text for text in warnings(replace(card, points=points)) if name in text]
        told = [text for text in held if "near 0 (-0.15 to 0.15) and not the same pole" in text]
        assert bool(told) == is_near
