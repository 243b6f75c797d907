"""The pool of connections to one endpoint: its trust in certificates, its proxy, and what a broken connection means."""

from __future__ import annotations

import base64
import os
import re
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from emaudit import __version__
from emaudit.config import Endpoint, is_loopback
from emaudit.failures import Kind, RequestFailed
from emaudit.keys import scrubbed
from emaudit.text import one_line

if TYPE_CHECKING:
    import aiohttp

CONNECT_S: Final = 20.0
_IDLE_S: Final = 4.0
"""How long an idle connection is kept, in seconds: common servers close theirs after five."""


def open_session(endpoint: Endpoint) -> aiohttp.ClientSession:
    """A pool inside the running loop. Raises RequestFailed for a proxy or certificates that cannot be used.

    No cookies and no credentials: aiohttp gives a session's own headers to the proxy too.
    """
    import aiohttp

    trust = _trust() if urlsplit(endpoint.base_url).scheme == "https" else False
    proxy = _proxy(endpoint)
    if proxy.scheme not in {"", "http", "https"}:
        known = "only http(s) proxies are known: unset it, or name the host in NO_PROXY"
        host = urlsplit(endpoint.base_url).hostname
        raise RequestFailed(Kind.STOP_RUN, f"the environment names a {proxy.scheme} proxy for {host}: {known}")
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_S, ssl=trust),
        timeout=aiohttp.ClientTimeout(total=endpoint.timeout_s, connect=min(CONNECT_S, endpoint.timeout_s)),
        cookie_jar=aiohttp.DummyCookieJar(),
        proxy=proxy.url or None,
        headers={
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "Content-Type": "application/json",
            "User-Agent": f"emaudit/{__version__}",
        },
    )


def _trust() -> ssl.SSLContext:
    """Certificates named by SSL_CERT_FILE or SSL_CERT_DIR, else this machine's and certifi's."""
    import certifi

    named = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    try:
        context = ssl.create_default_context()
        if not any(named):
            context.load_verify_locations(certifi.where())
    except OSError as error:
        raise RequestFailed(
            Kind.STOP_RUN, f"cannot read the trusted certificates ({error}): see SSL_CERT_FILE"
        ) from None
    return context


@dataclass(frozen=True, slots=True)
class _Proxy:
    """A proxy, its credentials apart from its address; all empty where none is to be asked."""

    scheme: str = ""
    url: str = ""
    credentials: str = ""
    secrets: tuple[str, ...] = ()


_PROXY: Final = re.compile(r"(?:([a-z][a-z0-9+.-]*)://)?(?:(.*)@)?(.*)", re.IGNORECASE | re.DOTALL)


def _proxy(endpoint: Endpoint) -> _Proxy:
    """The proxy that the environment names for an endpoint; never one for this machine itself."""
    parts = urlsplit(endpoint.base_url)
    host = parts.hostname or ""
    if is_loopback(host) or proxy_bypass(host):
        return _Proxy()
    named = getproxies()
    found = _PROXY.fullmatch(named.get(parts.scheme) or named.get("all") or "")
    if found is None or not found[0]:
        return _Proxy()
    scheme, credentials = (found[1] or "http").lower(), found[2] or ""
    user, _, password = (unquote(part) for part in credentials.partition(":"))
    written = (credentials, f"{user}:{password}", password, credentials.partition(":")[2], user)
    secrets = tuple(dict.fromkeys(part for part in written if part.strip(":")))
    return _Proxy(scheme, f"{scheme}://{found[3]}", f"{user}:{password}" if credentials else "", secrets)


def credentials(endpoint: Endpoint, key: str) -> tuple[dict[str, str], dict[str, str]]:
    """The headers with each request to an endpoint, and those with which its proxy is asked for a tunnel there."""
    own = {"Authorization": f"Bearer {key}"} if key else {}
    proxy = _proxy(endpoint)
    if not proxy.credentials:
        return own, {}
    signed = {"Proxy-Authorization": f"Basic {base64.b64encode(proxy.credentials.encode()).decode()}"}
    return (own, signed) if urlsplit(endpoint.base_url).scheme == "https" else ({**own, **signed}, {})


def proxy_secrets(endpoint: Endpoint) -> tuple[str, ...]:
    """The credentials for an endpoint's proxy, in every form in which an error may repeat them."""
    return _proxy(endpoint).secrets


def broken(endpoint: Endpoint, error: Exception, secrets: tuple[str, ...]) -> RequestFailed:
    """What a request calls for that ended without a status or in the middle of a body."""
    import aiohttp

    said = one_line(scrubbed(f"{type(error).__name__}: {error}", secrets), 300)
    where = f"{endpoint.name} at {endpoint.base_url}"
    if isinstance(error, ssl.SSLError | aiohttp.ClientSSLError) and not _is_hung_up(error):
        return RequestFailed(Kind.STOP_RUN, f"TLS failed with {where}: {said}; check the address and the clock")
    if isinstance(error, aiohttp.InvalidURL | ValueError):
        return RequestFailed(Kind.STOP_RUN, f"{where} cannot be asked: {said}; correct base_url")
    if isinstance(error, aiohttp.ClientHttpProxyError) and error.status in (401, 403, 407):
        return RequestFailed(Kind.STOP_RUN, f"the proxy refuses {where}: {said}; see HTTPS_PROXY and NO_PROXY")
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        what = "start it, or correct base_url"
        return RequestFailed(Kind.UNREACHABLE, f"nobody answers for {where}: {said}; {what}")
    if isinstance(error, TimeoutError):
        return RequestFailed(Kind.RETRY, f"no answer from {where} within {endpoint.timeout_s:g} s", may_have_cost=True)
    return RequestFailed(Kind.RETRY, f"connection to {where} lost: {said}", may_have_cost=True)


def _is_hung_up(error: Exception) -> bool:
    """Whether TLS ended because the other side closed the connection."""
    ended = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
    return isinstance(error, ended) or isinstance(getattr(error, "os_error", None), ended)
