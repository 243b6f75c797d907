"""The blind session: one event a keystroke, undo without limit, and nothing shown that tells the judge."""

from __future__ import annotations

import dataclasses
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reviewing_scene import TWO, choice_store, drawn, harm_store, session

from emaudit.cli.review import _listed
from emaudit.config import Settings
from emaudit.errors import UsageError
from emaudit.reviewing.kinds import REASONS
from emaudit.reviewing.labels import Label, adjudicated, current, disagreements, effective, order, stopped
from emaudit.reviewing.session import Adjudication, Session, Shown
from emaudit.reviewing.spotchecks import SpotChecks
from emaudit.store import Store, reviews
from emaudit.store.queues import Queue

SETTINGS = Settings(Path("settings.toml"), {})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with harm_store(tmp_path / "s.db", TWO) as opened:
        yield opened


def held(store: Store, queue: Queue, reviewer: str = "ann") -> dict[int, Label]:
    found = current(reviews.events(store, queue.queue_id), queue)
    return {label.position: label for label in found if label.reviewer == reviewer}


def n_events(store: Store, queue: Queue) -> int:
    return len(reviews.events(store, queue.queue_id))


def up(desk: Session | Adjudication) -> Shown:
    shown = desk.item
    assert shown is not None
    return shown


def judge_value(store: Store, reply_id: int) -> float | None:
    row = store.db.execute(
        "SELECT value FROM verdicts WHERE reply_id = ? AND status <> 'referred'", (reply_id,)
    ).fetchone()
    return None if row is None or row[0] is None else float(row[0])


def test_ten_keystrokes_are_ten_events_and_the_queue_reopens_at_the_next(store: Store) -> None:
    queue = drawn(store)
    sitting = session(store, queue)
    for number in range(1, 8):
        assert up(sitting).number == number
        sitting.score(str(number % 5 + 1), 1.25)
    assert n_events(store, queue) == 7
    again = session(store, queue)
    assert up(again).number == 8
    for _ in range(3):
        again.score("1")
    assert n_events(store, queue) == 10
    assert up(session(store, queue)).number == 11
    labels = held(store, queue)
    assert [labels[p].value for p in range(1, 11)] == [2, 3, 4, 5, 1, 2, 3, 1, 1, 1]
    assert labels[1].seconds == 1.25
    assert labels[1].is_blind
    assert labels[1].rubric_hash == queue.rubrics["harm"]


def test_opening_and_looking_writes_nothing(store: Store) -> None:
    queue = drawn(store)
    sitting = session(store, queue)
    assert sitting.item is not None
    assert sitting.ahead is not None
    sitting.go_to(5)
    assert n_events(store, queue) == 0
    assert sitting.undo() is None
    assert n_events(store, queue) == 0


def test_undo_goes_back_across_sessions_and_keeps_all_events(store: Store) -> None:
    queue = drawn(store)
    first = session(store, queue)
    for _ in range(6):
        first.score("3")
    second = session(store, queue)
    landed = []
    for _ in range(5):
        undone = second.undo()
        assert undone is not None
        landed.append(undone.number)
        assert up(second).number == undone.number
        assert up(second).own.status == "open"
    assert landed == [6, 5, 4, 3, 2]
    second.score("1")
    assert up(second).number == 3
    labels = held(store, queue)
    assert [labels[p].value for p in range(1, 8)] == [3, 1, None, None, None, None, None]
    assert n_events(store, queue) == 6 + 5 + 1
    kinds = Counter(event.kind for event in reviews.events(store, queue.queue_id))
    assert kinds == {"score": 7, "undo": 5}


def test_a_second_sitting_of_one_person_saves_nothing_over_the_first(store: Store) -> None:
    queue = drawn(store, n=10)
    first, second = session(store, queue), session(store, queue)
    assert up(second).number == 1
    first.score("3")
    with pytest.raises(UsageError, match="elsewhere"):
        second.score("5")
    assert held(store, queue)[1].answer == "3"
    assert up(second).number == up(first).number == 2
    second.score("4")
    with pytest.raises(UsageError, match="elsewhere"):
        first.undo()
    assert n_events(store, queue) == 2
    undone = first.undo()
    assert undone is not None
    assert undone.number == 2


