"""A store is found to be what was received: every edited or removed row is named, and no other."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from grid_scene import grid
from reviewing_scene import drawn, harm_store, session
from verify_scene import VARIANTS, judge_again, tamper

from emaudit.assessments.base import Planned, Prompt, Reading, Status
from emaudit.planning import plan_hash
from emaudit.problems import Problem
from emaudit.store.connection import Store
from emaudit.store.plans import write_plan
from emaudit.store.replies import Chain, ReplyRow, VerdictRow, insert_reply, void
from emaudit.store.reviews import EventRow, insert_event, star
from emaudit.store.runs import insert_run, new_uid
from emaudit.store.scorers import judge, scorer
from emaudit.store.variants import add_variants
from emaudit.verifying import verify_store

ASKED = [(Planned(Prompt("harmfulness", f"insults-{n}", "insults", "", "", f"say {n}"), 5), "{}") for n in range(4)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs whose rows came by turns, a rejudging, and review events in and out of a queue."""
    path = tmp_path_factory.mktemp("store") / "s.db"
    with Store.open(path, write=True, create=True) as store:
        add_variants(store, [{"name": name, "model": "m"} for name in ("a", "b")])
        parser = scorer(store, "parser", "parser:harmfulness@1", {})
        judged = judge(store, "j", {})
        chains, cells = [], []
        for number in (1, 2):
            digest = plan_hash("ours@1", ASKED)
            plan = write_plan(store, number, 1, "harmfulness", "quick", "ours@1", "ours", digest, ASKED)
            run = insert_run(store, new_uid(), "ask", "quick", [plan], judged.scorer_id, "{}", {})
            rows = store.db.execute("SELECT cell_id FROM plan_cells WHERE plan_id = ?", (plan.plan_id,)).fetchall()
            cells.append([row[0] for row in rows])
            chains.append(Chain(store.db, run.run_id))
        with store.transaction() as db:
            for place in range(4):
                for sample in range(5):
                    for chain, held in zip(chains, cells, strict=True):
                        verdicts = [VerdictRow(parser.scorer_id, Reading(Status.REFERRED))]
                        verdicts += [VerdictRow(judged.scorer_id, Reading(Status.SCORED, 3.0), 1, "3")]
                        insert_reply(db, chain, ReplyRow(held[place], sample, 0, "ok", f"reply {sample}"), verdicts)
        judge_again(store, range(1, 11))
        for number in range(1, 5):
            star(store, "ann", number)
        insert_event(store, EventRow(None, None, 2, "ben", "note", answer="odd"))
    return path


def problems(path: Path) -> list[Problem]:
    with Store.open(path) as store:
        return verify_store(store).problems


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    shutil.copy(made, tmp_path / "s.db")
    return tmp_path / "s.db"


def test_a_store_as_it_was_filled_holds(path: Path) -> None:
    with Store.open(path) as store:
        report = verify_store(store)
    assert [str(problem) for problem in report.problems] == []
    assert "3 runs: 40 replies, 90 verdicts" in report.checked[1]


@pytest.mark.parametrize(
    ("statement", "place", "row"),
    [
        ("UPDATE replies SET text = 'nicer' WHERE reply_id = 7", "replies", "reply_id 7 "),
        ("UPDATE replies SET received_at = '2001-01-01' WHERE reply_id = 40", "replies", "reply_id 40 "),
        ("UPDATE replies SET chain = zeroblob(32) WHERE reply_id = 9", "replies", "reply_id 9 "),
        ("UPDATE verdicts SET value = 1.0 WHERE verdict_id = 2", "verdicts", "verdict_id 2 "),
        ("UPDATE verdicts SET raw = '1' WHERE verdict_id = 85", "verdicts", "verdict_id 85 "),
        ("UPDATE review_events SET reviewer = 'eve' WHERE event_id = 2", "review_events", "event_id 2 "),
        ("UPDATE review_events SET chain = zeroblob(32) WHERE event_id = 2", "review_events", "event_id 2 "),
        ('UPDATE texts SET text = \'{"system":"be evil"}\'', "texts", "hash "),
        ("UPDATE prompts SET text = 'say please' WHERE prompt_id = 2", "prompts", "prompt_id 2"),
        ("UPDATE plans SET content_hash = 'abc' WHERE plan_id = 1", "plans", "plan_id 1"),
        ("UPDATE plans SET n_slots = 3 WHERE plan_id = 2", "plans", "plan_id 2"),
        ("UPDATE plans SET instrument = 'original@1' WHERE plan_id = 2", "plans", "plan_id 2"),
        ("UPDATE plans SET preset = 'paper' WHERE plan_id = 2", "plans", "plan_id 2"),
        ("UPDATE plan_cells SET n_samples = 9 WHERE plan_id = 1 AND position = 0", "plans", "plan_id 1"),
        ('UPDATE scorers SET detail = \'{"model":"kind"}\' WHERE scorer_id = 2', "scorers", "scorer_id 2"),
        ("UPDATE scorers SET detail = '{' WHERE scorer_id = 2", "texts, prompts and scorers", ""),
    ],
)
def test_an_edited_row_is_named(path: Path, statement: str, place: str, row: str) -> None:
    tamper(path, statement)
    found = problems(path)
    assert place in {problem.place for problem in found}
    rows = [problem.row for problem in found if problem.place == place]
    assert all(name.startswith(row) for name in rows), rows
    assert place not in ("replies", "verdicts", "review_events") or len(found) == 1


