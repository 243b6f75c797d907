"""What goes over the wire to an endpoint, and what becomes of answers that are no proper HTTP, told by a raw server."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import shutil
import ssl
import subprocess
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from emaudit import client as client_module
from emaudit.client import Client
from emaudit.completions import Completion
from emaudit.config import Endpoint
from emaudit.errors import EndpointError, UsageError
from emaudit.failures import RAW_LIMIT, Kind, RequestFailed

KEY = "sk-canary-0123456789"
REPLY = json.dumps({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}], "model": "m"}).encode()
Handler = Callable[[asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@asynccontextmanager
async def raw_server(answer: Handler, trust: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that reads each request whole and leaves the answer to `answer`: its port, and what it was sent."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                heads.append(head)
                length = [line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                await reader.readexactly(int(length[0]) if length else 0)
                await answer(writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=trust) as server:
        yield server.sockets[0].getsockname()[1], heads


def saying(content: bytes, *, close: bool = False) -> Handler:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        if close:
            await writer.drain()
            writer.close()

    return answer


def whole(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def ask(url: str, key: str = "", timeout_s: float = 20.0) -> Completion:
    client = Client(Endpoint("there", url, key, timeout_s=timeout_s), insecure_http=True)
    try:
        return await client.complete({"model": "m", "messages": []}, 1)
    finally:
        await client.close()


async def failure(answer: Handler, timeout_s: float = 20.0, key: str = "") -> RequestFailed:
    async with raw_server(answer) as (port, _):
        with pytest.raises(RequestFailed) as found:
            await ask(f"http://127.0.0.1:{port}/v1", key, timeout_s)
    return found.value


def bomb(n_mib: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(n_mib)) + packer.flush()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + REPLY,
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + REPLY,
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n" + REPLY,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnothex\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nbad header line\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 200_000 + b"\r\nContent-Length: 0\r\n\r\n",
        b"".join((b"HTTP/1.1 200 OK\r\n", *(b"X-%d: y\r\n" % n for n in range(20_000)), b"\r\n")),
        b"\x00\x01\x02 no http at all",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\n\r\n",
        whole(b""),
        whole(b"no gzip", "Content-Encoding: gzip"),
        whole(gzip.compress(REPLY)[:-12], "Content-Encoding: gzip"),
        whole(b"\x81" * 50, "Content-Encoding: br"),
        whole(b"abc", "Content-Encoding: deflate"),
        whole(REPLY[:20]),
    ],
)
async def test_what_is_no_proper_answer_is_asked_again(answer: bytes) -> None:
    found = await failure(saying(answer, close=True))
    assert found.kind is Kind.RETRY
    assert "\n" not in str(found)


@pytest.mark.parametrize(
    "answer",
    [
        whole(REPLY),
        whole(gzip.compress(REPLY), "Content-Encoding: gzip"),
        whole(zlib.compress(REPLY), "Content-Encoding: deflate"),
        whole(zlib.compress(REPLY)[2:-4], "Content-Encoding: deflate"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(REPLY), REPLY),
        b"HTTP/1.0 200 OK\r\n\r\n" + REPLY,
        whole(REPLY, "Content-Type: text/html; charset=utf-16"),
    ],
)
async def test_every_proper_way_to_send_an_answer_is_read(answer: bytes) -> None:
    async with raw_server(saying(answer, close=True)) as (port, _):
        found = await ask(f"http://127.0.0.1:{port}/v1")
    assert [choice.text for choice in found.choices if choice] == ["hi"]


async def test_a_gzip_bomb_is_never_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "BODY_LIMIT", 2 << 20)
    packed = whole(bomb(96), "Content-Encoding: gzip")
    tracemalloc.start()
    try:
        found = await failure(saying(packed))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (found.kind, found.raw) == (Kind.RETRY, bytes(RAW_LIMIT))
    assert "larger than 2 MiB" in str(found)
    assert peak < 24 << 20


LARGE = b" " * (1 << 20) + REPLY


async def test_a_large_reply_that_stalls_keeps_no_other_waiting() -> None:
    stalled = asyncio.Event()

    async def answer(writer: asyncio.StreamWriter) -> None:
        if stalled.is_set():
            writer.write(whole(LARGE))
            return
        writer.write(whole(LARGE)[:-8])
        await writer.drain()
        stalled.set()
        await asyncio.sleep(60)

    async with raw_server(answer) as (port, _):
        client = Client(Endpoint("there", f"http://127.0.0.1:{port}/v1"))
        first = asyncio.create_task(client.complete({"model": "m", "messages": []}, 1))
        await stalled.wait()
        await asyncio.sleep(0.1)
        others = (client.complete({"model": "m", "messages": []}, 1) for _ in range(4))
        found = await asyncio.wait_for(asyncio.gather(*others), 8)
        assert [choice.text for reply in found for choice in reply.choices if choice] == ["hi"] * 4
        assert not first.done()
        first.cancel()
        await client.close()


async def test_large_replies_that_stall_are_given_up_for_those_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_STALL_S", 0.3)
    n_asked = 0

    async def answer(writer: asyncio.StreamWriter) -> None:
        nonlocal n_asked
        n_asked += 1
        if n_asked > 6:
            writer.write(whole(LARGE))
            return
        writer.write(whole(LARGE)[:-8])
        await asyncio.sleep(60)

    async with raw_server(answer) as (port, _):
        client = Client(Endpoint("there", f"http://127.0.0.1:{port}/v1"))
        asked = (client.complete({"model": "m", "messages": []}, 1) for _ in range(8))
        found = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 20)
        await client.close()
    failed = [one for one in found if isinstance(one, RequestFailed)]
    assert len([one for one in found if isinstance(one, Completion)]) == 2
    assert {(one.kind, one.may_have_cost) for one in failed} == {(Kind.RETRY, True)}
    assert all("stalled for 0.3 s" in str(one) for one in failed)


async def test_a_body_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "BODY_LIMIT", 2 << 20)
    ended = asyncio.Event()

    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65_536)
                await writer.drain()
        finally:
            ended.set()

    found = await failure(endless)
    await asyncio.wait_for(ended.wait(), 20)
    assert (found.kind, found.raw) == (Kind.RETRY, b"x" * RAW_LIMIT)


async def test_a_body_that_drips_ends_with_the_time() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    found = await failure(drip, timeout_s=0.4)
    assert found.kind is Kind.RETRY
    assert "within 0.4 s" in str(found)


async def test_a_large_error_is_kept_to_its_beginning_without_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THERE_KEY", KEY)
    body = b"e" * (RAW_LIMIT - 8) + KEY.encode() + b"f" * 5_000_000
    found = await failure(saying(whole(body, status="500 Oops")), key="THERE_KEY")
    assert (found.kind, len(found.raw)) == (Kind.RETRY, RAW_LIMIT)
    assert b"sk-" not in found.raw


async def test_a_reply_that_echoes_the_key_is_scrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THERE_KEY", KEY)
    async with raw_server(saying(whole(REPLY.replace(b"hi", b"your key is " + KEY.encode())))) as (port, _):
        found = await ask(f"http://127.0.0.1:{port}/v1", "THERE_KEY")
    assert [choice.text for choice in found.choices if choice] == ["your key is [key removed]"]


async def test_credentials_are_the_endpoints_own_and_nobody_elses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\ndefault login someone password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("THERE_KEY", KEY)
    answer = whole(REPLY, "Set-Cookie: followed=1; Path=/")
    async with raw_server(saying(answer)) as (port, heads):
        client = Client(Endpoint("there", f"http://127.0.0.1:{port}/v1/"))
        for _ in range(2):
            await client.complete({"model": "m", "messages": []}, 1)
        await client.close()
        await ask(f"http://127.0.0.1:{port}/v1?api-version=7", "THERE_KEY")
    lines = [head.decode().split("\r\n") for head in heads]
    assert [said[0] for said in lines[1:]] == [
        "POST /v1/chat/completions HTTP/1.1",
        "POST /v1/chat/completions?api-version=7 HTTP/1.1",
    ]
    names = [{line.split(":")[0].lower() for line in said[1:] if line} for said in lines]
    assert not {"authorization", "cookie"} & names[1]
    assert "cookie" not in names[2]
    assert f"Authorization: Bearer {KEY}" in lines[2]
    assert "Accept-Encoding: gzip, deflate" in lines[2]


def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for bad in (f"{KEY}\r\nX-Other: 1", f"{KEY}\n", "schlüssel-0123456789"):
        monkeypatch.setenv("THERE_KEY", bad)
        with pytest.raises(EndpointError, match="there") as found:
            Client(Endpoint("there", "https://example.org/v1", "THERE_KEY"))
        assert bad not in str(found.value)


async def test_a_proxy_is_asked_for_hosts_elsewhere_and_never_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw_server(saying(whole(REPLY))) as (port, heads):
        monkeypatch.setenv("http_proxy", f"127.0.0.1:{port}")
        await ask("http://models.invalid/v1")
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        await ask(f"http://127.0.0.1:{port}/v1")
    assert [head.split(b"\r\n")[0] for head in heads] == [
        b"POST http://models.invalid/v1/chat/completions HTTP/1.1",
        b"POST /v1/chat/completions HTTP/1.1",
    ]


LOGIN, PASSWORD = "cAnary-auditor", "cAnary p/w@42"
IN_ADDRESS = "cAnary-auditor:cAnary%20p%2Fw%4042"
BASIC = base64.b64encode(f"{LOGIN}:{PASSWORD}".encode()).decode()


@pytest.mark.parametrize("url", ["https://models.invalid/v1", "http://models.invalid/v1"])
@pytest.mark.parametrize("code", [407, 502, 200])
async def test_a_proxy_gets_its_password_and_nobody_else_sees_it(
    url: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = f"no {LOGIN} {PASSWORD} {IN_ADDRESS} {BASIC}"
    answer = whole(json.dumps({"error": {"message": said}}).encode(), status=f"{code} {said}")
    async with raw_server(saying(answer, close=True)) as (port, heads):
        monkeypatch.setenv("all_proxy", f"http://{IN_ADDRESS}@127.0.0.1:{port}")
        monkeypatch.setenv("THERE_KEY", KEY)
        with pytest.raises(RequestFailed) as found:
            await ask(url, "THERE_KEY")
    sent = heads[0].decode().split("\r\n")
    assert [line for line in sent if line.startswith("Proxy-Auth")] == [f"Proxy-Authorization: Basic {BASIC}"]
    assert any(KEY in line for line in sent) == url.startswith("http:")
    if code != 200:
        assert "key removed" in str(found.value)
        for secret in ("cAnary", "p/w", "p%2Fw", BASIC[4:-4]):
            assert secret not in f"{found.value} {found.value.raw!r}"


async def test_a_proxy_never_gets_the_key_of_an_endpoint_behind_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THERE_KEY", KEY)
    async with raw_server(saying(whole(b"", status="403 No"), close=True)) as (port, heads):
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        with pytest.raises(RequestFailed, match="proxy refuses"):
            await ask("https://models.invalid/v1", "THERE_KEY")
    assert heads[0].startswith(b"CONNECT models.invalid:443")
    assert b"uthorization" not in heads[0]
    assert KEY.encode() not in heads[0]


@pytest.mark.parametrize("host", ["127.0.0.1:99999999", "127.0.0.1:x", "[::1", "", "127.0.0.1:1", "\u2100"])
@pytest.mark.parametrize("scheme", ["http", "socks5", ""])
async def test_a_proxy_that_cannot_be_asked_keeps_its_password(
    scheme: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("all_proxy", f"{scheme}://cAnary-me:cAnary-pw@{host}".removeprefix("://"))
    with pytest.raises(RequestFailed) as found:
        await ask("http://models.invalid/v1")
    assert "cAnary" not in f"{found.value} {found.value.raw!r}"


@pytest.mark.parametrize(
    ("name", "value", "kind", "words"),
    [
        ("all_proxy", "socks5://127.0.0.1:1080", Kind.STOP_RUN, "NO_PROXY"),
        ("http_proxy", "http://127.0.0.1:1", Kind.UNREACHABLE, "nobody answers"),
    ],
)
async def test_a_proxy_that_cannot_be_used_is_named(
    name: str, value: str, kind: Kind, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(RequestFailed, match=words) as found:
        await ask("http://models.invalid/v1")
    assert found.value.kind is kind


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/v1", "http://[::1/v1", "http://127.0.0.1:x/v1", "http:///v1"])
def test_an_address_that_is_none_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(UsageError, match="is no http"):
        Client(Endpoint("there", url))


async def test_a_request_that_is_no_json_stops_the_run() -> None:
    client = Client(Endpoint("there", "http://127.0.0.1:1/v1"))
    with pytest.raises(RequestFailed, match="extra_body") as found:
        await client.complete({"model": "m", "top_k": float("nan")}, 1)
    assert found.value.kind is Kind.STOP_RUN


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


async def test_only_trusted_certificates_are_talked_to(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(*certificate)
    async with raw_server(saying(whole(REPLY)), trust) as (port, heads):
        with pytest.raises(RequestFailed, match="TLS failed") as found:
            await ask(f"https://127.0.0.1:{port}/v1")
        assert found.value.kind is Kind.STOP_RUN
        assert not heads
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        await ask(f"https://127.0.0.1:{port}/v1")
        assert len(heads) == 1


async def test_tls_spoken_to_a_plain_server_stops_the_run(certificate: tuple[Path, Path]) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(64)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(RequestFailed, match="TLS failed") as found:
            await ask(f"https://127.0.0.1:{port}/v1")
    assert found.value.kind is Kind.STOP_RUN
