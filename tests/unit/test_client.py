"""What one attempt against an endpoint means: shapes of replies, classes of failure, waits."""

from __future__ import annotations

import asyncio
import json
import time
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaudit.assessments.base import Outcome
from emaudit.client import Client
from emaudit.completions import TEXT_LIMIT, parse_completion, parse_models
from emaudit.config import Endpoint
from emaudit.errors import EndpointError, UsageError
from emaudit.failures import Kind, RequestFailed, retry_after


def body(*choices: object, **more: object) -> bytes:
    return json.dumps({"choices": list(choices), "model": "m", **more}).encode()


def choice(content: object = "hi", finish: object = "stop", **message: object) -> dict[str, Any]:
    return {"message": {"content": content, **message}, "finish_reason": finish}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>login</html>",
        b'{"choices": [{"message": {"content": "cut',
        b"\xff\xfe\x00bad",
        b"null",
        b"[]",
        b"7",
        b'"text"',
        b"{}",
        b'{"choices": null}',
        b'{"choices": []}',
        b'{"choices": {}}',
        b'{"choices": [null]}',
        b'{"choices": [{}]}',
        b'{"choices": [{"message": null}]}',
        b'{"choices": [{"message": {"content": 5}, "finish_reason": "stop"}]}',
        b'{"choices": [{"message": {"content": ["a"]}, "finish_reason": "stop"}]}',
        b'{"choices": [{"message": {"content": null}, "finish_reason": "stop"}]}',
        b'{"error": {"message": "overloaded"}}',
        b"[" * 100_000,
    ],
)
def test_a_malformed_reply_is_kept_raw_and_asked_again(content: bytes) -> None:
    with pytest.raises(RequestFailed, match="malformed reply") as found:
        parse_completion(content, 1)
    assert found.value.kind is Kind.RETRY
    assert found.value.raw == content[:65536]


@pytest.mark.parametrize(
    ("given_choice", "outcome", "text"),
    [
        (choice("fine"), Outcome.OK, "fine"),
        (choice("", "stop"), Outcome.EMPTY, ""),
        (choice("  \n", "stop"), Outcome.EMPTY, "  \n"),
        (choice("half", "length"), Outcome.TRUNCATED, "half"),
        (choice(None, "length"), Outcome.TRUNCATED, ""),
        (choice(None, "content_filter"), Outcome.CONTENT_FILTER, ""),
        (choice("begun", "content_filter"), Outcome.CONTENT_FILTER, "begun"),
        (choice(None, "stop", refusal="I won't"), Outcome.REFUSAL, ""),
        (choice("said", "stop", refusal="I won't"), Outcome.OK, "said"),
        (choice(None, "stop", reasoning_content="hm"), Outcome.EMPTY, ""),
        (choice(None, "tool_calls", tool_calls=[{"id": "1"}]), Outcome.EMPTY, ""),
        (choice("odd", "some_new_reason"), Outcome.OK, "odd"),
        (choice("odd", None), Outcome.OK, "odd"),
    ],
)
def test_outcomes(given_choice: dict[str, Any], outcome: Outcome, text: str) -> None:
    found = parse_completion(body(given_choice), 1).choices[0]
    assert found is not None
    assert (found.outcome, found.text) == (outcome, text)


def test_refusals_reasoning_and_tools_are_kept_beside_the_answer() -> None:
    found = parse_completion(body(choice("x", "stop", refusal="no", reasoning_content="why", tool_calls=[1])), 1)
    kept = found.choices[0]
    assert kept is not None
    assert kept.refusal == "no"
    assert kept.extra == {"reasoning_content": "why", "tool_calls": [1]}


def test_choices_stand_by_their_index() -> None:
    sent = [{**choice("second"), "index": 1}, {**choice("first"), "index": 0}]
    assert [c.text for c in parse_completion(body(*sent), 2).choices if c] == ["first", "second"]


def test_a_bad_index_means_their_order() -> None:
    sent = [{**choice("first"), "index": 0}, {**choice("second"), "index": 0}]
    assert [c.text for c in parse_completion(body(*sent), 2).choices if c] == ["first", "second"]


def test_one_malformed_choice_leaves_the_others() -> None:
    found = parse_completion(body(choice("a"), choice(9), choice("c")), 3)
    assert [c.text if c else None for c in found.choices] == ["a", None, "c"]
    assert found.raw


def test_more_choices_than_asked_are_left_out() -> None:
    assert len(parse_completion(body(choice("a"), choice("b")), 1).choices) == 1


def test_lone_surrogates_and_nul_can_be_stored() -> None:
    raw = b'{"choices": [{"message": {"content": "a\\ud800b\\u0000c"}, "finish_reason": "stop"}], "model": "\\udfff"}'
    found = parse_completion(raw, 1)
    assert found.choices[0] is not None
    assert found.choices[0].text == "a\ufffdb\x00c"
    assert found.model == "\ufffd"


