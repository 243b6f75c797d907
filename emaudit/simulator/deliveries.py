"""How an answer travels: whole, in pieces, cut off, mislabelled, packed, or without end.

Writes HTTP by hand on the connection, since no server library sends what is wrong.
"""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import Final, NamedTuple

HUGE: Final = 1 << 30
_MEBIBYTE: Final = 1 << 20
_PIECES: Final = 20
_BETWEEN_S: Final = 0.02
_DRIP_S: Final = 0.25
_LATE_S: Final = 0.3
_CONTROLS: Final = b"\x1b]0;owned\x07\x1b[31m\x9b2J"


class Delivery(NamedTuple):
    """One way to travel: in one line what it does, how it is done, and whether the whole answer arrives."""

    line: str
    send: Callable[[asyncio.Transport, int, bytes], Awaitable[None]]
    sound: bool = False
    """Whether the client can have the whole answer."""


def _head(status: int, *headers: bytes, kind: bytes = b"application/json") -> bytes:
    lines = [b"HTTP/1.1 %d OK" % status, b"Content-Type: " + kind, b"Connection: close", *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _length(size: int) -> bytes:
    return b"Content-Length: %d" % size


def _at_once(compose: Callable[[int, bytes], bytes]) -> Callable[[asyncio.Transport, int, bytes], Awaitable[None]]:
    async def send(transport: asyncio.Transport, status: int, body: bytes) -> None:
        transport.write(compose(status, body))

    return send


def _with(*headers: bytes) -> Callable[[asyncio.Transport, int, bytes], Awaitable[None]]:
    """The whole body, under some more headers."""
    return _at_once(lambda status, body: _head(status, _length(len(body)), *headers) + body)


def _packed(pack: Callable[[bytes], bytes]) -> Callable[[asyncio.Transport, int, bytes], Awaitable[None]]:
    """The body as gzip, or as what is said to be."""

    def compose(status: int, body: bytes) -> bytes:
        packed = pack(body)
        return _head(status, _length(len(packed)), b"Content-Encoding: gzip") + packed

    return _at_once(compose)


async def _late(transport: asyncio.Transport, status: int, body: bytes) -> None:
    await asyncio.sleep(_LATE_S)
    transport.write(_head(status, _length(len(body))) + body)


async def _pieces(transport: asyncio.Transport, status: int, body: bytes) -> None:
    message = _head(status, _length(len(body))) + body
    size = -(-len(message) // _PIECES)
    for start in range(0, len(message), size):
        transport.write(message[start : start + size])
        await asyncio.sleep(_BETWEEN_S)


async def _drip(transport: asyncio.Transport, status: int, body: bytes) -> None:
    transport.write(_head(status, _length(len(body))))
    for byte in body:
        if transport.is_closing():
            return
        transport.write(bytes([byte]))
        await asyncio.sleep(_DRIP_S)


async def _reset(transport: asyncio.Transport, status: int, body: bytes) -> None:
    _linger_not(transport)
    transport.abort()


async def _reset_inside(transport: asyncio.Transport, status: int, body: bytes) -> None:
    transport.write(_head(status, _length(len(body))) + body[: len(body) // 2])
    await asyncio.sleep(_BETWEEN_S)
    await _reset(transport, status, body)


def _linger_not(transport: asyncio.Transport) -> None:
    """Let the connection end with a reset instead of an orderly goodbye."""
    held = transport.get_extra_info("socket")
    with suppress(OSError):
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _chunks(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)


def _chunked(status: int, *more: bytes) -> bytes:
    return _head(status, b"Transfer-Encoding: chunked", *more)


async def _spaces(pieces: int) -> AsyncIterator[bytes]:
    """JSON that is nothing but space, a mebibyte at a time."""
    blank = b" " * _MEBIBYTE
    for _ in range(pieces):
        yield blank


async def _pour(transport: asyncio.Transport, pieces: AsyncIterator[bytes]) -> None:
    """Write piece after piece, as fast as they are taken, until nobody takes them."""
    async for piece in pieces:
        while transport.get_write_buffer_size() > _MEBIBYTE and not transport.is_closing():  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(0.001)
        if transport.is_closing():
            return
        transport.write(piece)


async def _huge(transport: asyncio.Transport, status: int, body: bytes) -> None:
    transport.write(_head(status, _length(HUGE)))
    await _pour(transport, _spaces(HUGE // _MEBIBYTE))


async def _endless(transport: asyncio.Transport, status: int, body: bytes) -> None:
    transport.write(_chunked(status))
    await _pour(transport, (_chunks(piece) async for piece in _spaces(HUGE)))


@cache
def bomb() -> bytes:
    """A gzip stream of about a mebibyte that unpacks to HUGE bytes of space."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(b" " * _MEBIBYTE) + packer.flush(zlib.Z_FULL_FLUSH)
    header = gzip.compress(b"", mtime=0)[:10]
    return header + block * (HUGE // _MEBIBYTE) + packer.flush()


DELIVERIES: Final[Mapping[str, Delivery]] = {
    "late": Delivery("the first byte comes late", _late, True),
    "pieces": Delivery("in twenty pieces, a little apart", _pieces, True),
    "drip": Delivery("four bytes a second", _drip),
    "close": Delivery("closed before the first byte", _at_once(lambda status, body: b"")),
    "reset": Delivery("reset before the first byte", _reset),
    "cut-head": Delivery("closed inside the headers", _at_once(lambda status, body: _head(status)[:40])),
    "cut-body": Delivery(
        "closed inside the body",
        _at_once(lambda status, body: _head(status, _length(len(body))) + body[: len(body) // 2]),
    ),
    "reset-body": Delivery("reset inside the body", _reset_inside),
    "length-long": Delivery(
        "a Content-Length above the body's",
        _at_once(lambda status, body: _head(status, _length(len(body) + 99)) + body),
    ),
    "length-short": Delivery(
        "a Content-Length below the body's",
        _at_once(lambda status, body: _head(status, _length(len(body) - 99)) + body),
    ),
    "length-negative": Delivery(
        "a negative Content-Length", _at_once(lambda status, body: _head(status, _length(-5)) + body)
    ),
    "length-none": Delivery(
        "no Content-Length: the end is the end", _at_once(lambda status, body: _head(status) + body), True
    ),
    "chunks": Delivery(
        "chunked, as it should be",
        _at_once(lambda status, body: _chunked(status) + _chunks(body[:9], body[9:], b"")),
        True,
    ),
    "chunk-bad": Delivery(
        "a chunk's size is no number", _at_once(lambda status, body: _chunked(status) + b"zz\r\n" + body)
    ),
    "chunk-cut": Delivery(
        "closed inside a chunk", _at_once(lambda status, body: _chunked(status) + b"ffff\r\n" + body)
    ),
    "chunk-last": Delivery(
        "closed before the last chunk", _at_once(lambda status, body: _chunked(status) + _chunks(body))
    ),
    "gzip": Delivery("packed with gzip, as it should be", _packed(gzip.compress), True),
    "gzip-cut": Delivery("a gzip stream that is cut short", _packed(lambda body: gzip.compress(body)[:-20])),
    "gzip-not": Delivery("said to be gzip, and is not", _packed(lambda body: body)),
    "gzip-bomb": Delivery("a mebibyte of gzip that unpacks to 1 GiB", _packed(lambda body: bomb())),
    "encoding-unknown": Delivery(
        "said to be packed in a way nobody knows", _with(b"Content-Encoding: x-unknown"), True
    ),
    "huge": Delivery("1 GiB", _huge),
    "endless": Delivery("chunk after chunk without end", _endless),
    "early": Delivery(
        "early hints first",
        _at_once(lambda status, body: b"HTTP/1.1 103 Early Hints\r\n\r\n" + _head(status, _length(len(body))) + body),
        True,
    ),
    "not-http": Delivery("no HTTP at all", _at_once(lambda status, body: b"SSH-2.0-OpenSSH_9.2\r\n")),
    "head-big": Delivery("a megabyte of headers", _with(b"X-Padding: " + b"x" * _MEBIBYTE)),
    "head-hostile": Delivery("terminal escapes in the headers", _with(b"X-Note: " + _CONTROLS), True),
    "redirect-hostile": Delivery(
        "terminal escapes in the place a redirect leads to",
        _at_once(
            lambda status, body: (
                b"HTTP/1.1 302 Found\r\nLocation: https://a.invalid/" + _CONTROLS + b"\r\nContent-Length: 0\r\n\r\n"
            )
        ),
    ),
    "status-hostile": Delivery(
        "terminal escapes in the status line",
        _at_once(
            lambda status, body: b"HTTP/1.1 500 " + _CONTROLS + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ),
    ),
}
"""Every delivery by its name."""


async def deliver(transport: asyncio.Transport, name: str, status: int, body: bytes) -> None:
    """Send a body over a connection in one of DELIVERIES' ways, and close it."""
    try:
        await DELIVERIES[name].send(transport, status, body)
    finally:
        transport.close()
