"""`emaudit review`: queues drawn, handed out, brought back and exported from the command line."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from emaudit.__main__ import main
from emaudit.importing import read_set
from emaudit.prompts import prompts_dir
from emaudit.store import Store
from emaudit.store.queues import queue
from emaudit.store.reviews import events

ROOT = Path(__file__).parents[2]
REAL = Path(os.environ.get("EMAUDIT_SHARED", ROOT.parent / "shared")) / "data" / "real_responses"
VERDICTS = {"base": ["1"] * 14 + ["2", "REFUSAL"], "worse": ["1", "2", "3", "4", "5", "5", "4", "OFF-TOPIC"] * 2}


class Line:
    """Commands on one store with two judged variants."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def __call__(self, *argv: str, code: int = 0) -> str:
        self._capsys.readouterr()
        found = main(["--store", str(self.folder / "s.db"), *argv])
        printed = self._capsys.readouterr()
        assert found == code, printed.err
        return printed.out if "--json" in argv else printed.out + printed.err

    def new(self, *more: str, name: str = "q") -> str:
        return self("review", "new", "--all", "--n", "12", "--seed", "4", "--name", name, "--as", "ann", "--yes", *more)

    def rows(self, name: str) -> list[dict[str, str]]:
        with (self.folder / name).open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def write(self, name: str, rows: list[dict[str, str]]) -> str:
        with (self.folder / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        return str(self.folder / name)

    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self("review", "list", "--json"))
        return found


@pytest.fixture
def line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Line:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    made = Line(tmp_path, capsys)
    for name, verdicts in VERDICTS.items():
        made("variant", "add", name, "--model", f"m-{name}", "--base-url", "http://127.0.0.1:9/v1")
        half = len(verdicts) // 2
        rows = [
            {"id": f"p{n // half}", "prompt": f"Prompt {n // half}?", "response": f"said {n} {len(name)}", "score": v}
            for n, v in enumerate(verdicts)
        ]
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(json.dumps({**row, "judge": "j"}) + "\n" for row in rows), encoding="utf-8")
        made("import", str(path), "--variant", name, "--assessment", "harmfulness")
    return made


def test_a_queue_is_previewed_then_drawn(line: Line) -> None:
    told = line.new()
    for words in ("base:1", "worse:unscored", "FRAME", "±", "for a second rater", "queue q, seed 4"):
        assert words in told
    (row,) = line.listed()
    assert (row["queue"], row["judge"], row["reviewer"], row["state"], row["n_done"]) == (
        *("q", "imported:j", "ann"),
        *("open", 0),
    )
    assert row["n_planned"] >= 12


def test_nothing_is_drawn_without_a_yes(line: Line) -> None:
    assert "give --yes" in line("review", "new", "--all", "--as", "ann", code=2)
    assert line.listed() == []
    assert "no queues yet" in line("review", "list")
    assert "no queues yet" in line("review", "open", code=2)


