"""What a failed attempt at an endpoint calls for, and what its headers and error body say."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

RAW_LIMIT: Final = 65_536
"""Bytes of a failed reply that are kept."""


class Kind(StrEnum):
    """What a failed attempt calls for."""

    RETRY = "retry"
    RATE_LIMIT = "rate_limit"
    UNREACHABLE = "unreachable"
    STOP_RUN = "stop_run"
    STOP_VARIANT = "stop_variant"
    PARAMETER = "parameter"
    RECORD = "record"


class RequestFailed(Exception):
    """One attempt that brought no usable reply. The message is one line with the cause and, if known, the fix."""

    def __init__(
        self,
        kind: Kind,
        message: str,
        raw: bytes = b"",
        retry_after: float | None = None,
        parameter: str = "",
        may_have_cost: bool = False,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.raw = raw[:RAW_LIMIT]
        self.retry_after = retry_after
        self.parameter = parameter
        self.may_have_cost = may_have_cost
        """Whether the endpoint may have worked on it and charge for that, without a word on how much."""


_PARAMETERS: Final = (
    "max_completion_tokens",
    "max_tokens",
    "response_format",
    "temperature",
    "top_p",
    "seed",
    "n",
)


def error_of(content: bytes) -> tuple[str, str, str]:
    """Code, refused parameter (empty where the error is not about one of ours) and message of an error body."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return "", "", ""
    error = body.get("error", body) if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "", "", str(error or "")
    code = str(error.get("code") or error.get("type") or "")
    message = str(error.get("message") or error.get("detail") or "")
    return code, _refused_parameter(str(error.get("param") or ""), code, message), message


def _refused_parameter(named: str, code: str, message: str) -> str:
    if named in _PARAMETERS:
        return named
    text = message.lower()
    refusing = re.search(r"unsupported|not supported|unknown|unrecognized|unexpected|extra|not permitted|must be", text)
    if named or not (refusing or "unsupported" in code):
        return ""
    return next((name for name in _PARAMETERS if re.search(rf"(?<![a-z_]){name}(?![a-z_])", text)), "")


_DURATION: Final = re.compile(r"(?:(\d+(?:\.\d+)?)(ms|h|m|s))")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_DURATION: Final = 64
"""Characters of a header that can be a duration or a date."""


def _duration(text: str, sent_at: str) -> float | None:
    """Seconds in `7`, `1.5`, `1m30s`, `250ms`, or until an HTTP date; None where it is none of these or negative.

    A date counts from when the server says it sent it: our clock may be hours away from its own.
    """
    value = text.strip()
    if len(value) > _LONGEST_DURATION:
        return None
    if re.fullmatch(r"\d+(?:\.\d+)?", value):
        return float(value)
    if value and "".join(found.group(0) for found in _DURATION.finditer(value)) == value:
        return sum(float(amount) * _SECONDS[unit] for amount, unit in _DURATION.findall(value))
    until = _moment(value)
    if until is None:
        return None
    now = _moment(sent_at)
    return max(0.0, until - (time.time() if now is None else now))


def _moment(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How long the server asks to wait, in seconds; None where it does not say or says nonsense."""
    milliseconds = headers.get("retry-after-ms", "").strip()
    if re.fullmatch(r"\d+(?:\.\d+)?", milliseconds) and (asked := _bounded(float(milliseconds) / 1000)) is not None:
        return asked
    if (asked := _wait(headers, "retry-after")) is not None:
        return asked
    resets = ("x-ratelimit-reset-requests", "x-ratelimit-reset-tokens", "x-ratelimit-reset")
    return max((found for name in resets if (found := _wait(headers, name)) is not None), default=None)


def _wait(headers: Mapping[str, str], name: str) -> float | None:
    return _bounded(_duration(headers[name], headers.get("date", ""))) if name in headers else None


def _bounded(found: float | None) -> float | None:
    return found if found is not None and found < 86_400 * 7 else None