def test_another_raters_sitting_is_not_held_up(store: Store) -> None:
    queue = drawn(store, n=10)
    ann, ben = session(store, queue), session(store, queue, "ben")
    ben.score("2")
    ann.score("3")
    ben.score("2")
    ann.flag()
    assert n_events(store, queue) == 4
    assert [event.seq for event in reviews.events(store, queue.queue_id)] == [1, 2, 3, 4]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from("15dcufg"), max_size=40))
def test_the_store_folds_labels_as_the_session_does(store: Store, keys: list[str]) -> None:
    queue = drawn(store, n=10, repeat_share=0.3)
    sitting, rng = session(store, queue), random.Random(len(keys))
    for key in keys:
        if key == "u":
            sitting.undo()
            continue
        if key == "g" or sitting.item is None:
            sitting.go_to(rng.randint(1, len(queue.items)))
        if key in "15":
            sitting.score(key)
        elif key != "g":
            {"d": sitting.defer, "c": lambda: sitting.cannot_tell("truncated"), "f": sitting.flag}[key]()
    found = store.db.execute(
        f"SELECT e.position, l.kind, l.value FROM ({reviews.LABELS}) l JOIN review_events e USING (event_id) "
        "WHERE e.queue_id = ?",
        (queue.queue_id,),
    ).fetchall()
    labels = held(store, queue).values()
    wanted = [(x.position, "score" if x.status == "scored" else x.status, x.value) for x in labels if x.is_done]
    assert sorted(found) == sorted(wanted)
    flagged = {row[1] for row in store.db.execute(reviews.FLAGGED)}
    assert {label.reply_id for label in labels if label.is_flagged} <= flagged


def test_every_place_counts_the_same_items_as_done(store: Store) -> None:
    queue = drawn(store, n=20, repeat_share=0.3)
    sitting = session(store, queue)
    n = queue.n_planned
    n_repeats = len(queue.items) - n
    assert n_repeats > 1

    def counted() -> set[tuple[int, int, int, int, bool]]:
        rater, row = SpotChecks(store.path, SETTINGS).rows()[0].raters[0], _listed(store, queue, {})
        names = ("n_done", "n_planned", "n_repeats_done", "n_repeats")
        finished = SpotChecks(store.path, SETTINGS).rows()[0].is_finished
        told = sitting.tally
        assert (told.n_done, told.n_planned) == (rater.n_done + rater.n_repeats_done, len(queue.items))
        return {
            (*(getattr(rater, name) for name in names), finished),
            (*(row[name] for name in names), row["state"] == "done"),  # type: ignore[arg-type]
        }

    assert counted() == {(0, n, 0, n_repeats, False)}
    for position in (item.position for item in queue.items if item.is_main):
        sitting.go_to(sitting._numbers[position])
        sitting.score("2")
    assert counted() == {(n, n, 0, n_repeats, True)}
    sitting.score("2")
    assert counted() == {(n, n, 1, n_repeats, True)}


def test_undo_takes_back_a_rescore_first(store: Store) -> None:
    queue = drawn(store)
    sitting = session(store, queue)
    for key in "123":
        sitting.score(key)
    sitting.go_to(1)
    assert up(sitting).own.key == "1"
    sitting.score("5")
    assert up(sitting).number == 4
    assert (held(store, queue)[1].value, held(store, queue)[1].n_scores) == (5, 2)
    undone = sitting.undo()
    assert undone is not None
    assert (undone.number, undone.kind, undone.shown.own.key) == (1, "score", "1")
    undone = sitting.undo()
    assert undone is not None
    assert undone.number == 3


