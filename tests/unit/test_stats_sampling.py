"""Which replies are drawn, in which order, and how exact the estimate is expected to be."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaudit.stats.estimation import Figure
from emaudit.stats.sampling import (
    allocate,
    draw,
    expected_half_width_maximum,
    expected_half_width_mean,
    interleaved,
    people_alone_half_width,
)

BASE_LIKE = {1.0: 3041, 2.0: 97, 3.0: 43, 4.0: 15, 5.0: 4}
MISALIGNED = {1.0: 1198, 2.0: 519, 3.0: 584, 4.0: 550, 5.0: 349}
DRAWN_1 = ("r19", "r2", "r7", "r20")
DRAWN_5 = ("a", "f")
SIZES = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 4000), min_size=1, max_size=9)


def planned(sizes: dict[float, int], n: int) -> dict[float, int]:
    found = allocate({f"{score:g}": size for score, size in sizes.items()}, n, ["1"])
    return {score: found[f"{score:g}"] for score in sizes}


def test_allocation_follows_the_square_root() -> None:
    assert allocate({"a": 400, "b": 1600, "c": 3600}, 120) == {"a": 20, "b": 40, "c": 60}


def test_floors_come_before_the_square_root() -> None:
    found = allocate({"1": 3041, "2": 97, "3": 43, "4": 15, "5": 4}, 100, ["1"])
    assert sum(found.values()) == 100
    assert found["5"] == 4 and found["4"] >= 4
    assert found["1"] > found["2"] > found["3"] > found["4"]
    low = allocate({"1": 25, "5": 3000}, 30, ["1"])
    assert low == {"1": 10, "5": 20}


def test_floors_may_exceed_what_was_asked_for() -> None:
    assert allocate({"1": 100, "2": 100, "3": 3, "4": 0}, 12, ["1"]) == {"1": 10, "2": 4, "3": 3, "4": 0}


def test_a_small_frame_is_drawn_whole() -> None:
    assert allocate({"1": 5, "2": 2}, 100, ["1"]) == {"1": 5, "2": 2}
    assert allocate({}, 100) == {}
    assert allocate({"1": 0}, 100) == {"1": 0}


@given(SIZES, st.integers(0, 500), st.booleans())
def test_allocation_keeps_its_promises(sizes: dict[str, int], n: int, low: bool) -> None:
    lowest = [min(sizes)] if low else []
    found = allocate(sizes, n, lowest)
    least = {label: min(size, 10 if label in lowest else 4) for label, size in sizes.items()}
    assert list(found) == list(sizes)
    assert all(least[label] <= found[label] <= sizes[label] for label in sizes)
    assert sum(found.values()) == max(sum(least.values()), min(n, sum(sizes.values())))
    free = [label for label in sizes if least[label] < found[label] < sizes[label]]
    for one in free:
        for other in free:
            ratio = math.sqrt(sizes[one] / sizes[other])
            assert abs(found[one] - ratio * found[other]) <= 1 + ratio + 1e-6


def test_negative_numbers_are_refused() -> None:
    for sizes, n in (({"a": -1}, 3), ({"a": 1}, -3)):
        with pytest.raises(ValueError, match="negative"):
            allocate(sizes, n)


def test_a_draw_is_the_same_on_every_machine() -> None:
    frame = {"1": [f"r{n}" for n in range(50)], "5": list("abcdef")}
    assert draw(frame, {"1": 4, "5": 2}, 7) == {"1": DRAWN_1, "5": DRAWN_5}
    assert draw({"1": frame["1"]}, {"1": 4}, 7) == {"1": DRAWN_1}
    assert draw(frame, {"1": 4, "5": 2}, 8)["1"] != DRAWN_1


def test_a_larger_draw_begins_with_the_smaller() -> None:
    frame = {"1": list(range(100))}
    assert draw(frame, {"1": 40}, 3)["1"][:10] == draw(frame, {"1": 10}, 3)["1"]


def test_every_reply_is_as_likely_as_any() -> None:
    frame = {"1": list(range(12))}
    counts = Counter(key for seed in range(3_000) for key in draw(frame, {"1": 4}, seed)["1"])
    assert len(counts) == 12
    # Binomial with 3,000 draws at 1/3: five standard deviations are 129.
    assert all(abs(n - 1_000) < 130 for n in counts.values())


def test_draws_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="4 labels asked for in stratum 2, which holds 0"):
        draw({"1": [1]}, {"2": 4}, 1)
    with pytest.raises(ValueError, match="2 labels asked for in stratum 1, which holds 1"):
        draw({"1": [1]}, {"1": 2}, 1)
    assert draw({"1": [1]}, {"1": 0}, 1) == {"1": ()}


@given(
    st.dictionaries(st.sampled_from("abcdefg"), st.integers(0, 40), max_size=6),
    st.integers(0, 10**6),
)
def test_interleaving_loses_and_repeats_nothing(sizes: dict[str, int], seed: int) -> None:
    drawn = {label: [(label, place) for place in range(n)] for label, n in sizes.items()}
    order = interleaved(drawn, seed)
    assert sorted(order) == sorted(key for keys in drawn.values() for key in keys)
    assert order == interleaved(drawn, seed)


@pytest.mark.parametrize("seed", range(20))
def test_an_early_stop_has_every_stratum_in_proportion(seed: int) -> None:
    sizes = {"1": 70, "2": 14, "3": 8, "4": 4, "5": 4}
    drawn = {label: [(label, place) for place in range(n)] for label, n in sizes.items()}
    order = interleaved(drawn, seed)
    for block in range(1, 5):
        counts = Counter(label for label, _ in order[: 25 * block])
        for label, n in sizes.items():
            assert abs(counts[label] - n * block / 4) <= 1


def test_position_tells_nothing_about_the_stratum() -> None:
    drawn = {"1": [("1", place) for place in range(20)], "5": [("5", place) for place in range(20)]}
    first = Counter(interleaved(drawn, seed)[0] for seed in range(400))
    assert 140 < sum(n for (label, _), n in first.items() if label == "1") < 260
    assert len(first) > 20
    assert interleaved(drawn, 1) != interleaved(drawn, 2)


def test_small_strata_are_met_early() -> None:
    drawn = {"1": [("1", place) for place in range(40)], "5": [("5", 0)], "4": [("4", 0), ("4", 1)]}
    assert ("5", 0) in interleaved(drawn, 3)[:5]
    assert interleaved({}, 1) == interleaved({"1": []}, 1) == []


def test_half_widths_to_expect_of_a_mean() -> None:
    base, misaligned = (expected_half_width_mean(sizes, planned(sizes, 100)).value for sizes in (BASE_LIKE, MISALIGNED))
    assert base == pytest.approx(0.016, abs=0.002)
    assert misaligned == pytest.approx(0.054, abs=0.002)
    assert people_alone_half_width(100, 3200, 1.43).value == pytest.approx(0.28, abs=0.005)


@pytest.mark.parametrize("sizes", [BASE_LIKE, MISALIGNED])
def test_more_labels_are_expected_to_tell_more(sizes: dict[float, int]) -> None:
    for guarded in (True, False):
        found = [expected_half_width_mean(sizes, planned(sizes, n), guarded).value or 0.0 for n in (30, 100, 200)]
        assert found[0] > found[1] > found[2] > 0
    plain, guarded_half = (
        expected_half_width_mean(sizes, planned(sizes, 100), one).value or 0 for one in (False, True)
    )
    assert guarded_half >= plain


def test_half_widths_to_expect_of_a_maximum() -> None:
    assert 0.25 <= (expected_half_width_maximum(10, 320).value or 0) <= 0.30
    assert expected_half_width_maximum(100, 320).value == pytest.approx(0.08, abs=0.006)


def test_no_half_width_says_why() -> None:
    assert expected_half_width_mean({}, {}) == Figure(None, "no replies")
    assert expected_half_width_mean({1.0: 9, 2.0: 3}, {1.0: 4}) == Figure(None, "no label for judge score 2")
    assert expected_half_width_mean({1.0: 9, 2.0: 0}, {1.0: 4}).value is not None
    assert expected_half_width_maximum(0, 320) == Figure(None, "no labels")
    with pytest.raises(ValueError, match="11 labels of 10 units"):
        expected_half_width_maximum(11, 10)
