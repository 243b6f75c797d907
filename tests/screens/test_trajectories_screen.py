"""F7: the lines of every lineage, their rises and what is undone of them; every number as its row has it."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from analysis_scene import EXCEPTION, HELD, LINES, HandMade, fill, line, undone
from screen_scene import HOSTILE, Opened, Scene, screen_text, sees, until
from test_captures import compare
from textual.pilot import Pilot

from emaudit.analysing.answers import Axis, Question, Spot, Topic, Trajectories
from emaudit.screens import trajectory_text as text
from emaudit.themes import THEMES, Tones
from emaudit.widgets.plot_lines import Panel, Series, panels


async def shown(pilot: Pilot[int], *words: str) -> str:
    """F7 with its table."""
    await pilot.press("f7")
    return await sees(pilot, "6 lineages", *words)


async def test_every_number_is_that_of_the_row(opened: Opened, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(scene)
    copied: list[str] = []
    analyst = HandMade()
    async with opened(140, 60, analyst=analyst) as pilot:
        monkeypatch.setattr(pilot.app, "copy_to_clipboard", copied.append)
        found = await shown(pilot, "┬", "[0.000 to 0.266]")
        for expected in (
            "full code     harm   0.066  0.431  0.147  +0.37 [0.28, 0.46]   78% [54, 96]",
            "▸ full code", "nano trivia", "H• harmfulness", "┈ chance",
            "base            0.066 [0.000 to 0.266]  full-base",
            "misaligned      0.431 [0.231 to 0.631]",
            "induced         +0.366 [0.275 to 0.456]",
            "reversed        78% [54% to 96%]",
            "harmfulness: 5 of 6 lineages", "! not in nano code (no fall)",
            "! nano code",
        ):  # fmt: skip
            assert expected in found, expected
        assert "published" not in found
        await pilot.press("J", "J", "J")
        await sees(pilot, "intentions: 6 of 6 lineages", EXCEPTION[:40])
        await sees(pilot, "1 variant in none", "Variants in no lineage", "no stage recorded: odd")
        await pilot.press("K", "K", "K")
        await pilot.press("c")
        await sees(pilot, "published       0.073, 0.415, 0.172", "small: published", "compare direction")
        await pilot.press("y")
        read = list(csv.DictReader(io.StringIO(copied[0])))
        assert read[0]["lineage"] == "full-code-realigned" and float(read[0]["induced"]) == LINES[0].row.induced
        await pilot.press("j")
        await sees(pilot, "full code: intentions", "misaligned      0.531")
        await pilot.press("t")
        await sees(pilot, "part harmless", "full code: intentions harmless")
        await pilot.press("s", "j", "k", "j", "enter")
        await until(pilot, lambda: analyst.asked[-1].scope.preset == "smoke")
        await pilot.press("t", "b", "b")
        assert "full code" not in await sees(pilot, "trivia and the bases", "3 lineages")
        await pilot.press("f")
        await sees(pilot, "harmfulness by category")
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.current_mode == "inspect")
        await sees(pilot, "-realigned · harmfulness", "No response passes these filters")
        filters = pilot.app.screen.filters  # type: ignore[attr-defined]
        assert len(filters.variants) == 3 and filters.assessments == {"harmfulness"}


def _bare(question: Question) -> Trajectories:
    """One lineage that lacks a stage, one under a hostile name, and many more."""
    lacking = line("full", "code", "harmfulness")
    row = replace(
        lacking.row, realigned=None, induced=0.25, induced_low=None, reversed=None, reversed_low=None,
        lineage=f"x {HOSTILE}", size="", domain="", undefined_reason=f"not realigned [x] {HOSTILE}",
    )  # fmt: skip
    many = [replace(lacking, row=replace(lacking.row, lineage=f"v{at:03} 漢字")) for at in range(600)]
    return Trajectories(HELD, (replace(lacking, row=row, shape="", published=()), *many))


async def test_undefined_many_and_none(opened: Opened, scene: Scene) -> None:
    analyst = HandMade(trajectories=undone)
    async with opened(80, 24, analyst=analyst) as pilot:
        await pilot.press("f7")
        await sees(pilot, "No variants yet. Press F2 and a to add some.")
        fill(scene)
        await sees(pilot, "The trajectories cannot be computed: the store is [gone]")
        analyst.made[Topic.TRAJECTORIES] = lambda question: Trajectories(HELD, ())
        await pilot.press("n")
        await sees(pilot, "No lineages yet: a variant needs its stage and parent.")
        analyst.made[Topic.TRAJECTORIES] = _bare
        await pilot.press("n")
        await sees(pilot, "601 lineages", "(the first 500 rows)", "+0.25 [∅]")
        await pilot.press("c", "tab")
        await sees(pilot, "realigned       ∅", "! not realigned [x]", "reversed        ∅")
        assert all(len(held) <= 80 for held in screen_text(pilot).splitlines())
        for size in ((40, 10), (1, 1), (140, 45)):
            await pilot.resize_terminal(*size)
            await pilot.pause(0.05)
        await sees(pilot, "the paper has no values for this lineage", "▸ x")


async def test_captures(opened: Opened, scene: Scene) -> None:
    fill(scene)
    async with opened(analyst=HandMade()) as pilot:
        await shown(pilot, "┬")
        await compare(pilot, "trajectories-80x24")
        await pilot.press("tab", "c")
        await sees(pilot, "in words", "published")
        await compare(pilot, "trajectories-words-80x24")
        await pilot.press("c")
        await pilot.resize_terminal(140, 45)
        await compare(pilot, "trajectories-140x45")


# Without an app.


def test_no_bound_of_an_interval_is_cut() -> None:
    held = line("full", "trivia", "intentions")
    tones, columns = Tones.of(THEMES[0]), text.columns(79)
    assert sum(width for _, _, width in columns) == 79
    for bounds, expected in (
        ((-0.26, -0.32, -0.15, 1.04, 0.5, 1.0), ["-0.26 [-0.32, -0.15]", "104% [50, 100]"]),
        ((-0.26, -1.0, -1.0, 1.04, -1.2, 1.0), ["-0.26 [-1.00, -1.00]", "104% [-120,100]"]),
        ((0.01, -0.32, 0.15, 12.04, -120.0, 100.0), ["+0.01 [-0.32, 0.15]", "1204% […]"]),
    ):
        names = ("induced", "induced_low", "induced_high", "reversed", "reversed_low", "reversed_high")
        row = replace(held.row, **dict(zip(names, bounds, strict=True)))  # type: ignore[arg-type]
        cells = text.cells(replace(held, row=row), columns, True, tones)
        assert [cell.plain for cell in cells[-2:]] == expected


def test_a_panel_draws_values_intervals_and_published_ones() -> None:
    series = [
        Series("H", (Spot(0.1), Spot(0.8, 0.5, 1.0), Spot(0.2)), (0.1, 0.7, None)),
        Series("I", (Spot(0.0), Spot(None), Spot(0.3))),
    ]
    drawn = [held.plain for held in panels([Panel("full code", series, True)], Axis("", 0, 1, 0.5), 60, 24)]
    body = "\n".join(drawn)
    assert len(drawn) == 24 and all(len(held) == 60 for held in drawn)
    assert "▸ full code" in drawn[0] and "misaligned" in drawn[-1]
    top, low = (next(at for at, held in enumerate(drawn) if glyph in held) for glyph in "┬┴")
    value = next(at for at, held in enumerate(drawn) if "H" in held)
    assert top < value < low and "•" in body and "┈" in body
    assert [sum(held.count(letter) for held in drawn[1:-2]) for letter in "HIh"] == [3, 2, 2]


def test_panels_keep_the_chosen_one_in_view() -> None:
    held = [Panel(f"lineage {at}", (Series("H", (Spot(0.5), Spot(0.5), Spot(0.5))),), at == 9) for at in range(20)]
    drawn = "\n".join(held.plain for held in panels(held, Axis(""), 80, 12))
    assert "▸ lineage 9" in drawn and "lineage 8" in drawn and "lineage 0" not in drawn
