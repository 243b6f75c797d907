"""`emaudit run` at a terminal: it shows what it would ask, asks, and draws a bar."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time

from lab import Lab


def at_a_terminal(lab: Lab, answer: str, *argv: str) -> tuple[int, str]:
    """Run a command on a pty, type an answer once it asks; the exit code and all that was shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "emaudit", *lab.words(*argv)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**lab.environment, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "30"},
        cwd=lab.folder,
        start_new_session=True,
    )
    os.close(theirs)
    shown, deadline = "", time.monotonic() + 60
    while time.monotonic() < deadline:
        ready, _, _ = select.select([ours], [], [], 0.1)
        if ready:
            try:
                shown += os.read(ours, 65536).decode("utf-8", "replace")
            except OSError:
                break
        if answer and "[y/N]" in shown:
            os.write(ours, answer.encode())
            answer = ""
        if process.poll() is not None and not ready:
            break
    os.close(ours)
    return process.wait(30), shown


def test_a_no_asks_nothing(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    code, shown = at_a_terminal(lab, "\n", "run", "v", "--preset", "smoke", "--assessment", "harmfulness")
    assert code == 2
    assert "80 replies and about 80 verdicts owed" in shown
    assert "nothing was asked" in shown
    assert lab.asked() == []


def test_a_yes_runs_with_a_bar(lab: Lab) -> None:
    lab.simulate("latency:50ms")
    lab.add()
    code, shown = at_a_terminal(
        lab, "y\n", "run", "v", "--preset", "smoke", "--assessment", "harmfulness", "--max-concurrency", "4"
    )
    assert code == 0
    assert "/160" in shown
    assert "in flight" in shown
    assert "80 of 80 replies, 80 of 80 verdicts, 0 owed" in shown


def test_with_nothing_owed_nobody_is_asked(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    lab.run()
    code, shown = at_a_terminal(lab, "", "run", "v", "--preset", "smoke", "--assessment", "harmfulness")
    assert code == 0
    assert "[y/N]" not in shown
