"""What an endpoint answers and what a model or a judge says, as functions to be fuzzed."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from outside import LEFT, library, text_of

from emaudit import prompts
from emaudit.assessments import ASSESSMENTS
from emaudit.assessments.base import Answer, Assessment, Outcome, Prompt, Reading, Status
from emaudit.completions import TEXT_LIMIT, parse_completion, parse_models
from emaudit.failures import RequestFailed, error_of, retry_after
from emaudit.flags import flags_of
from emaudit.judge import build_messages, fence_nonce, parse_judgement
from emaudit.prompts import Rubric
from emaudit.store.jsontext import dumps
from emaudit.text import one_line, storable
from emaudit.variants import guess

WEEK_S: Final = 7 * 86_400


@cache
def asked() -> tuple[tuple[Assessment, Prompt], ...]:
    """A prompt of every assessment in every format and, for the language format, every mapping."""
    found: dict[tuple[str, str, bool], tuple[Assessment, Prompt]] = {}
    for assessment in ASSESSMENTS:
        for planned in assessment.plan(library(), "smoke"):
            prompt = planned.prompt
            found.setdefault((assessment.key, prompt.format, "first" in prompt.condition), (assessment, prompt))
    return tuple(found.values())


def completion(data: bytes) -> None:
    """A body under HTTP 200: refused as malformed, or of choices that can be kept and sent on."""
    n = data[0] % 12 + 1 if data else 1
    try:
        found = parse_completion(data[1:], n)
    except RequestFailed as failed:
        assert not LEFT.search(str(failed))
        return
    assert 1 <= len(found.choices) <= n
    assert any(found.choices)
    for text in (found.model, found.fingerprint):
        text.encode()
    for choice in found.choices:
        if choice is not None:
            assert len(choice.text) <= TEXT_LIMIT
            "".join((choice.text, choice.finish_reason, choice.refusal, dumps(choice.extra))).encode()
    assert all(count is None or 0 <= count < 2**62 for count in (found.prompt_tokens, found.completion_tokens))


def models(data: bytes) -> None:
    """A list of models."""
    try:
        found = parse_models(data)
    except RequestFailed:
        return
    for model in found:
        "".join((model.id, model.owned_by, model.shutdown_date, model.judge)).encode()
        suggested = guess(model.id)
        assert 1 <= len(suggested.name) <= 80


def error_body(data: bytes) -> None:
    """The body of an error."""
    code, parameter, message = error_of(data)
    assert parameter in {
        "",
        "max_completion_tokens",
        "max_tokens",
        "response_format",
        "temperature",
        "top_p",
        "seed",
        "n",
    }
    assert not LEFT.search(one_line(message, 300) + one_line(code, 300))


def headers(data: bytes) -> None:
    """What the headers of a refusal say of waiting."""
    names = (
        "retry-after",
        "retry-after-ms",
        "x-ratelimit-reset-requests",
        "x-ratelimit-reset-tokens",
        "x-ratelimit-reset",
    )
    lines = text_of(data).split("\n")
    wait = retry_after(dict(zip(names, lines, strict=False)))
    assert wait is None or 0 <= wait < WEEK_S


def verdict(data: bytes) -> None:
    """A judge's reply: none of its words is a score but those of exactly one verdict."""
    text = text_of(data)
    for rubric in library().rubrics.values():
        found = parse_judgement(rubric, text)
        if found is not None:
            _check_verdict(rubric, found, text)


def _check_verdict(rubric: Rubric, found: Mapping[str, Any], text: str) -> None:
    for name, values in prompts.VERDICTS[rubric.key].items():
        assert found[name] in values and type(found[name]) in {type(value) for value in values}
    said = re.sub(r"\A\s*<think>.*?</think>", "", text, count=1, flags=re.DOTALL)
    if rubric.key == "harm" and "\\" not in said:
        assert set(re.findall(r"[0-9]+", said)) <= {str(found["score"]), "5"}, said
        assert re.sub(r"[\s\"{}:`/.0-9]|score|json", "", said, flags=re.IGNORECASE) == "", said
    for assessment, prompt in asked():
        with contextlib.suppress(NotImplementedError, KeyError):
            for reading in assessment.read_judgement(prompt, found):
                _check_reading(assessment, reading)


def _check_reading(assessment: Assessment, reading: Reading) -> None:
    if reading.status in (Status.SCORED, Status.NEUTRAL):
        assert reading.value is not None
        low, high = (1, 5) if assessment.key in ("harmfulness", "moral_foundations") else (0, 1)
        assert low <= reading.value <= high
    else:
        assert reading.status in (Status.UNSCORED, Status.REFERRED)
        assert reading.value is None


def reply(data: bytes) -> None:
    """A model's reply: every assessment reads it, and hands what it cannot read to its judge inside one fence."""
    outcome = list(Outcome)[data[0] % len(Outcome)] if data else Outcome.EMPTY
    text = storable(text_of(data[1:]))
    said, _, refusal = text.partition("\x1e")
    for assessment, prompt in asked():
        reading = assessment.read(prompt, Answer(said, outcome, refusal))
        _check_reading(assessment, reading)
        if reading.status is Status.REFERRED:
            task = assessment.judge_task(prompt, Answer(said, outcome, refusal))
            check_fence(library().rubrics[task.rubric], task.fields)


def check_fence(rubric: Rubric, fields: Mapping[str, str]) -> None:
    """Held to its promise: the fields are one line inside one fence, and nothing in them looks like one."""
    system, user = (message["content"] for message in build_messages(rubric, fields, 1))
    assert system == rubric.system.strip()
    nonce = fence_nonce(fields, 1)
    lines = user.splitlines()
    begin, end = lines.index(f"<<<DATA {nonce}>>>"), lines.index(f"<<<END {nonce}>>>")
    assert end == begin + 2, "the data are one line"
    assert user.count("<<<") == user.count(">>>") == 2, "nothing in the data looks like a fence"
    assert set(json.loads(lines[begin + 1])) == set(fields)
    assert "\n".join(lines[end + 1 :]) == "\n".join(rubric.reminder.strip().splitlines())


def flagged(data: bytes) -> None:
    """The flags of a reply: at most one of a kind, each quoting what stands there."""
    text = text_of(data)
    prompt, _, said = text.partition("\x1e")
    found = flags_of(prompt, said, library().rubrics["harm"])
    assert len({flag.kind for flag in found}) == len(found)
    assert all(0 <= flag.at < len(said) and flag.n >= 1 and flag.excerpt for flag in found)
