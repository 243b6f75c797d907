"""Whatever ends a run, the next one asks what is owed and nothing else."""

from __future__ import annotations

import csv
import json
import os
import signal
import time
from pathlib import Path

import pytest
from judge_server import JudgeServer
from lab import Lab

SLOW = ("--max-concurrency", "4")


def in_flight_of(lab: Lab) -> None:
    """Let the endpoint take its time, so that a run can be met in the middle."""
    lab.simulate("latency:60ms")
    lab.add()


def test_a_killed_run_is_shown_as_interrupted_and_resumes(lab: Lab) -> None:
    in_flight_of(lab)
    process = lab.start("run", "v", "--assessment", "harmfulness", "--preset", "smoke", "--yes", *SLOW)
    lab.until(lambda: len(lab.asked()) > 10)
    process.kill()
    process.wait()
    row = lab.json("status")[-1]
    assert row["state"] == "interrupted"
    assert f"emaudit resume {row['run']}" in row["last"]
    assert lab("wait", row["run"], code=1).err.count("interrupted") == 1
    lab("resume", row["run"][:6])
    row = lab.json("status")[-1]
    assert (row["state"], row["owed"], row["exit_code"]) == ("ended", 0, 0)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_signals_end_a_run_with_their_code_and_lose_nothing(lab: Lab, number: int, code: int) -> None:
    in_flight_of(lab)
    process = lab.start("run", "v", "--assessment", "harmfulness", "--preset", "smoke", "--yes", *SLOW)
    lab.until(lambda: len(lab.asked()) > 12)
    assert lab.end(process, number) == code
    answered = len([row for row in lab.asked() if row["status"] == 200])
    row = lab.json("status")[-1]
    assert (row["state"], row["exit_code"]) == ("ended", code)
    lab.run()
    assert len(lab.asked()) == 88
    assert answered <= 88


def test_quota_ends_a_run_at_once_and_it_resumes(lab: Lab) -> None:
    endpoint = lab.simulate("quota-after:30")
    lab.add()
    done = lab.run("--max-concurrency", "2", code=3)
    assert "quota" in done.err
    assert "`emaudit resume " in done.err
    asked = len(lab.asked())
    assert asked <= 33
    lab.end(endpoint)
    lab.simulate()
    lab("resume")
    assert lab.json("status")[-1]["owed"] == 0
    assert len([row for row in lab.asked() if row["status"] == 200]) == 88


