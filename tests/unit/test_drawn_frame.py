"""A queue stands on the frame it was drawn from, whatever comes after: voids, later replies, stops, other queues."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from reviewing_scene import TWO, drawn, fill, harm_plan, harm_store, judge_of, run_of, session

from emaudit.archive import StoreArchive
from emaudit.assessments.base import Reading, Status
from emaudit.export import export_csv
from emaudit.judgetables import people_tables
from emaudit.methods import methods_page
from emaudit.reviewing.drawing import Draw, preview
from emaudit.reviewing.labels import looks
from emaudit.scores.agreement import agreement_tables, dashboard, gathering, lines, rows
from emaudit.scores.agreement.inputs import SpotCheck
from emaudit.screens import dashboard_text
from emaudit.store import replies, reviews
from emaudit.store.connection import Store
from emaudit.store.plans import current_plans
from emaudit.store.queues import Queue
from emaudit.store.queues import queue as stored
from emaudit.store.replies import Chain, VerdictRow
from emaudit.store.reviews import Event
from emaudit.store.scorers import Scorer
from emaudit.store.variants import rename


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with harm_store(tmp_path / "s.db", {"base": [[1] * 10, [2] * 10, [3] * 10]}) as opened:
        yield opened


def label(store: Store, queue: Queue, key: Callable[[int], str] = lambda position: "1", n: int = 10_000) -> None:
    """Label the next items of a queue, each with the key for its position."""
    held = session(store, queue)
    while n and held.item is not None:
        held.score(key(held.item.position), 1.0)
        n -= 1


def values(store: Store, queue: Queue, judge: str = "") -> list[tuple[object, ...]]:
    """What the dashboard says of every variant and measure."""
    return [
        (row.variant, row.measure, row.n, row.value_judge, row.value_corrected, row.corrected_low, row.corrected_high)
        for row in dashboard(store, queue, judge).rows
    ]


def shown(store: Store, queue: Queue) -> str:
    """Everything that the command and the screen say of a queue."""
    board = dashboard(store, queue)
    return "\n".join([*lines(board), *(line.plain for line in dashboard_text.lines(board, 100))])


@pytest.mark.parametrize("design", ["simple", "stratified", "prompts"])
def test_voided_replies_stay_in_the_frame_that_was_drawn_from(store: Store, tmp_path: Path, design: str) -> None:
    queue = drawn(store, n=30, design=design, double_share=0.0, repeat_share=0.0)
    label(store, queue)
    before = values(store, queue)
    assert before[0][4] is not None
    replies.void(store, 1, "harmfulness", "insults-01", "asked wrongly")
    assert values(store, queue) == before
    assert dashboard(store, queue).counts.n_voided == 10
    assert shown(store, queue).count("10 of replies voided since the draw, which stay in") == 2
    assert "10 labels are of replies voided since the draw, and stay in" in methods_page(store, "quick", [])
    export_csv(StoreArchive(store, "quick"), tmp_path / "out", "quick")
    assert [table.row.value_corrected for table in agreement_tables(store, "quick", current_plans(store))]
    assert people_tables(store)[0].headlines


def judge_again(store: Store, judge: Scorer) -> None:
    """Verdicts of another judge on every reply that it has not judged: 4 where the id is odd, else 2."""
    run = run_of(store, [plan for plan in current_plans(store) if plan.preset == "paper"], judge)
    ids = store.db.execute(
        "SELECT reply_id FROM replies EXCEPT SELECT reply_id FROM verdicts WHERE scorer_id = ?", (judge.scorer_id,)
    )
    held = [row[0] for row in ids]
    with store.transaction() as db:
        chain = Chain(db, run.run_id)
        for reply_id in held:
            row = VerdictRow(judge.scorer_id, Reading(Status.SCORED, 4.0 if reply_id % 2 else 2.0), 1, "raw")
            replies.insert_verdict(db, chain, reply_id, row)


@pytest.mark.parametrize("own", [True, False])
def test_later_replies_do_not_move_a_queue(tmp_path: Path, own: bool) -> None:
    with harm_store(tmp_path / "d.db", {"base": [[1]]}) as store:
        judge = judge_of(store)
        seen = judge if own else judge_of(store, model="other")
        plan = harm_plan(store, "base", [10] * 6, preset="paper")
        run = run_of(store, [plan], judge)
        fill(store, run, plan, [1, 2] * 15, judge, "first")
        queue = drawn(store, n=12, design="simple", preset="paper", double_share=0.0, repeat_share=0.0)
        label(store, queue)
        if not own:
            judge_again(store, seen)
        before = values(store, queue, seen.identity)
        fill(store, run, plan, [5] * 21, judge, "later")
        if not own:
            judge_again(store, seen)
        replies.void(store, 1, "harmfulness", "insults-01", "asked wrongly")
        assert values(store, queue, seen.identity) == before
        assert before[0][3] == pytest.approx(46 / 31 if own else 94 / 31)
        assert before[0][4] is not None


def test_another_judge_is_seen_over_the_replies_of_the_draw_alone(tmp_path: Path) -> None:
    with harm_store(tmp_path / "o.db", {"base": [[1] * 10, [3] * 10]}) as store:
        queue = drawn(store, n=20, design="simple", double_share=0.0, repeat_share=0.0)
        label(store, queue)
        other = judge_of(store, model="other")
        gathered = gathering.spot_check(store, queue, other.identity).frame["base"]
        assert (gathered.mean, gathered.n_scored) == (None, 0)
        own = gathering.spot_check(store, queue).frame["base"]
        assert (own.mean, own.maximum, own.n_scored) == (2.0, 2.0, 20)


def test_a_renamed_variant_keeps_what_the_draw_kept(store: Store) -> None:
    queue = drawn(store, n=12, design="simple", double_share=0.0, repeat_share=0.0)
    label(store, queue)
    before = values(store, queue)
    rename(store, "base", "calm")
    assert [("calm", *row[1:]) for row in before[:-1]] == values(store, stored(store))[:-1]


def test_a_queue_that_cannot_be_computed_takes_no_other_with_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    queues = [drawn(store, n=12, name=name, double_share=0.0, repeat_share=0.0) for name in ("bad", "good")]
    for queue in queues:
        label(store, queue)
    real = rows.tables

    def tables(check: SpotCheck) -> list[rows.Table]:
        if check.name == "bad":
            raise ValueError("20 labels in stratum all, which has 10 units")
        return real(check)

    monkeypatch.setattr(gathering, "tables", tables)
    monkeypatch.setattr("emaudit.scores.agreement.board.tables", tables)
    found = {
        (table.row.queue, table.row.variant): table.row
        for table in agreement_tables(store, "quick", current_plans(store))
    }
    bad, good = found["bad", "base"], found["good", "base"]
    assert good.value_corrected is not None
    assert bad.value_corrected is None
    assert "20 labels in stratum all" in bad.reasons["value_corrected"]
    assert "cannot be computed: 20 labels" in dashboard(store, queues[0]).hidden


def test_a_look_at_the_results_is_told_for_good(store: Store) -> None:
    queue = drawn(store, n=12, double_share=0.0, repeat_share=0.0)
    n = queue.n_planned
    label(store, queue, n=2)
    session(store, queue).stop("curious")
    assert "looked at" not in shown(store, queue)
    label(store, queue, n=3)
    said = f"results were looked at after 2 of {n} labels, interval nominal"
    assert said in dashboard(store, queue).looks
    session(store, queue).stop("curious again")
    label(store, queue)
    board = dashboard(store, queue)
    assert (board.hidden, board.stopped) == ("", "")
    said = f"results were looked at after 2 and 5 of {n} labels, interval nominal"
    assert board.looks == said
    assert board.usable is not None and said in board.usable.sentence
    assert said in methods_page(store, "quick", [])
    assert [line for line in lines(board) if line.strip() == said]
    assert any(line.plain == said for line in dashboard_text.lines(board, 100))
    assert [(seen.n_done, seen.reason) for seen in looks(events(store, queue))] == [
        (2, "curious"),
        (5, "curious again"),
    ]


def test_a_queue_that_nobody_looked_at_says_nothing_of_it(store: Store) -> None:
    queue = drawn(store, n=12, double_share=0.0, repeat_share=0.0)
    label(store, queue)
    assert "looked at" not in shown(store, queue) + methods_page(store, "quick", [])


def events(store: Store, queue: Queue) -> list[Event]:
    return reviews.events(store, queue.queue_id)


def test_a_simple_draw_pools_where_one_variant_has_no_label(tmp_path: Path) -> None:
    with harm_store(tmp_path / "p.db", TWO) as store:
        queue = drawn(store, n=20, design="simple", double_share=0.0, repeat_share=0.0)
        variant_of = {item.position: item.variant_id for item in queue.items}
        held = session(store, queue)
        while held.item is not None:
            if variant_of[held.item.position] == 1:
                held.score("1")
            else:
                held.cannot_tell("truncated")
        found = {row.variant: row for row in dashboard(store, queue).rows if row.measure == "mean"}
        assert found["worse"].value_corrected is None
        assert found["pooled"].value_corrected is not None


def test_whole_prompts_that_are_too_short_for_a_maximum_are_told_before_and_after(tmp_path: Path) -> None:
    with harm_store(tmp_path / "f.db", {"base": [[1, 2, 3, 4, 5], [2] * 5, [1] * 5, [3] * 5]}) as store:
        found = preview(store, Draw("ann", n=20, seed=1, design="prompts"))
        assert any("4 of 4 prompts have fewer than 10 replies" in warning for warning in found.warnings)
        assert (found.maximum.value, found.maximum.reason) == (
            None,
            "no prompt has the 10 replies that its maximum is over",
        )
        assert not any("fewer than 10" in said for said in preview(store, Draw("ann", n=20, seed=1)).warnings)
        queue = drawn(store, n=20, seed=1, design="prompts", double_share=0.0, repeat_share=0.0)
        label(store, queue)
        row = next(row for row in dashboard(store, queue).rows if row.measure == "max10")
        assert row.value_corrected is None
        assert "has 10 replies" in row.reasons["value_corrected"]
        assert "no label" not in row.reasons["value_corrected"]


def test_one_export_computes_every_queue_once(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = drawn(store, n=12, double_share=0.0, repeat_share=0.0)
    label(store, queue)
    real, computed = rows.tables, []

    def tables(check: SpotCheck) -> list[rows.Table]:
        computed.append(check.name)
        return real(check)

    monkeypatch.setattr(gathering, "tables", tables)
    monkeypatch.setattr("emaudit.scores.agreement.board.tables", tables)
    export_csv(StoreArchive(store, "quick"), tmp_path / "out", "quick")
    assert queue.name in (tmp_path / "out" / "methods.md").read_text(encoding="utf-8")
    assert computed == [queue.name]
