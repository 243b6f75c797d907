"""The settings of `emaudit.toml`: endpoints, judges, prices, the reviewer. Keys are never here, only their names."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, parse_qs, urlsplit

from emaudit import keys
from emaudit.errors import BadInput, EndpointError, UsageError
from emaudit.prompts import INSTRUMENT_KEYS, read_toml
from emaudit.variants import check_key_variable

OPENAI_HOST: Final = "api.openai.com"
OPENAI_URL: Final = f"https://{OPENAI_HOST}/v1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One OpenAI-compatible endpoint.

    `api_key_env` names the environment variable that holds its key; empty for an endpoint without keys.
    `max_concurrency` caps requests in flight, `max_n` the samples asked with one request; `timeout_s` is per
    request, in seconds. `max_tokens` maps an assessment to its own cap.
    """

    name: str
    base_url: str
    api_key_env: str = ""
    insecure_http: bool = False
    max_concurrency: int = 64
    max_n: int = 10
    timeout_s: float = 120.0
    temperature: float = 1.0
    top_p: float = 1.0
    system: str = ""
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    max_tokens: Mapping[str, int] = field(default_factory=dict)

    def check(self, insecure_http: bool = False) -> None:
        """Refuse an address that would send prompts or keys in the clear, or is none. Raises UsageError."""
        try:
            parts = urlsplit(self.base_url)
            host = parts.hostname if parts.scheme in {"http", "https"} and parts.port != 0 else None
        except ValueError:
            host = None
        if not host:
            raise UsageError(f"endpoint {self.name!r}: {self.base_url!r} is no http(s) address")
        if parts.username or parts.password:
            raise UsageError(f"endpoint {self.name!r}: keep keys out of the address; name a variable in api_key_env")
        if named := keys.in_address(parse_qs(parts.query, keep_blank_values=True)):
            raise UsageError(
                f"endpoint {self.name!r}: keep keys out of the address ({named}=...); name a variable in api_key_env"
            )
        if parts.scheme == "http" and not (insecure_http or self.insecure_http or is_loopback(host)):
            raise UsageError(
                f"endpoint {self.name!r} is plain http beyond this machine: use https, "
                f"or set insecure_http (or --insecure-http) for a network you trust"
            )

    def key(self) -> str:
        """The key from the environment, empty where none is needed.

        Raises EndpointError naming a variable that is not set, or holds what no header can carry.
        """
        name = self.api_key_env
        if not name and _parts(self.base_url).hostname == OPENAI_HOST:
            name = "OPENAI_API_KEY"
        if not name:
            return ""
        value = keys.look_up(name)
        if not value:
            raise EndpointError(f"endpoint {self.name!r} needs a key: set the environment variable {name}")
        if not (value.isascii() and value.isprintable()):
            said = f"the key in {name} holds characters that no key has: set it again"
            raise EndpointError(f"endpoint {self.name!r}: {said}")
        return value


def _parts(url: str) -> SplitResult:
    """The parts of an address; those of an empty one where it is none, which `check` refuses."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def _host(url: str) -> str:
    """Where a key would go: scheme, host and port of an address."""
    parts = _parts(url)
    return f"{parts.scheme}://{parts.netloc.casefold()}"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class JudgeSetting:
    """A configured judge: its model, the endpoint's name, a rubric of one's own (a file), and parameters."""

    name: str
    model: str = ""
    endpoint: str = ""
    rubric: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Price:
    """Price per million tokens, in whatever currency the user thinks in."""

    input: float
    output: float

    def of(self, n_input: int, n_output: int) -> Decimal:
        """What so many tokens cost, exactly."""
        return (n_input * Decimal(repr(self.input)) + n_output * Decimal(repr(self.output))) / 1_000_000


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything configured. `path` is where it came from, whether or not the file is there."""

    path: Path
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    judge: JudgeSetting = field(default_factory=lambda: JudgeSetting(""))
    judges: Mapping[str, JudgeSetting] = field(default_factory=dict)
    prices: Mapping[str, Price] = field(default_factory=dict)
    reviewer: str = ""

    def endpoint(self, name: str, base_url: str = "", api_key_env: str = "") -> Endpoint:
        """The endpoint a variant names; an address of its own wins over the configured one. Raises UsageError.

        The configured endpoint's key does not go with an address on another host.
        """
        keys.declare(check_key_variable(api_key_env))
        held = self.endpoints.get(name)
        if base_url and held:
            own_key = held.api_key_env if _host(base_url) == _host(held.base_url) else ""
            return replace(held, base_url=base_url, api_key_env=api_key_env or own_key)
        if base_url:
            return Endpoint(name or _parts(base_url).hostname or "?", base_url, api_key_env)
        if held is None:
            known = ", ".join(self.endpoints) or f"none in {self.path}"
            raise UsageError(f"no endpoint {name!r}; known: {known}; add [endpoints.{name or 'NAME'}] there")
        return held


