"""Where analyses are computed: in a process of its own, so that the one that draws loads no numpy and never stalls.

Pickled questions go down its stdin, pickled answers come up its stdout. Of each topic only the newest question
counts. When its stdin closes, because the app left or died, the process ends at once, computing or not.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final, Protocol

from emaudit.analysing.answers import COMPLETING, Answer, Asked, Found, Question, Topic, Undone
from emaudit.child import ask_to_end, messages, module_command, module_environment, reap, write_message
from emaudit.errors import EmauditError
from emaudit.priority import stand_back

NICENESS: Final = 7

Tell = Callable[[Answer], None]


class Analyst(Protocol):
    """Answers questions until it is stopped."""

    def run(self, tell: Tell) -> None:
        """Answer until stopped; blocks. Raises EmauditError where it cannot go on."""

    def ask(self, question: Question, state: int) -> None:
        """Ask; a newer question on the same topic makes an older one void. May come before `run`."""

    def stop(self) -> None:
        """End `run`."""


class AnalysisProcess:
    """Asks a process of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._waiting: list[tuple[Question, int]] = []
        self._has_ended = threading.Event()

    def run(self, tell: Tell) -> None:
        """Start the process and pass on what it answers. Raises EmauditError where it ends by itself."""
        command = module_command("emaudit.analysing.process", str(self._path.absolute()))
        from tempfile import TemporaryFile

        with TemporaryFile() as last_words:
            try:
                process = subprocess.Popen(
                    command, env=module_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=last_words
                )
            except OSError as error:
                raise EmauditError(f"{sys.executable} cannot be started: {error.strerror}") from error
            self._serve(process, tell)
            if not self._has_ended.is_set():
                last_words.seek(0)
                told = last_words.read().decode("utf-8", "replace").strip().splitlines()[-1:]
                raise EmauditError(f"the process that computes ended: {''.join(told) or 'without a word'}")

    def _serve(self, process: subprocess.Popen[bytes], tell: Tell) -> None:
        """Ask what was asked before it stood, pass on its answers, clear up behind it."""
        assert process.stdout and process.stdin
        with self._lock:
            self._process = process
            for question, state in self._waiting:
                self._send(question, state)
            self._waiting.clear()
        if self._has_ended.is_set():
            self.stop()
        for found in messages(process.stdout):
            if isinstance(found, Answer):
                tell(found)
        with self._lock:
            self._process = None
        with contextlib.suppress(OSError):
            process.stdin.close()
        process.stdout.close()
        reap(process)

    def ask(self, question: Question, state: int) -> None:
        """Ask now, or as soon as the process stands."""
        with self._lock:
            if self._process is None:
                self._waiting.append((question, state))
            else:
                self._send(question, state)

    def _send(self, question: Question, state: int) -> None:
        """Write a question; a process that is gone is told of where its answers are read."""
        assert self._process and self._process.stdin
        try:
            write_message(self._process.stdin, Asked(question, state))
        except (OSError, ValueError):
            return

    def stop(self) -> None:
        """End the process, and `run` with it."""
        self._has_ended.set()
        ask_to_end(self._process)


class Wishes:
    """The newest question of each topic: the one asked last goes first, what only completes a screen goes last."""

    def __init__(self) -> None:
        self._waiting: dict[Topic, tuple[int, Asked]] = {}
        self._changed = threading.Condition()
        self._n_asked = 0

    def put(self, asked: Asked) -> None:
        """Note a question in place of an older one on its topic."""
        with self._changed:
            self._n_asked += 1
            self._waiting[asked.question.topic] = (self._n_asked, asked)
            self._changed.notify()

    def put_back(self, asked: Asked) -> None:
        """Note a question that was begun, to go on with it later, unless a newer one has taken its place."""
        with self._changed:
            self._waiting.setdefault(asked.question.topic, (0, asked))

    def take(self) -> Asked:
        """The next question; waits for one."""
        with self._changed:
            while not self._waiting:
                self._changed.wait()
            topic = min(self._waiting, key=lambda topic: (topic in COMPLETING, -self._waiting[topic][0]))
            return self._waiting.pop(topic)[1]

    def hurry(self) -> bool:
        """Whether somebody waits for something else: what has been begun can be gone on with later."""
        with self._changed:
            return any(number and topic not in COMPLETING for topic, (number, _) in self._waiting.items())


def _own_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Stdin and stdout for nobody but this process: what it starts, or prints, must not hold or garble them."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return incoming, outgoing


def _listen(stream: IO[bytes], wishes: Wishes) -> None:
    for message in messages(stream):
        if isinstance(message, Asked):
            wishes.put(message)
    os._exit(0)


def main(path: str) -> None:
    """Answer the app at the other end of the pipes."""
    stand_back(NICENESS)
    wishes = Wishes()
    incoming, outgoing = _own_pipes()
    threading.Thread(target=_listen, args=(incoming, wishes), daemon=True).start()
    from emaudit.analysing.answering import Answering

    answering = Answering(Path(path), wishes.hurry)
    while True:
        asked = wishes.take()
        found: Found | None
        try:
            found = answering.found(asked.question, asked.state)
        except EmauditError as error:
            found = Undone(str(error))
        if found is None:
            wishes.put_back(asked)
            continue
        try:
            write_message(outgoing, Answer(asked.question, asked.state, found))
        except BrokenPipeError:
            os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
