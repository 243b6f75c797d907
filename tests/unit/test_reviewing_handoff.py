"""Files out and in: a blind hand-off, labels back all or nothing, and every event as CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from reviewing_scene import LIBRARY, TWO, choice_store, drawn, harm_store, session

from emaudit.errors import BadInput, UsageError
from emaudit.prompts import Rubric
from emaudit.reviewing.files import LABEL_COLUMNS, REVIEW_COLUMNS, export_events, label_rows, labels_name
from emaudit.reviewing.handoff import Taken, read_handoff, write_handoff
from emaudit.reviewing.labels import Label, current
from emaudit.reviewing.session import Adjudication
from emaudit.store import Store, reviews, variants
from emaudit.store.queues import Queue

Row = dict[str, str]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with harm_store(tmp_path / "s.db", TWO) as opened:
        yield opened


def read(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: list[Row], delimiter: str = ",") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def labels(store: Store, queue: Queue, reviewer: str = "ben") -> list[Label]:
    found = current(reviews.events(store, queue.queue_id), queue)
    return [label for label in found if label.reviewer == reviewer and label.is_done]


def handed(store: Store, queue: Queue, folder: Path) -> list[Row]:
    write_handoff(store, queue, folder / "out.csv")
    return read(folder / "out.csv")


def test_a_handoff_is_blind(store: Store, tmp_path: Path) -> None:
    queue = drawn(store, 40)
    rows = handed(store, queue, tmp_path)
    assert list(rows[0]) == ["row", "id", "prompt", "response", "score", "cannot_tell", "note"]
    assert len(rows) == queue.n_planned == len({row["id"] for row in rows})
    assert not any(row["score"] or row["cannot_tell"] or row["note"] for row in rows)
    for file in ("out.csv", "out.txt"):
        told = (tmp_path / file).read_text(encoding="utf-8")
        for secret in ("base", "worse", "judge@", "raw words", "unscored", "stratum", "REFUSAL"):
            assert secret not in told
    ids = [row["id"] for row in rows]
    assert sorted(ids) != ids
    assert all(row["response"].endswith("\r\nand more") for row in rows)


def test_the_text_beside_it_says_the_anchors_and_reasons(store: Store, tmp_path: Path) -> None:
    handed(store, drawn(store), tmp_path)
    told = (tmp_path / "out.txt").read_text(encoding="utf-8")
    for words in ("How harmful is the response?", "1  Nothing harmful.", "5  Gravely harmful.", "needs an expert"):
        assert words in told


def test_a_handoff_never_writes_over_a_file(store: Store, tmp_path: Path) -> None:
    queue = drawn(store)
    (tmp_path / "out.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"out\.txt exists"):
        write_handoff(store, queue, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
    with pytest.raises(UsageError, match=r"name a \.csv"):
        write_handoff(store, queue, tmp_path / "x.txt")


def test_labels_come_back_with_what_was_chosen(store: Store, tmp_path: Path) -> None:
    queue = drawn(store, 30)
    rows = handed(store, queue, tmp_path)
    for at, row in enumerate(rows[:5]):
        row["score"] = str(at + 1)
    rows[5]["cannot_tell"] = "Wrong language"
    rows[6]["note"] = "odd, with \U0001f600"
    found = read_handoff(store, write(tmp_path / "in.csv", rows), "ben")
    assert found == Taken(queue.name, 6, 1, queue.n_planned - 6)
    held = labels(store, queue)
    assert sorted(label.value for label in held if label.value is not None) == [1, 2, 3, 4, 5]
    assert {label.reason for label in held} == {"handoff", "wrong language"}
    assert all(label.is_blind and label.rubric_hash == queue.rubrics["harm"] for label in held)
    by_text = {row["response"]: row["score"] for row in rows[:5]}
    for label in held:
        if label.value is not None:
            text = store.db.execute("SELECT text FROM replies WHERE reply_id = ?", (label.reply_id,)).fetchone()[0]
            assert by_text[text] == str(int(label.value))
    every = current(reviews.events(store, queue.queue_id), queue)
    assert [label.note for label in every if label.note] == ["odd, with \U0001f600"]
    assert reviews.broken_link(store, queue.queue_id) is None


def test_the_same_file_again_adds_nothing_and_an_amended_one_what_changed(store: Store, tmp_path: Path) -> None:
    queue = drawn(store)
    rows = handed(store, queue, tmp_path)
    rows[0] |= {"score": "2", "note": "hm"}
    rows[1]["cannot_tell"] = "truncated"
    path = write(tmp_path / "in.csv", rows)
    read_handoff(store, path, "ben")
    before = reviews.events(store, queue.queue_id)
    assert read_handoff(store, path, "ben") == Taken(queue.name, 0, 0, queue.n_planned - 2)
    assert reviews.events(store, queue.queue_id) == before
    rows[0]["score"] = "3"
    assert read_handoff(store, write(path, rows), "ben").n_labels == 1
    assert [label.value for label in labels(store, queue) if label.value] == [3]
    assert read_handoff(store, path, "ann").n_labels == 2


@pytest.mark.parametrize(
    ("rewrite", "n"),
    [
        (lambda text: text.replace("\r\nand more", "\nand more"), 1),
        (lambda text: "\ufeff" + text, 1),
        (lambda text: text.replace("\n", "\r\n").replace("\r\r\n", "\r\n"), 1),
    ],
)
def test_what_a_spreadsheet_rewrites_is_taken(
    store: Store, tmp_path: Path, rewrite: Callable[[str], str], n: int
) -> None:
    rows = handed(store, drawn(store), tmp_path)
    rows[0]["score"] = "4"
    path = write(tmp_path / "in.csv", rows)
    path.write_bytes(rewrite(path.read_bytes().decode()).encode())
    assert read_handoff(store, path, "ben").n_labels == n


def test_other_orders_separators_and_missing_rows_are_taken(store: Store, tmp_path: Path) -> None:
    queue = drawn(store)
    rows = handed(store, queue, tmp_path)
    rows[0]["score"] = "4.0"
    rows[3]["score"] = " 2 "
    kept = [{key: row[key] for key in ("score", "id", "response")} for row in reversed(rows[:5])]
    assert read_handoff(store, write(tmp_path / "in.csv", kept, ";"), "ben").n_labels == 2
    assert sorted(label.value or 0 for label in labels(store, queue)) == [2, 4]


def test_every_bad_row_is_named_and_nothing_is_taken(store: Store, tmp_path: Path) -> None:
    queue, other = drawn(store), drawn(store, seed=9)
    rows = handed(store, queue, tmp_path)
    write_handoff(store, other, tmp_path / "other.csv")
    for row in rows:
        row["score"] = "1"
    rows[0]["score"] = "6"
    rows[1]["id"] = "nonsense"
    rows[2]["response"] += "!"
    rows[3]["cannot_tell"] = "truncated"
    rows[4] |= {"score": "", "cannot_tell": "bored"}
    rows[6] = dict(rows[5])
    rows[7]["id"] = read(tmp_path / "other.csv")[0]["id"]
    rows[8]["score"] = "٥"
    rows[9]["id"] = rows[9]["id"][:-1] + "x"
    with pytest.raises(BadInput) as caught:
        read_handoff(store, write(tmp_path / "in.csv", rows), "ben")
    told = str(caught.value)
    for words in (
        "row 2: score '6'; known: 1, 2, 3, 4, 5",
        "row 3: unknown id 'nonsense'",
        "row 4: the response is not the stored one any more",
        "row 5: has both",
        "row 6: cannot_tell 'bored'; known: truncated",
        f"row 8: '{rows[5]['id']}' stands in row 7 already",
        f"is of another queue than {queue.name}",
        "row 10: score '٥'",
        "row 11: unknown id",
    ):
        assert words in told
    assert "row 12" not in told
    assert reviews.events(store, queue.queue_id) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no column 'id'"),
        ("id,response,score\n", "holds no rows"),
        ("id,response,score,colour\nx,y,1,red\n", "unknown column 'colour'"),
        ("id,response\nx,y\n", "no column 'score'"),
        ("id,response,score,score\nx,y,1,1\n", "a column twice"),
        ("id,response,score\nx,y\n", "expected 3 cells in row 2"),
        ('id,response,score\nx,"y,1\n', "not valid CSV"),
        ("id,response,score\nx,y,1\n", "no row has the id"),
        (b"id,response,score\nx,\xff,1\n", "not UTF-8"),
    ],
)
def test_what_is_no_handoff_is_refused(store: Store, tmp_path: Path, content: str | bytes, words: str) -> None:
    queue = drawn(store)
    path = tmp_path / "in.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(BadInput, match=words):
        read_handoff(store, path, "ben")
    assert reviews.events(store, queue.queue_id) == []


def test_labels_of_somebody_who_saw_the_verdict_are_not_blind(store: Store, tmp_path: Path) -> None:
    queue = drawn(store)
    rows = handed(store, queue, tmp_path)
    for row in rows:
        row["score"] = "1"
    reviews.mark_seen(store, "ben", [queue.items[0].reply_id])
    read_handoff(store, write(tmp_path / "in.csv", rows), "ben")
    blind = {label.position: label.is_blind for label in labels(store, queue)}
    assert not blind.pop(queue.main_of[queue.items[0].reply_id])
    assert all(blind.values())


def test_hostile_responses_survive_the_way_out_and_back(tmp_path: Path) -> None:
    with harm_store(tmp_path / "s.db", {"base": [[1, 2, 3, 4]]}) as store:
        for reply_id, text in enumerate(("=SUM(A1)", '-1 "quoted", \r\n\r\nlines\r', "\x1b[2J\u202e\x00end", "@x\ty")):
            store.db.execute("DROP TRIGGER IF EXISTS replies_no_UPDATE")
            with store.transaction() as db:
                db.execute("UPDATE replies SET text = ? WHERE reply_id = ?", (text, reply_id + 1))
        queue = drawn(store, 4, design="simple", repeat_share=0.0)
        rows = handed(store, queue, tmp_path)
        assert any(row["response"] == "'=SUM(A1)" for row in rows)
        for row in rows:
            row["score"] = "1"
        assert read_handoff(store, write(tmp_path / "in.csv", rows), "ben").n_labels == 4


def test_choices_go_out_with_their_options_and_come_back_as_poles(tmp_path: Path) -> None:
    with choice_store(tmp_path / "c.db", "self_assessment") as store:
        queue = drawn(store, 60, assessment="self_assessment")
        rows = handed(store, queue, tmp_path)
        assert list(rows[0]) == [
            *("row", "id", "question", "prompt", "response", "option_a", "option_b"),
            *("score", "cannot_tell", "note"),
        ]
        for row in rows:
            if row["option_a"]:
                row["score"] = "B"
            elif "language" in row["question"]:
                row["score"] = "German"
            else:
                row["score"] = "1"
        neither = next(row for row in rows if row["option_a"])
        neither |= {"score": "", "cannot_tell": "neither"}
        read_handoff(store, write(tmp_path / "in.csv", rows), "ben")
        held = labels(store, queue)
        assert len(held) == len(rows)
        by_position = queue.by_position
        for label in held:
            item = by_position[label.position]
            if item.format == "language":
                assert label.answer == "german"
                assert label.value == (1.0 if "mapping=french-first" in item.condition else 0.0)
            if item.format == "likert":
                assert label.value == (1.0 if "polarity=first" in item.condition else 0.0)
        chosen = [label for label in held if by_position[label.position].format == "decision"]
        assert sorted({label.answer for label in chosen}) == ["first", "neither", "second"]
        assert {label.answer: label.value for label in chosen} == {"first": 0.0, "second": 1.0, "neither": 0.5}
        by_text = {row["response"]: row for row in rows}
        for label in chosen:
            if label.answer == "neither":
                continue
            text, scoring = store.db.execute(
                "SELECT r.text, p.scoring FROM replies r JOIN cells USING (cell_id) JOIN prompts p USING (prompt_id) "
                "WHERE reply_id = ?",
                (label.reply_id,),
            ).fetchone()
            found = json.loads(scoring)
            aligned = found["first"] if found["aligned_first"] else found["second"]
            assert (by_text[text]["option_b"] == aligned) == (label.answer == "first")


# Every event as CSV


def worked(store: Store) -> Queue:
    """A queue with every kind of event in it, and an event of no queue before them."""
    reviews.star(store, "ann", 1, is_blind=True)
    queue = drawn(store, 40, repeat_share=0.1, name="q")
    ann, ben = session(store, queue), session(store, queue, "ben")
    for key in "1234":
        ann.score(key, 1.5)
    ann.undo()
    ann.cannot_tell("truncated")
    ann.defer()
    ann.flag()
    ann.note("=1+1, a note")
    ann.reveal()
    while ann.item is not None:
        ann.score("2")
    ann.tag_cause(1, "misread")
    while ben.item is not None:
        ben.score("5")
    desk = Adjudication(store, queue, "cleo")
    desk.score("3")
    desk.score("3")
    desk.undo()
    reviews.star(store, "ann", queue.items[0].reply_id)
    reviews.mark_seen(store, "ben", [queue.items[1].reply_id])
    return queue


def test_every_event_is_a_row_with_its_stratum(store: Store, tmp_path: Path) -> None:
    queue = worked(store)
    export_events(store, None, tmp_path / "reviews.csv", LIBRARY)
    rows = read(tmp_path / "reviews.csv")
    assert tuple(rows[0]) == REVIEW_COLUMNS
    of_queue = [row for row in rows if row["queue"]]
    events = reviews.events(store, queue.queue_id)
    assert [int(row["event"]) for row in of_queue] == [event.seq for event in events]
    assert {row["kind"] for row in rows} == {
        *{"score", "cannot_tell", "defer", "undo", "flag", "note", "reveal"},
        *{"cause", "adjudicate", "star", "seen"},
    }
    for row, event in zip(of_queue, events, strict=True):
        assert row["value"] == ("" if event.value is None else repr(event.value))
        assert row["answer"] == event.answer
        assert row["is_blind"] == str(int(event.is_blind))
        if event.position is not None:
            stratum = queue.by_stratum[row["stratum"]]
            assert (int(row["n_frame"]), int(row["n_drawn"])) == (stratum.n_frame, stratum.n_drawn)
            assert float(row["probability"]) == stratum.n_drawn / stratum.n_frame
            assert row["variant"] == stratum.variant
            wanted = "" if stratum.judge_value is None else repr(stratum.judge_value)
            assert row["judge_value"] == wanted
    undone = next(row for row in of_queue if row["kind"] == "undo")
    assert undone["undoes"] == "4"
    assert {(row["reviewer"], row["role"]) for row in of_queue} == {
        *{("ann", "first"), ("ann", "repeat"), ("ben", "second")},
        ("cleo", "adjudicator"),
    }
    assert {row["simulated"] for row in rows} == {"0"}
    assert {row["role"] for row in rows if not row["queue"]} == {""}


def test_the_labels_beside_it_can_be_computed_from_the_events(store: Store, tmp_path: Path) -> None:
    """A reader who folds reviews.csv alone, newest answer not undone, gets labels.csv."""
    queue = worked(store)
    export_events(store, queue, tmp_path / "reviews.csv", LIBRARY)
    rows, found = read(tmp_path / "reviews.csv"), read(tmp_path / "labels.csv")
    assert tuple(found[0]) == LABEL_COLUMNS
    undone = {row["undoes"] for row in rows if row["kind"] == "undo"}
    newest: dict[tuple[str, str], Row] = {}
    for row in rows:
        if row["event"] not in undone and row["kind"] in ("score", "cannot_tell", "defer"):
            newest[row["reviewer"], row["position"]] = row
    answered = [row for row in found if row["status"] not in ("open", "skipped")]
    assert len(answered) == len(newest)
    for row in answered:
        event = newest[row["reviewer"], row["position"]]
        for column in ("answer", "value", "reason", "is_blind", "seconds", "role", "stratum", "probability", "at"):
            assert row[column] == event[column], column
    assert [row["position"] for row in found if row["cause"]] == ["1"]
    settled = [row for row in found if row["adjudicated"]]
    assert {(row["adjudicated"], row["role"]) for row in settled} == {("3.0", "first"), ("3.0", "second")}
    assert {row["stratum"] for row in found} == {row.stratum for row in queue.strata}


def test_the_same_store_gives_the_same_bytes(store: Store, tmp_path: Path) -> None:
    worked(store)
    for name in ("one", "two"):
        export_events(store, None, tmp_path / name / "reviews.csv", LIBRARY)
    for file in ("reviews.csv", "labels.csv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_cells_that_would_run_are_guarded_on_demand(store: Store, tmp_path: Path) -> None:
    worked(store)
    export_events(store, None, tmp_path / "mine.csv", LIBRARY, excel_safe=True)
    assert "'=1+1, a note" in {row["answer"] for row in read(tmp_path / "mine.csv")}
    assert "'=1+1, a note" in {row["note"] for row in read(tmp_path / labels_name(Path("mine.csv")))}
    assert labels_name(Path("mine.csv")) == "mine-labels.csv"


def test_labels_under_another_rubric_are_marked(store: Store) -> None:
    queue = drawn(store)
    session(store, queue).score("1")
    ours = LIBRARY.rubrics["harm"]
    newer = Rubric("harm", ours.system + " Now otherwise.", ours.question, ours.reminder, ours.schema)
    assert [row["is_under_old_rubric"] for row in label_rows(store, queue, LIBRARY)].count(True) == 0
    marked = list(label_rows(store, queue, LIBRARY.with_rubric(newer)))
    assert [row["position"] for row in marked if row["is_under_old_rubric"]] == [1]


def test_a_renamed_variant_keeps_its_stratum_and_shows_its_name(store: Store) -> None:
    queue = drawn(store)
    session(store, queue).score("1")
    variants.rename(store, "worse", "renamed")
    rows = list(label_rows(store, queue))
    assert {row["variant"] for row in rows} == {"base", "renamed"}
    assert {str(row["stratum"]).split(":")[0] for row in rows} == {"base", "worse"}
