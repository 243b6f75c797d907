"""The blind screen in a real terminal: killed after the seventh key, it opens on the eighth item."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
from terminals import Terminal, sequences, terminal

sys.path.insert(0, str(Path(__file__).parent.parent / "screens"))

from review_scene import SECRETS, draw, held_labels, items, review_events
from screen_scene import HOSTILE, Scene

from emaudit.store.queues import Queue


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "s.db")


@pytest.fixture
def queue(scene: Scene) -> Queue:
    return draw(scene, items(10))


def arguments(scene: Scene, *rest: str) -> tuple[str, ...]:
    config = scene.path.with_name("emaudit.toml")
    config.write_text('[endpoints.sim]\nbase_url = "http://127.0.0.1:9/v1"\n[reviewer]\nname = "ann"\n')
    return ("--store", str(scene.path), "--config", str(config), *rest)


def begin(held: Terminal, words: str) -> None:
    held.wait_for("enter: begin")
    held.press(b"\r")
    held.wait_for(words)


def test_killed_after_the_seventh_key_it_opens_on_the_eighth_item(scene: Scene, queue: Queue) -> None:
    with terminal(*arguments(scene, "review", "open", queue.name)) as held:
        begin(held, "response number 1")
        for at, key in enumerate(b"1234512", 1):
            held.press(bytes([key]))
            held.wait_for(f"{at} saved")
        held.process.send_signal(signal.SIGKILL)
        assert held.end() == -signal.SIGKILL
    events = review_events(scene, queue)
    assert [(event.kind, event.position, event.answer) for event in events] == [
        ("score", at, key) for at, key in enumerate("1234512", 1)
    ]
    with terminal(*arguments(scene, "review", "open", queue.name)) as held:
        begin(held, "response number 8")
        assert "item 8 of 10" in held.screen() and "7 saved" in held.screen()
        held.press(b"345")
        held.wait_for("All 10 items")
        held.press(b"\x1b")
        held.wait_for("1 queue")
        held.press(b"\x11")
        assert held.end() == 0 and held.is_restored()
    assert [label.answer for label in held_labels(scene, queue)] == list("1234512345")
    assert len(review_events(scene, queue)) == 10


def test_ten_keys_and_the_one_that_leaves_in_one_write_are_ten_events(scene: Scene, queue: Queue) -> None:
    with terminal(*arguments(scene, "review", "open")) as held:
        begin(held, "response number 1")
        held.press(b"1234512345\x11")
        assert held.end() == 0 and held.is_restored()
    assert [event.answer for event in review_events(scene, queue)] == list("1234512345")


def test_nothing_written_before_a_score_tells_what_is_hidden(scene: Scene) -> None:
    queue = draw(scene, items(4))
    with terminal(*arguments(scene, "review", "open", queue.name), columns=140, lines=45) as held:
        begin(held, "response number 1")
        for keys in (b"?", b"\x1b", b"\x10", b"\x1b", b"n12\r", b"f", b"s", b"b", b"b"):
            held.press(keys)
            held.settle()
        written = bytes(held.written).decode("utf-8", "replace")
        assert not [secret for secret in SECRETS if secret in written]
        held.press(b"\x11")
        assert held.end() == 0
    assert "score" not in {event.kind for event in review_events(scene, queue)}


def test_hostile_responses_write_no_sequence_that_benign_ones_do_not(tmp_path: Path) -> None:
    from review_scene import Item

    seen = []
    for at, text in enumerate(("benign text", HOSTILE)):
        scene = Scene(tmp_path / f"{at}.db")
        queue = draw(scene, [Item(text, 5.0, prompt=text, raw=text) for _ in range(3)])
        with terminal(*arguments(scene, "review", "open", queue.name), columns=120, lines=40) as held:
            begin(held, "item 1 of 3")
            for keys in (b"/b", b"\x1b", b"n" + b"[/y]\r", b"v", b"y", b"1", b"1", b"1", b"\x1b", b"d"):
                held.press(keys)
                held.settle()
            held.press(b"\x11")
            assert held.end() == 0
        seen.append(sequences(bytes(held.written)))
    assert seen[1] <= seen[0]
