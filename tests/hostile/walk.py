"""A walk through every screen and dialog of the app in a terminal of its own, on a store that somebody filled."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from terminals import ENTERS_ALT_SCREEN, ROOT, Terminal, sequences, terminal

from emaudit.store import Store, runs

ESC: Final = "\x1b[27u"
"""As the keyboard protocol that Textual asks for writes it: a bare one before another key reads as alt."""
ENTER: Final = "\r"
TAB: Final = "\t"
BACKTAB: Final = "\x1b[Z"
DOWN: Final = "\x1b[B"
UP: Final = "\x1b[A"
SAVE: Final = "\x13"
PALETTE: Final = "\x10"
QUIT: Final = "\x11"
F2, F3, F4, F5, F6, F7 = "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[15~", "\x1b[17~", "\x1b[18~"

Step = tuple[str, str, Sequence[str]]
BACK: Final[Step] = ("back", "F7 Trajectories", (ESC,))
STEPS: Final[tuple[Step, ...]] = (
    ("F2 variants", "2 marked", ("G", "g", "j", " ", "j", " ")),
    ("F2 filter", "name, model, size", ("/",)),
    ("F2 filtered", "of 17 variants", ("a", "e", ENTER)),
    ("F2 not filtered", "", (ESC, ESC)),
    ("F2 edit", "ctrl+s save", ("G", "e")),
    ("F2 edited", "", (DOWN, DOWN, "x")),
    BACK,
    ("F2 help", "Everywhere", ("g", "?", "j", "j", "G")),
    BACK,
    ("F2 add: models of an endpoint", "models chosen", ("a",)),
    ("F2 add: choosing and naming", "", ("j", " ", "j", " ", "e", TAB, ENTER)),
    ("F2 add: another endpoint, and its error", "", (BACKTAB, BACKTAB, BACKTAB, ENTER, DOWN, ENTER)),
    ("F2 add: a third, where nobody listens", "", (ENTER, DOWN, DOWN, ENTER)),
    BACK,
    ("F2 start", "ctrl+s start", ("r",)),
    ("F2 start: its fields", "", (TAB, TAB, DOWN, TAB, TAB, TAB, TAB)),
    BACK,
    ("F2 palette", "Variants: ", (PALETTE,)),
    ("F2 palette, searched", "Theme: ", ("t", "h", "e", "m", DOWN)),
    BACK,
    ("F3 runs", "last replies of", (F3, "j", "j", "j", "g", "f", "G", "f", "k", "f")),
    ("F3 all of a run", "esc back", ("g", ENTER)),
    BACK,
    ("F3 resuming a run that cannot", "", ("r", "G", "r")),
    ("F4 inspect", "searches, f filters", (F4,)),
    ("F4 moving", "response", ("j", "j", "G", "g", ".", ".", ",", "]", "[")),
    ("F4 a pane", "", (ENTER, " ", "G", "g")),
    ("F4 another pane", "", (TAB, " ", ESC)),
    ("F4 another variant beside", "another variant", ("c",)),
    ("F4 choosing another variant", "enter choose", ("v", "j", "j")),
    ("F4 chosen", "F7 Trajectories", (ENTER,)),
    ("F4 differing", "", ("l", "d", "d")),
    ("F4 a second judge beside", "", ("c", "c")),
    ("F4 search", "", ("/", "o", "w", "n", "e", "d", ENTER, "j")),
    ("F4 filters", "ctrl+s list", ("f",)),
    ("F4 filters, chosen", "", (TAB, DOWN, TAB, TAB, TAB)),
    BACK,
    ("F4 star, copy, new", "clipboard", ("j", "*", "n", "*", "y")),
    ("F5 spot-check", "2 queues", (F5,)),
    ("F5 queues", "", ("j", "J", "J", "K", "g")),
    ("F5 disagreements", "disagreements in", ("d",)),
    ("F5 in the gallery", "", ("j", "j", " ", "h", "u")),
    BACK,
    ("F5 settling", "", ("m",)),
    ("F5 settled", "", (ENTER, "1")),
    ("F5 settled, left", "2 queues", (ESC,)),
    ("F5 score as another", "", ("G", "o", "c", "d")),
    BACK,
    ("F5 the door", "enter: begin", (ENTER,)),
    ("F5 scoring blind", "item", (ENTER,)),
    ("F5 scored", "verdict?", (" ", "f", "n", "x", ENTER, "1", "s", "v")),
    ("F5 seen", "", ("y", "2", "b", "b", "3")),
    ("F5 left", "2 queues", (ESC,)),
    ("F5 drawing", "new spot-check", ("a",)),
    ("F5 drawing: its fields", "", (TAB, TAB, DOWN, TAB, TAB)),
    BACK,
    ("F5 export", "written", ("x",)),
    ("F6 correlations", "0.", (F6,)),
    ("F6 pairs and cards", "", ("j", "j", ENTER, "J", "K", "t", "b", "i", "w", "w", "c", "f", TAB)),
    ("F6 copy and export", "written", ("y", "n", "x")),
    ("F7 trajectories", "0.", (F7,)),
    ("F7 parts and words", "", ("j", ENTER, "J", "t", "b", "f", "c", TAB, "y")),
    ("F2 again", "judge", (F2, "h", "u", "p")),
    ("leaving while a run goes on", "going on", (QUIT,)),
)
"""A name, the words that it waits for at its end, and the keys: what opens and what closes stands at an end."""


_STYLES: Final = re.compile(rb"\x1b\[[\d;]*m")


@dataclass
class Seen:
    """What a walk wrote, and what stood on the screen after each step."""

    kinds: set[str] = field(default_factory=set)
    pages: dict[str, str] = field(default_factory=dict)
    written: bytes = b""


def walk(
    store: Path,
    config: Path,
    columns: int = 80,
    lines: int = 24,
    steps: Sequence[Step] = STEPS,
    with_pages: bool = False,
    **env: str,
) -> Seen:
    """Walk through the app on a store, while its first run is held as a live one is; it must go on to the end."""
    seen = Seen()
    env = {"XDG_STATE_HOME": str(store.parent / "state"), **env}
    arguments = ("--store", str(store), "--config", str(config))
    with contextlib.ExitStack() as stack:
        held = stack.enter_context(Store.open(store, write=True))
        stack.enter_context(runs.lease(held, "run00000", []))
        with terminal(*arguments, columns=columns, lines=lines, **env) as screen:
            wait_for_start(screen)
            for name, words, keys in steps:
                since = len(screen.written)
                for key in keys:
                    press(screen, key, name)
                screen.come(0.2, 0.1)
                if with_pages:
                    seen.pages[name] = screen.screen()
                    print("=====", name, seen.pages[name], sep="\n", flush=True)
                wait_for(screen, words, since, name)
            screen.press(b"k")
            code = leave(screen)
            assert code == 0, f"left with {code}: {tail(screen)}"
            seen.written = bytes(screen.written)
    seen.kinds = sequences(seen.written)
    return seen


def wait_for_start(screen: Terminal) -> None:
    """Wait for the first frame with the store in it."""
    while ENTERS_ALT_SCREEN not in screen.written:
        assert screen.process.poll() is None, tail(screen)
        screen.read(0.1)
    wait_for(screen, " variants · judge", 0)


def press(screen: Terminal, key: str, where: str) -> None:
    """Press a key and wait until it is drawn."""
    assert screen.process.poll() is None, f"it ended at {where!r}: {tail(screen)}"
    screen.press(key.encode())
    screen.come()


def wait_for(screen: Terminal, words: str, since: int, name: str = "", seconds: float = 20.0) -> None:
    """Wait until words were written since then."""
    deadline = time.monotonic() + seconds
    while words.encode() not in _STYLES.sub(b"", bytes(screen.written[since:])):
        assert screen.process.poll() is None, f"it ended: {tail(screen)}"
        assert time.monotonic() < deadline, f"{name}: waited for {words!r}; the screen:\n{screen.screen()}"
        screen.come(0.2)


def leave(screen: Terminal, seconds: float = 30.0) -> int:
    """Wait until it has ended; gives its exit code."""
    deadline = time.monotonic() + seconds
    while screen.process.poll() is None:
        assert time.monotonic() < deadline, f"it does not end; the screen:\n{screen.screen()}"
        screen.read(0.05)
    screen.read(0.2)
    return screen.process.returncode


def tail(screen: Terminal) -> str:
    """The last that was written."""
    screen.read(0.5)
    return bytes(screen.written)[-3000:].decode("utf-8", "backslashreplace")


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


__all__ = ["ROOT", "STEPS", "Seen", "copied", "models", "walk", "write_settings"]
