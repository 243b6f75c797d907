"""One HTTP attempt against an OpenAI-compatible endpoint, and what its outcome means. The one importer of openai.

Retries belong to `asking`: here `max_retries` is 0, redirects are off, and the shape of a reply is checked
before anything of it is touched.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Final

from emaudit.assessments.base import Outcome
from emaudit.config import Endpoint
from emaudit.text import one_line, scrubbed, storable

TEXT_LIMIT: Final = 1 << 20
"""Characters of one reply that are kept; of a longer one also its size and hash."""
RAW_LIMIT: Final = 65_536


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
        self, kind: Kind, message: str, raw: bytes = b"", retry_after: float | None = None, parameter: str = ""
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.raw = raw[:RAW_LIMIT]
        self.retry_after = retry_after
        self.parameter = parameter


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


class Client:
    """A connection pool to one endpoint."""

    def __init__(self, endpoint: Endpoint, insecure_http: bool = False) -> None:
        import httpx2
        import openai

        endpoint.check(insecure_http)
        self.endpoint = endpoint
        key = endpoint.key()
        self._secrets = (key,)
        self._response_type = httpx2.Response
        self._options: Any = {} if key else {"headers": {"Authorization": openai.omit}}
        self._openai = openai.AsyncOpenAI(
            api_key=key or "none",
            base_url=endpoint.base_url,
            max_retries=0,
            timeout=httpx2.Timeout(endpoint.timeout_s, connect=min(20.0, endpoint.timeout_s)),
            http_client=openai.DefaultAioHttpClient(
                follow_redirects=False,
                limits=httpx2.Limits(max_connections=2048, max_keepalive_connections=1024),
            ),
        )

    async def complete(self, body: Mapping[str, Any], n: int) -> Completion:
        """Send one chat completion request and check what came back. Raises RequestFailed."""
        response = await self._send("post", "/chat/completions", body)
        return parse_completion(response, n)

    async def models(self) -> list[Model]:
        """The models the endpoint lists. Raises RequestFailed."""
        return parse_models(await self._send("get", "/models", None))

    async def close(self) -> None:
        """Close the pool."""
        await self._openai.close()

    async def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> bytes:
        import httpx2
        import openai

        try:
            if method == "get":
                response = await self._openai.get(path, cast_to=self._response_type, options=self._options)
            else:
                response = await self._openai.post(path, cast_to=self._response_type, body=body, options=self._options)
            return response.content
        except openai.APIConnectionError as error:
            raise self._connection_failure(error) from None
        except openai.APIStatusError as error:
            raise self._status_failure(error.status_code, error.response.headers, error.response.content) from None
        except openai.OpenAIError as error:
            raise RequestFailed(Kind.RETRY, self._said(error)) from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            raise RequestFailed(Kind.RETRY, self._said(error)) from None

    def _said(self, error: BaseException) -> str:
        return scrubbed(one_line(f"{type(error).__name__}: {error}", 300), self._secrets)

    def _connection_failure(self, error: BaseException) -> RequestFailed:
        chain = _causes(error)
        deepest = self._said(chain[-1])
        where = f"{self.endpoint.name} at {self.endpoint.base_url}"
        if any(isinstance(cause, ssl.SSLError) or "ssl" in type(cause).__name__.lower() for cause in chain):
            return RequestFailed(Kind.STOP_RUN, f"TLS failed with {where}: {deepest}; check the address and the clock")
        if any(_nobody_there(cause) for cause in chain):
            return RequestFailed(
                Kind.UNREACHABLE, f"nobody answers for {where}: {deepest}; start it, or correct base_url"
            )
        if isinstance(chain[-1], TimeoutError) or "Timeout" in type(chain[-1]).__name__:
            return RequestFailed(Kind.RETRY, f"no answer from {where} within {self.endpoint.timeout_s:g} s")
        return RequestFailed(Kind.RETRY, f"connection to {where} lost: {deepest}")

    def _status_failure(self, status: int, headers: Mapping[str, str], content: bytes) -> RequestFailed:
        code, parameter, message = _error_of(content)
        said = scrubbed(one_line(message or content[:300].decode("utf-8", "replace"), 300), self._secrets)
        where = f"endpoint {self.endpoint.name!r}"
        if 300 <= status < 400:
            target = scrubbed(one_line(headers.get("location", "elsewhere"), 200), self._secrets)
            return RequestFailed(Kind.STOP_RUN, f"{where} redirects to {target}: put the final address in base_url")
        if status in (401, 403):
            fix = f"check the key in {self.endpoint.api_key_env or 'api_key_env (none is set for it)'}"
            return RequestFailed(Kind.STOP_RUN, f"{where} refuses the key (HTTP {status}: {said}): {fix}", content)
        if status == 402 or _is_billing(code):
            return RequestFailed(Kind.STOP_RUN, f"{where}: quota or billing ({said}): add credit, then resume", content)
        if status == 429:
            return RequestFailed(Kind.RATE_LIMIT, f"{where} limits the rate: {said}", content, retry_after(headers))
        if status == 404:
            return RequestFailed(
                Kind.STOP_VARIANT, f"model gone or unknown at {where} (HTTP 404: {said}): check its id", content
            )
        if status in (408, 409, 425) or status >= 500:
            return RequestFailed(Kind.RETRY, f"{where}: HTTP {status}: {said}", content, retry_after(headers))
        if status in (400, 422) and parameter:
            return RequestFailed(Kind.PARAMETER, f"{where}: HTTP {status}: {said}", content, parameter=parameter)
        return RequestFailed(Kind.RECORD, f"HTTP {status}: {said}", content)


def _causes(error: BaseException) -> list[BaseException]:
    chain = [error]
    while (inner := chain[-1].__cause__ or chain[-1].__context__) is not None and inner not in chain:
        chain.append(inner)
    return chain


def _nobody_there(cause: BaseException) -> bool:
    return isinstance(cause, ConnectionRefusedError) or type(cause).__name__ in {
        "ClientConnectorError",
        "ClientConnectorDNSError",
        "ConnectionTimeoutError",
        "gaierror",
    }


def _is_billing(code: str) -> bool:
    return code in {"insufficient_quota", "account_deactivated"} or code.startswith("billing")


_PARAMETERS: Final = (
    "max_completion_tokens",
    "max_tokens",
    "response_format",
    "temperature",
    "top_p",
    "seed",
    "n",
)


def _error_of(content: bytes) -> tuple[str, str, str]:
    """Code, refused parameter (empty where the error is not about one of ours) and message of an error body."""
    try:
        body = json.loads(content)
    except ValueError:
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


def _duration(text: str) -> float | None:
    """Seconds in `7`, `1.5`, `1m30s`, `250ms`, or an HTTP date; None where it is none of these or negative."""
    value = text.strip()
    if re.fullmatch(r"\d+(?:\.\d+)?", value):
        return float(value)
    if value and "".join(found.group(0) for found in _DURATION.finditer(value)) == value:
        return sum(float(amount) * _SECONDS[unit] for amount, unit in _DURATION.findall(value))
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How long the server asks to wait, in seconds; None where it does not say or says nonsense."""
    milliseconds = headers.get("retry-after-ms", "")
    if re.fullmatch(r"\d+(?:\.\d+)?", milliseconds.strip()):
        return float(milliseconds) / 1000
    for name in ("retry-after", "x-ratelimit-reset-requests", "x-ratelimit-reset-tokens", "x-ratelimit-reset"):
        if name in headers and (found := _duration(headers[name])) is not None and found < 86_400 * 7:
            return found
    return None


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
        storable(str(body.get("model") or "")),
        storable(str(body.get("system_fingerprint") or "")),
        _count(usage.get("prompt_tokens")),
        _count(usage.get("completion_tokens")),
        content if None in choices else b"",
    )


