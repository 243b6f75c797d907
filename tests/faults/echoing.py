"""An endpoint that repeats the key it was sent in every way that it can: bodies, headers, the status line, replies."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import quote

from aiohttp import web

Respond = Callable[[str, str], web.StreamResponse]


def ways(key: str) -> list[str]:
    """How a server might write a key."""
    return [
        key,
        json.dumps(key),
        quote(key, safe=""),
        "Basic " + base64.b64encode(f":{key}".encode()).decode(),
        key[:9] + "\n" + key[9:],
    ]


def _error(status: int, key: str, url: str = "", **more: str) -> web.Response:
    body = {"error": {"message": "you sent " + " and ".join(ways(key)), "code": more.get("code"), "echo": ways(key)}}
    headers = {"WWW-Authenticate": f'Bearer realm="{quote(key)}"', "X-Echo": key}
    if url:
        headers["Location"] = f"{url}?key={quote(key)}&again={base64.b64encode(key.encode()).decode()}"
    return web.Response(status=status, reason=f"No {key}", text=json.dumps(body), headers=headers)


def said(key: str, model: str, text: str = "") -> web.Response:
    """A well-formed reply whose text, model name, fingerprint and reasoning repeat the key."""
    message = {"content": text or " ".join(ways(key)), "reasoning_content": key, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 9, "completion_tokens": 9}
    return web.json_response(
        {"choices": [choice], "model": f"{model} {key}", "system_fingerprint": key, "usage": usage},
        headers={"X-Echo": key},
    )


ERRORS: Sequence[Respond] = (
    lambda key, url: _error(500, key),
    lambda key, url: _error(429, key),
    lambda key, url: web.Response(text=f"<html>{' '.join(ways(key))}</html>", content_type="text/html"),
    lambda key, url: web.json_response({"error": {"message": ways(key)}}),
    lambda key, url: web.Response(body=json.dumps({"choices": [], "echo": ways(key)}).encode()[:-3] + b"\xff"),
    lambda key, url: _error(408, key),
)
"""Answers that are followed by another try."""
FINAL: dict[str, Respond] = {
    "refused": lambda key, url: _error(401, key),
    "quota": lambda key, url: _error(429, key, code="insufficient_quota"),
    "gone": lambda key, url: _error(404, key),
    "redirect": lambda key, url: _error(307, key, url),
    "odd": lambda key, url: _error(418, key),
}
"""Answers that end a run or a variant."""


class Echo:
    """What the endpoint was asked, and how it answers the next requests; `elsewhere` is another host."""

    def __init__(self) -> None:
        self.url = ""
        self.elsewhere = ""
        self.heard: list[tuple[str, str, str]] = []
        """Host, Authorization and body of every request."""
        self.always: Respond | None = None
        self.is_paused = False
        """Whether requests wait for their answers."""
        self._errors: list[Respond] = []

    def fail_first(self) -> None:
        """Meet the next requests with errors."""
        self._errors = list(ERRORS)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        authorization, body = request.headers.get("Authorization", ""), await request.text()
        self.heard.append((request.host, authorization, body))
        while self.is_paused:  # noqa: ASYNC110 (the test ends it from another thread)
            await asyncio.sleep(0.02)
        key = authorization.removeprefix("Bearer ")
        if self.always is not None:
            return self.always(key, self.elsewhere)
        if self._errors:
            return self._errors.pop()(key, self.elsewhere)
        if request.method == "GET":
            return web.json_response({"data": [{"id": "m"}, {"id": key, "owned_by": key}]})
        asked = json.loads(body)
        if asked["model"].startswith("judge"):
            return said(key, asked["model"], '{"score": 2}' if len(self.heard) % 7 else "")
        if "0" in authorization and len(self.heard) % 11 == 0:
            return _error(400, key)
        return said(key, asked["model"])


@contextmanager
def echoing() -> Iterator[Echo]:
    """The endpoint on loopback, in a thread of its own, and a second address that counts as another host."""
    echo, loop, ready = Echo(), asyncio.new_event_loop(), threading.Event()

    async def begin() -> web.AppRunner:
        application = web.Application(client_max_size=1 << 26)
        application.router.add_route("*", "/{path:.*}", echo.answer)
        held = web.AppRunner(application, access_log=None)
        await held.setup()
        for _ in range(2):
            await web.TCPSite(held, "127.0.0.1", 0).start()
        echo.url, echo.elsewhere = (f"http://127.0.0.1:{port}/v1" for _, port in held.addresses)
        ready.set()
        return held

    def serve() -> None:
        held = loop.run_until_complete(begin())
        loop.run_forever()
        loop.run_until_complete(held.cleanup())
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    assert ready.wait(10)
    try:
        yield echo
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
