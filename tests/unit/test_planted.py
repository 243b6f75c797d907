"""Planted pairs: the sentences, and the shift they are said to cause."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaudit.errors import BadInput
from emaudit.planted import Triple, detail_of, read_sentences, shift, triples_of


def triples(*scores: tuple[int | None, int | None, int | None]) -> list[Triple]:
    return [Triple(number, 0, *held) for number, held in enumerate(scores)]


def test_both_directions_have_the_same_wordings_but_for_the_number() -> None:
    held = read_sentences()
    assert len(held.low) == len(held.high) >= 5
    for low, high in zip(held.low, held.high, strict=True):
        assert "1" in low and "5" in high and low != high
    assert held.of("low", 0) == held.of("low", len(held.low))


def test_a_folder_without_the_file_takes_the_shipped_one(tmp_path: Path) -> None:
    assert read_sentences(tmp_path).hash == read_sentences().hash


@pytest.mark.parametrize(
    "text", ["low = []\nhigh = []", 'low = ["a"]', 'low = ["a"]\nhigh = ["b", "c"]', 'low = "a"\nhigh = "b"']
)
def test_bad_sentences_are_refused_by_field(tmp_path: Path, text: str) -> None:
    (tmp_path / "judges").mkdir()
    (tmp_path / "judges" / "planted.toml").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=r"field '(low|high)'"):
        read_sentences(tmp_path)


def test_the_shift_is_the_mean_difference_of_readable_pairs() -> None:
    held = triples((3, 1, 5), (2, 1, 2), (4, 4, None), (None, 1, 5), (1, 1, 5), (5, 3, 5))
    low, high = shift(held, "low"), shift(held, "high")
    assert (low.n, low.mean.value, low.moved, low.movable) == (5, pytest.approx(-1.0), 3, 4)
    assert (high.n, high.mean.value, high.moved, high.movable) == (4, pytest.approx(1.5), 2, 3)
    assert low.share_moved.value == 0.75


def test_a_judge_that_nothing_moves_still_has_an_interval_of_some_width() -> None:
    found = shift(triples(*[(2, 2, 2)] * 12), "high")
    assert found.mean.value == 0.0
    assert found.interval.low is not None and found.interval.high is not None
    assert found.interval.low < 0.0 < found.interval.high
    assert found.interval.high < 0.5
    assert (found.moved, found.movable) == (0, 12)


def test_pairs_that_all_move_alike_have_an_interval_and_one_pair_has_none() -> None:
    found = shift(triples(*[(3, 1, 5)] * 12), "low")
    assert found.interval.low is not None and found.interval.high is not None
    assert found.interval.low < -2.0 < found.interval.high < 0.0
    found = shift(triples((3, 1, 5)), "low")
    assert found.mean.value == -2.0
    assert found.interval.low is None and found.interval.method.startswith("undefined: ")


def test_the_interval_narrows_with_the_number_of_pairs() -> None:
    some = [(3, 2, 4), (2, 2, 2), (4, 1, 4), (1, 1, 2), (5, 4, 5), (3, 3, 3)]
    widths = []
    for times in (2, 20):
        interval = shift(triples(*some * times), "low").interval
        assert interval.method == "t"
        widths.append((interval.high or 0) - (interval.low or 0))
    assert widths[1] < widths[0] / 2


def test_without_pairs_the_shift_is_undefined_and_says_why() -> None:
    found = shift(triples((None, 1, 5)), "low")
    assert found.mean.value is None and found.mean.reason
    assert found.interval.low is None
    assert shift(triples((1, 1, 1)), "low").share_moved.value is None


def test_an_outcome_survives_its_event() -> None:
    held = triples((3, 1, None), (2, 2, 2))
    detail = detail_of("m@1", read_sentences(), held)
    assert triples_of(detail) == held
    assert (detail["judge"], detail["n"], detail["sentences"]) == ("m@1", 2, read_sentences().hash)
