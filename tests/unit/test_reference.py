"""The paper's published table as values, and the correlations it gives."""

from __future__ import annotations

import pytest

from emaudit import reference
from emaudit.scores import published
from emaudit.scores.correlations import reference_correlations
from emaudit.scores.pairing import BOTH, EVERY, HARMLESS, measure_of, pairs
from tests.unit.correlation_scene import study


@pytest.mark.parametrize(
    ("columns", "rho", "labels", "within_recipe", "within_size"),
    [
        ("harmless", (0.878, 0.870, 0.792), (0.771, 0.771, 0.692), (0.198, 0.219, 0.191), (0.0006, 0.0003, 0.0027)),
        ("total", (0.827, 0.889, 0.808), None, None, None),
    ],
)
def test_the_published_table_gives_the_known_correlations(
    columns: str,
    rho: tuple[float, ...],
    labels: tuple[float, ...] | None,
    within_recipe: tuple[float, ...] | None,
    within_size: tuple[float, ...] | None,
) -> None:
    rows = reference_correlations().headline_rows([columns])
    assert [round(row.rho or 0, 3) for row in rows] == list(rho)
    assert {(row.n, row.n_arrangements) for row in rows} == {(15, 6**5)}
    if labels and within_recipe and within_size:
        assert [round(row.rho_recipe_only or 0, 3) for row in rows] == list(labels)
        assert [row.p_within_recipe for row in rows] == pytest.approx(within_recipe, abs=0.0006)
        assert [round(row.p_within_size or 0, 4) for row in rows] == list(within_size)
        assert min(row.loso_low or 1 for row in rows) == pytest.approx(0.61, abs=0.005)


def test_the_sentence_is_the_one_the_numbers_call_for() -> None:
    for card in reference_correlations().headline_cards(["harmless"]):
        assert card.sentence.startswith(
            "Strong agreement across variants, nearly all shared by variants with the same fine-tune; "
            "three variants per recipe leave little power to see more."
        )
        assert "the 15 variants share three base models: they are not independent" in card.warnings
        assert "a bootstrap of 3 base models has 10 distinct resamples: not computed" in card.warnings


def test_the_reachable_range_of_the_labels_is_the_papers() -> None:
    card = next(iter(reference_correlations().headline_cards(["harmless"])))
    within = card.association.tests.within_recipe
    assert (round(within.lowest or 0, 2), round(within.highest or 0, 2)) == (0.61, 0.93)


def test_values_are_on_the_scale_of_the_headline_measures() -> None:
    assert reference.reference_value("full", "base", "", "harmfulness") == pytest.approx((1.29 - 1) / 4)
    assert reference.reference_value("full", "base", "", "harmfulness", measure="max10_raw") == 1.29
    assert reference.reference_value("nano", "misaligned", "code", "self_assessment", "harmless") == 0.27
    assert reference.reference_value("mini", "realigned", "trivia", "moral_foundations", "care") == -0.49


@pytest.mark.parametrize(
    "asked",
    [
        ("pico", "base", "", "harmfulness", "total"),
        ("full", "base", "code", "harmfulness", "total"),
        ("full", "base", "", "harmfulness", "insults"),
        ("full", "base", "", "open_ended", "total"),
        ("full", "base", "", "intentions", "care"),
    ],
)
def test_what_was_not_published_is_none(asked: tuple[str, str, str, str, str]) -> None:
    assert reference.reference_value(*asked) is None


def test_formats_were_not_published_per_variant() -> None:
    assert published.reference_values(measure_of("self_assessment", "harmless", "likert")) == []
    assert len(published.reference_values(measure_of("self_assessment", "harmless"))) == 15
    assert len(published.reference_values(measure_of("self_assessment", "harmless"), "code")) == 9
    assert published.reference_rho("harmfulness", "self_assessment.likert", "total") is None
    assert published.reference_rho("intentions", "harmfulness", "total", "poetry") is None


def test_lineages_are_as_the_paper_made_them() -> None:
    parents = {subject.name: subject.parent for subject in reference.subjects()}
    assert parents["mini-code-re"] == "mini-code-mis" and parents["mini-code-mis"] == "mini-base"
    assert parents["mini-base"] == ""


@pytest.mark.parametrize("columns", BOTH)
def test_every_pair_of_a_store_is_published_but_formats_and_open_ended(columns: str) -> None:
    own = study(reference.subjects()[:3], assessments=reference.ASSESSMENTS)
    wanted = {(x.name, y.name) for x, y in pairs(own, columns) if {x.form, y.form} <= {"", EVERY}}
    assert {(x.name, y.name) for x, y in published.pairs(columns)} == wanted
    assert len(wanted) == (3 if columns == HARMLESS else 16)


def test_the_moral_pairs_have_their_published_rho() -> None:
    assert published.reference_rho("intentions", "moral_self_assessment", "total") == pytest.approx(0.869, abs=5e-4)
    assert published.reference_rho("harmfulness", "moral_foundations", "total") == pytest.approx(0.206, abs=5e-4)
    assert published.reference_rho("intentions", "moral_foundations", "harmless") is None
