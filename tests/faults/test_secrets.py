"""Canary keys through a whole cycle, at an endpoint that repeats them wherever it can: found nowhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from echoing import FINAL, Echo, echoing
from lab import Done, Lab

ASKS = 'cAnary-"ask\\/0+&=<42>-one'
JUDGES = "cAnary-judge/8842+two"
OPENAI = "sk-cAnary-openai-three"
UNUSED = "cAnary-unused-token-four"
KEYS = {"LAB_ACCESS": ASKS, "LAB_JUDGE": JUDGES, "OPENAI_API_KEY": OPENAI, "LAB_UNUSED_TOKEN": UNUSED}


def traces() -> list[bytes]:
    """The keys as they may be written; of base64, what hangs on the key alone."""
    found: list[bytes] = []
    for key in KEYS.values():
        raw = key.encode()
        found += [raw, json.dumps(key)[1:-1].encode(), quote(key, safe="").encode(), quote(key).encode()]
        found += [raw[:9] + b"\n" + raw[9:], raw[:9], raw[-9:]]
        found += [base64.b64encode(b"." * n + raw)[4:-4] for n in range(3)]
    return found


class Cycle:
    """Commands whose every word is kept."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.said: list[tuple[str, str]] = []

    def __call__(self, *argv: str, code: int | None = 0) -> Done:
        done = self.lab(*argv, code=code)
        self.said.append((" ".join(argv), done.out + done.err))
        return done

    def leaks(self) -> list[str]:
        """Every file left behind and every word said that holds a key, in whatever form."""
        files = [path for path in self.lab.folder.rglob("*") if path.is_file()]
        texts = [(str(path), path.read_bytes()) for path in files] + [(name, said.encode()) for name, said in self.said]
        return [f"{name}: {trace!r}" for name, text in texts for trace in traces() if trace in text]


@pytest.fixture
def echo() -> Iterator[Echo]:
    with echoing() as made:
        yield made


@pytest.fixture
def cycle(lab: Lab, echo: Echo) -> Cycle:
    (lab.folder / "tmp").mkdir()
    lab.environment |= {**KEYS, "TMPDIR": str(lab.folder / "tmp")}
    lab.config.write_text(
        f'[endpoints.lab]\nbase_url = "{echo.url}"\napi_key_env = "LAB_ACCESS"\nmax_n = 10\n'
        f'[endpoints.judges]\nbase_url = "{echo.elsewhere}"\napi_key_env = "LAB_JUDGE"\n'
        '[judge]\nmodel = "judge"\nendpoint = "judges"\n',
        encoding="utf-8",
    )
    return Cycle(lab)


RUN = ("run", "v", "--assessment", "harmfulness", "--assessment", "intentions", "--preset", "smoke", "--yes")


def test_a_whole_cycle_gives_every_endpoint_its_own_key_and_leaves_none_anywhere(cycle: Cycle, echo: Echo) -> None:
    lab = cycle.lab
    cycle("--config", "other.toml", "init", code=None)
    cycle("doctor", code=None)
    cycle("variant", "add", "v", "--model", "m", "--endpoint", "lab")
    cycle("variant", "models", "--endpoint", "lab", "--json")
    cycle("estimate", "v", "--preset", "smoke", "--json")
    echo.fail_first()
    cycle(*RUN, code=None)
    echo.fail_first()
    echo.is_paused = True
    uid = cycle(*RUN, "--new", "--detach").out.strip()
    lease = json.loads(next(lab.folder.glob(f"*.leases/run-{uid}")).read_text(encoding="utf-8"))
    words = Path(f"/proc/{lease['pid']}/cmdline").read_bytes()
    echo.is_paused = False
    assert uid.encode() in words
    assert not [trace for trace in traces() if trace in words]
    cycle("wait", uid, code=None)
    cycle("rejudge", "v", "--judge", "judge-two", "--judge-endpoint", "judges", "--yes", code=None)
    for words in (
        ("status", "--json"),
        ("variant", "show", "v"),
        ("judge", "list", "--json"),
        ("scores", "--preset", "smoke", "--json"),
        ("export", str(lab.folder / "out"), "--preset", "smoke"),
        ("figures", str(lab.folder / "figures"), "--preset", "smoke"),
        ("backup", str(lab.folder / "copy.db")),
        ("verify",),
        ("verify", str(lab.folder / "out")),
        ("review", "new", "--queue", "q", "--n", "5"),
        ("review", "handoff", str(lab.folder / "handoff.html")),
    ):
        cycle(*words, code=None)
    assert len(lab.replies()) > 60
    assert "removed" in (lab.folder / "out" / "responses.csv").read_text(encoding="utf-8")
    assert cycle.leaks() == []
    asked, judging = echo.url.split("/")[2], echo.elsewhere.split("/")[2]
    keys = {(host, authorization) for host, authorization, _ in echo.heard}
    assert keys == {(asked, f"Bearer {ASKS}"), (judging, f"Bearer {JUDGES}")}


