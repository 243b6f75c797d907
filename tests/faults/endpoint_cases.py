"""The fault campaign's table: what the endpoint does, and what a run must come to.

Where nothing else is said: 2 prompts with 10 samples each, asked with `n`, one request at a time, so 2 requests to
the variant and 20 to the judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from endpoint_scene import Case

from emaudit.simulator.deliveries import DELIVERIES
from emaudit.simulator.refusals import REFUSALS
from emaudit.simulator.shapes import SHAPES

TEN = "10 failures in a row; the last: "
QUICK = "timeout_s = 0.4"
NOTHING: dict[str, int] = {}


def broken(name: str, *faults: str, said: str = "", settings: str = "", failures: int = 10) -> Case:
    """Every request to the variant fails and may be tried again: ten in a row end the run, all is owed."""
    return Case(name, faults, 3, (TEN + said,), 10, 0, 0, 20, NOTHING, 0, failures, settings=settings)


def broken_judge(name: str, *faults: str, said: str = "", settings: str = "") -> Case:
    """Every request to the judge fails: the replies are there, the verdicts stay owed. A second pass asks once."""
    words = (
        f"the judge is left alone for this pass: {TEN}{said}",
        f"the judge did not answer for the rest; the last: {said}",
    )
    return Case(name, faults, 1, words, 2, 11, 20, 20, failures=11, settings=settings)


def stopped(name: str, *faults: str, said: tuple[str, ...]) -> Case:
    """The first answer says that no other can be had."""
    return Case(name, faults, 3, said, 1, 0, 0, 20, NOTHING, 0, 1)


def unharmed(name: str, *faults: str, judges: int = 20, equal: bool = True, settings: str = "") -> Case:
    """Every answer can be read."""
    return Case(name, faults, judges=judges, equal=equal, settings=settings)


def once(name: str, fault: str, failures: int = 1, settings: str = "") -> Case:
    """The first request to the variant fails, the same one asked again is answered."""
    return Case(name, (f"ask/{fault}:1-1",), asks=3, failures=failures, settings=settings)


OUTCOMES = {
    "tool-calls": ({"empty": 20}, 0, 20),
    "tool-calls-deep": ({"empty": 20}, 0, 20),
    "blank": ({"empty": 20}, 0, 20),
    "refusal": ({"refusal": 20}, 20, 0),
    "refusal-long": ({"refusal": 20}, 20, 0),
}
"""Outcomes of sound shapes that are not `ok`, how many of them a judge sees, and how many stay unscored."""
SAME_TEXT = {
    *("more", "finish-unknown", "finish-null", "finish-number", "reasoning", "index-twice", "index-negative"),
    *("index-huge", "index-text", "index-reversed", "usage-missing", "usage-huge", "usage-text", "usage-negative"),
    *("model-number", "model-missing", "extra-fields", "error-null", "bom", "typed-text"),
    *("reasoning-long", "names-long"),
}
"""Sound shapes that leave every answer's text as it is."""
UNREADABLE = {
    *("surrogates", "nul", "escapes", "long", "tool-calls", "tool-calls-deep", "blank", "refusal", "refusal-long"),
}
"""Sound shapes in which a judge's answer is no verdict: asked twice more, then unscored."""


def shapes_to_variants() -> Iterator[Case]:
    """Each shape on every request to the variant."""
    for name, shape in SHAPES.items():
        fault = f"ask/shape:{name}"
        if name == "one-bad":
            said = f"{TEN}malformed reply: no choice with text content"
            yield Case(name, (fault,), 3, (said,), 12, 18, 18, 2, {"ok": 18}, 0, 12)
        elif name == "fewer":
            yield Case(name, (fault,), 0, ("note: endpoint 'sim' ignores n: asked for one sample at a time",), None)
        elif not shape.sound:
            yield broken(name, fault, said="malformed reply: ")
        else:
            outcomes, judges, unscored = OUTCOMES.get(name, ({"ok": 20}, 20, 0))
            case = unharmed(name, fault, judges=judges, equal=name in SAME_TEXT)
            yield replace(case, outcomes=outcomes, unscored=unscored)


