"""An export is found to be what it was: every edited cell, row and file is named, with both values."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from grid_scene import grid, prompts
from verify_scene import CHOICES, copied, edit, export, judge_again, scene, tamper, vouch, write

from emaudit.__main__ import main
from emaudit.errors import UsageError
from emaudit.problems import Problem
from emaudit.store.connection import Store
from emaudit.store.replies import void
from emaudit.store.scorers import judge, use_judge
from emaudit.store.variants import rename
from emaudit.verifying import Report, verify_export
from emaudit.verifying.cells import file_differences

CELLS = {
    "variants.csv": ("model", 1),
    "scores.csv": ("value", 5),
    "responses.csv": ("response", 7),
    "agreement.csv": ("simulated", 1),
    "confusion.csv": ("n", 1),
    "reviews.csv": ("reviewer", 1),
    "examples.csv": ("starred_by", 1),
    "correlations.csv": ("n", 1),
    "comparisons.csv": ("mean_a", 3),
    "trajectories.csv": ("misaligned", 2),
    "dissociation.csv": ("harm_rise", 1),
    "moral_profiles.csv": ("cosine", 2),
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("verify")
    scene(folder / "s.db")
    with Store.open(folder / "s.db") as store:
        return folder / "s.db", export(store, folder / "out")


def verified(path: Path, folder: Path) -> Report:
    with Store.open(path) as store:
        return verify_export(store, folder)


def of(report: Report, place: str) -> list[Problem]:
    return [problem for problem in report.problems if problem.place == place]


def test_a_second_export_has_the_same_bytes_and_passes(made: tuple[Path, Path], tmp_path: Path) -> None:
    path, folder = made
    with Store.open(path) as store:
        again = export(store, tmp_path / "again")
    assert {f.name: f.read_bytes() for f in again.iterdir()} == {f.name: f.read_bytes() for f in folder.iterdir()}
    report = verified(path, again)
    assert [str(problem) for problem in report.problems] == []
    assert len(report.checked) == 3 and report.notes == []


def test_an_excel_safe_export_passes_and_its_guards_are_no_part_of_the_text(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    path, _ = copied(made, tmp_path)
    with Store.open(path, write=True) as store:
        rename(store, "full-code-realigned", "=realigned")
    with Store.open(path) as store:
        folder = export(store, tmp_path / "safe", excel_safe=True)
    assert "'=realigned" in (folder / "variants.csv").read_text(encoding="utf-8")
    assert [str(problem) for problem in verified(path, folder).problems] == []


def otherwise(held: str) -> str:
    """Another number, or another text."""
    try:
        return repr(float(held) + 0.001)
    except ValueError:
        return f"{held}9"


def test_an_edited_last_digit_is_named(made: tuple[Path, Path], tmp_path: Path) -> None:
    path, folder = copied(made, tmp_path)
    before, after = edit(folder / "comparisons.csv", 1, "mean_a", lambda held: f"{held}1")
    found = [(p.column, p.found, p.expected) for p in of(verified(path, folder), "comparisons.csv") if p.column]
    assert ("mean_a", after, before) in found


def test_an_edited_cell_is_named_in_every_table(made: tuple[Path, Path], tmp_path: Path) -> None:
    path, folder = copied(made, tmp_path)
    tables = {file.name for file in folder.glob("*.csv")}
    assert tables == set(CELLS)
    changed = {}
    for name, (column, row) in CELLS.items():
        changed[name] = edit(folder / name, row, column, otherwise)
    vouch(folder)
    report = verified(path, folder)
    for name, (before, after) in changed.items():
        found = [(p.column, p.found, p.expected) for p in of(report, name) if "the store gives" in p.what]
        assert found == [(CELLS[name][0], after, before)], name
        assert all(problem.row for problem in of(report, name))


def test_a_number_that_does_not_follow_from_the_rows_is_found_without_a_store(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    _, folder = copied(made, tmp_path)
    for name in ("scores.csv", "correlations.csv", "comparisons.csv", "trajectories.csv", "dissociation.csv"):
        edit(folder / name, CELLS[name][1], CELLS[name][0], otherwise)
    edit(folder / "moral_profiles.csv", 2, "cosine", lambda held: "0.5")
    vouch(folder)
    report = verify_export(None, folder)
    assert {(problem.place, problem.column) for problem in report.problems} == {
        (name, CELLS[name][0])
        for name in CELLS
        if name in ("scores.csv", "correlations.csv", "comparisons.csv", "trajectories.csv", "dissociation.csv")
    } | {("moral_profiles.csv", "cosine")}
    assert "no store" in report.notes[0]


def test_a_changed_reply_shows_in_what_is_computed_from_it(made: tuple[Path, Path], tmp_path: Path) -> None:
    _, folder = copied(made, tmp_path)
    edit(folder / "responses.csv", 3, "score", lambda held: "5.0" if held != "5.0" else "1.0")
    report = verify_export(None, folder)
    assert [problem.what for problem in of(report, "responses.csv")] == ["is not the file that was exported (SHA-256)"]
    assert {problem.column for problem in of(report, "scores.csv")} & {"value", "sd"}


def test_rows_added_removed_and_moved_and_files_swapped_are_named(made: tuple[Path, Path], tmp_path: Path) -> None:
    path, folder = copied(made, tmp_path)

    def rows(name: str) -> list[list[str]]:
        with (folder / name).open(newline="", encoding="utf-8") as file:
            return list(csv.reader(file))

    scores, responses, moved = rows("scores.csv"), rows("responses.csv"), rows("comparisons.csv")
    gone = dict(zip(scores[0], scores.pop(4), strict=True))
    responses.append([*responses[-1][:7], "99", *responses[-1][8:]])
    moved[2], moved[3] = moved[3], moved[2]
    write(folder / "scores.csv", scores)
    write(folder / "responses.csv", responses)
    write(folder / "comparisons.csv", moved)
    methods, results = (folder / "methods.md").read_bytes(), (folder / "results.md").read_bytes()
    (folder / "methods.md").write_bytes(results)
    (folder / "results.md").write_bytes(methods)
    (folder / "reviews.csv").unlink()
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    report = verified(path, folder)
    missing = [problem for problem in of(report, "scores.csv") if "a row is missing that the store" in problem.what]
    assert [f"measure={gone['measure']} part={gone['part']}" in problem.row for problem in missing] == [True]
    added = [problem for problem in of(report, "responses.csv") if "the store does not give" in problem.what]
    assert [problem.row.endswith("sample=99") for problem in added] == [True]
    assert any("has another number of rows" in problem.what for problem in of(report, "responses.csv"))
    assert any("out of order" in problem.what for problem in of(report, "comparisons.csv"))
    assert {"methods.md", "results.md"} <= {p.place for p in report.problems if p.row.startswith("line ")}
    assert [problem.what for problem in of(report, "reviews.csv")] == ["is missing: manifest.json lists it"]
    assert ["no manifest lists it" in problem.what for problem in of(report, "notes.txt")] == [True]


def test_last_digits_of_another_processor_are_no_difference(tmp_path: Path) -> None:
    one, other = tmp_path / "correlations.csv", tmp_path / "other.csv"
    one.write_text("x,y,rho\na,b,0.8510000000000001\n", encoding="utf-8")
    for text, n_problems in (("0.851", 0), ("0.85100001", 1), ("", 1)):
        other.write_text(f"x,y,rho\na,b,{text}\n", encoding="utf-8")
        assert len(list(file_differences("correlations.csv", one, other, "the store"))) == n_problems


def test_an_edited_manifest_is_named(made: tuple[Path, Path], tmp_path: Path) -> None:
    path, folder = copied(made, tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["instruments"]["ours@1"] = "validated"
    manifest["files"]["scores.csv"]["rows"] += 1
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    report = verified(path, folder)
    assert [(p.column, p.found, p.expected) for p in of(report, "manifest.json")] == [
        ("instruments.ours@1", "'validated'", "'ours'")
    ]
    assert ["number of rows" in problem.what for problem in of(report, "scores.csv")] == [True]


def test_the_manifest_names_families_libraries_and_why_rows_have_no_kind(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    path, folder = copied(made, tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["families"]) == {"comparisons", "correlations", "dissociation"}
    assert set(manifest["libraries"]) == {"python", "numpy", "scipy", "pandas", "sqlite"}
    assert all(version[0].isdigit() for version in manifest["libraries"].values())
    with (folder / "dissociation.csv").open(newline="", encoding="utf-8") as held:
        without = {(row["variant"], row["part"]) for row in csv.DictReader(held) if not row["kind"]}
    reasons = {
        (row["variant"], row["part"]): row["reason"]
        for row in manifest["undefined"]
        if row["table"] == "dissociation.csv"
    }
    assert set(reasons) == without and all(reasons.values())
    manifest["libraries"] = {**manifest["libraries"], "scipy": "0.1", "other": "2"}
    manifest["families"]["comparisons"] = "all together"
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert [p.column for p in of(verified(path, folder), "manifest.json")] == ["families.comparisons"]


def test_a_store_that_went_on_is_held_against_the_rows_before(made: tuple[Path, Path], tmp_path: Path) -> None:
    path, folder = copied(made, tmp_path)
    with Store.open(path, write=True) as store:
        void(store, 1, "harmfulness", "", "wrong prompt")
        rename(store, "full-base", "other")
    report = verified(path, folder)
    assert [str(problem) for problem in report.problems] == []
    assert len(report.notes) == 1 and "1 voids" in report.notes[0] and "other" in report.notes[0]


def test_a_reply_edited_in_the_store_differs_from_what_was_exported(made: tuple[Path, Path], tmp_path: Path) -> None:
    path, folder = copied(made, tmp_path)
    tamper(path, "UPDATE replies SET text = 'nicer' WHERE reply_id = 3")
    found = [p for p in verified(path, folder).problems if p.place == "responses.csv"]
    assert [(p.column, p.found, p.expected) for p in found] == [("response", "reply 2", "nicer")]


def test_rows_that_the_export_saw_and_the_store_lacks_are_named(made: tuple[Path, Path], tmp_path: Path) -> None:
    path, folder = copied(made, tmp_path)
    tamper(path, "DELETE FROM review_events WHERE event_id = 3")
    report = verified(path, folder)
    assert [(p.place, p.row) for p in report.problems] == [("review_events", "after row 2")]


def test_an_export_of_another_store_or_an_older_emaudit_is_told_apart(made: tuple[Path, Path], tmp_path: Path) -> None:
    path, folder = copied(made, tmp_path)
    tamper(path, "UPDATE meta SET value = 'feedfeedfeedfeed' WHERE key = 'store_id'")
    report = verified(path, folder)
    assert [(p.column, p.expected) for p in report.problems] == [("store_id", "feedfeedfeedfeed")]
    assert "another store" in report.problems[0].what
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest = {**manifest, "emaudit": "0.0.1"}
    del manifest["rows"], manifest["format"]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    report = verified(path, folder)
    assert ["older emaudit" in problem.what for problem in report.problems] == [True]
    assert "written by emaudit 0.0.1" in report.notes[0]


def test_a_folder_that_is_no_export_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no manifest\.json"):
        verify_export(None, tmp_path)


def test_the_command_tells_by_its_exit_code(
    made: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, folder = copied(made, tmp_path)
    assert main(["--store", str(path), "verify", str(tmp_path / "nowhere")]) == 2
    edit(folder / "moral_profiles.csv", 1, "cosine", lambda held: "\x1b[31m")
    assert main(["--store", str(path), "verify", str(folder), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert not found["passes"] and found["problems"][0]["place"] == "moral_profiles.csv"
    assert main(["--store", str(path), "verify"]) == 0
    assert "all of it holds" in capsys.readouterr().out
    tamper(path, "UPDATE replies SET text = 'nicer' WHERE reply_id = 3")
    assert main(["--store", str(path), "verify"]) == 1
    assert "reply_id 3" in capsys.readouterr().out


def test_hostile_text_is_shown_harmless() -> None:
    assert "\x1b" not in str(Problem("scores.csv", "variant=\x1b[2J", "", "is not", "\x1b[31m", "a\nb"))


def test_the_papers_tables_are_made_again(made: tuple[Path, Path], tmp_path: Path) -> None:
    path, folder = made[0], tmp_path / "latex"
    assert main(["--store", str(path), "export", str(folder), "--format", "latex"]) == 0
    assert [str(problem) for problem in verified(path, folder).problems] == []


def test_an_edited_line_of_the_papers_tables_is_named(made: tuple[Path, Path], tmp_path: Path) -> None:
    path, folder = made[0], tmp_path / "markdown"
    assert main(["--store", str(path), "export", str(folder), "--format", "markdown"]) == 0
    page = min(folder.glob("*.md"))
    page.write_text(page.read_text(encoding="utf-8") + "one more line\n", encoding="utf-8")
    found = of(verified(path, folder), page.name)
    assert {problem.found for problem in found if problem.row.startswith("line ")} == {"one more line"}


def test_figures_are_drawn_again(made: tuple[Path, Path], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path, folder = made[0], tmp_path / "figures"
    options = ["--format", "svg", "--exclude", "domain=code"]
    assert main(["--store", str(path), "figures", str(folder), *options]) == 0
    report = verified(path, folder)
    assert [str(problem) for problem in report.problems] == [] and len(report.checked) == 2
    listed = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    (folder / "figures.json").write_text(json.dumps({**listed, "matplotlib": "0.1"}), encoding="utf-8")
    assert "matplotlib 0.1 drew them" in verified(path, folder).notes[0]


def test_tables_open_in_pandas_with_numbers_as_numbers(made: tuple[Path, Path]) -> None:
    pandas = pytest.importorskip("pandas")
    kinds = {
        "scores.csv": {"value": "f", "ci_low": "f", "n_used": "i", "complete": "i", "replicate": "i", "measure": "O"},
        "responses.csv": {"score": "f", "sample": "i", "response": "O", "replicate": "i", "simulated": "i"},
        "correlations.csv": {"rho": "f", "n": "i", "x": "O", "simulated": "i", "replicate": "i"},
        "comparisons.csv": {"p": "f", "mean_difference": "f", "shift": "f", "n_a": "i", "group_a": "O"},
        "trajectories.csv": {"base": "f", "induced": "f", "reversed_low": "f", "lineage": "O"},
        "dissociation.csv": {"harm_rise": "f", "p_holm": "f", "kind": "O"},
        "agreement.csv": {"exact": "f", "n": "i", "judge": "O"},
        "moral_profiles.csv": {"cosine": "f", "variant": "O"},
    }
    for name, wanted in kinds.items():
        frame = pandas.read_csv(made[1] / name)
        assert len(frame), name
        found = {column: frame[column].dtype.kind for column in wanted}
        assert {column: "O" if kind in "OUT" else kind for column, kind in found.items()} == wanted, name


def test_choices_are_recorded_and_followed(made: tuple[Path, Path], tmp_path: Path) -> None:
    path, folder = made[0], tmp_path / "out"
    options = ["--zeros", "wilcox", "--columns", "total", "--subset", "code", "--exclude", "stage=realigned"]
    assert main(["--store", str(path), "export", str(folder), *options]) == 0
    chosen = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["chosen"]
    assert chosen == {
        **CHOICES.record(),
        "zeros": "wilcox",
        "columns": "total",
        "subset": "code",
        "exclude": ["stage=realigned"],
    }
    with (folder / "comparisons.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["zero_rule"] for row in rows if row["zero_rule"]} == {"wilcox"}
    assert {row["domain"] for row in rows} == {"code"}
    assert [str(problem) for problem in verified(path, folder).problems] == []


def test_an_export_of_which_replies_are_owed_is_held_against_the_store_and_its_complete_plans(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    path, _ = copied(made, tmp_path)
    with Store.open(path, write=True) as store:
        void(store, 2, "harmfulness", "insults-01", "wrong prompt")
    with Store.open(path) as store:
        folder = export(store, tmp_path / "owed")
    report = verified(path, folder)
    assert [str(problem) for problem in report.problems] == []
    assert "full-code-misaligned harmfulness" in report.notes[0]
    with (folder / "scores.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    place = next(n for n, row in enumerate(rows, 1) if row["variant"] and row["assessment"] == "intentions")
    edit(folder / "scores.csv", place, "value", lambda held: f"{held}9")
    assert "value" in {problem.column for problem in of(verify_export(None, folder), "scores.csv")}


@pytest.fixture(scope="module")
def judged_in_part(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three of four variants under another judge, which is the active one."""
    path = tmp_path_factory.mktemp("judges") / "s.db"
    recipes = [("", "base"), ("code", "misaligned")]
    with grid(path, n=1, variants=[(size, *recipe) for size in ("full", "mini") for recipe in recipes]) as store:
        n_replies = sum(planned.n_samples for asked in prompts(1).values() for planned in asked)
        n_harm = sum(planned.n_samples for planned in prompts(1)["harmfulness"])
        for place in range(3):
            judge_again(store, range(place * n_replies + 1, place * n_replies + n_harm + 1))
        use_judge(store, judge(store, "other-judge", {}))
    return path


@pytest.mark.parametrize("options", [[], ["--exclude", "size=full"], ["--subset", "code"]])
def test_variants_of_another_judge_than_the_active_one_are_no_difference(
    judged_in_part: Path, tmp_path: Path, options: list[str]
) -> None:
    folder = tmp_path / "out"
    assert main(["--store", str(judged_in_part), "export", str(folder), *options]) == 0
    assert "not by" in (folder / "correlations.csv").read_text(encoding="utf-8")
    assert json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["leading_judge"].startswith("other-judge")
    assert [str(problem) for problem in verify_export(None, folder).problems] == []
    assert [str(problem) for problem in verified(judged_in_part, folder).problems] == []
