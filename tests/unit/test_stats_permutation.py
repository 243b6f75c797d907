"""Permutation tests against full enumeration, other programs' values, and the published table."""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaudit.stats import convolution
from emaudit.stats.association import leave_one_out
from emaudit.stats.permutation import DRAWS, Permuted, restricted, unrestricted
from emaudit.stats.ranks import RankPair

X = (1, 3, 3, 2, 5, 6, 6, 9)
Y = (2, 2, 1, 4, 3, 3, 8, 5)
BLOCKS = ("a", "a", "a", "b", "b", "b", "b", "c")
"""Ties in both columns, blocks of three, four and one."""


@st.composite
def blocked(draw: st.DrawFn) -> tuple[list[int], list[int], list[str]]:
    """Four to six variants with many ties in one to three blocks, in any order."""
    rows = st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from("aabc"))
    drawn = draw(st.lists(rows, min_size=4, max_size=6))
    return [x for x, _, _ in drawn], [y for _, y, _ in drawn], [block for _, _, block in drawn]


def enumerated(x: Sequence[float], y: Sequence[float], blocks: Sequence[str]) -> list[int]:
    """The sum of products under every arrangement, one after the other."""
    pair = RankPair.of(x, y)
    groups = [[place for place, name in enumerate(blocks) if name == block] for block in dict.fromkeys(blocks)]
    sums = [
        [
            sum(pair.a[i] * pair.b[j] for i, j in zip(group, order, strict=True))
            for order in itertools.permutations(group)
        ]
        for group in groups
    ]
    return [sum(parts) for parts in itertools.product(*sums)]


def check_against_enumeration(found: Permuted, x: Sequence[float], y: Sequence[float], blocks: Sequence[str]) -> None:
    if found.rho is None:
        assert found.reason and found.p_two_sided is None
        return
    pair, totals = RankPair.of(x, y), enumerated(x, y, blocks)
    if min(totals) == max(totals):
        assert found.p_two_sided is found.p_greater is found.null_mean is found.lowest is None
        assert found.reason
        return
    assert found.lowest == pair.rho(min(totals))
    assert found.highest == pair.rho(max(totals))
    mean = float(Fraction(sum(totals), len(totals)) - pair.centre) / math.sqrt(pair.squares)
    assert found.null_mean == pytest.approx(mean, abs=1e-12)
    assert found.p_greater == sum(total >= pair.total for total in totals) / len(totals)
    assert found.p_less == sum(total <= pair.total for total in totals) / len(totals)
    assert found.n_arrangements == len(totals)


@given(blocked())
def test_within_blocks_is_every_arrangement(drawn: tuple[list[int], list[int], list[str]]) -> None:
    check_against_enumeration(restricted(*drawn), *drawn)


@given(blocked())
def test_free_is_every_arrangement(drawn: tuple[list[int], list[int], list[str]]) -> None:
    x, y, _ = drawn
    found = unrestricted(x, y)
    check_against_enumeration(found, x, y, ["all"] * len(x))
    if found.rho is not None:
        pair = RankPair.of(x, y)
        distance = abs(pair.total - pair.centre)
        far = [abs(total - pair.centre) >= distance for total in enumerated(x, y, ["all"] * len(x))]
        assert found.p_two_sided == sum(far) / len(far)


@given(blocked())
def test_the_transform_gives_what_adding_gives(drawn: tuple[list[int], list[int], list[str]]) -> None:
    added = restricted(*drawn)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convolution, "MOST_ADDITIONS", -1)
        transformed = restricted(*drawn)
    if added.p_greater is None:
        assert transformed == added
    else:
        assert transformed.p_greater == pytest.approx(added.p_greater, rel=1e-10)
        assert transformed.p_less == pytest.approx(added.p_less, rel=1e-10)


def test_unequal_blocks_with_ties_by_hand() -> None:
    """Counted with fractions by another program: 144 arrangements, 96 at least and 64 at most as large."""
    found = restricted(X, Y, BLOCKS)
    assert found.n_arrangements == 144
    assert found.p_greater == 96 / 144
    assert found.p_less == 64 / 144
    assert found.p_two_sided == 2 * 64 / 144
    assert found.rho == pytest.approx(0.5975609756097561, abs=1e-12)
    assert found.null_mean == pytest.approx(0.6097560975609756, abs=1e-12)
    assert (found.lowest, found.highest) == pytest.approx((0.3231707317073171, 0.8536585365853658), abs=1e-12)
    assert found.method == "exact within block, 144 arrangements, two-sided: twice the smaller tail"


