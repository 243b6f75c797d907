"""Faults on demand: which request meets which, drawn from the arrival counter and the seed."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Final

from emaudit.errors import UsageError
from emaudit.simulator.deliveries import DELIVERIES
from emaudit.simulator.draws import uniform
from emaudit.simulator.refusals import REFUSALS, refusal
from emaudit.simulator.shapes import SHAPES
from emaudit.simulator.wire import ChatRequest, RequestRefused

REQUEST_FAULTS: Final[Mapping[str, str]] = {
    "429": "too many requests",
    "500": "the server had an error",
    "503": "the server is not available",
    "timeout": "no answer ever",
    "drop": "the connection is dropped",
    "malformed": "a body that cannot be read, of ten kinds in turn",
    "filter": "a choice is withheld by a content filter",
    "empty": "a choice is empty",
    "length": "a choice is cut at half its length",
}
_CHOICE_FAULTS: Final = ("filter", "empty", "length")
_UNANSWERED: Final = ("drop", "timeout", "429", "500", "503", "malformed")
NAMED: Final[Mapping[str, Iterable[str]]] = {"status": REFUSALS, "shape": SHAPES, "way": DELIVERIES}
SWITCHES: Final[Mapping[str, str]] = {
    "401": "the key is refused",
    "402": "the account has no money",
    "404": "every model is gone",
    "ignore-n": "one choice, whatever `n` asks for",
    "refuse-n": "400 where `n` is above 1",
    "no-seed": "400 where a `seed` is sent",
    "old-max-tokens": "400 where `max_completion_tokens` is sent",
    "no-schema": "400 where a `response_format` is sent",
    "judge-down": "503 for every judge",
    "collapse": "every sample of a variant is the same long text",
}
NUMBERED: Final[Mapping[str, str]] = {
    "quota-after:N": "the quota is spent after N answers",
    "model-changes-after:N": "another model name after N answers of a variant",
    "fingerprint-changes-after:N": "another system fingerprint after N answers of a variant",
    "latency:50ms": "every answer takes as long",
    "retry-after:S": "429 and every status of `status:` come with this Retry-After, whatever it is; date+S for a date",
    "header:NAME=VALUE": "they come with this header too",
    "redirect-to:URL": "where 301, 302, 303, 307 and 308 lead to; else to a host that does not exist",
}
KNOWN: Final = (
    *(f"{kind}[:WHICH]" for kind in REQUEST_FAULTS),
    *(f"{kind}:NAME[:WHICH]" for kind in NAMED),
    *SWITCHES,
    *NUMBERED,
)
"""Every fault spec, as a usage message lists them."""
GRAMMAR: Final = """\
WHICH is a share of the requests (or choices) such as 0.2, or which of them by their arrival, such as 1-3 or 5-;
left out, all. A spec that takes WHICH may begin with ask/ or judge/: requests to variants or to judges alone."""

_ELSEWHERE: Final = "https://elsewhere.invalid/v1/chat/completions"
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s)?")
_RANGE: Final = re.compile(r"([0-9]{1,9})-([0-9]{1,9})?")
_HEADER: Final = re.compile(r"([A-Za-z0-9-]+)=([\x20-\x7e]+)")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault and whom it meets: a share of the requests, by chance, from one arrival to another (from 1)."""

    kind: str
    name: str = ""
    only: str = ""
    """`ask` or `judge`, empty for both."""
    share: float = 1.0
    first: int = 1
    last: float = math.inf

    def meets(self, seed: int, arrival: int, own: int, judged: bool, choice: int = 0) -> bool:
        """Whether it meets a request: `arrival` counts all from 0, `own` those to variants or to judges alone."""
        if self.only and (self.only == "judge") is not judged:
            return False
        if not self.first <= (own if self.only else arrival) + 1 <= self.last:
            return False
        drawn = (self.kind, self.name) if self.name else (self.kind,)
        return self.share >= 1 or uniform("fault", str(seed), *drawn, str(arrival), str(choice)) < self.share


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults asked for: those that meet single requests, switches, and what needs a number."""

    single: tuple[Fault, ...] = ()
    switches: frozenset[str] = frozenset()
    quota_after: int | None = None
    model_changes_after: int | None = None
    fingerprint_changes_after: int | None = None
    latency: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    redirect_to: str = _ELSEWHERE
    seed: int = 0

    def spoils(self, kind: str, request: ChatRequest, arrival: int, own: int, choice: int) -> bool:
        """Whether a fault of one choice (`filter`, `empty`, `length`) meets it."""
        judged = request.kind == "judge"
        return any(f.kind == kind and f.meets(self.seed, arrival, own, judged, choice) for f in self.single)

    def check(self, request: ChatRequest, arrival: int, answered: int, own: int = 0) -> Fault | None:
        """The fault that a request's answer shows; None where it gets a proper one.

        Raises RequestRefused where the request is answered with an error of OpenAI's shape.
        """
        self._permanent(request)
        if self.quota_after is not None and answered >= self.quota_after:
            message = "You exceeded your current quota, please check your plan and billing details."
            raise RequestRefused(429, message, kind="insufficient_quota", code="insufficient_quota")
        found = self._first(request, arrival, own)
        if found is not None and found.kind == "429":
            message = "Rate limit reached for requests."
            raise RequestRefused(429, message, kind="requests", code="rate_limit_exceeded", headers=self.headers)
        if found is not None and found.kind in ("500", "503"):
            raise RequestRefused(int(found.kind), "The server had an error while processing it.", kind="server_error")
        return found

    def _first(self, request: ChatRequest, arrival: int, own: int) -> Fault | None:
        if not self.single:
            return None
        judged = request.kind == "judge"
        met = [
            fault
            for fault in self.single
            if fault.kind not in _CHOICE_FAULTS and fault.meets(self.seed, arrival, own, judged)
        ]
        order = (*_UNANSWERED, *NAMED)
        return min(met, key=lambda fault: order.index(fault.kind), default=None)

    def _permanent(self, request: ChatRequest) -> None:
        on = self.switches
        if "401" in on:
            raise RequestRefused(401, "Incorrect API key provided.", code="invalid_api_key")
        if "402" in on:
            raise RequestRefused(402, "Your account is not active.", kind="billing_error", code="billing_not_active")
        if "404" in on:
            message = f"The model '{request.model}' has been shut down."
            raise RequestRefused(404, message, code="model_not_found")
        if "judge-down" in on and request.kind == "judge":
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
    single: list[Fault] = []
    switches: set[str] = set()
    headers: dict[str, str] = {}
    rest: dict[str, float | int | str] = {}
    for spec in specs:
        kind, _, argument = spec.strip().partition(":")
        if kind in SWITCHES and not argument:
            switches.add(kind)
        elif kind in ("quota-after", "model-changes-after", "fingerprint-changes-after"):
            rest[kind.replace("-", "_")] = _count(spec, argument)
        elif kind == "latency":
            rest["latency"] = _seconds(spec, argument)
        elif kind == "retry-after" and argument and argument.isprintable() and argument.isascii():
            headers["Retry-After"] = argument
        elif kind == "header" and (found := _HEADER.fullmatch(argument)):
            headers[found[1]] = found[2]
        elif kind == "redirect-to" and re.fullmatch(r"[\x21-\x7e]+", argument):
            rest["redirect_to"] = argument
        else:
            single.append(_single(spec, kind, argument))
    return Faults(tuple(single), frozenset(switches), headers=headers, seed=seed, **rest)  # type: ignore[arg-type]


def _single(spec: str, kind: str, argument: str) -> Fault:
    only, _, bare = kind.rpartition("/")
    if only not in ("", "ask", "judge") or (kind != bare and not only):
        raise _bad(spec, "only ask/ and judge/ may stand before a fault")
    if bare in REQUEST_FAULTS:
        return Fault(bare, "", only, *_which(spec, argument))
    if bare not in NAMED:
        raise _bad(spec, "no such fault")
    name, _, which = argument.partition(":")
    if name not in NAMED[bare] and not (bare == "status" and refusal(name)):
        raise UsageError(f"--fault {spec!r}: no such {bare}; known: {' '.join(NAMED[bare])}")
    return Fault(bare, name, only, *_which(spec, which))


def _bad(spec: str, why: str) -> UsageError:
    return UsageError(
        f"--fault {spec!r}: {why}; known: {' '.join(KNOWN)}; `emaudit simulate --faults` says what they do"
    )


def _which(spec: str, argument: str) -> tuple[float, int, float]:
    """Share, first and last arrival."""
    if found := _RANGE.fullmatch(argument):
        first, last = int(found[1]), float(found[2] or math.inf)
        if 1 <= first <= last:
            return 1.0, first, last
        raise _bad(spec, f"{argument} is no range of requests such as 1-3")
    try:
        share = float(argument) if argument else 1.0
    except ValueError:
        raise _bad(spec, f"{argument!r} is no share between 0 and 1 and no range such as 1-3") from None
    if math.isnan(share) or not 0 <= share <= 1:
        raise _bad(spec, f"{argument} is no share between 0 and 1")
    return share, 1, math.inf


def _count(spec: str, argument: str) -> int:
    if not (argument.isascii() and argument.isdigit()):
        raise _bad(spec, f"{argument!r} is no number of requests")
    return int(argument)


def _seconds(spec: str, argument: str) -> float:
    found = _DURATION.fullmatch(argument)
    if found is None:
        raise _bad(spec, f"{argument!r} is no duration such as 50ms or 2s")
    return float(found[1]) * (0.001 if found[2] == "ms" else 1.0)


def headers_now(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers as they are sent: `date+S` becomes the HTTP date S seconds from now."""
    dates = ((name, re.fullmatch(r"date([+-][0-9]{1,9})", value)) for name, value in headers.items())
    moved = {name: formatdate(time.time() + int(found[1]), usegmt=True) for name, found in dates if found}
    return {**headers, **moved}


def listed() -> str:
    """Every fault with what it does, a line each."""
    named: Mapping[str, Mapping[str, str]] = {
        "status": {name: f"HTTP {found.status}: {found.line}" for name, found in REFUSALS.items()},
        "shape": {name: found.line for name, found in SHAPES.items()},
        "way": {name: found.line for name, found in DELIVERIES.items()},
    }
    lines = {f"{kind}[:WHICH]": line for kind, line in REQUEST_FAULTS.items()} | dict(SWITCHES) | dict(NUMBERED)
    lines["status:NAME[:WHICH]"] = "an error status: a number from 300 to 599, or one of these"
    lines |= {f"status:{name}": line for name, line in named["status"].items()}
    lines["shape:NAME[:WHICH]"] = "HTTP 200 with a body of one of these shapes"
    lines |= {f"shape:{name}": line for name, line in named["shape"].items()}
    lines["way:NAME[:WHICH]"] = "a whole answer that travels in one of these ways"
    lines |= {f"way:{name}": line for name, line in named["way"].items()}
    return "\n".join([*(f"{spec:<30} {line}" for spec, line in lines.items()), "", GRAMMAR])