def test_a_huge_reply_is_cut_with_its_size_and_hash() -> None:
    found = parse_completion(body(choice("x" * (TEXT_LIMIT + 5))), 1).choices[0]
    assert found is not None
    assert len(found.text) == TEXT_LIMIT
    assert found.extra["cut_from_characters"] == TEXT_LIMIT + 5
    assert len(found.extra["sha256"]) == 64


def test_names_refusals_and_what_stands_beside_a_text_are_bounded() -> None:
    long = "x" * (TEXT_LIMIT + 5)
    nested: object = "deep"
    for _ in range(300):
        nested = [nested]
    sent = choice("hi", long, refusal=long, reasoning_content=long, tool_calls=nested)
    found = parse_completion(body(sent, system_fingerprint=long) + b" ", 1)
    kept = found.choices[0]
    assert kept is not None
    assert (kept.text, len(kept.finish_reason), len(kept.refusal)) == ("hi", 1_000, TEXT_LIMIT)
    assert len(found.fingerprint) == 1_000
    assert len(kept.extra["beside_the_text"]) == TEXT_LIMIT
    assert kept.extra["cut_from_characters"] > TEXT_LIMIT
    shallow = parse_completion(body(choice("hi", tool_calls=nested)), 1).choices[0]
    assert shallow is not None
    assert json.dumps(shallow.extra).count("[") == 32


