"""One HTTP attempt against an OpenAI-compatible endpoint, and what its outcome means.

aiohttp is imported at the first request. Retries belong to the runner; redirects are not followed.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

from emaudit.completions import Completion, Model, parse_completion, parse_models
from emaudit.config import Endpoint
from emaudit.connections import broken, credentials, open_session, proxy_secrets
from emaudit.failures import RAW_LIMIT, Kind, RequestFailed, error_of, retry_after
from emaudit.keys import scrubbed, scrubbed_bytes, scrubbed_reply
from emaudit.text import one_line

if TYPE_CHECKING:
    import aiohttp

BODY_LIMIT: Final = 64 << 20
"""Bytes of a reply, inflated, that are read; of a longer one the connection is given up."""
_LARGE: Final = 1 << 20
_LARGE_AT_ONCE: Final = 4
"""Large bodies read at once, which bounds the memory that they take."""
_STALL_S: Final = 10.0
"""Seconds without a byte after which a large body gives its place to those that wait."""
_KEY_ROOM: Final = 4096
_MAY_HAVE_COST: Final = frozenset({408, 502, 504})
"""Statuses of a timeout or a gateway, behind which a model may have worked on the request."""

_encode: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class Client:
    """A connection pool to one endpoint. Raises EndpointError for a key that is not set or that no header can carry."""

    def __init__(self, endpoint: Endpoint, insecure_http: bool = False) -> None:
        endpoint.check(insecure_http)
        self.endpoint = endpoint
        key = endpoint.key()
        self._key = (key,)
        self._secrets = (key, *proxy_secrets(endpoint))
        self._headers, self._for_proxy = credentials(endpoint, key)
        self._session: aiohttp.ClientSession | None = None
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)
        self._urls = {path: _joined(endpoint.base_url, path) for path in ("/chat/completions", "/models")}

    async def complete(self, body: Mapping[str, Any], n: int) -> Completion:
        """Send one chat completion request and check what came back. Raises RequestFailed."""
        try:
            data = _encode(body).encode()
        except ValueError as error:
            raise RequestFailed(
                Kind.STOP_RUN, f"a request cannot be written as JSON ({error}): see extra_body"
            ) from None
        return parse_completion(await self._send("POST", "/chat/completions", data), n)

    async def models(self) -> list[Model]:
        """The models the endpoint lists. Raises RequestFailed."""
        return parse_models(await self._send("GET", "/models", None))

    async def close(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()

    async def _send(self, method: str, path: str, data: bytes | None) -> bytes:
        import aiohttp

        try:
            if self._session is None:
                self._session = open_session(self.endpoint)
            # aiohttp sends bytes in one piece, which blocks the loop where they are many.
            sent = io.BytesIO(data) if data and len(data) >= _LARGE else data
            async with self._session.request(
                method,
                self._urls[path],
                data=sent,
                headers=self._headers,
                proxy_headers=self._for_proxy,
                allow_redirects=False,
            ) as response:
                if response.status == 200:
                    return scrubbed_reply(await self._whole(response), self._key)
                content = await _beginning(response, RAW_LIMIT + _KEY_ROOM)
                raise self._status_failure(response.status, response.headers, content)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise broken(self.endpoint, error, self._secrets) from None

    async def _whole(self, response: aiohttp.ClientResponse) -> bytes:
        """The body under HTTP 200; few large ones are read at once. Raises RequestFailed past BODY_LIMIT."""
        content = await _beginning(response, _LARGE)
        if len(content) < _LARGE:
            return content
        if (response.content_length or 0) > BODY_LIMIT:
            raise self._too_large(content)
        whole = bytearray(content)
        async with self._large:
            while piece := await self._next_piece(response):
                if len(whole) + len(piece) > BODY_LIMIT:
                    raise self._too_large(content)
                whole += piece
        return bytes(whole)

    async def _next_piece(self, response: aiohttp.ClientResponse) -> bytes:
        """More of a large body, empty at its end. Raises RequestFailed where nothing comes."""
        try:
            async with asyncio.timeout(_STALL_S) as waiting:
                return await response.content.readany()
        except TimeoutError:
            if not waiting.expired():
                raise
            said = f"a large reply from {self.endpoint.name} stalled for {_STALL_S:g} s: given up"
            raise RequestFailed(Kind.RETRY, said, may_have_cost=True) from None

    def _too_large(self, beginning: bytes) -> RequestFailed:
        raw = scrubbed_bytes(beginning[: RAW_LIMIT + _KEY_ROOM], self._secrets)
        said = f"reply larger than {BODY_LIMIT >> 20} MiB: given up"
        return RequestFailed(Kind.RETRY, said, raw, may_have_cost=True)

    def _status_failure(self, status: int, headers: Mapping[str, str], content: bytes) -> RequestFailed:
        code, parameter, message = error_of(content)  # before a key that is a word of JSON is taken out of it
        said = one_line(scrubbed(message or content.decode("utf-8", "replace"), self._secrets), 300)
        content = scrubbed_bytes(content, self._secrets)
        where = f"endpoint {self.endpoint.name!r}"
        if status < 300:
            return RequestFailed(Kind.RETRY, f"{where}: HTTP {status} without a reply", content, may_have_cost=True)
        if 300 <= status < 400:
            target = one_line(scrubbed(headers.get("location", "elsewhere"), self._secrets), 200)
            return RequestFailed(Kind.STOP_RUN, f"{where} redirects to {target}: put the final address in base_url")
        if status in (401, 403):
            fix = f"check the key in {self.endpoint.api_key_env or 'api_key_env (none is set for it)'}"
            return RequestFailed(Kind.STOP_RUN, f"{where} refuses the key (HTTP {status}: {said}): {fix}", content)
        if status == 402 or _is_billing(code):
            return RequestFailed(Kind.STOP_RUN, f"{where}: quota or billing ({said}): add credit, then resume", content)
        if status == 429:
            return RequestFailed(Kind.RATE_LIMIT, f"{where} limits the rate: {said}", content, retry_after(headers))
        if status in (404, 410):
            return RequestFailed(
                Kind.STOP_VARIANT, f"model gone or unknown at {where} (HTTP {status}: {said}): check its id", content
            )
        if status in (408, 409, 425) or status >= 500:
            said, wait = f"{where}: HTTP {status}: {said}", retry_after(headers)
            return RequestFailed(Kind.RETRY, said, content, wait, may_have_cost=status in _MAY_HAVE_COST)
        if status in (400, 422) and parameter:
            return RequestFailed(Kind.PARAMETER, f"{where}: HTTP {status}: {said}", content, parameter=parameter)
        if status in (400, 413, 422):
            return RequestFailed(Kind.RECORD, f"HTTP {status}: {said}", content)
        return RequestFailed(Kind.STOP_RUN, f"{where}: HTTP {status}: {said}: check base_url", content)


async def _beginning(response: aiohttp.ClientResponse, most: int) -> bytes:
    """What comes next of a body: all that is left, or the first pieces that together reach `most` bytes."""
    pieces: list[bytes] = []
    size = 0
    async for piece in response.content.iter_any():
        pieces.append(piece)
        size += len(piece)
        if size >= most:
            break
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _joined(base_url: str, path: str) -> str:
    """The address of a path under a base address; its query stays."""
    parts = urlsplit(base_url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + path, parts.query, ""))


def _is_billing(code: str) -> bool:
    return code in {"insufficient_quota", "account_deactivated"} or code.startswith("billing")


def list_models(endpoint: Endpoint, insecure_http: bool = False) -> list[Model]:
    """The models an endpoint lists, from outside any event loop. Raises RequestFailed."""

    async def fetch() -> list[Model]:
        client = Client(endpoint, insecure_http)
        try:
            return await client.models()
        finally:
            await client.close()

    return asyncio.run(fetch())
