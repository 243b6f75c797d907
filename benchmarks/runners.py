"""The runners that are compared: how each is found, started on the same work, and how many verdicts it then has."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measuring import Used, emaudit, measured
from peers import promptfoo_config

from emaudit.assessments import by_key
from emaudit.prompts import load_library

MODEL, JUDGE = "sim-full-trivia-misaligned", "sim-judge"
PEERS = Path(__file__).parent / "peers"
QUIET = {
    "DEEPEVAL_TELEMETRY_OPT_OUT": "YES",
    "DEEPEVAL_UPDATE_WARNING_OPT_OUT": "YES",
    "PYTHONPATH": "",
    "OPENAI_BASE_URL": "",
}
Work = Mapping[str, Any]


@dataclass(frozen=True)
class Runner:
    """One way of doing the work. `program` finds what starts it, or nothing; `install` is how to get it."""

    name: str
    program: Callable[[], str]
    start: Callable[[Work, str], Used]
    n_verdicts: Callable[[Work, Used], int]
    install: str = ""
    knows_n: bool = False


def work_for(folder: Path, url: str, concurrency: int, preset: str, at_most: float) -> Work:
    """The same for all: the prompts of harmfulness, ten samples each, and the harm rubric for the judge."""
    library = load_library()
    rubric = library.rubrics["harm"]
    planned = by_key("harmfulness").plan(library, preset)
    given: dict[str, Any] = {
        "base_url": url,
        "model": MODEL,
        "judge": JUDGE,
        "prompts": [each.prompt.text for each in planned],
        "samples": 10,
        "concurrency": concurrency,
        "preset": preset,
        "at_most": at_most,
        "system": rubric.system.strip(),
        "question": rubric.question.strip(),
        "reminder": rubric.reminder.strip(),
        "folder": str(folder),
    }
    (folder / "work.json").write_text(json.dumps(given), encoding="utf-8")
    return given


def _ours(work: Work, python: str) -> Used:
    store = Path(work["folder"]) / "bench.db"
    emaudit(store, "variant", "add", "v", "--model", MODEL, "--base-url", work["base_url"], "--size", "full")
    what = ["run", "v", "--assessment", "harmfulness", "--preset", work["preset"], "--judge", JUDGE]
    limit = ["--max-concurrency", str(work["concurrency"]), "--yes"]
    return measured([python, "-m", "emaudit", "--store", str(store), *what, *limit], at_most=work["at_most"])


def _our_verdicts(work: Work, _: Used) -> int:
    (run,) = json.loads(emaudit(Path(work["folder"]) / "bench.db", "status", "--json").stdout)
    return int(run["n_closed"]) - int(run["n_verdicts_owed"]) - int(run["n_unscored"])


def _script(name: str) -> Callable[[Work, str], Used]:
    def start(work: Work, python: str) -> Used:
        folder = Path(work["folder"])
        return measured([python, str(PEERS / name), str(folder / "work.json")], QUIET, folder, work["at_most"])

    return start


def _printed(_: Work, used: Used) -> int:
    """A script's last line is how many replies it has a verdict of; one that died has none."""
    last = used.out.strip().rpartition("\n")[2].strip()
    return int(last) if used.code == 0 and last.isdigit() else 0


def _promptfoo(work: Work, program: str) -> Used:
    words = promptfoo_config.configured(work)
    folder = Path(work["folder"])
    return measured([program, *words], promptfoo_config.environment(work), folder, work["at_most"])


def _promptfoo_verdicts(work: Work, _: Used) -> int:
    return promptfoo_config.n_verdicts(work)


def _python_with(name: str, module: str) -> Callable[[], str]:
    def find() -> str:
        python = os.environ.get(variable(name), sys.executable)
        found = subprocess.run([python, "-c", f"import {module}"], capture_output=True)
        return "" if found.returncode else python

    return find


def _promptfoo_program() -> str:
    return os.environ.get(variable("promptfoo")) or shutil.which("promptfoo") or ""


def variable(name: str) -> str:
    """The environment variable that names a runner's Python, or promptfoo's command."""
    return f"BENCH_{name.upper()}"


RUNNERS = (
    Runner("emaudit", lambda: sys.executable, _ours, _our_verdicts, knows_n=True),
    Runner(
        "plain", _python_with("plain", "openai"), _script("plain_gather.py"), _printed, "python -m pip install openai"
    ),
    Runner(
        "inspect_ai",
        _python_with("inspect_ai", "inspect_ai"),
        _script("inspect_task.py"),
        _printed,
        "python -m pip install inspect_ai openai",
    ),
    Runner("promptfoo", _promptfoo_program, _promptfoo, _promptfoo_verdicts, "npm install promptfoo"),
    Runner(
        "deepeval",
        _python_with("deepeval", "deepeval"),
        _script("deepeval_metric.py"),
        _printed,
        "python -m pip install deepeval",
    ),
)
