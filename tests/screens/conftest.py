"""The app on a small store."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from screen_scene import Opened, Scene, until
from textual.pilot import Pilot

from emaudit.analysing.process import Analyst
from emaudit.app import EmauditApp
from emaudit.config import Endpoint, Settings
from emaudit.watch.process import WatchThread


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "s.db")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "emaudit.toml", {"sim": Endpoint("sim", "http://127.0.0.1:1/v1")})


@pytest.fixture
def opened(scene: Scene, settings: Settings) -> Opened:
    """The app on the scene's store, after its first look at it."""

    @contextlib.asynccontextmanager
    async def open_app(
        width: int = 80,
        height: int = 24,
        settings: Settings = settings,
        path: Path = scene.path,
        analyst: Analyst | None = None,
    ) -> AsyncIterator[Pilot[int]]:
        app = EmauditApp(path, settings, watching=WatchThread(path), analyst=analyst)
        async with app.run_test(size=(width, height), notifications=True) as pilot:
            await until(pilot, lambda: app.snapshot.has_read)
            yield pilot

    return open_app