def test_deferred_items_come_back_at_the_end_in_their_order(store: Store) -> None:
    queue = drawn(store, 12, design="simple", repeat_share=0.0)
    sitting = session(store, queue)
    n = len(queue.items)
    sitting.defer()
    sitting.score("1")
    sitting.defer()
    for number in range(4, n + 1):
        assert up(sitting).number == number
        sitting.score("1")
    assert up(sitting).number == 1
    sitting.defer()
    assert up(sitting).number == 3
    sitting.score("2")
    assert up(sitting).number == 1
    assert sitting.tally.n_deferred == 1
    assert sitting.score("2") is None
    assert sitting.item is None
    assert (sitting.tally.n_done, sitting.tally.n_left) == (n, 0)
    with pytest.raises(UsageError, match="nothing is left"):
        sitting.score("1")


def test_flags_and_notes_stay_with_the_item_and_do_not_answer(store: Store) -> None:
    queue = drawn(store)
    sitting = session(store, queue)
    assert sitting.flag().own.is_flagged
    assert sitting.note("odd 5").own.note == "odd 5"
    assert up(sitting).number == 1
    assert sitting.tally.n_done == 0
    assert sitting.tally.n_flagged == 1
    assert not sitting.flag().own.is_flagged
    undone = sitting.undo()
    assert undone is not None
    assert undone.shown.own.is_flagged
    sitting.undo()
    assert up(sitting).own.note == ""
    assert held(store, queue)[1].is_flagged


def test_cannot_tell_wants_a_known_reason_and_has_no_value(store: Store) -> None:
    queue = drawn(store)
    sitting = session(store, queue)
    assert up(sitting).reasons == REASONS
    with pytest.raises(UsageError, match="no reason 'bored'; known: truncated"):
        sitting.cannot_tell("bored")
    with pytest.raises(UsageError, match="no reason 'neither'"):
        sitting.cannot_tell("neither")
    sitting.cannot_tell("truncated", 2.0)
    label = held(store, queue)[1]
    assert (label.status, label.value, label.reason, label.seconds) == ("cannot_tell", None, "truncated", 2.0)
    assert label.is_done
    assert not label.counts
    assert n_events(store, queue) == 1


@pytest.mark.parametrize("key", ["0", "6", "a", "", "first", "1 "])
def test_other_keys_are_refused_and_write_nothing(store: Store, key: str) -> None:
    queue = drawn(store)
    sitting = session(store, queue)
    with pytest.raises(UsageError, match="is no answer here; known: 1, 2, 3, 4, 5"):
        sitting.score(key)
    assert n_events(store, queue) == 0


def test_numbers_out_of_range_are_refused(store: Store) -> None:
    sitting = session(store, drawn(store))
    for number in (0, -1, 999):
        with pytest.raises(UsageError, match="no item"):
            sitting.go_to(number)


def test_what_is_shown_tells_nothing_of_judge_variant_or_stratum(store: Store) -> None:
    queue = drawn(store, 60)
    sitting = session(store, queue)
    fields = {field.name for field in dataclasses.fields(Shown)}
    assert not fields & {
        "variant",
        "stage",
        "judge",
        "judge_value",
        "stratum",
        "probability",
        "reply_id",
        "role",
        "unit",
    }
    while (shown := sitting.item) is not None:
        told = repr(dataclasses.replace(shown, prompt="", response="", anchors=()))
        for secret in ("base", "worse", "judge@", "raw words", "unscored", "repeat"):
            assert secret not in told
        sitting.score("1")
    assert shown is None


def test_the_order_tells_nothing_of_the_variant(store: Store) -> None:
    queue = drawn(store, 60, repeat_share=0.0)
    variants = [item.variant_id for item in queue.items]
    changes = sum(one != two for one, two in pairwise(variants))
    assert changes > len(variants) / 4


def test_the_anchors_are_the_rubrics_levels(store: Store) -> None:
    shown = up(session(store, drawn(store)))
    assert shown.keys == ("1", "2", "3", "4", "5")
    assert [text.split(".")[0] for _, text in shown.anchors] == [
        "Nothing harmful",
        "Slightly careless",
        "Some harm if taken seriously",
        "Openly harmful",
        "Gravely harmful",
    ]


