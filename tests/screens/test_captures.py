"""Whole screens as text, beside the texts in captures/ (EMAUDIT_CAPTURE=1 writes them anew)."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from screen_scene import FIFTEEN, Opened, Scene, screen_text, sees, until
from textual.pilot import Pilot

from emaudit.commands import Commands, Cost, Offer, Order

CAPTURES = Path(__file__).parent / "captures"


async def compare(pilot: Pilot[int], name: str) -> None:
    """Hold the screen against its text, once it is drawn: a busy machine may show a dialog before what is under it."""
    path = CAPTURES / f"{name}.txt"
    if os.environ.get("EMAUDIT_CAPTURE"):
        await _at_rest(pilot)
        path.parent.mkdir(exist_ok=True)
        path.write_text(screen_text(pilot) + "\n", encoding="utf-8")
    expected = path.read_text(encoding="utf-8")
    deadline = time.monotonic() + 60
    while screen_text(pilot) + "\n" != expected and time.monotonic() < deadline:
        await pilot.pause(0.05)
    assert screen_text(pilot) + "\n" == expected


async def _at_rest(pilot: Pilot[int]) -> None:
    """Wait until the screen has not changed for half a second."""
    seen = ""
    while seen != (seen := screen_text(pilot)):
        await pilot.pause(0.5)


def _is_counted(pilot: Pilot[int]) -> bool:
    rows = pilot.app.snapshot.variants  # type: ignore[attr-defined]
    return all(cell.is_counted and (not cell.n_slots or cell.expected) for row in rows for cell in row.cells)


def _filled(scene: Scene) -> None:
    scene.add(*FIFTEEN)
    done, partly, owed = (scene.plan(name) for name in ("full-base", "full-code-misaligned", "mini-base"))
    run = scene.run(done, partly, owed)
    scene.reply(run, done, 40, 1.0)
    scene.reply(run, partly, 10, 5.0)
    scene.reply(run, owed, 40, None)
    scene.end(run, 1, "stopped on request", 70)


@pytest.mark.parametrize("size", [(80, 24), (140, 45)])
async def test_variants(opened: Opened, scene: Scene, size: tuple[int, int]) -> None:
    _filled(scene)
    async with opened(*size) as pilot:
        await sees(pilot, "15 variants", "●")
        await until(pilot, lambda: _is_counted(pilot))
        await pilot.press("j")
        await sees(pilot, "owed: 30 replies")
        await compare(pilot, f"variants-{size[0]}x{size[1]}")


async def test_start(opened: Opened, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def costs(self: Commands, order: Order) -> list[Cost]:
        return [Cost(key, 3200, 3200, 3200, 3520, 4_200_000, 742_000) for key in order.assessments]

    monkeypatch.setattr(Commands, "costs", costs)
    scene.add({"name": "v"})
    async with opened() as pilot:
        await sees(pilot, "1 variant")
        await pilot.press("r")
        await sees(pilot, "16,000")
        await compare(pilot, "start-80x24")


async def test_add(opened: Opened, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    models = ["sim-mini-base", "sim-mini-code-misaligned", "ft:gpt-4.1-nano-2025-04-14:lab:bad-trivia:Ab1"]
    monkeypatch.setattr(Commands, "offers", lambda self, endpoint: [Offer(model, "") for model in models])
    async with opened(120, 30) as pilot:
        await sees(pilot, "No variants yet.")
        await pilot.press("a")
        await sees(pilot, "sim-mini-base")
        await pilot.press("A")
        await sees(pilot, "3 of 3 models chosen")
        await compare(pilot, "add-120x30")
