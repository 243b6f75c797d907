"""The start dialog: what a run would ask, and the order it gives."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from screen_scene import Opened, Scene, screen_lines, screen_text, sees, until
from textual.widgets import Checkbox, Input

from emaudit.commands import Commands, Cost, Order
from emaudit.errors import EmauditError
from emaudit.screens.start import StartDialog

SIZES = {"paper": 3200, "quick": 800, "smoke": 80}


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[Order]:
    started: list[Order] = []

    def costs(self: Commands, order: Order) -> list[Cost]:
        n = SIZES[order.preset] * len(order.variants)
        return [
            Cost(key, n, n, n if key == "harmfulness" else 0, n // 10, n * 50, n * 10, 1.5) for key in order.assessments
        ]

    monkeypatch.setattr(Commands, "costs", costs)
    monkeypatch.setattr(Commands, "start", lambda self, order: started.append(order) or "cafe0001")
    return started


async def test_what_a_run_asks_is_shown_and_started(opened: Opened, scene: Scene, orders: list[Order]) -> None:
    scene.add({"name": "a", "stage": "base"}, {"name": "b", "stage": "base"})
    async with opened() as pilot:
        await sees(pilot, "2 variants")
        await pilot.press("A", "r")
        text = await sees(pilot, "start a run", "32,000")
        assert "2 variants: a, b" in text and "7.50" in text
        assert all(len(line) <= 80 for line in screen_lines(pilot))
        await pilot.press("right", "space")
        await sees(pilot, "1,600", "8,000")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: bool(orders))
        await sees(pilot, "run cafe0001 goes on")
        assert pilot.app.current_mode == "runs"
    five = ("harmfulness", "intentions", "self_assessment", "moral_foundations", "moral_self_assessment")
    assert orders == [Order(("a", "b"), five, "quick")]


async def test_judge_and_cap_and_choice_reach_the_order(opened: Opened, scene: Scene, orders: list[Order]) -> None:
    scene.add({"name": "a"})
    async with opened() as pilot:
        await sees(pilot, "1 variant")
        await pilot.press("r")
        await sees(pilot, "16,000")
        dialog = pilot.app.screen
        assert isinstance(dialog, StartDialog)
        dialog.query_one("#judge", Input).value = "gpt-judge"
        dialog.query_one("#cap", Input).value = "32"
        dialog.query_one("#intentions", Checkbox).value = False
        await sees(pilot, "12,800")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: bool(orders))
    assert orders[0].judge == "gpt-judge" and orders[0].max_concurrency == 32
    assert "intentions" not in orders[0].assessments
    words = orders[0].arguments()
    assert words[:3] == ["a", "--preset", "paper"] and words[-4:] == ["--judge", "gpt-judge", "--max-concurrency", "32"]


async def test_nothing_chosen_cannot_start(opened: Opened, scene: Scene, orders: list[Order]) -> None:
    scene.add({"name": "a"})
    async with opened() as pilot:
        await sees(pilot, "1 variant")
        await pilot.press("r")
        await sees(pilot, "16,000")
        for box in pilot.app.screen.query(Checkbox):
            box.value = False
        await pilot.pause()
        await pilot.press("ctrl+s")
        await sees(pilot, "no assessment is chosen")
    assert not orders


async def test_costs_that_cannot_be_known_say_why(
    opened: Opened, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def costs(self: Commands, order: Order) -> Sequence[Cost]:
        raise EmauditError("no judge: name one [with] --judge")

    monkeypatch.setattr(Commands, "costs", costs)
    scene.add({"name": "a"})
    async with opened() as pilot:
        await sees(pilot, "1 variant")
        await pilot.press("r")
        await sees(pilot, "no judge: name one [with] --judge")


async def test_escape_while_counting_leaves_at_once(
    opened: Opened, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = threading.Event()
    monkeypatch.setattr(Commands, "costs", lambda self, order: free.wait(20) and [])
    scene.add({"name": "a"})
    async with opened() as pilot:
        await sees(pilot, "1 variant")
        await pilot.press("r")
        await sees(pilot, "counting what is owed")
        await pilot.press("escape")
        await until(pilot, lambda: "start a run" not in screen_text(pilot))
        free.set()


async def test_a_failed_start_is_said(
    opened: Opened, scene: Scene, orders: list[Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Commands, order: Order) -> str:
        raise EmauditError("401: set OPENAI_API_KEY")

    monkeypatch.setattr(Commands, "start", refuse)
    scene.add({"name": "a"})
    async with opened() as pilot:
        await sees(pilot, "1 variant")
        await pilot.press("r")
        await sees(pilot, "16,000")
        await pilot.press("ctrl+s")
        await sees(pilot, "401: set OPENAI_API_KEY")
