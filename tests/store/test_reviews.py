"""Review events in the store: appended, chained, never changed; and a store from before there were any."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from emaudit.assessments.base import Planned, Prompt, Reading, Status
from emaudit.errors import StoreError
from emaudit.prompts import load_library
from emaudit.reviewing.drawing import Draw, create
from emaudit.reviewing.session import Session
from emaudit.store import Store, file, frames, plans, readings, replies, reviews, runs, schema, scorers, variants
from emaudit.store.queues import Queue
from emaudit.store.replies import Chain, ReplyRow, VerdictRow
from emaudit.store.reviews import EventRow, broken_link, events, insert_event, insert_events

LIBRARY = load_library()


def fill(store: Store, n: int = 12) -> None:
    """One variant with n judged replies to one prompt."""
    variants.add_variants(store, [{"name": "base", "model": "m"}])
    prompt = Prompt("harmfulness", "insults-01", "insults", "", "", "say", {})
    plan = plans.write_plan(store, 1, 1, "harmfulness", "quick", "i@1", "i", "d", [(Planned(prompt, n), "{}")])
    judge = scorers.judge(store, "judge", {"model": "judge"}).scorer_id
    parser = scorers.scorer(store, "parser", "parser:harmfulness@1", {}).scorer_id
    run = runs.insert_run(store, runs.new_uid(), "ask", "quick", [plan], judge, '{"rubrics":{}}', {})
    cell = store.db.execute("SELECT cell_id FROM cells").fetchone()[0]
    with store.transaction() as db:
        chain = Chain(db, run.run_id)
        for sample in range(n):
            verdict = VerdictRow(judge, Reading(Status.SCORED, float(sample % 5 + 1)), attempt=1)
            row = ReplyRow(cell, sample, 0, "ok", f"reply {sample}")
            replies.insert_reply(db, chain, row, [VerdictRow(parser, Reading(Status.REFERRED)), verdict])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "s.db", write=True, create=True) as opened:
        fill(opened)
        yield opened


@pytest.fixture
def queue(store: Store) -> Queue:
    return create(store, Draw("ann", n=10, seed=1), LIBRARY)


def score(queue: Queue, position: int, value: float, reviewer: str = "ann") -> EventRow:
    item = queue.by_position[position]
    return EventRow(queue.queue_id, position, item.reply_id, reviewer, "score", f"{value:g}", value, seconds=0.5)


def test_an_event_comes_back_as_it_was_kept(store: Store, queue: Queue) -> None:
    row = EventRow(
        queue.queue_id,
        2,
        queue.by_position[2].reply_id,
        "ann",
        "cannot_tell",
        "",
        None,
        "truncated",
        None,
        1.25,
        False,
        "hash",
        "judge@1",
        7,
    )
    number = insert_event(store, row)
    (found,) = events(store, queue.queue_id)
    assert found == reviews.event(store, number)
    assert {name: getattr(found, name) for name in EventRow.__dataclass_fields__} == {
        name: getattr(row, name) for name in EventRow.__dataclass_fields__
    }
    assert found.seq == 1
    assert found.at.endswith("Z")
    with pytest.raises(KeyError):
        reviews.event(store, 999)


def test_each_queue_counts_its_own_events(store: Store, queue: Queue) -> None:
    other = create(store, Draw("ann", n=10, seed=2), LIBRARY)
    for held, value in ((queue, 1.0), (other, 2.0), (queue, 3.0)):
        insert_event(store, score(held, 1, value))
    reviews.star(store, "ann", queue.by_position[1].reply_id)
    assert [(e.seq, e.value) for e in events(store, queue.queue_id)] == [(1, 1.0), (2, 3.0)]
    assert [(e.seq, e.value) for e in events(store, other.queue_id)] == [(1, 2.0)]
    assert [(e.seq, e.kind) for e in events(store, None)] == [(1, "star")]
    assert broken_link(store, queue.queue_id) is broken_link(store, None) is None


def test_several_events_are_kept_together_or_not_at_all(store: Store, queue: Queue) -> None:
    bad = EventRow(queue.queue_id, 1, 1, "ann", "no such kind")
    with pytest.raises(sqlite3.IntegrityError):
        insert_events(store, [score(queue, 1, 1.0), score(queue, 2, 2.0), bad])
    assert events(store, queue.queue_id) == []
    insert_events(store, [score(queue, 1, 1.0), score(queue, 2, 2.0)])
    assert broken_link(store, queue.queue_id) is None


@pytest.mark.parametrize("table", ["queues", "queue_strata", "queue_items", "review_events"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET queue_id = queue_id"])
def test_nothing_of_a_review_can_be_changed(store: Store, queue: Queue, table: str, statement: str) -> None:
    insert_event(store, score(queue, 1, 1.0))
    with pytest.raises(sqlite3.IntegrityError, match=f"{table} is append-only"), store.transaction() as db:
        db.execute(statement.format(table))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE review_events SET value = 1 WHERE seq = 3",
        "UPDATE review_events SET reviewer = 'ben' WHERE seq = 3",
        "UPDATE review_events SET is_blind = 0 WHERE seq = 3",
        "UPDATE review_events SET at = '2026-01-01T00:00:00.000Z' WHERE seq = 3",
        "UPDATE review_events SET seconds = NULL WHERE seq = 3",
        "DELETE FROM review_events WHERE seq = 3",
        "UPDATE review_events SET seq = CASE seq WHEN 3 THEN 4 WHEN 4 THEN 3 ELSE seq END",
    ],
)
def test_an_edited_event_breaks_the_chain(store: Store, queue: Queue, statement: str) -> None:
    for position in range(1, 6):
        insert_event(store, score(queue, position, 5.0))
    assert broken_link(store, queue.queue_id) is None
    store.db.execute("DROP TRIGGER review_events_no_UPDATE")
    store.db.execute("DROP TRIGGER review_events_no_DELETE")
    with store.transaction() as db:
        db.execute(statement)
    assert broken_link(store, queue.queue_id) in (3, 4)


def test_an_edit_with_its_own_hash_made_anew_breaks_the_next_link(store: Store, queue: Queue) -> None:
    for position in range(1, 6):
        insert_event(store, score(queue, position, 5.0))
    fields = ", ".join((*EventRow.__dataclass_fields__, "at"))
    values = list(store.db.execute(f"SELECT {fields} FROM review_events WHERE seq = 3").fetchone())
    values[list(EventRow.__dataclass_fields__).index("value")] = 1.0
    before = store.db.execute("SELECT chain FROM review_events WHERE seq = 2").fetchone()[0]
    line = json.dumps(["review", 3, *values], ensure_ascii=True, separators=(",", ":"))
    digest = hashlib.sha256(before + line.encode("ascii")).digest()
    store.db.execute("DROP TRIGGER review_events_no_UPDATE")
    with store.transaction() as db:
        db.execute("UPDATE review_events SET value = 1.0, chain = ? WHERE seq = 3", (digest,))
    assert broken_link(store, queue.queue_id) == 4


def test_a_store_open_for_reading_takes_no_event(store: Store, queue: Queue, tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as reader, pytest.raises(StoreError, match="reading only"):
        insert_event(reader, score(queue, 1, 1.0))


def test_stars_are_set_and_taken_away(store: Store) -> None:
    reviews.star(store, "ann", 3)
    reviews.star(store, "ben", 5)
    reviews.star(store, "ann", 5, on=False)
    reviews.star(store, "ann", 7, on=False)
    assert {reply: who for reply, (who, _) in reviews.stars(store).items()} == {3: "ann"}
    reviews.star(store, "ben", 7)
    assert list(reviews.stars(store)) == [3, 7]


def test_what_was_seen_is_noted_once(store: Store) -> None:
    reviews.mark_seen(store, "ann", [1, 2])
    reviews.mark_seen(store, "ann", [2, 3])
    reviews.mark_seen(store, "ben", [2])
    assert [(e.reviewer, e.reply_id) for e in events(store, None)] == [("ann", 1), ("ann", 2), ("ann", 3), ("ben", 2)]
    assert reviews.seen(store, "ann") == {1, 2, 3}
    assert reviews.seen(store, "ann", [3, 4]) == {3}
    assert reviews.seen(store, "cleo", [1]) == set()


def labelled(store: Store) -> set[int]:
    return {row[1] for row in store.db.execute(reviews.LABELS)}


def test_a_reply_is_reviewed_until_its_label_is_undone(store: Store, queue: Queue) -> None:
    sitting = Session(store, queue, "ann")
    sitting.score("1")
    sitting.defer()
    sitting.cannot_tell("truncated")
    one, three = queue.by_position[1].reply_id, queue.by_position[3].reply_id
    assert labelled(store) == {one, three}
    sitting.undo()
    assert labelled(store) == {one}
    sitting.go_to(1)
    sitting.defer()
    assert labelled(store) == set()


def test_a_store_from_before_reviews_is_backed_up_and_takes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "old.db"
    with monkeypatch.context() as before:
        before.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        file.create(path)
    old = Store(path, file.connect(path, "mode=rw"), True)
    fill(old)
    rows = old.db.execute("SELECT * FROM replies ORDER BY reply_id").fetchall()
    verdicts = old.db.execute("SELECT * FROM verdicts ORDER BY verdict_id").fetchall()
    store_id = old.store_id
    assert old.db.execute("PRAGMA user_version").fetchone()[0] == 1
    assert not old.db.execute("SELECT name FROM sqlite_master WHERE name = 'queues'").fetchall()
    old.db.close()
    with Store.open(path, write=True) as store:
        assert store.db.execute("PRAGMA user_version").fetchone()[0] == schema.SCHEMA_VERSION
        assert store.store_id == store_id
        assert store.db.execute("SELECT * FROM replies ORDER BY reply_id").fetchall() == rows
        assert store.db.execute("SELECT * FROM verdicts ORDER BY verdict_id").fetchall() == verdicts
        queue = create(store, Draw("ann", n=5, seed=1), LIBRARY)
        Session(store, queue, "ann").score("4")
        assert len(events(store, queue.queue_id)) == 1
        store.quick_check()
    backup = sqlite3.connect(tmp_path / "old.db.schema-1.backup")
    assert backup.execute("PRAGMA user_version").fetchone()[0] == 1
    assert backup.execute("SELECT * FROM replies ORDER BY reply_id").fetchall() == rows
    backup.close()


def test_an_old_store_opens_for_reading_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "old.db"
    with monkeypatch.context() as before:
        before.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        file.create(path)
    with Store.open(path) as store:
        assert events(store, None) == []
        assert reviews.stars(store) == {}


@pytest.mark.parametrize("statement", [readings._CURRENT, frames._FRAME, replies._OWED_VERDICTS])
def test_a_replys_verdicts_are_found_by_the_reply(store: Store, statement: str) -> None:
    """Reading all verdicts of a judge once for every reply would take hours in a large store."""
    query = statement if "SELECT" in statement.split("FROM")[0] else f"SELECT count(*) {statement}"
    plan = store.db.execute(f"EXPLAIN QUERY PLAN {query}", {"plan": 1, "parser": 1, "judge": 2})
    steps = [step for *_, step in plan if step.startswith(("SEARCH v ", "SEARCH j ", "SCAN v", "SCAN j"))]
    assert len(steps) >= 2
    assert all("reply_id=?" in step for step in steps)
