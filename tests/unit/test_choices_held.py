"""A choice that names what the store does not hold is an error, never a table of something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from verify_scene import scene

from emaudit.__main__ import main
from emaudit.store.connection import Store
from emaudit.verifying import verify_export


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("held") / "s.db"
    scene(found)
    return found


@pytest.mark.parametrize("verb", ["scores", "correlate", "compare", "trajectories", "dissociation", "agreement"])
def test_what_no_variant_has_is_no_exclusion(path: Path, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--store", str(path), verb, "--exclude", "stage=base", "--exclude", "stage=worse"]) == 2
    said = capsys.readouterr()
    assert "stage=worse" in said.err and "base, misaligned, realigned" in said.err
    assert said.out == ""


def test_a_replicate_that_is_not_there_is_named(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open(path) as store:
        [(only,)] = store.db.execute("SELECT DISTINCT replicate FROM plans").fetchall()
    assert main(["--store", str(path), "scores", "--replicate", "7"]) == 2
    assert f"no replicate 7; there is: {only}" in capsys.readouterr().err


def test_nothing_is_written_under_a_choice_of_nothing(path: Path, tmp_path: Path) -> None:
    for options in (["--exclude", "size=nosuch"], ["--replicate", "7"]):
        assert main(["--store", str(path), "export", str(tmp_path / "out"), *options]) == 2
    assert not (tmp_path / "out").exists()


def test_a_smaller_export_leaves_nothing_of_the_larger_one(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = ["--store", str(path), "export", str(tmp_path), "--format", "latex"]
    assert main(typed) == 0
    before = {found.name for found in tmp_path.iterdir()}
    capsys.readouterr()
    assert main([*typed, "--exclude", "domain=code"]) == 0
    told = capsys.readouterr().err
    after = {found.name for found in tmp_path.iterdir()}
    listed = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert after == {*listed, "manifest.json"}
    assert before - after and all(name in told for name in before - after)
    with Store.open(path) as store:
        assert verify_export(store, tmp_path).passes


def test_figures_of_other_formats_go(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    assert main(["--store", str(path), "figures", str(tmp_path), "--format", "svg"]) == 0
    drawn = {found.name for found in tmp_path.glob("*.svg")}
    capsys.readouterr()
    assert main(["--store", str(path), "figures", str(tmp_path), "--format", "pdf"]) == 0
    told = capsys.readouterr().err
    assert drawn and not list(tmp_path.glob("*.svg")) and all(name in told for name in drawn)
