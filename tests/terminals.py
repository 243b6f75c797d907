"""A child on a pseudo-terminal of its own, what it wrote, and which kinds of escape sequences that holds."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyte

ROOT = Path(__file__).parent.parent
PATHS = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
ENTERS_ALT_SCREEN = b"\x1b[?1049h"
LEAVES_ALT_SCREEN = b"\x1b[?1049l"
SHOWS_CURSOR = b"\x1b[?25h"
_SIZE = frozenset({"COLUMNS", "LINES"})
"""What readline leaves in the environment of workers, and Textual believes before the terminal itself."""
_MANY_MARKS = re.compile("(?<=[\u0300-\u036f]{4})[\u0300-\u036f]+")


class _Drawn(pyte.Screen):
    """A screen that keeps a few marks of each base: pyte takes seconds for thousands."""

    def draw(self, data: str) -> None:
        super().draw(_MANY_MARKS.sub("", data))


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
        self._drawn = _Drawn(self.columns, self.lines)
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

    def come(self, first: float = 0.4, quiet: float = 0.06, most: float = 2.0) -> None:
        """Read until nothing came for a moment, or for at most some seconds, since figures may change all the time."""
        wait = first
        deadline = time.monotonic() + most
        while time.monotonic() < deadline and select.select([self.master], [], [], wait)[0]:
            try:
                self.written += os.read(self.master, 65536)
            except OSError:
                return
            wait = quiet

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
        cells = self._drawn.buffer
        return "\n".join("".join(cells[y][x].data for x in range(self.columns)) for y in range(self.lines))

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
    here = {name: value for name, value in os.environ.items() if name not in _SIZE}
    environ = {**here, "TERM": "xterm-256color", "PYTHONPATH": PATHS, **env}

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


_SEQUENCE = re.compile(
    r"\x1b\](?P<osc>\d*)(?P<text>[^\x07\x1b\x9c]*)(?:\x07|\x1b\\)?"
    r"|\x1b\[(?P<private>[?<=>]*)(?P<numbers>[\d;:]*)(?P<final>[ -/]*[@-~])"
    r"|\x1b(?P<other>[\s\S]?)"
    r"|\r?\n|(?P<character>[^\x20-\x7e])"
)
_OF_A_TERMINAL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_DRAWN = frozenset("\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""Joiners, and format characters with a shape of their own."""


def sequences(written: bytes) -> set[str]:
    """The kinds of what commands a terminal: sequences, and characters that are not drawn.

    Colours count by their first number, modes by all, other sequences by how many numbers they have. The payload
    of a clipboard write must be base64 to count as one.
    """
    kinds: set[str] = set()
    for found in _SEQUENCE.finditer(written.decode("utf-8", "surrogateescape")):
        if (character := found["character"]) is not None:
            if unicodedata.category(character) in _OF_A_TERMINAL and character not in _DRAWN:
                kinds.add(f"U+{ord(character):04X}")
        elif found["osc"] is not None:
            is_clipboard = found["osc"] == "52" and re.fullmatch(r";c;[A-Za-z0-9+/]*=*", found["text"])
            kinds.add("OSC 52;c;base64" if is_clipboard else f"OSC {found['osc']} {found['text'][:20]!r}")
        elif found["final"] is not None:
            kinds |= set(_control_kinds(found["private"], found["numbers"], found["final"]))
        elif found["other"] is not None:
            kinds.add(f"ESC {found['other']!r}")
    return kinds


def _control_kinds(private: str, numbers: str, final: str) -> Iterator[str]:
    if final == "m" and not private:
        held = re.sub(r"\b([34]8);(?:2;\d+;\d+;\d+|5;\d+)", r"\1", numbers)
        yield from (f"CSI {number}m" for number in held.split(";"))
    elif final in "hl" or private:
        yield f"CSI {private}{numbers}{final}"
    else:
        yield f"CSI {len(numbers.split(';')) if numbers else 0} numbers {final}"