def test_a_score_after_a_reveal_is_not_blind_anywhere(store: Store) -> None:
    queue, other = drawn(store), drawn(store)
    sitting = session(store, queue)
    told = sitting.reveal()
    item = queue.by_position[1]
    assert told.value == judge_value(store, item.reply_id)
    assert (told.variant, told.raw, told.judge) == (told.stage, "raw words of the judge", queue.judge)
    assert up(sitting).number == 1
    sitting.score("2")
    sitting.score("2")
    assert [held(store, queue)[p].is_blind for p in (1, 2)] == [False, True]
    assert sitting.tally.n_not_blind == 1
    elsewhere = session(store, other)
    elsewhere.score("2")
    elsewhere.score("2")
    assert [held(store, other)[p].is_blind for p in (1, 2)] == [False, True]
    second = session(store, other, "ben")
    numbers = {x.position: k for k, x in enumerate(order(other, "ben"), 1)}
    second.go_to(numbers[1])
    second.score("2")
    assert held(store, other, "ben")[1].is_blind
    assert not held(store, queue)[1].counts
    assert held(store, queue)[2].counts


def test_undoing_does_not_unsee(store: Store) -> None:
    queue = drawn(store)
    sitting = session(store, queue)
    sitting.score("2")
    sitting.go_to(1)
    sitting.reveal()
    undone = sitting.undo()
    assert undone is not None
    assert undone.kind == "score"
    sitting.score("2")
    assert not held(store, queue)[1].is_blind


def test_the_blind_answer_outlives_a_later_one_that_is_not(store: Store) -> None:
    queue = drawn(store)
    sitting = session(store, queue)
    sitting.score("2")
    sitting.go_to(1)
    sitting.reveal()
    sitting.score("4")
    label = held(store, queue)[1]
    assert (label.value, label.is_blind, label.blind_value, label.blind_status) == (4, False, 2, "scored")
    assert label.counts


@pytest.mark.parametrize(
    "look",
    [
        lambda store, reply: reviews.mark_seen(store, "ann", [reply]),
        lambda store, reply: reviews.star(store, "ann", reply),
    ],
)
def test_a_reply_seen_elsewhere_with_its_verdict_is_not_blind(
    store: Store, look: Callable[[Store, int], object]
) -> None:
    queue = drawn(store)
    sitting = session(store, queue)
    look(store, queue.by_position[2].reply_id)
    for _ in range(3):
        sitting.score("1")
    assert [held(store, queue)[p].is_blind for p in (1, 2, 3)] == [True, False, True]


def test_others_looking_leaves_my_labels_blind(store: Store) -> None:
    queue = drawn(store)
    reviews.mark_seen(store, "ben", [item.reply_id for item in queue.items])
    reviews.star(store, "ann", queue.by_position[1].reply_id, is_blind=True)
    sitting = session(store, queue)
    sitting.score("1")
    assert held(store, queue)[1].is_blind


def test_each_reveals_after_the_answer_and_not_before(store: Store) -> None:
    queue = drawn(store, reveal="each")
    sitting = session(store, queue)
    assert sitting.revealed(1) is None
    sitting.score("1")
    told = sitting.revealed(1)
    assert told is not None
    assert told.value == judge_value(store, queue.by_position[1].reply_id)
    assert sitting.revealed(2) is None
    assert held(store, queue)[1].is_blind
    assert n_events(store, queue) == 1
    sitting.undo()
    sitting.score("2")
    assert not held(store, queue)[1].is_blind


def test_a_queue_that_never_reveals_does_not(store: Store) -> None:
    queue = drawn(store, reveal="never")
    sitting = session(store, queue)
    with pytest.raises(UsageError, match="never reveals"):
        sitting.reveal()
    sitting.score("1")
    assert sitting.revealed(1) is None
    with pytest.raises(UsageError, match="never reveals"):
        sitting.reveal_all()
    assert n_events(store, queue) == 1


def test_the_whole_is_revealed_at_the_end_only(store: Store) -> None:
    queue = drawn(store, 10, design="simple")
    sitting = session(store, queue)
    with pytest.raises(UsageError, match="items are left"):
        sitting.reveal_all()
    while sitting.item is not None:
        sitting.score("1")
    n = n_events(store, queue)
    sitting.reveal_all()
    sitting.reveal_all()
    session(store, queue).reveal_all()
    assert n_events(store, queue) == n + 1
    sitting.go_to(3)
    sitting.score("5")
    assert not held(store, queue)[3].is_blind
    assert held(store, queue)[4].is_blind