def test_free_is_scipys() -> None:
    """Against `scipy.stats.permutation_test` of pairings, all of them."""
    x = (0, 0, 0, 0.1, 0.4, 0.4, 0.9, 0.7)
    y = (0.05, 0.05, 0.02, 0.3, 0.2, 0.5, 0.8, 0.2)
    found = unrestricted(x, y)
    assert found.p_greater == pytest.approx(0.009226190476190476, abs=1e-12)
    assert found.p_less == pytest.approx(0.9913690476190476, abs=1e-12)
    assert (found.n_arrangements, found.is_exact, found.seed) == (40_320, True, None)
    opposed = unrestricted(x, [-value for value in y])
    assert (opposed.p_less, opposed.p_greater) == (found.p_greater, found.p_less)
    assert opposed.p_two_sided == found.p_two_sided


def test_two_sided_conventions_differ_where_ties_make_the_null_lopsided() -> None:
    x, y = (0, 0, 0, 1, 2), (0, 0, 1, 0, 5)
    found = unrestricted(x, y)
    assert found.p_greater is not None and found.p_less is not None
    assert found.p_two_sided != min(1.0, 2 * min(found.p_greater, found.p_less))
    assert found.method.endswith("two-sided: |R| >= |rho|")


def test_huge_ties_leave_few_values() -> None:
    x, y = [0] * 7 + [1], [0] * 7 + [1]
    found = unrestricted(x, y)
    assert found.rho == 1
    assert (found.p_greater, found.p_two_sided, found.p_less) == (1 / 8, 1 / 8, 1)


def test_last_digits_do_not_hide_an_equal_arrangement() -> None:
    """Ranks decide, not products of values: tenths that add up to noise change nothing."""
    x = [0.1 * place for place in range(8)]
    y = [0.1, 0.2, 0.1 + 0.2, 0.4, 0.8, 0.5, 0.7, 0.6]
    whole = [1, 2, 3, 4, 8, 5, 7, 6]
    assert restricted(x, y, list("aaaabbbb")) == restricted(range(8), whole, list("aaaabbbb"))


def test_blocks_tied_within_count_but_do_not_move() -> None:
    x, y, blocks = [1, 2, 3, 4, 5, 6], [7, 7, 7, 1, 3, 2], list("aaabbb")
    found = restricted(x, y, blocks)
    assert found.n_arrangements == 36
    assert (found.p_greater, found.p_less) == (0.5, 5 / 6)


@pytest.mark.parametrize(
    ("x", "y", "blocks", "why"),
    [
        ([1, 2, 3, 4], [1, 3, 2, 4], "abcd", "only one arrangement exists: every size holds one variant"),
        ([1, 2, 3, 4], [5, 5, 6, 6], "aabb", "no arrangement changes rho: ties within every size"),
        ([1, 1, 3, 4], [5, 6, 7, 7], "aabb", "no arrangement changes rho: ties within every size"),
    ],
)
def test_nothing_to_permute(x: list[float], y: list[float], blocks: str, why: str) -> None:
    found = restricted(x, y, list(blocks), within="size")
    assert found.reason == why
    assert found.p_two_sided is found.p_greater is found.p_less is None
    assert found.n_arrangements == 0 and not found.is_exact and found.method == ""
    assert found.rho is not None
    assert found.null_mean is found.lowest is found.highest is None


@pytest.mark.parametrize(
    ("x", "y", "why"),
    [
        ([1, 2, 3], [1, 2, 3], "only 3 of at least 4 variants"),
        ([1, 1, 1, 1], [1, 2, 3, 4], "a column is constant"),
        ([1, 2, 3, math.nan], [1, 2, 3, 4], "a value is not a number"),
    ],
)
def test_no_rho_no_test(x: list[float], y: list[float], why: str) -> None:
    for found in (unrestricted(x, y), restricted(x, y, ["a"] * len(x))):
        assert found.reason == why
        assert found.rho is found.null_mean is found.p_two_sided is found.lowest is found.highest is None
        assert found.n_arrangements == 0


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="blocks"):
        restricted([1, 2, 3, 4], [1, 2, 3, 4], ["a", "b"])
    with pytest.raises(ValueError, match="beside"):
        unrestricted([1, 2, 3, 4], [1, 2, 3])


