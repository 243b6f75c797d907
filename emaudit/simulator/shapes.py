"""Bodies under HTTP 200 that are not what a client hopes for: some cannot be read, some must be read all the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

Whole = dict[str, Any]

_JSON: Final = "application/json"
_HTML: Final = "text/html; charset=utf-8"
_PORTAL: Final = b"""<!doctype html><html><head><meta http-equiv="refresh" content="0; url=https://portal.invalid/"></head>
<body><h1>Sign in to this network</h1></body></html>"""
_LONG: Final = 10 * 1024 * 1024
_NESTED: Final = 200_000
_DIGITS: Final = 5_000


class Shape(NamedTuple):
    """One kind of body: in one line what is wrong, how a whole body becomes it, and whether it holds every answer."""

    line: str
    make: Callable[[Whole], bytes]
    sound: bool = False
    """Whether every choice asked for can be read from it."""
    content_type: str = _JSON


def _text(body: bytes) -> Callable[[Whole], bytes]:
    return lambda whole: body


def _whole(change: Callable[[Whole], Whole]) -> Callable[[Whole], bytes]:
    return lambda whole: json.dumps(change(whole)).encode()


def _put(**fields: object) -> Callable[[Whole], bytes]:
    return _whole(lambda whole: {**whole, **fields})


def _without(*names: str) -> Callable[[Whole], bytes]:
    return _whole(lambda whole: {name: value for name, value in whole.items() if name not in names})


def _each(change: Callable[[int, Whole], object]) -> Callable[[Whole], bytes]:
    """Every choice changed."""
    return _whole(
        lambda whole: {**whole, "choices": [change(index, choice) for index, choice in enumerate(whole["choices"])]}
    )


def _first(change: Callable[[int, Whole], object]) -> Callable[[Whole], bytes]:
    """The first choice changed."""
    return _each(lambda index, choice: change(index, choice) if index == 0 else choice)


def _message(**fields: object) -> Callable[[int, Whole], Whole]:
    return lambda _, choice: {**choice, "message": {**choice["message"], **fields}}


def _saying(said: str) -> Callable[[int, Whole], Whole]:
    """A choice with something put before its text."""
    return lambda _, choice: {
        **choice,
        "message": {**choice["message"], "content": said + (choice["message"]["content"] or "")},
    }


def _index(index_of: Callable[[int], object]) -> Callable[[Whole], bytes]:
    return _each(lambda index, choice: {**choice, "index": index_of(index)})


def _bare(_: int, choice: Whole) -> Whole:
    return {name: value for name, value in choice.items() if name != "message"}


def _bad_utf8(whole: Whole) -> bytes:
    return json.dumps(whole).encode().replace(b'"content": "', b'"content": "\xff\xfe', 1)


def _finish(reason: object) -> Callable[[int, Whole], Whole]:
    return lambda _, choice: {**choice, "finish_reason": reason}


def _tool_call_of(depth: int) -> Callable[[int, Whole], Whole]:
    """A choice that calls a tool with an argument nested so deep."""
    argument: object = {}
    for _ in range(depth):
        argument = [argument]
    call = {"id": "call_1", "type": "function", "function": {"name": "search", "arguments": argument}}

    def make(_: int, choice: Whole) -> Whole:
        message = {**choice["message"], "content": None, "tool_calls": [call]}
        return {**choice, "message": message, "finish_reason": "tool_calls"}

    return make


def _refused_at_length(whole: Whole) -> bytes:
    short = {**whole, "choices": [_message(content=None, refusal="No.")(0, choice) for choice in whole["choices"]]}
    short["choices"][0]["message"]["refusal"] = "No. " * (_LONG // 4)
    return json.dumps(short).encode()


def _names_at_length(whole: Whole) -> bytes:
    long = "x" * (1 << 20)
    named = {**whole, "model": long, "system_fingerprint": whole["system_fingerprint"] + long}
    named["choices"] = [{**choice, "finish_reason": long} for choice in whole["choices"]]
    return json.dumps(named).encode()


SHAPES: Final[Mapping[str, Shape]] = {
    "choices-missing": Shape("no `choices`", _without("choices")),
    "choices-null": Shape("`choices` is null", _put(choices=None)),
    "choices-empty": Shape("`choices` is an empty list", _put(choices=[])),
    "choices-object": Shape("`choices` is an object", _put(choices={"0": {}})),
    "choice-null": Shape("every choice is null", _each(lambda *_: None)),
    "choice-text": Shape("every choice is a text", _each(lambda *_: "(simulated)")),
    "message-missing": Shape("no `message` in any choice", _each(_bare)),
    "message-null": Shape("`message` is null", _each(lambda _, choice: {**choice, "message": None})),
    "message-text": Shape("`message` is a text", _each(lambda _, choice: {**choice, "message": "(simulated)"})),
    "content-missing": Shape("no `content`", _each(lambda _, choice: {**choice, "message": {"role": "assistant"}})),
    "content-null": Shape("`content` is null", _each(_message(content=None))),
    "content-list": Shape("`content` is a list of parts", _each(_message(content=[{"type": "text", "text": "a"}]))),
    "content-number": Shape("`content` is an integer", _each(_message(content=3))),
    "content-object": Shape("`content` is an object", _each(_message(content={"text": "(simulated)"}))),
    "error-object": Shape("an `error` object", _text(b'{"error": {"message": "upstream failed", "code": 502}}')),
    "error-beside": Shape("an `error` object beside choices", _put(error={"message": "upstream failed"})),
    "error-text": Shape("`error` is a text", _text(b'{"error": "upstream failed"}')),
    "html": Shape("a page of HTML", _text(b"<html><body>Bad gateway</body></html>"), content_type=_HTML),
    "portal": Shape("a captive portal's page", _text(_PORTAL), content_type=_HTML),
    "nothing": Shape("no bytes at all", _text(b"")),
    "null": Shape("null", _text(b"null")),
    "list": Shape("a list", _text(b"[]")),
    "string": Shape("a text", _text(b'"ok"')),
    "number": Shape("a number", _text(b"200")),
    "stream": Shape(
        "events of a stream", lambda whole: b"data: " + json.dumps(whole).encode() + b"\n\ndata: [DONE]\n\n"
    ),
    "truncated": Shape("JSON without its last 40 bytes", lambda whole: json.dumps(whole).encode()[:-40]),
    "twice": Shape("the JSON twice", lambda whole: json.dumps(whole).encode() * 2),
    "bad-utf8": Shape("bytes that are no UTF-8", _bad_utf8),
    "binary": Shape("bytes that are no text", _text(bytes(range(256)) * 64), content_type="application/octet-stream"),
    "deep": Shape("lists 200,000 deep", _text(b"[" * _NESTED + b"]" * _NESTED)),
    "digits": Shape("a token count of 5,000 digits", lambda whole: _with_count(whole, b"9" * _DIGITS)),
    "one-bad": Shape("the first choice has no text", _first(_message(content=None))),
    "fewer": Shape("half the choices asked for", _whole(lambda whole: {**whole, "choices": _half(whole["choices"])})),
    "more": Shape("twice the choices asked for", _whole(lambda w: {**w, "choices": w["choices"] * 2}), True),
    "surrogates": Shape("lone surrogates in the text", _each(_saying("\ud83d x \udc00 ")), True),
    "nul": Shape("NUL in the text", _each(_saying("a\x00b ")), True),
    "escapes": Shape("terminal escapes in the text", _each(_saying("\x1b]0;owned\x07\x1b[2J\x9b31m ")), True),
    "long": Shape("10 MB of text", _first(_saying("long " * (_LONG // 5))), True),
    "finish-unknown": Shape("an unknown finish reason", _each(_finish("some_new_reason")), True),
    "finish-null": Shape("no finish reason", _each(_finish(None)), True),
    "finish-number": Shape("a number as finish reason", _each(_finish(7)), True),
    "tool-calls": Shape("a tool call and no text", _each(_tool_call_of(0)), True),
    "tool-calls-deep": Shape("a tool call nested 300 deep, and no text", _each(_tool_call_of(300)), True),
    "reasoning-long": Shape(
        "10 MB of reasoning beside the text", _first(_message(reasoning_content="hm " * (_LONG // 3))), True
    ),
    "reasoning": Shape("`reasoning_content` beside the text", _each(_message(reasoning_content="I think ...")), True),
    "refusal": Shape("a `refusal` and no text", _each(_message(content=None, refusal="I can't help with that.")), True),
    "refusal-long": Shape("a `refusal` of 10 MB and no text", _refused_at_length, True),
    "blank": Shape("an empty text", _each(_message(content="")), True),
    "index-twice": Shape("index 0 on every choice", _index(lambda _: 0), True),
    "index-negative": Shape("negative indices", _index(lambda index: -1 - index), True),
    "index-huge": Shape("indices of 30 digits", _index(lambda index: 10**30 + index), True),
    "index-text": Shape("indices that are texts", _index(str), True),
    "index-reversed": Shape(
        "choices in reverse, by their index", _whole(lambda w: {**w, "choices": w["choices"][::-1]}), True
    ),
    "usage-missing": Shape("no `usage`", _without("usage"), True),
    "usage-huge": Shape(
        "token counts of 30 digits", _put(usage={"prompt_tokens": 10**30, "completion_tokens": 10**30}), True
    ),
    "usage-text": Shape("token counts that are texts", _put(usage={"prompt_tokens": "many"}), True),
    "usage-negative": Shape("negative token counts", _put(usage={"prompt_tokens": -5, "completion_tokens": -5}), True),
    "model-number": Shape("a number as model name", _put(model=7), True),
    "model-missing": Shape("no model name", _without("model"), True),
    "names-long": Shape("a megabyte of model name, fingerprint and finish reason", _names_at_length, True),
    "extra-fields": Shape("fields nobody knows", _put(x_new={"a": [1, None]}, warning="\x1b[31m"), True),
    "error-null": Shape("`error` is null beside choices", _put(error=None), True),
    "bom": Shape("a byte order mark first", lambda whole: b"\xef\xbb\xbf" + json.dumps(whole).encode(), True),
    "typed-text": Shape("said to be plain text", lambda whole: json.dumps(whole).encode(), True, "text/plain"),
}
"""Every shape by its name."""


def _half(choices: list[Whole]) -> list[Whole]:
    return choices[: max(1, len(choices) // 2)]


def _with_count(whole: Whole, digits: bytes) -> bytes:
    counted = {**whole, "usage": {"prompt_tokens": 0}}
    return json.dumps(counted).encode().replace(b'"prompt_tokens": 0', b'"prompt_tokens": ' + digits)


MALFORMED: Final = (
    *("truncated", "html", "choices-null", "choices-empty", "message-missing", "content-list", "content-number"),
    *("bad-utf8", "error-object", "choices-missing"),
)
"""What `malformed` sends, in turn."""
