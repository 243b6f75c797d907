"""F3: the runs, what they are doing, the last replies; stopping, resuming, leaving while they go on."""

from __future__ import annotations

import pytest
from screen_scene import HOSTILE, Opened, Scene, screen_lines, screen_text, sees, until

from emaudit.app import EmauditApp
from emaudit.assessments.base import Reading, Status
from emaudit.commands import Commands, Order
from emaudit.errors import EmauditError
from emaudit.screens.runs import RunsScreen
from emaudit.store import Store, replies, runs
from emaudit.widgets.table import RowTable

LIVE = {
    "phase": "asking",
    "line": "rate-limited, next try in 7 s",
    "in_flight": 12,
    "limit": 40,
    "reason": "halved after a 429",
    "replies_per_s": 41.25,
    "eta_s": 125,
    "input_tokens": 1_250_000,
    "output_tokens": 31_000,
}


def _started(scene: Scene, n: int = 20) -> runs.Run:
    scene.add({"name": "v"})
    plan = scene.plan("v")
    run = scene.run(plan)
    scene.reply(run, plan, n, 3.0)
    scene.state(run, **LIVE)
    return run


async def test_without_runs_one_sentence_and_the_key(opened: Opened) -> None:
    async with opened() as pilot:
        await pilot.press("f3")
        assert "Press F2, choose a variant and press r" in await sees(pilot, "No runs yet.")


@pytest.mark.parametrize("width", [80, 140])
async def test_a_live_run_in_full(opened: Opened, scene: Scene, width: int) -> None:
    run = _started(scene)
    with scene.held(run):
        async with opened(width, 45) as pilot:
            await pilot.press("f3")
            text = await sees(pilot, "▶ running", "20/40", "41.2/s", "2m05s")
            for words in ("rate-limited, next try in 7 s", "12 of at most 40", "halved after a 429", "1.2M tokens in"):
                assert words in " ".join(line.strip("│ ") for line in text.splitlines())
            assert "1 run · 1 going on" in text and "▶ 1 run 41.2/s" in text
            assert "a reply" in text and "unknown" in text


async def test_replies_appear_as_they_land(opened: Opened, scene: Scene) -> None:
    scene.add({"name": "v"})
    plan = scene.plan("v")
    run = scene.run(plan)
    with scene.held(run):
        async with opened(100, 40) as pilot:
            await pilot.press("f3")
            await sees(pilot, "0/40", "Replies stand here as they land.")
            scene.reply(run, plan, 1, 4.0, "the first of them")
            assert "stereotyping-00" in await sees(pilot, "1/40", "the first of them")


@pytest.mark.parametrize(
    ("exit", "why", "word"),
    [(0, "", "● done"), (1, "stopped on request", "◐ stopped"), (3, "401: set OPENAI_API_KEY", "✗ failed")],
)
async def test_how_a_run_ended(opened: Opened, scene: Scene, exit: int, why: str, word: str) -> None:
    scene.end(_started(scene), exit, why, 20 if exit else 0)
    async with opened() as pilot:
        await pilot.press("f3")
        await sees(pilot, word, why)


async def test_a_killed_run_is_interrupted_and_says_what_is_owed(opened: Opened, scene: Scene) -> None:
    _started(scene)
    async with opened() as pilot:
        await pilot.press("f3")
        await sees(pilot, "! interrupted", "20 owed: r resumes")


async def test_p_asks_a_run_to_stop_once(opened: Opened, scene: Scene) -> None:
    run = _started(scene)
    with scene.held(run):
        async with opened() as pilot:
            await pilot.press("f3")
            await sees(pilot, "▶ running")
            await pilot.press("p")
            await sees(pilot, "◼ stopping")
            await pilot.press("p")
            await sees(pilot, "is stopping already")
            await pilot.press("r")
            await sees(pilot, "goes on already")
    with Store.open(scene.path) as store:
        assert [event.kind for event in runs.events(store, run.run_id)] == ["started", "stop_requested"]


