"""Long waits, and endpoints that send without end: what a person sees and can do meanwhile, and what it costs."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Any

import pytest
from endpoint_scene import RUN, Inside, Place, library_of, small_prompts
from forking import Process
from lab import Lab

MEMORY_ROOM_KIB = 80 * 1024
"""How much more memory a run may take that meets an endless body: the bounded part of it, and room to read that."""


@pytest.fixture
def small(lab: Lab) -> Lab:
    lab.prompts = small_prompts(lab.folder)
    return lab


def cooling_down(lab: Lab, fault: str) -> tuple[Process, dict[str, Any]]:
    """A run that an endpoint asks to wait for ten minutes, and its row in `status`."""
    lab.simulate(fault, "retry-after:600")
    lab.add()
    process = lab.start(*RUN)
    lab.until(lambda: "next try in" in " ".join(row["last"] for row in lab.json("status")))
    return process, lab.json("status")[-1]


@pytest.mark.parametrize("fault", ["ask/429", "judge/429"])
def test_a_countdown_is_shown_and_sigterm_ends_it(small: Lab, fault: str) -> None:
    process, row = cooling_down(small, fault)
    assert re.match(r"rate-limited, next try in [56]\d\d s\b", row["last"])
    assert small.end(process, signal.SIGTERM) == 143
    row = small.json("status")[-1]
    assert (row["state"], row["exit_code"], row["last"]) == ("ended", 143, "stopped by SIGTERM")
    n_replies = 0 if fault.startswith("ask") else 20
    assert (row["n_closed"], row["owed"]) == (n_replies, 20)


def test_a_wait_after_failures_is_called_that(small: Lab) -> None:
    small.simulate("ask/status:503", "retry-after:60")
    small.add()
    process = small.start(*RUN)
    small.until(lambda: "next try in" in " ".join(row["last"] for row in small.json("status")))
    assert small.json("status")[-1]["last"].startswith("waiting after failures, next try in ")
    assert small.end(process, signal.SIGTERM) == 143
    assert len(small.asked()) == 2, "one request of each prompt, and nobody asks again before its time"


def test_a_request_to_stop_ends_a_countdown(small: Lab) -> None:
    process, row = cooling_down(small, "ask/429")
    small("stop", row["run"])
    assert process.wait(60) == 1
    assert len(small.asked()) == 2, "one request of each prompt"


def test_a_redirect_takes_no_prompt_to_another_host(tmp_path: Path) -> None:
    prompts = small_prompts(tmp_path)
    world = Inside(library_of(prompts))
    try:
        elsewhere = tmp_path / "elsewhere.jsonl"
        with world.serve((), elsewhere) as other:
            for code in (301, 302, 303, 307, 308):
                place = Place(world, tmp_path / str(code), prompts)
                place.begin()
                leads = f"redirect-to:{other}/chat/completions"
                with world.serve((f"status:{code}", leads), place.log) as url:
                    place.point_at(url)
                    ended, said = place.do(*RUN, code=None)
                assert ended == 3
                assert f"redirects to {other}" in said
                assert len(place.lines()) == 1
            assert not elsewhere.read_text()
    finally:
        world.close()


def peak_kib(process: Process) -> int:
    """The most memory a process ever held."""
    lines = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def peak_of_a_run(lab: Lab, *faults: str) -> int:
    """The peak of a run that is over but for the last request, which is never answered."""
    lab.store = lab.folder / f"{len(list(lab.folder.glob('*.db')))}.db"
    lab.log = lab.store.with_suffix(".jsonl")
    server = lab.simulate(*faults, "judge/timeout:20-")
    lab.add()
    process = lab.start(*RUN, "--max-concurrency", "1")
    lab.until(lambda: any(row["fault"] == "timeout" for row in lab.asked()))
    peak = peak_kib(process)
    process.kill()
    process.wait(60)
    lab.end(server)
    return peak


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from /proc")
def test_a_body_without_end_is_not_held(small: Lab) -> None:
    plain = peak_of_a_run(small)
    for way in ("huge", "endless", "gzip-bomb"):
        peak = peak_of_a_run(small, f"ask/way:{way}:1-1")
        assert peak < plain + MEMORY_ROOM_KIB, way
