"""Watching a store: what a look makes of it, what it counts again, and the process it is done in."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from screen_scene import FIFTEEN, Scene

from emaudit import scores
from emaudit.assessments import ASSESSMENTS, PAPER_FIVE
from emaudit.assessments.base import Planned, Prompt, Reading, Status
from emaudit.errors import EmauditError
from emaudit.prompts import load_library
from emaudit.scores.headlines import headline
from emaudit.store import Store, plans, readings, recent, replies, runs, scorers, variants
from emaudit.watch.process import WatchProcess
from emaudit.watch.snapshot import RunStage, Snapshot, Stage, branches
from emaudit.watch.watcher import Watcher


@pytest.fixture
def watcher(scene: Scene) -> Iterator[Watcher]:
    held = Watcher(scene.path)
    yield held
    held.close()


def settled(watcher: Watcher) -> Snapshot:
    """Looks until nothing is left to count, also of what rests because its last count took long."""
    for _ in range(2_000):
        snapshot = watcher.look()
        if watcher.is_settled and not any(count.progress.is_stale for count in watcher._counts.values()):
            return snapshot
        time.sleep(0.01)
    raise AssertionError("never settled")


def test_a_missing_store_is_an_empty_one(watcher: Watcher) -> None:
    snapshot = watcher.look()
    assert snapshot.has_read and not snapshot.exists and not snapshot.problem
    assert snapshot.assessments == PAPER_FIVE


def test_a_store_that_is_none_is_a_problem_and_is_found_again(scene: Scene, watcher: Watcher) -> None:
    scene.path.write_text("x" * 200)
    assert "is not an emaudit store" in watcher.look().problem
    scene.path.unlink()
    scene.add({"name": "v"})
    assert [row.variant.name for row in watcher.look().variants] == ["v"]


def test_another_file_under_the_same_name_is_opened(scene: Scene, watcher: Watcher) -> None:
    scene.add({"name": "v"})
    assert watcher.look().variants[0].variant.name == "v"
    other = Scene(scene.path.with_name("other.db"))
    other.add({"name": "w"})
    for suffix in ("-wal", "-shm"):
        scene.path.with_name(scene.path.name + suffix).unlink(missing_ok=True)
    other.path.replace(scene.path)
    assert watcher.look().variants[0].variant.name == "w"


def test_cells_follow_what_is_stored(scene: Scene, watcher: Watcher) -> None:
    scene.add({"name": "v"})
    assert settled(watcher).variants[0].cells[0].stage is Stage.NONE
    plan = scene.plan("v", n_items=2)
    cell = settled(watcher).variants[0].cells[0]
    assert (cell.stage, cell.n_closed, cell.n_slots, cell.value) == (Stage.OWED, 0, 20, None)
    run = scene.run(plan)
    scene.reply(run, plan, 20, None)
    assert settled(watcher).variants[0].cells[0].stage is Stage.JUDGING
    with Store.open(scene.path) as store:
        assert readings.progress(store, plan).n_owed == 20


def test_only_what_changed_is_counted_again(scene: Scene, watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.add({"name": "v"}, {"name": "w"})
    first, second = scene.plan("v"), scene.plan("w")
    run = scene.run(first, second)
    scene.reply(run, first, 10)
    scene.reply(run, second, 10)
    settled(watcher)
    counted: list[int] = []
    real = readings.progress
    monkeypatch.setattr(readings, "progress", lambda store, plan: counted.append(plan.plan_id) or real(store, plan))
    scene.reply(run, second, 5)
    time.sleep(0.3)
    assert settled(watcher).variants[1].cells[0].n_closed == 15
    assert counted == [second.plan_id]


def test_the_largest_plan_of_the_newest_replicate_is_shown(scene: Scene, watcher: Watcher) -> None:
    scene.add({"name": "v"})
    quick = scene.plan("v", n_items=2, preset="quick")
    scene.plan("v", n_items=4, preset="paper")
    run = scene.run(quick)
    scene.reply(run, quick, 20)
    cell = settled(watcher).variants[0].cells[0]
    assert (cell.preset, cell.n_closed, cell.n_slots) == ("paper", 20, 40)


def test_a_plan_without_replies_hides_none_that_has_some(scene: Scene, watcher: Watcher) -> None:
    scene.add({"name": "v"})
    small = scene.plan("v", n_items=2, preset="quick")
    with scene.open() as store:
        prompt = Planned(Prompt("harmfulness", "stereotyping-90", "stereotyping", "", "", "p"), 30)
        variant_id = variants.variant(store, "v").variant_id
        large = plans.write_plan(store, variant_id, 0, "harmfulness", "paper", "i@0", "i", "l", [(prompt, "{}")])
    assert settled(watcher).variants[0].cells[0].preset == "paper"
    run = scene.run(small)
    scene.reply(run, small, 20, 4.0)
    cell = settled(watcher).variants[0].cells[0]
    assert (cell.preset, cell.stage, cell.n_closed, cell.value) == ("quick", Stage.DONE, 20, 0.75)
    paper = scene.run(large)
    with scene.held(paper):
        assert settled(watcher).variants[0].cells[0].preset == "paper"
    assert settled(watcher).variants[0].cells[0].preset == "quick"
    scene.reply(paper, large, 1)
    assert settled(watcher).variants[0].cells[0].preset == "paper"


def test_tokens_are_added_up_in_steps_and_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "_STEP", 2)
    scene.add({"name": "v"})
    plan = scene.plan("v")
    run, spent = scene.run(plan), recent.Spent()
    with scene.open() as store:
        for at in range(5):
            cell = next(stretch.cell_id for stretch in plans.owed(store, plan.plan_id, 1))
            with store.transaction() as db:
                row = replies.ReplyRow(cell, at, 0, "ok", "x", prompt_tokens=10, completion_tokens=at or None)
                replies.insert_reply(db, replies.Chain(db, run.run_id), row, [])
        seen = []
        for _ in range(4):
            spent.add_up(store)
            seen.append((spent.of(run.run_id), spent.is_whole))
    assert seen == [((20, 1), False), ((40, 6), False), ((50, 10), True), ((50, 10), True)]


def test_live_runs_mark_what_they_ask(scene: Scene, watcher: Watcher) -> None:
    scene.add({"name": "v"}, {"name": "w"})
    first, second = scene.plan("v"), scene.plan("w")
    run = scene.run(first, second)
    with scene.held(run):
        settled(watcher)
        scene.reply(run, first, 10)
        rows = settled(watcher).variants
        assert [row.cells[0].stage for row in rows] == [Stage.RUNNING, Stage.WAITING]
        assert rows[0].is_running
    snapshot = settled(watcher)
    assert [row.cells[0].stage for row in snapshot.variants] == [Stage.OWED, Stage.OWED]
    assert snapshot.runs[0].stage is RunStage.INTERRUPTED


def test_a_gone_model_marks_its_variant(scene: Scene, watcher: Watcher) -> None:
    scene.add({"name": "v"}, {"name": "vv"})
    run = scene.run(scene.plan("v"), scene.plan("vv"))
    scene.event(run, "gone", "v: 404 model_not_found")
    assert [row.is_gone for row in settled(watcher).variants] == [True, False]


def test_a_run_that_judges_stored_replies_counts_verdicts_and_asks_no_model(scene: Scene, watcher: Watcher) -> None:
    scene.add({"name": "v"})
    plan = scene.plan("v")
    scene.event(scene.run(plan), "gone", "v: 404 model_not_found")
    run = scene.run(plan, kind="judge")
    scene.state(run, n_referred=10, n_judged=4, unscored=1, n_planned=3, n_done=3)
    snapshot = settled(watcher)
    row = snapshot.run(run.uid)
    assert row is not None
    assert (row.n_closed, row.n_slots, row.n_owed, row.n_unscored) == (4, 10, 6, 1)
    assert snapshot.variants[0].is_gone, "judging what it once said does not bring a model back"


def test_a_silent_run_says_so(scene: Scene, watcher: Watcher) -> None:
    scene.add({"name": "v"})
    run = scene.run(scene.plan("v"))
    with scene.open() as store, store.transaction() as db:
        db.execute(
            "INSERT INTO run_states VALUES (?, ?, ?)", (run.run_id, '{"line": "asking"}', "2020-01-01T00:00:00.000Z")
        )
    with scene.held(run):
        assert "asking (no word for " in settled(watcher).runs[0].line


def test_a_garbled_state_is_no_crash(scene: Scene, watcher: Watcher) -> None:
    scene.add({"name": "v"})
    run = scene.run(scene.plan("v"))
    scene.state(run, replies_per_s="fast", eta_s=None, in_flight=None, limit=True, line=7)
    scene.event(run, "warned", '["no object"]')
    with scene.held(run):
        row = settled(watcher).runs[0]
    assert row.replies_per_s is None and row.eta_s is None and row.in_flight == 0 and row.line == "7"


def test_branches() -> None:
    assert branches([0, 1, 2, 1, 2, 0, 1]) == ["", "├ ", "│ └ ", "└ ", "  └ ", "", "└ "]
    assert branches([]) == []


def test_headlines_are_the_totals_of_the_scores(scene: Scene) -> None:
    """On replies of every assessment, with neutral, unscored and owed ones among them."""
    scene.add({"name": "v"})
    library = load_library()
    with scene.open() as store:
        variant_id = variants.variant(store, "v").variant_id
        judge = scorers.judge(store, "j", {})
        held = [
            plans.write_plan(
                store, variant_id, 0, known.key, "quick", "i@0", "i", known.key,
                [(planned, "{}") for planned in known.plan(library, "quick")],
            )
            for known in ASSESSMENTS
        ]  # fmt: skip
        run = runs.insert_run(store, "cafe0000", "ask", "quick", held, judge.scorer_id, "{}", {})
        with store.transaction() as db:
            chain = replies.Chain(db, run.run_id)
            for plan in held:
                parser = scorers.scorer(store, "parser", f"parser:{plan.assessment}@1", {}).scorer_id
                levels = 5 if plan.assessment in {"harmfulness", "moral_foundations"} else 0
                for at, stretch in enumerate(plans.owed(store, plan.plan_id, 100)):
                    for sample in range(stretch.n):
                        number = at * 7 + sample * 3
                        reading = Reading(Status.SCORED, float(number % 5 + 1 if levels else number % 3 / 2))
                        if number % 11 == 0:
                            reading = Reading(Status.UNSCORED, None, "refusal")
                        elif number % 13 == 0:
                            continue
                        row = replies.ReplyRow(stretch.cell_id, stretch.first + sample, 0, "ok", "x")
                        replies.insert_reply(db, chain, row, [replies.VerdictRow(parser, reading)])
        measures = {"moral_foundations": "norm", "moral_self_assessment": "second_pole", "harmfulness": "max10"}
        for plan in held:
            tallies = readings.tallies(store, plan)
            source = scores.Source("v", "", "", "", "quick", 0, plan.assessment, "j", "i", False)
            rows = scores.score(source, tallies, scores.Rules(resamples=10))
            measure = measures.get(plan.assessment, "misaligned")
            [row] = [
                row for row in rows if row.measure == measure and row.part == "total" and row.format in {"", "all"}
            ]
            found = headline(plan.assessment, tallies)
            assert found.value == pytest.approx(row.value, abs=1e-12), plan.assessment


def test_the_process_tells_and_ends(scene: Scene) -> None:
    scene.add(*FIFTEEN)
    watch = WatchProcess(scene.path)
    told: list[Snapshot] = []
    thread = threading.Thread(target=watch.run, args=(told.append,))
    thread.start()
    deadline = time.monotonic() + 20
    while not told and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(told[-1].variants) == 15
    scene.add({"name": "late"})
    watch.wake()
    while len(told[-1].variants) < 16 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert told[-1].variant("late")
    watch.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_a_process_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho broken on purpose >&2\nexit 1\n", encoding="utf-8")
    broken.chmod(0o700)
    monkeypatch.setattr("sys.executable", str(broken))
    with pytest.raises(EmauditError, match="broken on purpose"):
        WatchProcess(tmp_path / "s.db").run(lambda snapshot: None)


def test_a_folder_of_the_same_name_is_not_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "emaudit" / "watch").mkdir(parents=True)
    for name in ("__init__.py", "watch/__init__.py", "watch/process.py"):
        (tmp_path / "emaudit" / name).write_text("raise SystemExit('another one')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    watch = WatchProcess(tmp_path / "s.db")
    found: list[Snapshot] = []

    def once(snapshot: Snapshot) -> None:
        found.append(snapshot)
        watch.stop()

    watch.run(once)
    assert found and found[0].has_read
