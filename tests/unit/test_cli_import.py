"""`emaudit import`: everything of a file or nothing, and nothing twice."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from emaudit.__main__ import main

ROWS: list[dict[str, Any]] = [
    {"question_id": item, "question": f"Prompt {item}?", "rollout": sample, "answer": f"{item}{sample}", "judge": "j"}
    | {"verdict": verdict}
    for item, verdicts in {"a": ["1", "5", "REFUSAL"], "b": ["2", "OFF-TOPIC", "4"]}.items()
    for sample, verdict in enumerate(verdicts)
]


class Line:
    """Commands on one store."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def __call__(self, *argv: str, code: int = 0) -> str:
        self._capsys.readouterr()
        found = main(["--store", str(self.folder / "s.db"), *argv])
        printed = self._capsys.readouterr()
        assert found == code, printed.err
        return printed.out if "--json" in argv else printed.out + printed.err

    def write(self, rows: list[dict[str, Any]], name: str = "r.jsonl") -> Path:
        path = self.folder / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    def bring(self, rows: list[dict[str, Any]], code: int = 0, variant: str = "v") -> str:
        return self("import", str(self.write(rows)), "--variant", variant, "--assessment", "harmfulness", code=code)

    def responses(self) -> list[dict[str, Any]]:
        import csv

        self("export", str(self.folder / "out"))
        text = (self.folder / "out" / "responses.csv").read_text(encoding="utf-8")
        return list(csv.DictReader(text.splitlines(keepends=True)))


@pytest.fixture
def line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Line:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    made = Line(tmp_path, capsys)
    for name in ("v", "w"):
        made("variant", "add", name, "--model", "m", "--base-url", "http://127.0.0.1:9/v1")
    return made


def test_verdicts_come_with_their_replies(line: Line) -> None:
    said = line.bring(ROWS)
    assert "added 6 replies and 6 verdicts of 2 prompts to v" in said
    rows = line.responses()
    scored = [float(row["score"]) for row in rows if row["score"]]
    assert scored == [1, 5, 2, 4]
    words = Counter(row["score_status"] for row in rows if not row["score"])
    assert words == {"unscored: REFUSAL": 1, "unscored: OFF-TOPIC": 1}
    assert {row["judge"] for row in rows} == {"imported:j"}
    assert {row["simulated"] for row in rows} == {"0"}
    assert {row["scored_by"] for row in rows if row["score"]} == {"imported"}


def test_scores_say_what_they_stand_on(line: Line) -> None:
    line.bring(ROWS)
    rows = [row for row in json.loads(line("scores", "--json")) if row["variant"] == "v" and row["part"] == "total"]
    mean = next(row for row in rows if row["measure"] == "mean")
    assert mean["value"] == 3.0
    assert (mean["n_used"], mean["n_expected"], mean["complete"]) == (4, 6, False)
    assert mean["preset"].startswith("imported:")


def test_the_same_file_twice_adds_nothing(line: Line) -> None:
    line.bring(ROWS)
    before = line.responses()
    assert "nothing was added" in line.bring(ROWS)
    assert line.responses() == before
    assert len(json.loads(line("status", "--json"))) == 1


def test_another_judges_verdicts_join_the_replies(line: Line) -> None:
    line.bring([{**row, "verdict": None} for row in ROWS])
    assert json.loads(line("status", "--json"))[0]["owed"] == 6
    assert "added 0 replies and 6 verdicts" in line.bring(ROWS)
    assert [row["score"] for row in line.responses()].count("") == 2


def test_other_replies_for_the_same_slots_are_refused(line: Line) -> None:
    line.bring(ROWS)
    before = line.responses()
    assert "holds another reply already" in line.bring([{**row, "answer": "else"} for row in ROWS], code=2)
    assert line.responses() == before
    line.bring([{**row, "answer": "else"} for row in ROWS], variant="w")
    assert len(line.responses()) == 12


def test_two_variants_share_an_instrument(line: Line) -> None:
    line.bring(ROWS)
    line.bring(ROWS, variant="w")
    rows = line.responses()
    assert Counter(row["variant"] for row in rows) == {"v": 6, "w": 6}


def test_voided_replies_can_come_again(line: Line) -> None:
    line.bring(ROWS)
    line("void", "v", "--item", "a", "--reason", "garbled")
    assert "added 3 replies and 3 verdicts" in line.bring(ROWS)
    assert len(line.responses()) == 6


def test_an_import_is_not_resumed(line: Line) -> None:
    line.bring(ROWS)
    run = json.loads(line("status", "--json"))[0]
    assert (run["kind"], run["state"], run["owed"]) == ("import", "ended", 0)
    assert "is an import" in line("resume", run["run"], code=2)
    assert "no run to resume" in line("resume", code=2)


@pytest.mark.parametrize(
    ("rows", "where"),
    [
        ([*ROWS, {**ROWS[0], "question": "Another?"}], "r.jsonl, line 7, column 'question'"),
        ([*ROWS, ROWS[0]], "line 7, column 'rollout'"),
        ([*ROWS, {**ROWS[0], "rollout": 9, "answer": 3}], "line 7, column 'answer'"),
        ([{"a": 1}], "field 'prompt'"),
        ([], "holds no rows"),
    ],
)
def test_a_bad_file_imports_nothing(line: Line, rows: list[dict[str, Any]], where: str) -> None:
    assert where in line.bring(rows, code=2)
    assert json.loads(line("status", "--json")) == []


def test_columns_are_mapped(line: Line) -> None:
    path = line.write([{"q": "Prompt?", "text": "Reply", "mark": 3}])
    words = ["import", str(path), "--variant", "v", "--assessment", "harmfulness"]
    maps = ["--map", "prompt=q", "--map", "response=text", "--map", "score=mark"]
    assert "expected FIELD=COLUMN" in line(*words, "--map", "colour=q", code=2)
    assert "column 'nope'" in line(*words, "--map", "prompt=nope", code=2)
    line(*words, *maps)
    assert [row["score"] for row in line.responses()] == ["3.0"]


def test_hostile_verdicts_are_shown_literally(line: Line) -> None:
    said = line.bring([{**ROWS[0], "verdict": "\x1b[2J\x9b31m\u202eREFUSAL"}])
    assert not any(character in said for character in "\x1b\x9b\u202e")
    shown = line("scores", "--every-measure")
    assert "\x1b" not in shown


def test_a_part_of_what_is_stored_adds_nothing(line: Line) -> None:
    line.bring(ROWS)
    before = json.loads(line("variant", "show", "v", "--json"))["plans"]
    assert "nothing was added" in line.bring([row for row in ROWS if row["rollout"] == 0])
    assert json.loads(line("variant", "show", "v", "--json"))["plans"] == before


def test_an_unknown_judge_is_told_the_imported_ones(line: Line) -> None:
    line.bring(ROWS)
    assert "known: imported:j" in line("scores", "--judge", "nosuch", code=2)