LONG = ("long", "names-long", "reasoning-long", "refusal-long")


def shapes_to_judges() -> Iterator[Case]:
    """Each shape on every request to the judge; the long ones on the first alone."""
    for name, shape in SHAPES.items():
        fault = f"judge/shape:{name}"
        if name in LONG:
            judges = 21 if name in UNREADABLE else 20
            yield unharmed(f"judge {name}", f"{fault}:1-1", judges=judges, equal=judges == 20)
        elif not shape.sound and name != "fewer":
            yield broken_judge(f"judge {name}", fault, said="malformed reply: ")
        elif name in UNREADABLE:
            yield replace(unharmed(f"judge {name}", fault, judges=60, equal=False), unscored=20)
        else:
            yield unharmed(f"judge {name}", fault)


RETRIED = ("408", "409", "425", "500", "503", "504", "520", "500-text", "500-controls", "500-huge", "502-page")
STOPS = {
    "401-key": ("refuses the key", "HTTP 401"),
    "403-region": ("refuses the key", "HTTP 403", "Country not supported."),
    "402-billing": ("quota or billing", "add credit"),
    "429-quota": ("quota or billing", "add credit"),
    "429-billing": ("quota or billing", "add credit"),
    "429-deactivated": ("quota or billing", "Deactivated."),
    "404-model": ("model gone or unknown", "The model has been shut down."),
    "404-page": ("model gone or unknown", "HTTP 404"),
    "410": ("model gone or unknown", "HTTP 410"),
    **dict.fromkeys(("301", "302", "303", "307", "308"), ("redirects to https://elsewhere.invalid", "base_url")),
    **{code: (f"HTTP {code}", "check base_url") for code in ("405", "418", "426", "431", "451")},
}
REFUSED = (
    "400",
    "413",
    "422",
    "400-context",
    "400-policy",
    "400-prompt",
    "400-unasked",
    "400-unsent",
    "400-text",
    "400-empty",
)


def statuses() -> Iterator[Case]:
    """Each status on every request to the variant, and those that close a slot also after the first answer."""
    for name in (*RETRIED, "529-overloaded"):
        yield broken(name, f"ask/status:{name}", said="endpoint 'sim': HTTP ")
    for name, said in STOPS.items():
        yield stopped(name, f"ask/status:{name}", said=said)
    for name in REFUSED:
        said = "the endpoint did not answer for the rest; the last: "
        yield Case(f"{name} at first", (f"ask/status:{name}",), 1, (said,), 2, 0, 0, 20, NOTHING, 0, 2)
        yield Case(
            f"{name} on one prompt",
            (f"ask/status:{name}:2-2",),
            judges=10,
            outcomes={"ok": 10, "error": 10},
            unscored=10,
            failures=1,
            equal=False,
        )


def statuses_to_judges() -> Iterator[Case]:
    """Each class of status on every request to the judge."""
    for name in ("503", "408", "502-page"):
        yield broken_judge(f"judge {name}", f"judge/status:{name}")
    for name in ("401-key", "402-billing", "429-quota", "404-model", "302", "418"):
        said = ("judge sim-judge: ", *STOPS[name])
        yield Case(f"judge {name}", (f"judge/status:{name}",), 3, said, None, 1, None, None, None, 0, 1)


