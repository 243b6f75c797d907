"""Hostile text in every field of a store, walked through every screen and dialog of the app in a real terminal.

    python benchmarks/faults/hostile_screens.py [--short] [--each]

Each family of strings alone in every field (with --each: every string alone), other sizes and colours, and replies of
megabytes. What a hostile walk writes to the terminal is compared with what a benign one wrote at the same size.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "unit")]

from terminals import ENTERS_ALT_SCREEN, Terminal, terminal  # noqa: E402

from tests.hostile import strings  # noqa: E402
from tests.hostile.poisoned import BENIGN, HOSTILE, filled, poison  # noqa: E402
from tests.hostile.walk import (  # noqa: E402
    ENTER,
    F4,
    F5,
    QUIT,
    STEPS,
    Seen,
    copied,
    models,
    walk,
    write_settings,
)

FAMILIES = {
    "escapes": strings.ESCAPES,
    "control characters": strings.CONTROLS,
    "hidden characters": strings.HIDDEN,
    "markup": strings.MARKUP,
    "wide and combining": strings.WIDE,
    "formats": strings.FORMATS,
}
BLIND = [replace(step, shows="", hides="") for step in STEPS]
"""The same keys, where there is no room for any word."""
SIZES: dict[str, tuple[int, int, dict[str, str]]] = {
    "140x45": (140, 45, {}),
    "80x24": (80, 24, {}),
    "140x45, NO_COLOR": (140, 45, {"NO_COLOR": "1"}),
    "1x1": (1, 1, {}),
}
KEY_LIMIT_S = 120.0


def walked(base: Path, texts: Sequence[str], size: str, folder: Path) -> Seen:
    columns, lines, env = SIZES[size]
    with tempfile.TemporaryDirectory(dir=folder) as held:
        store = copied(base, Path(held) / "w")
        poison(store, texts, "\n".join(texts))
        config = store.with_name("emaudit.toml")
        with models(texts) as address:
            write_settings(config, address, texts[:12])
            return walk(store, config, columns, lines, STEPS if columns >= 80 else BLIND, **env)


def compared(base: Path, folder: Path, cases: Iterator[tuple[str, Sequence[str], str]]) -> int:
    """Walk every case; how many wrote more than the benign walk of their size, or did not come to the end."""
    benign: dict[str, Seen] = {}
    n_bad = 0
    print("| strings | how many | terminal | screens and dialogs | CPU, s | beyond the benign walk |")
    print("|---|---|---|---|---|---|")
    for name, texts, size in cases:
        try:
            if size not in benign:
                benign[size] = walked(base, BENIGN, size, folder)
            seen = walked(base, texts, size, folder)
            beyond = ", ".join(sorted(seen.kinds - benign[size].kinds)) or "nothing"
            n_steps, cpu_s = len(seen.pages), f"{seen.cpu_s:.0f}"
        except AssertionError as error:
            beyond, n_steps, cpu_s = f"DID NOT END: {str(error)[:200]!r}", 0, ""
        n_bad += beyond != "nothing"
        print(f"| {name} | {len(texts)} | {size} | {n_steps} | {cpu_s} | {beyond} |", flush=True)
    return n_bad


def cases(is_short: bool, is_each: bool) -> Iterator[tuple[str, Sequence[str], str]]:
    yield from (("all together", HOSTILE, size) for size in SIZES)
    if is_each:
        yield from ((name, (text,), "140x45") for name, text in strings.UTF8.items() if text.strip())
    elif not is_short:
        for name, family in FAMILIES.items():
            yield name, tuple(text for text in family.values() if text.strip()), "140x45"


def with_huge(base: Path, text: str, folder: Path) -> Path:
    """A store whose first reply, and whose open queue's first item, are this text."""
    store = copied(base, folder / "w")
    with closing(sqlite3.connect(store)) as db, db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        first = "SELECT reply_id FROM queue_items JOIN queues USING (queue_id) WHERE name = 'open' AND position = 1"
        db.execute(f"UPDATE replies SET text = ? WHERE reply_id = 1 OR reply_id IN ({first})", (text,))
        db.execute("INSERT INTO reply_text (reply_text) VALUES ('rebuild')")
    return store


def answered_s(screen: Terminal, keys: str, words: str) -> float:
    """Seconds from a key to words on the screen."""
    started = time.monotonic()
    screen.press(keys.encode())
    screen.wait_for(words, KEY_LIMIT_S)
    return time.monotonic() - started


def huge(base: Path, folder: Path, is_short: bool) -> None:
    """Print how long keys take in Inspect and Spot-check while a reply of megabytes stands there."""
    print("\n| reply | characters | Inspect: open, s | end and help, s | Spot-check: open, s | page and help, s |")
    print("|---|---|---|---|---|---|")
    texts = {**strings.huge(), "5,000 marks on one base": "a" + "\u0301" * 5_000}
    short = {"10 MB of words", "200,000 newlines", "5,000 marks on one base"}
    for name, text in texts.items():
        if is_short and name not in short:
            continue
        with tempfile.TemporaryDirectory(dir=folder) as held:
            store = with_huge(base, text, Path(held))
            config = store.with_name("emaudit.toml")
            config.write_text('[reviewer]\nname = "ann"\n')
            arguments = ("--store", str(store), "--config", str(config))
            with terminal(*arguments, columns=140, lines=45) as screen:
                while ENTERS_ALT_SCREEN not in screen.written:
                    screen.read(0.1)
                screen.wait_for(" variants · judge")
                times = [
                    answered_s(screen, F4, f"{len(text):,} characters"),
                    answered_s(screen, f"{ENTER}G?", "Everywhere"),
                ]
                screen.press(b"q")
                answered_s(screen, F5, "2 queues")
                answered_s(screen, f"j{ENTER}", "enter: begin")
                times += [answered_s(screen, ENTER, "Nothing harmful"), answered_s(screen, " ?", "All keys")]
                screen.press(f"q{QUIT}".encode())
                code = screen.end()
            print(f"| {name} | {len(text):,} | {' | '.join(f'{took:.1f}' for took in times)} | ends {code}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="all strings together at each size, three huge replies")
    parser.add_argument("--each", action="store_true", help="every string alone, instead of every family")
    parser.add_argument("--huge", action="store_true", help="the huge replies only")
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="hostile-screens-"))
    try:
        base = folder / "base.db"
        filled(base)
        n_bad = 0 if chosen.huge else compared(base, folder, cases(chosen.short, chosen.each))
        huge(base, folder, chosen.short)
    finally:
        shutil.rmtree(folder)
    return 1 if n_bad else 0


if __name__ == "__main__":
    sys.exit(main())
