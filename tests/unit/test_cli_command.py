"""The command line itself: help, errors, exit codes, what is loaded, hostile text."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emaudit import __version__
from emaudit.__main__ import main
from emaudit.cli import command, crash
from emaudit.cli.context import Context

HEAVY = ("textual", "openai", "pandas", "scipy", "numpy", "aiohttp", "sqlite_utils", "rich")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "EMAUDIT_STORE", "EMAUDIT_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_help_loads_nothing_heavy() -> None:
    code = f"""
import sys
from emaudit.__main__ import main
assert main(["--help"]) == 0
print("LOADED", [name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_listing_loads_nothing_heavy(tmp_path: Path) -> None:
    store = str(tmp_path / "s.db")
    assert main(["--store", store, "variant", "add", "a", "--model", "m", "--base-url", "http://127.0.0.1:1/v1"]) == 0
    code = f"""
import sys
from emaudit.__main__ import main
assert main(["--store", {store!r}, "variant", "list"]) == 0
print("LOADED", [name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"emaudit {__version__}\n"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["nonsense"], "invalid choice"),
        (["variant"], "needs one more word"),
        (["variant", "add"], "NAME"),
        (["run", "--preset"], "--preset"),
        (["run"], "name the variants, or --all"),
        (["run", "a", "--all"], "not both"),
        (["run", "a", "--preset", "huge"], "known: paper, quick, smoke"),
        (["run", "a", "--assessment", "mood"], "known: harmfulness, intentions"),
        (["run", "a", "--max-requests", "0"], "no number above 0"),
        (["run", "a", "--max-cost", "nan"], "no amount"),
        (["run", "a", "--json"], "takes no --json"),
        (["--json", "run", "a"], "takes no --json"),
        (["simulate", "--port", "70000"], "no port"),
        (["--sto", "x", "status"], "emaudit"),
        (["status"], "no store at"),
        (["--config", "missing.toml", "variant", "models"], "no settings at missing.toml"),
        (["--prompts", "missing", "instrument", "list"], "no prompts at missing"),
        (["export", ""], "no folder"),
        (["resume", "--max-cost", "-1"], "no amount"),
        (["export", "out", "--format", "xml"], "known: csv"),
        (["demo", "--preset", "quick"], "--headless"),
        (["variant", "set", "a", "size"], "not FIELD=VALUE"),
        (["instrument", "install", "mfq9", "x"], "known: mfq2"),
        (["import", "x.jsonl", "--variant", "a", "--assessment", "mood"], "known: harmfulness"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(argv: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.err.startswith("emaudit: ")
    assert printed.err.count("\n") == 1
    assert printed.out == ""


def test_no_command_without_a_terminal_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "needs a terminal" in capsys.readouterr().err


@pytest.mark.parametrize("before", [True, False])
def test_global_options_stand_before_and_after(
    before: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = ["--store", str(tmp_path / "s.db")]
    assert main([*store, "variant", "add", "a", "--model", "m", "--base-url", "http://127.0.0.1:1/v1"]) == 0
    capsys.readouterr()
    argv = [*store, "--json", "variant", "list"] if before else ["variant", "list", "--json", *store]
    assert main(argv) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["a"]


def test_an_unexpected_error_shows_no_key_and_no_locals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAB_API_KEY", "canary-5531-secret")

    def burst(_: Context) -> int:
        hidden_local = "local-canary"
        raise RuntimeError(f"with canary-5531-secret\x1b[31m and {len(hidden_local)}")

    monkeypatch.setattr("emaudit.cli.screen.open_app", burst)
    assert main([]) == crash.EXIT_CODE
    said = capsys.readouterr().err
    kept = next((tmp_path / "home").rglob("crash-*.txt"))
    text = kept.read_text(encoding="utf-8")
    for shown in (said, text):
        assert "canary-5531-secret" not in shown
        assert "local-canary" not in shown
        assert "\x1b" not in shown
    assert "RuntimeError" in said
    assert str(kept) in said
    assert "burst" in text
    assert kept.stat().st_mode & 0o777 == 0o600


def test_interrupt_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: Context) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("emaudit.cli.screen.open_app", interrupt)
    assert main([]) == 130


def test_a_reader_that_stops_early_is_no_error(tmp_path: Path) -> None:
    store = str(tmp_path / "s.db")
    environment = {**os.environ, "EMAUDIT_STORE": store}
    main(["--store", store, "variant", "add", "a", "--model", "m", "--base-url", "http://127.0.0.1:1/v1"])
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"'{sys.executable}' -m emaudit instrument list --json | true"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_verb_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    import argparse

    def walk(parser: argparse.ArgumentParser, words: list[str]) -> None:
        assert main([*words, "--help"]) == 0
        assert "usage: " in capsys.readouterr().out
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for name, child in action.choices.items():
                    walk(child, [*words, name])

    walk(command.build(), [])


def test_an_output_that_takes_no_more_is_said(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        words = [sys.executable, "-m", "emaudit", "simulate", "--faults"]
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 3
    assert "the output cannot be written" in done.stderr and "unexpected" not in done.stderr


def test_the_id_that_a_starter_gives_is_not_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", "--help"])
    assert "--run-uid" not in capsys.readouterr().out