def test_removed_rows_are_missed_in_every_chain_they_were_in(path: Path) -> None:
    tamper(path, "DELETE FROM verdicts WHERE reply_id = 5")
    tamper(path, "DELETE FROM replies WHERE reply_id = 5")
    found = problems(path)
    assert {problem.place for problem in found} == {"replies or verdicts"}
    assert ["seq 7 to 9, after verdict_id 6" in problem.row for problem in found] == [True, False]
    assert ["seq 5, after verdict_id 84" in problem.row for problem in found] == [False, True]
    assert all("missing" in problem.what for problem in found)


def test_the_first_row_of_a_chain_is_missed_too(path: Path) -> None:
    tamper(path, "DELETE FROM verdicts WHERE verdict_id = 81")
    assert ["seq 1, after its beginning" in problem.row for problem in problems(path)] == [True]


def test_a_row_moved_to_another_run_is_named(path: Path) -> None:
    tamper(path, "UPDATE replies SET run_id = 2, seq = 900 WHERE reply_id = 7")
    assert "reply_id 7 " in " ".join(problem.row for problem in problems(path))


def test_a_reply_under_its_verdicts_is_missed_by_reference(path: Path) -> None:
    tamper(path, "DELETE FROM replies WHERE reply_id = 5")
    found = {(problem.place, problem.what) for problem in problems(path)}
    assert ("verdicts", "names a row of replies that is not there") in found


def test_a_guard_that_is_gone_is_named(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("DROP TRIGGER verdicts_no_UPDATE")
    db.close()
    found = problems(path)
    assert [problem.row for problem in found] == ["trigger verdicts_no_UPDATE"]


def test_a_table_that_was_rewritten_does_not_name_every_row(path: Path) -> None:
    tamper(path, "UPDATE verdicts SET value = 1.0 WHERE value IS NOT NULL")
    tamper(path, "UPDATE verdicts SET model = 'kind'")
    tamper(path, "UPDATE replies SET model = 'kind'")
    found = problems(path)
    assert len(found) == 101 and "ended after 100" in found[-1].what


def test_voids_say_what_they_voided(path: Path) -> None:
    with Store.open(path, write=True) as store:
        void(store, 1, "", "insults-1", "wrong prompt")
    assert problems(path) == []
    tamper(path, "UPDATE voids SET n_replies = 1")
    assert [(p.place, p.found, p.expected) for p in problems(path)] == [("voids", "1", "5")]


def test_the_scene_of_the_exports_holds(tmp_path: Path) -> None:
    with grid(tmp_path / "g.db", n=1, variants=VARIANTS[:1]):
        pass
    assert problems(tmp_path / "g.db") == []


@pytest.mark.parametrize(
    ("statement", "place", "column"),
    [
        ("UPDATE queues SET frame_hash = 'abc'", "queues", "frame_hash"),
        ("UPDATE queues SET n_planned = n_planned + 1", "queues", "n_planned"),
        ("UPDATE queue_items SET role = 'repeat' WHERE position = 1", "queues", "n_planned"),
        ("UPDATE review_events SET answer = '1', value = 1.0 WHERE kind = 'score'", "review_events", ""),
    ],
)
def test_an_edited_draw_or_label_is_named(tmp_path: Path, statement: str, place: str, column: str) -> None:
    with harm_store(tmp_path / "q.db", {"a": [[1.0, 2.0, 5.0], [1.0, 1.0, 3.0]]}) as store:
        queue = drawn(store, 4)
        session(store, queue).score("4")
        add_variants(store, [{"name": "later", "model": "m"}])
    assert [problem for problem in problems(tmp_path / "q.db") if problem.column != "content_hash"] == []
    tamper(tmp_path / "q.db", statement)
    found = [problem for problem in problems(tmp_path / "q.db") if problem.column != "content_hash"]
    assert [(problem.place, problem.column) for problem in found] == [(place, column)]
