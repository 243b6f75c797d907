"""Hostile words on the command line, in the settings, in files and from an endpoint: said back so that nothing acts."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from outside import LEFT
from strings import ARGUMENTS, SMALL, TOGETHER

from emaudit.__main__ import main
from emaudit.cli.output import table
from emaudit.prompts import prompts_dir

ODD_PATHS = ("\x1b]0;x\x07.db", "x" * 300, "~nobody_here/x", "\udc9b31m", "a/b\n/c", "/dev/null", "/dev/null/x", " ")
ESC = "\x1b]0;owned\x07\x9b31m\u202e<b>|[/x]"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str]:
    """The exit code and what was said; nothing of it acts, and no word ends in an unexpected error."""
    capsys.readouterr()
    code = main(argv)
    printed = capsys.readouterr()
    told = printed.out + printed.err
    assert code != 70, told
    assert not LEFT.findall(told)
    return code, told


@pytest.mark.parametrize("path", ODD_PATHS, ids=range(len(ODD_PATHS)))
def test_a_path_of_any_name_is_used_or_refused_in_one_line(
    home: Path, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    said(capsys, "--store", "s.db", "variant", "add", "v", "--model", "m", "--base-url", "http://127.0.0.1:9/v1")
    for words in (
        ("--store", path, "variant", "list"),
        ("--store", f"{path}/s.db", "variant", "add", "v", "--model", "m", "--base-url", "http://127.0.0.1:9/v1"),
        ("--store", "s.db", "--config", path, "variant", "models"),
        ("--store", "s.db", "--prompts", path, "instrument", "list"),
        ("--store", "s.db", "import", path, "--variant", "v", "--assessment", "harmfulness"),
        ("--store", "s.db", "variant", "import", path),
        ("--store", "s.db", "review", "import", path),
        ("--store", "s.db", "instrument", "install", "judge", path),
    ):
        code, told = said(capsys, *words)
        assert code in (0, 2) and told.count("\n") <= 12, told


@pytest.mark.parametrize("word", [*list(ARGUMENTS.values())[::30], "\udc9b31m", "http://[", ESC])
def test_a_word_of_any_kind_is_kept_or_refused(home: Path, capsys: pytest.CaptureFixture[str], word: str) -> None:
    said(capsys, "--store", "s.db", "variant", "add", "v", "--model", "m", "--base-url", "http://127.0.0.1:9/v1")
    for words in (
        *(["variant", "add", word, "--model", "m", "--base-url", "http://127.0.0.1:9/v1"], ["variant", "show", word]),
        *(["variant", "add", "w", "--model", "m", "--base-url", word], ["variant", "set", "v", f"model={word}"]),
        *(["variant", "set", "v", f"domain={word}"], ["variant", "list"], ["judge", "use", word], ["wait", word]),
        *(["void", word, "--reason", word], ["scores", "--preset", word], ["scores", "--as-of", word], [word]),
        *(["review", "new", "--all", "--name", word, "--as", word, "--yes"], ["run", word, "--yes", "--judge", word]),
    ):
        code, _ = said(capsys, "--store", "s.db", *words)
        assert code in (0, 1, 2, 3)


class _Endpoint(BaseHTTPRequestHandler):
    """Says hostile things in every field of every answer."""

    def log_message(self, *words: object) -> None:
        pass

    def do_GET(self) -> None:
        listed = [{"id": text, "owned_by": text, "shutdown_date": text, "judge": "j"} for text in SMALL.values()]
        self._answer(200, {"data": listed})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if body["model"] == "j":
            self._answer(400, {"error": {"message": TOGETHER, "code": ESC, "type": ESC}})
            return
        message = {"content": TOGETHER, "reasoning_content": ESC, "refusal": ESC, "tool_calls": [{ESC: ESC}]}
        choices = [{"index": at, "message": message, "finish_reason": ESC} for at in range(body.get("n", 1))]
        self._answer(200, {"choices": choices, "model": ESC, "system_fingerprint": ESC})

    def _answer(self, status: int, content: object) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("X-Evil", "a\x9b31m")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def _settings(home: Path, address: str) -> Path:
    path = home / f"a{ESC[:4]}.toml".replace("\x07", "")
    quoted = json.dumps(ESC.replace("\x9b", ""))
    path.write_text(
        f'[endpoints.{quoted}]\nbase_url = "{address}"\nsystem = {quoted}\n'
        f'[judge]\nmodel = "j"\nendpoint = {quoted}\n[prices.{quoted}]\ninput = 1\noutput = 1\n'
        f"[reviewer]\nname = {quoted}\n",
        encoding="utf-8",
    )
    return path


def test_what_an_endpoint_and_the_settings_say_is_only_shown(
    home: Path, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    config = str(_settings(home, address))
    begin = ("--config", config, "--store", "s.db")
    assert said(capsys, *begin, "variant", "add", "v", "--model", ESC)[0] == 0
    assert "owned" in said(capsys, *begin, "variant", "models")[1]
    said(capsys, *begin, "doctor")
    said(capsys, *begin, "review", "new", "--all", "--yes")
    code, told = said(
        capsys, *begin, "run", "v", "--yes", "--preset", "smoke", "--assessment", "harmfulness", "--max-requests", "30"
    )
    assert code in (1, 3) and "run " in told
    for words in (
        ["status"],
        ["status", "--json"],
        ["scores"],
        ["variant", "show", "v"],
        ["judge", "list"],
        ["verify"],
    ):
        said(capsys, *begin, *words)


def test_prompts_of_a_stranger_are_only_shown(home: Path, capsys: pytest.CaptureFixture[str], address: str) -> None:
    folder = home / "prompts"
    shutil.copytree(prompts_dir(), folder)
    items = folder / "harmfulness" / "items.csv"
    items.write_text(f'id,category,text\n"{ESC}",insults,"{ESC}"\n', encoding="utf-8")
    template = folder / "intentions" / "template.toml"
    name = json.dumps("a\x1b[2Jb\u202e")
    template.write_text(f'name = {name}\nlabel = {name}\ntext = "{{scenario}}{{first}}{{second}}"\n', encoding="utf-8")
    begin = ("--config", str(_settings(home, address)), "--prompts", str(folder), "--store", "s.db")
    said(capsys, *begin, "variant", "add", "v", "--model", "m")
    for words in (
        ["instrument", "list"],
        ["estimate", "v"],
        ["doctor"],
        ["instrument", "install", "harmfulness", str(items)],
    ):
        said(capsys, *begin, *words)
    said(capsys, *begin, "run", "v", "--yes", "--preset", "smoke", "--assessment", "intentions", "--max-requests", "9")
    said(capsys, *begin, "variant", "show", "v")


def test_replies_and_variants_from_files_are_only_shown(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {
            "id": f"{at}{text}",
            "prompt": f"p{text}",
            "response": text,
            "score": text or "x",
            "judge": ESC,
            "finish_reason": text,
        }
        for at, text in enumerate(SMALL.values())
        if not text.replace("-", "").isdigit()
    ]
    (home / "r.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (home / "v.csv").write_text(
        f'name,model,base_url,domain\nv,"{ESC}",http://127.0.0.1:9/v1,"{ESC}"\n', encoding="utf-8"
    )
    (home / "bad.toml").write_text('[variants.x]\n"\\u001b[2J" = 1\n', encoding="utf-8")
    assert said(capsys, "--store", "s.db", "variant", "import", "v.csv")[0] == 0
    assert said(capsys, "--store", "s.db", "variant", "import", "bad.toml")[0] == 2
    words = ("import", "r.jsonl", "--variant", "v", "--assessment", "harmfulness")
    assert said(capsys, "--store", "s.db", *words)[0] == 0
    for words in (["variant", "list"], ["scores"], ["judge", "list"], ["status"], ["judge", "flags"]):
        assert said(capsys, "--store", "s.db", *words)[0] == 0


def test_a_long_stage_of_a_strangers_words_is_one_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = said(
        capsys,
        *("--store", "s.db", "variant", "add", "v", "--model", "m", "--stage", TOGETHER.replace("\0", "")[:500]),
        *("--base-url", "http://127.0.0.1:9/v1"),
    )
    assert code in (0, 2) and told.count("\n") <= 3


def test_a_heading_that_is_a_name_is_only_shown(capsys: pytest.CaptureFixture[str]) -> None:
    table(("REPLIES", ESC), [("1", "2")], right=(ESC,))
    assert not LEFT.findall(capsys.readouterr().out)
