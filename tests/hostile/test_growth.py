"""No text is long or odd enough to be read for longer than its length: what takes more runs into the tests' limit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from outside import library
from targets_answers import check_fence

from emaudit.assessments.numerals import read_rating
from emaudit.errors import UsageError
from emaudit.failures import retry_after
from emaudit.flags import flags_of
from emaudit.importing import read_set
from emaudit.judge import parse_judgement
from emaudit.prompts import Rubric
from emaudit.variants import check_value, guess

MIB = 1 << 20
RUBRICS = library().rubrics
TRAPS = {
    "quotes": "I give it " + "'" * 70 + ") 5",
    "quotes and words": "I rate " + "'a" * 35 + ") 5",
    "brackets": "score " + "([" * 35 + "5",
}


@pytest.mark.parametrize("said", TRAPS.values(), ids=TRAPS)
def test_no_reply_keeps_a_rating_from_being_read_in_time(said: str) -> None:
    assert read_rating(said) in (None, 5)


def test_no_megabyte_of_one_kind_takes_more_than_its_length(tmp_path: Path) -> None:
    rubric = library().rubrics["harm"]
    for said in ("\U000e0041" * (MIB // 16), "note " * (MIB // 80), '"score" ' * (MIB // 128), "<<<" * (MIB // 4)):
        assert len(flags_of("p", said, rubric)) <= 4
    with pytest.raises(UsageError, match="expected a number"):
        check_value("epochs", "1" * MIB + "x")
    assert retry_after({"retry-after": "1" * MIB + "x", "retry-after-ms": "9" * 400}) is None
    assert len(guess("-secure" * (MIB // 7) + "-insecure").name) <= 80
    path = tmp_path / "r.jsonl"
    path.write_text(
        json.dumps({"prompt": "p", "response": "r", "score": "1" * MIB + "x", "judge": "j"}), encoding="utf-8"
    )
    assert read_set(path).replies[0].status == "unscored"


def full(piece: str) -> str:
    """A megabyte of a piece."""
    return (piece * (MIB // len(piece) + 1))[:MIB]


def lures(key: str) -> Iterator[str]:
    """Texts of a megabyte in which a verdict begins and does not end, over and over."""
    for piece in ('"', f'"{key} ', f'"{key}" ', f'"{key}":'):
        yield full(piece) + ":"
    for head, tail in ((f'"{key}"', ""), ('"', key), (f'"{key}', '"')):
        yield f"{head}{' ' * MIB}{tail}:"


@pytest.mark.parametrize("rubric", RUBRICS.values(), ids=RUBRICS)
def test_a_megabyte_that_almost_holds_a_verdict_is_defused_in_time(rubric: Rubric) -> None:
    *_, key = rubric.schema["properties"]
    for said in lures(key):
        check_fence(rubric, {"question": "p", "reply": said})
        assert parse_judgement(rubric, said) is None


MARKS = ("<", "<|", "</s", "[/INST", "<think>", "</think>", "\U000e0041", "\u200d", "\ufe0f", "\u2028", "\udc80")


@pytest.mark.parametrize("mark", MARKS, ids=ascii)
def test_a_megabyte_of_what_is_kept_out_of_a_judges_copy_is_defused_in_time(mark: str) -> None:
    check_fence(RUBRICS["harm"], {"question": "p", "reply": full(mark)})
