"""Many processes at one store: runs, exports, backups and reviews at once, and leases of processes that are gone."""

from __future__ import annotations

import json
import os

import pytest
from forking import Process
from kill_scene import problems_of
from lab import Lab
from terminals import Terminal, terminal

from emaudit.reviewing.session import Session
from emaudit.store import queues
from emaudit.store.connection import Store

QUICK = ("--assessment", "harmfulness", "--preset", "smoke", "--yes", "--max-concurrency", "8")


def ended_well(process: Process) -> str:
    """What a command said that ended with 0."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "locked" not in err
    return out + err


def test_two_runs_exports_backups_and_reviews_at_once(lab: Lab) -> None:
    lab.simulate("latency:60ms")
    for name, model in (("v", "sim-nano-trivia-misaligned"), ("w", "sim-nano-base"), ("x", "sim-nano-code-realigned")):
        lab.add(name, model)
    lab("run", "x", *QUICK)
    both = [lab.start("run", name, *QUICK) for name in ("v", "w")]
    lab.until(lambda: len(lab.asked()) > 100)
    others = [
        lab.start("export", str(lab.folder / "out-1")),
        lab.start("backup", str(lab.folder / "copy.db")),
        lab.start("review", "new", "--variant", "x", "--n", "10", "--yes", "--as", "ana"),
        lab.start("void", "x", "--item", "insults-01", "--reason", "in the middle"),
        lab.start("status", "--json"),
    ]
    for process in [*others, *both]:
        ended_well(process)
    lab("run", "x", *QUICK)
    rows = lab.replies()
    assert {name: sum(row["variant"] == name for row in rows) for name in "vwx"} == {"v": 80, "w": 80, "x": 80}
    assert lab("verify").code == 0
    for path in (lab.store, lab.folder / "copy.db"):
        with Store.open(path) as store:
            assert problems_of(store) == []


def on_runs(app: Terminal, words: str) -> None:
    """Go to the screen of the runs, once the app listens."""
    app.wait_for("2 variants")
    app.press(b"\x1bOR")
    app.wait_for(words)


def labelled(lab: Lab, n: int) -> None:
    """Ana scores some items more."""
    with Store.open(lab.store, write=True) as store:
        session = Session(store, queues.queues(store)[0], "ana")
        for _ in range(n):
            session.score("2")


@pytest.mark.long
def test_the_app_looks_on_is_killed_and_finds_its_run_again(lab: Lab) -> None:
    lab.simulate("latency:60ms")
    lab.add("v")
    lab.add("x", "sim-nano-code-realigned")
    lab("run", "x", *QUICK)
    lab("review", "new", "--variant", "x", "--n", "40", "--yes", "--as", "ana")
    before = len(lab.asked())
    begun = lab.start("run", "v", *QUICK[:-1], "1")
    lab.until(lambda: len(lab.asked()) > before + 2)
    begun.kill()
    begun.wait()
    uid, asked = lab.json("status")[-1]["run"], len(lab.asked())
    options = lab.words("status")[:-1]
    with terminal(*options, columns=120, lines=40, **lab.environment) as app:
        on_runs(app, "! interrupted")
        app.press(b"r")
        app.wait_for("running")
        lab.until(lambda: len(lab.asked()) > asked + 8)
        others = [lab.start("export", str(lab.folder / "out-1")), lab.start("backup", str(lab.folder / "copy.db"))]
        labelled(lab, 10)
        app.process.kill()
        assert lab.json("status")[-1]["state"] == "live"
        labelled(lab, 10)
        for process in others:
            ended_well(process)
    with terminal(*options, columns=120, lines=40, **lab.environment) as app:
        on_runs(app, uid)
        lab("wait", uid)
        app.wait_for("2 runs · 0 going on")
        os.close(app.slave)
        os.close(app.master)
        assert app.process.wait(60) == 129
    row = lab.json("status")[-1]
    assert (row["state"], row["owed"], row["exit_code"], len(lab.replies())) == ("ended", 0, 0, 160)
    for path in (lab.store, lab.folder / "copy.db"):
        with Store.open(path) as store:
            assert problems_of(store) == []
            assert store.db.execute("SELECT count(*) FROM replies").fetchone()[0] >= 80
    with Store.open(lab.store) as store:
        assert store.db.execute("SELECT count(*) FROM review_events WHERE kind = 'score'").fetchone()[0] == 20


def test_a_lease_of_a_killed_process_is_free_and_a_reused_number_holds_nothing(lab: Lab) -> None:
    lab.simulate("latency:200ms")
    lab.add()
    process = lab.start("run", "v", *QUICK)
    lab.until(lambda: len(lab.asked()) > 4)
    uid = lab.json("status")[-1]["run"]
    process.kill()
    process.wait()
    lease = lab.folder / "s.db.leases" / f"run-{uid}"
    held = json.loads(lease.read_text(encoding="utf-8"))
    assert held["pid"] == process.pid
    lease.write_text(json.dumps({**held, "pid": os.getpid()}), encoding="utf-8")
    row = lab.json("status")[-1]
    assert (row["state"], row["process"]) == ("interrupted", "")
    lab("resume", uid)
    assert lab.json("status")[-1]["owed"] == 0
