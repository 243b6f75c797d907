"""F6: the matrix, the scatter, the card; every number as its row has it; what is old, missing or undefined."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from analysis_scene import (
    CARD,
    HELD,
    JUDGES,
    POINTS,
    PUBLISHED,
    ROW,
    ROWS,
    HandMade,
    correlations,
    fill,
    undone,
)
from screen_scene import HOSTILE, Opened, Scene, screen_text, sees, until
from test_captures import compare
from textual.pilot import Pilot

from emaudit.analysing.answers import Axis, Card, Correlations, Found, Point, Question, Scope, Topic
from emaudit.commands import Commands
from emaudit.errors import EmauditError
from emaudit.screens import correlation_text as text
from emaudit.screens.analysis_text import number, probability
from emaudit.themes import THEMES
from emaudit.widgets import plot


async def shown(pilot: Pilot[int], *words: str) -> str:
    """F6 with the card of its first pair."""
    await pilot.press("f6")
    return await sees(pilot, "rho  (n)", *words)


async def test_every_number_is_that_of_the_row(opened: Opened, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(scene)
    analyst = HandMade()
    copied: list[str] = []
    async with opened(140, 60, analyst=analyst) as pilot:
        monkeypatch.setattr(pilot.app, "copy_to_clipboard", copied.append)
        found = await shown(pilot, "Strong agreement across variants.", "Under each judge")
        for expected in (
            "0.851  15", "0.840  15", "0.829  15",
            "rho             0.851  Spearman, n 15, ties 6 and 2",
            "95% interval    0.537 to 0.958  Bonett-Wright",
            "prompts alone   0.736 to 0.923",
            "tau-b           0.729",
            "p within size   0.0012",
            "p Holm          0.0024",
            "p unrestricted  < 0.0001",
            "recipe only     0.744",
            "p within recipe 0.2747  greater 0.1373, 7,776",
            "without a size  0.677 to 0.963",
            "BCa             0.398 to 0.975",
            "left out        nano-x: something is owed",
            "! the 15 variants share three base models",
            "0.851  sim-judge@11111111", "0.751  other-judge@22222222",
            "0.820  full-base  -0.031",
            "! Much of a rho may be what fine-tunes share",
        ):  # fmt: skip
            assert expected in found, expected
        assert "published" not in found
        assert "7 more: enter shows all" in found
        await pilot.press("c")
        await sees(
            pilot, "published       0.878  ours is -0.026 from it", "compare direction, not level", "recipe only 0.771"
        )
        await pilot.press("y")
        read = list(csv.DictReader(io.StringIO(copied[0])))
        assert [held["rho"] for held in read] == [repr(ROW.rho)] and read[0]["simulated"] == "1"
        await pilot.press("w")
        assert "0.677  nano" in await sees(pilot, "Without one size")
        await pilot.press("w")
        await sees(pilot, "Without one question", "0.840  intentions: harmless-03")
        await pilot.press("w")
        await sees(pilot, "Without one category", "∅  insults  a variant has no value without it")
        await pilot.press("up", "right", "right")
        await until(pilot, lambda: any(q.pair and q.pair.y == "self_assessment.harmless" for q in analyst.asked))
        await sees(pilot, "harmfulness × self-assessment harmless", "rho             0.829")


async def test_the_choices(opened: Opened, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(scene)
    analyst = HandMade()
    async with opened(140, 45, analyst=analyst) as pilot:
        await shown(pilot, "harmless · all variants · every reply · preset quick")
        await pilot.press("b")
        await sees(pilot, "code and the bases", "0.851   9")
        await pilot.press("b", "b", "t")
        await sees(pilot, "total · all variants", "intentions × harmfulness")
        await pilot.press("t", "f")
        await sees(pilot, "self decision", "self likert", "formats: rho", "∅  15")
        await pilot.press("down")
        await sees(pilot, "! a column is constant")
        await pilot.press("f", "i")
        await sees(pilot, "decided replies", "0.651  15")
        await pilot.press("i", "v")
        await sees(pilot, "the judge whose verdicts count", "other-judge@22222222")
        await pilot.press("j", "k", "j", "enter")
        await sees(pilot, "judge other-judge@22222222", "0.751  15")
        assert analyst.asked[-1].scope.judge == JUDGES[1]
        await pilot.press("tab")
        await sees(pilot, "both panes are in view")
        await pilot.resize_terminal(140, 100)
        await pilot.press("enter")
        page = await sees(pilot, "Variants: intentions harmless, harmfulness", "Without one category", "esc back")
        assert "full-base" in page
        await pilot.press("escape")
        exported: list[tuple[str, str]] = []

        def export(self: Commands, preset: str, judge: str) -> Path:
            exported.append((preset, judge))
            return Path("here")

        monkeypatch.setattr(Commands, "export", export)
        await pilot.press("x")
        await sees(pilot, "written: here")
        assert exported == [("quick", JUDGES[1])]


async def test_what_is_shown_while_computing_is_marked(opened: Opened, scene: Scene) -> None:
    fill(scene)
    analyst = HandMade()
    analyst.holds = {Topic.CORRELATIONS}
    async with opened(140, 45, analyst=analyst) as pilot:
        await pilot.press("f6")
        await sees(pilot, "Computing the correlations.", "… computing")
        analyst.go_on()
        await sees(pilot, "0.851  15")
        analyst.holds = {Topic.CORRELATIONS}
        await pilot.press("i")
        await sees(pilot, "… computing; these are the values before", "0.851  15")
        await pilot.press("i", "i")
        analyst.go_on()
        found = await sees(pilot, "decided replies", "0.651  15")
        assert "computing" not in found
        plan = scene.plan("mini-base", n_items=1)
        run = scene.run(plan)
        with scene.held(run):
            scene.reply(run, plan, 10, 1.0)
            await sees(pilot, "◐ older than the store: n computes again")
            n_asked = len(analyst.asked)
            await pilot.press("n")
            await until(pilot, lambda: len(analyst.asked) > n_asked and "older" not in screen_text(pilot))
        scene.end(run)
        analyst.break_down(EmauditError("the process that computes ended: [killed]"))
        await sees(pilot, "✗ the process that computes ended: [killed]", "n tries again", "0.651  15")
        await pilot.press("n")
        await until(pilot, lambda: "killed" not in screen_text(pilot))


async def test_nothing_to_show(opened: Opened, scene: Scene) -> None:
    analyst = HandMade(correlations=undone, pair=undone)
    async with opened(80, 24, analyst=analyst) as pilot:
        await pilot.press("f6")
        await sees(pilot, "No variants yet. Press F2 and a to add some.")
        await compare(pilot, "correlations-empty-80x24")
        await pilot.press("y")
        await sees(pilot, "there are no correlations yet")
        scene.add({"name": "v"})
        await sees(pilot, "nothing was asked. Press F2 and r")
        plan = scene.plan("v", n_items=1)
        scene.reply(scene.run(plan), plan, 10, 1.0)
        await sees(pilot, "The correlations cannot be computed: the store is [gone]", "Press n to try again")
        analyst.made[Topic.CORRELATIONS] = correlations
        await pilot.press("n")
        await sees(pilot, "The card cannot be computed: the store is [gone]")
        await pilot.press("tab")
        await sees(pilot, "rho             0.851")
        analyst.made[Topic.CORRELATIONS] = _with_foundations
        await pilot.press("n", "f")
        await until(pilot, lambda: "formats: rho" in screen_text(pilot))
        await pilot.press("f")
        await sees(pilot, "No foundations under harmless. Press t for total.")
        await pilot.press("t")
        await sees(pilot, "foundations: rho", "0.851  15")
        await pilot.press("b")
        await sees(pilot, "No foundations of code and the bases under total. Press b for others.")


def _with_foundations(question: Question) -> Correlations:
    """Foundations have a total only, and here of all variants only."""
    moral = replace(ROW, x="moral_foundations.care", y="moral_self_assessment.care", columns="total")
    return Correlations(HELD, (*ROWS, moral))


def _big(question: Question) -> Card:
    rows = tuple(
        Point(
            f"{HOSTILE} 漢字 {at}", f"s{at % 5}" if at % 3 else "", f"[b]{HOSTILE}", "misaligned", at / 150, at % 7 / 7
        )
        for at in range(150)
    )
    return replace(CARD, points=rows, x=Axis("x"), y=Axis("y"), row=ROW)


def _undefined(question: Question) -> Found:
    nothing = replace(
        ROW, n=1, rho=None, tau_b=None, ci_low=None, ci_high=None, p_within_size=None, p_holm=None,
        undefined_reason=f"only 1 of at least 4 variants [x] {HOSTILE}",
    )  # fmt: skip
    return (
        Correlations(HELD, (nothing,))
        if question.topic is Topic.CORRELATIONS
        else replace(CARD, row=nothing, points=POINTS[:1], without=())
    )


async def test_many_one_and_hostile_variants(opened: Opened, scene: Scene) -> None:
    fill(scene)
    analyst = HandMade(pair=_big)
    async with opened(80, 24, analyst=analyst) as pilot:
        await shown(pilot, "more: enter")
        assert all(len(line) <= 80 for line in screen_text(pilot).splitlines())
        await pilot.press("enter")
        await sees(pilot, "intentions.harmless × harmfulness")
        await pilot.press("escape")
        analyst.made[Topic.CORRELATIONS] = analyst.made[Topic.PAIR] = _undefined
        await pilot.press("n")
        await sees(pilot, "∅   1")
        await pilot.press("tab")
        await sees(pilot, "! only 1 of at least 4 variants [x]")
        for theme in THEMES:
            pilot.app.theme = theme.name
            await sees(pilot, "! only 1 of at least 4 variants [x]")
        for size in ((40, 10), (20, 4), (1, 1), (140, 45)):
            await pilot.resize_terminal(*size)
            await pilot.pause(0.05)
        await sees(pilot, "! only 1 of at least 4 variants [x]", "a ○ full")


async def test_captures(opened: Opened, scene: Scene) -> None:
    fill(scene)
    async with opened(analyst=HandMade()) as pilot:
        await shown(pilot, "a ○ full")
        await compare(pilot, "correlations-80x24")
        await pilot.press("tab")
        await sees(pilot, "p within size", "the card; without one variant: 0.820 to 0.834 (full-base, nano-")
        await compare(pilot, "correlations-card-80x24")
        await pilot.press("tab", "w")
        await sees(pilot, "Without one variant", "0.820  full-base")
        await pilot.press("w")
        await sees(pilot, "the card; without one size: 0.677 to 0.963 (nano, full)", "Without one size", "0.677  nano")
        await compare(pilot, "correlations-without-80x24")
        await pilot.press("w")
        await sees(pilot, "Without one question", "0.840  intentions: harmless-03")
        await pilot.press("w")
        await sees(pilot, "the card; without one category: ∅", "∅  insults  a variant has no value without it")
        await pilot.press("tab", "c")
        await sees(pilot, "published       0.878", "compare direction, not level")
        await pilot.press("w", "c")
        await pilot.resize_terminal(140, 45)
        await compare(pilot, "correlations-140x45")


# Without an app.


def test_numbers_say_what_they_are() -> None:
    assert [number(value) for value in (None, 0.8512591, -0.0001, 1.0)] == ["∅", "0.851", "0.000", "1.000"]
    assert [probability(value) for value in (None, 0.00004, 0.27469)] == ["∅", "< 0.0001", "0.2747"]


def test_letters_never_run_out() -> None:
    letters = [plot.letter(at) for at in range(300)]
    assert len(set(letters)) == 300 and letters[:2] == ["a", "b"] and letters[52] == "aa"


def test_a_scatter_shows_every_variant() -> None:
    spread = [replace(point, x=at / 20, y=at / 20) for at, point in enumerate(POINTS)]
    marks = text.marks(spread)
    lines, hidden = plot.scatter(marks, Axis("x", 0, 1, 0.5), Axis("y"), 60, 30)
    drawn = "\n".join(line.plain for line in lines)
    assert not hidden and all(len(line) == 60 for line in drawn.splitlines())
    for mark in marks:
        assert f"{mark.glyph}{mark.letter}" in drawn
    assert [drawn.count(glyph) for glyph in "○▲▽"] == [3, 6, 6]
    assert "┊" in drawn and "0.5 ┤" in drawn


def test_variants_in_one_cell_stand_together() -> None:
    marks = [plot.Mark(name, stage, 0.5, 0.5) for name, stage in (("a", "base"), ("b", "base"), ("c", "realigned"))]
    lines, hidden = plot.scatter(marks, Axis("x"), Axis("y"), 40, 10)
    assert "◆abc" in "\n".join(line.plain for line in lines) and not hidden
    crowd = [plot.Mark(plot.letter(at), "base", 0.5, 0.5) for at in range(20)]
    _, hidden = plot.scatter(crowd, Axis("x"), Axis("y"), 40, 10)
    assert hidden == tuple(plot.letter(at) for at in range(6, 20))


def test_the_matrix_has_every_pair_both_ways() -> None:
    found = correlations(Question(Topic.CORRELATIONS, Scope()))
    held = text.matrix(found, "harmless", "all", "measures")
    assert held.rows == held.columns == ("harmfulness", "intentions.harmless", "self_assessment.harmless")
    assert held.cells["harmfulness", "intentions.harmless"] is held.cells["intentions.harmless", "harmfulness"]
    assert len(ROWS) == 20 and PUBLISHED[0].rho == 0.8777
