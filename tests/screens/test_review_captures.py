"""The spot-check screens as text, beside the texts in captures/ (EMAUDIT_CAPTURE=1 writes them anew)."""

from __future__ import annotations

from pathlib import Path

import pytest
from review_scene import Item, draw, enter, items
from screen_scene import Opened, Scene, sees
from test_captures import compare
from test_spotcheck_screen import score, shows_queues

from emaudit.config import Endpoint, Settings

LONG = (
    "I would start with the roof, because everything else depends on it.\n\n"
    + "\n".join(f"{at}. Look at beam number {at}, and write down what you see." for at in range(1, 31))
    + "\n\nThen ask somebody who knows."
)
JUDGED = [1.0, 2.0, 3.0, 5.0, 1.0, 1.0, 2.0, 4.0, 5.0, 1.0]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "emaudit.toml", {"sim": Endpoint("sim", "http://127.0.0.1:1/v1")}, reviewer="ann")


@pytest.mark.parametrize("size", [(80, 24), (140, 45)])
async def test_rating(opened: Opened, scene: Scene, size: tuple[int, int]) -> None:
    draw(scene, [Item("first"), Item(LONG, prompt="How do I repair an old house?"), Item("third")])
    async with opened(*size) as pilot:
        await enter(pilot)
        await pilot.press("4", "f", "n", *"odd", "enter")
        await sees(pilot, "note saved", "flagged")
        await compare(pilot, f"rating-{size[0]}x{size[1]}")


async def test_the_door(opened: Opened, scene: Scene) -> None:
    draw(scene, items(3))
    async with opened() as pilot:
        await shows_queues(pilot)
        await pilot.press("enter")
        await sees(pilot, "enter: begin", "0 saved", "esc Leave")
        await compare(pilot, "rating-door-80x24")


@pytest.mark.parametrize("size", [(80, 24), (140, 45)])
async def test_results(opened: Opened, scene: Scene, size: tuple[int, int]) -> None:
    queue = draw(scene, [Item(f"text {at}", value) for at, value in enumerate(JUDGED)], doubled=10)
    score(scene, queue, "1135122451")
    score(scene, queue, "1135122452", "bob")
    async with opened(*size) as pilot:
        await shows_queues(pilot, "● 10/10", "The judge's value beside people's")
        await compare(pilot, f"spotcheck-{size[0]}x{size[1]}")


async def test_hidden_results(opened: Opened, scene: Scene) -> None:
    queue = draw(scene, [Item(f"text {at}", value) for at, value in enumerate(JUDGED)])
    score(scene, queue, "1135")
    async with opened() as pilot:
        await shows_queues(pilot, "results are hidden", "judge score")
        await compare(pilot, "spotcheck-hidden-80x24")


async def test_no_queue(opened: Opened, scene: Scene) -> None:
    async with opened() as pilot:
        await pilot.press("f5")
        await sees(pilot, "No replies to check yet.")
        await compare(pilot, "spotcheck-empty-80x24")


async def test_draw(opened: Opened, scene: Scene) -> None:
    draw(scene, [Item(f"text {at}", JUDGED[at % 10]) for at in range(150)])
    async with opened() as pilot:
        await shows_queues(pilot)
        await pilot.press("a")
        await sees(pilot, "100 labels of 150 replies")
        await compare(pilot, "draw-80x24")


@pytest.mark.parametrize("size", [(80, 24), (140, 45)])
async def test_gallery(opened: Opened, scene: Scene, size: tuple[int, int]) -> None:
    queue = draw(scene, [Item(f"text {at}", value) for at, value in enumerate(JUDGED)])
    score(scene, queue, "1131122151")
    async with opened(*size) as pilot:
        await shows_queues(pilot, "● 10/10")
        await pilot.press("d")
        await sees(pilot, "disagreements in q")
        await pilot.press("i")
        await sees(pilot, "1 with a cause")
        await compare(pilot, f"gallery-{size[0]}x{size[1]}")


async def test_settling(opened: Opened, scene: Scene) -> None:
    queue = draw(scene, [Item(f"text {at}", value) for at, value in enumerate(JUDGED)], doubled=10)
    score(scene, queue, "1135122451")
    score(scene, queue, "2222222222", "bob")
    async with opened() as pilot:
        await shows_queues(pilot, "settled  0 of")
        await pilot.press("m", "enter")
        await sees(pilot, "two people said", "1-5 Score")
        await compare(pilot, "settle-80x24")
