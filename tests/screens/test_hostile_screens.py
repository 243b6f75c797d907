"""What hostile text, and keys that come early, do to screens that stand on settings or are still being made."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from rich.segment import Segment
from rich.style import Style
from screen_scene import Opened, Scene, screen_text, sees, until
from textual.color import Color
from textual.widgets import Select

from emaudit.config import Endpoint, Settings
from emaudit.screens.base import TABS
from emaudit.text import visible
from emaudit.widgets.shield import KEPT, REFUSED, Shield
from tests.hostile.strings import MARKUP, UTF8


@pytest.mark.parametrize("mode", [mode for _, mode, _ in TABS])
async def test_a_screen_that_does_not_stand_yet_can_be_asked_for_its_keys(
    opened: Opened, scene: Scene, mode: str
) -> None:
    scene.add({"name": "v"})
    async with opened() as pilot:
        await sees(pilot, "1 variant")
        made = pilot.app.MODES[mode]()
        assert made.check_action("copy_text", ()) is None
        assert not [binding for binding in made.own_bindings() if made.check_action(binding.action, ())]
        await pilot.app.push_screen(made)  # which ends what it has begun when the app ends


@pytest.mark.parametrize(("key", "words"), [("a", "no endpoint"), ("r", "judged by")])
async def test_endpoints_named_in_markup_are_offered_as_they_are(
    opened: Opened, scene: Scene, tmp_path: Path, key: str, words: str
) -> None:
    scene.add({"name": "v"})
    names = [MARKUP["a closing tag"], MARKUP["an action"]]
    endpoints = {name: Endpoint(name, f"http://127.0.0.1:1/{name}") for name in names}
    async with opened(140, 45, Settings(tmp_path / "emaudit.toml", endpoints)) as pilot:
        await sees(pilot, "1 variant")
        await pilot.press(key)
        await sees(pilot, words)
        select = pilot.app.screen.query(Select).first()

        def is_offered() -> bool:
            if not select.expanded:  # a dialog that still moves the focus closes it again
                select.action_show_overlay()
            return all(name in screen_text(pilot) for name in names)

        await until(pilot, is_offered)


def test_the_shield_keeps_widths_and_drops_links() -> None:
    linked = Style(link="http://x/\x1b]0;owned\x07", bold=True)
    segments = [Segment("x", linked), Segment("a\u00adb\ud800")]
    drawn = Shield().apply(segments, Color(0, 0, 0))
    assert [segment.text for segment in drawn] == ["x", "a\ufffdb\ufffd"]
    assert drawn[0].style is not None and drawn[0].style.link is None and drawn[0].style.bold


def test_what_the_shield_would_drop_is_shown_before_it() -> None:
    refused = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in REFUSED]
    assert [c for c in refused if visible(c) == c and c not in KEPT] == ["\t", "\n"]
    shown = visible("".join(UTF8.values()))
    assert not [c for c in shown if unicodedata.category(c) in REFUSED and c not in KEPT and c not in "\t\n"]
