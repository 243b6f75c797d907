"""`emaudit init`, `doctor`, `instrument`, `variant models` without an endpoint, and the wheel."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from emaudit.__main__ import main
from emaudit.cli.settings import TEMPLATE
from emaudit.config import load_settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "EMAUDIT_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("EMAUDIT_STORE", str(tmp_path / "s.db"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main(argv) == code
    printed = capsys.readouterr()
    return printed.out if "--json" in argv else printed.out + printed.err


def test_init_writes_settings_that_load_and_never_overwrites(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "init")
    assert load_settings(here / "emaudit.toml").endpoints == {}
    (here / "emaudit.toml").write_text("# mine\n", encoding="utf-8")
    assert "exists" in said(capsys, "init", code=2)
    assert (here / "emaudit.toml").read_text(encoding="utf-8") == "# mine\n"
    said(capsys, "--config", "other.toml", "init")
    assert (here / "other.toml").exists()


def test_the_examples_of_init_are_all_settings(here: Path) -> None:
    lines = [line.removeprefix("# ") for line in TEMPLATE.splitlines()]
    kept = [line for line in lines if line.startswith("[") or " = " in line.split("#")[0]]
    path = here / "all.toml"
    path.write_text("\n".join(kept), encoding="utf-8")
    assert set(tomllib.loads("\n".join(kept))) == {"endpoints", "judge", "judges", "prices", "reviewer"}
    settings = load_settings(path)
    assert set(settings.endpoints) == {"cluster", "openai"}
    assert settings.judge.endpoint == "openai"


def test_doctor_has_a_line_for_each_thing_and_a_fix_for_each_fault(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "emaudit.toml").write_text(
        '[endpoints.lab]\nbase_url = "http://127.0.0.1:9/v1"\n'
        '[endpoints.far]\nbase_url = "https://127.0.0.1:9/v1"\napi_key_env = "NO_SUCH_KEY"\n'
        '[judge]\nmodel = "m"\nendpoint = "nowhere"\n',
        encoding="utf-8",
    )
    rows = {row["what"]: row for row in json.loads(said(capsys, "doctor", "--json", code=2))}
    assert rows["SQLite"]["state"] in {"ok", "warn"}
    assert rows["store"]["found"].startswith("none yet")
    assert rows["key of lab"]["found"] == "none needed"
    assert rows["endpoint lab"]["state"] == "fail"
    assert "nobody answers" in rows["endpoint lab"]["found"]
    assert "NO_SUCH_KEY" in rows["key of far"]["found"]
    assert rows["judge"]["state"] == "fail"
    assert "not the validated MFQ-2" in rows["instrument moral_foundations"]["found"]
    assert all(row["fix"] for row in rows.values() if row["state"] != "ok")
    text = said(capsys, "doctor", code=2)
    assert len(text.splitlines()) == len(rows)


def test_doctor_says_what_is_wrong_with_old_sqlite(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 51, 2))
    assert "lock file" in said(capsys, "doctor")
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 51, 3))
    assert "lock file" not in said(capsys, "doctor")


def test_doctor_survives_bad_settings_and_a_bad_store(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "emaudit.toml").write_text("[endpoint.x]\n", encoding="utf-8")
    (here / "s.db").write_text("no store", encoding="utf-8")
    text = said(capsys, "doctor", code=2)
    assert "is not a section" in text
    assert "not an emaudit store" in text


def test_instruments_are_listed_and_installed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = {row["instrument"]: row for row in json.loads(said(capsys, "instrument", "list", "--json"))}
    assert rows["harmfulness"]["items"] == "320"
    assert rows["moral_foundations"]["label"] == "emaudit-mf36: not the validated MFQ-2"
    own = here / "my.csv"
    lines = (ROOT / "prompts" / "moral_foundations" / "items.csv").read_text(encoding="utf-8").splitlines()
    own.write_text("\n".join(lines) + "\n", encoding="utf-8")
    said(capsys, "instrument", "install", "mfq2", str(own))
    rows = {row["instrument"]: row for row in json.loads(said(capsys, "instrument", "list", "--json"))}
    assert rows["moral_foundations"]["name"] == "mfq2"
    assert rows["moral_foundations"]["from"] == "installed"
    own.write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")
    assert "expected 36 statements" in said(capsys, "instrument", "install", "mfq2", str(own), code=2)


WIDE_RUBRIC = """
system = "s"
question = "q"
reminder = "r"
[schema.properties.score]
type = "integer"
minimum = 0
maximum = 10
"""


@pytest.mark.parametrize(
    ("which", "text", "where"),
    [
        ("harmfulness", "id,category\na,b\n", "line 2, column 'text'"),
        ("harmfulness", "id,category,text\na,b,c\na,b,c\n", "line 3, column 'id'"),
        ("intentions", "id,dimension,scenario,aligned,misaligned\na,x,s,y,n\n", "line 2, column 'dimension'"),
        ("open_ended", "id,text\na,\n", "line 2, column 'text'"),
        ("self_assessment", "[decision]\n", "field 'poles'"),
        ("judge", "system = 'x'\n", "field 'question'"),
        ("judge", WIDE_RUBRIC, "field 'schema.properties.score'"),
        ("mfq2", "item,foundation,text\n1,love,x\n", "line 2, column 'foundation'"),
    ],
)
def test_a_bad_instrument_is_refused(
    which: str, text: str, where: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = here / ("own.toml" if which in {"self_assessment", "judge"} else "own.csv")
    path.write_text(text, encoding="utf-8")
    assert where in said(capsys, "instrument", "install", which, str(path), code=2)
    assert not (here / "s.db").exists()


@pytest.mark.parametrize("which", ["self_assessment", "moral_self_assessment", "intentions", "open_ended", "judge"])
def test_our_own_files_install(which: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ROOT / "prompts" / ("judges" if which == "judge" else which)
    path = next(path for name in ("items.csv", "items.toml", "harm.toml") if (path := folder / name).exists())
    assert "installed" in said(capsys, "instrument", "install", which, str(path))


def test_models_without_an_endpoint(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no endpoint is configured" in said(capsys, "variant", "models", code=2)
    refused = said(capsys, "variant", "models", "--base-url", "http://127.0.0.1:9/v1", code=3)
    assert "nobody answers" in refused
    assert "plain http" in said(capsys, "variant", "models", "--base-url", "http://192.0.2.1/v1", code=2)


def test_the_wheel_brings_its_prompts(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".git", ".venv", "*_cache", "__pycache__", "tests"))
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(tree)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    if done.returncode and "hatchling" in done.stdout + done.stderr:
        isolated = [word for word in build if word != "--no-isolation"]
        done = subprocess.run(isolated, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip("neither hatchling nor an index to get it from")
    assert done.returncode == 0, done.stderr
    site = tmp_path / "site"
    shutil.unpack_archive(next(tmp_path.glob("*.whl")), site, "zip")
    code = """
