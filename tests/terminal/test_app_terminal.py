"""The app in a real terminal: it starts, leaves on a key or a signal, and the terminal is as it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from terminals import ENTERS_ALT_SCREEN, ROOT, sequences, terminal

from emaudit.store import Store, variants

HOSTILE = "\x1b]52;c;aGk=\x07\x1b[31mred\x9b2J\u202e[/y]"


@pytest.fixture
def arguments(tmp_path: Path) -> tuple[str, ...]:
    """The global options of an app on a small store."""
    store = tmp_path / "s.db"
    config = tmp_path / "emaudit.toml"
    config.write_text('[endpoints.sim]\nbase_url = "http://127.0.0.1:9/v1"\n')
    with Store.open(store, write=True, create=True) as held:
        variants.add_variants(held, [{"name": "mini-base", "model": "m", "endpoint": "sim"}])
    return ("--store", str(store), "--config", str(config))


def test_it_starts_and_ctrl_q_leaves_the_terminal_as_it_was(arguments: tuple[str, ...]) -> None:
    with terminal(*arguments) as held:
        held.wait_for("mini-base")
        held.press(b"\x11")
        assert held.end() == 0
        assert held.is_restored()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_restores_the_terminal(arguments: tuple[str, ...], number: signal.Signals, code: int) -> None:
    with terminal(*arguments) as held:
        held.wait_for("mini-base")
        held.process.send_signal(number)
        assert held.end() == code
        assert held.is_restored()


def test_a_terminal_that_is_gone_ends_it(arguments: tuple[str, ...]) -> None:
    with terminal(*arguments) as held:
        held.wait_for("mini-base")
        os.close(held.slave)
        os.close(held.master)
        assert held.process.wait(60) == 129


def test_a_dumb_terminal_gets_a_sentence(arguments: tuple[str, ...]) -> None:
    with terminal(*arguments, TERM="dumb") as held:
        assert held.end() == 2
        assert b"TERM=dumb cannot draw screens" in held.written and b"\x1b" not in held.written


def test_without_a_terminal_it_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "emaudit", *arguments]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=environ, check=False)
    assert done.returncode == 2 and b"needs a terminal" in done.stderr and not done.stdout


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1"])
def test_no_locale_and_no_color_start(arguments: tuple[str, ...], locale: str) -> None:
    with terminal(*arguments, LC_ALL=locale, LANG=locale, NO_COLOR="1", PYTHONUTF8="0") as held:
        held.wait_for("mini-base")
        held.press(b"\x11")
        assert held.end() == 0


@pytest.mark.parametrize(("columns", "lines"), [(1, 1), (10, 2), (200, 60)])
def test_any_size_starts_and_leaves(arguments: tuple[str, ...], columns: int, lines: int) -> None:
    with terminal(*arguments, columns=columns, lines=lines) as held:
        while ENTERS_ALT_SCREEN not in held.written:
            assert held.process.poll() is None
            held.read(0.1)
        held.settle()
        assert held.process.poll() is None
        held.press(b"\x11")
        assert held.end() == 0


def test_hostile_names_write_no_sequence_that_benign_ones_do_not(tmp_path: Path) -> None:
    seen = []
    for at, text in enumerate(("benign", HOSTILE)):
        store = tmp_path / f"{at}.db"
        with Store.open(store, write=True, create=True) as held:
            fields = dict.fromkeys(("model", "size", "domain", "stage", "endpoint", "dataset"), text)
            variants.add_variants(held, [{"name": "v", **fields}])
        with terminal("--store", str(store), columns=120, lines=40) as screen:
            screen.wait_for("1 variant")
            for keys in (b"\r", b"\x1b", b"e", b"\x1b", b"?", b"\x1b"):
                screen.press(keys)
                screen.settle()
            screen.press(b"\x11")
            assert screen.end() == 0
            seen.append(sequences(bytes(screen.written)))
    assert seen[1] <= seen[0]


def test_a_crash_prints_no_values_and_restores_the_terminal(arguments: tuple[str, ...], tmp_path: Path) -> None:
    broken = (
        "import sys; from emaudit.app import EmauditApp\n"
        "def show(self, mode):\n    secret = 'sk-canary-0123456789'; raise ValueError('broken on purpose')\n"
        "EmauditApp.action_show = show\n"
        "from emaudit.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    script = tmp_path / "broken.py"
    script.write_text(broken)
    environ = {"XDG_STATE_HOME": str(tmp_path / "state"), "HOME": str(tmp_path)}
    with terminal(*arguments, program=(str(script),), **environ) as held:
        held.wait_for("mini-base")
        held.press(b"\x1bOR")
        assert held.end() == 70
        assert b"broken on purpose" in held.written and b"sk-canary" not in held.written
        assert held.is_restored()
    kept = list(tmp_path.rglob("crash-*.txt"))
    assert kept and "sk-canary" not in kept[0].read_text().replace("secret = 'sk-canary-0123456789'", "")
