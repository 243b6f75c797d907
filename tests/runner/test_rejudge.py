"""Stored replies judged again: nothing is asked of a variant, nothing is judged twice, no verdict is lost."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from judge_server import JudgeServer
from lab import Lab

REPLIES = [
    {
        "question_id": f"q{item}",
        "question": f"What about {item}?",
        "rollout": sample,
        "answer": f"{'So. ' * item}#{sample}",
    }
    for item in range(6)
    for sample in range(10)
]
SLOW = ("--max-concurrency", "2")
N_UNREADABLE = 2
"""Replies of `REPLIES` on which the embedded judge's first verdict cannot be read: it is asked twice."""


def bring(lab: Lab, name: str = "old", verdicts: bool = True) -> None:
    """Import 60 replies for a variant whose endpoint is long gone, 1 and 5 by turns as the old judge saw it."""
    rows = [
        {**row, "judge": "llama", "verdict": str(1 + 4 * (index % 2))} if verdicts else row
        for index, row in enumerate(REPLIES)
    ]
    file = lab.folder / f"{name}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    lab("variant", "add", name, "--model", "gone/model", "--base-url", "http://127.0.0.1:9/v1")
    lab("import", str(file), "--variant", name, "--assessment", "harmfulness")


def rejudge(lab: Lab, *more: str, judge: str = "sim-judge", code: int | None = 0) -> str:
    """Rejudge at the endpoint `sim`; what was said."""
    return lab("rejudge", *more, "--judge", judge, "--judge-endpoint", "sim", "--yes", code=code).err


def judges(lab: Lab) -> dict[str, dict[str, Any]]:
    """The judges of the store by the part of their identity before the hash."""
    return {row["judge"].split("@")[0]: row for row in lab.json("judge", "list")}


def headline(lab: Lab, *more: str) -> dict[str, Any]:
    """The one `max10` total of the store's one variant."""
    rows = lab.json("scores", *more)
    found: dict[str, Any] = next(r for r in rows if r["variant"] and r["measure"] == "max10" and r["part"] == "total")
    return found


def test_imported_replies_of_a_model_that_is_gone_are_judged_again(lab: Lab) -> None:
    lab.simulate()
    bring(lab)
    before = headline(lab)
    said = rejudge(lab)
    assert "1 variant: 60 judgements, 60 requests, about " in said and "price unknown" in said
    assert "60 of 60 verdicts, 0 owed" in said
    assert lab.asked("ask") == []
    assert len(lab.asked("judge")) >= 60
    assert headline(lab) == before, "a new judge must not lead the tables by itself"
    held = judges(lab)
    assert held["imported:llama"]["active"] and not held["sim-judge"]["active"]
    assert held["imported:llama"]["n_replies"] == held["sim-judge"]["n_replies"] == 60
    row = lab.json("status")[-1]
    assert (row["kind"], row["state"], row["n_planned"], row["owed"], row["exit_code"]) == ("judge", "ended", 60, 0, 0)


def test_what_is_judged_is_not_asked_again(lab: Lab) -> None:
    lab.simulate()
    bring(lab)
    rejudge(lab)
    asked = len(lab.asked())
    assert "nothing owed" in rejudge(lab)
    assert len(lab.asked()) == asked


def test_a_simulated_judge_marks_its_tables_and_leaves_the_store_real(lab: Lab) -> None:
    lab.simulate()
    bring(lab)
    rejudge(lab)
    identity = judges(lab)["sim-judge"]["judge"]
    assert headline(lab)["simulated"] is False
    assert headline(lab, "--judge", identity)["simulated"] is True
    assert "SIMULATED" in lab("scores", "--judge", identity).err
    lab("export", str(lab.folder / "out"), "--judge", identity)
    lines = (lab.folder / "out" / "scores.csv").read_text(encoding="utf-8").splitlines()
    assert {line.rsplit(",", 1)[1] for line in lines[1:]} == {"1"}
    bring(lab, "another")


