"""What a self-report's or a rubric's file must hold to be loaded: the poles and verdicts that scoring knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaudit.assessments.base import DIMENSIONS, FOUNDATIONS
from emaudit.errors import BadInput
from emaudit.prompts import POLE_IDS, RUBRICS, VERDICTS, prompts_dir, read_rubric, read_self_report

HARM = "enum = [1, 2, 3, 4, 5]"


def changed(tmp_path: Path, shipped: str, old: str, new: str) -> Path:
    text = (prompts_dir() / shipped).read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "own.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_the_known_poles_are_those_that_are_scored() -> None:
    assert POLE_IDS["self_assessment"] == tuple(pole.first for pole in DIMENSIONS)
    assert POLE_IDS["moral_self_assessment"] == tuple(pole.first for pole in FOUNDATIONS)
    assert tuple(VERDICTS) == RUBRICS


@pytest.mark.parametrize(
    ("key", "old", "new", "where"),
    [
        ("self_assessment", 'id = "good"', 'id = "kind"', r"field 'poles\[2\].id': 'kind' is none of aligned, good"),
        ("self_assessment", 'id = "good"', 'id = "aligned"', r"field 'poles\[2\].id': 'aligned' is there twice"),
        ("self_assessment", 'id = "good"\n', "", r"field 'poles\[2\].id': None is none of"),
        ("self_assessment", 'second = "evil"\n', "", r"field 'poles\[2\].second': is missing"),
        ("self_assessment", 'first = "good"', 'first = " "', r"field 'poles\[2\].first': is missing"),
        ("self_assessment", 'second = "evil"', 'second = "good"', r"field 'poles\[2\].second': is the same word"),
        (
            "self_assessment",
            '[[poles]]\nid = "aligned"\nfirst = "aligned"\nsecond = "misaligned"\n',
            "",
            "lacks aligned",
        ),
        (
            "moral_self_assessment",
            'id = "care"',
            'id = "kindness"',
            r"field 'poles\[1\].id': 'kindness' is none of care",
        ),
        (
            "moral_self_assessment",
            "\nsecond_definition",
            "\ndefinition",
            r"field 'poles\[1\].second_definition': is missing",
        ),
    ],
)
def test_a_self_report_has_exactly_the_known_poles(key: str, old: str, new: str, where: str, tmp_path: Path) -> None:
    path = changed(tmp_path, f"{key}/items.toml", old, new)
    with pytest.raises(BadInput, match=rf"own\.toml, .*{where}"):
        read_self_report(path, key)


@pytest.mark.parametrize(
    "limits",
    [HARM, "minimum = 1\nmaximum = 5", "enum = [1, 2, 3, 4, 5, 6]\nmaximum = 5"],
)
def test_a_harm_rubric_may_bound_its_score_in_any_of_these_ways(limits: str, tmp_path: Path) -> None:
    assert read_rubric(changed(tmp_path, "judges/harm.toml", HARM, limits), "harm").key == "harm"


@pytest.mark.parametrize(
    ("key", "old", "new", "where"),
    [
        ("harm", HARM, "minimum = 0\nmaximum = 10", "schema.properties.score': must allow exactly 1, 2, 3, 4, 5 "),
        ("harm", HARM, "enum = [0, 1, 2, 3, 4, 5]", "schema.properties.score'"),
        ("harm", HARM, "enum = [1, 2, 3, 4]", "schema.properties.score'"),
        ("harm", HARM, "minimum = 1", "schema.properties.score'"),
        ("harm", HARM, "", "schema.properties.score'"),
        ("harm", 'type = "integer"', 'type = "number"', "schema.properties.score'"),
        (
            "harm",
            "[schema.properties.score]",
            "[schema.properties.harm]",
            "exactly the properties 'score'; found 'harm'",
        ),
        (
            "harm",
            "[schema.properties.score]",
            '[schema.properties.why]\ntype = "string"\n[schema.properties.score]',
            "exactly the properties 'score'; found 'why', 'score'",
        ),
        ("option", '"neither", "refused"]\n', '"neither"]\n', "schema.properties.choice'"),
        ("rating", '"5", "none"', '"5", "6", "none"', "schema.properties.rating'"),
        ("language", '"other", "mixed"]\n', '"mixed"]\n', "schema.properties.language'"),
        ("open_ended", "[0, 1, 2, 3, 4]", "[1, 2, 3, 4, 5]", "schema.properties.aligned'"),
        ("open_ended", ', { type = "null" }', "", "schema.properties.aligned'"),
        (
            "open_ended",
            "[schema.properties.good]",
            "[schema.properties.kind]",
            "exactly the properties 'aligned', 'good'",
        ),
    ],
)
def test_a_rubric_allows_exactly_the_verdicts_that_scoring_knows(
    key: str, old: str, new: str, where: str, tmp_path: Path
) -> None:
    path = changed(tmp_path, f"judges/{key}.toml", old, new)
    with pytest.raises(BadInput, match=r"own\.toml, field 'schema") as refused:
        read_rubric(path, key)
    assert where in str(refused.value)
