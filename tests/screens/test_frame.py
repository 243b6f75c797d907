"""What holds on every screen: help, palette, themes, any size, no colour, no control character, clean imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from rich.segment import Segment
from screen_scene import FIFTEEN, Opened, Scene, screen_lines, sees, until
from textual.app import App, ComposeResult
from textual.color import Color
from textual.content import Content
from textual.pilot import Pilot
from textual.widgets import Static

from emaudit.app import EmauditApp
from emaudit.config import Settings
from emaudit.screens.add import AddScreen
from emaudit.screens.edit import EditDialog
from emaudit.screens.page import PageDialog
from emaudit.screens.variants import VariantsScreen
from emaudit.themes import THEMES
from emaudit.widgets.shield import Shield
from emaudit.widgets.table import RowTable


async def test_a_click_on_a_key_presses_it(opened: Opened, scene: Scene) -> None:
    scene.add(*FIFTEEN)
    async with opened(100, 30) as pilot:
        await sees(pilot, "15 variants")
        at = screen_lines(pilot)[-1].index("/ Filter")
        await pilot.click("#keybar", offset=(at + 2, 0))
        await until(pilot, lambda: pilot.app.screen.query_one("#filter").has_focus)


async def test_the_help_comes_from_the_bindings(opened: Opened, scene: Scene) -> None:
    scene.add(*FIFTEEN)
    async with opened(100, 60) as pilot:
        await sees(pilot, "15 variants")
        await pilot.press("question_mark")
        text = await sees(pilot, "Variants", "Everywhere", "Rows")
        for binding in [*VariantsScreen.BINDINGS, *EmauditApp.BINDINGS, *RowTable.BINDINGS]:
            assert binding.tooltip in text
        assert "F8" not in text


@pytest.mark.parametrize(
    ("key", "dialog", "words"), [("a", AddScreen, "Add variants"), ("e", EditDialog, "Save what changed")]
)
async def test_the_help_opens_over_a_dialog_and_goes_back_to_it(
    opened: Opened, scene: Scene, key: str, dialog: type, words: str
) -> None:
    scene.add({"name": "v"})
    async with opened(100, 60) as pilot:
        await sees(pilot, "1 variant")
        await pilot.press(key)
        await until(pilot, lambda: isinstance(pilot.app.screen, dialog))
        await pilot.press("f1")
        await sees(pilot, words, "Back, changing nothing", "An assessment's cell")
        n_screens = len(pilot.app.screen_stack)
        await pilot.press("f1", "question_mark")
        await pilot.pause()
        assert len(pilot.app.screen_stack) == n_screens
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, dialog))


async def test_a_question_mark_opens_the_help_over_a_page(opened: Opened, scene: Scene) -> None:
    scene.add({"name": "v"})
    async with opened(100, 60) as pilot:
        await sees(pilot, "1 variant")
        await pilot.press("enter", "question_mark")
        await sees(pilot, "One line down")
        await pilot.press("escape")
        await until(pilot, lambda: "One line down" not in "\n".join(screen_lines(pilot)))
        assert isinstance(pilot.app.screen, PageDialog)


async def test_the_palette_offers_what_can_be_done(opened: Opened, scene: Scene) -> None:
    scene.add(*FIFTEEN)
    async with opened(100, 60) as pilot:
        await sees(pilot, "15 variants")
        await pilot.press("ctrl+p")
        text = await sees(pilot, "Variants: Add", "Theme: light", "Everywhere: Runs")
        assert "Variants: Stop" not in text and "Variants: Undo" not in text
        await pilot.press(*"runs")
        await sees(pilot, "Everywhere: Runs")
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.current_mode == "runs")


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
async def test_every_theme_draws_everything(opened: Opened, scene: Scene, theme: str) -> None:
    scene.add(*FIFTEEN)
    async with opened() as pilot:
        pilot.app.theme = theme
        await sees(pilot, "15 variants")
        await pilot.press("f3", "f2", "question_mark", "escape")
        await sees(pilot, "15 variants")


async def fits(pilot: Pilot[int], width: int, *shown: list[str]) -> None:
    for keys in shown:
        await pilot.press(*keys)
        await pilot.pause(0.05)
        assert all(len(line) <= width for line in screen_lines(pilot))


@pytest.mark.parametrize("size", [(1, 1), (20, 4), (250, 80)])
async def test_any_size(opened: Opened, scene: Scene, size: tuple[int, int]) -> None:
    scene.add(*FIFTEEN)
    plan = scene.plan("mini-base")
    run = scene.run(plan)
    scene.reply(run, plan, 12, 3.0)
    with scene.held(run):
        async with opened(*size) as pilot:
            all_of_it = (["f3"], ["enter"], ["escape", "f2"], ["r"], ["escape", "a"], ["escape", "question_mark"])
            await fits(pilot, size[0], *all_of_it)


async def test_any_size_in_turn(opened: Opened, scene: Scene) -> None:
    scene.add(*FIFTEEN)
    plan = scene.plan("mini-base")
    run = scene.run(plan)
    scene.reply(run, plan, 12, 3.0)
    with scene.held(run):
        async with opened() as pilot:
            for width, height in ((2, 1), (5, 3), (40, 10), (101, 5), (1, 2), (79, 17)):
                await pilot.resize_terminal(width, height)
                await pilot.pause(0.05)
                await fits(pilot, width, ["f3"], ["f2", "a"], ["escape"])
            await pilot.resize_terminal(120, 45)
            await pilot.press("escape", "f2")
            await sees(pilot, "15 variants", "mini-base")


async def test_growing_and_shrinking(opened: Opened, scene: Scene) -> None:
    scene.add(*FIFTEEN)
    async with opened() as pilot:
        for width, height in ((160, 50), (30, 8), (1, 1), (120, 30), (80, 24)):
            await pilot.resize_terminal(width, height)
            await pilot.pause(0.05)
        await sees(pilot, "15 variants", "mini-base")


async def test_no_color_tells_the_same(opened: Opened, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    scene.add({"name": "v"})
    plan = scene.plan("v")
    scene.reply(scene.run(plan), plan, 40, 5.0)
    async with opened(170, 30) as pilot:
        await sees(pilot, "● 40/40 1.00")


async def test_a_store_that_appears_is_found(opened: Opened, scene: Scene) -> None:
    async with opened() as pilot:
        await sees(pilot, "No variants yet.")
        scene.add({"name": "late"})
        await sees(pilot, "late")


async def test_a_read_only_store_has_a_banner_and_greyed_keys(
    opened: Opened, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.add({"name": "v"})
    import os

    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and real(path, mode))
    async with opened() as pilot:
        await sees(pilot, "is read-only: reading works, asking does not")
        for key in ("a", "r", "h"):
            await pilot.press(key)
            await sees(pilot, "this store is read-only: copy it to write to it")


class _Forgetful(App[None]):
    """An app with a widget that shows outside text as it came."""

    def __init__(self, shield: bool) -> None:
        super().__init__()
        self._shields = [Shield()] if shield else []

    def get_line_filters(self) -> list[Shield]:
        return self._shields

    def compose(self) -> ComposeResult:
        held = Static(Content("a\x1b]0;title\x9b31m\u202eb"))
        held.border_title = Content("t\x1b[2J")
        held.styles.border = ("round", "red")
        yield held


@pytest.mark.parametrize("shield", [True, False])
async def test_the_shield_stands_behind_a_forgotten_widget(shield: bool) -> None:
    async with _Forgetful(shield).run_test(size=(60, 5)) as pilot:
        text = "".join(line for line in screen_lines(pilot))
        assert ("\x1b" in text) is not shield
        assert ("\u202e" in text) is not shield


def test_the_shield_drops_control_segments_and_keeps_joiners() -> None:
    segments = [Segment("ok 👩\u200d🔬 é"), Segment("\x1b[2J", None, [(1,)]), Segment("a\x07b\ud800")]  # type: ignore[list-item]
    assert [segment.text for segment in Shield().apply(segments, Color(0, 0, 0))] == ["ok 👩\u200d🔬 é", "ab\ufffd"]


async def test_an_error_ends_the_app_without_its_values(scene: Scene, settings: Settings) -> None:
    class Broken(EmauditApp):
        def action_show(self, mode: str) -> None:
            secret = "sk-canary-0123456789"
            raise ValueError(len(secret))

    app = Broken(scene.path, settings)
    with pytest.raises(ValueError):
        async with app.run_test() as pilot:
            await pilot.press("f3")
            await pilot.pause()
    assert app._exit_renderables == []


_FIRST_FRAME = """
import asyncio, sys
from pathlib import Path
from emaudit.app import EmauditApp
from emaudit.config import Settings
import emaudit.screens.variants, emaudit.screens.runs, emaudit.screens.add, emaudit.screens.start
heavy = {"openai", "pandas", "scipy", "numpy", "sqlite_utils", "aiohttp", "httpx", "httpx2", "py3langid"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
assert "sqlite3" not in sys.modules
async def main():
    app = EmauditApp(Path(sys.argv[1]), Settings(Path("none.toml")))
    async with app.run_test() as pilot:
        while not app.snapshot.variants or not app.snapshot.variants[0].cells[0].value:
            await pilot.pause(0.05)
        assert not heavy & set(sys.modules), heavy & set(sys.modules)
        await pilot.press("f3", "f2", "question_mark", "escape")
        assert not heavy & set(sys.modules), heavy & set(sys.modules)
asyncio.run(main())
"""


def test_the_app_loads_nothing_heavy(scene: Scene, tmp_path: Path) -> None:
    scene.add({"name": "v"})
    plan = scene.plan("v")
    scene.reply(scene.run(plan), plan, 40, 5.0)
    done = subprocess.run([sys.executable, "-c", _FIRST_FRAME, str(scene.path)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_screens_import_no_store() -> None:
    root = Path(__file__).parent.parent.parent / "emaudit"
    for path in [*root.glob("screens/*.py"), *root.glob("widgets/*.py"), root / "themes.py", root / "messages.py"]:
        text = path.read_text()
        assert "emaudit.store" not in text and "import sqlite3" not in text, path
