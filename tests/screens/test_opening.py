"""What the first frame waits for: nothing that only later screens need, and no stylesheet parsed twice."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from screen_scene import Opened, Scene, sees
from textual.css import stylesheet
from textual.css.parse import parse

from emaudit.themes import LIGHT

_LOADED = """
import sys
import emaudit.cli.command, emaudit.terminal, emaudit.screens.variants
late = {"assessments", "analysing.answers", "reviewing.spotchecks", "store.readings", "screens.palette", "scores"}
assert not (found := {name for name in late if f"emaudit.{name}" in sys.modules}), found
"""


def test_the_way_to_the_first_screen_loads_nothing_of_the_others() -> None:
    done = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


async def test_a_stylesheet_is_parsed_once_for_each_theme(
    opened: Opened, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: Counter[tuple[str, str]] = Counter()

    def counted(scope: str, css: str, read_from: tuple[str, str], **rest: Any) -> Iterator[Any]:  # noqa: ANN401
        parsed[read_from] += 1
        return iter(list(parse(scope, css, read_from, **rest)))

    monkeypatch.setattr(stylesheet, "parse", counted)
    scene.add({"name": "v"})
    async with opened() as pilot:
        await sees(pilot, "1 variant")
        await pilot.press("f3", "f2")
        await sees(pilot, "1 variant")
        assert set(parsed.values()) == {1}, parsed.most_common(3)
        pilot.app.theme = LIGHT.name
        await pilot.press("f3")
        await pilot.pause()
        assert pilot.app.screen.styles.background.hex == LIGHT.background
        assert max(parsed.values()) == 2
