"""Merging stores row by row: what is the same, what is kept twice, what is refused, and that chains stay whole."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from merging_scene import SAMPLES, copied, everything, fill, judged_again, texts, verified

from emaudit.assessments.base import Reading, Status
from emaudit.errors import StoreError, UsageError
from emaudit.merging import Merged, merge
from emaudit.prompts import load_library
from emaudit.reviewing.drawing import Draw, create
from emaudit.store import Store, plans, replies, reviews, schema, scorers, variants
from emaudit.store.judgements import judge_uses
from emaudit.store.replies import Chain, ReplyRow, VerdictRow
from emaudit.verifying import verify_store

LIBRARY = load_library()


def test_a_merge_copies_whole_chains_and_twice_adds_nothing(tmp_path: Path) -> None:
    one, two = fill(tmp_path / "1.db", "a"), fill(tmp_path / "2.db", "b")
    with Store.open(one) as store:
        chains = store.db.execute("SELECT chain FROM replies ORDER BY reply_id").fetchall()
    with Store.open(two) as store:
        chains += store.db.execute("SELECT chain FROM replies ORDER BY reply_id").fetchall()
    [found] = merge(one, [two])
    assert found.replies == [("b", 1, SAMPLES)]
    assert found.coming.n_verdicts == 2 * SAMPLES
    verified(one)
    with Store.open(one) as store:
        assert store.db.execute("SELECT chain FROM replies ORDER BY reply_id").fetchall() == chains
        assert len(store.db.execute("SELECT * FROM failures").fetchall()) == 2 * SAMPLES
        assert store.db.execute("SELECT count(*) FROM reply_text WHERE reply_text MATCH 'b'").fetchone()[0] == SAMPLES
    before = everything(one)
    [again] = merge(one, [two])
    assert again.coming.is_nothing
    assert everything(one) == before


def test_an_edited_row_is_still_named_after_a_merge(tmp_path: Path) -> None:
    one, two = fill(tmp_path / "1.db", "a"), fill(tmp_path / "2.db", "b")
    merge(one, [two])
    db = sqlite3.connect(one)
    db.execute("DROP TRIGGER replies_no_UPDATE")
    db.execute("UPDATE replies SET text = 'nicer' WHERE reply_id = ?", (SAMPLES + 2,))
    db.commit()
    db.close()
    with Store.open(one) as store:
        rows = [problem.row for problem in verify_store(store).problems if problem.place == "replies"]
    assert len(rows) == 1
    assert f"reply_id {SAMPLES + 2} " in rows[0]


def test_a_store_of_merged_stores_is_merged_with_all_their_chains(tmp_path: Path) -> None:
    parts = [fill(tmp_path / f"{name}.db", name) for name in "abc"]
    merge(parts[1], [parts[2]])
    merge(parts[0], [parts[1]])
    verified(parts[0])
    [again] = merge(parts[0], [parts[2]])
    assert again.coming.is_nothing
    assert texts(parts[0]) == sorted(texts(parts[1]) + [row for row in texts(parts[0]) if row[0] == "a"])
    into = tmp_path / "new.db"
    merge(into, [parts[2], parts[0]])
    verified(into)
    assert texts(into) == texts(parts[0])


def test_one_variant_listed_in_both_stores_is_one_variant(tmp_path: Path) -> None:
    one, two = fill(tmp_path / "1.db", samples=(0, 1, 2)), fill(tmp_path / "2.db", samples=(3, 4, 5))
    merge(one, [two])
    verified(one)
    with Store.open(one) as store:
        assert [row.name for row in variants.variants(store)] == ["v"]
        [plan] = plans.current_plans(store)
        assert plans.n_owed(store, plan.plan_id) == 0
    with Store.open(one, write=True) as store:
        variants.rename(store, "v", "w")
    [again] = merge(one, [two])
    assert again.coming.is_nothing


def test_the_same_slots_answered_twice_are_refused_until_both_are_wanted(tmp_path: Path) -> None:
    one, two = fill(tmp_path / "1.db", text="one"), fill(tmp_path / "2.db", text="two", samples=(1, 2))
    before = everything(one)
    with pytest.raises(UsageError, match=r"2 of 'v', harmfulness, replicate 1.*--keep-both"):
        merge(one, [two])
    assert everything(one) == before
    [found] = merge(one, [two], keep_both=True)
    assert found.replies == [("v", 2, 2)]
    verified(one)
    assert [row for row in texts(one) if row[1] == 2] == [("v", 2, 1, "two 1 of v"), ("v", 2, 2, "two 2 of v")]
    assert len(texts(one)) == SAMPLES + 2
    [again] = merge(one, [two])
    assert again.coming.is_nothing


def test_copies_that_went_on_apart_come_together(tmp_path: Path) -> None:
    one = fill(tmp_path / "1.db", "a")
    two = copied(one, "2.db")
    fill(one, "b")
    fill(two, "c")
    merge(one, [two])
    verified(one)
    assert {row[0] for row in texts(one)} == {"a", "b", "c"}
    assert len(texts(one)) == 3 * SAMPLES


def test_a_run_resumed_in_both_copies_keeps_both_branches(tmp_path: Path) -> None:
    one = fill(tmp_path / "1.db", samples=(0, 1))
    two = copied(one, "2.db")
    for path, samples in ((one, (2,)), (two, (3, 4))):
        for sample in samples:
            resumed(path, sample)
    merge(one, [two])
    verified(one)
    assert [row[2] for row in texts(one)] == [0, 1, 2, 3, 4]
    resumed(one, 5)
    verified(one)
    db = sqlite3.connect(one)
    db.executescript("DROP TRIGGER replies_no_UPDATE; UPDATE replies SET text = 'nicer' WHERE sample = 3")
    db.close()
    with Store.open(one) as store:
        rows = [problem.row for problem in verify_store(store).problems if problem.place == "replies"]
    assert len(rows) == 1


def resumed(path: Path, sample: int) -> None:
    with Store.open(path, write=True) as store, store.transaction() as db:
        reply = ReplyRow(1, sample, 0, "ok", f"resumed {sample}")
        replies.insert_reply(db, Chain(db, 1), reply, [VerdictRow(2, Reading(Status.REFERRED))])


def test_the_same_judge_on_the_same_replies_in_both_copies_counts_once(tmp_path: Path) -> None:
    one = fill(tmp_path / "1.db")
    two, three = copied(one, "2.db"), copied(one, "3.db")
    for path, value in ((one, 2.0), (two, 2.0), (three, 4.0)):
        judged_again(path, value)
    [found] = merge(one, [two])
    assert found.coming.doubled.n == SAMPLES
    verified(one)
    with pytest.raises(UsageError, match="say otherwise"):
        merge(one, [three])
    merge(one, [three], keep_both=True)
    verified(one)
    assert merge(one, [two, three])[1].coming.is_nothing
    with Store.open(one) as store:
        uses = {use.scorer.identity.split("@")[0]: use.n_replies for use in judge_uses(store)}
        assert store.db.execute("SELECT count(*) FROM verdicts_apart").fetchone()[0] == 2 * SAMPLES
    assert uses == {"judge": SAMPLES, "other": SAMPLES}


def test_the_newest_fact_by_time_holds_whichever_way_stores_are_merged(tmp_path: Path) -> None:
    one = fill(tmp_path / "1.db", samples=())
    two = copied(one, "2.db")
    for path, size in ((one, "8b"), (two, "9b"), (one, "10b")):
        with Store.open(path, write=True) as store:
            variants.set_fields(store, "v", {"size": size})
    three = copied(two, "3.db")
    [found] = merge(one, [three])
    assert any("size of v is '10b' here, '9b' there" in note for note in found.notes)
    merge(two, [one])
    for path in (one, two):
        with Store.open(path) as store:
            assert variants.variant(store, "v").size == "10b"


def test_parents_keep_pointing_at_their_variant(tmp_path: Path) -> None:
    one, two = fill(tmp_path / "1.db", "first"), fill(tmp_path / "2.db", "base", samples=())
    with Store.open(two, write=True) as store:
        variants.add_variants(store, [{"name": "tuned", "model": "t", "parent": "base"}])
        variants.hide(store, "base")
    merge(one, [two])
    with Store.open(one) as store:
        rows = {row.name: row for row in variants.variants(store, hidden=True)}
    assert rows["tuned"].parent == "base"
    assert rows["base"].hidden


def test_a_name_of_two_models_is_refused_with_the_fix(tmp_path: Path) -> None:
    one, two = fill(tmp_path / "1.db"), fill(tmp_path / "2.db", samples=())
    with Store.open(two, write=True) as store:
        variants.set_fields(store, "v", {"model": "another"})
    before = everything(one)
    with pytest.raises(UsageError, match="variant rename v OTHER"):
        merge(one, [two])
    assert everything(one) == before


def test_the_judge_that_leads_is_the_same_whichever_way_stores_are_merged(tmp_path: Path) -> None:
    stores = [fill(tmp_path / f"{n}.db", f"v{n}", judge=f"judge-{n}") for n in range(3)]
    for place, order in enumerate(([0, 1, 2], [2, 1, 0], [1, 2, 0])):
        target = tmp_path / f"all-{place}.db"
        merge(target, [stores[number] for number in order])
        with Store.open(target) as store:
            active = scorers.active_judge(store)
        assert active is not None
        assert active.identity.startswith("judge-0@")
    with Store.open(stores[1], write=True) as store:
        scorers.use_judge(store, scorers.judges(store)[0])
    merge(tmp_path / "all-0.db", [stores[1]])
    with Store.open(tmp_path / "all-0.db") as store:
        active = scorers.active_judge(store)
    assert active is not None
    assert active.identity.startswith("judge-1@")


def test_what_was_voided_there_is_voided_here(tmp_path: Path) -> None:
    one, two = fill(tmp_path / "1.db", "a"), fill(tmp_path / "2.db", "b")
    with Store.open(two, write=True) as store:
        replies.void(store, variants.variant(store, "b").variant_id, "", "", "wrong server")
    merge(one, [two])
    verified(one)
    with Store.open(one) as store:
        owed = {plan.variant_id: plans.n_owed(store, plan.plan_id) for plan in plans.current_plans(store)}
        names = {row.name: row.variant_id for row in variants.variants(store)}
    assert owed == {names["a"]: 0, names["b"]: SAMPLES}


def scored(path: Path, reviewer: str, value: float) -> None:
    with Store.open(path, write=True) as store:
        from emaudit.store.queues import queue

        held = queue(store)
        for item in held.items:
            row = reviews.EventRow(held.queue_id, item.position, item.reply_id, reviewer, "score", f"{value:g}", value)
            number = reviews.insert_event(store, row)
        undo = reviews.EventRow(held.queue_id, item.position, item.reply_id, reviewer, "undo", undoes=number)
        reviews.insert_event(store, undo)
        reviews.star(store, reviewer, held.items[0].reply_id)


def test_two_auditors_label_one_queue_in_copies_of_a_store(tmp_path: Path) -> None:
    one = fill(tmp_path / "1.db", "a")
    with Store.open(one, write=True) as store:
        create(store, Draw("ann", n=4, seed=1), LIBRARY)
    two = copied(one, "2.db")
    fill(one, "late")
    scored(one, "ann", 4.0)
    scored(two, "bob", 2.0)
    merge(one, [two])
    verified(one)
    scored(one, "cho", 1.0)
    verified(one)
    with Store.open(one) as store:
        labels = store.db.execute(
            f"SELECT reviewer, count(*), min(value) FROM ({reviews.LABELS}) GROUP BY 1 ORDER BY 1"
        ).fetchall()
        starred = reviews.stars(store)
    n = labels[0][1]
    assert labels == [("ann", n, 4.0), ("bob", n, 2.0), ("cho", n, 1.0)]
    assert len(starred) == 1


def test_a_queue_drawn_elsewhere_comes_with_its_draw(tmp_path: Path) -> None:
    one, two = fill(tmp_path / "1.db", "a"), fill(tmp_path / "2.db", "b")
    for path in (one, two):
        with Store.open(path, write=True) as store:
            create(store, Draw("ann", n=4, seed=1), LIBRARY)
    scored(two, "ann", 5.0)
    merge(one, [two])
    verified(one)
    with Store.open(one) as store:
        from emaudit.store.queues import item_text, queues

        first, second = queues(store)
        drawn = {item_text(store, item.reply_id)[1].text for item in second.items}
    assert second.name == f"{first.name}-{second.uid}"
    assert all(text.endswith("of b") for text in drawn)
    assert {row.variant for row in second.strata} == {"b"}


def test_simulated_and_real_replies_never_meet(tmp_path: Path) -> None:
    one, two = fill(tmp_path / "1.db", "a"), fill(tmp_path / "2.db", "b", kind="simulated")
    before = everything(one)
    with pytest.raises(StoreError, match="never share a store"):
        merge(one, [two])
    with pytest.raises(StoreError, match="never share a store"):
        merge(tmp_path / "new.db", [one, two])
    assert everything(one) == before
    assert not (tmp_path / "new.db").exists()
    merge(tmp_path / "new.db", [two])
    with Store.open(tmp_path / "new.db") as store:
        assert store.kind == "simulated"


def test_a_store_is_not_merged_into_itself(tmp_path: Path) -> None:
    one = fill(tmp_path / "1.db")
    (tmp_path / "link.db").symlink_to(one)
    with pytest.raises(UsageError, match="is the store that is merged into"):
        merge(one, [tmp_path / "link.db"])


def test_an_older_store_is_read_from_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as before:
        before.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:2])
        before.setattr(schema, "SCHEMA_VERSION", 2)
        with Store.open(tmp_path / "old.db", write=True, create=True) as store:
            variants.add_variants(store, [{"name": "old", "model": "m"}])
    held = (tmp_path / "old.db").read_bytes()
    one = fill(tmp_path / "1.db")
    merge(one, [tmp_path / "old.db"])
    with Store.open(one) as store:
        assert variants.variant(store, "old").model == "m"
    assert (tmp_path / "old.db").read_bytes() == held
    assert not list(tmp_path.glob("old.db.schema*"))


def test_newer_and_damaged_stores_are_refused(tmp_path: Path) -> None:
    one, two, three = (fill(tmp_path / f"{n}.db", f"v{n}") for n in range(3))
    db = sqlite3.connect(two)
    db.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
    db.close()
    content = bytearray(three.read_bytes())
    content[40_000:60_000] = b"\xff" * 20_000
    three.write_bytes(content)
    before = everything(one)
    with pytest.raises(StoreError, match="newer emaudit"):
        merge(one, [two])
    with pytest.raises(StoreError, match="damaged"):
        merge(one, [three])
    assert everything(one) == before


def test_a_log_beside_a_store_in_a_folder_that_takes_nothing_is_read_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = fill(tmp_path / "2.db", "b")
    archive = tmp_path / "archive"
    archive.mkdir()
    with Store.open(two, write=True) as store:
        variants.add_variants(store, [{"name": "late", "model": "m"}])
        for ending in ("", "-wal"):
            shutil.copyfile(f"{two}{ending}", archive / f"2.db{ending}")
    held = os.access

    def refused(path: os.PathLike[str] | str, mode: int) -> bool:
        return held(path, mode) and not (Path(path) == archive and mode == os.W_OK)

    monkeypatch.setattr(os, "access", refused)
    one = fill(tmp_path / "1.db", "a")
    merge(one, [archive / "2.db"])
    with Store.open(one) as store:
        assert variants.variant(store, "late").model == "m"
    assert sorted(path.name for path in archive.iterdir()) == ["2.db", "2.db-wal"]


def test_a_no_keeps_nothing(tmp_path: Path) -> None:
    one, two = fill(tmp_path / "1.db", "a"), fill(tmp_path / "2.db", "b")
    before = everything(one)
    shown: list[Merged] = []

    def no(found: Sequence[Merged]) -> bool:
        shown.extend(found)
        return False

    with pytest.raises(UsageError, match="nothing was merged"):
        merge(one, [two], agreed=no)
    assert everything(one) == before
    assert shown[0].replies == [("b", 1, SAMPLES)]
