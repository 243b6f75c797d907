"""A walk through every screen and dialog of the app in a terminal of its own, on a store that somebody filled."""

from __future__ import annotations

import contextlib
import json
import resource
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from terminals import ENTERS_ALT_SCREEN, Terminal, sequences, terminal

from emaudit.store import Store, runs

ESC: Final = "\x1b[27u"
"""As the keyboard protocol that Textual asks for writes it: a bare one before another key reads as alt."""
ENTER: Final = "\r"
TAB: Final = "\t"
BACKTAB: Final = "\x1b[Z"
DOWN: Final = "\x1b[B"
SAVE: Final = "\x13"
PALETTE: Final = "\x10"
QUIT: Final = "\x11"
F2, F3, F4, F5, F6, F7 = "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[15~", "\x1b[17~", "\x1b[18~"
AGAIN_S: Final = 20.0
"""A key whose words do not come for this long is pressed once more: one may get lost while a dialog opens."""
LIMIT_S: Final = 45.0
NARROWEST: Final = 80
"""Columns from which every step's words have room."""


@dataclass(frozen=True)
class Step:
    """A key, the words that stand or no longer stand once it acted (one | another), then keys that nothing awaits."""

    name: str
    key: str
    shows: str = ""
    hides: str = ""
    then: Sequence[str] = ()


VARIANTS: Final = (
    Step("F2 marked", " ", "1 marked", then=("G", "g", "j", " ")),
    Step("F2 filter", "/", "name, model, size"),
    Step("F2 filter typed", "a", hides="name, model, size", then=("e",)),
    Step("F2 filtered", ENTER, "of 17 variants"),
    Step("F2 not filtered", ESC, hides="of 17 variants"),
    Step("F2 edit", "e", "ctrl+s save", then=(DOWN, TAB, "x")),
    Step("F2 edit left", ESC, hides="ctrl+s save"),
    Step("F2 help", "?", "Add variants from the models", then=("j", "j")),
    Step("F2 help left", ESC, hides="Add variants from the models"),
    Step("F2 add", "a", "models chosen", then=("j", " ", "j", " ", "e", TAB, ENTER)),
    Step("F2 add: endpoints", BACKTAB, then=(BACKTAB, BACKTAB, ENTER)),
    Step("F2 add: the second", DOWN),
    Step("F2 add: an endpoint that refuses", ENTER, "HTTP 400"),
    Step("F2 add left", ESC, hides="part of a model"),
    Step("F2 start", "r", "ctrl+s start", then=(TAB, TAB, DOWN, TAB, TAB)),
    Step("F2 start left", ESC, hides="ctrl+s start"),
    Step("F2 palette", PALETTE, "Variants: ", then=("t", "h", "e")),
    Step("F2 palette searched", "m", "Theme: ", then=(DOWN,)),
    Step("F2 palette left", ESC, hides="Theme: "),
    Step("F2 hidden", "h", then=("u",)),
)
RUNS: Final = (
    Step("F3 runs", F3, "last replies", then=("j", "j", "j", "g")),
    Step("F3 one run only", "f", "last replies of", then=("G", "k", "g")),
    Step("F3 all runs", "f", hides="last replies of"),
    Step("F3 all of a run", ENTER, "esc back"),
    Step("F3 a run left", ESC, hides="esc back"),
    Step("F3 nothing owed", "r", "owes nothing", then=("j", "j")),
    Step("F3 why not", "r", "goes on already"),
)
INSPECT: Final = (
    Step("F4 inspect", F4, " replies", then=("j", "j", "G", "g", ".", ".", ",", "]", "[")),
    Step("F4 a pane", ENTER, then=(" ", "G", "g", TAB, " ")),
    Step("F4 the list", ESC),
    Step("F4 another variant", "c", r"beside it: |tab: another variant"),
    Step("F4 choosing it", "v", "enter choose", then=("j", "j")),
    Step("F4 chosen", ENTER, hides="enter choose", then=("l",)),
    Step("F4 a second judge", "c", "second judge"),
    Step("F4 self-reports", "c", hides="second judge"),
    Step("F4 all of a text", "m", then=(ESC,)),
    Step("F4 search", "/", then=("o", "w", "n", "e", "d")),
    Step("F4 found", ENTER, then=("j",)),
    Step("F4 filters", "f", "ctrl+s list", then=(TAB, DOWN, TAB, TAB)),
    Step("F4 filters left", ESC, hides="ctrl+s list"),
    Step("F4 copied", "y", "clipboard", then=("*",)),
)
SPOT_CHECK: Final = (
    Step("F5 queues", F5, "2 queues", then=("j", "J", "J", "K", "k")),
    Step("F5 disagreements", "d", "disagreements in", then=("j", "j", " ", "h", "u")),
    Step("F5 disagreements left", ESC, hides="disagreements in"),
    Step("F5 settling", "m", "enter: begin"),
    Step("F5 settling, an item", ENTER, hides="enter: begin", then=("1",)),
    Step("F5 settling left", ESC, "2 queues"),
    Step("F5 the queue that is open", "G", "0 of 18 labels"),
    Step("F5 scoring", ENTER, "item 1 of", then=(" ", "f", "n", "x", ENTER)),
    Step("F5 scored", "1", "any key goes on"),
    Step("F5 the next", "s", hides="any key goes on", then=("2",)),
    Step("F5 scoring left", ESC, "2 queues"),
    Step("F5 drawing", "a", "new spot-check", then=(TAB, TAB, DOWN, TAB)),
    Step("F5 drawing left", ESC, hides="new spot-check"),
    Step("F5 exported", "x", "written"),
)
ANALYSES: Final = (
    Step("F6 correlations", F6, "▲ misal."),
    Step("F6 card", ENTER, "esc back", then=("j", " ")),
    Step("F6 card left", ESC, hides="esc back", then=("t", "b", "w", "c", "f", TAB, "n")),
    Step("F6 copied", "y", "clipboard|a measure beside itself"),
    Step("F7 trajectories", F7, "part total", "computing", then=("j", "J", "t", "b", "f", "c", TAB, "y")),
)
LEAVING: Final = (
    Step("F2 again", F2, "17 variants"),
    Step("leaving while a run goes on", QUIT, "going on"),
)
STEPS: Final = (*VARIANTS, *RUNS, *INSPECT, *SPOT_CHECK, *ANALYSES, *LEAVING)


