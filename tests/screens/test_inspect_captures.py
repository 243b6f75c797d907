"""F4 as a whole, as text beside captures/ (EMAUDIT_CAPTURE=1 writes them anew)."""

from __future__ import annotations

import pytest
from inspect_scene import filled
from screen_scene import Opened, Scene, sees
from test_captures import compare
from test_inspect_screen import at_inspect

SIZES = [(80, 24), (140, 45)]


@pytest.mark.parametrize("size", SIZES)
async def test_a_response_beside_self_reports(opened: Opened, scene: Scene, size: tuple[int, int]) -> None:
    filled(scene, with_reports=True)
    async with opened(*size) as pilot:
        await at_inspect(pilot, "64 replies", "read by")
        await pilot.press("tab", "tab")
        await sees(pilot, "self-assessment", "harmless")
        await compare(pilot, f"inspect-reports-{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", SIZES)
async def test_a_response_beside_another_variant(opened: Opened, scene: Scene, size: tuple[int, int]) -> None:
    filled(scene, second_judge=True)
    async with opened(*size) as pilot:
        await at_inspect(pilot, "24 replies", "read by", "base 0 0")
        await pilot.press("c")
        await sees(pilot, "another variant" if size == (80, 24) else "beside it: v-misaligned")
        await compare(pilot, f"inspect-variant-{size[0]}x{size[1]}")


async def test_empty_and_without_a_match(opened: Opened, scene: Scene) -> None:
    async with opened() as pilot:
        await at_inspect(pilot, "No responses yet.")
        await compare(pilot, "inspect-empty-80x24")
    filled(scene)
    async with opened() as pilot:
        await at_inspect(pilot, "24 replies")
        await pilot.press("slash", *"nowhere", "enter")
        await sees(pilot, "No response passes these filters")
        await compare(pilot, "inspect-no-match-80x24")


async def test_the_filters(opened: Opened, scene: Scene) -> None:
    filled(scene, with_reports=True)
    async with opened() as pilot:
        await at_inspect(pilot, "64 replies", "read by")
        await pilot.press("f")
        await sees(pilot, "what is listed")
        await compare(pilot, "inspect-filters-80x24")
