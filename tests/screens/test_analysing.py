"""The process that computes for F6 and F7: what it answers, what it leaves off, how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from analysis_scene import JUDGES, correlations
from screen_scene import FIFTEEN, Scene

from emaudit.analysing.answering import NO_REPLIES, Answering
from emaudit.analysing.answers import (
    Answer,
    Asked,
    Card,
    Correlations,
    Intervals,
    Judges,
    Pair,
    Question,
    Scope,
    Topic,
    Trajectories,
    Undone,
)
from emaudit.analysing.keeper import Analyses, state_of
from emaudit.analysing.process import Tell, Wishes
from emaudit.archive import StoreArchive
from emaudit.errors import EmauditError
from emaudit.scores.correlations import correlation_rows
from emaudit.scores.trajectories import trajectory_rows
from emaudit.store import Store
from emaudit.studies import study_of
from emaudit.variants import Variant
from emaudit.watch.snapshot import NOTHING, Cell, RunRow, RunStage, Snapshot, VariantRow

ASK = {topic: Question(topic, Scope()) for topic in Topic}


def five(scene: Scene) -> None:
    """A size with all its variants, each asked two assessments."""
    scene.add(*FIFTEEN[:5])
    for at, held in enumerate(FIFTEEN[:5]):
        harm, said = (scene.plan(held["name"], key, n_items=2) for key in ("harmfulness", "intentions"))
        run = scene.run(harm, said)
        scene.reply(run, harm, 20, 1.0 + at % 4)
        scene.reply(run, said, 20, at / 4)
        scene.end(run)


def test_answers_are_the_rows_of_the_export(scene: Scene) -> None:
    five(scene)
    scene.add({"name": "odd"})
    plan = scene.plan("odd", "harmfulness", n_items=2)
    run = scene.run(plan)
    scene.reply(run, plan, 20, 1.0)
    scene.end(run)
    answering = Answering(scene.path)
    with Store.open(scene.path) as store:
        study = study_of(StoreArchive(store, "quick"))
    found = answering.found(ASK[Topic.CORRELATIONS], 1)
    assert isinstance(found, Correlations)
    assert found.rows == tuple(correlation_rows(study)) and found.held.n_variants == 6
    assert found.published and found.published[0].preset == "published"
    lines = answering.found(ASK[Topic.TRAJECTORIES], 1)
    assert isinstance(lines, Trajectories)
    assert tuple(line.row for line in lines.lines) == tuple(trajectory_rows(study))
    assert lines.passed_over == (("odd", "no stage recorded"),)
    spots = answering.found(ASK[Topic.INTERVALS], 1)
    assert isinstance(spots, Intervals)
    row = next(line.row for line in lines.lines if line.row.assessment == "harmfulness" and line.row.part == "total")
    spot = spots.spots["full-base", "harmfulness", "total"]
    assert spot.value == row.base and spot.low is not None and spot.high is not None and spot.low < spot.high
    pair = Pair("intentions", "harmfulness", "total")
    card = answering.found(Question(Topic.PAIR, Scope(), pair), 1)
    assert isinstance(card, Card)
    assert card.row == found.row(pair) and len(card.points) == card.row.n
    judges = answering.found(Question(Topic.JUDGES, Scope(), pair), 1)
    assert isinstance(judges, Judges) and [held.row for held in judges.rows] == [card.row]
    assert isinstance(
        answering.found(Question(Topic.PAIR, Scope(), Pair("open_ended", "harmfulness", "total")), 1), Undone
    )


def test_what_takes_long_is_left_off_and_gone_on_with(scene: Scene) -> None:
    five(scene)
    waits = True
    answering = Answering(scene.path, lambda: waits)
    for topic in (Topic.CORRELATIONS, Topic.INTERVALS):
        assert answering.found(ASK[topic], 1) is None
    waits = False
    assert isinstance(answering.found(ASK[Topic.CORRELATIONS], 1), Correlations)


def test_a_store_without_anything_or_none(scene: Scene) -> None:
    with pytest.raises(EmauditError):
        Answering(scene.path).found(ASK[Topic.CORRELATIONS], 1)
    scene.add({"name": "v"})
    assert Answering(scene.path).found(ASK[Topic.CORRELATIONS], 1) == Undone(NO_REPLIES)
    scene.path.write_bytes(b"x" * 4096)
    with pytest.raises(EmauditError, match="is not an emaudit store"):
        Answering(scene.path).found(ASK[Topic.CORRELATIONS], 1)


_LIVE = """
import os, signal, sys, threading, time
from pathlib import Path
from emaudit.analysing.answers import Question, Scope, Topic
from emaudit.analysing.process import AnalysisProcess
from emaudit.errors import EmauditError
answers = []
analyst = AnalysisProcess(Path(sys.argv[1]))
def run():
    try:
        analyst.run(answers.append)
    except EmauditError as error:
        answers.append(str(error))