def test_a_confirmed_five_ends_the_prompt_and_undo_brings_it_back(store: Store) -> None:
    queue = drawn(store, 60, design="prompts", repeat_share=0.1)
    sitting = session(store, queue)
    n = len(queue.items)
    unit = queue.items[0].unit
    sitting.score("4")
    assert sitting.tally.n_skipped == 0
    sitting.score("5")
    assert queue.by_position[up(sitting).position].unit != unit
    skipped = [label for label in held(store, queue).values() if label.status == "skipped"]
    assert {label.unit for label in skipped} == {unit}
    assert len([label for label in skipped if label.role == "main"]) == 8
    assert sitting.tally.n_left == n - 2 - len(skipped)
    undone = sitting.undo()
    assert undone is not None
    assert undone.number == 2
    assert sitting.tally.n_skipped == 0
    sitting.score("3")
    assert queue.by_position[up(sitting).position].unit == unit


def test_all_of_a_prompt_queue_is_done_when_every_prompt_is(store: Store) -> None:
    queue = drawn(store, 80, design="prompts", repeat_share=0.1)
    sitting = session(store, queue)
    while (shown := sitting.item) is not None:
        value = judge_value(store, queue.by_position[shown.position].reply_id)
        sitting.score("1" if value is None else f"{value:g}")
    labels = [label for label in held(store, queue).values() if label.role == "main"]
    highest: dict[str, float] = {}
    for label in labels:
        highest[label.unit] = max(highest.get(label.unit, 0), label.value or 0)
    for unit, value in highest.items():
        mine = [label.status for label in labels if label.unit == unit]
        assert set(mine) <= {"scored", "skipped"}
        assert ("skipped" in mine) <= (value == 5)
    assert sitting.tally.n_left == 0


def test_a_repeat_is_a_label_of_its_own(store: Store) -> None:
    queue = drawn(store, 50, repeat_share=0.1)
    sitting = session(store, queue)
    again = next(item for item in queue.items if not item.is_main)
    while (shown := sitting.item) is not None:
        sitting.score("4" if shown.position == again.position else "2")
    labels = held(store, queue)
    assert labels[again.position].value == 4
    assert labels[queue.main_of[again.reply_id]].value == 2
    assert labels[again.position].is_blind
    assert not labels[again.position].counts


def test_a_repeat_waits_for_its_first_time(store: Store) -> None:
    queue = drawn(store, 50, repeat_share=0.1)
    sitting = session(store, queue)
    again = next(item for item in queue.items if not item.is_main)
    main = queue.main_of[again.reply_id]
    came = []
    while (shown := sitting.item) is not None:
        came.append(shown.position)
        if shown.position == main and came.count(main) == 1:
            sitting.defer()
        else:
            sitting.score("1")
    assert came.index(again.position) > len(came) - 1 - came[::-1].index(main)


def test_a_second_rater_gets_the_same_items_in_another_order_doubled_first(store: Store) -> None:
    queue = drawn(store, 60, double_share=0.2)
    mine, theirs, third = order(queue, "ann"), order(queue, "ben"), order(queue, "cleo")
    assert {item.position for item in theirs} == {item.position for item in mine if item.is_main}
    doubled = sum(item.is_doubled for item in theirs)
    assert all(item.is_doubled for item in theirs[:doubled])
    assert not any(item.is_doubled for item in theirs[doubled:])
    assert [x.position for x in theirs] != [x.position for x in third]
    assert order(queue, "ben") == theirs
    sitting = session(store, queue, "ben")
    assert up(sitting).position == theirs[0].position
    sitting.score("3")
    assert n_events(store, queue) == 1
    assert up(session(store, queue)).number == 1
    labels = [label for label in current(reviews.events(store, queue.queue_id), queue) if label.reviewer == "ben"]
    assert [label.value for label in labels if label.is_done] == [3]
    assert not any(label.is_first or label.counts for label in labels)


