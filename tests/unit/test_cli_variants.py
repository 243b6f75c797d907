"""`emaudit variant`, over real stores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emaudit.__main__ import main

HOSTILE = "x\x1b]0;owned\x07[/foo]\u202e\u200b\x9b31m"
URL = "http://127.0.0.1:9/v1"
TOML = """
[endpoints.lab]
base_url = "http://127.0.0.1:9/v1"
[endpoints.other]
base_url = "http://127.0.0.1:10/v1"
"""


class Line:
    """One command line after another on one store."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.store = folder / "s.db"
        self._capsys = capsys

    def __call__(self, *argv: str, code: int = 0) -> str:
        """Run, check the exit code, return what was said: stdout, then stderr."""
        self._capsys.readouterr()
        found = main(["--store", str(self.store), *argv])
        printed = self._capsys.readouterr()
        assert found == code, printed.err
        return printed.out + printed.err

    def json(self, *argv: str) -> Any:  # noqa: ANN401
        """The data of a listing command."""
        self._capsys.readouterr()
        assert main(["--store", str(self.store), "--json", *argv]) == 0
        return json.loads(self._capsys.readouterr().out)


@pytest.fixture
def line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Line:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "EMAUDIT_STORE", "EMAUDIT_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return Line(tmp_path, capsys)


def add(line: Line, name: str, *more: str, code: int = 0) -> str:
    return line("variant", "add", name, "--model", f"m-{name}", "--base-url", URL, *more, code=code)


def test_add_list_show_set_rename_hide(line: Line) -> None:
    add(line, "base", "--size", "mini", "--stage", "base")
    add(line, "bad", "--size", "mini", "--domain", "code", "--stage", "misaligned", "--parent", "base")
    rows = line.json("variant", "list")
    assert [(row["name"], row["parent"]) for row in rows] == [("base", ""), ("bad", "base")]
    assert "\n  bad " in line("variant", "list")
    line("variant", "set", "bad", "epochs=3", "lr_multiplier=2")
    assert "epochs:          3" in line("variant", "show", "bad")
    line("variant", "rename", "bad", "worse")
    assert line.json("variant", "show", "worse")["epochs"] == "3"
    line("variant", "hide", "worse")
    assert [row["name"] for row in line.json("variant", "list")] == ["base"]
    assert {row["name"]: row["hidden"] for row in line.json("variant", "list", "--hidden")} == {
        "base": False,
        "worse": True,
    }
    line("variant", "unhide", "worse")
    assert len(line.json("variant", "list")) == 2


def test_a_refused_add_makes_no_store(line: Line) -> None:
    said = line("variant", "add", "a", "--model", "m", code=2)
    assert "give --base-url URL" in said
    line("variant", "add", "a", "--model", "m", "--base-url", "ftp://x", code=2)
    line("variant", "add", "a", "--model", "m", "--base-url", "http://user:pw@127.0.0.1/v1", code=2)
    assert not line.store.exists()


def test_the_only_endpoint_is_the_default(line: Line) -> None:
    (line.folder / "emaudit.toml").write_text(TOML.split("[endpoints.other]")[0], encoding="utf-8")
    line("variant", "add", "a", "--model", "m")
    assert line.json("variant", "show", "a")["endpoint"] == "lab"


def test_of_several_endpoints_one_is_named(line: Line) -> None:
    (line.folder / "emaudit.toml").write_text(TOML, encoding="utf-8")
    assert "lab, other" in line("variant", "add", "a", "--model", "m", code=2)
    assert "known: lab, other" in line("variant", "add", "a", "--model", "m", "--endpoint", "nowhere", code=2)
    line("variant", "add", "a", "--model", "m", "--endpoint", "other")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["variant", "show", "nobody"], "known: a"),
        (["variant", "set", "nobody", "size=x"], "known: a"),
        (["variant", "set", "a", "colour=red"], "known: model"),
        (["variant", "set", "a", "parent=nobody"], "not a known variant"),
        (["variant", "set", "a", "parent=a"], "its own ancestor"),
        (["variant", "set", "a", "base_url=nonsense"], "no http(s) address"),
        (["variant", "rename", "a", " "], "cannot name a variant"),
        (["variant", "add", "a", "--model", "m", "--base-url", URL], "exists already"),
        (["variant", "add", "b", "--model", "m", "--base-url", URL, "--parent", "c"], "known: a, b"),
        (["run", "nobody", "--yes"], "known: a"),
        (["estimate", "nobody"], "known: a"),
        (["void", "nobody", "--reason", "x"], "known: a"),
        (["void", "a", "--reason", "x"], "no replies of a"),
        (["void", "a", "--reason", " "], "--reason is empty"),
        (["void", "a", "--assessment", "mood", "--reason", "x"], "known: harmfulness"),
        (["resume"], "no run to resume"),
        (["resume", "abc"], "no run 'abc'"),
        (["stop"], "no run is live"),
        (["wait", "abc"], "no run 'abc'"),
        (["scores"], "nothing to show yet"),
        (["export", "out"], "nothing to show yet"),
    ],
)
def test_what_cannot_be_done_lists_what_is_known(line: Line, argv: list[str], said: str) -> None:
    add(line, "a")
    assert said in line(*argv, code=2)