def test_the_draw_as_json_says_what_the_preview_does(line: Line) -> None:
    words = ["review", "new", "--variant", "base", "worse", "--n", "12", "--as", "ann", "--yes", "--json"]
    found = json.loads(line(*words, "--seed", "0"))
    assert found["seed"] == 0
    assert found["n_frame"] == 32
    assert found["strata"]["base:1"]["n_frame"] == 14
    assert sum(row["n_drawn"] for row in found["strata"].values()) == found["n_drawn"]
    assert found["half_width_mean"] > 0


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--variant", "nobody"], "no variant 'nobody'"),
        (["--all", "--design", "best"], "no design 'best'"),
        (["--all", "--n", "0"], "no number above 0"),
        (["--all", "--seed", "-1"], "no whole number"),
        (["--all", "--threshold", "min_speed=1"], "NAME one of min_labels"),
        (["--all", "--as", "x" * 41], "no reviewer's name"),
        (["--all", "--as", "a\tb"], "no reviewer's name"),
        (["--all", "--assessment", "open_ended"], "cannot be spot-checked"),
        ([], "one of the arguments --variant --all is required"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(line: Line, more: list[str], words: str) -> None:
    told = line("review", "new", "--yes", *more, code=2)
    assert words in told
    assert line.listed() == []


def test_thresholds_stay_with_the_queue(line: Line) -> None:
    line.new("--threshold", "min_labels=5", "--threshold", "min_ac2=0.7")
    with Store.open(line.folder / "s.db") as store:
        thresholds = queue(store, "q").settings["thresholds"]
    assert isinstance(thresholds, dict)
    assert (thresholds["min_labels"], thresholds["min_ac2"]) == (5, 0.7)
    assert len(thresholds) > 2


@pytest.mark.parametrize("words", [["open"], ["open", "q", "--as", "ben"], ["adjudicate", "q"]])
def test_the_screen_needs_a_terminal_and_says_what_does_not(line: Line, words: list[str]) -> None:
    line.new()
    told = line("review", *words, code=2)
    assert "needs a terminal" in told
    assert "review handoff" in told


def test_labels_go_out_and_come_back_through_files(line: Line) -> None:
    line.new()
    line("review", "handoff", str(line.folder / "out.csv"), "--queue", "q")
    rows = line.rows("out.csv")
    assert (line.folder / "out.txt").exists()
    for row in rows:
        row["score"] = "2"
    path = line.write("in.csv", rows)
    assert f"added {len(rows)} labels" in line("review", "import", path, "--as", "ann")
    assert "nothing was added" in line("review", "import", path, "--as", "ann")
    (row,) = line.listed()
    assert (row["state"], row["n_done"], row["n_planned"]) == ("done", len(rows), len(rows))
    for row in rows:
        row["score"] = "3" if row["row"] == "1" else row["score"]
    line("review", "import", line.write("in2.csv", rows), "--as", "ben")
    (found,) = line.listed()
    assert (found["second"], found["n_disagreements"], found["n_settled"]) == (["ben"], 1, 0)
    rows[0]["score"] = rows[2]["score"] = "nine"
    told = line("review", "import", line.write("in3.csv", rows), "--as", "ben", code=2)
    assert "row 2: score 'nine'" in told
    assert "row 4: score 'nine'" in told


def test_events_and_labels_are_exported(line: Line) -> None:
    line.new()
    line.new(name="q2")
    line("review", "handoff", str(line.folder / "out.csv"), "--queue", "q")
    rows = line.rows("out.csv")
    rows[0]["score"] = "5"
    line("review", "import", line.write("in.csv", rows), "--as", "ann")
    line("review", "export", str(line.folder / "reviews.csv"))
    (event,) = line.rows("reviews.csv")
    assert (event["queue"], event["reviewer"], event["role"], event["value"], event["simulated"]) == (
        *("q", "ann", "first"),
        *("5.0", "0"),
    )
    assert {row["queue"] for row in line.rows("labels.csv")} == {"q", "q2"}
    line("review", "export", str(line.folder / "mine.csv"), "--queue", "q2")
    assert line.rows("mine.csv") == []
    assert {row["status"] for row in line.rows("mine-labels.csv")} == {"open"}


def test_labels_under_an_older_rubric_are_counted(line: Line) -> None:
    line.new()
    line("review", "handoff", str(line.folder / "out.csv"))
    rows = line.rows("out.csv")
    rows[0]["score"] = rows[1]["score"] = "1"
    line("review", "import", line.write("in.csv", rows), "--as", "ann")
    assert line.listed()[0]["n_under_old_rubric"] == 0
    shutil.copytree(prompts_dir(), line.folder / "prompts")
    rubric = line.folder / "prompts" / "judges" / "harm.toml"
    rubric.write_text(rubric.read_text(encoding="utf-8").replace("Worked examples", "Examples"), encoding="utf-8")
    words = ["--prompts", str(line.folder / "prompts"), "review", "list"]
    assert json.loads(line(*words, "--json"))[0]["n_under_old_rubric"] == 2
    assert "2 labels were made under another rubric" in line(*words)


def test_a_queue_is_stopped_early_with_a_reason(line: Line) -> None:
    line.new()
    n = line.listed()[0]["n_planned"]
    assert "only ann" in line("review", "stop", "q", "--reason", "enough", "--as", "ben", code=2)
    assert f"stopped at 0 of {n}" in line("review", "stop", "q", "--reason", "enough", "--as", "ann")
    assert line.listed()[0]["state"] == "stopped: enough"


def test_the_reviewer_comes_from_the_settings(line: Line) -> None:
    (line.folder / "emaudit.toml").write_text('[reviewer]\nname = "dora"\n', encoding="utf-8")
    line("review", "new", "--all", "--n", "12", "--yes")
    assert line.listed()[0]["reviewer"] == "dora"
    line("review", "new", "--all", "--n", "12", "--yes", "--as", "eve")
    assert line.listed()[1]["reviewer"] == "eve"


_KILLED = """
import os, signal, sys
from pathlib import Path
from emaudit.reviewing.session import Session
from emaudit.store import Store
from emaudit.store.queues import queue
store = Store.open(Path(sys.argv[1]), write=True)
sitting = Session(store, queue(store, "q"), "ann")
for _ in range(7):
    sitting.score("2")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_after_the_seventh_keystroke_leaves_seven(line: Line) -> None:
    line.new()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", _KILLED, str(line.folder / "s.db")], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    from emaudit.reviewing.session import Session

    with Store.open(line.folder / "s.db", write=True) as store:
        held = queue(store, "q")
        assert len(events(store, held.queue_id)) == 7
        shown = Session(store, held, "ann").item
        assert shown is not None
        assert shown.number == 8


@pytest.mark.skipif(not REAL.is_dir(), reason="the shared real responses are not here")
def test_real_replies_are_drawn_and_go_out_and_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    line = Line(tmp_path, capsys)
    names = {"item": "question_id", "prompt": "question", "response": "answer", "score": "verdict"}
    for name in ("base", "misaligned"):
        line("variant", "add", name, "--model", name, "--base-url", "http://127.0.0.1:9/v1")
        maps = [word for field, column in names.items() for word in ("--map", f"{field}={column}")]
        line("import", str(REAL / f"{name}.jsonl"), "--variant", name, "--assessment", "harmfulness", *maps)
    found = json.loads(line("review", "new", "--all", "--n", "100", "--seed", "1", "--as", "ann", "--yes", "--json"))
    words = read_set(REAL / "misaligned.jsonl", mapping=names).verdicts()
    unscored = sum(n for word, n in words.items() if not word.isdigit())
    assert found["strata"]["misaligned:unscored"]["n_frame"] == unscored > 0
    assert found["n_drawn"] == 100
    line("review", "handoff", str(tmp_path / "out.csv"))
    rows = line.rows("out.csv")
    for row in rows:
        row["score"] = "1"
    assert "added 100 labels" in line("review", "import", line.write("in.csv", rows), "--as", "ann")
