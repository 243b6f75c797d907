"""One HTTP attempt against an OpenAI-compatible endpoint, and what its outcome means. The one importer of openai.

Retries belong to the runner: here `max_retries` is 0 and redirects are off.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

from emaudit.completions import Completion, Model, parse_completion, parse_models
from emaudit.config import Endpoint
from emaudit.failures import Kind, RequestFailed, error_of, retry_after
from emaudit.text import one_line, scrubbed


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
            return self._scrubbed(response.content)
        except openai.APIConnectionError as error:
            raise self._connection_failure(error) from None
        except openai.APIStatusError as error:
            content = self._scrubbed(error.response.content)
            raise self._status_failure(error.status_code, error.response.headers, content) from None
        except openai.OpenAIError as error:
            raise RequestFailed(Kind.RETRY, self._said(error)) from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            raise RequestFailed(Kind.RETRY, self._said(error)) from None

    def _scrubbed(self, content: bytes) -> bytes:
        """What came back without the key, should an endpoint echo it: it goes into the store."""
        for secret in self._secrets:
            if len(secret) >= 4:
                content = content.replace(secret.encode(), b"[key removed]")
        return content

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
        code, parameter, message = error_of(content)
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
        if status in (404, 410):
            return RequestFailed(
                Kind.STOP_VARIANT, f"model gone or unknown at {where} (HTTP {status}: {said}): check its id", content
            )
        if status in (408, 409, 425) or status >= 500:
            return RequestFailed(Kind.RETRY, f"{where}: HTTP {status}: {said}", content, retry_after(headers))
        if status in (400, 422) and parameter:
            return RequestFailed(Kind.PARAMETER, f"{where}: HTTP {status}: {said}", content, parameter=parameter)
        if status in (400, 413, 422):
            return RequestFailed(Kind.RECORD, f"HTTP {status}: {said}", content)
        return RequestFailed(Kind.STOP_RUN, f"{where}: HTTP {status}: {said}: check base_url", content)


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


def list_models(endpoint: Endpoint, insecure_http: bool = False) -> list[Model]:
    """The models an endpoint lists, from outside any event loop. Raises RequestFailed."""

    async def fetch() -> list[Model]:
        client = Client(endpoint, insecure_http)
        try:
            return await client.models()
        finally:
            await client.close()

    return asyncio.run(fetch())