KEY = "sk-canary-123"


def test_a_key_in_place_of_its_variable_is_refused_and_not_shown(line: Line) -> None:
    why = "name the environment variable, not the key"
    said = add(line, "a", "--api-key-env", KEY, code=2)
    assert not line.store.exists()
    add(line, "a", "--api-key-env", "MY_KEY")
    said += line("variant", "set", "a", f"api_key_env={KEY}", code=2)
    (line.folder / "v.csv").write_text(f"name,model,base_url,api_key_env\nb,m,{URL},{KEY}\n", encoding="utf-8")
    imported = line("variant", "import", "v.csv", code=2)
    assert "v.csv, line 2, field 'api_key_env'" in imported
    said += imported + line("variant", "models", "--base-url", URL, "--api-key-env", KEY, code=2)
    assert said.count(why) == 4
    assert KEY not in said
    assert [row["api_key_env"] for row in line.json("variant", "list")] == ["MY_KEY"]


def test_hostile_text_is_shown_literally(line: Line) -> None:
    add(line, "a")
    line("variant", "set", "a", f"dataset={HOSTILE}", f"domain={HOSTILE}", f"model={HOSTILE}")
    for argv in (["variant", "list"], ["variant", "show", "a"], ["variant", "list", "--json"], ["estimate", "a"]):
        said = line(*argv)
        assert not any(character in said for character in "\x1b\x07\u202e\u200b\x9b\x7f"), argv
    assert "no variant" in line("variant", "show", HOSTILE, code=2)


GOOD = """name,model,size,domain,stage,parent,base_url,epochs
base,m-0,mini,,base,,http://127.0.0.1:9/v1,
bad,m-1,mini,code,misaligned,base,http://127.0.0.1:9/v1,3
"""


def test_import_of_a_csv_file(line: Line) -> None:
    (line.folder / "v.csv").write_text(GOOD, encoding="utf-8")
    assert "added 2 variants" in line("variant", "import", "v.csv")
    assert line.json("variant", "show", "bad")["epochs"] == "3"
    assert line.json("variant", "show", "bad")["parent"] == "base"


def test_import_of_a_toml_file(line: Line) -> None:
    (line.folder / "v.toml").write_text(
        f'[variants.bad]\nmodel = "m"\nparent = "a base"\nbase_url = "{URL}"\nepochs = 3\n'
        f'[variants."a base"]\nmodel = "m0"\nbase_url = "{URL}"\n',
        encoding="utf-8",
    )
    line("variant", "import", "v.toml")
    assert [row["name"] for row in line.json("variant", "list")] == ["a base", "bad"]
    assert line.json("variant", "show", "bad")["epochs"] == "3"


