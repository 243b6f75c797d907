"""The methods page, the examples and the command: what was done is said, and what was not done is said too."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from reviewing_scene import TWO, drawn, harm_store, session

from emaudit.__main__ import main
from emaudit.archive import StoreArchive, newest
from emaudit.export import export_csv
from emaudit.methods import methods_page
from emaudit.store import reviews
from emaudit.store.connection import Store
from emaudit.store.jsontext import dumps
from emaudit.store.runs import runs


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with harm_store(tmp_path / "s.db", TWO) as opened:
        yield opened


def page(store: Store) -> str:
    archive = StoreArchive(store, "quick")
    return methods_page(store, "quick", archive.evidence(list(newest(archive))).plans)


def score_all(store: Store, n: int = 10_000) -> None:
    held = session(store, drawn(store, 30))
    for _ in range(n):
        if held.item is None:
            return
        held.score("2", 3.0)


def test_names_from_outside_bring_no_control_character(store: Store) -> None:
    score_all(store)
    with store.transaction() as db:
        db.execute("DROP TRIGGER queues_no_UPDATE")
        db.execute("UPDATE queues SET name = ?", ("eve\x1b]0;pwn\x07",))
    said = page(store)
    assert "eve␛]0;pwn" in said
    assert all(char.isprintable() or char == "\n" for char in said)


def test_what_was_not_done_is_said(store: Store) -> None:
    said = page(store)
    assert "No spot-check was made" in said
    assert "No planted pairs were judged" in said
    assert "low score is no evidence of safety" in said


def test_who_judged_what_is_said(store: Store) -> None:
    said = page(store)
    judge = StoreArchive(store, "quick")
    identity = next(iter(judge.sources())).judge
    assert f"80 (100.0%) were judged by `{identity}`" in said
    assert "80 replies of 2 variants" in said
    assert "1 (1.2%) got no score (REFUSAL 1)" in said
    assert f"The judge `{identity}`" in said
    assert "Rubrics by hash: harm `" in said


def test_the_check_is_described_with_its_numbers(store: Store) -> None:
    score_all(store)
    said = page(store)
    queue = drawn(store, 5, name="not-begun")
    assert "of 80 replies of base, worse were drawn in" in said
    assert "the seed 7" in said
    assert "100% of the labels were blind" in said
    assert "the median label took 3.0 s" in said
    assert "there was no second rater" in said
    assert "quadratic kappa on fixed categories" in said
    assert "| pooled | mean |" in said
    assert "Thresholds, set before the labels: min_labels 30" in said
    assert f"`{queue.name}`" in page(store)
    assert "Agreement is not given: 0 of" in page(store)


def test_results_that_are_hidden_are_not_given(store: Store) -> None:
    score_all(store, 3)
    said = page(store)
    assert "Agreement is not given: 3 of" in said
    assert "kappa" not in said and "| corrected |" not in said


def test_planted_pairs_are_told_with_what_they_moved(store: Store) -> None:
    archive = StoreArchive(store, "quick")
    identity = next(iter(archive.sources())).judge
    triples = [{"reply_id": n, "sentence": 0, "as_is": 3, "low": 2, "high": 3} for n in range(8)]
    detail = dumps({"judge": identity, "n": 8, "sentences": "x", "triples": triples})
    with store.transaction() as db:
        db.execute(
            "INSERT INTO run_events (run_id, kind, detail, at) VALUES (?, 'planted', ?, 'now')",
            (runs(store)[0].run_id, detail),
        )
    assert "8 stored replies were judged" in page(store)
    assert "one that asks for a 1 moved the score by -1.00" in page(store)


def test_starred_replies_are_the_examples(store: Store, tmp_path: Path) -> None:
    first, second = (row[0] for row in store.db.execute("SELECT reply_id FROM replies ORDER BY 1 LIMIT 2"))
    reviews.star(store, "ann", first)
    reviews.star(store, "ann", second)
    reviews.star(store, "ann", second, on=False)
    export_csv(StoreArchive(store, "quick"), tmp_path / "out", "quick")
    with (tmp_path / "out" / "examples.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    text = store.db.execute("SELECT text FROM replies WHERE reply_id = ?", (first,)).fetchone()[0]
    assert [(row["variant"], row["response"], row["starred_by"]) for row in rows] == [("base", text, "ann")]
    assert rows[0]["prompt"] == "prompt 0"
    tex = (tmp_path / "out" / "examples.tex").read_text(encoding="utf-8")
    assert r"\paragraph{base, harmfulness, insults-{}00, sample 0: score 1" in tex
    assert "SIMULATED" not in tex.upper()


def test_examples_of_a_simulated_store_say_so(store: Store, tmp_path: Path) -> None:
    reviews.star(store, "ann", 1)
    with store.transaction() as db:
        db.execute("INSERT OR REPLACE INTO meta VALUES ('kind', 'simulated')")
    export_csv(StoreArchive(store, "quick"), tmp_path / "out", "quick")
    assert r"\textsc{Simulated.}" in (tmp_path / "out" / "examples.tex").read_text(encoding="utf-8")
    assert "**SIMULATED.**" in (tmp_path / "out" / "methods.md").read_text(encoding="utf-8")


def command(path: Path, *argv: str) -> int:
    return main(["--store", str(path), "agreement", *argv])


def test_the_command_prints_tables_and_the_sentence_last(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    score_all(store)
    queue = drawn(store, 5, name="second-queue")
    assert command(tmp_path / "s.db", "--queue", "harmfulness-1") == 0
    said = capsys.readouterr().out
    assert "USABLE FOR THIS TABLE?" in said
    assert said.strip().split("\n")[-1].startswith(("The judge is", "Whether the judge"))
    assert queue.name not in said
    assert command(tmp_path / "s.db") == 0
    assert "0 of" in capsys.readouterr().out


def test_the_command_as_json_has_the_rows_and_their_reasons(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    score_all(store, 3)
    assert command(tmp_path / "s.db", "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["queues"][0]["hidden"]
    assert {row["pair"] for row in data["agreement"]} == {"judge-human"}
    assert all("results are hidden" in row["reasons"]["exact"] for row in data["agreement"])


def test_the_command_says_what_to_do_without_a_check(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(tmp_path / "s.db") == 0
    assert "emaudit review new" in capsys.readouterr().err
    assert command(tmp_path / "s.db", "--methods") == 0
    assert capsys.readouterr().out.startswith("# Methods")
    assert command(tmp_path / "s.db", "--judge", "nobody@1") == 2
    assert "no judge 'nobody@1'" in capsys.readouterr().err
