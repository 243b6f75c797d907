"""Signals, a stopped process, a terminal that goes away, an output that nobody reads: nothing lost, nothing twice."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from lab import Lab

SLOW = ("run", "v", "--assessment", "harmfulness", "--preset", "smoke", "--yes", "--max-concurrency", "4")


def begun(lab: Lab, *faults: str) -> None:
    """An endpoint that takes its time, and a variant to ask there."""
    lab.simulate(*(faults or ("latency:100ms",)))
    lab.add()


def finished(lab: Lab) -> None:
    """The rest is asked for; each slot and each verdict is there once, and the endpoint never answered one twice."""
    lab(*SLOW)
    assert lab.json("status")[-1]["owed"] == 0
    assert len(lab.replies()) == 80
    assert lab("verify").code == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_second_signal_cuts_off_what_is_in_flight(lab: Lab, number: int, code: int) -> None:
    begun(lab, "latency:20s")
    process = lab.start(*SLOW)
    lab.until(lambda: len(lab.asked()) >= 4)
    process.send_signal(number)
    lab.until(lambda: "stopping" in lab.json("status")[-1]["last"])
    assert process.poll() is None
    assert lab.end(process, number) == code
    row = lab.json("status")[-1]
    assert (row["state"], row["exit_code"], row["n_closed"]) == ("ended", code, 0)
    assert len(lab.asked()) == 4
    lab.simulate()
    finished(lab)
    assert len(lab.asked()) == 4 + 88


def test_a_stopped_process_goes_on_where_it_was(lab: Lab) -> None:
    begun(lab)
    url = lab.url
    lab.point_at(url, "timeout_s = 2")
    process = lab.start(*SLOW)
    lab.until(lambda: len(lab.asked()) > 12)
    process.send_signal(signal.SIGSTOP)
    time.sleep(4)
    process.send_signal(signal.SIGCONT)
    _, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    assert "0 owed" in err
    assert len(lab.replies()) == 80
    assert 88 <= len(lab.asked()) <= 88 + 4


def test_a_closed_terminal_ends_the_run_with_what_is_saved(lab: Lab) -> None:
    begun(lab)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "emaudit", *lab.words(*SLOW)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**lab.environment, "TERM": "xterm-256color"},
        cwd=lab.folder,
        preexec_fn=lambda: (os.setsid(), os.close(os.open(os.ttyname(0), os.O_RDWR))),
    )
    os.close(theirs)
    lab.until(lambda: len(lab.asked()) > 12)
    os.close(ours)
    assert process.wait(60) == 129
    row = lab.json("status")[-1]
    assert (row["state"], row["exit_code"]) == ("ended", 129)
    finished(lab)
    assert len([row for row in lab.asked() if row["status"] == 200]) == 88


def test_an_output_that_takes_nothing_ends_no_run(lab: Lab) -> None:
    begun(lab, "latency:5ms")
    words = [sys.executable, "-m", "emaudit", *lab.words(*SLOW)]
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=full, stderr=full, env=lab.environment)
    assert ended.returncode == 0
    assert lab.json("status")[-1]["owed"] == 0


def test_a_reader_that_left_and_closed_streams_end_no_run(lab: Lab) -> None:
    begun(lab, "latency:5ms")
    ours, theirs = os.pipe()
    os.close(ours)
    words = [sys.executable, "-m", "emaudit", *lab.words(*SLOW)]
    ended = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=lab.environment)
    os.close(theirs)
    assert ended.returncode == 0
    assert lab.json("status")[-1]["owed"] == 0
    closed = 'exec 0<&- 1>&- 2>&-; exec "$@"'
    again = subprocess.run(["sh", "-c", closed, "sh", *words, "--new"], env=lab.environment)
    assert again.returncode == 0
    assert lab.json("status")[-1]["owed"] == 0
    assert [row["replicate"] for row in lab.replies()] == ["2"] * 80


STARTS = """
import sys, time
from pathlib import Path
from emaudit import detached
print(detached.start(Path(sys.argv[1]), ["--config", sys.argv[2]], sys.argv[3:]), flush=True)
time.sleep(600)
"""


def test_a_detached_run_outlives_whoever_started_it_and_is_found_again(lab: Lab) -> None:
    begun(lab)
    words = [sys.executable, "-c", STARTS, str(lab.store), str(lab.config), *SLOW]
    ours, theirs = pty.openpty()
    starter = subprocess.Popen(
        words, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=lab.environment, start_new_session=True
    )
    os.close(theirs)
    assert starter.stdout is not None
    uid = starter.stdout.readline().decode().strip()
    os.killpg(starter.pid, signal.SIGKILL)
    starter.wait()
    os.close(ours)
    row = lab.json("status")[-1]
    assert (row["run"], row["state"]) == (uid, "live")
    assert lab("wait", uid).code == 0
    assert lab.json("status")[-1]["owed"] == 0
    assert len(lab.asked()) == 88