def _malformed(why: str, content: bytes) -> RequestFailed:
    return RequestFailed(Kind.RETRY, f"malformed reply: {why}", content)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 62 else None


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
    finish = storable(str(found.get("finish_reason") or ""))
    extra = {key: message[key] for key in ("tool_calls", "reasoning_content", "reasoning") if message.get(key)}
    if content is not None and not isinstance(content, str):
        return None
    refused = storable(refusal) if isinstance(refusal, str) else ""
    if content is None and not refused and not extra and finish not in {"content_filter", "length"}:
        return None
    text, cut = _cut(storable(content or ""))
    return Choice(text, _outcome(text, finish, refused), finish, refused, _storable_json(extra | cut))


def _storable_json(extra: dict[str, Any]) -> dict[str, Any]:
    if not extra:
        return extra
    found: dict[str, Any] = json.loads(storable(json.dumps(extra, ensure_ascii=False)))
    return found


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
    except ValueError:
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


def list_models(endpoint: Endpoint, insecure_http: bool = False) -> list[Model]:
    """The models an endpoint lists, from outside any event loop. Raises RequestFailed."""

    async def fetch() -> list[Model]:
        client = Client(endpoint, insecure_http)
        try:
            return await client.models()
        finally:
            await client.close()

    return asyncio.run(fetch())