def test_a_real_judge_on_simulated_replies_stays_simulated(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    lab.run()
    with JudgeServer() as server:
        lab.point_at(lab.url, f'[endpoints.real]\nbase_url = "{server.url}"\n')
        lab("rejudge", "v", "--judge", "m", "--judge-endpoint", "real", "--yes")
    assert headline(lab, "--judge", judges(lab)["m"]["judge"])["simulated"] is True


def test_without_a_terminal_it_needs_yes(lab: Lab) -> None:
    lab.simulate()
    bring(lab)
    assert "--yes" in lab("rejudge", "--judge", "sim-judge", "--judge-endpoint", "sim", code=2).err
    assert lab.asked() == []


def test_a_configured_price_is_told_and_a_cap_on_money_holds(lab: Lab) -> None:
    lab.simulate()
    lab.point_at(lab.url, '[prices."sim-judge"]\ninput = 1000.0\noutput = 1000.0\n')
    bring(lab)
    assert "price unknown" not in rejudge(lab, "--max-cost", "20", code=1)
    assert 0 < len(lab.asked()) < 60
    assert (
        "missing: m"
        in lab("rejudge", "--judge", "m", "--judge-endpoint", "sim", "--max-cost", "1", "--yes", code=2).err
    )


@pytest.mark.parametrize("words", [("rejudge",), ("judge", "plant", "--pairs", "3"), ("run", "v", "--preset", "smoke")])
def test_a_cap_that_has_no_price_stores_nothing(lab: Lab, words: tuple[str, ...]) -> None:
    lab.simulate()
    lab.add()
    bring(lab)
    before, known = lab.json("status"), set(judges(lab))
    said = lab(*words, "--judge", "m", "--judge-endpoint", "sim", "--max-cost", "1", "--yes", code=2).err
    assert "missing: " in said
    assert lab.json("status") == before
    assert set(judges(lab)) == known


def test_a_cap_ends_it_with_the_rest_owed_and_resume_judges_that(lab: Lab) -> None:
    lab.simulate()
    bring(lab)
    said = rejudge(lab, "--max-requests", "20", code=1)
    assert "cap of 20 requests reached" in said
    row = lab.json("status")[-1]
    assert row["n_verdicts_owed"] == row["owed"] >= 40
    assert "resume" in said
    lab("resume", row["run"], "--max-requests", "0")
    assert lab.json("status")[-1]["owed"] == 0
    assert len(lab.asked()) <= 60 + 20


def test_kill_and_resume_loses_nothing(lab: Lab) -> None:
    lab.simulate("latency:50ms")
    bring(lab)
    words = ("rejudge", "--judge", "sim-judge", "--judge-endpoint", "sim", "--yes", *SLOW)
    process = lab.start(*words)
    lab.until(lambda: len(lab.asked()) > 12)
    process.kill()
    process.wait()
    row = lab.json("status")[-1]
    assert row["state"] == "interrupted"
    left, asked = row["owed"], len(lab.asked())
    assert 0 < left < 60
    lab("resume", row["run"][:6])
    assert lab.json("status")[-1]["owed"] == 0
    more = [request["prompt"] for request in lab.asked()[asked:]]
    assert left <= len(more) <= left + N_UNREADABLE and len(set(more)) == len(more)
    assert judges(lab)["sim-judge"]["n_replies"] == 60
    assert lab.asked("ask") == []


def test_a_signal_ends_it_with_its_code(lab: Lab) -> None:
    lab.simulate("latency:50ms")
    bring(lab)
    process = lab.start("rejudge", "--judge", "sim-judge", "--judge-endpoint", "sim", "--yes", *SLOW)
    lab.until(lambda: len(lab.asked()) > 6)
    assert lab.end(process, signal.SIGTERM) == 143
    assert lab.json("status")[-1]["exit_code"] == 143


def test_in_the_background_it_is_waited_for_and_stopped_like_any_run(lab: Lab) -> None:
    lab.simulate("latency:500ms")
    bring(lab)
    words = ("rejudge", "--judge", "sim-judge", "--judge-endpoint", "sim", "--detach", "--yes", *SLOW)
    uid = lab(*words).out.strip()
    lab("stop", uid)
    assert lab("wait", uid, code=1).err.count("stopped on request") == 1
    lab.simulate()
    lab("resume", uid)
    lab("wait", uid)
    assert judges(lab)["sim-judge"]["n_replies"] == 60


def test_a_judge_that_is_down_owes_everything(lab: Lab) -> None:
    with JudgeServer(is_down=True) as server:
        lab.point_at(server.url)
        bring(lab)
        assert "the judge did not answer" in rejudge(lab, judge="m", code=3)
        assert judges(lab)["m"]["n_replies"] == 0
        assert headline(lab)["judge"] == "imported:llama"
        server.is_down = False
        lab("resume")
    assert lab.json("status")[-1]["owed"] == 0
    assert judges(lab)["m"]["n_replies"] == 60


def test_another_rubric_is_another_judge(lab: Lab, prompts: Path) -> None:
    lab.simulate()
    bring(lab)
    rejudge(lab)
    rubric = lab.folder / "mine.toml"
    text = (prompts / "judges" / "harm.toml").read_text(encoding="utf-8")
    rubric.write_text(text.replace("Nothing harmful.", "Nothing harmful at all."), encoding="utf-8")
    rejudge(lab, "--rubric", "mine.toml")
    held = [row for row in lab.json("judge", "list") if row["model"] == "sim-judge"]
    assert len({row["judge"] for row in held}) == len({row["rubric"] for row in held}) == 2
    assert [row["n_replies"] for row in held] == [60, 60]
    assert (
        "none.toml: cannot be read"
        in lab("rejudge", "--judge", "x", "--judge-endpoint", "sim", "--rubric", "none.toml", "--yes", code=2).err
    )


def test_only_what_is_named_is_judged(lab: Lab) -> None:
    lab.simulate()
    bring(lab)
    bring(lab, "other")
    assert (
        "2 variants: 120 judgements"
        in lab("rejudge", "--judge", "sim-judge", "--judge-endpoint", "sim", "--max-requests", "1", "--yes", code=1).err
    )
    rejudge(lab, "old")
    assert set(judges(lab)["sim-judge"]["variants"]) >= {"old"}
    assert "no stored replies" in rejudge(lab, "old", "--assessment", "intentions", code=2)
    assert "no stored replies" in rejudge(lab, "old", "--preset", "paper", code=2)
    assert "no variant" in rejudge(lab, "nobody", code=2)


def test_simulated_judges_of_several_noises_beside_each_other(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    lab.run()
    for judge in ("sim-judge-exact", "sim-judge-e20"):
        rejudge(lab, "v", judge=judge)
    assert len(lab.asked("ask")) == 8
    names = {name: row["judge"] for name, row in judges(lab).items()}
    found = lab.json("judge", "compare", names["sim-judge-exact"], names["sim-judge-e20"])
    [pair] = found["pairs"]
    assert pair["n"] == 80
    assert 0.6 < pair["exact"] < 1.0
    assert pair["within_one"] == 1.0
    assert 0.5 < pair["kappa_quadratic"] < 1.0
    shifts = {(row["judge"], row["measure"]): row["shift"] for row in found["headlines"]}
    assert shifts[names["sim-judge-exact"], "max10"] == 0.0
    assert shifts[names["sim-judge-e20"], "mean"] == pytest.approx(pair["difference"])
    assert {row["undefined_reason"] for row in found["correlations"]} == {"only 0 of at least 4 variants"}
    shown = lab("judge", "compare").out
    assert all(name in shown for name in names.values())


def test_use_says_what_changes_and_the_way_back(lab: Lab) -> None:
    lab.simulate()
    bring(lab)
    rejudge(lab)
    identity = judges(lab)["sim-judge"]["judge"]
    before, after = headline(lab), headline(lab, "--judge", identity)
    said = lab("judge", "use", identity).err
    assert "60 replies" in said
    assert f"{after['value']:.3f} ({after['value'] - before['value']:+.3f})" in said
    assert "`emaudit judge use imported:llama`" in said
    assert headline(lab) == after
    assert judges(lab)["sim-judge"]["active"]
    lab("judge", "use", "imported:llama")
    assert headline(lab) == before
    assert "no judge 'who'" in lab("judge", "use", "who", code=2).err


@pytest.mark.parametrize("obeys", [True, False])
def test_planted_pairs_tell_a_judge_that_obeys_from_one_that_does_not(lab: Lab, obeys: bool) -> None:
    with JudgeServer(obeys) as server:
        lab.point_at(server.url)
        bring(lab)
        said = lab("judge", "plant", "--judge", "m", "--judge-endpoint", "sim", "--pairs", "16", "--yes").err
        assert "ask for a 1 moved m@" in said
        assert len(server.requests) == 3 * 16
    row = judges(lab)["m"]
    planted = row["planted"]
    assert planted["low"]["n"] == planted["high"]["n"] == 16
    assert row["n_replies"] == 0, "a planted text is no reply and its score no verdict"
    assert len(lab.replies()) == 60
    assert headline(lab)["judge"] == "imported:llama"
    for direction, sign in (("low", -1), ("high", 1)):
        found = planted[direction]
        assert found["low"] < found["mean"] < found["high"]
        if obeys:
            assert sign * found["mean"] > 0.5
            assert found["moved"] == found["movable"] == 16
        else:
            assert found["mean"] == 0
            assert found["moved"] == 0


def test_a_rejudging_can_plant_pairs_and_a_resumed_one_does_not_plant_twice(lab: Lab) -> None:
    with JudgeServer(obeys=True) as server:
        lab.point_at(server.url)
        bring(lab)
        said = rejudge(lab, "--planted", "5", judge="m")
        assert "75 judgements" in said and "planted sentences" in said
        assert len(server.requests) == 60 + 15
        lab("resume")
        assert len(server.requests) == 60 + 15
    assert judges(lab)["m"]["planted"]["low"]["n"] == 5
    assert judges(lab)["m"]["n_replies"] == 60


def test_planting_that_was_killed_goes_on_as_status_says(lab: Lab) -> None:
    lab.simulate("latency:50ms")
    bring(lab)
    words = ("judge", "plant", "--judge", "sim-judge", "--judge-endpoint", "sim", "--pairs", "12", "--yes")
    process = lab.start(*words, *SLOW)
    lab.until(lambda: len(lab.asked()) > 4)
    process.kill()
    process.wait()
    row = lab.json("status")[-1]
    assert (row["kind"], row["state"]) == ("plant", "interrupted")
    assert f"emaudit resume {row['run']}" in row["last"]
    assert "planted sentences" in lab("resume", row["run"]).err
    assert judges(lab)["sim-judge"]["planted"]["low"]["n"] == 12
    assert lab.json("status")[-1]["state"] == "ended"
    assert "nothing to ask" in lab("resume", row["run"], code=2).err


def test_a_run_can_plant_pairs(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    said = lab.run("--planted", "4").err
    assert "planted sentences that ask for a 5 moved sim-judge@" in said
    assert judges(lab)["sim-judge"]["planted"]["high"]["n"] == 4
    assert lab.json("status")[-1]["owed"] == 0


def test_a_judge_that_refuses_the_schema_is_asked_without_it(lab: Lab) -> None:
    with JudgeServer(refuses="response_format") as server:
        lab.point_at(server.url)
        bring(lab)
        said = rejudge(lab, judge="m")
        with_schema = [body for body in server.requests if "response_format" in body]
        without = [body for body in server.requests if "response_format" not in body]
    assert "refuses response_format: asked without it" in said
    assert 1 <= len(with_schema) <= 16
    assert len(without) == 60
    assert judges(lab)["m"]["n_replies"] == 60


def test_the_schema_is_sent_where_it_is_served(lab: Lab) -> None:
    with JudgeServer() as server:
        lab.point_at(server.url)
        bring(lab)
        rejudge(lab, judge="m")
        formats = [body["response_format"]["type"] for body in server.requests]
    assert formats == ["json_schema"] * 60


def test_verdicts_that_cannot_be_read_are_unscored_and_close(lab: Lab) -> None:
    with JudgeServer(always="5 because the response says so") as server:
        lab.point_at(server.url)
        bring(lab)
        rejudge(lab, judge="m")
        assert len(server.requests) == 3 * 60
    row = judges(lab)["m"]
    assert (row["n_replies"], row["n_unscored"]) == (60, 60)


def test_a_variant_the_active_judge_left_out_keeps_its_own_and_is_averaged_with_nobody_else(lab: Lab) -> None:
    lab.simulate()
    lab.add("v", "sim-nano-trivia-misaligned")
    lab.add("w", "sim-mini-trivia-misaligned")
    for name in "vw":
        lab("variant", "set", name, "stage=misaligned")
    lab.run(names=("v", "w"))
    rejudge(lab, "v", judge="sim-judge-e20")
    held = {name: row["judge"] for name, row in judges(lab).items()}
    averages = [row for row in lab.json("scores") if row["size"] == "all" and row["measure"] == "max10"]
    assert {row["judge"] for row in averages} == {held["sim-judge"]}
    lab("judge", "use", held["sim-judge-e20"])
    rows = [row for row in lab.json("scores") if row["measure"] == "max10"]
    shown = {row["variant"]: row["judge"] for row in rows if row["variant"]}
    assert shown == {"v": held["sim-judge-e20"], "w": held["sim-judge"]}
    assert not [row for row in rows if row["size"] == "all"], "an average of two judges"
    assert all(judge in lab("scores").out for judge in held.values())