def test_what_ends_a_run_tells_no_key(cycle: Cycle, echo: Echo) -> None:
    cycle("variant", "add", "v", "--model", "m", "--endpoint", "lab")
    for how, answer in FINAL.items():
        echo.always = answer
        assert "key removed" in cycle(*RUN, code=3).err, how
    cycle("status")
    assert cycle.leaks() == []
    assert {host for host, _, _ in echo.heard} == {echo.url.split("/")[2]}


def test_a_key_in_place_of_its_variables_name_is_not_repeated(cycle: Cycle) -> None:
    words = ("variant", "add", "v", "--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--api-key-env")
    for key in (UNUSED, ASKS):
        cycle(*words, key, code=2)
    assert cycle.leaks() == []


FAR = "http://192.0.2.1:9/v1"
WITH_PASSWORD = "http://user:cAnary-unused-token-four@127.0.0.1:9/v1"


def test_plain_http_beyond_this_machine_is_refused_before_anything_is_stored(cycle: Cycle, echo: Echo) -> None:
    lab = cycle.lab
    cycle("variant", "add", "v", "--model", "m", "--endpoint", "lab")
    cycle("run", "v", "--assessment", "open_ended", "--preset", "smoke", "--max-requests", "1", "--yes", code=1)
    with lab.config.open("a", encoding="utf-8") as file:
        file.write(f'[endpoints.far]\nbase_url = "{FAR}"\napi_key_env = "LAB_ACCESS"\n')
    cycle("variant", "add", "far", "--model", "m", "--endpoint", "far")
    before, asked = lab.json("status"), len(echo.heard)
    for words in (
        ("run", "far", "--preset", "smoke", "--yes"),
        ("run", "v", "--judge-endpoint", "far", "--preset", "smoke", "--yes"),
        ("variant", "models", "--endpoint", "far"),
        ("variant", "models", "--base-url", FAR),
        ("rejudge", "v", "--judge", "j", "--judge-endpoint", "far", "--yes"),
    ):
        assert "plain http beyond this machine" in cycle(*words, code=2).err, words
    assert lab.json("status") == before
    assert len(echo.heard) == asked


def test_a_resumed_run_does_not_follow_its_endpoint_beyond_this_machine(cycle: Cycle, echo: Echo) -> None:
    lab = cycle.lab
    cycle("variant", "add", "v", "--model", "m", "--endpoint", "lab")
    cycle(*RUN, "--max-requests", "3", code=1)
    text, asked = lab.config.read_text(encoding="utf-8"), len(echo.heard)
    for url in (echo.url, echo.elsewhere):
        lab.config.write_text(text.replace(url, FAR), encoding="utf-8")
        assert "plain http beyond this machine" in cycle("resume", "--max-requests", "0", code=2).err
    assert len(echo.heard) == asked


def test_an_address_with_a_password_is_refused_and_not_repeated(cycle: Cycle) -> None:
    lab = cycle.lab
    cycle("variant", "add", "v", "--model", "m", "--base-url", WITH_PASSWORD, code=2)
    cycle("variant", "models", "--base-url", WITH_PASSWORD, code=2)
    cycle("variant", "add", "v", "--model", "m", "--endpoint", "lab")
    cycle("variant", "set", "v", f"base_url={WITH_PASSWORD}", code=2)
    listed = lab.folder.parent / f"{lab.folder.name}-listed.csv"
    listed.write_text(f"name,model,base_url\nw,m,{WITH_PASSWORD}\n", encoding="utf-8")
    cycle("variant", "import", str(listed), code=2)
    lab.environment |= {"OPENAI_BASE_URL": WITH_PASSWORD, "EMAUDIT_CONFIG": str(lab.folder / "none.toml")}
    lab.config.unlink()
    for words in (("doctor",), ("variant", "models"), ("run", "v", "--yes"), ("estimate", "v")):
        cycle(*words, code=None)
    assert cycle.leaks() == []


def test_a_crash_with_keys_at_hand_tells_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from emaudit.__main__ import main
    from emaudit.store.connection import Store

    def broken(*_: object, **__: object) -> None:
        at_hand = {"Authorization": f"Bearer {ASKS}", "again": [JUDGES, OPENAI, UNUSED]}
        raise RuntimeError(f"cannot send {at_hand} {json.dumps(at_hand)}")

    for name, key in KEYS.items():
        monkeypatch.setenv(name, key)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    config = tmp_path / "emaudit.toml"
    config.write_text(
        '[endpoints.a]\nbase_url = "http://127.0.0.1:9/v1"\napi_key_env = "LAB_ACCESS"\n'
        '[endpoints.b]\nbase_url = "http://127.0.0.1:9/v1"\napi_key_env = "LAB_JUDGE"\n',
        encoding="utf-8",
    )
    monkeypatch.setattr(Store, "open", broken)
    words = ["--store", str(tmp_path / "s.db"), "--config", str(config), "variant", "add", "v", "--model", "m"]
    assert main([*words, "--endpoint", "a"]) == 70
    said = capsys.readouterr()
    kept = [path.read_bytes() for path in tmp_path.rglob("crash-*")]
    assert len(kept) == 1
    assert b"RuntimeError" in kept[0]
    assert not [trace for trace in traces() for text in (*kept, (said.out + said.err).encode()) if trace in text]
