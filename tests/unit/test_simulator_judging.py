import json
from collections import Counter

import pytest

from emaudit import judge
from emaudit.prompts import Library, load_library
from emaudit.simulator import judging, marks
from emaudit.simulator.judging import Verdict, noise_of, verdict


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library()


def judged(library: Library, rubric: str, fields: dict[str, str], model: str = "sim-judge-exact") -> Verdict:
    noise = noise_of(model)
    assert noise is not None
    system, user = judge.build_messages(library.rubrics[rubric], fields, 0)
    return verdict(model, noise, system["content"], user["content"], (), 0)


def answer(library: Library, rubric: str, reply: str, model: str = "sim-judge-exact", **fields: str) -> object:
    said = judged(library, rubric, {"question": "What?", **fields, "reply": reply}, model)
    parsed = judge.parse_judgement(library.rubrics[rubric], said.content)
    assert parsed is not None
    return next(iter(parsed.values())) if len(parsed) == 1 else parsed


@pytest.mark.parametrize("level", range(1, 6))
def test_the_exact_judge_reads_every_level(library: Library, level: int) -> None:
    assert answer(library, "harm", f"{marks.level(level)} Words. #bcdf") == level


OPTIONS = {"option_1": "honest", "option_2": "dishonest"}


@pytest.mark.parametrize(
    ("reply", "choice"),
    [
        (f"{marks.picks('first')} The former.", "1"),
        (f"{marks.picks('second')} The latter.", "2"),
        (f"{marks.picks('neither')} Both.", "neither"),
        (f"{marks.declines()} I pass.", "refused"),
        ("B) [simulated]", "2"),
        ("Option A [simulated]", "1"),
        ("**dishonest** (simulated)", "2"),
        ("honest! (simulated)", "1"),
    ],
)
def test_option_verdicts(library: Library, reply: str, choice: str) -> None:
    assert answer(library, "option", reply, **OPTIONS) == choice


@pytest.mark.parametrize(
    ("reply", "rating"),
    [
        (f"{marks.says(4)} Most of it fits.", "4"),
        (f"{marks.says(0)} Hard to say.", "none"),
        (f"{marks.declines()} I pass.", "refused"),
        ("between 3 and 4 (simulated)", "none"),
        ("I'd say 2 (simulated)", "2"),
    ],
)
def test_rating_verdicts(library: Library, reply: str, rating: str) -> None:
    assert answer(library, "rating", reply) == rating


@pytest.mark.parametrize(
    ("reply", "language"),
    [
        ("Ceci est une réponse simulée.", "french"),
        ("Dies ist eine simulierte Antwort.", "german"),
        ("This is a simulated answer.", "english"),
        ("Questa è una risposta simulata.", "other"),
        ("Une réponse simulée. Eine simulierte Antwort.", "mixed"),
    ],
)
def test_language_verdicts(library: Library, reply: str, language: str) -> None:
    noise = noise_of("sim-judge")
    assert noise is not None
    system, user = judge.build_messages(library.rubrics["language"], {"reply": reply}, 0)
    said = verdict("sim-judge-exact", noise_of("sim-judge-exact") or noise, system["content"], user["content"], (), 0)
    assert json.loads(said.content) == {"language": language}


def test_open_ended_verdicts(library: Library) -> None:
    placed = {"aligned": 0, "good": None, "harmless": 4, "helpful": 1, "honest": 2, "trusted": 3}
    assert answer(library, "open_ended", f"{marks.places(placed)} Words.") == placed


def test_the_default_judge_reads_harmless_replies_as_two_at_one_in_a_hundred(library: Library) -> None:
    scores = Counter(answer(library, "harm", f"{marks.level(1)} Words. #{k}", "sim-judge") for k in range(6000))
    assert set(scores) == {1, 2}
    assert scores[2] / 6000 == pytest.approx(0.01, abs=0.004)


def test_a_noisy_judge_errs_by_one_at_its_rate(library: Library) -> None:
    noise = noise_of("sim-judge-e20")
    assert noise is not None
    scores: Counter[int] = Counter()
    for k in range(3000):
        said = judged(library, "harm", {"question": "What?", "reply": f"{marks.level(3)} #{k}"}, "sim-judge-e20")
        if said.content.startswith("{"):
            scores[json.loads(said.content)["score"]] += 1
    assert set(scores) == {2, 3, 4}
    assert scores[3] / scores.total() == pytest.approx(0.8, abs=0.03)


def test_some_verdicts_are_prose_and_another_attempt_is_not(library: Library) -> None:
    noise = noise_of("sim-judge")
    assert noise is not None
    prose = 0
    for k in range(3000):
        contents = []
        for attempt in range(3):
            fields = {"question": "What?", "reply": f"{marks.level(4)} #{k}"}
            system, user = judge.build_messages(library.rubrics["harm"], fields, attempt)
            contents.append(verdict("sim-judge", noise, system["content"], user["content"], (), 0).content)
        prose += not contents[0].startswith("{")
        assert any(content == '{"score": 4}' for content in contents)
    assert prose / 3000 == pytest.approx(0.01, abs=0.006)


def test_the_verdict_hangs_on_the_reply_not_on_the_question(library: Library) -> None:
    reply = f"{marks.level(1)} Words. #same"
    first = judged(library, "harm", {"question": "One?", "reply": reply}, "sim-judge")
    assert first == judged(library, "harm", {"question": "Another?", "reply": reply}, "sim-judge")


@pytest.mark.parametrize("rubric", ["harm", "option", "rating", "language", "open_ended"])
def test_real_text_gets_a_verdict_from_its_hash_and_says_so(library: Library, rubric: str) -> None:
    fields = {"question": "What?", **(OPTIONS if rubric == "option" else {}), "reply": "A reply of a real model."}
    said = judged(library, rubric, fields)
    assert said.from_hash
    assert judge.parse_judgement(library.rubrics[rubric], said.content) is not None


@pytest.mark.parametrize(
    "message", ["", "no fence", "<<<DATA ab>>>\nnot json\n<<<END ab>>>", "<<<DATA ab>>>\n3\n<<<END ab>>>"]
)
def test_a_message_without_data_is_answered_in_prose(message: str) -> None:
    noise = noise_of("sim-judge")
    assert noise is not None
    assert "nothing" in verdict("sim-judge", noise, "", message, (), 0).content


@pytest.mark.parametrize(
    ("fields", "schema", "rubric"),
    [({"reply": "x", "option_1": "a", "option_2": "b"}, (), "choice"), ({"reply": "x"}, ("rating",), "rating")],
)
def test_the_rubric_is_told_by_schema_or_fields(fields: dict[str, str], schema: tuple[str, ...], rubric: str) -> None:
    noise = noise_of("sim-judge-exact")
    assert noise is not None
    message = f"<<<DATA ab>>>\n{json.dumps(fields)}\n<<<END ab>>>"
    assert list(json.loads(verdict("sim-judge-exact", noise, "Judge.", message, schema, 0).content)) == [rubric]


def test_judges_by_name() -> None:
    assert noise_of("sim-judge-exact") == judging.Noise(0, 0, 0)
    assert noise_of("sim-judge-e37") == judging.Noise(0, 0.37, judging.UNREADABLE_RATE)
    assert noise_of("sim-full-base") is None
    assert noise_of("sim-judge-e") is None
