import re
from pathlib import Path

import pytest

from emaudit.errors import UsageError
from emaudit.simulator.faults import KNOWN, NAMED, listed, parse_faults
from emaudit.simulator.wire import ChatRequest, RequestRefused


def request(model: str = "sim-full-base", n: int = 1, *given: str) -> ChatRequest:
    return ChatRequest(model, (("user", "Hello"),), n, given=frozenset(given))


def refusal(specs: list[str], asked: ChatRequest, answered: int = 0) -> RequestRefused:
    with pytest.raises(RequestRefused) as refused:
        parse_faults(specs).check(asked, 0, answered)
    return refused.value


@pytest.mark.parametrize(
    "spec",
    (
        *("", "nonsense", "429:2", "429:-1", "429:nan", "500:often", "quota-after", "quota-after:-3", "quota-after:x"),
        *("500:3-2", "500:0-1", "500:3", "ask/401", "else/500", "/500", "judge/latency:2s", "model-changes-after"),
        *("latency", "latency:soon", "latency:-5ms", "401:1", "ignore-n:0.5", "retry-after", "retry-after:\n"),
    ),
)
def test_a_bad_spec_lists_the_known(spec: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_faults([spec])
    assert all(known in str(error.value) for known in KNOWN)


@pytest.mark.parametrize("spec", ["status", "status:200", "status:600", "shape:", "shape:nonsense:0.2", "way:fast"])
def test_an_unknown_name_lists_the_names(spec: str) -> None:
    kind = spec.partition(":")[0]
    with pytest.raises(UsageError) as error:
        parse_faults([spec])
    assert f"no such {kind}; known: " in str(error.value)


def test_every_fault_is_listed_with_what_it_does() -> None:
    text = listed()
    names = [*KNOWN, *(f"{kind}:{name}" for kind, known in NAMED.items() for name in known)]
    for name in names:
        assert any(line.split(" ")[0] == name and line.split(" ", 1)[1].strip() for line in text.splitlines()), name


def test_specs_are_read() -> None:
    faults = parse_faults(["429:0.2", "drop", "ignore-n", "quota-after:500", "latency:50ms", "retry-after:2"], 3)
    assert [(fault.kind, fault.share) for fault in faults.single] == [("429", 0.2), ("drop", 1.0)]
    assert faults.switches == {"ignore-n"}
    assert (faults.quota_after, faults.headers, faults.seed) == (500, {"Retry-After": "2"}, 3)
    assert faults.latency == pytest.approx(0.05)
    assert parse_faults(["latency:2s"]).latency == parse_faults(["latency:2"]).latency == 2


def test_shares_are_met_and_drawn_from_arrival_and_seed() -> None:
    struck = struck_by("malformed:0.3", seed=1)
    assert sum(struck) / 4000 == pytest.approx(0.3, abs=0.03)
    assert struck == struck_by("malformed:0.3", seed=1)
    assert struck != struck_by("malformed:0.3", seed=2)
    assert struck != struck_by("shape:null:0.3", seed=1) != struck_by("shape:list:0.3", seed=1)


def struck_by(spec: str, seed: int) -> list[bool]:
    faults = parse_faults([spec], seed)
    return [faults.check(request(), arrival, 0) is not None for arrival in range(4000)]


@pytest.mark.parametrize(
    ("spec", "struck"),
    [
        ("drop:2-3", [1, 2]),
        ("status:500:5-", [4, 5]),
        ("ask/shape:null:1-1", [1]),
        ("judge/way:gzip:2-2", [2]),
        ("judge/timeout", [0, 2, 4]),
    ],
)
def test_a_range_counts_arrivals_of_whom_it_means(spec: str, struck: list[int]) -> None:
    """Requests to a judge and to a variant, in turn."""
    faults = parse_faults([spec])
    asked = [request("sim-judge" if arrival % 2 == 0 else "sim-full-base") for arrival in range(6)]
    met = [faults.check(each, arrival, 0, arrival // 2) for arrival, each in enumerate(asked)]
    assert [arrival for arrival, fault in enumerate(met) if fault] == struck


@pytest.mark.parametrize(
    ("spec", "status", "code"),
    [
        ("401", 401, "invalid_api_key"),
        ("402", 402, "billing_not_active"),
        ("404", 404, "model_not_found"),
        ("429", 429, "rate_limit_exceeded"),
        ("500", 500, None),
        ("503", 503, None),
        ("quota-after:0", 429, "insufficient_quota"),
    ],
)
def test_errors_look_like_openais(spec: str, status: int, code: str | None) -> None:
    refused = refusal([spec], request())
    assert refused.status == status
    assert refused.body["error"]["code"] == code
    assert set(refused.body["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    ("spec", "parameter", "n"),
    [
        ("refuse-n", "n", 2),
        ("no-seed", "seed", 1),
        ("old-max-tokens", "max_completion_tokens", 1),
        ("no-schema", "response_format", 1),
    ],
)
def test_a_refused_parameter_is_named(spec: str, parameter: str, n: int) -> None:
    assert parse_faults([spec]).check(request(), 0, 0) is None
    refused = refusal([spec], request("sim-full-base", n, parameter))
    assert (refused.status, refused.body["error"]["param"]) == (400, parameter)


def test_quota_ends_after_the_answers_it_allows() -> None:
    faults = parse_faults(["quota-after:2"])
    assert faults.check(request(), 9, 1) is None
    assert refusal(["quota-after:2"], request(), answered=2).body["error"]["code"] == "insufficient_quota"


def test_retry_after_comes_with_rate_limits() -> None:
    assert refusal(["429", "retry-after:1m30s"], request()).headers == {"Retry-After": "1m30s"}
    assert refusal(["429"], request()).headers == {}


def test_only_judges_go_down_with_judge_down() -> None:
    assert parse_faults(["judge-down"]).check(request(), 0, 0) is None
    assert refusal(["judge-down"], request("sim-judge-e10")).status == 503


def test_the_readme_names_faults_that_exist() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    specs = re.findall(r"`((?:status|shape|way|retry-after|model-changes-after):[^`]*)`", text)
    specs += re.findall(r"--fault (\S+)", text)
    assert len(specs) >= 8
    parse_faults(specs)
