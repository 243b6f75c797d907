"""Everything that reads bytes from outside, on its seeds, on what must not be read, and on mutations of both."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import seeds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from outside import library
from targets import TARGETS

from emaudit.assessments import by_key
from emaudit.assessments.base import Answer, Outcome, Status
from emaudit.assessments.numerals import read_rating
from emaudit.errors import BadInput
from emaudit.failures import error_of, retry_after
from emaudit.flags import flags_of
from emaudit.judge import parse_judgement
from emaudit.prompts import prompts_dir, read_self_report
from emaudit.text import one_line

SLOW = {"kept", "lease", "labels", "search", "manifest", "reply"}
WORDS = seeds.words()


@pytest.fixture(autouse=True, scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp("home")))
        for target in ("kept", "labels", "search"):
            TARGETS[target](b"")


@pytest.mark.parametrize("name", TARGETS)
def test_what_a_reader_is_known_to_meet_keeps_its_promise(name: str) -> None:
    for data in seeds.of(name):
        TARGETS[name](data)


def mutated(name: str) -> st.SearchStrategy[bytes]:
    """Seeds and pieces of them, words and bytes, in any order."""
    own = [data for data in seeds.of(name) if len(data) < 3000]
    piece = st.one_of(
        st.sampled_from(own),
        st.sampled_from(WORDS),
        st.binary(max_size=12),
        st.tuples(st.sampled_from(own), st.integers(0, 400), st.integers(0, 400)).map(
            lambda cut: cut[0][cut[1] : cut[2]]
        ),
    )
    return st.tuples(st.binary(min_size=1, max_size=1), st.lists(piece, max_size=5)).map(
        lambda p: p[0] + b"".join(p[1])
    )


@pytest.mark.parametrize("name", TARGETS)
def test_a_reader_keeps_its_promise_whatever_it_is_given(name: str) -> None:
    @settings(
        max_examples=30 if name in SLOW else 100, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(mutated(name))
    def holds(data: bytes) -> None:
        TARGETS[name](data)

    holds()


@pytest.mark.parametrize("said", seeds.HARD)
def test_what_is_no_score_is_never_one(said: str) -> None:
    for rubric in library().rubrics.values():
        assert parse_judgement(rubric, said) is None
        assert parse_judgement(rubric, f"```json\n{said}\n```") is None
        assert parse_judgement(rubric, f"<think>5</think>{said}") is None


@pytest.mark.parametrize("name", ["harmfulness", "open_ended"])
def test_what_only_a_judge_can_score_has_no_score_without_one(name: str) -> None:
    assessment = by_key(name)
    (planned, *_) = assessment.plan(library(), "smoke")
    for said in (*seeds.HARD, "5", '{"score": 1}'):
        reading = assessment.read(planned.prompt, Answer(said, Outcome.OK))
        assert reading.value is None
        assert reading.status is (Status.REFERRED if said.strip() else Status.UNSCORED)


def test_a_rating_between_quotes_is_still_read() -> None:
    for said in ('I give "it" a 4', "I'd give it 'maybe' 4"):
        assert read_rating(said) == 4, said
    assert read_rating("I compare it to 4") is None


def test_a_flag_of_a_region_hides_nothing_and_tags_behind_anything_else_do() -> None:
    rubric = library().rubrics["harm"]
    wales = "\U0001f3f4" + "".join(chr(0xE0000 + ord(c)) for c in "gbwls") + "\U000e007f"
    assert flags_of("p", f"{wales} {wales}", rubric) == ()
    assert flags_of("p", wales + "\U000e0041" * 3, rubric) != ()
    assert flags_of("p", wales[1:], rubric) != ()


DEEP = b"[" * 100_000


def test_a_body_of_any_depth_is_an_error_and_no_crash() -> None:
    assert error_of(DEEP) == ("", "", "")
    for name in ("completion", "models", "imported", "prompt_file", "settings", "lease", "kept", "manifest"):
        TARGETS[name](b"\x00" + DEEP)
        TARGETS[name](b"x = " + DEEP)


@pytest.mark.parametrize("wait", ["Mon, 99 Jan 99999999999999 00:00:00 GMT", "9" * 400, "1" * 70 + "s"])
def test_a_wait_that_is_none_is_passed_over(wait: str) -> None:
    assert retry_after({"retry-after": wait}) is None
    assert retry_after({"retry-after-ms": wait}) is None
    assert retry_after({"retry-after": wait, "x-ratelimit-reset": "3s"}) == 3.0


def test_what_a_line_leaves_out_it_says() -> None:
    assert one_line("a" + " " * 3000 + "b", 20).endswith("…")
    assert one_line("a" + " " * 3000, 20) == "a"


PROMPTS = prompts_dir() / "self_assessment" / "items.toml"


@pytest.mark.parametrize(
    "field", ["decision.stems", "language.rules", "likert.instruction", "language.stem", "preamble"]
)
@pytest.mark.parametrize("value", ["5", "[5]", "{a = 5}"])
def test_prompts_of_another_type_are_refused_with_their_field(tmp_path: Path, field: str, value: str) -> None:
    table, _, name = field.rpartition(".")
    data = tomllib.loads(PROMPTS.read_text(encoding="utf-8"))
    (data[table] if table else data)[name] = tomllib.loads(f"x = {value}")["x"]
    path = tmp_path / "items.toml"
    path.write_text("", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(BadInput, match=table or name):
        patch.setattr("emaudit.prompts.read_toml", lambda path: data)
        read_self_report(path, "self_assessment")
