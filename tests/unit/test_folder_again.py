"""A folder that is written into again: what its own manifest listed goes, anything else stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emaudit.folder import Folder


def write(directory: Path, *names: str, manifest: str = "manifest.json") -> list[str]:
    """An export of some files, each holding its name; what it told."""
    told: list[str] = []
    with Folder(directory, False, told.append) as folder:
        for name in names:
            folder.text(name, name)
        files = {file.name: {"sha256": file.sha256} for file in folder.files}
        folder.text(manifest, json.dumps({"emaudit": "1", "files": files}))
        folder.replace()
    return told


def held(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def list_also(directory: Path, *names: str) -> None:
    """Have the manifest list further files, with the digest of a file that holds `a`."""
    path = directory / "manifest.json"
    says = json.loads(path.read_text(encoding="utf-8"))
    says["files"] |= dict.fromkeys(names, says["files"]["a"])
    path.write_text(json.dumps(says), encoding="utf-8")


def test_what_the_export_before_wrote_is_removed_and_named(tmp_path: Path) -> None:
    assert write(tmp_path, "a", "b", "c") == []
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    told = write(tmp_path, "a")
    assert held(tmp_path) == {"a", "mine.txt", "manifest.json"}
    assert len(told) == 1 and told[0].endswith("b, c")
    assert write(tmp_path, "a") == []


def test_an_edited_file_stays_and_is_named(tmp_path: Path) -> None:
    write(tmp_path, "a", "b")
    (tmp_path / "b").write_text("edited", encoding="utf-8")
    told = write(tmp_path, "a")
    assert (tmp_path / "b").read_text(encoding="utf-8") == "edited"
    assert len(told) == 1 and str(tmp_path / "b") in told[0] and "edited" in told[0]


def test_what_another_manifest_lists_stays(tmp_path: Path) -> None:
    write(tmp_path, "a", "b")
    write(tmp_path, "b", "d", manifest="figures.json")
    write(tmp_path, "a")
    assert held(tmp_path) == {"a", "b", "d", "manifest.json", "figures.json"}


def test_names_of_a_manifest_lead_nowhere_else(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    write(folder, "a", "b")
    outside = tmp_path / "outside"
    (folder / "deep").mkdir()
    for path in (outside, folder / "deep" / "in", folder / ".hidden", folder / "figures.json"):
        path.write_text("a", encoding="utf-8")
    (folder / "link").symlink_to(outside)
    strange = ["../outside", str(outside), "deep/in", "deep", ".hidden", "..", ".", "", "figures.json", "link", "A\0"]
    list_also(folder, *strange, "B", "gone")
    write(folder, "b")
    assert outside.exists() and (folder / "deep" / "in").exists()
    assert held(folder) == {"b", "deep", ".hidden", "figures.json", "link", "manifest.json"}


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"files": {"a": {"sha256": "x"}}}', '{"emaudit": "1", "files": 3}', "[" * 100_000]
)
def test_a_manifest_that_is_none_of_ours_removes_nothing(tmp_path: Path, text: str) -> None:
    write(tmp_path, "a", "b")
    (tmp_path / "manifest.json").write_text(text, encoding="utf-8")
    assert write(tmp_path, "a") == []
    assert held(tmp_path) == {"a", "b", "manifest.json"}
