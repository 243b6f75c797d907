"""Caps held by whole runs: what the endpoint's own log counts is never more, and the run says why it ended."""

from __future__ import annotations

import re

import pytest
from lab import Lab

PRICES = """
[prices."sim-nano-trivia-misaligned"]
input = 0.1
output = 0.3
[prices."sim-judge"]
input = 0.7
output = 1.1
"""


def taken(lab: Lab) -> int:
    """Tokens of all answers by the endpoint's log."""
    return sum(row["prompt_tokens"] + row["completion_tokens"] for row in lab.asked() if row["status"] == 200)


def cost(lab: Lab) -> float:
    prices = {"ask": (0.1, 0.3), "judge": (0.7, 1.1)}
    return (
        sum(
            row["prompt_tokens"] * prices[row["kind"]][0] + row["completion_tokens"] * prices[row["kind"]][1]
            for row in lab.asked()
            if row["status"] == 200
        )
        / 1e6
    )


@pytest.mark.parametrize("faults", [(), ("ignore-n",), ("500:0.3", "429:0.2", "malformed:0.1", "retry-after:0")])
def test_a_cap_on_requests_is_the_number_of_requests(lab: Lab, faults: tuple[str, ...]) -> None:
    lab.simulate(*faults)
    lab.add()
    done = lab.run("--max-requests", "37", "--max-concurrency", "200", code=1)
    assert "cap of 37 requests reached" in done.err
    assert len(lab.asked()) == 37
    lab("resume", "--max-requests", "11", code=1)
    assert len(lab.asked()) == 37 + 11


def test_planted_pairs_and_other_judges_stay_under_it_too(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    lab.run("--planted", "10", "--max-requests", "95", code=1)
    assert len(lab.asked()) == 95
    lab("rejudge", "--judge", "sim-judge-exact", "--judge-endpoint", "sim", "--max-requests", "13", "--yes", code=1)
    assert len(lab.asked()) == 95 + 13


@pytest.mark.parametrize("faults", [(), ("ignore-n",), ("malformed:0.2",)])
def test_a_cap_on_tokens_is_never_passed(lab: Lab, faults: tuple[str, ...]) -> None:
    lab.simulate(*faults)
    lab.add()
    done = lab.run("--max-tokens", "60000", "--max-concurrency", "200", code=1)
    assert re.search(r"cap of 60,000 tokens reached: [\d,]+ taken.*and the next request may take [\d,]+", done.err)
    first = taken(lab)
    assert (10_000 if faults == ("malformed:0.2",) else 40_000) < first <= 60_000
    lab("resume", "--max-tokens", "70000", code=None)
    assert first < taken(lab) <= first + 70_000
    lab("resume", "--max-tokens", "0")
    assert lab.json("status")[-1]["owed"] == 0


def test_a_cap_on_money_is_never_passed(lab: Lab) -> None:
    lab.simulate()
    lab.point_at(lab.url, PRICES)
    lab.add()
    done = lab.run("--max-cost", "0.02", "--max-concurrency", "200", code=1)
    assert "cap of 0.02 on cost reached" in done.err
    assert 0.01 < cost(lab) <= 0.02


def test_a_cap_that_holds_no_request_asks_nothing_and_says_so(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    done = lab.run("--max-tokens", "500", code=1)
    assert "cap of 500 tokens reached: 0 taken, and the next request may take" in done.err
    assert lab.asked() == []