def test_blocks_of_eight_are_exact_however_many() -> None:
    """Perfect agreement within five blocks of eight: one arrangement of 40,320 to the fifth."""
    values = list(range(40))
    blocks = [str(value // 8) for value in values]
    found = restricted(values, values, blocks)
    assert found.is_exact and found.n_arrangements == 40_320**5
    assert found.p_greater == pytest.approx(40_320.0**-5, rel=1e-12)
    assert found.p_less == pytest.approx(1, abs=1e-12)
    opposed = restricted(values, values[::-1], blocks)
    assert opposed.p_less == pytest.approx(40_320.0**-5, rel=1e-12)


def test_many_blocks_beyond_counting() -> None:
    """A hundred blocks of two, forty in order: binomial tails, by adding and by the transform."""
    x = list(range(200))
    y = [place + (1 if place % 2 == 0 else -1) if place < 120 else place for place in x]
    blocks = [str(place // 2) for place in x]
    tail = sum(math.comb(100, k) for k in range(40, 101)) / 2**100
    rest = sum(math.comb(100, k) for k in range(41)) / 2**100
    for additions in (convolution.MOST_ADDITIONS, -1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(convolution, "MOST_ADDITIONS", additions)
            found = restricted(x, y, blocks)
        assert found.p_greater == pytest.approx(tail, rel=1e-10)
        assert found.p_less == pytest.approx(rest, rel=1e-10)


def test_nine_in_a_block_are_drawn() -> None:
    x, y = list(range(9)), [1, 0, 2, 3, 4, 5, 6, 8, 7]
    drawn = restricted(x, y, ["a"] * 9, seed=5)
    assert not drawn.is_exact
    assert (drawn.n_arrangements, drawn.seed) == (DRAWS, 5)
    assert "Monte Carlo" in drawn.method and "99,999" in drawn.method and "seed 5" in drawn.method
    assert drawn == restricted(x, y, ["a"] * 9, seed=5)
    assert drawn.p_two_sided is not None and drawn.p_two_sided >= 2 / (DRAWS + 1)


def test_draws_come_near_the_exact_values() -> None:
    """All 362,880 arrangements were counted once: 98,736 at least, 265,536 at most and 197,952 as far as observed."""
    x = [3, 1, 4, 1, 5, 9, 2, 6, 5]
    y = [2, 7, 1, 8, 2, 8, 1, 8, 3]
    drawn = unrestricted(x, y, seed=1)
    assert drawn.p_greater == pytest.approx(98_736 / 362_880, abs=0.006)
    assert drawn.p_less == pytest.approx(265_536 / 362_880, abs=0.006)
    assert drawn.p_two_sided == pytest.approx(197_952 / 362_880, abs=0.006)
    within = restricted(x, y, ["a"] * 9, seed=2)
    assert within.p_greater == pytest.approx(98_736 / 362_880, abs=0.006)
    assert drawn.null_mean == pytest.approx(0, abs=1e-15)
    least = 1 / (DRAWS + 1)
    assert unrestricted(range(15), range(15)).p_two_sided == least


def published() -> list[dict[str, str]]:
    source = resources.files("emaudit").joinpath("reference/paper_variants.csv")
    return list(csv.DictReader(source.read_text(encoding="utf-8").splitlines()))


@pytest.mark.parametrize(
    ("left", "right", "rho", "labels", "p_recipe", "p_size"),
    [
        ("int_harmless", "harm_mean_1to5", 0.878, 0.771, 0.198, 0.0006),
        ("int_harmless", "sa_harmless", 0.870, 0.771, 0.219, 0.0003),
        ("harm_mean_1to5", "sa_harmless", 0.792, 0.692, 0.191, 0.0027),
    ],
)
def test_the_published_table(left: str, right: str, rho: float, labels: float, p_recipe: float, p_size: float) -> None:
    rows = published()
    x, y = ([float(row[name]) for row in rows] for name in (left, right))
    within_size = restricted(x, y, [row["size"] for row in rows], within="size")
    within_recipe = restricted(x, y, [row["stage_domain"] for row in rows], within="recipe")
    assert within_size.rho == within_recipe.rho == pytest.approx(rho, abs=5e-4)
    assert within_recipe.null_mean == pytest.approx(labels, abs=5e-4)
    assert within_recipe.p_two_sided == pytest.approx(p_recipe, abs=5e-4)
    assert within_size.p_two_sided == pytest.approx(p_size, abs=5e-5)
    assert (within_size.n_arrangements, within_recipe.n_arrangements) == (1_728_000, 7_776)


def test_what_the_published_labels_leave_open() -> None:
    rows = published()
    harm, intentions, said = (
        [float(row[name]) for row in rows] for name in ("harm_mean_1to5", "int_harmless", "sa_harmless")
    )
    found = restricted(intentions, harm, [row["stage_domain"] for row in rows])
    assert (found.lowest, found.highest) == pytest.approx((0.61, 0.93), abs=5e-3)
    without = leave_one_out(harm, said, [row["size"] for row in rows])
    assert min(figure.value or 0 for figure in without.values()) == pytest.approx(0.61, abs=5e-3)


@pytest.mark.parametrize(
    ("left", "right", "rho"),
    [
        ("int_total", "harm_mean_1to5", 0.827),
        ("int_total", "sa_total", 0.889),
        ("harm_mean_1to5", "sa_total", 0.808),
        ("int_harmless", "harm_norm", 0.865),
        ("harm_norm", "sa_harmless", 0.785),
    ],
)
def test_published_totals_and_the_rounded_column(left: str, right: str, rho: float) -> None:
    rows = published()
    found = unrestricted(*([float(row[name]) for row in rows] for name in (left, right)))
    assert found.rho == pytest.approx(rho, abs=5e-4)
