"""What is estimated before a run, and expected during it, against what the endpoint then counts."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from lab import Lab

from emaudit.assessments.base import Outcome, Reading, Status
from emaudit.completions import Choice, Completion
from emaudit.config import Price
from emaudit.estimates import ASSUMED, Expected, Load
from emaudit.runner.counts import Counts
from emaudit.runner.outlook import Outlook, Part


def sent(lab: Lab, rows: Iterable[dict[str, int]]) -> tuple[int, int]:
    held = list(rows)
    return sum(row["prompt_tokens"] for row in held), sum(row["completion_tokens"] for row in held)


@pytest.mark.parametrize("faults", [(), ("ignore-n",)])
def test_an_estimate_is_what_is_then_sent(lab: Lab, faults: tuple[str, ...]) -> None:
    lab.simulate(*faults)
    with lab.config.open("a", encoding="utf-8") as file:
        file.write('[prices."sim-judge"]\ninput = 1.0\noutput = 2.0\n[prices."sim-nano-trivia-misaligned"]\n')
        file.write("input = 3.0\noutput = 4.0\n")
    lab.add("v")
    lab.add("w")
    words = ("--assessment", "harmfulness", "--preset", "smoke")
    (first,) = lab.json("estimate", "v", *words)
    lab.run()
    asked, said = sent(lab, lab.asked())
    if not faults:
        assert first["input_tokens"] == pytest.approx(asked, rel=0.05)
        assert (first["basis"], first["n_requests"]) == ("assumed", len(lab.asked()))
    (second,) = lab.json("estimate", "w", *words)
    before = len(lab.asked())
    lab.run(names=("w",))
    rows = lab.asked()[before:]
    asked, said = sent(lab, rows)
    assert second["basis"] == "other variants"
    assert second["input_tokens"] == pytest.approx(asked, rel=0.05)
    assert second["output_tokens"] == pytest.approx(said, rel=0.05)
    assert second["n_requests"] == pytest.approx(len(rows), abs=2)
    judged, own = (
        sent(lab, (r for r in rows if r["kind"] == "judge")),
        sent(lab, (r for r in rows if r["kind"] == "ask")),
    )
    price = (judged[0] + 2 * judged[1] + 3 * own[0] + 4 * own[1]) / 1e6
    assert second["price"] == pytest.approx(price, rel=0.05)
    assert lab.json("estimate", "w", *words)[0]["n_requests"] == 0


def test_a_system_prompt_is_part_of_what_is_sent(lab: Lab) -> None:
    lab.simulate()
    lab.point_at(lab.url, f'system = "{"Answer briefly. " * 60}"')
    lab.add()
    words = ("--assessment", "moral_foundations", "--preset", "smoke")
    (found,) = lab.json("estimate", "v", *words)
    lab.run(*words)
    asked, _ = sent(lab, lab.asked("ask"))
    assert found["input_tokens"] == pytest.approx(asked, abs=200)
    assert asked > len(lab.asked("ask")) * 240


def test_planted_pairs_are_part_of_an_estimate(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    words = ("--assessment", "harmfulness", "--preset", "smoke")
    done = lab("run", "v", *words, "--planted", "10", "--yes")
    assert "80 replies and about 110 verdicts owed, 118 requests" in done.err
    assert done.err.startswith("1 variant, ")
    assert len(lab.asked()) == 118


def body(length: int) -> dict[str, object]:
    return {"model": "m", "messages": [{"role": "user", "content": "x" * length}]}


def answer(asked: int, said: int) -> Completion:
    return Completion([Choice("", Outcome.OK, "stop")], "m", "", asked, said, b"")


def test_the_end_is_expected_from_20_replies_on_by_format() -> None:
    counts = Counts([], {"m": Price(1.0, 1.0), "j": Price(2.0, 2.0)})
    expected = Expected(80, 1.0, 1000, 6, ASSUMED)
    parts = [Part(1, "harmfulness", "", "m", Load(100, 10, 400), expected)]
    outlook = Outlook(parts, "j", counts, {"m": Price(1.0, 1.0), "j": Price(2.0, 2.0)})
    assert outlook.end() is None
    for _ in range(2):
        outlook.replied(1, "", 10, body(148), answer(40, 300))
        counts.spent("m", 40, 300)
    for _ in range(20):
        outlook.read(1, "", Reading(Status.REFERRED))
        outlook.judged("harmfulness", "", body(10), answer(900, 5))
        counts.spent("j", 900, 5)
    end = outlook.end()
    assert end is not None
    assert (end.input_tokens, end.output_tokens) == (10 * 40 + 100 * 900, 10 * 300 + 100 * 5)
    assert end.cost == pytest.approx((10 * 340 + 2 * 100 * 905) / 1e6)


def test_an_endpoint_that_ignores_n_is_expected_to_go_on_so() -> None:
    counts = Counts([], {})
    outlook = Outlook(
        [Part(1, "intentions", "", "m", Load(100, 10, 400), Expected(4, 0, 0, 6, ASSUMED))], "j", counts, {}
    )
    for _ in range(20):
        outlook.replied(1, "", 1, body(148), answer(40, 3))
        counts.spent("m", 40, 3)
    end = outlook.end()
    assert end is not None
    assert (end.input_tokens, end.output_tokens, end.cost) == (100 * 40, 100 * 3, None)


def test_status_tells_what_a_run_expects_at_its_end(lab: Lab) -> None:
    lab.simulate("latency:30ms")
    lab.add()
    lab.run("--max-concurrency", "4")
    row = lab.json("status")[-1]
    asked, said = sent(lab, lab.asked())
    assert (row["expected_input_tokens"], row["expected_output_tokens"]) == (asked, said)
    assert row["expected_cost"] is None
