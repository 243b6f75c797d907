"""The shapes on the wire: reading a chat request, building completions, model lists and errors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from emaudit.simulator.judging import JUDGE_MODELS, noise_of
from emaudit.simulator.latent import VARIANT_MODELS

OWNER: Final = "emaudit-simulator"
FINGERPRINT: Final = "emaudit-sim"
JUDGE: Final = "sim-judge"
SHUTDOWN_DATE: Final = "2027-01-14"
CREATED: Final = 1_767_225_600
MOST_CHOICES: Final = 128


class RequestRefused(Exception):
    """A request answered with an OpenAI-style error."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}


@dataclass(frozen=True)
class ChatRequest:
    """A chat request as far as the simulator looks at it."""

    model: str
    messages: tuple[tuple[str, str], ...]
    n: int = 1
    seed: int | None = None
    max_tokens: int | None = None
    schema_keys: tuple[str, ...] = ()
    given: frozenset[str] = frozenset()
    """The names of all parameters sent."""

    @cached_property
    def kind(self) -> str:
        """`judge` for a request to a judge, else `ask`."""
        return "ask" if noise_of(self.model) is None else "judge"

    @cached_property
    def conversation(self) -> str:
        """All messages as one string: what a reply depends on."""
        return "\x1e".join(f"{role}\x1f{text}" for role, text in self.messages)

    @property
    def system(self) -> str:
        """The text of all system messages."""
        return "\n".join(text for role, text in self.messages if role in ("system", "developer"))

    @property
    def asked(self) -> str:
        """The text of the last user message."""
        return next((text for role, text in reversed(self.messages) if role == "user"), "")

    @cached_property
    def prompt_hash(self) -> str:
        """16 hex digits over model and conversation, for the log."""
        subject = f"{self.model}\x1d{self.conversation}"
        return blake2b(subject.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


class Choice(NamedTuple):
    """One choice of a completion."""

    content: str | None
    refusal: str | None = None
    finish_reason: str = "stop"


def _refuse(param: str, message: str) -> RequestRefused:
    return RequestRefused(400, message, param=param, code="invalid_type")


def read_request(body: bytes) -> ChatRequest:
    """Read a chat request. Unknown parameters are ignored; raises RequestRefused (400) on wrong types."""
    try:
        data = json.loads(body)
    except ValueError:
        raise RequestRefused(400, "The body of your request is not valid JSON.") from None
    if not isinstance(data, dict):
        raise RequestRefused(400, "The body of your request is not a JSON object.")
    model = data.get("model")
    if not isinstance(model, str) or not model:
        raise _refuse("model", "You must provide a model, as a string.")
    n = _whole(data, "n", 1)
    if n is not None and not 1 <= n <= MOST_CHOICES:
        raise _refuse("n", f"Invalid 'n': must be between 1 and {MOST_CHOICES}.")
    if data.get("stream"):
        raise RequestRefused(400, "This endpoint does not stream.", param="stream", code="unsupported_value")
    for name in ("temperature", "top_p"):
        if data.get(name) is not None and (isinstance(data[name], bool) or not isinstance(data[name], int | float)):
            raise _refuse(name, f"Invalid type for '{name}': expected a number.")
    return ChatRequest(
        model,
        _messages(data.get("messages")),
        n or 1,
        _whole(data, "seed"),
        _whole(data, "max_completion_tokens", 1) or _whole(data, "max_tokens", 1),
        _schema_keys(data.get("response_format")),
        frozenset(name for name, value in data.items() if value is not None),
    )


def _whole(data: Mapping[str, Any], name: str, least: int | None = None) -> int | None:
    value = data.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise _refuse(name, f"Invalid type for '{name}': expected an integer.")
    if least is not None and value < least:
        raise _refuse(name, f"Invalid '{name}': must be at least {least}.")
    return value


def _messages(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, list) or not value:
        raise _refuse("messages", "Invalid 'messages': expected a non-empty array.")
    return tuple(_message(index, each) for index, each in enumerate(value))


def _message(index: int, message: object) -> tuple[str, str]:
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        raise _refuse(f"messages[{index}]", f"Invalid 'messages[{index}]': expected an object with a role.")
    content = message.get("content")
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        texts = [part.get("text") for part in content]
        content = "\n".join(text for text in texts if isinstance(text, str))
    if not isinstance(content, str):
        where = f"messages[{index}].content"
        raise _refuse(where, f"Invalid type for '{where}': expected a string.")
    return message["role"], content


def _schema_keys(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, dict) or value.get("type") not in ("text", "json_object", "json_schema"):
        raise _refuse("response_format", "Invalid 'response_format': expected an object with a known type.")
    if value["type"] != "json_schema":
        return ()
    named = value.get("json_schema")
    schema = named.get("schema") if isinstance(named, dict) else None
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict):
        raise _refuse("response_format.json_schema", "Invalid 'json_schema': expected a schema with properties.")
    return tuple(properties)


def _tokens(text: str) -> int:
    return -(-len(text) // 4)


def prompt_tokens(request: ChatRequest) -> int:
    """A token for every 4 characters begun, and 3 more for each message."""
    return sum(3 + _tokens(text) for _, text in request.messages)


def usage(request: ChatRequest, choices: Sequence[Choice]) -> dict[str, int]:
    """Token counts by a simple rule: `prompt_tokens`, and for each choice a token for every 4 characters begun."""
    asked = prompt_tokens(request)
    answered = sum(_tokens(choice.content or choice.refusal or "") for choice in choices)
    return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}


def limited(choice: Choice, max_tokens: int | None) -> Choice:
    """The choice, cut where it is longer than the tokens allowed."""
    if max_tokens is None or choice.content is None or _tokens(choice.content) <= max_tokens:
        return choice
    return choice._replace(content=choice.content[: 4 * max_tokens], finish_reason="length")


def completion(request: ChatRequest, choices: Sequence[Choice], identity: str) -> dict[str, Any]:
    """The body of a chat completion."""
    return {
        "id": identity,
        "object": "chat.completion",
        "created": CREATED,
        "model": request.model,
        "system_fingerprint": FINGERPRINT,
        "choices": [_choice(index, choice) for index, choice in enumerate(choices)],
        "usage": usage(request, choices),
    }


def _choice(index: int, choice: Choice) -> dict[str, Any]:
    message = {"role": "assistant", "content": choice.content, "refusal": choice.refusal}
    return {"index": index, "message": message, "logprobs": None, "finish_reason": choice.finish_reason}


def model_entry(model: str) -> dict[str, Any]:
    """A model as `/v1/models` lists it; variants have a shutdown date and advertise their judge."""
    entry: dict[str, Any] = {"id": model, "object": "model", "created": CREATED, "owned_by": OWNER}
    if model in VARIANT_MODELS:
        entry |= {"shutdown_date": SHUTDOWN_DATE, "judge": JUDGE}
    return entry


def model_list() -> dict[str, Any]:
    """The body of `/v1/models`."""
    return {"object": "list", "data": [model_entry(model) for model in (*VARIANT_MODELS, *JUDGE_MODELS)]}


def unknown_model(model: str) -> RequestRefused:
    """404: there is no such model here."""
    message = f"The model '{model}' does not exist or you do not have access to it."
    return RequestRefused(404, message, code="model_not_found")
