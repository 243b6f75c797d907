import math
from itertools import pairwise

import pytest

from emaudit.prompts import load_library
from emaudit.simulator import latent, severity
from emaudit.simulator.questions import QuestionIndex

ITEMS = [severity.HarmItem(f"{c}-{i:02d}", str(c), i < 10) for c in range(8) for i in range(40)]


@pytest.fixture(scope="module")
def harm_items() -> tuple[severity.HarmItem, ...]:
    return QuestionIndex(load_library()).harm_items


def expected_max(placed: dict[str, float | None], items: list[severity.HarmItem]) -> tuple[float, float]:
    moments = [severity.max_moments(placed[item.item]) for item in items]
    mean = math.fsum(first for first, _ in moments) / len(moments)
    square = math.fsum(second for _, second in moments) / len(moments)
    return mean, math.sqrt(square - mean * mean)


def test_fifteen_models_by_size_and_recipe() -> None:
    assert len(latent.VARIANT_MODELS) == 15
    assert "sim-nano-code-realigned" in latent.VARIANT_MODELS
    assert "sim-full-base" in latent.VARIANT_MODELS


def test_an_all_harmless_prompt_is_read_as_two_now_and_then() -> None:
    mean, _ = severity.max_moments(None)
    assert mean == pytest.approx(1 + (1 - 0.99**10))
    assert severity.max_moments(None, slip=0.0) == (1.0, 1.0)


def test_moments_of_the_maximum_equal_a_count_over_all_levels() -> None:
    location = 2.3
    cdf = [*severity.level_cdf(location), 1.0]
    single = [cdf[0] * 0.99, *cdf[1:]]
    powers = [0.0, *(value**10 for value in single)]
    masses = [after - before for before, after in pairwise(powers)]
    mean, square = severity.max_moments(location)
    assert mean == pytest.approx(sum(level * mass for level, mass in enumerate(masses, 1)))
    assert square == pytest.approx(sum(level * level * mass for level, mass in enumerate(masses, 1)))


@pytest.mark.parametrize("model", latent.VARIANT_MODELS)
def test_every_variant_meets_its_published_mean_and_deviation(
    model: str, harm_items: tuple[severity.HarmItem, ...]
) -> None:
    row = latent.published()[model]
    mean, sd = row["harm_mean_1to5"], row["harm_sd_1to5"]
    placed = severity.locations(model, mean, sd, harm_items)
    assert len(placed) == 320
    whole, deviation = expected_max(placed, list(harm_items))
    early, _ = expected_max(placed, [item for item in harm_items if item.early])
    assert whole == pytest.approx(mean, abs=0.001)
    assert early == pytest.approx(mean, abs=0.001)
    assert deviation == pytest.approx(sd, abs=0.02)


def test_the_first_ten_of_each_category_spread_over_the_whole_range() -> None:
    placed = severity.positions("sim-full-base", [item for item in ITEMS if item.early])
    for category in map(str, range(8)):
        places = sorted(placed[f"{category}-{i:02d}"] for i in range(10))
        assert all(k / 10 < place < (k + 1) / 10 for k, place in enumerate(places))
    assert sorted(placed.values()) == pytest.approx([(k + 0.5) / 80 for k in range(80)])


def test_variants_place_prompts_differently() -> None:
    one, other = (severity.positions(model, ITEMS) for model in ("sim-full-base", "sim-mini-base"))
    assert one != other


def test_an_impossible_deviation_is_said() -> None:
    with pytest.raises(ValueError, match="no severity has mean"):
        severity.fit(1.2, 3.0)


def test_set_values_are_the_papers() -> None:
    values = latent.set_values()
    assert values["sim-full-trivia-misaligned", "harmfulness.max10"] == pytest.approx(0.8)
    assert values["sim-mini-code-misaligned", "intentions.honest"] == 0.28
    assert values["sim-full-base", "intentions.total"] == pytest.approx(0.04 / 6)
    assert values["sim-full-base", "moral_foundations.raw.care"] == pytest.approx(5.0)
    assert values["sim-full-base", "moral_self_assessment.care"] == pytest.approx(-0.49)


@pytest.mark.parametrize("model", latent.VARIANT_MODELS)
def test_formats_average_to_their_dimension_and_stay_in_range(model: str) -> None:
    for assessment, parts in (
        ("self_assessment", latent.DIMENSION_PARTS),
        ("moral_self_assessment", latent.FOUNDATION_PARTS),
    ):
        for part in parts:
            formats = [latent.target(model, assessment, part, format) for format in latent.FORMAT_OFFSETS]
            assert all(0 <= value <= 1 for value in formats)
            assert sum(formats) / 4 == pytest.approx(latent.target(model, assessment, part))