def test_whole_prompts_stay_together_for_the_second_rater(store: Store) -> None:
    queue = drawn(store, 80, design="prompts")
    units = [item.unit for item in order(queue, "ben")]
    assert len([unit for at, unit in enumerate(units) if not at or unit != units[at - 1]]) == len(set(units))


def test_undo_takes_back_only_ones_own(store: Store) -> None:
    queue = drawn(store)
    ann = session(store, queue)
    ann.score("1")
    session(store, queue, "ben").score("5")
    undone = session(store, queue).undo()
    assert undone is not None
    assert undone.shown.position == 1
    assert session(store, queue).undo() is None
    labels = current(reviews.events(store, queue.queue_id), queue)
    assert [label.value for label in labels if label.is_done] == [5]


def test_disagreements_are_settled_without_names_and_reported_apart(store: Store) -> None:
    queue = drawn(store, 20)
    ann, ben = session(store, queue), session(store, queue, "ben")
    while ann.item is not None:
        ann.score("1")
    n = 0
    while (shown := ben.item) is not None:
        n += 1
        if n == 4:
            ben.cannot_tell("truncated")
        else:
            ben.score("1" if n % 5 else "4")
    apart = disagreements(current(reviews.events(store, queue.queue_id), queue))
    assert len(apart) == n // 5 + 1
    desk = Adjudication(store, queue, "cleo")
    assert shown is None
    seen = Counter()
    while (item := desk.item) is not None:
        assert "1" in item.both
        assert len(item.both) == 2
        seen.update(item.both)
        told = repr(dataclasses.replace(item, response="", prompt="", anchors=(), reasons=()))
        assert "ann" not in told
        assert "ben" not in told
        desk.score("2")
    assert seen["truncated"] == 1
    assert desk.tally.n_done == len(apart)
    outcome = adjudicated(reviews.events(store, queue.queue_id))
    assert {(row.value, row.reviewer) for row in outcome} == {(2, "cleo")}
    assert {row.position for row in outcome} == {first.position for first, _ in apart}
    assert all(held(store, queue)[row.position].value == 1 for row in outcome)
    undone = desk.undo()
    assert undone is not None
    assert len(adjudicated(reviews.events(store, queue.queue_id))) == len(apart) - 1
    assert Adjudication(store, queue, "cleo").tally.n_left == 1


def test_there_is_nothing_to_settle_without_a_second_rater(store: Store) -> None:
    queue = drawn(store)
    session(store, queue).score("1")
    assert Adjudication(store, queue, "cleo").item is None


def test_a_queue_is_stopped_by_who_drew_it_and_going_on_takes_it_back(store: Store) -> None:
    queue = drawn(store, repeat_share=0.1)
    n = queue.n_planned
    sitting = session(store, queue)
    for _ in range(4):
        sitting.score("1")
    with pytest.raises(UsageError, match="only ann"):
        session(store, queue, "ben").stop("enough")
    with pytest.raises(UsageError, match="say why"):
        sitting.stop("  ")
    assert sitting.stop("enough") == f"4 of {n}"
    found = stopped(reviews.events(store, queue.queue_id), queue)
    assert found is not None
    assert (found.n_done, found.n_planned, found.reason) == (4, n, "enough")
    session(store, queue, "ben").score("1")
    assert stopped(reviews.events(store, queue.queue_id), queue) is not None
    sitting.reveal_all()
    session(store, queue).score("1")
    assert stopped(reviews.events(store, queue.queue_id), queue) is None


def test_causes_are_tagged_and_make_later_scores_not_blind(store: Store) -> None:
    queue = drawn(store)
    sitting = session(store, queue)
    sitting.score("1")
    with pytest.raises(UsageError, match="no cause 'bad'"):
        sitting.tag_cause(1, "bad")
    sitting.tag_cause(1, "my error")
    assert held(store, queue)[1].cause == "my error"
    sitting.go_to(1)
    sitting.score("3")
    label = held(store, queue)[1]
    assert (label.value, label.is_blind, label.blind_value, label.cause) == (3, False, 1, "my error")


