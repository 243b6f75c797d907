"""`emaudit correlate` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emaudit.__main__ import main
from emaudit.cli import correlate
from emaudit.reference import NOTE
from emaudit.scores.correlations import COLUMNS
from tests.unit.correlation_scene import study
from tests.unit.grid_scene import grid
from tests.unit.reviewing_scene import harm_store


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("EMAUDIT_STORE", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store whose study is one made by hand."""
    harm_store(tmp_path / "s.db", {"a": [[1.0]]}).close()
    monkeypatch.setattr(correlate, "archive_of", lambda context, store: None)
    monkeypatch.setattr(correlate, "study_of", lambda archive: study())
    return str(tmp_path / "s.db")


def test_the_reference_needs_no_store(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["correlate", "--reference", "paper"]) == 0
    out = capsys.readouterr().out
    for rho in ("0.878", "0.870", "0.792", "0.827", "0.889", "0.808"):
        assert f"rho                 {rho}   n 15" in out
    assert "published values: there are no prompts to resample" in out
    assert not list(Path().glob("**/*.db"))


def test_the_reference_as_json_has_the_columns_of_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["correlate", "--reference", "paper", "--columns", "harmless", "--subset", "all", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [round(row["rho"], 3) for row in rows] == [0.878, 0.870, 0.792]
    assert set(COLUMNS) < set(rows[0])
    assert rows[0]["card"]["within_recipe"]["n_arrangements"] == 7776
    assert rows[0]["measurement_low"] is None and "published" in rows[0]["undefined_reason"]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["--reference", "nature"], "paper"),
        (["--reference", "paper", "--decided"], "--decided"),
        (["--reference", "paper", "--subset", "poetry"], "all, code, trivia"),
        (["--reference", "paper", "--columns", "harm"], "harmless or total"),
    ],
)
def test_what_cannot_be_chosen_is_told(typed: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["correlate", *typed]) == 2
    assert told in capsys.readouterr().err


def test_own_cards_stand_beside_the_published_rho(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--store", store, "correlate", "--columns", "total", "--subset", "all"]) == 0
    shown = capsys.readouterr()
    assert shown.out.count(f"({NOTE})") == 3
    assert "rho 0.827" in shown.out
    assert "prompt bootstrap   (prompts like these, variants fixed)" in shown.out
    assert shown.out.count("Strong agreement across variants") == 3
    assert shown.out.count("the 15 variants share three base models") == 1
    assert "SIMULATED" in shown.err


def test_screen_and_json_hold_the_same_figures(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    typed = ["--store", store, "correlate", "--columns", "total", "--subset", "code"]
    assert main(typed) == 0
    out = capsys.readouterr().out
    assert main([*typed, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows and {row["subset"] for row in rows} == {"code"}
    for row in rows:
        assert f"{row['rho']:.3f}" in out and f"{row['measurement_high']:.3f}" in out


def test_a_store_with_one_assessment_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    harm_store(tmp_path / "s.db", {"a": [[1.0]]}).close()
    assert main(["--store", str(tmp_path / "s.db"), "correlate"]) == 0
    assert "no two of" in capsys.readouterr().err


def test_every_judge_says_why_a_cell_is_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    variants = [(size, "", "base") for size in ("full", "mini", "nano")]
    grid(tmp_path / "s.db", n=1, variants=variants).close()
    typed = ["--store", str(tmp_path / "s.db"), "correlate", "--every-judge"]
    assert main([*typed, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert main(typed) == 0
    out = capsys.readouterr().out
    empty = [row for row in rows if row["measurement_low"] is None]
    assert empty
    for row in empty:
        assert row["undefined_reason"] and f"empty under {row['under']}: {row['undefined_reason']}" in out
