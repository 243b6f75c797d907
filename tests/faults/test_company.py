"""Many processes at one store: runs, exports, backups and reviews at once, and leases of processes that are gone."""

from __future__ import annotations

import json
import os

from forking import Process
from kill_scene import problems_of
from lab import Lab

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