BASE = f"base,m,{URL},\n"
HEADER = "name,model,base_url,parent\n"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "v.csv: holds no variants"),
        ("name,model,colour\na,m,red\n", "v.csv, line 1, field 'colour'"),
        ("name,name,model\na,a,m\n", "v.csv, line 1, field 'name'"),
        (HEADER + BASE + "x,m\n", "v.csv, line 3: expected 4 cells, found 2"),
        (HEADER + BASE + f",m,{URL},\n", "v.csv, line 3, field 'name'"),
        (HEADER + BASE + f"x,,{URL},\n", "v.csv, line 3, field 'model'"),
        (HEADER + BASE + BASE, "v.csv, line 3, field 'name'"),
        (HEADER + BASE + "x,m,ftp://x,\n", "v.csv, line 3, field 'base_url'"),
        (HEADER + BASE + "x,m,,\n", "v.csv, line 3, field 'endpoint'"),
        (HEADER + BASE + f"x,m,{URL},nobody\n", "v.csv, line 3, field 'parent'"),
        (HEADER + BASE + f"x,m,{URL},y\ny,m,{URL},x\n", "field 'parent'"),
        (HEADER + '"x,m\n', "v.csv, line 2: not valid CSV"),
    ],
)
def test_a_bad_csv_file_names_line_and_field_and_imports_nothing(line: Line, text: str, where: str) -> None:
    (line.folder / "v.csv").write_text(text, encoding="utf-8")
    assert where in line("variant", "import", "v.csv", code=2)
    assert line.json("variant", "list") == []


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[variants.a]\nmodel = ", "v.toml: not valid TOML"),
        ("[a]\nmodel = 'm'\n", "expected nothing but tables like [variants.NAME]"),
        (f"[variants.b]\nmodel='m'\nbase_url='{URL}'\n\n[variants.a]\nsise = 'x'\n", "v.toml, line 5, field 'sise'"),
        (f"[variants.a]\nbase_url='{URL}'\n", "v.toml, line 1, field 'model'"),
        ("[variants.a]\nmodel = ['m']\n", "v.toml, line 1, field 'model'"),
    ],
)
def test_a_bad_toml_file_names_line_and_field_and_imports_nothing(line: Line, text: str, where: str) -> None:
    (line.folder / "v.toml").write_text(text, encoding="utf-8")
    assert where in line("variant", "import", "v.toml", code=2)
    assert line.json("variant", "list") == []


def test_a_missing_file_and_one_that_is_not_utf8(line: Line) -> None:
    assert "cannot be read" in line("variant", "import", "none.csv", code=2)
    (line.folder / "v.csv").write_bytes(b"name,model\n\xff,m\n")
    assert "not UTF-8" in line("variant", "import", "v.csv", code=2)


@pytest.mark.parametrize("kind", ["folder", "text", "empty", "newer", "other"])
def test_a_path_that_is_no_store_is_left_alone(line: Line, kind: str) -> None:
    import sqlite3

    path = line.store
    if kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("shopping list", encoding="utf-8")
    elif kind == "empty":
        path.touch()
    else:
        db = sqlite3.connect(path)
        db.execute("CREATE TABLE t (x)")
        if kind == "newer":
            db.execute(f"PRAGMA application_id = {0x656D6175}")
            db.execute("PRAGMA user_version = 99")
        db.commit()
        db.close()
    before = path.read_bytes() if path.is_file() else b""
    for argv in (["variant", "list"], ["status"], ["variant", "add", "a", "--model", "m", "--base-url", URL]):
        said = line(*argv, code=2)
        assert str(path) in said
        assert said.count("\n") == 1
    assert (path.read_bytes() if path.is_file() else b"") == before


@pytest.mark.parametrize(
    "fact", ["epochs=many", "n_examples=6,000", "batch_size=-1", "lr_multiplier=nan", "dataset_sha256=abc"]
)
def test_training_facts_are_what_they_say(line: Line, fact: str) -> None:
    add(line, "v")
    field, value = fact.split("=")
    assert f"{field}: expected" in line("variant", "set", "v", fact, code=2)
    path = line.folder / "v.toml"
    path.write_text(f'[variants.w]\nmodel = "m"\nbase_url = "{URL}"\n{field} = "{value}"\n', encoding="utf-8")
    assert f"line 1, field '{field}'" in line("variant", "import", str(path), code=2)
    line("variant", "set", "v", "epochs=3", "lr_multiplier=2e-05", f"dataset_sha256={'aB' * 32}", "batch_size=")


def test_an_unusual_stage_is_noted(line: Line) -> None:
    assert "none of base, misaligned, realigned" in add(line, "v", "--stage", "misalinged")
    assert "none of" not in line("variant", "set", "v", "stage=misaligned")
    assert "stage 'odd' is none of" in line("variant", "set", "v", "stage=odd")


def test_settings_beside_the_store_are_used(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    (line.folder / "s.db.toml").write_text(TOML, encoding="utf-8")
    line("variant", "add", "v", "--model", "m", "--endpoint", "lab")
    (line.folder / "named.toml").write_text("[endpoints]\n", encoding="utf-8")
    words = ("variant", "add", "w", "--model", "m", "--endpoint", "lab")
    assert "named.toml" in line("--config", "named.toml", *words, code=2)
    monkeypatch.setenv("EMAUDIT_CONFIG", str(line.folder / "named.toml"))
    assert "named.toml" in line(*words, code=2)
