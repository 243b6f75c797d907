"""The HTTP side of the embedded endpoint: `/v1/models` and `/v1/chat/completions` on loopback.

aiohttp is imported when the server starts, so that the rest of emaudit starts without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from emaudit.errors import UsageError
from emaudit.priority import stand_back
from emaudit.prompts import Library, load_library
from emaudit.simulator.deliveries import deliver
from emaudit.simulator.engine import Engine, Outgoing, Silence
from emaudit.simulator.faults import parse_faults
from emaudit.simulator.questions import QuestionIndex
from emaudit.simulator.wire import RequestRefused

if TYPE_CHECKING:
    from aiohttp import web

LOOPBACK: Final = "127.0.0.1"
_WANTED_S: Final = 2.0
_NICENESS: Final = 10
_LONGEST_BODY: Final = 64 * 1024 * 1024
_SHUTDOWN_S: Final = 0.5
_SILENCE_S: Final = 3600.0
_GATEWAY_TIMEOUT: Final = 504


class RequestLog:
    """One JSON line a request, written whole and at once, after whatever the file already holds."""

    def __init__(self, path: Path | None) -> None:
        self._file = None if path is None else _opened(path)

    def write(self, line: dict[str, object]) -> None:
        """Append one line."""
        if self._file is not None:
            os.write(self._file, json.dumps(line, separators=(",", ":")).encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise UsageError(f"--log {path}: {error.strerror}") from error


def _application(engine: Engine) -> web.Application:
    from aiohttp import web

    async def respond(request: web.Request, outgoing: Outgoing) -> web.Response:
        if outgoing.silence is Silence.DROP:
            if request.transport is not None:
                request.transport.abort()
        elif outgoing.silence is Silence.HANG:
            await asyncio.sleep(_SILENCE_S)
        elif engine.faults.latency:
            await asyncio.sleep(engine.faults.latency)
        if outgoing.way and request.transport is not None:
            await deliver(request.transport, outgoing.way, outgoing.status, outgoing.body)
        headers = {"Content-Type": outgoing.content_type, **outgoing.headers}
        return web.Response(status=outgoing.status or _GATEWAY_TIMEOUT, body=outgoing.body, headers=headers)

    async def chat(request: web.Request) -> web.Response:
        return await respond(request, engine.chat(await request.read()))

    async def models(request: web.Request) -> web.Response:
        return await respond(request, engine.models())

    async def model(request: web.Request) -> web.Response:
        return await respond(request, engine.model(request.match_info["model"]))

    @web.middleware
    async def as_json(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            refused = RequestRefused(error.status, f"{error.reason}: {request.method} {request.path}")
            return web.json_response(refused.body, status=error.status)

    application = web.Application(client_max_size=_LONGEST_BODY, middlewares=[as_json])
    application.router.add_post("/v1/chat/completions", chat)
    application.router.add_get("/v1/models", models)
    application.router.add_get("/v1/models/{model}", model)
    return application


@asynccontextmanager
async def running(
    port: int = 0,
    seed: int = 0,
    log: Path | None = None,
    faults: Sequence[str] = (),
    library: Library | None = None,
) -> AsyncIterator[str]:
    """The endpoint inside this process, as long as the block lasts; yields its base URL, `http://127.0.0.1:PORT/v1`.

    Port 0 takes a free one. Raises UsageError for a bad fault, a log that cannot be written, a port that is taken.
    """
    from aiohttp import web

    parsed = parse_faults(faults, seed)
    index = QuestionIndex(load_library() if library is None else library)
    lines = RequestLog(log)
    runner = web.AppRunner(
        _application(Engine(index, seed, parsed, lines.write if log else None)),
        access_log=None,
        shutdown_timeout=_SHUTDOWN_S,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, LOOPBACK, port, backlog=1024)
        try:
            await site.start()
        except (OSError, OverflowError) as error:
            raise UsageError(f"cannot listen on {LOOPBACK}:{port}: {error}; choose another --port, or 0") from error
        yield f"http://{LOOPBACK}:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()
        lines.close()


async def serve(
    port: int = 0,
    seed: int = 0,
    log: Path | None = None,
    faults: Sequence[str] = (),
    library: Library | None = None,
    ready: Callable[[str], None] | None = None,
    wanted: Callable[[], bool] | None = None,
) -> None:
    """Run the endpoint until SIGTERM or SIGINT, at low priority; `ready` is called with its base URL.

    With `wanted`, it also ends by itself soon after that says no.
    """
    stand_back(_NICENESS)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for each in signals:
        loop.add_signal_handler(each, stopped.set)
    try:
        async with running(port, seed, log, faults, library) as base_url:
            if ready is not None:
                ready(base_url)
            while not stopped.is_set() and (wanted is None or wanted()):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stopped.wait(), None if wanted is None else _WANTED_S)
    finally:
        for each in signals:
            loop.remove_signal_handler(each)