WAITS = {
    "seconds": ("retry-after:1", 1.0),
    "a fraction": ("retry-after:0.3", 0.3),
    "an HTTP date": ("retry-after:date+2", 1.0),
    "milliseconds": ("header:retry-after-ms=300", 0.3),
    "a duration": ("retry-after:300ms", 0.3),
    "a reset": ("header:x-ratelimit-reset-requests=300ms", 0.3),
    "the longer reset": ("header:x-ratelimit-reset-tokens=0.3", 0.3),
    "nothing": ("latency:0s", 0.0),
    "zero": ("retry-after:0", 0.0),
    "a date gone by": ("retry-after:date-60", 0.0),
    "less than nothing": ("retry-after:-5", 0.0),
    "a word": ("retry-after:soon", 0.0),
    "a number past all sense": ("retry-after:99999999999999999999", 0.0),
    "a number that is none": ("retry-after:1e400", 0.0),
    "markup": ("retry-after:[red]5[/]", 0.0),
}
LONG_WAITS = {
    "an hour": ("retry-after:3600", "60 minutes"),
    "an hour as a date": ("retry-after:date+3630", "60 minutes"),
    "an hour in words": ("retry-after:1h0m30s", "60 minutes"),
    "an hour of milliseconds": ("header:retry-after-ms=3600000", "60 minutes"),
    "a reset in a day": ("header:x-ratelimit-reset-tokens=24h", "1440 minutes"),
}


def waits() -> Iterator[Case]:
    """Each way to say how long to wait, with a rate limit on the first request."""
    for name, (fault, wait) in WAITS.items():
        yield Case(f"429 and {name}", ("ask/status:429-rate:1-1", fault), asks=3, least_wait=wait)
    for name in ("429", "429-page"):
        yield Case(name, (f"ask/status:{name}:1-3",), asks=5)
    for name, (fault, said) in LONG_WAITS.items():
        words = (f"it asks to wait {said}: resume then",)
        yield Case(f"429 and {name}", ("ask/status:429-rate", fault), 3, words, 1, 0, 0, 20, NOTHING)
    words = ("HTTP 503", "it asks to wait 60 minutes: resume then")
    yield Case("503 and an hour", ("ask/status:503", "retry-after:3600"), 3, words, 1, 0, 0, 20, NOTHING, 0, 1)
    wait = ("ask/status:503:1-1", "retry-after:1")
    yield Case("503 and seconds", wait, asks=3, failures=1, least_wait=1.0)


UNBOUNDED = {"huge", "endless", "gzip-bomb", "head-big"}
"""Deliveries that cost too much to be met ten times."""


def deliveries() -> Iterator[Case]:
    """Each way to travel, to the variant and to the judge."""
    for name, way in DELIVERIES.items():
        if way.sound:
            yield unharmed(f"way {name}", f"ask/way:{name}", f"judge/way:{name}:1-2")
        elif name == "redirect-hostile":
            yield stopped(f"way {name}", f"ask/way:{name}", said=("redirects to https://a.invalid/", "base_url"))
        elif name in UNBOUNDED:
            yield once(f"way {name}", f"way:{name}")
        else:
            yield broken(f"way {name}", f"ask/way:{name}", settings=QUICK if name == "drip" else "")
    for name in ("close", "reset-body", "length-long", "gzip-not"):
        yield broken_judge(f"judge way {name}", f"judge/way:{name}")
    yield broken("timeout", "ask/timeout", settings=QUICK, said="no answer from sim")
    yield broken("drop", "ask/drop")


def oddities() -> Iterator[Case]:
    """What an endpoint does with parameters, models, and money."""
    note = "note: endpoint 'sim' "
    yield Case("ignored n", ("ignore-n",), 0, (f"{note}ignores n",), 20)
    yield Case("refused n", ("refuse-n",), 0, (), None)
    yield Case("no seed", ("no-seed",), 0, (f"{note}refuses seed: asked without it",), 3, 21, equal=False)
    yield Case(
        "older name", ("old-max-tokens",), 0, (f"{note}refuses max_completion_tokens: asked with max_tokens",), 3, 21
    )
    yield Case("no schema", ("no-schema",), 0, (f"{note}refuses response_format: asked without it",), 2, 21)
    said = "note: v: the endpoint now reports "
    yield Case("another model", ("model-changes-after:1",), 0, (f"{said}model '{{model}}-2'",))
    yield Case("another fingerprint", ("fingerprint-changes-after:1",), 0, (f"{said}fingerprint 'emaudit-sim-2'",))
    words = ("quota or billing", "add credit")
    yield Case("quota later", ("quota-after:6",), 3, words, None, None, None, None, None, 0, 1)
    yield Case("filtered", ("ask/filter",), judges=0, outcomes={"content_filter": 20}, unscored=20, equal=False)
    yield Case("cut", ("ask/length",), outcomes={"truncated": 20}, equal=False)