def load_settings(path: Path) -> Settings:
    """Read the settings; with no file, OPENAI_API_KEY and OPENAI_BASE_URL make the endpoint `openai`.

    Raises BadInput naming the file and the field.
    """
    if not path.exists():
        return Settings(path, _environment_endpoints())
    data = read_toml(path)
    unknown = set(data) - {"endpoints", "judge", "judges", "prices", "reviewer"}
    if unknown:
        raise BadInput(path, "is not a section of emaudit.toml", column=f"[{sorted(unknown)[0]}]")
    endpoints = {
        name: Endpoint(name=name, **_checked(path, f"endpoints.{name}", table, Endpoint, {"name"}))
        for name, table in _tables(path, data, "endpoints").items()
    }
    for endpoint in endpoints.values():
        keys.declare(endpoint.api_key_env)
        _check_endpoint(path, endpoint)
    judges = {
        name: JudgeSetting(name=name, **_checked(path, f"judges.{name}", table, JudgeSetting, {"name"}))
        for name, table in _tables(path, data, "judges").items()
    }
    judge = JudgeSetting(name="", **_checked(path, "judge", data.get("judge", {}), JudgeSetting, {"name"}))
    prices = {
        model: Price(**_checked(path, f"prices.{model}", table, Price, set()))
        for model, table in _tables(path, data, "prices").items()
    }
    reviewer = data.get("reviewer", {})
    if not isinstance(reviewer, dict) or not isinstance(reviewer.get("name", ""), str):
        raise BadInput(path, 'expected name = "..."', column="[reviewer]")
    return Settings(path, endpoints, judge, judges, prices, reviewer.get("name", ""))


def _environment_endpoints() -> dict[str, Endpoint]:
    url = os.environ.get("OPENAI_BASE_URL", "")
    if not url and not os.environ.get("OPENAI_API_KEY"):
        return {}
    needs_key = not url or bool(os.environ.get("OPENAI_API_KEY"))
    return {"openai": Endpoint("openai", url or OPENAI_URL, "OPENAI_API_KEY" if needs_key else "")}


def _check_endpoint(path: Path, endpoint: Endpoint) -> None:
    where = f"endpoints.{endpoint.name}"
    if not endpoint.base_url:
        raise BadInput(path, "is missing", column=f"{where}.base_url")
    known = list(INSTRUMENT_KEYS)
    for key, cap in endpoint.max_tokens.items():
        if key not in known:
            raise BadInput(path, f"is not an assessment; known: {', '.join(known)}", column=f"{where}.max_tokens.{key}")
        if not isinstance(cap, int) or isinstance(cap, bool) or cap <= 0:
            raise BadInput(path, f"expected a whole number above 0, found {cap!r}", column=f"{where}.max_tokens.{key}")


def _tables(path: Path, data: Mapping[str, Any], section: str) -> dict[str, Any]:
    tables = data.get(section, {})
    if not isinstance(tables, dict):
        raise BadInput(path, "expected a table of tables", column=f"[{section}]")
    return tables


_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "str": (str,),
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
}


def _checked(path: Path, where: str, table: object, shape: type, skip: set[str]) -> dict[str, Any]:
    """A table's values after checking every name and type against a dataclass."""
    if not isinstance(table, dict):
        raise BadInput(path, "expected a table", column=f"[{where}]")
    known = {found.name: str(found.type) for found in fields(shape) if found.name not in skip}
    for name, value in table.items():
        if name not in known:
            raise BadInput(path, f"is not a setting; known: {', '.join(known)}", column=f"{where}.{name}")
        if name == "api_key_env":
            _check_key_variable(path, f"{where}.{name}", value)
        kinds = _KINDS.get(known[name], (dict,))
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise BadInput(path, f"expected {kinds[-1].__name__}, found {value!r}", column=f"{where}.{name}")
        if (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and name not in {"temperature"}
            and value <= 0
        ):
            raise BadInput(path, f"expected a number above 0, found {value!r}", column=f"{where}.{name}")
    required = {found.name for found in fields(shape) if found.name in known and _is_required(found)}
    missing = sorted(required - set(table))
    if missing:
        raise BadInput(path, "is missing", column=f"{where}.{missing[0]}")
    return dict(table)


def _check_key_variable(path: Path, where: str, value: object) -> None:
    """Before any check that would repeat the value: a key must not be shown."""
    try:
        check_key_variable(value if isinstance(value, str) else "?")
    except UsageError:
        raise BadInput(path, "name the environment variable, not the key", column=where) from None


def _is_required(found: Field[Any]) -> bool:
    return found.default is MISSING and found.default_factory is MISSING