async def test_r_resumes_what_is_owed(opened: Opened, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    run = _started(scene)
    resumed: list[str] = []
    monkeypatch.setattr(Commands, "resume", lambda self, uid: resumed.append(uid) or uid)
    async with opened() as pilot:
        await pilot.press("f3")
        await sees(pilot, "! interrupted")
        await pilot.press("r")
        await until(pilot, lambda: resumed == [run.uid])


async def test_a_started_run_is_gone_to(opened: Opened, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.add({"name": "v"})
    plan = scene.plan("v")
    for uid in ("aaaa0000", "bbbb0000"):
        scene.end(scene.run(plan, uid=uid), 1, "", 40)
    monkeypatch.setattr(Commands, "start", lambda self, order: scene.run(plan, uid="cccc0000").uid)
    async with opened(140, 40) as pilot:
        await pilot.press("f3", "j")
        await sees(pilot, "run aaaa0000")
        app = pilot.app
        assert isinstance(app, EmauditApp)
        app.start_run(Order(("v",), ("harmfulness",)))
        await sees(pilot, "3 runs")
        await until(
            pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.query_one(RowTable).cursor_row == 0
        )
        assert app.screen.query_one("#detail").border_title == "run cccc0000"
        await pilot.press("j")
        scene.reply(scene.run(plan, uid="dddd0000"), plan, 1)
        await sees(pilot, "4 runs", "run bbbb0000")


async def test_spent_is_that_of_all_starts(opened: Opened, scene: Scene) -> None:
    run = _started(scene)
    scene.state(run, input_tokens=100, output_tokens=10, cost=0.25)
    scene.event(run, "started")
    with scene.open() as store, store.transaction() as db:
        cell, scorer = db.execute("SELECT c.cell_id, s.scorer_id FROM cells c, scorers s LIMIT 1").fetchone()
        chain = replies.Chain(db, run.run_id)
        row = replies.ReplyRow(cell, 99, 0, "ok", "x", prompt_tokens=2_000_000, completion_tokens=40_000)
        reading = Reading(Status.SCORED, 1.0)
        verdict = replies.VerdictRow(scorer, reading, prompt_tokens=500_000, completion_tokens=2_000)
        replies.insert_reply(db, chain, row, [verdict])
    async with opened(140, 45) as pilot:
        await pilot.press("f3")
        await sees(pilot, "2.5M tokens in, 42.0k out, price 0.25", "since the last start")


async def test_a_refused_resume_is_said(opened: Opened, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    _started(scene)

    def refuse(self: Commands, uid: str) -> str:
        raise EmauditError("another runner [holds] it")

    monkeypatch.setattr(Commands, "resume", refuse)
    async with opened() as pilot:
        await pilot.press("f3")
        await sees(pilot, "! interrupted")
        await pilot.press("r")
        await sees(pilot, "another runner [holds] it")


async def test_a_run_that_owes_nothing_is_not_resumed(opened: Opened, scene: Scene) -> None:
    run = _started(scene, 40)
    scene.end(run)
    async with opened() as pilot:
        await pilot.press("f3")
        await sees(pilot, "● done")
        await pilot.press("r")
        await sees(pilot, "this run owes nothing")


async def test_the_end_of_a_run_is_said_wherever_one_is(opened: Opened, scene: Scene) -> None:
    run = _started(scene)
    async with opened(100, 30) as pilot:
        with scene.held(run):
            await sees(pilot, "▶ 1 run")
        scene.end(run, 3, "quota is used up", 20)
        await sees(pilot, f"run {run.uid} failed, 20 owed. quota is used up")


async def test_leaving_with_nothing_running_asks_nothing(opened: Opened, scene: Scene) -> None:
    _started(scene)
    async with opened() as pilot:
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert pilot.app.return_code == 0 and not pilot.app.is_running


@pytest.mark.parametrize(("key", "stops"), [("k", False), ("p", True), ("enter", False)])
async def test_leaving_a_live_run(opened: Opened, scene: Scene, key: str, stops: bool) -> None:
    run = _started(scene)
    with scene.held(run):
        async with opened() as pilot:
            await sees(pilot, "▶ 1 run")
            await pilot.press("ctrl+q")
            await sees(pilot, "1 run going on", "Keep it running in the background", run.uid)
            await pilot.press(key)
            for _ in range(100):
                if not pilot.app.is_running:
                    break
                await pilot.pause(0.05)
        assert not pilot.app.is_running and pilot.app.return_code == 0
        with Store.open(scene.path) as store:
            assert runs.stop_requested(store, run.run_id) is stops
            assert runs.holder(store, run) is not None


async def test_staying_changes_nothing(opened: Opened, scene: Scene) -> None:
    run = _started(scene)
    with scene.held(run):
        async with opened() as pilot:
            await sees(pilot, "▶ 1 run")
            await pilot.press("ctrl+q", "ctrl+q")
            await sees(pilot, "Stay here")
            await pilot.press("escape")
            await until(pilot, lambda: "Stay here" not in screen_text(pilot))
            assert pilot.app.is_running


async def test_hostile_text_in_every_field_of_a_run(opened: Opened, scene: Scene) -> None:
    scene.add({"name": "v", "model": HOSTILE})
    plan = scene.plan("v")
    run = scene.run(plan)
    scene.reply(run, plan, 3, 2.0, HOSTILE)
    scene.event(run, "warned", HOSTILE)
    scene.state(run, **{**LIVE, "line": HOSTILE, "reason": HOSTILE})
    with scene.held(run):
        async with opened(140, 45) as pilot:
            await pilot.press("f3")
            text = await sees(pilot, "▶ running", "[INST]")
            assert "[bold]x[/y]" in text
            for keys in ([], ["enter"], ["escape", "ctrl+q"]):
                await pilot.press(*keys)
                await pilot.pause()
                assert all(line.isprintable() for line in screen_lines(pilot))


async def test_a_number_of_runs_is_listed_newest_first(opened: Opened, scene: Scene) -> None:
    scene.add({"name": "v"})
    plan = scene.plan("v")
    uids = [f"{at:08x}" for at in range(30)]
    for uid in uids:
        scene.end(scene.run(plan, uid=uid), 1, "", 40)
    async with opened() as pilot:
        await pilot.press("f3")
        text = await sees(pilot, "30 runs")
        assert text.index(uids[29]) < text.index(uids[28])
