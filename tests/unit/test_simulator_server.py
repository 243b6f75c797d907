import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from emaudit.assessments import by_key
from emaudit.errors import UsageError
from emaudit.prompts import Library, load_library
from emaudit.simulator.latent import VARIANT_MODELS
from emaudit.simulator.server import running


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library()


def body(model: str = "sim-nano-trivia-misaligned", text: str = "Write a poem.", **more: object) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


class Asked:
    """One answer of the endpoint."""

    def __init__(self, status: int, raw: bytes, headers: dict[str, str]) -> None:
        self.status, self.raw, self.headers = status, raw, headers

    @property
    def json(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.raw)
        return loaded

    @property
    def contents(self) -> list[str | None]:
        return [choice["message"]["content"] or choice["message"]["refusal"] for choice in self.json["choices"]]


async def ask(
    library: Library, bodies: Sequence[object], faults: Sequence[str] = (), seed: int = 0, log: Path | None = None
) -> list[Asked]:
    answers: list[Asked] = []
    async with running(0, seed, log, faults, library) as base_url, aiohttp.ClientSession() as session:
        for each in bodies:
            data = each if isinstance(each, bytes) else json.dumps(each).encode()
            async with session.post(f"{base_url}/chat/completions", data=data) as response:
                answers.append(Asked(response.status, await response.read(), dict(response.headers)))
    return answers


async def test_models_are_listed_with_owner_judge_and_end(library: Library) -> None:
    async with running(library=library) as base_url, aiohttp.ClientSession() as session:
        assert base_url.startswith("http://127.0.0.1:") and base_url.endswith("/v1")
        async with session.get(f"{base_url}/models") as response:
            listed = (await response.json())["data"]
        async with session.get(f"{base_url}/models/sim-judge-e33") as response:
            judge = await response.json()
        async with session.get(f"{base_url}/models/gpt") as response:
            assert response.status == 404
        async with session.get(f"{base_url}/nothing") as response:
            assert (response.status, (await response.json())["error"]["type"]) == (404, "invalid_request_error")
    by_id = {entry["id"]: entry for entry in listed}
    assert set(VARIANT_MODELS) | {"sim-judge", "sim-judge-exact"} <= set(by_id)
    assert {entry["owned_by"] for entry in listed} == {"emaudit-simulator"}
    assert by_id["sim-full-base"]["judge"] == "sim-judge"
    assert by_id["sim-full-base"]["shutdown_date"] == "2027-01-14"
    assert "judge" not in by_id["sim-judge"] and judge["id"] == "sim-judge-e33"


