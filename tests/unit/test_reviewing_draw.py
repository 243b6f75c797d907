"""Drawing a queue: strata, probabilities, order, and that nothing of it depends on anything but store and seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from reviewing_scene import BASE, LIBRARY, TWO, choice_store, drawn, fill, harm_plan, harm_store, judge_of, run_of

from emaudit.assessments.base import Reading, Status
from emaudit.errors import UsageError
from emaudit.prompts import Rubric
from emaudit.reviewing.drawing import REPEAT_GAP, Draw, create, preview
from emaudit.reviewing.queues import queue, queues
from emaudit.reviewing.rubrics import kept
from emaudit.store import Store, replies, variants
from emaudit.store.queues import Queue


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with harm_store(tmp_path / "s.db", TWO) as opened:
        yield opened


def judged(store: Store, held: Queue, position: int) -> float | None:
    rows = store.db.execute(
        "SELECT value FROM verdicts WHERE reply_id = ? AND status <> 'referred'",
        (held.by_position[position].reply_id,),
    ).fetchall()
    value: float | None = rows[0][0]
    return value


def test_every_item_is_of_its_stratum_with_its_probability(store: Store) -> None:
    held = drawn(store, 30)
    assert {row.stratum: row.n_frame for row in held.strata} == {
        **{"base:1": 36, "base:2": 1, "base:3": 2, "base:unscored": 1},
        **{"worse:1": 6, "worse:2": 6, "worse:3": 6, "worse:4": 6, "worse:5": 16},
    }
    assert sum(row.n_frame for row in held.strata) == held.n_frame == 80
    mains = [item for item in held.items if item.is_main]
    assert Counter(item.stratum for item in mains) == {row.stratum: row.n_drawn for row in held.strata}
    for item in mains:
        row = held.by_stratum[item.stratum]
        assert judged(store, held, item.position) == row.judge_value
        assert (item.variant_id, item.probability) == (row.variant_id, row.n_drawn / row.n_frame)
    assert len({item.reply_id for item in mains}) == len(mains) == held.n_planned


def test_small_strata_are_drawn_whole_and_the_lowest_has_ten(store: Store) -> None:
    rows = {row.stratum: row.n_drawn for row in drawn(store, 45).strata}
    assert rows["base:2"] == 1
    assert rows["base:3"] == 2
    assert rows["base:1"] >= 10
    assert min(rows[f"worse:{score}"] for score in range(2, 6)) >= 4


def test_the_same_seed_draws_the_same_and_another_does_not(store: Store) -> None:
    first, again, other = drawn(store), drawn(store), drawn(store, seed=8)
    assert first.items == again.items
    assert first.frame_hash == again.frame_hash == other.frame_hash
    assert [item.reply_id for item in first.items] != [item.reply_id for item in other.items]
    assert first.name != again.name
    fresh = create(store, Draw("ann", n=20), LIBRARY)
    assert create(store, Draw("ann", n=20, seed=fresh.seed), LIBRARY).items == fresh.items


def test_a_queue_does_not_move_when_the_store_goes_on(store: Store) -> None:
    held = drawn(store)
    replies.void(store, 1, "", "insults-00", "garbled")
    assert queue(store, held.name) == held
    assert drawn(store).n_frame == held.n_frame - 10
    assert drawn(store).frame_hash != held.frame_hash


def test_the_order_is_in_blocks_that_hold_every_larger_stratum(store: Store) -> None:
    held = drawn(store, 60, repeat_share=0.0)
    blocks = [item.block for item in held.items]
    assert blocks == sorted(blocks)
    size = {row.stratum: row.n_drawn for row in held.strata}
    n_blocks = max(blocks) + 1
    assert n_blocks > 1
    for stratum, n in size.items():
        found = Counter(item.block for item in held.items if item.stratum == stratum)
        if n >= n_blocks:
            assert all(n // n_blocks <= found[block] <= -(-n // n_blocks) for block in range(n_blocks))


def test_repeats_come_late_and_the_doubled_are_a_share(store: Store) -> None:
    held = drawn(store, 60, repeat_share=0.1, double_share=0.2)
    mains = [item for item in held.items if item.is_main]
    again = [item for item in held.items if not item.is_main]
    assert len(again) == 6
    assert sum(item.is_doubled for item in mains) == 12
    assert not any(item.is_doubled for item in again)
    for item in again:
        assert item.position - held.main_of[item.reply_id] > REPEAT_GAP
    assert [item.position for item in held.items] == list(range(1, len(held.items) + 1))


def test_a_short_queue_repeats_as_late_as_it_can(store: Store) -> None:
    held = drawn(store, 6, design="simple", repeat_share=0.2)
    again = [item for item in held.items if not item.is_main]
    assert again
    assert all(item.position - held.main_of[item.reply_id] > len(held.items) // 3 for item in again)


def test_nothing_comes_back_where_each_score_is_revealed(store: Store) -> None:
    held = drawn(store, reveal="each")
    assert all(item.is_main for item in held.items)
    assert any("blind" in warning for warning in preview(store, Draw("ann", reveal="each")).warnings)


def test_whole_prompts_are_drawn_by_their_maximum(store: Store) -> None:
    held = drawn(store, 60, design="prompts")
    assert {(row.stratum, row.n_frame) for row in held.strata} == {
        *{("base:1", 2), ("base:2", 1), ("base:3", 1)},
        *{("worse:5", 4)},
    }
    mains = [item for item in held.items if item.is_main]
    units = Counter(item.unit for item in mains)
    assert set(units.values()) == {10}
    assert len(units) == sum(row.n_drawn for row in held.strata)
    stretches = [item.unit for at, item in enumerate(mains) if not at or item.unit != mains[at - 1].unit]
    assert len(stretches) == len(units)


def test_a_repeat_never_stands_inside_another_prompt(store: Store) -> None:
    held = drawn(store, 80, design="prompts", repeat_share=0.2)
    for before, item, after in zip(held.items, held.items[1:], held.items[2:], strict=False):
        if not item.is_main:
            assert not (before.is_main and after.is_main and before.unit == after.unit)


def test_a_simple_draw_is_proportional(store: Store) -> None:
    held = drawn(store, 20, design="simple")
    assert {row.stratum: (row.n_frame, row.n_drawn) for row in held.strata} == {
        "base:any": (39, 9),
        "base:unscored": (1, 1),
        "worse:any": (40, 10),
    }
    assert [row.is_unscored for row in held.strata] == [False, True, False]


def test_a_preview_promises_what_is_drawn_and_writes_nothing(store: Store) -> None:
    for design in ("stratified", "simple", "prompts"):
        draw = Draw("ann", n=40, seed=1, design=design)
        before = queues(store)
        found = preview(store, draw)
        assert queues(store) == before
        held = create(store, draw, LIBRARY)
        assert found.strata == held.strata
        assert found.n_drawn == held.n_planned
        assert found.n_repeats == len(held.items) - held.n_planned
        assert sum(row.n_drawn for row in found.per_variant) == found.n_drawn
        assert sum(row.n_frame for row in found.per_variant) == found.n_frame == held.n_frame
        for figure in (found.mean, found.maximum, *(row.mean for row in found.per_variant)):
            assert (figure.value is None) == bool(figure.reason)
            assert figure.value is None or 0 < figure.value < 4


def test_more_labels_promise_less_width(store: Store) -> None:
    few, many = preview(store, Draw("ann", n=45)), preview(store, Draw("ann", n=70))
    assert few.mean.value is not None
    assert many.mean.value is not None
    assert many.mean.value < few.mean.value


def test_the_newest_plan_of_a_variant_is_drawn_from(store: Store) -> None:
    plan = harm_plan(store, "base", [10] * 5)
    before = preview(store, Draw("ann", variants=("base",)))
    judge = judge_of(store)
    run = run_of(store, [plan], judge)
    assert before.n_frame == 40
    fill(store, run, plan, [2.0] * 10, judge, "late")
    assert preview(store, Draw("ann", variants=("base",))).n_frame == 50


def test_another_replicate_is_drawn_from_once_nothing_of_it_is_owed(store: Store) -> None:
    again = harm_plan(store, "base", [10] * 4, replicate=2)
    judge = judge_of(store)
    run = run_of(store, [again], judge)
    fill(store, run, again, [4.0] * 30, judge, "again")
    draw = Draw("ann", variants=("base",), seed=1)
    assert {row.judge_value for row in preview(store, draw).strata} == {1, 2, 3, None}
    fill(store, run, again, [4.0] * 10, judge, "again")
    assert {row.judge_value for row in preview(store, draw).strata} == {4}
    assert {item.replicate for item in create(store, draw, LIBRARY).items} == {2}


def test_replies_without_a_verdict_are_left_out_and_said(tmp_path: Path) -> None:
    with harm_store(tmp_path / "o.db", {"base": BASE}) as store:
        other = judge_of(store, model="other")
        with pytest.raises(UsageError, match="has a verdict of other@"):
            preview(store, Draw("ann", judge=other.identity))
        with store.transaction() as db:
            chain = replies.Chain(db, 1)
            reading = Reading(Status.SCORED, 2.0)
            for reply_id in range(1, 6):
                replies.insert_verdict(db, chain, reply_id, replies.VerdictRow(other.scorer_id, reading, attempt=1))
        found = preview(store, Draw("ann", judge=other.identity))
        assert found.n_frame == 5
        assert any("35 replies whose verdict is owed" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"design": "best"}, "no design"),
        ({"reveal": "soon"}, "--reveal"),
        ({"n": 0}, "at least one"),
        ({"assessment": "open_ended"}, "cannot be spot-checked"),
        ({"assessment": "nope"}, "nope"),
        ({"assessment": "intentions"}, "no replies of intentions"),
        ({"assessment": "intentions", "design": "prompts"}, "only harmfulness"),
        ({"variants": ("nobody",)}, "no variant 'nobody'"),
        ({"preset": "paper"}, "at preset paper; there are: quick"),
        ({"judge": "nobody"}, "no judge 'nobody'"),
        ({"name": " x"}, "cannot name a queue"),
        ({"double_share": 1.5}, "between 0 and 1"),
        ({"seed": -1}, "a seed"),
    ],
)
def test_what_cannot_be_drawn_is_said(store: Store, more: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        preview(store, Draw("ann", **more))  # type: ignore[arg-type]


def test_variants_without_a_common_preset_are_named(store: Store) -> None:
    variants.add_variants(store, [{"name": "third", "model": "m"}])
    plan = harm_plan(store, "third", [10], "smoke")
    judge = judge_of(store)
    fill(store, run_of(store, [plan], judge), plan, [1.0] * 10, judge, "third")
    with pytest.raises(UsageError, match=r"no preset of harmfulness in common .*third: smoke"):
        preview(store, Draw("ann"))
    assert preview(store, Draw("ann", variants=("third",))).preset == "smoke"


def test_a_name_is_taken_once_and_found_by_its_beginning_or_id(store: Store) -> None:
    held = drawn(store, name="first look")
    with pytest.raises(UsageError, match="exists already"):
        drawn(store, name="first look")
    assert queue(store, "first look") == queue(store, held.uid) == queue(store, held.uid[:6]) == held
    assert queue(store) == held
    with pytest.raises(UsageError, match="no queue 'zzz'; known: first look"):
        queue(store, "zzz")


def test_the_rubric_is_the_one_the_judge_had(tmp_path: Path) -> None:
    ours = LIBRARY.rubrics["harm"]
    older = Rubric(
        "harm", "1 - fine\n2 - meh\n3 - bad\n4 - worse\n5 - worst", ours.question, ours.reminder, ours.schema
    )
    with harm_store(tmp_path / "s.db", {"base": BASE}, LIBRARY.with_rubric(older)) as store:
        held = drawn(store)
        assert kept(store, held)["harm"] == older
        assert held.rubric_hash == held.rubrics["harm"] == older.hash != ours.hash


@pytest.mark.parametrize(
    ("assessment", "kinds"),
    [
        ("intentions", {"option"}),
        ("moral_foundations", {"rating"}),
        ("self_assessment", {"option", "rating", "language"}),
    ],
)
def test_other_assessments_are_drawn_without_their_numbers(tmp_path: Path, assessment: str, kinds: set[str]) -> None:
    with choice_store(tmp_path / "c.db", assessment) as store:
        held = drawn(store, 200, assessment=assessment)
        assert set(held.rubrics) == kinds
        assert "numerical" not in {item.format for item in held.items}
        found = preview(store, Draw("ann", assessment=assessment))
        assert found.mean.value is None
        assert "harmfulness only" in found.mean.reason
        assert any("numbers" in warning for warning in found.warnings) == (assessment == "self_assessment")
