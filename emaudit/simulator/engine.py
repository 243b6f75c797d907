"""What the endpoint does with one request, without any network: count it, fault it or answer it, log it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

from emaudit.simulator import wire
from emaudit.simulator.answers import Respondents
from emaudit.simulator.deliveries import DELIVERIES
from emaudit.simulator.faults import Fault, Faults, headers_now
from emaudit.simulator.judging import Noise, noise_of, verdict
from emaudit.simulator.latent import VARIANT_MODELS
from emaudit.simulator.questions import QuestionIndex
from emaudit.simulator.refusals import Refusal, refusal
from emaudit.simulator.shapes import MALFORMED, SHAPES, Shape
from emaudit.simulator.wire import ChatRequest, Choice, RequestRefused

_JSON: Final = "application/json"
_COLLAPSED: Final = (
    " This simulated endpoint gives the same reply again and again, as a cache or a fixed seed would." * 3
)


class Silence(Enum):
    """How a request goes without an answer."""

    NONE = 0
    DROP = 1
    HANG = 2


class Outgoing(NamedTuple):
    """What goes back over the wire."""

    status: int
    body: bytes
    content_type: str = _JSON
    headers: Mapping[str, str] = {}
    silence: Silence = Silence.NONE
    way: str = ""
    """One of DELIVERIES; empty where it goes as it should."""
    completion_tokens: int = 0


def _outgoing(error: RequestRefused) -> Outgoing:
    return Outgoing(error.status, json.dumps(error.body).encode(), headers=headers_now(error.headers))


class Engine:
    """The endpoint's state: how many requests arrived and were answered. Everything else hangs on the request."""

    def __init__(
        self, index: QuestionIndex, seed: int, faults: Faults, log: Callable[[dict[str, object]], None] | None
    ) -> None:
        self.faults = faults
        self._respondents = Respondents(index, seed)
        self._seed = seed
        self._log = log
        self._arrived = 0
        self._answered = 0
        self._arrived_of = {"ask": 0, "judge": 0}
        self._answered_of = {"ask": 0, "judge": 0}
        self._malformed = 0

    def models(self) -> Outgoing:
        """`GET /v1/models`."""
        return Outgoing(200, json.dumps(wire.model_list()).encode())

    def model(self, model: str) -> Outgoing:
        """`GET /v1/models/MODEL`."""
        if model not in VARIANT_MODELS and noise_of(model) is None:
            return _outgoing(wire.unknown_model(model))
        return Outgoing(200, json.dumps(wire.model_entry(model)).encode())

    def chat(self, body: bytes) -> Outgoing:
        """`POST /v1/chat/completions`."""
        arrival = self._arrived
        self._arrived += 1
        request: ChatRequest | None = None
        try:
            request = wire.read_request(body)
            own = self._arrived_of[request.kind]
            self._arrived_of[request.kind] += 1
            fault = self.faults.check(request, arrival, self._answered, own)
            outgoing, note = self._answered_or_faulty(request, arrival, fault)
        except RequestRefused as error:
            outgoing, note = _outgoing(error), str(error.body["error"]["code"] or error.body["error"]["type"])
        if self._log is not None:
            self._log(_log_line(arrival, request, outgoing, note))
        return outgoing

    def _answered_or_faulty(self, request: ChatRequest, arrival: int, fault: Fault | None) -> tuple[Outgoing, str]:
        if fault is not None and fault.kind in ("drop", "timeout"):
            silence = Silence.DROP if fault.kind == "drop" else Silence.HANG
            return Outgoing(0, b"", silence=silence), fault.kind
        if fault is not None and fault.kind == "status" and (refused := refusal(fault.name)):
            return self._refused(refused), f"status {fault.name}"
        whole = self._completion(request, arrival)
        said = whole["usage"]["completion_tokens"]
        if fault is not None and fault.kind in ("malformed", "shape"):
            name = fault.name or MALFORMED[self._malformed % len(MALFORMED)]
            self._malformed += not fault.name
            return self._shaped(SHAPES[name], request, whole, said), f"{fault.kind} {name}"
        body = json.dumps(whole).encode()
        if fault is not None:
            self._count(request, DELIVERIES[fault.name].sound)
            return Outgoing(200, body, way=fault.name, completion_tokens=said), f"{fault.kind} {fault.name}"
        self._count(request, True)
        return Outgoing(200, body, completion_tokens=said), ""

    def _refused(self, refused: Refusal) -> Outgoing:
        headers = headers_now(self.faults.headers)
        if refused.status in (301, 302, 303, 307, 308):
            headers = {**headers, "Location": self.faults.redirect_to}
        return Outgoing(refused.status, refused.body, refused.content_type, headers)

    def _shaped(self, shape: Shape, request: ChatRequest, whole: dict[str, Any], said: int) -> Outgoing:
        self._count(request, shape.sound)
        return Outgoing(200, shape.make(whole), shape.content_type, completion_tokens=said)

    def _count(self, request: ChatRequest, sound: bool) -> None:
        self._answered += sound
        self._answered_of[request.kind] += sound

    def _completion(self, request: ChatRequest, arrival: int) -> dict[str, Any]:
        seed = request.seed if request.seed is not None else (arrival + 1) * wire.MOST_CHOICES
        n = 1 if "ignore-n" in self.faults.switches else request.n
        choices, from_hash = self._choices(request, seed, n)
        if "collapse" in self.faults.switches and request.model in VARIANT_MODELS:
            choices = [choices[0]._replace(content=(choices[0].content or "") + _COLLAPSED)] * n
        choices = [
            wire.limited(self._spoilt(choice, request, arrival, index), request.max_tokens)
            for index, choice in enumerate(choices)
        ]
        kind = "sim-hash" if from_hash else "sim"
        whole = wire.completion(request, choices, f"{kind}-{request.prompt_hash}-{seed}")
        return {**whole, **self._moved_on(request)}

    def _moved_on(self, request: ChatRequest) -> dict[str, str]:
        """What is told otherwise of a variant that was exchanged meanwhile."""
        answered, faults = self._answered_of["ask"], self.faults
        if request.kind != "ask":
            return {}
        changed: dict[str, str] = {}
        if faults.model_changes_after is not None and answered >= faults.model_changes_after:
            changed["model"] = f"{request.model}-2"
        if faults.fingerprint_changes_after is not None and answered >= faults.fingerprint_changes_after:
            changed["system_fingerprint"] = f"{wire.FINGERPRINT}-2"
        return changed

    def _choices(self, request: ChatRequest, seed: int, n: int) -> tuple[list[Choice], bool]:
        noise = noise_of(request.model)
        if noise is not None:
            return self._verdicts(request, noise, n)
        if request.model not in VARIANT_MODELS:
            raise wire.unknown_model(request.model)
        conversation, asked = request.conversation, request.asked
        replies = (self._respondents.reply(request.model, conversation, asked, seed + index) for index in range(n))
        return [Choice(reply.content, reply.refusal) for reply in replies], False

    def _verdicts(self, request: ChatRequest, noise: Noise, n: int) -> tuple[list[Choice], bool]:
        said = verdict(request.model, noise, request.system, request.asked, request.schema_keys, self._seed)
        return [Choice(said.content)] * n, said.from_hash

    def _spoilt(self, choice: Choice, request: ChatRequest, arrival: int, index: int) -> Choice:
        """The choice as the content faults leave it."""
        if not self.faults.single:
            return choice
        own = self._arrived_of[request.kind] - 1
        if self.faults.spoils("filter", request, arrival, own, index):
            return Choice(None, None, "content_filter")
        if self.faults.spoils("empty", request, arrival, own, index):
            return Choice("")
        if self.faults.spoils("length", request, arrival, own, index):
            content = choice.content or ""
            return Choice(content[: len(content) // 2], choice.refusal, "length")
        return choice


def _log_line(arrival: int, request: ChatRequest | None, outgoing: Outgoing, fault: str) -> dict[str, object]:
    if request is None:
        return {"arrival": arrival, "at": time.time(), "status": outgoing.status, "fault": fault}
    return {
        "arrival": arrival,
        "at": time.time(),
        "model": request.model,
        "kind": request.kind,
        "n": request.n,
        "seed": request.seed,
        "prompt": request.prompt_hash,
        "prompt_tokens": wire.prompt_tokens(request),
        "completion_tokens": outgoing.completion_tokens,
        "status": outgoing.status,
        "fault": fault,
    }
