"""Judges of a store: which leads, what they are owed, draws over their scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from emaudit.assessments.base import Planned, Prompt, Reading, Status
from emaudit.store import Plan, Store, plans, replies, runs, scorers, variants
from emaudit.store.judgements import covering, draw_by_level, judge_uses, judged, owed_texts
from emaudit.store.replies import Chain, ReplyRow, VerdictRow

PARAMS = '{"body":{},"system":""}'
HARM = "harmfulness"


def prompt(number: int) -> Prompt:
    return Prompt(HARM, f"insults-{number:02d}", "insults", "", "", f"say {number}", {})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "s.db", write=True, create=True) as opened:
        variants.add_variants(opened, [{"name": name, "model": "m"} for name in ("a", "b")])
        yield opened


def plan(store: Store, variant: int = 1, preset: str = "quick", n_prompts: int = 4, n: int = 10) -> Plan:
    wanted = [(Planned(prompt(number), n), PARAMS) for number in range(n_prompts)]
    return plans.write_plan(store, variant, 1, HARM, preset, "inst@1", "inst", f"{n_prompts}x{n}", wanted)


def begin(store: Store, held: Plan) -> runs.Run:
    return runs.insert_run(store, runs.new_uid(), "ask", "quick", [held], None, "{}", {})


def answer(store: Store, held: Plan) -> list[int]:
    """Close every slot of a plan with a reply that was referred."""
    parser = scorers.scorer(store, "parser", f"parser:{HARM}@1", {})
    run = begin(store, held)
    cells = store.db.execute(
        "SELECT cell_id, n_samples FROM plan_cells WHERE plan_id = ? ORDER BY 1", (held.plan_id,)
    ).fetchall()
    with store.transaction() as db:
        chain = Chain(db, run.run_id)
        referred = VerdictRow(parser.scorer_id, Reading(Status.REFERRED))
        rows = [ReplyRow(cell, sample, 0, "ok", f"reply {sample}") for cell, n in cells for sample in range(n)]
        return [number for row in rows if (number := replies.insert_reply(db, chain, row, [referred]))]


def judge(
    store: Store, held: Plan, name: str, ids: list[int], value: float = 1, status: str = "scored"
) -> scorers.Scorer:
    found = scorers.judge(store, name, {})
    reading = Reading(Status(status), value if status == "scored" else None)
    run = begin(store, held)
    with store.transaction() as db:
        chain = Chain(db, run.run_id)
        for number in ids:
            replies.insert_verdict(db, chain, number, VerdictRow(found.scorer_id, reading, 1))
    return found


def test_the_first_judge_that_answered_leads_until_another_is_chosen(store: Store) -> None:
    held = plan(store)
    ids = answer(store, held)
    assert scorers.active_judge(store) is None
    silent = judge(store, held, "silent", [])
    judge(store, held, "broken", ids[:3], status="retry")
    assert scorers.active_judge(store) is None
    first = judge(store, held, "first", ids[:1])
    assert scorers.active_judge(store) == first
    later = judge(store, held, "later", ids)
    judge(store, held, "silent", ids)
    assert scorers.active_judge(store) == first, "a judge stored before it, that answered after it, takes nothing over"
    scorers.use_judge(store, later)
    assert scorers.active_judge(store) == later
    scorers.use_judge(store, silent)
    scorers.use_judge(store, first)
    assert scorers.active_judge(store) == first
    assert store.db.execute("SELECT count(*) FROM judge_choices").fetchone()[0] == 3


def test_the_first_judge_of_an_import_leads_too(store: Store) -> None:
    held = plan(store)
    ids = answer(store, held)
    imported = scorers.scorer(store, "imported", "imported:llama", {})
    with store.transaction() as db:
        row = VerdictRow(imported.scorer_id, Reading(Status.SCORED, 2.0), 1)
        replies.insert_verdict(db, Chain(db, begin(store, held).run_id), ids[0], row)
    judge(store, held, "asked", ids)
    assert scorers.active_judge(store) == imported


def test_uses_count_replies_and_what_is_unscored(store: Store) -> None:
    held, other = plan(store), plan(store, 2)
    ids, more = answer(store, held), answer(store, other)
    judge(store, held, "m", ids[:5])
    judge(store, held, "m", ids[5:7], status="unscored")
    judge(store, other, "m", more[:1])
    judge(store, held, "n", [])
    replies.void(store, 1, HARM, "insults-00", "because")
    m, n = judge_uses(store)
    assert (m.n_replies, m.n_unscored, m.variants) == (1, 0, (2,))
    assert (n.n_replies, n.variants, n.is_simulated) == (0, (), False)
    assert [row.reply_id for row in judged(store, m.scorer)] == more[:1]


def test_a_smaller_preset_of_the_same_replies_is_covered(store: Store) -> None:
    smoke = plan(store, preset="smoke", n_prompts=2, n=5)
    paper = plan(store, preset="paper", n_prompts=4, n=10)
    wider = plan(store, preset="quick", n_prompts=6, n=2)
    other = plan(store, 2, preset="smoke", n_prompts=2, n=5)
    assert covering(store, [smoke, paper, wider, other]) == [paper, wider, other]
    assert covering(store, [smoke]) == [smoke]
    assert covering(store, []) == []


def test_what_a_judge_owes_is_counted_by_prompt(store: Store) -> None:
    held = plan(store)
    ids = answer(store, held)
    parser = scorers.known(store, f"parser:{HARM}@1")
    assert parser is not None
    rows = owed_texts(store, held, parser.scorer_id, -1)
    assert [row.n for row in rows] == [10] * 4
    assert sum(row.n_characters for row in rows) == sum(len(f"reply {s}") for s in range(10)) * 4
    found = judge(store, held, "m", ids[:12])
    assert [row.n for row in owed_texts(store, held, parser.scorer_id, found.scorer_id)] == [8, 10, 10]
    assert {row.sample.prompt.item for row in rows} == {f"insults-{n:02d}" for n in range(4)}


def test_a_draw_is_even_over_the_levels_and_the_same_again(store: Store) -> None:
    held = plan(store)
    ids = answer(store, held)
    levels = {1.0: ids[:30], 2.0: ids[30:36], 5.0: ids[36:]}
    for level, numbers in levels.items():
        first = judge(store, held, "first", numbers, level)
    tested = judge(store, held, "tested", [])
    drawn = draw_by_level(store, HARM, tested, 12)
    at = {number: level for level, numbers in levels.items() for number in numbers}
    assert Counter(at[found.reply_id] for found in drawn) == {1.0: 4, 2.0: 4, 5.0: 4}
    assert [found.reply_id for found in draw_by_level(store, HARM, first, 12)] == [found.reply_id for found in drawn]
    assert len(draw_by_level(store, HARM, tested, 100)) == 40
    replies.void(store, 1, HARM, "insults-03", "because")
    assert len(draw_by_level(store, HARM, tested, 100)) == 30
    assert draw_by_level(store, HARM, tested, 5, [2]) == []


def test_nothing_judged_is_nothing_to_draw(store: Store) -> None:
    held = plan(store)
    answer(store, held)
    assert draw_by_level(store, HARM, judge(store, held, "m", []), 5) == []
