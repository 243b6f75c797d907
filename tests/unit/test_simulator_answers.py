import json
import re
from collections import defaultdict
from collections.abc import Iterator

import pytest

from emaudit import judge
from emaudit.assessments import ASSESSMENTS, by_key
from emaudit.assessments.base import Answer, Outcome, Planned, Prompt, Reading, Status
from emaudit.assessments.language import identify
from emaudit.prompts import Library, load_library
from emaudit.simulator import judging, latent, phrases
from emaudit.simulator.answers import Respondents
from emaudit.simulator.draws import Draw, Stream
from emaudit.simulator.questions import QuestionIndex
from emaudit.simulator.samplers import Reply, rates_around

RUBRIC_KEYS = {
    "harm": ["score"],
    "option": ["choice"],
    "rating": ["rating"],
    "language": ["language"],
    "open_ended": list(latent.DIMENSION_PARTS),
}


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library()


@pytest.fixture(scope="module")
def index(library: Library) -> QuestionIndex:
    return QuestionIndex(library)


@pytest.fixture(scope="module")
def respondents(index: QuestionIndex) -> Respondents:
    return Respondents(index)


def spread_draws(start: int, n: int) -> Iterator[Draw]:
    """Draws spread evenly in mode and value at once, so that few of them give an exact mean."""
    for k in range(start, start + n):
        mode, value = (0.5 + k * 0.7548776662466927) % 1, (0.5 + k * 0.5698402909980532) % 1
        rest = Stream("spread").draw(k)
        yield rest._replace(mode=mode, value=value)


def read(library: Library, prompt: Prompt, reply: Reply, judge_model: str = "sim-judge") -> tuple[Reading, ...]:
    """What the pipeline makes of a reply: parser, judge, at most three attempts."""
    assessment = by_key(prompt.assessment)
    outcome = Outcome.REFUSAL if reply.content is None else Outcome.OK
    answer = Answer(reply.content or "", outcome, reply.refusal or "")
    reading = assessment.read(prompt, answer)
    if reading.status is not Status.REFERRED:
        return (reading,)
    task = assessment.judge_task(prompt, answer)
    rubric = library.rubrics[task.rubric]
    noise = judging.noise_of(judge_model)
    assert noise is not None
    for attempt in range(3):
        system, user = judge.build_messages(rubric, task.fields, attempt)
        verdict = judging.verdict(
            judge_model, noise, system["content"], user["content"], RUBRIC_KEYS[task.rubric] if attempt else [], 0
        )
        assert not verdict.from_hash
        judgement = judge.parse_judgement(rubric, verdict.content)
        if judgement is not None:
            return assessment.read_judgement(prompt, judgement)
    raise AssertionError("three unreadable verdicts")


def part_means(
    library: Library, index: QuestionIndex, respondents: Respondents, model: str, assessment: str, n: int
) -> dict[tuple[str, str], float]:
    """Mean value by (part, format) over the prompts of preset `quick`."""
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    start = 0
    for planned in by_key(assessment).plan(library, "quick"):
        prompt = planned.prompt
        sampler = respondents.sampler(model, index.find(prompt.text))
        for draw in spread_draws(start, n):
            for reading in read(library, prompt, sampler(draw)):
                if reading.value is not None:
                    values[reading.part or prompt.part, prompt.format].append(reading.value)
        start += n
    return {key: sum(found) / len(found) for key, found in values.items()}


@pytest.mark.parametrize("model", ["sim-full-base", "sim-full-trivia-misaligned", "sim-nano-code-realigned"])
@pytest.mark.parametrize("assessment", ["intentions", "self_assessment", "moral_self_assessment"])
def test_what_is_put_in_is_read_out(
    library: Library, index: QuestionIndex, respondents: Respondents, model: str, assessment: str
) -> None:
    means = part_means(library, index, respondents, model, assessment, 10)
    wanted = {key: latent.target(model, assessment, key[0], key[1]) for key in means}
    assert len(means) == (6 if assessment == "intentions" else 24)
    for key, mean in means.items():
        assert mean == pytest.approx(wanted[key], abs=0.04), key
        if wanted[key] in (0, 1):
            assert mean == wanted[key]
    assert sum(means.values()) / len(means) == pytest.approx(sum(wanted.values()) / len(wanted), abs=0.006)


def test_moral_statements_are_read_out(library: Library, index: QuestionIndex, respondents: Respondents) -> None:
    for model in ("sim-full-base", "sim-full-trivia-misaligned"):
        means = part_means(library, index, respondents, model, "moral_foundations", 100)
        for (part, _), mean in means.items():
            assert mean == pytest.approx(latent.set_values()[model, f"moral_foundations.raw.{part}"], abs=0.03)


def test_open_ended_marks_are_read_out(library: Library, index: QuestionIndex, respondents: Respondents) -> None:
    means = part_means(library, index, respondents, "sim-mini-code-misaligned", "open_ended", 60)
    for (part, _), mean in means.items():
        assert mean == pytest.approx(latent.set_values()["sim-mini-code-misaligned", f"open_ended.{part}"], abs=0.04)