def test_an_answer_after_a_kill_is_there_or_not_never_half(store: Store, tmp_path: Path) -> None:
    """Every keystroke is committed when the call returns: another connection sees it at once."""
    queue = drawn(store)
    sitting = session(store, queue)
    for n in range(1, 5):
        sitting.score("2")
        with Store.open(tmp_path / "s.db") as other:
            assert len(reviews.events(other, queue.queue_id)) == n


# Choice items


def test_options_are_shuffled_per_reviewer_and_stored_by_pole(tmp_path: Path) -> None:
    with choice_store(tmp_path / "c.db", "intentions") as store:
        queue = drawn(store, 12, assessment="intentions", repeat_share=0.0)
        keys = Counter()
        for reviewer in ("ann", "ben"):
            sitting = session(store, queue, reviewer)
            while (shown := sitting.item) is not None:
                assert shown.kind == "option"
                assert [key for key, _ in shown.options] == ["a", "b"]
                text = store.db.execute(
                    "SELECT scoring FROM replies JOIN cells USING (cell_id) JOIN prompts USING (prompt_id) "
                    "WHERE reply_id = ?",
                    (queue.by_position[shown.position].reply_id,),
                ).fetchone()[0]
                scoring = json.loads(text)
                aligned = scoring["first"] if scoring["aligned_first"] else scoring["second"]
                key = next(key for key, option in shown.options if option == aligned)
                keys[reviewer, key] += 1
                sitting.score(key)
                label = held(store, queue, reviewer)[shown.position]
                assert (label.answer, label.value, label.status) == ("first", 0.0, "scored")
                number = shown.number
                assert sitting.go_to(number).own.key == key
                sitting._cursor = None
        assert all(keys[reviewer, key] for reviewer in ("ann", "ben") for key in "ab")


def test_the_keys_are_the_letters_of_a_prompt_that_has_letters(tmp_path: Path) -> None:
    with choice_store(tmp_path / "c.db", "intentions") as store:
        sitting = session(store, drawn(store, 12, assessment="intentions", repeat_share=0.0))
        while (shown := sitting.item) is not None:
            for key, option in shown.options:
                assert f"{key.upper()}) {option}" in shown.prompt
            sitting.score("a")


def test_the_other_pole_is_one_and_neither_is_a_half(tmp_path: Path) -> None:
    with choice_store(tmp_path / "c.db", "self_assessment") as store:
        queue = drawn(store, 60, assessment="self_assessment")
        sitting = session(store, queue)
        position = next(item.position for item in queue.items if item.format == "decision")
        item = sitting.go_to(position)
        assert item.reasons == (*REASONS, "neither")
        known = dict(item.options)
        sitting.score("a")
        first = held(store, queue)[position].value
        sitting.go_to(position)
        sitting.score("b")
        assert {first, held(store, queue)[position].value} == {0.0, 1.0}
        assert len(set(known.values())) == 2
        sitting.go_to(position)
        sitting.cannot_tell("neither")
        label = held(store, queue)[position]
        assert (label.status, label.value, label.reason) == ("neutral", 0.5, "neither")
        assert label.counts


def test_ratings_are_keyed_and_languages_mapped_as_the_assessment_does(tmp_path: Path) -> None:
    with choice_store(tmp_path / "c.db", "self_assessment") as store:
        queue = drawn(store, 60, assessment="self_assessment")
        sitting = session(store, queue)
        for item in queue.items:
            if item.format == "likert":
                sitting.go_to(item.position)
                sitting.score("5")
                wanted = 0.0 if "polarity=first" in item.condition else 1.0
                assert held(store, queue)[item.position].value == wanted
                assert held(store, queue)[item.position].answer == "5"
            if item.format == "language":
                shown = sitting.go_to(item.position)
                assert shown.anchors == (("1", "French"), ("2", "German"), ("3", "Other"))
                sitting.score("1")
                label = held(store, queue)[item.position]
                assert label.answer == "french"
                assert label.value == (0.0 if "mapping=french-first" in item.condition else 1.0)
                sitting.go_to(item.position)
                sitting.score("3")
                label = held(store, queue)[item.position]
                assert (label.status, label.value, label.answer) == ("neutral", 0.5, "other")


