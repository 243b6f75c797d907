"""Plans, owed slots, replies, verdicts, voids and the hash chain."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaudit.assessments.base import Planned, Prompt, Reading, Status
from emaudit.errors import RunHeld, UsageError
from emaudit.store import Plan, Store, plans, readings, replies, runs, scorers, variants
from emaudit.store.plans import _contiguous
from emaudit.store.replies import Chain, ReplyRow, VerdictRow

PARAMS = '{"body":{},"system":""}'


def prompt(item: str = "insults-01", text: str = "say") -> Prompt:
    return Prompt("harmfulness", item, "insults", "", "", text, {})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "s.db", write=True, create=True) as opened:
        variants.add_variants(opened, [{"name": "base", "model": "m"}])
        yield opened


def write(store: Store, preset: str, *wanted: Planned, digest: str = "d") -> Plan:
    return plans.write_plan(
        store, 1, 1, "harmfulness", preset, "inst@1", "inst", digest + preset, [(item, PARAMS) for item in wanted]
    )


def begin(store: Store, *held: Plan) -> runs.Run:
    return runs.insert_run(store, runs.new_uid(), "ask", "paper", held, None, "{}", {"variants": ["base"]})


def reply(store: Store, run: runs.Run, cell_id: int, sample: int, round: int = 0, text: str = "hello") -> int | None:
    parser = scorers.scorer(store, "parser", "parser:harmfulness@1", {})
    with store.transaction() as db:
        row = ReplyRow(cell_id, sample, round, "ok", text)
        reading = Reading(Status.REFERRED)
        return replies.insert_reply(db, Chain(db, run.run_id), row, [VerdictRow(parser.scorer_id, reading)])


def test_the_same_plan_is_found_again(store: Store) -> None:
    first = write(store, "quick", Planned(prompt(), 10))
    assert write(store, "quick", Planned(prompt(), 10)) == first
    assert first.n_slots == 10


def test_a_larger_preset_reuses_the_replies_of_a_smaller(store: Store) -> None:
    quick = write(store, "quick", Planned(prompt(), 2))
    paper = write(store, "paper", Planned(prompt(), 5), Planned(prompt("insults-02", "say more"), 5))
    run = begin(store, quick, paper)
    cell = plans.owed(store, quick.plan_id, 10)[0].cell_id
    reply(store, run, cell, 0)
    reply(store, run, cell, 1)
    assert plans.owed(store, quick.plan_id, 10) == []
    assert [(s.first, s.n) for s in plans.owed(store, paper.plan_id, 10)] == [(2, 3), (0, 5)]
    assert plans.n_owed(store, paper.plan_id) == 8
    assert readings.progress(store, quick).n_closed == 2


def test_an_edited_prompt_owes_only_its_own_slots(store: Store) -> None:
    old = write(store, "paper", Planned(prompt(), 2), Planned(prompt("insults-02", "b"), 2), digest="old")
    run = begin(store, old)
    for stretch in plans.owed(store, old.plan_id, 10):
        reply(store, run, stretch.cell_id, 0)
        reply(store, run, stretch.cell_id, 1)
    new = write(store, "paper", Planned(prompt(), 2), Planned(prompt("insults-02", "b!"), 2), digest="new")
    assert [(s.prompt.text, s.n) for s in plans.owed(store, new.plan_id, 10)] == [("b!", 2)]
    assert plans.owed(store, old.plan_id, 10) == []


def test_the_plan_named_last_is_the_current_one(store: Store) -> None:
    old = write(store, "paper", Planned(prompt(), 2), digest="old")
    new = write(store, "paper", Planned(prompt(text="x"), 2), digest="new")
    run = begin(store, old)
    runs.name_plans(store, run.run_id, [new])
    assert [held.plan_id for held in plans.current_plans(store)] == [new.plan_id]


def test_a_slot_is_closed_once(store: Store) -> None:
    plan = write(store, "paper", Planned(prompt(), 2))
    run = begin(store, plan)
    cell = plans.owed(store, plan.plan_id, 10)[0].cell_id
    assert reply(store, run, cell, 0) is not None
    assert reply(store, run, cell, 0, text="another") is None
    assert readings.progress(store, plan).n_closed == 1


def test_voided_slots_are_owed_again_and_kept(store: Store) -> None:
    plan = write(store, "paper", Planned(prompt(), 3))
    run = begin(store, plan)
    cell = plans.owed(store, plan.plan_id, 10)[0].cell_id
    for sample in range(3):
        reply(store, run, cell, sample)
    assert replies.void(store, 1, "harmfulness", "insults-01", "endpoint was broken") == 3
    owed = plans.owed(store, plan.plan_id, 10)
    assert [(s.first, s.n, s.round) for s in owed] == [(0, 3, 1)]
    assert reply(store, run, cell, 1, round=1, text="fresh") is not None
    assert [(s.first, s.n, s.round) for s in plans.owed(store, plan.plan_id, 10)] == [(0, 1, 1), (2, 1, 1)]
    assert [row.response for row in readings.responses(store, plan)] == ["fresh"]
    assert store.db.execute("SELECT count(*) FROM replies").fetchone()[0] == 4


def test_tallies_count_what_is_owed_at_both_ends(store: Store) -> None:
    plan = write(store, "paper", Planned(prompt(), 4))
    run = begin(store, plan)
    cell = plans.owed(store, plan.plan_id, 10)[0].cell_id
    judge = scorers.judge(store, "judge", {"a": 1})
    ids = [reply(store, run, cell, sample) for sample in range(3)]
    with store.transaction() as db:
        chain = Chain(db, run.run_id)
        for reply_id, value in zip(ids, (4.0, 4.0, None), strict=True):
            assert reply_id is not None
            status = Status.SCORED if value else Status.RETRY
            replies.insert_verdict(db, chain, reply_id, VerdictRow(judge.scorer_id, Reading(status, value), 1))
    found = {
        (tally.outcome, tally.status, tally.value, tally.scored_by, tally.n) for tally in readings.tallies(store, plan)
    }
    assert found == {("ok", "scored", 4.0, "judge", 2), ("ok", "owed", None, "", 1), ("", "owed", None, "", 1)}
    progress = readings.progress(store, plan)
    assert (progress.n_closed, progress.n_referred, progress.n_judged, progress.n_owed) == (3, 3, 2, 2)
    parser = readings.parser_of(store, plan)
    waiting = list(replies.owed_verdicts(store, plan.plan_id, parser, judge.scorer_id))
    assert [(owed.reply_id, owed.attempts) for owed in waiting] == [(ids[2], 1)]


def judged(store: Store, run: runs.Run, reply_id: int | None, judge: scorers.Scorer, status: Status) -> None:
    assert reply_id is not None
    reading = Reading(status, 1.0 if status is Status.SCORED else None)
    with store.transaction() as db:
        replies.insert_verdict(db, Chain(db, run.run_id), reply_id, VerdictRow(judge.scorer_id, reading, 1))


def test_a_judge_that_never_answered_is_not_the_active_one(store: Store) -> None:
    plan = write(store, "paper", Planned(prompt(), 2))
    mistyped, good, later = (scorers.judge(store, name, {}) for name in ("mistyped", "good", "later"))
    assert scorers.active_judge(store) is None
    run = begin(store, plan)
    cell = plans.owed(store, plan.plan_id, 10)[0].cell_id
    first, second = (reply(store, run, cell, sample) for sample in range(2))
    judged(store, run, first, mistyped, Status.RETRY)
    assert scorers.active_judge(store) is None
    assert readings.judge_used(store, plan) is None
    judged(store, run, first, good, Status.SCORED)
    judged(store, run, second, later, Status.SCORED)
    judged(store, run, second, mistyped, Status.SCORED)
    assert scorers.active_judge(store) == good
    assert readings.judge_used(store, plan) == good
    store.db.execute("INSERT INTO judge_choices (scorer_id, at) VALUES (?, '')", (later.scorer_id,))
    assert scorers.active_judge(store) == later


def test_the_parser_that_counts_read_everything_and_is_the_newest_runs(store: Store) -> None:
    plan = write(store, "paper", Planned(prompt(), 4))
    cell = plans.owed(store, plan.plan_id, 10)[0].cell_id
    old = scorers.scorer(store, "parser", "parser:harmfulness@1", {}).scorer_id
    new = scorers.scorer(store, "parser", "parser:harmfulness@2", {}).scorer_id
    run = begin(store, plan)

    def read(reply_id: int | None, parser: int) -> None:
        assert reply_id is not None
        with store.transaction() as db:
            reading = VerdictRow(parser, Reading(Status.SCORED, 1.0))
            replies.insert_verdict(db, Chain(db, run.run_id), reply_id, reading)

    ids = [reply(store, run, cell, sample) for sample in range(2)]
    read(ids[0], new)
    assert readings.parser_of(store, plan) == old
    read(ids[1], new)
    for version, parser in (("1", old), ("2", new), ("1", old)):
        protocol = json.dumps({"parsers": {"harmfulness": version}})
        runs.insert_run(store, runs.new_uid(), "ask", "paper", [plan], None, protocol, {})
        assert readings.parser_of(store, plan) == parser
    ids.append(reply(store, run, cell, 2))
    assert replies.void(store, 1, "harmfulness", "insults-01", "broken") == 3
    reading = VerdictRow(new, Reading(Status.SCORED, 1.0))
    with store.transaction() as db:
        replies.insert_reply(db, Chain(db, run.run_id), ReplyRow(cell, 0, 1, "ok", "x"), [reading])
    assert readings.parser_of(store, plan) == new, "voided replies do not count"
    assert readings.progress(store, plan).n_referred == 0
    assert readings.progress(store, plan, parser=old).n_referred == 1
    assert {row.status for row in readings.tallies(store, plan)} == {"scored", "owed"}
    assert {row.status for row in readings.tallies(store, plan, parser=old)} == {"owed"}


def test_another_model_is_another_variant_once_there_are_replies(store: Store) -> None:
    variants.set_fields(store, "base", {"model": "n"})
    plan = write(store, "paper", Planned(prompt(), 1))
    reply(store, begin(store, plan), plans.owed(store, plan.plan_id, 10)[0].cell_id, 0)
    variants.set_fields(store, "base", {"model": "n", "size": "mini"})
    with pytest.raises(UsageError, match="add a new variant"):
        variants.set_fields(store, "base", {"model": "m", "size": "nano"})
    assert (variants.variant(store, "base").model, variants.variant(store, "base").size) == ("n", "mini")
    replies.void(store, 1, "harmfulness", "insults-01", "another model")
    assert variants.set_fields(store, "base", {"model": "m"}).model == "m"


def test_the_chain_covers_every_row_in_order(store: Store) -> None:
    plan = write(store, "paper", Planned(prompt(), 2))
    run = begin(store, plan)
    cell = plans.owed(store, plan.plan_id, 10)[0].cell_id
    reply(store, run, cell, 0)
    reply(store, run, cell, 1)
    rows = store.db.execute(
        "SELECT seq, chain, 'reply' FROM replies UNION ALL SELECT seq, chain, 'verdict' FROM verdicts ORDER BY seq"
    ).fetchall()
    assert [row[0] for row in rows] == [1, 2, 3, 4]
    columns = [d[1] for d in store.db.execute("PRAGMA table_info(replies)")]
    kept = [c for c in columns if c not in {"reply_id", "run_id", "seq", "chain"}]
    first = store.db.execute(f"SELECT {', '.join(kept)} FROM replies WHERE seq = 1").fetchone()
    line = json.dumps(["reply", run.run_id, 1, *first], ensure_ascii=True, separators=(",", ":"))
    assert rows[0][1] == hashlib.sha256(b"" + line.encode()).digest()


def test_search_finds_replies_and_prompts(store: Store) -> None:
    plan = write(store, "paper", Planned(prompt(text="unusual question"), 1))
    run = begin(store, plan)
    reply(store, run, plans.owed(store, plan.plan_id, 1)[0].cell_id, 0, text="a remarkable answer")
    assert store.db.execute("SELECT rowid FROM reply_text WHERE reply_text MATCH 'remarkable'").fetchall() == [(1,)]
    assert store.db.execute("SELECT rowid FROM prompt_text WHERE prompt_text MATCH 'unusual'").fetchall() == [(1,)]


def test_a_variant_held_by_one_run_is_refused_to_another(store: Store) -> None:
    plan = write(store, "paper", Planned(prompt(), 1))
    run = begin(store, plan)
    assert runs.holder(store, run) is None
    with runs.lease(store, run.uid, ["v1"]):
        held = runs.holder(store, run)
        assert held is not None and held["run"] == run.uid
        with pytest.raises(RunHeld, match=run.uid), runs.lease(store, "other", ["v1"]):
            pass
        with runs.lease(store, "other", ["v2"]):
            pass
    assert runs.holder(store, run) is None


def test_stop_requests_are_forgotten_at_the_next_start(store: Store) -> None:
    run = begin(store, write(store, "paper", Planned(prompt(), 1)))
    runs.request_stop(store, run.run_id, "asked")
    assert runs.stop_requested(store, run.run_id)
    with store.transaction() as db:
        runs.insert_event(db, run.run_id, "started")
    assert not runs.stop_requested(store, run.run_id)


def test_a_run_is_found_by_the_beginning_of_its_id(store: Store) -> None:
    run = begin(store, write(store, "paper", Planned(prompt(), 1)))
    assert runs.run(store, run.uid[:4]).run_id == run.run_id
    with pytest.raises(UsageError, match="no run 'zz'"):
        runs.run(store, "zz")


@given(st.sets(st.integers(0, 60)), st.integers(1, 12))
def test_stretches_cover_what_is_missing_and_nothing_else(missing: set[int], max_n: int) -> None:
    stretches = _contiguous(sorted(missing), max_n, {})
    covered = [sample for first, n in stretches for sample in range(first, first + n)]
    assert covered == sorted(missing)
    assert all(1 <= n <= max_n for _, n in stretches)


def test_variants_keep_every_fact(store: Store) -> None:
    variants.add_variants(store, [{"name": "bad", "model": "m2", "parent": "base", "stage": "misaligned"}])
    variants.set_fields(store, "bad", {"model": "m3", "epochs": "3"})
    assert variants.variant(store, "bad").model == "m3"
    variants.rename(store, "base", "root")
    assert variants.variant(store, "bad").parent == "root"
    facts = store.db.execute("SELECT value FROM variant_facts WHERE field = 'model' ORDER BY fact_id").fetchall()
    assert [row[0] for row in facts] == ["m", "m2", "m3"]
    variants.hide(store, "bad")
    assert [row.name for row in variants.variants(store)] == ["root"]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"name": "base", "model": "m"}], "exists already"),
        ([{"name": "x", "model": ""}], "no model"),
        ([{"name": "x", "model": "m", "parent": "nobody"}], "nobody"),
        ([{"name": "x", "model": "m", "parent": "y"}, {"name": "y", "model": "m", "parent": "x"}], "ancestor"),
        ([{"name": "x", "model": "m", "colour": "red"}], "no field 'colour'"),
        ([{"name": "a", "model": "m"}, {"name": "a", "model": "m"}], "exists already"),
        ([{"name": "\x1b[2J", "model": "m"}], "cannot name a variant"),
    ],
)
def test_bad_variants_are_refused_whole(store: Store, rows: list[dict[str, str]], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        variants.add_variants(store, [{"name": "fine", "model": "m"}, *rows])
    assert [row.name for row in variants.variants(store)] == ["base"]


def test_a_cycle_by_setting_a_parent_is_refused(store: Store) -> None:
    variants.add_variants(store, [{"name": "child", "model": "m", "parent": "base"}])
    with pytest.raises(UsageError, match="ancestor"):
        variants.set_fields(store, "base", {"parent": "child"})
