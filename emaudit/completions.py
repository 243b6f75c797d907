"""The shape of what an endpoint sends under HTTP 200: checked before anything of it is touched."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from emaudit.assessments.base import Outcome
from emaudit.failures import Kind, RequestFailed
from emaudit.text import one_line, storable

TEXT_LIMIT: Final = 1 << 20
"""Characters of one reply that are kept; of a longer one also its size and hash."""
_NAME_LIMIT: Final = 1_000
"""Characters kept of a model's name, a fingerprint, a finish reason."""
_DEPTH_LIMIT: Final = 32
_TOO_DEEP: Final = "(nested too deep to be kept)"


@dataclass(frozen=True, slots=True)
class Choice:
    """One well-formed choice: the content verbatim (lone surrogates replaced), and what came with it."""

    text: str
    outcome: Outcome
    finish_reason: str
    refusal: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Completion:
    """A reply under HTTP 200. `choices[i]` is None where choice i was missing or malformed."""

    choices: Sequence[Choice | None]
    model: str
    fingerprint: str
    prompt_tokens: int | None
    completion_tokens: int | None
    raw: bytes


@dataclass(frozen=True, slots=True)
class Model:
    """A model the endpoint lists. `judge` and `shutdown_date` are empty where it says nothing."""

    id: str
    owned_by: str
    created: int
    shutdown_date: str
    judge: str


def parse_completion(content: bytes, n: int) -> Completion:
    """Check the shape of a chat completion. Raises RequestFailed (`malformed reply`) where no choice is well formed."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _malformed(f"not JSON ({type(error).__name__})", content) from None
    if not isinstance(body, dict):
        raise _malformed("not a JSON object", content)
    if body.get("error"):
        raise _malformed(f"an error under HTTP 200: {one_line(str(body['error']), 200)}", content)
    listed = body.get("choices")
    if not isinstance(listed, list) or not listed:
        raise _malformed("no choices", content)
    reported = body.get("usage")
    usage = reported if isinstance(reported, dict) else {}
    choices = _in_order([_choice(found) for found in listed], listed, n)
    if not any(choices):
        raise _malformed("no choice with text content", content)
    return Completion(
        choices,
        _name(body.get("model")),
        _name(body.get("system_fingerprint")),
        _count(usage.get("prompt_tokens")),
        _count(usage.get("completion_tokens")),
        content if None in choices else b"",
    )


def _malformed(why: str, content: bytes) -> RequestFailed:
    return RequestFailed(Kind.RETRY, f"malformed reply: {why}", content, may_have_cost=True)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 62 else None


def _name(value: object) -> str:
    """What stands where a short text is expected: that text, or whatever else it is, in words."""
    return storable(str(value or "")[:_NAME_LIMIT])


def _in_order(found: Sequence[Choice | None], listed: Sequence[Any], n: int) -> list[Choice | None]:
    """The choices by their index where every index is sound, else as they stand; at most n."""
    reported = [choice.get("index") if isinstance(choice, dict) else None for choice in listed]
    indices = [index for index in reported if type(index) is int and 0 <= index < max(n, len(listed))]
    if len(set(indices)) != len(listed):
        return list(found[:n])
    placed: list[Choice | None] = [None] * (max(indices) + 1)
    for index, choice in zip(indices, found, strict=True):
        placed[index] = choice
    return placed[:n]


def _choice(found: object) -> Choice | None:
    """One choice, or None where it is malformed."""
    if not isinstance(found, dict) or not isinstance(found.get("message"), dict):
        return None
    message = found["message"]
    content, refusal = message.get("content"), message.get("refusal")
    finish = _name(found.get("finish_reason"))
    extra = {key: message[key] for key in ("tool_calls", "reasoning_content", "reasoning") if message.get(key)}
    if content is not None and not isinstance(content, str):
        return None
    refused = storable(refusal)[:TEXT_LIMIT] if isinstance(refusal, str) else ""
    if content is None and not refused and not extra and finish not in {"content_filter", "length"}:
        return None
    text, cut = _cut(storable(content or ""))
    return Choice(text, _outcome(text, finish, refused), finish, refused, _storable_json(extra) | cut)


def _storable_json(extra: dict[str, Any]) -> dict[str, Any]:
    if not extra:
        return extra
    text = storable(
        json.dumps({key: _shallow(value, _DEPTH_LIMIT) for key, value in extra.items()}, ensure_ascii=False)
    )
    if len(text) > TEXT_LIMIT:
        kept, cut = _cut(text)
        return {"beside_the_text": kept, **cut}
    found: dict[str, Any] = json.loads(text)
    return found


def _shallow(value: object, left: int) -> object:
    """The value without what is nested deeper than some levels."""
    if not isinstance(value, list | dict):
        return value
    if not left:
        return _TOO_DEEP
    if isinstance(value, list):
        return [_shallow(each, left - 1) for each in value]
    return {key: _shallow(each, left - 1) for key, each in value.items()}


def _cut(text: str) -> tuple[str, dict[str, Any]]:
    if len(text) <= TEXT_LIMIT:
        return text, {}
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return text[:TEXT_LIMIT], {"cut_from_characters": len(text), "sha256": digest}


def _outcome(text: str, finish: str, refusal: str) -> Outcome:
    if finish == "content_filter":
        return Outcome.CONTENT_FILTER
    if not text.strip():
        if refusal:
            return Outcome.REFUSAL
        return Outcome.TRUNCATED if finish == "length" else Outcome.EMPTY
    return Outcome.TRUNCATED if finish == "length" else Outcome.OK


def parse_models(content: bytes) -> list[Model]:
    """The models in a listing; entries without an id are passed over. Raises RequestFailed."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        raise _malformed("the list of models is not JSON", content) from None
    listed = body.get("data") if isinstance(body, dict) else body
    if not isinstance(listed, list):
        raise _malformed("no list of models", content)
    return [
        Model(
            storable(found["id"]),
            storable(str(found.get("owned_by") or "")),
            _count(found.get("created")) or 0,
            storable(str(found.get("shutdown_date") or "")),
            storable(str(found.get("judge") or "")),
        )
        for found in listed
        if isinstance(found, dict) and isinstance(found.get("id"), str)
    ]
