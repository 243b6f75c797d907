"""The app in a real terminal: it starts, leaves on a key or a signal, and the terminal is as it was."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyte
import pytest

from emaudit.store import Store, variants

ROOT = Path(__file__).parent.parent.parent
HOSTILE = "\x1b]52;c;aGk=\x07\x1b[31mred\x9b2J\u202e[/y]"
ENTERS_ALT_SCREEN = b"\x1b[?1049h"
LEAVES_ALT_SCREEN = b"\x1b[?1049l"
SHOWS_CURSOR = b"\x1b[?25h"


@dataclass
class Terminal:
    """A child on a pty of its own, and everything it wrote."""

    process: subprocess.Popen[bytes]
    master: int
    attributes: list[object]
    written: bytearray = field(default_factory=bytearray)
    columns: int = 80
    lines: int = 24

    def __post_init__(self) -> None:
        self._drawn = pyte.Screen(self.columns, self.lines)
        self._stream = pyte.ByteStream(self._drawn)
        self._n_drawn = 0

    def read(self, seconds: float) -> bool:
        """Read what comes within some seconds; whether anything came."""
        before = len(self.written)
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            ready, _, _ = select.select([self.master], [], [], left)
            if ready:
                try:
                    self.written += os.read(self.master, 65536)
                except OSError:
                    break
        return len(self.written) > before

    def settle(self, seconds: float = 1.0, quiet: float = 0.25) -> None:
        """Wait until the answer to a key is drawn: something came, then nothing more for a while."""
        deadline = time.monotonic() + seconds
        while not self.read(quiet) and time.monotonic() < deadline:
            pass
        while self.read(quiet):
            assert time.monotonic() < deadline + 60, "it never stops drawing"

    def screen(self) -> str:
        self._stream.feed(bytes(self.written[self._n_drawn :]))
        self._n_drawn = len(self.written)
        return "\n".join(self._drawn.display)

    def wait_for(self, words: str, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while words not in self.screen():
            assert time.monotonic() < deadline, f"{words!r} never came; the screen:\n{self.screen()}"
            self.read(0.1)

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def end(self, seconds: float = 60.0) -> int:
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read(0.05)
        code = self.process.wait(1)
        self.read(0.2)
        return code

    def is_restored(self) -> bool:
        """Whether the alternate screen is left, the cursor shown, and the line discipline as before."""
        tail = bytes(self.written)
        left = tail.rfind(LEAVES_ALT_SCREEN) > tail.rfind(ENTERS_ALT_SCREEN) and SHOWS_CURSOR in tail
        return left and termios.tcgetattr(self.slave)[3] == self.attributes[3]

    slave: int = -1


@contextlib.contextmanager
def terminal(
    *arguments: str, columns: int = 80, lines: int = 24, program: tuple[str, ...] = ("-m", "emaudit"), **env: str
) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    attributes = termios.tcgetattr(slave)
    environ = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **env}

    def own_terminal() -> None:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        [sys.executable, *program, *arguments],
        stdin=slave, stdout=slave, stderr=slave, env=environ, preexec_fn=own_terminal, cwd=ROOT,
    )  # fmt: skip
    held = Terminal(process, master, attributes, columns=columns, lines=lines, slave=slave)
    try:
        yield held
    finally:
        process.kill()
        process.wait()
        for descriptor in (master, slave):
            with contextlib.suppress(OSError):
                os.close(descriptor)


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


def _sequences(written: bytes) -> set[bytes]:
    """The kinds of escape sequences written: parameters of colours and moves left out."""
    found = re.findall(
        rb"\x1b\][^\x07\x1b]*|\x1b\[[?<>=]?[\d;:]*[A-Za-z]|\x1b[^\[\]]|[\x00-\x08\x0b-\x1a\x1c-\x1f]", written
    )
    kinds = {re.sub(rb"\d+", b"", item) for item in found}
    return kinds | set(re.findall(rb"\xc2[\x80-\x9f]", written))


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
            seen.append(_sequences(bytes(screen.written)))
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
