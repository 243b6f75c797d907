"""Error statuses on demand, each with the body that real endpoints send with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, NamedTuple

_JSON: Final = "application/json"
_HTML: Final = "text/html"


class Refusal(NamedTuple):
    """One answer with an error status: in one line what it says, its status, body and content type."""

    line: str
    status: int
    body: bytes
    content_type: str = _JSON


def _error(line: str, status: int, message: str, code: str | None, kind: str, param: str | None = None) -> Refusal:
    body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return Refusal(line, status, json.dumps(body).encode())


_INVALID: Final = "invalid_request_error"
_PAGE: Final = b"<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>"
_CONTROLS: Final = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\r\nsecond line\x00 [/red] [@click=app.quit]x[/]"

REFUSALS: Final[Mapping[str, Refusal]] = {
    "400-context": _error(
        *("the prompt is longer than the context", 400, "This model's maximum context length is 10 tokens."),
        *("context_length_exceeded", _INVALID, "messages"),
    ),
    "400-policy": _error(
        *("the content policy refuses the prompt", 400, "Your request was rejected by our safety system."),
        *("content_policy_violation", _INVALID),
    ),
    "400-prompt": _error("the prompt is invalid", 400, "Invalid prompt.", "invalid_prompt", _INVALID),
    "400-unasked": _error(
        *("a parameter is refused that nobody sends", 400, "Unsupported parameter: 'logit_bias'."),
        *("unsupported_parameter", _INVALID, "logit_bias"),
    ),
    "400-unsent": _error(
        *("a parameter is refused that was not sent", 400, "Unsupported parameter: 'max_tokens'."),
        *("unsupported_parameter", _INVALID, "max_tokens"),
    ),
    "400-text": Refusal("a word of plain text", 400, b"Bad Request", "text/plain"),
    "400-empty": Refusal("no body at all", 400, b""),
    "401-key": _error("the key is wrong", 401, "Incorrect API key provided.", "invalid_api_key", _INVALID),
    "402-billing": _error("no money", 402, "Your account is not active.", "billing_not_active", "billing_error"),
    "403-region": _error("the country is refused", 403, "Country not supported.", "unsupported_country", _INVALID),
    "404-model": _error("the model is gone", 404, "The model has been shut down.", "model_not_found", _INVALID),
    "404-page": Refusal("there is no such page", 404, b"<html><body>Not Found</body></html>", _HTML),
    "429-rate": _error("too many requests", 429, "Rate limit reached.", "rate_limit_exceeded", "requests"),
    "429-page": Refusal("too many requests, as a page of HTML", 429, _PAGE.replace(b"502", b"429"), _HTML),
    "429-quota": _error(
        "the quota is spent", 429, "You exceeded your quota.", "insufficient_quota", "insufficient_quota"
    ),
    "429-billing": _error("a billing limit", 429, "Billing hard limit.", "billing_hard_limit_reached", "billing"),
    "429-deactivated": _error("the account is closed", 429, "Deactivated.", "account_deactivated", _INVALID),
    "500-text": Refusal("a word of plain text", 500, b"Internal Server Error", "text/plain"),
    "500-controls": _error("terminal escapes and markup in the message", 500, _CONTROLS, _CONTROLS, "server_error"),
    "500-huge": Refusal("a megabyte of text", 500, b"failed " * 150_000, "text/plain"),
    "502-page": Refusal("a gateway's page of HTML", 502, _PAGE, _HTML),
    "529-overloaded": _error("overloaded", 529, "Overloaded.", None, "overloaded_error"),
}
"""Every named refusal."""


def refusal(name: str) -> Refusal | None:
    """A refusal by its name, or by a bare status from 300 to 599; None where it is neither."""
    if name in REFUSALS:
        return REFUSALS[name]
    if not (len(name) == 3 and name.isascii() and name.isdigit() and 300 <= int(name) <= 599):
        return None
    status = int(name)
    known = status in HTTPStatus._value2member_map_
    said = HTTPStatus(status).phrase if known else "No such status"
    return _error(said.lower(), status, f"{said}.", None, "server_error" if status >= 500 else _INVALID)
