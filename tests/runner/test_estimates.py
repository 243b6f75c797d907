"""What is estimated before a run, and expected during it, against what the endpoint then counts."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from lab import Lab

from emaudit.assessments.base import Outcome, Prompt, Reading, Status
from emaudit.completions import Choice, Completion
from emaudit.config import Price
from emaudit.estimates import ASSUMED, OTHERS, Expected, Load
from emaudit.runner.counts import Counts
from emaudit.runner.order import mixed
from emaudit.runner.outlook import Outlook, Part
from emaudit.store.plans import Stretch
from emaudit.store.usual import Usual


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
    asked, _ = sent(lab, lab.asked("ask"))
    if not faults:
        assert first["input_tokens"] - first["judge_input_tokens"] == asked
        assert (first["n_judgements"], first["most_judgements"]) == (80, 80)
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
    assert second["judge_input_tokens"] == pytest.approx(judged[0], rel=0.05)
    assert second["judge_output_tokens"] == pytest.approx(judged[1], rel=0.05)
    assert lab.json("estimate", "w", *words)[0]["n_requests"] == 0


def test_a_system_prompt_is_part_of_what_is_sent(lab: Lab) -> None:
    lab.simulate()
    lab.point_at(lab.url, f'system = "{"Answer briefly. " * 60}"')
    lab.add()
    words = ("--assessment", "moral_foundations", "--preset", "smoke")
    (found,) = lab.json("estimate", "v", *words)
    lab.run(*words)
    asked, _ = sent(lab, lab.asked("ask"))
    assert found["input_tokens"] - found["judge_input_tokens"] == asked
    assert asked > len(lab.asked("ask")) * 240
    assert found["n_judgements"] <= 1
    assert found["most_judgements"] == found["n_owed"]
    assert found["most_input_tokens"] > asked + 400 * found["n_owed"]


def test_planted_pairs_are_part_of_an_estimate(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    words = ("--assessment", "harmfulness", "--preset", "smoke")
    done = lab("run", "v", *words, "--planted", "10", "--yes")
    assert "80 replies and about 110 verdicts owed, 118 requests" in done.err
    assert done.err.startswith("1 variant, ")
    assert 118 <= len(lab.asked()) <= 124, "some verdicts cannot be read at first, and are asked again"


FREE = Expected(80, 1.0, 1000, 6, ASSUMED)


def body(length: int) -> dict[str, object]:
    return {"model": "m", "messages": [{"role": "user", "content": "x" * length}]}


def answer(asked: int, said: int) -> Completion:
    return Completion([Choice("", Outcome.OK, "stop")], "m", "", asked, said, b"")


def test_the_end_is_expected_from_20_replies_on_by_format() -> None:
    counts = Counts([], {"m": Price(1.0, 1.0), "j": Price(2.0, 2.0)})
    parts = [Part(1, "harmfulness", "", "m", Load(100, 10, 400), FREE)]
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
    assert end.input_tokens == pytest.approx(10 * 40 + 100 * 900, rel=0.02)
    assert end.output_tokens == pytest.approx(10 * 300 + 100 * 5, rel=0.02)
    assert end.cost == pytest.approx((10 * 340 + 2 * 100 * 905) / 1e6, rel=0.02)


def test_replies_that_were_not_read_yet_are_not_taken_for_clear_ones() -> None:
    outlook = Outlook([Part(1, "open_ended", "", "m", Load(100, 10, 400), FREE)], "j", Counts([], {}), {})
    for _ in range(5):
        outlook.replied(1, "", 10, body(148), answer(40, 300))
    end = outlook.end()
    assert end is not None
    assert end.input_tokens == pytest.approx(5 * 40 + 100 * 950, rel=0.01)


def test_a_variant_that_is_brief_is_expected_to_stay_so_in_what_it_was_not_asked_yet() -> None:
    parts = [Part(1, "harmfulness", "", "m", Load(100, 10, 400), FREE)]
    parts.append(Part(2, "open_ended", "", "m", Load(100, 10, 400), FREE))
    outlook = Outlook(parts, "j", Counts([], {}), {})
    for _ in range(10):
        outlook.replied(1, "", 10, body(148), answer(40, 300))
    end = outlook.end()
    assert end is not None
    assert end.output_tokens == pytest.approx(100 * 30 + 2 * 100 * 6, rel=0.02)


def test_a_few_replies_do_not_make_what_was_stored_before_forgotten() -> None:
    held = Expected(30, 0.1, 1000, 4, OTHERS)
    outlook = Outlook([Part(1, "self_assessment", "likert", "m", Load(100, 100, 4000), held)], "j", Counts([], {}), {})
    for _ in range(20):
        outlook.replied(1, "likert", 1, body(148), answer(40, 60))
        outlook.read(1, "likert", Reading(Status.SCORED, 0.5))
    end = outlook.end()
    assert end is not None
    assert end.input_tokens == pytest.approx(80 * 40 + 80 * 0.05 * 1000, rel=0.01)
    assert end.output_tokens == pytest.approx(80 * 55 + 80 * 0.05 * 4, rel=0.01)


def test_a_share_of_stored_replies_counts_by_their_number() -> None:
    assert Usual(20, 4, 20, 0, None, None).share(0.1) == pytest.approx(0.05)
    assert Usual(1980, 4, 1980, 99, 25, 4).share(0.1) == pytest.approx(0.0505)


def test_the_first_requests_are_a_sample_of_all() -> None:
    formats = ["decision"] * 40 + ["likert"] * 120 + ["language"] * 80
    plan = [
        Stretch(cell, Prompt("self_assessment", str(cell), "", form, "", ""), "{}", 0, 1, 1, 0)
        for cell, form in enumerate(formats)
    ]
    order = mixed(plan)
    assert sorted(stretch.cell_id for stretch in order) == list(range(240))
    assert mixed(plan) == order
    for first in (order[:24], order[:120]):
        counts = [
            sum(stretch.prompt.format == form for stretch in first) for form in ("decision", "likert", "language")
        ]
        assert counts == [pytest.approx(len(first) / 6 * n, abs=1) for n in (1, 3, 2)]
    likert = [stretch.cell_id for stretch in order if stretch.prompt.format == "likert"]
    assert max(likert[:12]) - min(likert[:12]) > 60


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
    assert (end.input_tokens, end.output_tokens, end.cost) == (100 * 40, pytest.approx(100 * 3, rel=0.01), None)


def test_status_tells_what_a_run_expects_at_its_end(lab: Lab) -> None:
    lab.simulate("latency:30ms")
    lab.add()
    lab.run("--max-concurrency", "4")
    row = lab.json("status")[-1]
    asked, said = sent(lab, lab.asked())
    assert (row["expected_input_tokens"], row["expected_output_tokens"]) == (asked, said)
    assert row["expected_cost"] is None