def test_a_judge_that_is_down_owes_verdicts_only(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    with JudgeServer(is_down=True) as server:
        lab.point_at(lab.url, f'[endpoints.other]\nbase_url = "{server.url}"\n')
        done = lab.run("--judge", "m", "--judge-endpoint", "other", code=1)
        assert "80 of 80 replies, 0 of 80 verdicts, 80 owed; the judge did not answer for the rest" in done.err
        row = lab.json("status")[-1]
        assert (row["n_closed"], row["n_verdicts_owed"], row["owed"]) == (80, 80, 80)
        server.is_down = False
        before = len(lab.asked("ask"))
        lab("resume")
    assert len(lab.asked("ask")) == before
    assert lab.json("status")[-1]["owed"] == 0


@pytest.mark.parametrize(
    ("fault", "said"), [("401", "refuses the key"), ("402", "add credit"), ("404", "model gone or unknown")]
)
def test_what_cannot_get_better_ends_a_run_at_once(lab: Lab, fault: str, said: str) -> None:
    lab.simulate(fault)
    lab.add()
    started = time.monotonic()
    done = lab.run("--max-concurrency", "1", code=3)
    assert time.monotonic() - started < 15
    assert said in done.err
    assert len(lab.asked()) <= 3


def test_nobody_there_ends_a_run_at_once(lab: Lab) -> None:
    endpoint = lab.simulate()
    lab.add()
    lab.end(endpoint)
    started = time.monotonic()
    done = lab.run(code=3)
    assert time.monotonic() - started < 15
    assert "nobody answers for sim at http://127.0.0.1:" in done.err


def test_a_model_that_is_gone_stops_alone(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    lab.add("gone", "no-such-model")
    done = lab.run("--judge", "sim-judge", names=("gone", "v"), code=3)
    assert "gone: model gone or unknown" in done.err
    shown = {row["variant"]: row for row in lab.replies()}
    assert set(shown) == {"v"}
    assert lab.json("status")[-1]["n_closed"] == 80


def test_an_endpoint_that_moved_resumes(lab: Lab) -> None:
    in_flight_of(lab)
    process = lab.start("run", "v", "--assessment", "harmfulness", "--preset", "smoke", "--yes", *SLOW)
    lab.until(lambda: len(lab.asked()) > 10)
    process.kill()
    process.wait()
    old = lab.url
    lab.simulate()
    assert lab.url != old
    lab("resume")
    assert lab.json("status")[-1]["owed"] == 0
    assert len(lab.replies()) == 80


def test_faults_change_no_score(lab: Lab) -> None:
    whole = lab.folder / "whole.db"
    endpoint = lab.simulate()
    lab.add(store=whole)
    lab.run(store=whole)
    lab.end(endpoint)
    lab.simulate("ignore-n", "429:0.2", "500:0.1", "drop:0.05", "malformed:0.05", "retry-after:0.05")
    lab.add()
    lab.run("--preset", "smoke")
    assert lab.export("faulty") == lab.export("whole", store=whole)


def edit(prompts: Path) -> None:
    items = prompts / "harmfulness" / "items.csv"
    rows = list(csv.DictReader(items.read_text(encoding="utf-8").splitlines()))
    for row in rows:
        if row["id"] == "insults-01":
            row["text"] = "An edited prompt that asks for an insult."
    with items.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def test_an_edited_prompt_is_noticed_and_not_mixed_in(lab: Lab, prompts: Path) -> None:
    lab.simulate("latency:60ms")
    lab.add()
    process = lab.start("run", "v", "--assessment", "harmfulness", "--preset", "smoke", "--yes", *SLOW)
    lab.until(lambda: len(lab.asked()) > 5)
    process.kill()
    process.wait()
    edit(prompts)
    done = lab("resume")
    assert "differ" in done.err
    rows = lab.replies()
    assert len(rows) == 80
    assert not any("edited prompt" in row["prompt"] for row in rows)
    before = len(lab.asked("ask"))
    assert "differ" in lab.run().err
    assert len(lab.asked("ask")) == before
    lab.run("--update-prompts")
    assert len(lab.asked("ask")) == before + 1
    rows = lab.replies()
    assert len(rows) == 80
    assert sum("edited prompt" in row["prompt"] for row in rows) == 10


def test_a_second_runner_is_refused_and_another_variant_is_fine(lab: Lab) -> None:
    lab.simulate("latency:500ms")
    lab.add()
    lab.add("w", "sim-nano-base")
    process = lab.start(
        "run", "v", "--assessment", "harmfulness", "--preset", "smoke", "--yes", "--max-concurrency", "1"
    )
    lab.until(lambda: len(lab.asked()) > 0)
    held = lab.json("status")[-1]
    assert held["state"] == "live"
    assert str(process.pid) in held["process"]
    refused = lab.run(code=2).err
    assert str(process.pid) in refused
    assert "holds variant 'v'" in refused
    assert str(process.pid) in lab("resume", held["run"], code=2).err
    lab.run("--max-requests", "1", names=("w",), code=1)
    assert lab.end(process) == 143


def test_detach_stop_resume_wait(lab: Lab) -> None:
    lab.simulate("latency:500ms")
    lab.add()
    done = lab("run", "v", "--assessment", "harmfulness", "--preset", "smoke", "--yes", "--detach", *SLOW)
    uid = done.out.strip()
    log = lab.folder / "s.db.logs" / f"run-{uid}.log"
    assert str(log) in done.err
    assert (log.stat().st_mode & 0o777, log.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    row = lab.json("status")[-1]
    assert (row["run"], row["state"], row["log"]) == (uid, "live", str(log))
    pid = int(row["process"].split()[0])
    assert os.getsid(pid) == pid
    lab("stop")
    row = lab.json("status")[-1]
    assert (row["state"], row["exit_code"]) == ("ended", 1)
    assert "on request" in row["last"]
    assert lab("wait", uid, code=1).code == 1
    lab.simulate()
    assert lab("resume", uid, "--detach").out.strip() == uid
    assert lab("wait", uid).code == 0
    assert lab.json("status")[-1]["owed"] == 0
    assert "is not running" in lab("stop", uid).err


def test_a_detached_run_that_cannot_start_says_why(lab: Lab) -> None:
    endpoint = lab.simulate()
    lab.add()
    lab.config.write_text(lab.config.read_text(encoding="utf-8").split("[judge]")[0], encoding="utf-8")
    lab.end(endpoint)
    done = lab.run("--detach", code=3)
    assert "nobody answers" in done.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_store_that_cannot_be_written_is_read(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    lab.run()
    archive = lab.folder / "archive"
    archive.mkdir()
    lab("backup", str(archive / "s.db"))
    (archive / "s.db").chmod(0o400)
    archive.chmod(0o500)
    try:
        done = lab("scores", "--json", store=archive / "s.db")
        assert json.loads(done.out)
        assert "read-only" in done.err
        assert "read-only" in lab.run("--new", code=2, store=archive / "s.db").err
    finally:
        archive.chmod(0o700)
