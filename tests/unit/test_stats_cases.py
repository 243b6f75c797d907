"""Every family of the stored reference cases that no other test goes through, to 1e-9 (or its own tolerance)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from reference_cases import reference_cases

from emaudit.stats.association import bonett_wright, kendall_tau_b, leave_one_out, spearman
from emaudit.stats.consistency import cronbach_alpha
from emaudit.stats.estimation import exact_mean, jeffreys, position_bias
from emaudit.stats.multiplicity import benjamini_hochberg, holm
from emaudit.stats.permutation import Permuted, restricted, unrestricted
from emaudit.stats.profile import profile_distance
from emaudit.stats.trajectory import INVERTED_V, shape

ELSEWHERE = {
    "wilcoxon",
    "agreement_two_raters",
    "krippendorff_multi",
    "stratified_spotcheck",
    "ppi_mean",
    "rogan_gladen",
    "judge_noise_inflation",
    "expected_max_of_k",
}
HERE = {
    "wilcoxon": "test_stats_signedrank",
    "agreement_two_raters": "test_stats_agreement",
    "krippendorff_multi": "test_stats_agreement",
    "stratified_spotcheck": "test_stats_correction",
    "ppi_mean": "test_stats_correction",
    "rogan_gladen": "test_stats_correction",
    "judge_noise_inflation": "test_stats_correction",
    "expected_max_of_k": "test_estimation",
}
HERE = {
    "variant_table_15",
    "spearman",
    "block_permutation",
    "multiplicity",
    "position_bias",
    "wilson",
    "cronbach",
    "profile",
}
NOT_PRINTED = {"p_two_sided_abs_about_null_mean", "naive_t_p", "unrestricted_permutation_tolerance_relative"}
"""Values the tool does not give: another two-sided convention, and the t approximation."""


near = partial(pytest.approx, rel=1e-9, abs=1e-9)


def test_every_family_is_read_by_a_test() -> None:
    assert set(reference_cases()) == HERE | ELSEWHERE | {"meta"}
    here = Path(__file__)
    others = [path.read_text(encoding="utf-8") for path in here.parent.glob("test_*.py") if path != here]
    assert {family for family in ELSEWHERE if not any(f'"{family}"' in text for text in others)} == set()


def permuted_values(found: Permuted) -> dict[str, Any]:
    """A permutation test by the names of the reference."""
    assert found.p_greater is not None and found.p_less is not None
    assert found.is_exact and found.seed is None
    return {
        "n_perm": found.n_arrangements,
        "p_greater": found.p_greater,
        "p_less": found.p_less,
        "p_two_sided_double": min(1.0, 2 * min(found.p_greater, found.p_less)),
        "null_mean_rho": found.null_mean,
    }


def free_values(x: Sequence[float], y: Sequence[float]) -> dict[str, Any]:
    found = unrestricted(x, y)
    assert found.p_two_sided is not None
    count = found.p_two_sided * found.n_arrangements
    return permuted_values(found) | {"p_two_sided_abs": found.p_two_sided, "count_abs": count}


def block_values(x: Sequence[float], y: Sequence[float], blocks: Sequence[str]) -> dict[str, Any]:
    found = restricted(x, y, blocks)
    values = permuted_values(found)
    assert found.p_two_sided == values["p_two_sided_double"]
    return values


def compare(found: Mapping[str, Any], expected: Mapping[str, Any], where: str) -> None:
    """All that is expected is found; a name that nobody computes fails."""
    for name, value in expected.items():
        if name not in NOT_PRINTED:
            assert found[name] == near(value), f"{where}: {name}"


def test_spearman() -> None:
    for case in reference_cases()["spearman"]:
        x, y, expected = case["x"], case["y"], case["expected"]
        rho = spearman(x, y)
        if expected["rho"] is None:
            assert rho.value is kendall_tau_b(x, y).value is unrestricted(x, y).p_two_sided is None
            assert rho.reason and unrestricted(x, y).reason and kendall_tau_b(x, y).reason
            continue
        interval = bonett_wright(rho.value, len(x))
        found = {
            "rho": rho.value,
            "kendall_tau_b": kendall_tau_b(x, y).value,
            "bonett_wright_95": [interval.low, interval.high],
        }
        if "n_perm" in expected:
            found |= free_values(x, y)
        compare(found, expected, case["id"])


def test_block_permutation() -> None:
    for case in reference_cases()["block_permutation"]:
        x, y, expected = case["x"], case["y"], case["expected"]
        assert spearman(x, y).value == near(expected["rho"])
        compare(free_values(x, y), expected["naive_exact"], case["id"])
        compare(block_values(x, y, case["block"]), expected["within_block"], case["id"])


def pairs_of(table: Mapping[str, Any]) -> Iterator[tuple[str, list[Any], list[Any], Mapping[str, Any]]]:
    rows, expected = table["rows"], table["expected"]
    for pair in (name for name in expected if "~" in name):
        left, right = pair.split("~")
        yield pair, [row[left] for row in rows], [row[right] for row in rows], expected[pair]


def test_variant_table() -> None:
    table = reference_cases()["variant_table_15"]
    sizes, conditions, domains = ([row[name] for row in table["rows"]] for name in ("size", "condition", "domain"))
    pairs = list(pairs_of(table))
    assert len(pairs) == 3
    for pair, x, y, expected in pairs:
        rho = spearman(x, y).value
        interval = bonett_wright(rho, len(x))
        assert rho == near(expected["rho"]), pair
        assert kendall_tau_b(x, y).value == near(expected["kendall_tau_b"]), pair
        assert [interval.low, interval.high] == near(expected["bonett_wright_95"]), pair
        compare(block_values(x, y, sizes), expected["within_size_exact"], pair)
        compare(block_values(x, y, conditions), expected["within_condition_exact"], pair)
        left_out = {size: figure.value for size, figure in leave_one_out(x, y, sizes).items()}
        assert left_out == near(expected["leave_one_size_out_rho"]), pair
        for size, within in expected["within_size_rho"].items():
            kept = [place for place, name in enumerate(sizes) if name == size]
            assert spearman([x[i] for i in kept], [y[i] for i in kept]).value == near(within), pair
        for domain in ("trivia", "code"):
            kept = [place for place, name in enumerate(domains) if name in (domain, "none")]
            subset = spearman([x[i] for i in kept], [y[i] for i in kept]).value
            assert subset == near(expected[f"{domain}_plus_base_rho_n9"]), pair
        drawn, tolerance = unrestricted(x, y, seed=20), expected["unrestricted_permutation_tolerance_relative"]
        assert not drawn.is_exact and drawn.seed == 20
        # Of 99,999 draws about one or two reach these, so the reference's tolerance is met in units of a draw.
        unit = 1 / (drawn.n_arrangements + 1)
        published = expected["unrestricted_permutation_p_mc_2e6"]
        assert drawn.p_two_sided == pytest.approx(published, rel=tolerance, abs=4 * unit), pair


def test_condition_means() -> None:
    table = reference_cases()["variant_table_15"]
    for measure, means in table["expected"]["condition_means"].items():
        for condition, mean in means.items():
            values = [row[measure] for row in table["rows"] if row["condition"] == condition]
            assert exact_mean(values).value == near(mean)


def test_inverted_v() -> None:
    table = reference_cases()["variant_table_15"]
    harm = {(row["size"], row["domain"], row["stage"]): row["harmfulness"] for row in table["rows"]}
    for lineage, expected in table["expected"]["inverted_v"].items():
        size, domain = lineage.split("/")
        base, worse, better = (
            harm[size, "none", "base"],
            harm[size, domain, "misaligned"],
            harm[size, domain, "realigned"],
        )
        assert [worse - base, worse - better] == near([expected["rise"], expected["fall"]]), lineage
        assert (shape(base, worse, better) == INVERTED_V) == expected["holds"], lineage


def test_multiplicity() -> None:
    for case in reference_cases()["multiplicity"]:
        assert holm(case["p"]) == near(case["expected"]["holm"]), case["id"]
        assert benjamini_hochberg(case["p"]) == near(case["expected"]["bh"]), case["id"]


def test_position_bias() -> None:
    for case in reference_cases()["position_bias"]:
        orders = (case["misaligned_first"], case["misaligned_second"])
        first, second = ((order["x"], order["n"]) for order in orders)
        found = position_bias(first, second)
        figures = (
            "balanced_rate",
            "naive_pooled_rate",
            "order_effect",
            "first_option_preference",
            "balanced_rate_se",
        )
        values = {name: getattr(found, name).value for name in figures}
        interval = found.order_effect_interval
        values["order_effect_newcombe_95"] = [interval.low, interval.high]
        compare(values, case["expected"], case["id"])


def test_jeffreys() -> None:
    for case in reference_cases()["wilson"]:
        found = jeffreys(case["x"], case["n"])
        assert [found.low, found.high] == near(case["expected"]["jeffreys_95"])


def test_cronbach() -> None:
    for case in reference_cases()["cronbach"]:
        found, alpha = cronbach_alpha(case["rows"]), case["expected"]["alpha"]
        assert found.value == (alpha if alpha is None else near(alpha)), case["id"]
        assert bool(found.reason) == (alpha is None)


def test_profile() -> None:
    for case in reference_cases()["profile"]:
        found = profile_distance(case["a"], case["b"], tuple(case["scale"]))
        values = {
            "euclidean": found.euclidean.value,
            "mean_abs": found.mean_abs.value,
            "pearson_profile": found.pearson.value,
            "midpoint_centred_cosine": found.cosine.value,
            "elevation_diff": found.elevation.value,
        }
        compare(values, case["expected"], case["id"])