def until(n):
    while len(answers) < n:
        time.sleep(0.02)
analyst.ask(Question(Topic.CORRELATIONS, Scope()), 7)
threading.Thread(target=run, daemon=True).start()
until(1)
assert answers[0].state == 7 and len(answers[0].found.rows) > 0, answers
heavy = {"numpy", "scipy", "pandas", "sqlite3"} & set(sys.modules)
assert not heavy, heavy
os.kill(analyst._process.pid, signal.SIGKILL)
until(2)
assert "the process that computes ended" in answers[1], answers
analyst.ask(Question(Topic.TRAJECTORIES, Scope()), 8)
threading.Thread(target=run, daemon=True).start()
until(3)
assert answers[2].state == 8, answers
print(analyst._process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_process_answers_and_dies_with_the_app(scene: Scene) -> None:
    five(scene)
    done = subprocess.run(
        [sys.executable, "-c", _LIVE, str(scene.path)], capture_output=True, check=False, timeout=120, text=True
    )
    assert done.returncode == -9, done.stderr
    deadline = time.monotonic() + 10
    while _lives(int(done.stdout)):
        assert time.monotonic() < deadline, "the process outlived the app"
        time.sleep(0.02)


def _lives(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


# Without a store.


def test_the_newest_question_of_a_topic_goes_first() -> None:
    wishes = Wishes()
    pairs = [Question(Topic.PAIR, Scope(), Pair(name, "y", "total")) for name in "abc"]
    for at, question in enumerate([ASK[Topic.JUDGES], ASK[Topic.CORRELATIONS], *pairs, ASK[Topic.INTERVALS]]):
        wishes.put(Asked(question, at))
    assert wishes.hurry()
    assert wishes.take().question == pairs[-1]
    begun = wishes.take()
    assert begun.question == ASK[Topic.CORRELATIONS] and not wishes.hurry()
    wishes.put_back(begun)
    wishes.put(Asked(ASK[Topic.TRAJECTORIES], 9))
    assert [wishes.take().question.topic for _ in range(4)] == [
        Topic.TRAJECTORIES, Topic.CORRELATIONS, Topic.INTERVALS, Topic.JUDGES,
    ]  # fmt: skip
    wishes.put(Asked(ASK[Topic.PAIR], 2))
    wishes.put_back(Asked(ASK[Topic.PAIR], 1))
    assert wishes.take().state == 2


class Listener:
    """An analyst that only notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Question, int]] = []

    def run(self, tell: Tell) -> None: ...

    def ask(self, question: Question, state: int) -> None:
        self.asked.append((question, state))

    def stop(self) -> None: ...


def snapshot(n_closed: int, is_counted: bool = True, runs: tuple[RunRow, ...] = ()) -> Snapshot:
    cell = Cell("harmfulness", "quick", 20, n_closed, is_counted=is_counted)
    return Snapshot(True, True, variants=(VariantRow(Variant(1, "u", "v", "m"), "", (cell,)),), runs=runs)


def test_the_state_follows_what_is_stored() -> None:
    assert state_of(NOTHING) is None and state_of(snapshot(3, is_counted=False)) is None
    assert state_of(snapshot(3)) == state_of(snapshot(3)) != state_of(snapshot(4))


def test_answers_are_kept_until_the_store_changes() -> None:
    analyst, question = Listener(), ASK[Topic.CORRELATIONS]
    analyses = Analyses(analyst, lambda: None)
    assert analyses.look(question, snapshot(3)).is_awaited
    analyses.look(question, snapshot(3))
    assert len(analyst.asked) == 1
    analyses.take(Answer(question, analyst.asked[0][1], correlations(question)))
    known = analyses.look(question, snapshot(3))
    assert isinstance(known.found, Correlations) and not known.is_old and len(analyst.asked) == 1
    running = (RunRow("r", RunStage.RUNNING),)
    known = analyses.look(question, snapshot(4, runs=running))
    assert known.is_old and not known.is_awaited and len(analyst.asked) == 1
    known = analyses.look(question, snapshot(4))
    assert known.is_old and known.is_awaited and len(analyst.asked) == 2
    other = Question(Topic.CORRELATIONS, Scope(JUDGES[1]))
    known = analyses.look(other, snapshot(4))
    assert known.is_old and known.is_awaited and known.question == question
    analyses.take(Answer(question, analyst.asked[1][1], correlations(question)))
    assert analyses.look(other, snapshot(4)).is_awaited
    analyses.take(Answer(other, analyst.asked[2][1], correlations(other)))
    known = analyses.look(other, snapshot(4))
    assert known.question == other and not known.is_old and not known.is_awaited
    analyses.fail("it ended")
    assert analyses.look(other, snapshot(5)).problem == "it ended" and len(analyst.asked) == 3
    analyses.renew()
    assert analyses.look(other, snapshot(5)).is_awaited and len(analyst.asked) == 4