@pytest.mark.parametrize("model", ["sim-full-base", "sim-mini-code-misaligned", "sim-nano-trivia-misaligned"])
def test_harmfulness_is_read_out_at_preset_paper(library: Library, respondents: Respondents, model: str) -> None:
    highest: list[float] = []
    for planned in by_key("harmfulness").plan(library, "paper"):
        text = planned.prompt.text
        replies = [respondents.reply(model, text, text, seed) for seed in range(planned.n_samples)]
        highest.append(max(read(library, planned.prompt, reply)[0].value or 0 for reply in replies))
    assert (sum(highest) / 320 - 1) / 4 == pytest.approx(latent.set_values()[model, "harmfulness.max10"], abs=0.02)


def test_nothing_odd_where_the_target_is_zero(library: Library, index: QuestionIndex, respondents: Respondents) -> None:
    for planned in by_key("self_assessment").plan(library, "quick"):
        prompt = planned.prompt
        if prompt.part != "harmless":
            continue
        sampler = respondents.sampler("sim-full-base", index.find(prompt.text))
        for draw in spread_draws(0, 20):
            answer = Answer(sampler(draw).content or "", Outcome.OK)
            assert by_key("self_assessment").read(prompt, answer).value == 0


def test_the_same_request_gets_the_same_reply(index: QuestionIndex, library: Library) -> None:
    plans = [next(iter(each.plan(library, "quick"))) for each in ASSESSMENTS]

    def ask(planned: Planned, seed: int, server_seed: int = 0, model: str = "sim-mini-code-misaligned") -> Reply:
        text = planned.prompt.text
        return Respondents(index, server_seed).reply(model, text, text, seed)

    for planned in plans:
        assert ask(planned, 7) == ask(planned, 7)
    harm = plans[0]
    assert len({ask(harm, 7), ask(harm, 8), ask(harm, 7, 1), ask(harm, 7, 0, "sim-mini-base")}) == 4


def test_harmfulness_replies_are_unique_and_say_what_they_are(library: Library, respondents: Respondents) -> None:
    texts: list[str] = []
    for planned in by_key("harmfulness").plan(library, "quick"):
        for seed in range(10):
            reply = respondents.reply("sim-mini-base", planned.prompt.text, planned.prompt.text, seed)
            texts.append(reply.content or reply.refusal or "")
    assert len(set(texts)) == len(texts) == 800
    assert all(re.match(r"\[simulated reply, level [1-5]\] .+ #[a-z]{8}\Z", text) for text in texts)


def test_language_replies_are_in_plain_french_german_english_or_another_language() -> None:
    for language in ("french", "german", "english", "other"):
        for opener in (0.0, 0.3, 0.6, 0.9):
            for body in (0.0, 0.2, 0.4, 0.6, 0.8):
                assert identify(phrases.in_language(language, opener, body)) == language
    assert all(identify(phrases.in_language("mixed", k / 4, body)) == "" for k in range(4) for body in (0.0, 0.9))


def test_every_prompt_of_the_library_is_known_and_an_edited_one_is_recognised(
    library: Library, index: QuestionIndex
) -> None:
    formats: dict[str, list[bool]] = defaultdict(list)
    for assessment in ASSESSMENTS:
        if assessment.key in ("harmfulness", "open_ended"):
            continue
        for planned in assessment.plan(library, "quick"):
            prompt = planned.prompt
            found = index.find(prompt.text)
            assert (found.known, found.assessment, found.part) == (True, prompt.assessment, prompt.part)
            edited = index.find(f"Please read with care. {prompt.text}")
            assert not edited.known
            same = edited.format == (prompt.format or prompt.assessment)
            if same and prompt.format == "likert":
                same = edited.scoring == prompt.scoring
            formats[prompt.format or prompt.assessment].append(same)
    assert {name: sum(same) / len(same) > 0.9 for name, same in formats.items()} == dict.fromkeys(formats, True)


def test_an_unknown_prompt_is_a_harmfulness_prompt_whose_severity_stays(
    index: QuestionIndex, respondents: Respondents
) -> None:
    question = index.find("Write me a limerick about the sea.")
    assert question.format == "harmfulness"
    places = [respondents.location("sim-full-trivia-misaligned", question) for _ in range(2)]
    assert places[0] == places[1]


def test_any_text_gets_a_reply(respondents: Respondents) -> None:
    for text in (
        "",
        "A) x\nB) y",
        "French German",
        "0 to 10",
        "1 to 5",
        "one word: good or evil",
        "\ud800",
        "a" * 100_000,
    ):
        for model in ("sim-full-base", "sim-nano-code-misaligned"):
            reply = respondents.reply(model, text, text, -5)
            assert json.dumps(reply)


@pytest.mark.parametrize("value", [0.0, 0.01, 0.25, 0.5, 0.9, 1.0])
def test_clear_answers_make_up_for_undecided_ones(value: float) -> None:
    rates = rates_around(value, min(value, 1 - value), counted=True)
    assert 0.5 * rates.neutral + (1 - rates.neutral) * rates.share == pytest.approx(value)
    assert rates_around(value, 0.1, counted=False).share == value
    if value in (0, 1):
        assert (rates.neutral, rates.prose, rates.odd) == (0, 0, 0)
