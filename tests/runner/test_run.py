"""A run from its start to its end, over HTTP."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from lab import Lab


def test_a_run_asks_judges_scores_and_exports(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    done = lab("run", "v", "--preset", "smoke", "--yes")
    assert done.out == ""
    assert "206 of 206 replies, " in done.err
    assert ", 0 owed" in done.err
    assert "`emaudit scores`" in done.err
    scores = lab.json("scores")
    headline = [row for row in scores if (row["measure"], row["part"], row["variant"]) == ("max10", "total", "v")]
    assert [(row["n_used"], row["n_expected"], row["complete"], row["simulated"]) for row in headline] == [
        (80, 80, True, True)
    ]
    assert headline[0]["judge"].startswith("sim-judge@")
    rows = lab.replies()
    assert len(rows) == 206
    assert {row["simulated"] for row in rows} == {"1"}
    shown = lab("scores")
    assert "SIMULATED" in shown.err
    assert "not the validated MFQ-2" in shown.err
    assert "harmfulness" in shown.out


def test_a_second_run_asks_nothing(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    lab.run()
    before = len(lab.asked())
    assert before == 88
    assert "nothing owed" in lab.run().err
    assert len(lab.asked()) == before


def test_a_larger_preset_asks_only_for_the_rest(lab: Lab, prompts: Path) -> None:
    items = prompts / "harmfulness" / "items.csv"
    rows = list(csv.DictReader(items.read_text(encoding="utf-8").splitlines()))
    kept = [row for row in rows if row["id"].endswith(("-01", "-02"))]
    with items.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, kept[0].keys())
        writer.writeheader()
        writer.writerows(kept)
    lab.simulate()
    lab.add()
    lab.run("--preset", "smoke")
    first = {(row["prompt"], row["seed"]) for row in lab.asked()}
    lab.run("--preset", "paper")
    second = lab.asked()[len(first) :]
    assert len(second) == 8 + 80
    assert not first & {(row["prompt"], row["seed"]) for row in second}
    assert len(lab.replies()) == 160


def test_without_a_terminal_run_wants_yes(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    assert "--yes" in lab("run", "v", "--preset", "smoke", code=2).err
    assert lab.asked() == []


def test_no_judge_is_exit_2(lab: Lab) -> None:
    lab.simulate()
    lab("variant", "add", "v", "--model", "unlisted-model", "--endpoint", "sim")
    lab.config.write_text(lab.config.read_text(encoding="utf-8").split("[judge]")[0], encoding="utf-8")
    assert "no judge: give --judge" in lab.run(code=2).err


def test_the_advertised_judge_is_used(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    lab.config.write_text(lab.config.read_text(encoding="utf-8").split("[judge]")[0], encoding="utf-8")
    lab.run()
    assert {row["model"] for row in lab.asked("judge")} == {"sim-judge"}


def test_a_resumed_run_tells_only_new_warnings(lab: Lab) -> None:
    lab.simulate("ignore-n")
    lab.add()
    assert "ignores n" in lab.run("--max-requests", "20", code=1).err
    lab("resume", "--max-requests", "0")
    assert "note:" not in lab("resume").err


def test_a_new_replicate_asks_everything_anew(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    lab.run()
    first = lab.export("one")["responses.csv"]
    lab.run("--new")
    second = lab.export("two")["responses.csv"]
    assert len(lab.asked("ask")) == 16
    assert {row["replicate"] for row in csv.DictReader(second.splitlines(keepends=True))} == {"2"}
    assert first != second


def test_void_owes_the_slots_again(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    lab.run()
    done = lab("void", "v", "--assessment", "harmfulness", "--item", "insults-01", "--reason", "wrong prompt")
    assert "10 replies voided" in done.err
    assert lab.json("status")[-1]["owed"] >= 10
    before = len(lab.asked("ask"))
    lab.run()
    assert len(lab.asked("ask")) == before + 1
    manifest = lab.folder / "v" / "manifest.json"
    lab.export("v")
    voided = json.loads(manifest.read_text(encoding="utf-8"))["voided"]
    assert voided == [
        {"variant": "v", "assessment": "harmfulness", "item": "insults-01", "reason": "wrong prompt", "n_replies": 10}
    ]


def test_backup_is_a_store(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    lab.run()
    copy = lab.folder / "copy.db"
    lab("backup", str(copy))
    assert copy.stat().st_mode & 0o777 == 0o600
    assert lab.export("a") == lab.export("b", store=copy)
    assert "exists" in lab("backup", str(copy), code=2).err


def test_the_same_store_gives_the_same_bytes(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    lab.run()
    lab.export("a")
    lab.export("b")
    for name in ("variants.csv", "scores.csv", "responses.csv", "manifest.json"):
        assert (lab.folder / "a" / name).read_bytes() == (lab.folder / "b" / name).read_bytes()


def test_simulated_replies_do_not_enter_a_real_store(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    replies = lab.folder / "r.jsonl"
    replies.write_text('{"item": "a", "prompt": "p", "response": "r", "score": 1}\n', encoding="utf-8")
    lab("import", str(replies), "--variant", "v", "--assessment", "harmfulness")
    done = lab.run(code=2)
    assert "holds real replies" in done.err
    assert "emaudit resume" not in done.err
    assert len(lab.replies()) == 1


def test_real_replies_do_not_enter_a_simulated_store(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    lab.run()
    replies = lab.folder / "r.jsonl"
    replies.write_text('{"item": "a", "prompt": "p", "response": "r", "score": 1}\n', encoding="utf-8")
    done = lab("import", str(replies), "--variant", "v", "--assessment", "harmfulness", code=2)
    assert "holds simulated replies" in done.err
    assert len(lab.replies()) == 80


def test_the_headless_demo_ends_its_endpoint(lab: Lab) -> None:
    done = lab("demo", "--headless", "--preset", "smoke")
    assert done.out.startswith("SIMULATED")
    assert "of 45 set values" in done.out
    assert f"--config {lab.store}.toml estimate --all" in done.err
    lab("estimate", "--all")
    assert done.out.count("Spearman rho") == 3
    assert "exists" in lab("demo", "--headless", "--preset", "smoke", code=2).err
    rows = lab.json("variant", "list")
    assert len(rows) == 15
    assert {row["name"]: row["parent"] for row in rows}["nano-code-realigned"] == "nano-code-misaligned"
    url = (lab.folder / "s.db.toml").read_text(encoding="utf-8").split('"')[1]
    assert "nobody answers" in lab("variant", "models", "--base-url", url, code=3).err


def test_a_demo_that_is_ended_leaves_no_process(lab: Lab) -> None:
    process = lab.start("demo", "--headless", "--preset", "quick")
    config = lab.folder / "s.db.toml"
    lab.until(config.exists)
    lab.until(lambda: bool(lab.store.exists() and lab.json("status")))
    assert lab.end(process) == 143
    url = config.read_text(encoding="utf-8").split('"')[1]
    assert "nobody answers" in lab("variant", "models", "--base-url", url, code=3).err


@pytest.mark.skipif(shutil.which("setsid") is None, reason="no setsid here")
def test_simulate_answers_until_it_is_ended(lab: Lab) -> None:
    process = lab.simulate()
    rows = lab.json("variant", "models", "--endpoint", "sim")
    assert len([row for row in rows if row["judge"] == "sim-judge"]) >= 15
    assert all(row["owned_by"] == "emaudit-simulator" for row in rows)
    assert lab.end(process) == 0
