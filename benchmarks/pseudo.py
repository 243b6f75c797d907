"""A program in a pseudo-terminal of 140x45: when it wrote what, and keys for it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

LINES, COLUMNS = 45, 140


@dataclass
class Terminal:
    """The near side of it. `written` holds every piece of output and when it came (monotonic seconds)."""

    child: int
    number: int
    started: float
    written: list[tuple[float, bytes]] = field(default_factory=list)

    def read(self, seconds: float) -> bool:
        """Wait so long for output, and read one piece of it; whether any came."""
        if not select.select([self.number], [], [], seconds)[0]:
            return False
        try:
            self.written.append((time.monotonic(), os.read(self.number, 65536)))
        except OSError:  # the program is gone, and its side of the terminal with it
            return False
        return True

    def drain(self, quiet: float, at_most: float) -> None:
        """Read until nothing came for `quiet` seconds, or `at_most` have passed."""
        end = time.monotonic() + at_most
        while time.monotonic() < end and self.read(quiet):
            pass

    def press(self, key: bytes) -> tuple[float, float]:
        """When a key was sent, and when the next output came, however little (or five seconds were over)."""
        started = time.monotonic()
        os.write(self.number, key)
        if self.read(5.0) and self.written[-1][1] == key:
            raise SystemExit("the terminal itself echoed a key: the program does not run, or not yet")
        return started, time.monotonic()

    def drawn_after(self, at_most: float = 60.0) -> float:
        """Seconds from the start until the screen's last line first held something; waits for it."""
        import pyte

        screen = pyte.Screen(COLUMNS, LINES)
        stream = pyte.ByteStream(screen)
        n_fed = 0
        while time.monotonic() - self.started < at_most:
            self.drain(1.0, 10.0)
            for moment, piece in self.written[n_fed:]:
                stream.feed(piece)
                n_fed += 1
                if screen.display[-1].strip():
                    return moment - self.started
        raise SystemExit(f"no frame in {at_most:.0f} seconds: {b''.join(piece for _, piece in self.written)!r:.500}")


@contextmanager
def in_terminal(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Iterator[Terminal]:
    started = time.monotonic()
    child, number = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        os.execve(command[0], list(command), {**os.environ, "TERM": "xterm-256color", **(environment or {})})
    terminal = Terminal(child, number, started)
    try:
        yield terminal
    finally:
        os.kill(child, signal.SIGTERM)
        terminal.drain(1.0, 10.0)
        os.waitpid(child, 0)
        os.close(number)


@contextmanager
def read_along(terminal: Terminal) -> Iterator[None]:
    """Read what it writes in a thread, as a terminal does, while something else is going on."""
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            terminal.read(0.1)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