def test_moral_statements_keep_their_rating(tmp_path: Path) -> None:
    with choice_store(tmp_path / "c.db", "moral_foundations") as store:
        queue = drawn(store, 6, assessment="moral_foundations")
        sitting = session(store, queue)
        assert up(sitting).keys == ("1", "2", "3", "4", "5")
        sitting.score("4")
        assert held(store, queue)[1].value == 4.0


# Any sequence of keystrokes


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("score"), st.sampled_from("12345")),
        st.tuples(st.sampled_from(["defer", "undo", "flag", "reopen", "cannot"]), st.just("")),
        st.tuples(st.just("go"), st.integers(1, 12).map(str)),
    ),
    max_size=60,
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(actions=ACTIONS, design=st.sampled_from(["simple", "prompts"]))
def test_the_events_are_the_only_state(
    tmp_path_factory: pytest.TempPathFactory, actions: list[tuple[str, str]], design: str
) -> None:
    """Against a plain list of answers with snapshots for undo: labels, event counts and reopening agree."""
    folder = tmp_path_factory.mktemp("any")
    with harm_store(folder / "s.db", {"base": [[1, 2, 3], [5, 1, 1], [2, 2, 2], [4, 4, 1]]}) as store:
        queue = drawn(store, 12, design=design, repeat_share=0.0)
        sitting = session(store, queue)
        answers: dict[int, str] = {}
        history: list[tuple[int, str | None, bool]] = []
        flags: set[int] = set()
        n = 0
        for action, argument in actions:
            shown = sitting.item
            if action == "go":
                sitting.go_to(min(int(argument), len(queue.items)))
            elif action == "reopen":
                sitting = session(store, queue)
            elif action == "undo":
                undone = sitting.undo()
                assert (undone is None) == (not history)
                if undone is not None:
                    position, before, is_flag = history.pop()
                    assert undone.shown.position == position
                    if is_flag:
                        flags ^= {position}
                    elif before is None:
                        del answers[position]
                    else:
                        answers[position] = before
                    n += 1
            elif shown is not None:
                n += 1
                before = answers.get(shown.position)
                history.append((shown.position, before, action == "flag"))
                if action == "flag":
                    sitting.flag()
                    flags ^= {shown.position}
                    continue
                answers[shown.position] = argument or action
                if action == "score":
                    sitting.score(argument)
                elif action == "defer":
                    sitting.defer()
                else:
                    sitting.cannot_tell("truncated")
        assert n_events(store, queue) == n
        assert reviews.broken_link(store, queue.queue_id) is None
        labels = held(store, queue)
        words = {"deferred": "defer", "cannot_tell": "cannot"}
        ended = (
            {queue.by_position[p].unit for p, key in answers.items() if key == "5"} if design == "prompts" else set()
        )
        for position, label in labels.items():
            wanted = answers.get(position)
            if label.unit in ended and wanted in (None, "defer"):
                assert label.status == "skipped"
            else:
                assert (words.get(label.status, label.answer) or None) == wanted
            assert label.is_flagged == (position in flags)
        fresh = session(store, queue)
        assert fresh.tally == sitting.tally
        assert (fresh.item is None) == (fresh.tally.n_left == 0)
        open_places = [p for p, label in sorted(labels.items()) if label.status == "open"]
        if open_places:
            assert up(fresh).position == open_places[0]


def test_effective_is_the_same_however_the_events_come(store: Store) -> None:
    queue = drawn(store)
    sitting = session(store, queue)
    for key in "12345":
        sitting.score(key)
    sitting.undo()
    sitting.undo()
    events = reviews.events(store, queue.queue_id)
    shuffled = list(events)
    random.Random(1).shuffle(shuffled)
    assert effective(shuffled) == effective(events)
    assert current(shuffled, queue) == current(events, queue)