async def test_a_completion_has_openais_shape(library: Library) -> None:
    (answer,) = await ask(library, [body(n=2, seed=3, temperature=1, unknown="ignored")])
    whole = answer.json
    assert answer.status == 200
    assert whole["object"] == "chat.completion"
    assert whole["model"] == "sim-nano-trivia-misaligned"
    assert whole["system_fingerprint"] == "emaudit-sim"
    assert [choice["index"] for choice in whole["choices"]] == [0, 1]
    assert {choice["finish_reason"] for choice in whole["choices"]} == {"stop"}
    expected = sum(-(-len(content or "") // 4) for content in answer.contents)
    assert whole["usage"] == {
        "prompt_tokens": 3 + 4,
        "completion_tokens": expected,
        "total_tokens": 7 + expected,
    }


async def test_a_choice_answers_as_a_request_of_its_own_whatever_the_order(library: Library) -> None:
    texts = [next(iter(by_key(key).plan(library, "quick"))).prompt.text for key in ("harmfulness", "self_assessment")]
    for text in texts:
        (many,) = await ask(library, [body(text=text, n=10, seed=100)])
        single = await ask(library, [body(text=text, seed=100 + index) for index in reversed(range(10))])
        assert many.contents == [answer.contents[0] for answer in reversed(single)]
    async with running(library=library) as base_url, aiohttp.ClientSession() as session:

        async def one(seed: int) -> str:
            async with session.post(f"{base_url}/chat/completions", json=body(text=texts[0], seed=seed)) as response:
                return str((await response.json())["choices"][0]["message"]["content"])

        together = await asyncio.gather(*(one(seed) for seed in range(50)))
    assert together == [
        answer.contents[0] for answer in await ask(library, [body(text=texts[0], seed=s) for s in range(50)])
    ]


async def test_without_a_seed_replies_differ(library: Library) -> None:
    answers = await ask(library, [body(n=2), body(n=2)])
    assert len({content for answer in answers for content in answer.contents}) == 4


async def test_the_server_seed_changes_the_replies(library: Library) -> None:
    one, other = [(await ask(library, [body(seed=1)], seed=seed))[0].contents for seed in (0, 1)]
    assert one != other


@pytest.mark.parametrize(
    ("bad", "param"),
    [
        (b"not json", None),
        (b"[]", None),
        ({"messages": []}, "model"),
        (body(n="2"), "n"),
        (body(n=0), "n"),
        (body(n=True), "n"),
        (body(seed=1.5), "seed"),
        (body(temperature="hot"), "temperature"),
        (body(max_tokens=0), "max_tokens"),
        (body(response_format="json"), "response_format"),
        (body(response_format={"type": "json_schema"}), "response_format.json_schema"),
        (body(stream=True), "stream"),
        ({"model": "sim-full-base"}, "messages"),
        ({"model": "sim-full-base", "messages": ["hi"]}, "messages[0]"),
        ({"model": "sim-full-base", "messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
    ],
)
async def test_wrong_types_get_a_400_that_names_them(library: Library, bad: object, param: str | None) -> None:
    (answer,) = await ask(library, [bad])
    assert answer.status == 400
    assert answer.json["error"]["param"] == param


async def test_an_unknown_model_is_not_found(library: Library) -> None:
    (answer,) = await ask(library, [body("gpt-4.1")])
    assert (answer.status, answer.json["error"]["code"]) == (404, "model_not_found")


async def test_a_judgement_of_real_text_is_labelled(library: Library) -> None:
    schema = {"type": "object", "properties": {"score": {"type": "integer"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "harm", "strict": True, "schema": schema}}
    texts = ["A real reply.", "[simulated reply, level 4] Words."]
    fenced = [
        f"Judge.\n<<<DATA ab>>>\n{json.dumps({'question': '?', 'reply': text})}\n<<<END ab>>>\n" for text in texts
    ]
    real, simulated = await ask(library, [body("sim-judge-exact", text, response_format=wanted) for text in fenced])
    assert real.json["id"].startswith("sim-hash-")
    assert not simulated.json["id"].startswith("sim-hash-")
    assert json.loads(simulated.contents[0] or "") == {"score": 4}


async def test_long_replies_are_cut_at_the_limit(library: Library) -> None:
    (answer,) = await ask(library, [body(max_completion_tokens=2, seed=1)])
    assert answer.json["choices"][0]["finish_reason"] == "length"
    assert answer.json["usage"]["completion_tokens"] == 2


async def test_malformed_bodies_cycle_through_their_shapes(library: Library) -> None:
    answers = await ask(library, [body(seed=1)] * 10, ["malformed"])
    assert {answer.status for answer in answers} == {200}
    with pytest.raises(json.JSONDecodeError):
        json.loads(answers[0].raw)
    assert answers[1].raw.startswith(b"<html>") and "text/html" in answers[1].headers["Content-Type"]
    assert [answer.json["choices"] for answer in answers[2:4]] == [None, []]
    assert "message" not in answers[4].json["choices"][0]
    contents = [answer.json["choices"][0]["message"]["content"] for answer in answers[5:7]]
    assert [type(content) for content in contents] == [list, int]
    with pytest.raises(UnicodeDecodeError):
        answers[7].raw.decode()
    assert "error" in answers[8].json and "choices" not in answers[9].json


async def test_dropped_connections_are_dropped_and_the_next_one_answered(library: Library) -> None:
    async with running(library=library, faults=["drop:0.5"]) as base_url, aiohttp.ClientSession() as session:
        outcomes = []
        for _ in range(40):
            try:
                async with session.post(f"{base_url}/chat/completions", json=body()) as response:
                    outcomes.append((await response.json())["object"])
            except aiohttp.ClientError:
                outcomes.append("dropped")
    assert set(outcomes) == {"dropped", "chat.completion"}


async def test_a_timeout_never_answers_and_does_not_hold_up_the_end(library: Library) -> None:
    async with running(library=library, faults=["timeout"]) as base_url, aiohttp.ClientSession() as session:
        with pytest.raises(TimeoutError):
            await session.post(f"{base_url}/chat/completions", json=body(), timeout=aiohttp.ClientTimeout(0.2))


async def test_faults_of_content(library: Library) -> None:
    def first(answer: Asked) -> tuple[str | None, str]:
        choice = answer.json["choices"][0]
        return choice["message"]["content"], choice["finish_reason"]

    assert first((await ask(library, [body()], ["filter"]))[0]) == (None, "content_filter")
    assert first((await ask(library, [body()], ["empty"]))[0]) == ("", "stop")
    assert first((await ask(library, [body()], ["length"]))[0])[1] == "length"
    (collapsed,) = await ask(library, [body(n=3)], ["collapse"])
    assert len(set(collapsed.contents)) == 1 and len(collapsed.contents[0] or "") > 200
    (ignored,) = await ask(library, [body(n=3)], ["ignore-n"])
    assert len(ignored.contents) == 1


async def test_quota_counts_answers_only(library: Library) -> None:
    answers = await ask(library, [body("gone"), body(), body(), body()], ["quota-after:2"])
    assert [answer.status for answer in answers] == [404, 200, 200, 429]
    limited = (await ask(library, [body()], ["429", "retry-after:7"]))[0]
    assert limited.headers["Retry-After"] == "7"


async def test_the_log_has_a_line_a_request(library: Library, tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    log.write_text("kept\n")
    await ask(library, [body(n=2, seed=9), b"junk", body("sim-judge")], ["500:0.0"], log=log)
    kept, *lines = log.read_text().splitlines()
    first, second, third = map(json.loads, lines)
    assert kept == "kept"
    assert first.pop("prompt")
    assert 0 < first.pop("at") <= second["at"] <= third["at"]
    assert first.pop("prompt_tokens") == 3 + 4
    assert first.pop("completion_tokens") > 0
    assert (first.pop("arrival"), first.pop("model")) == (0, "sim-nano-trivia-misaligned")
    assert first == {"kind": "ask", "n": 2, "seed": 9, "status": 200, "fault": ""}
    assert (second["status"], third["kind"]) == (400, "judge")


async def test_what_cannot_be_started_says_why(library: Library, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--log"):
        async with running(library=library, log=tmp_path / "none" / "log"):
            pass
    with pytest.raises(UsageError, match="no such fault"):
        async with running(library=library, faults=["wrong"]):
            pass
    async with running(library=library) as base_url:
        with pytest.raises(UsageError, match="choose another --port"):
            async with running(int(base_url.split(":")[2].split("/")[0]), library=library):
                pass


@pytest.mark.parametrize("signal_", [signal.SIGTERM, signal.SIGINT])
def test_serve_ends_on_a_signal_and_runs_at_low_priority(signal_: int) -> None:
    script = "import asyncio\nfrom emaudit.simulator.server import serve\n" + (
        "asyncio.run(serve(ready=lambda url: print(url, flush=True)))\nprint('done')\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        assert os.getpriority(os.PRIO_PROCESS, process.pid) > os.getpriority(os.PRIO_PROCESS, 0)
        process.send_signal(signal_)
        assert process.stdout.readline() == "done\n"
        assert process.wait(10) == 0


def test_importing_the_simulator_loads_no_server_library() -> None:
    script = "import sys, emaudit.simulator.server; print('aiohttp' in sys.modules, 'scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