@pytest.mark.parametrize(
    "usage", [None, 5, [], {"prompt_tokens": "many", "completion_tokens": -1}, {"prompt_tokens": True}]
)
def test_nonsense_token_counts_are_unknown(usage: object) -> None:
    found = parse_completion(body(choice(), usage=usage), 1)
    assert found.prompt_tokens is None
    assert found.completion_tokens is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(
                    ["choices", "message", "content", "finish_reason", "index", "refusal", "usage", "error"]
                ),
                x,
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_crashes_the_reader(content: object) -> None:
    try:
        parse_completion(json.dumps(content).encode(), 2)
    except RequestFailed as failure:
        assert failure.kind is Kind.RETRY


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "1m30s"}, 90.0),
        ({"retry-after": "250ms"}, 0.25),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"x-ratelimit-reset-requests": "2s"}, 2.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "99999999999"}, None),
        ({"x-ratelimit-reset-requests": "8ms", "x-ratelimit-reset-tokens": "6m0s"}, 360.0),
        ({}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_an_http_date_is_a_wait() -> None:
    found = retry_after({"retry-after": formatdate(time.time() + 30, usegmt=True)})
    assert found is not None
    assert 25 < found <= 31
    assert retry_after({"retry-after": formatdate(time.time() - 30, usegmt=True)}) == 0.0


def status(
    code: int, error: object = None, headers: dict[str, str] | None = None, key: str = "sk-canary-123"
) -> RequestFailed:
    client = Client.__new__(Client)
    client.endpoint = Endpoint("e", "https://example.org/v1", "E_KEY")
    client._secrets = (key,)
    content = json.dumps({"error": error}).encode() if error is not None else b""
    return client._status_failure(code, headers or {}, content)


@pytest.mark.parametrize(
    ("code", "error", "kind", "words"),
    [
        (401, {"message": "bad key sk-canary-123"}, Kind.STOP_RUN, "E_KEY"),
        (403, None, Kind.STOP_RUN, "E_KEY"),
        (402, None, Kind.STOP_RUN, "add credit"),
        (429, {"code": "insufficient_quota", "message": "no more"}, Kind.STOP_RUN, "add credit"),
        (429, {"type": "billing_hard_limit_reached"}, Kind.STOP_RUN, "add credit"),
        (429, {"code": "rate_limit_exceeded"}, Kind.RATE_LIMIT, "limits the rate"),
        (404, {"code": "model_not_found"}, Kind.STOP_VARIANT, "model gone"),
        (408, None, Kind.RETRY, "408"),
        (409, None, Kind.RETRY, "409"),
        (425, None, Kind.RETRY, "425"),
        (500, None, Kind.RETRY, "500"),
        (503, "text", Kind.RETRY, "503"),
        (529, None, Kind.RETRY, "529"),
        (307, None, Kind.STOP_RUN, "redirects"),
        (400, {"code": "context_length_exceeded", "message": "too long"}, Kind.RECORD, "too long"),
        (400, {"code": "content_policy_violation", "message": "no"}, Kind.RECORD, "no"),
        (400, {"param": "messages", "message": "messages must be short"}, Kind.RECORD, "short"),
        (400, {"param": "seed", "message": "?"}, Kind.PARAMETER, "400"),
        (400, {"message": "Unsupported parameter: 'max_completion_tokens'"}, Kind.PARAMETER, "400"),
        (422, {"message": "Extra inputs are not permitted: response_format"}, Kind.PARAMETER, "422"),
        (413, None, Kind.RECORD, "413"),
        (410, None, Kind.STOP_VARIANT, "410"),
        (405, None, Kind.STOP_RUN, "base_url"),
    ],
)
def test_what_each_status_calls_for(code: int, error: object, kind: Kind, words: str) -> None:
    failure = status(code, error)
    assert failure.kind is kind
    assert words in str(failure)
    assert "sk-canary-123" not in str(failure)
    assert "\n" not in str(failure)


def test_a_timeout_or_a_gateway_may_have_cost_and_a_refusal_has_not() -> None:
    codes = (400, 401, 408, 409, 429, 500, 502, 503, 504)
    assert [code for code in codes if status(code).may_have_cost] == [408, 502, 504]


@pytest.mark.parametrize("key", ["code", "error", "insufficient_quota", "message"])
def test_a_key_that_is_a_word_of_json_does_not_change_what_an_error_means(key: str) -> None:
    failure = status(429, {"code": "insufficient_quota", "message": f"none left for {key}"}, key=key)
    assert failure.kind is Kind.STOP_RUN
    assert "none left for [key removed]" in str(failure)
    assert key.encode() not in failure.raw


def test_hostile_error_text_is_made_visible() -> None:
    failure = status(500, {"message": "\x1b]0;owned\x07\u202e"})
    assert "\x1b" not in str(failure)
    assert "\u202e" not in str(failure)


def test_models_without_an_id_are_passed_over() -> None:
    listed = [{"id": "a", "owned_by": "x", "shutdown_date": "2027-01-14", "judge": "j"}, {"id": 5}, None, {"id": "b"}]
    found = parse_models(json.dumps({"data": listed}).encode())
    assert [(model.id, model.shutdown_date, model.judge) for model in found] == [
        ("a", "2027-01-14", "j"),
        ("b", "", ""),
    ]


@pytest.mark.parametrize("content", [b"", b"[", b"{}", b'"x"', b'{"data": 5}'])
def test_a_list_of_models_that_is_none(content: bytes) -> None:
    with pytest.raises(RequestFailed):
        parse_models(content)


def test_plain_http_beyond_this_machine_is_refused() -> None:
    for url in (
        "http://10.0.0.5/v1",
        "http://example.org",
        "ftp://127.0.0.1",
        "nonsense",
        "https://user:pw@example.org",
    ):
        with pytest.raises(UsageError):
            Endpoint("e", url).check()
    for url in ("http://127.0.0.1:8000/v1", "http://localhost/v1", "http://[::1]:1/v1", "https://example.org/v1"):
        Endpoint("e", url).check()
    Endpoint("e", "http://10.0.0.5/v1").check(insecure_http=True)


def test_an_unset_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    with pytest.raises(EndpointError, match="MY_KEY"):
        Endpoint("e", "https://example.org/v1", "MY_KEY").key()
    assert Endpoint("e", "https://example.org/v1").key() == ""
    assert Endpoint("e", "https://api.openai.com/v1").key() == "sk-other"


@pytest.mark.parametrize("key", ["sk-canary-\u00e9", "sk-canary\n", "sk-\x00canary", "sk-\ud800canary"])
def test_a_key_that_no_header_can_carry_is_named_by_its_variable(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", {"MY_KEY": key})
    with pytest.raises(EndpointError, match="the key in MY_KEY holds characters") as found:
        Endpoint("e", "https://example.org/v1", "MY_KEY").key()
    assert "canary" not in str(found.value)


async def _failure_at(url: str) -> RequestFailed:
    client = Client(Endpoint("there", url, timeout_s=5.0))
    try:
        with pytest.raises(RequestFailed) as found:
            await client.complete({"model": "m", "messages": []}, 1)
        return found.value
    finally:
        await client.close()


async def test_a_refused_connection_is_told_from_a_dropped_one() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        dropped = await _failure_at(f"http://127.0.0.1:{port}/v1")
    refused = await _failure_at(f"http://127.0.0.1:{port}/v1")
    assert dropped.kind is Kind.RETRY
    assert "lost" in str(dropped)
    assert refused.kind is Kind.UNREACHABLE
    assert "nobody answers for there" in str(refused)


async def test_a_silent_endpoint_is_retried() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        client = Client(Endpoint("slow", url, timeout_s=0.3))
        with pytest.raises(RequestFailed, match="within") as found:
            await client.complete({"model": "m", "messages": []}, 1)
        await client.close()
    assert found.value.kind is Kind.RETRY


async def test_redirects_are_not_followed() -> None:
    async def move(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/v1\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(move, "127.0.0.1", 0) as server:
        failure = await _failure_at(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
    assert failure.kind is Kind.STOP_RUN
    assert "base_url" in str(failure)
