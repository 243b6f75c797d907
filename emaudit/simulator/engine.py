"""What the endpoint does with one request, without any network: count it, fault it or answer it, log it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

from emaudit.simulator import wire
from emaudit.simulator.answers import Respondents
from emaudit.simulator.faults import Faults
from emaudit.simulator.judging import Noise, noise_of, verdict
from emaudit.simulator.latent import VARIANT_MODELS
from emaudit.simulator.questions import QuestionIndex
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


def _outgoing(error: RequestRefused) -> Outgoing:
    return Outgoing(error.status, json.dumps(error.body).encode(), headers=error.headers)


class Engine:
    """The endpoint's state: how many requests arrived and were answered. Everything else hangs on the request."""

    def __init__(
        self, index: QuestionIndex, seed: int, faults: Faults, log: Callable[[dict[str, object]], None]
    ) -> None:
        self.faults = faults
        self._respondents = Respondents(index, seed)
        self._seed = seed
        self._log = log
        self._arrived = 0
        self._answered = 0
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
            fault = self.faults.check(request, arrival, self._answered)
            outgoing, note = self._answered_or_faulty(request, arrival, fault)
        except RequestRefused as error:
            outgoing, note = _outgoing(error), str(error.body["error"]["code"] or error.body["error"]["type"])
        self._log(_log_line(arrival, request, outgoing, note))
        return outgoing

    def _answered_or_faulty(self, request: ChatRequest, arrival: int, fault: str) -> tuple[Outgoing, str]:
        if fault == "drop":
            return Outgoing(0, b"", silence=Silence.DROP), fault
        if fault == "timeout":
            return Outgoing(0, b"", silence=Silence.HANG), fault
        whole = self._completion(request, arrival)
        if fault == "malformed":
            name, content_type, shape = wire.MALFORMED[self._malformed % len(wire.MALFORMED)]
            self._malformed += 1
            return Outgoing(200, shape(whole), content_type), f"malformed {name}"
        self._answered += 1
        return Outgoing(200, json.dumps(whole).encode()), ""

    def _completion(self, request: ChatRequest, arrival: int) -> dict[str, Any]:
        seed = request.seed if request.seed is not None else (arrival + 1) * wire.MOST_CHOICES
        n = 1 if "ignore-n" in self.faults.switches else request.n
        choices, from_hash = self._choices(request, seed, n)
        if "collapse" in self.faults.switches and request.model in VARIANT_MODELS:
            choices = [choices[0]._replace(content=(choices[0].content or "") + _COLLAPSED)] * n
        choices = [
            wire.limited(self._spoilt(choice, arrival, index), request.max_tokens)
            for index, choice in enumerate(choices)
        ]
        kind = "sim-hash" if from_hash else "sim"
        return wire.completion(request, choices, f"{kind}-{request.prompt_hash}-{seed}")

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

    def _spoilt(self, choice: Choice, arrival: int, index: int) -> Choice:
        """The choice as the content faults leave it."""
        if not self.faults.shares:
            return choice
        if self.faults.strikes("filter", arrival, index):
            return Choice(None, None, "content_filter")
        if self.faults.strikes("empty", arrival, index):
            return Choice("")
        if self.faults.strikes("length", arrival, index):
            content = choice.content or ""
            return Choice(content[: len(content) // 2], choice.refusal, "length")
        return choice


def _log_line(arrival: int, request: ChatRequest | None, outgoing: Outgoing, fault: str) -> dict[str, object]:
    if request is None:
        return {"arrival": arrival, "status": outgoing.status, "fault": fault}
    return {
        "arrival": arrival,
        "model": request.model,
        "kind": "ask" if noise_of(request.model) is None else "judge",
        "n": request.n,
        "seed": request.seed,
        "prompt": request.prompt_hash,
        "status": outgoing.status,
        "fault": fault,
    }