@dataclass
class Seen:
    """What a walk wrote, and the lines of the screen after each step."""

    kinds: set[str] = field(default_factory=set)
    pages: dict[str, list[str]] = field(default_factory=dict)
    written: bytes = b""
    cpu_s: float = 0.0
    n_again: int = 0


def walk(
    store: Path,
    config: Path,
    columns: int = 80,
    lines: int = 24,
    steps: Sequence[Step] = STEPS,
    **env: str,
) -> Seen:
    """Walk through the app on a store, while its first run is held as a live one is.

    The app must go on to the end, end with 0 and leave the terminal as it was.
    """
    seen = Seen()
    before = cpu_s()
    env = {"XDG_STATE_HOME": str(store.parent / "state"), **env}
    arguments = ("--store", str(store), "--config", str(config))
    with contextlib.ExitStack() as stack:
        held = stack.enter_context(Store.open(store, write=True))
        stack.enter_context(runs.lease(held, "run00000", []))
        with terminal(*arguments, columns=columns, lines=lines, **env) as screen:
            _start(screen, has_room=columns >= NARROWEST)
            for step in steps:
                take(screen, step, seen)
            screen.press(b"k")
            code = screen.end()
            assert code == 0, f"left with {code}: {tail(screen)}"
            assert screen.is_restored()
            seen.written = bytes(screen.written)
    seen.kinds = sequences(seen.written)
    seen.cpu_s = cpu_s() - before
    return seen


def take(screen: Terminal, step: Step, seen: Seen) -> None:
    """Press the key of a step until its words stand, then its other keys."""
    _press(screen, step.key, step.name)
    if not _stands(screen, step, AGAIN_S):
        seen.n_again += 1
        _press(screen, step.key, step.name)
        assert _stands(screen, step, LIMIT_S), f"{step} does not come; the screen:\n{screen.screen()}"
    for key in step.then:
        _press(screen, key, step.name)
    screen.come(0.1)
    seen.pages[step.name] = screen.screen().split("\n")


def _start(screen: Terminal, has_room: bool) -> None:
    """Wait for the first frame, with the store in it where there is room for words."""
    while ENTERS_ALT_SCREEN not in screen.written:
        assert screen.process.poll() is None, tail(screen)
        screen.read(0.1)
    if has_room:
        assert _stands(screen, Step("start", "", " variants · judge"), LIMIT_S), screen.screen()
    else:
        screen.settle(10)


def _press(screen: Terminal, key: str, where: str) -> None:
    assert screen.process.poll() is None, f"it ended at {where!r}: {tail(screen)}"
    screen.press(key.encode())
    screen.come()


def _stands(screen: Terminal, step: Step, seconds: float) -> bool:
    """Whether a step's words come, and those that go are gone, within some seconds."""
    deadline = time.monotonic() + seconds
    while True:
        page = screen.screen()
        if _has(page, step.shows) and not (step.hides and _has(page, step.hides)):
            return True
        if time.monotonic() > deadline:
            return False
        assert screen.process.poll() is None, f"it ended at {step.name!r}: {tail(screen)}"
        screen.come(0.2)


def _has(page: str, words: str) -> bool:
    return any(one in page for one in words.split("|"))


def tail(screen: Terminal) -> str:
    """The last that was written."""
    screen.read(0.5)
    return bytes(screen.written)[-3000:].decode("utf-8", "backslashreplace")


def cpu_s() -> float:
    """Seconds of processor time of this process and of its children that ended."""
    own, ended = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime


class _Models(BaseHTTPRequestHandler):
    """Lists models with hostile names; or refuses with a hostile body."""

    names: Sequence[str] = ()

    def do_GET(self) -> None:
        """Any address: /bad refuses."""
        is_bad = self.path.startswith("/bad")
        words = "\n".join(self.names)
        body = {"error": {"message": words, "code": words}} if is_bad else {"data": [{"id": n} for n in self.names]}
        sent = json.dumps(body).encode()
        self.send_response(400 if is_bad else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def models(names: Sequence[str]) -> Iterator[str]:
    """An endpoint that lists models of these names; its address without a path."""
    handler = type("Models", (_Models,), {"names": tuple(names)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def write_settings(path: Path, address: str, names: Sequence[str]) -> None:
    """Settings with two endpoints that answer, and one for each name, where nobody listens."""
    held = {"good": {"base_url": f"{address}/v1"}, "bad": {"base_url": f"{address}/bad/v1"}}
    for at, name in enumerate(names):
        held[f"{name}{at}"] = {"base_url": f"http://127.0.0.1:9/{name}", "system": name}
    lines = ["[reviewer]", 'name = "ann"', "[judge]", f"model = {_quoted(names[0])}", 'endpoint = "good"']
    for name, fields in held.items():
        lines.append(f"[endpoints.{_quoted(name)}]")
        lines += [f"{key} = {_quoted(value)}" for key, value in fields.items()]
    path.write_text("\n".join(lines), encoding="utf-8")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def copied(store: Path, folder: Path) -> Path:
    """A store of one's own."""
    folder.mkdir(parents=True)
    return Path(shutil.copy(store, folder / "s.db"))