CASES = (
    *shapes_to_variants(),
    *shapes_to_judges(),
    *statuses(),
    *statuses_to_judges(),
    *waits(),
    *deliveries(),
    *oddities(),
)
_LIKE_OTHERS = {
    *(f"judge {name}" for name in SHAPES if name not in ("choices-null", "content-list", "html", "bad-utf8", "blank")),
    *(f"{name} at first" for name in REFUSED if name not in ("400", "422", "400-unasked", "400-unsent")),
    *(f"{name} on one prompt" for name in ("400", "422")),
    *("409", "425", "504", "520", "303", "308", "405", "426", "431", "judge way close", "judge way length-long"),
    *("judge 408", "judge 502-page", "judge 302", "judge 418"),
    *(
        f"429 and {wait}"
        for wait in ("less than nothing", "a number past all sense", "a number that is none", "markup")
    ),
} - {f"judge {name}" for name in ("surrogates", "nul", "long", "tool-calls", "error-object", "truncated", "refusal")}


def ten_at_a_time(cases: Sequence[Case]) -> Iterator[Case]:
    """Cases of `broken`, of which a run meets ten: one with each request."""
    for at in range(0, len(cases), 10):
        some = cases[at : at + 10]
        met = [some[place % len(some)] for place in range(10)]
        faults = [f"{case.faults[0]}:{place}-{place}" for place, case in enumerate(met, 1)]
        settings = max(case.settings for case in some)
        case = broken(f"{some[0].name} to {some[-1].name}", *faults, settings=settings)
        yield replace(case, attempts=tuple(case.said[0].removeprefix(TEN) for case in met))


def two_at_a_time(cases: Sequence[Case]) -> Iterator[Case]:
    """Cases of `unharmed` with a fault in every request to the variant, of which a run meets two: one of a prompt."""
    for at in range(0, len(cases), 2):
        some = cases[at : at + 2]
        faults = [f"{case.faults[0]}:{place}-{place}" for place, case in enumerate(some, 1)]
        yield unharmed(" and ".join(case.name for case in some), *faults)


def _bounded() -> Iterator[Case]:
    """The cases that the tests play, several in one run where what a run comes to is the same for all of them."""
    alike: dict[str, list[Case]] = {"broken": [], "unharmed": []}
    for case in CASES:
        if case.name in _LIKE_OTHERS:
            continue
        (fault, *more) = case.faults
        if case == broken(case.name, fault, said="".join(case.said).removeprefix(TEN), settings=case.settings):
            alike["broken"].append(case)
        elif not more and case == unharmed(case.name, fault) and fault.startswith("ask/"):
            alike["unharmed"].append(case)
        else:
            yield case
    yield from ten_at_a_time(alike["broken"])
    yield from two_at_a_time(alike["unharmed"])


BOUNDED = tuple(_bounded())
"""What the tests play; the cases left out take the same path as others and are played in the long campaign."""


def every_fault_is_met() -> bool:
    """Whether each named fault stands in some case."""
    met = " ".join(fault for case in BOUNDED for fault in case.faults)
    names = [f"status:{name}" for name in REFUSALS] + [f"shape:{name}" for name in SHAPES]
    return all(name in met for name in [*names, *(f"way:{name}" for name in DELIVERIES)])