import emaudit, sys
from pathlib import Path
from emaudit.__main__ import main
from emaudit.prompts import load_library, prompts_dir
assert Path(emaudit.__file__).is_relative_to(sys.argv[1]), emaudit.__file__
assert prompts_dir().is_relative_to(sys.argv[1])
assert len(load_library().instrument("harmfulness").content["items"]) == 320
sys.exit(main(["--help"]))
"""
    run = [sys.executable, "-c", code, str(site)]
    done = subprocess.run(
        run, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(site), "HOME": str(tmp_path)}, cwd=site
    )
    assert done.returncode == 0, done.stderr
    assert "usage: emaudit" in done.stdout


def test_doctor_checks_the_endpoints_that_variants_bring(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "emaudit.toml").write_text('[endpoints.lab]\nbase_url = "http://127.0.0.1:9/v1"\n', encoding="utf-8")
    own = ("--base-url", "http://127.0.0.1:10/v1")
    for name, *words in (
        ("a", *own),
        ("b", *own),
        ("c", *own, "--api-key-env", "NO_SUCH_KEY"),
        ("d", "--endpoint", "lab"),
        ("e", "--base-url", "http://127.0.0.1:9/v1"),
    ):
        said(capsys, "variant", "add", name, "--model", "m", *words)
    rows = {row["what"]: row for row in json.loads(said(capsys, "doctor", "--json", code=2))}
    assert "nobody answers" in rows["endpoint of a and 1 more"]["found"]
    assert "NO_SUCH_KEY" in rows["endpoint of c"]["found"]
    assert [what for what in rows if what.startswith("endpoint of")] == ["endpoint of a and 1 more", "endpoint of c"]
    assert "advertises" in rows["judge"]["found"]
