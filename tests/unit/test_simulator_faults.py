import pytest

from emaudit.errors import UsageError
from emaudit.simulator.faults import KNOWN, parse_faults
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
        *("latency", "latency:soon", "latency:-5ms", "401:1", "ignore-n:0.5", "retry-after", "retry-after:\n"),
    ),
)
def test_a_bad_spec_lists_the_known(spec: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_faults([spec])
    assert all(known in str(error.value) for known in KNOWN)


def test_specs_are_read() -> None:
    faults = parse_faults(["429:0.2", "drop", "ignore-n", "quota-after:500", "latency:50ms", "retry-after:2"], 3)
    assert faults.shares == {"429": 0.2, "drop": 1.0}
    assert faults.switches == {"ignore-n"}
    assert (faults.quota_after, faults.retry_after, faults.seed) == (500, "2", 3)
    assert faults.latency == pytest.approx(0.05)
    assert parse_faults(["latency:2s"]).latency == parse_faults(["latency:2"]).latency == 2


def test_shares_are_met_and_drawn_from_arrival_and_seed() -> None:
    faults = parse_faults(["500:0.3"], seed=1)
    struck = [faults.strikes("500", arrival) for arrival in range(4000)]
    assert sum(struck) / 4000 == pytest.approx(0.3, abs=0.03)
    assert struck == [parse_faults(["500:0.3"], seed=1).strikes("500", arrival) for arrival in range(4000)]
    assert struck != [parse_faults(["500:0.3"], seed=2).strikes("500", arrival) for arrival in range(4000)]


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
    assert parse_faults([spec]).check(request(), 0, 0) == ""
    refused = refusal([spec], request("sim-full-base", n, parameter))
    assert (refused.status, refused.body["error"]["param"]) == (400, parameter)


def test_quota_ends_after_the_answers_it_allows() -> None:
    faults = parse_faults(["quota-after:2"])
    assert faults.check(request(), 9, 1) == ""
    assert refusal(["quota-after:2"], request(), answered=2).body["error"]["code"] == "insufficient_quota"


def test_retry_after_comes_with_rate_limits() -> None:
    assert refusal(["429", "retry-after:1m30s"], request()).headers == {"Retry-After": "1m30s"}
    assert refusal(["429"], request()).headers == {}


def test_only_judges_go_down_with_judge_down() -> None:
    assert parse_faults(["judge-down"]).check(request(), 0, 0) == ""
    assert refusal(["judge-down"], request("sim-judge-e10")).status == 503
