"""Faults on demand: which request meets which, drawn from the arrival counter and the seed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from emaudit.errors import UsageError
from emaudit.simulator.draws import uniform
from emaudit.simulator.judging import noise_of
from emaudit.simulator.wire import ChatRequest, RequestRefused

_SHARES: Final = ("429", "500", "503", "timeout", "drop", "malformed", "filter", "empty", "length")
_SWITCHES: Final = (
    "401",
    "402",
    "404",
    "ignore-n",
    "refuse-n",
    "no-seed",
    "old-max-tokens",
    "no-schema",
    "judge-down",
    "collapse",
)
KNOWN: Final = (
    *(f"{kind}[:P]" for kind in _SHARES),
    *_SWITCHES,
    "quota-after:N",
    "latency:50ms",
    "retry-after:S",
)
"""Every fault spec, as a usage message lists them; P is a share of the requests (or choices), 1 where left out."""
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s)?")


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults asked for: shares by kind, switches, and what needs a number."""

    shares: Mapping[str, float] = field(default_factory=dict)
    switches: frozenset[str] = frozenset()
    quota_after: int | None = None
    latency: float = 0.0
    retry_after: str | None = None
    seed: int = 0

    def strikes(self, kind: str, arrival: int, choice: int = 0) -> bool:
        """Whether a fault that has a share meets this request (or this choice of it)."""
        share = self.shares.get(kind, 0.0)
        return share > 0.0 and uniform("fault", str(self.seed), kind, str(arrival), str(choice)) < share

    def first(self, arrival: int, kinds: Sequence[str]) -> str | None:
        """The first of some kinds that meets this request."""
        return next((kind for kind in kinds if self.strikes(kind, arrival)), None)

    def check(self, request: ChatRequest, arrival: int, answered: int) -> str:
        """The fault that leaves a request without a proper answer (`timeout`, `drop`, `malformed`), or an empty text.

        Raises RequestRefused where the request is answered with an error.
        """
        self._permanent(request)
        if self.quota_after is not None and answered >= self.quota_after:
            message = "You exceeded your current quota, please check your plan and billing details."
            raise RequestRefused(429, message, kind="insufficient_quota", code="insufficient_quota")
        kind = self.first(arrival, ("drop", "timeout", "429", "500", "503", "malformed")) or ""
        if kind == "429":
            headers = {} if self.retry_after is None else {"Retry-After": self.retry_after}
            message = "Rate limit reached for requests."
            raise RequestRefused(429, message, kind="requests", code="rate_limit_exceeded", headers=headers)
        if kind in ("500", "503"):
            raise RequestRefused(int(kind), "The server had an error while processing it.", kind="server_error")
        return kind

    def _permanent(self, request: ChatRequest) -> None:
        on = self.switches
        if "401" in on:
            raise RequestRefused(401, "Incorrect API key provided.", code="invalid_api_key")
        if "402" in on:
            raise RequestRefused(402, "Your account is not active.", kind="billing_error", code="billing_not_active")
        if "404" in on:
            message = f"The model '{request.model}' has been shut down."
            raise RequestRefused(404, message, code="model_not_found")
        if "judge-down" in on and noise_of(request.model) is not None:
            raise RequestRefused(503, "The judge is not available.", kind="server_error")
        for switch, parameter, refused in (
            ("refuse-n", "n", request.n > 1),
            ("no-seed", "seed", "seed" in request.given),
            ("old-max-tokens", "max_completion_tokens", "max_completion_tokens" in request.given),
            ("no-schema", "response_format", "response_format" in request.given),
        ):
            if switch in on and refused:
                message = f"Unsupported parameter: '{parameter}' is not supported with this model."
                raise RequestRefused(400, message, param=parameter, code="unsupported_parameter")


def parse_faults(specs: Sequence[str], seed: int = 0) -> Faults:
    """Read `--fault` specs. Raises UsageError naming the spec and listing the known."""
    shares: dict[str, float] = {}
    switches: set[str] = set()
    quota_after: int | None = None
    latency, retry_after = 0.0, None
    for spec in specs:
        kind, _, argument = spec.strip().partition(":")
        if kind in _SHARES:
            shares[kind] = _share(spec, argument)
        elif kind in _SWITCHES and not argument:
            switches.add(kind)
        elif kind == "quota-after":
            quota_after = _count(spec, argument)
        elif kind == "latency":
            latency = _seconds(spec, argument)
        elif kind == "retry-after" and argument and argument.isprintable() and argument.isascii():
            retry_after = argument
        else:
            raise _bad(spec, "no such fault")
    return Faults(shares, frozenset(switches), quota_after, latency, retry_after, seed)


def _bad(spec: str, why: str) -> UsageError:
    return UsageError(f"--fault {spec!r}: {why}; known: {' '.join(KNOWN)}")


def _share(spec: str, argument: str) -> float:
    try:
        share = float(argument) if argument else 1.0
    except ValueError:
        raise _bad(spec, f"{argument!r} is no share between 0 and 1") from None
    if math.isnan(share) or not 0 <= share <= 1:
        raise _bad(spec, f"{argument} is no share between 0 and 1")
    return share


def _count(spec: str, argument: str) -> int:
    if not (argument.isascii() and argument.isdigit()):
        raise _bad(spec, f"{argument!r} is no number of requests")
    return int(argument)


def _seconds(spec: str, argument: str) -> float:
    found = _DURATION.fullmatch(argument)
    if found is None:
        raise _bad(spec, f"{argument!r} is no duration such as 50ms or 2s")
    return float(found[1]) * (0.001 if found[2] == "ms" else 1.0)
