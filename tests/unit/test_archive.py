"""A store as scoring and exporting see it, over a real store of a few replies."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from emaudit.archive import StoreArchive
from emaudit.assessments.base import Outcome, Planned, Prompt, Reading, Status
from emaudit.export import export_csv
from emaudit.prompts import content_hash
from emaudit.scores import Score, table
from emaudit.store.connection import Store
from emaudit.store.plans import Plan, write_plan
from emaudit.store.replies import Chain, ReplyRow, VerdictRow, insert_reply, insert_verdict
from emaudit.store.runs import insert_run, new_uid
from emaudit.store.scorers import judge, scorer
from emaudit.store.variants import add_variants, hide

VERDICTS = (1, 1, 1, 1, 1, 2, 1, 1, 1, 4)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "store.sqlite", write=True, create=True)
    add_variants(
        opened,
        [{"name": name, "model": f"m-{name}", "size": "mini", "stage": "base", "epochs": "3"} for name in ("b", "a")],
    )
    for variant_id in (1, 2):
        fill(opened, variant_id)
    yield opened
    opened.db.close()


def fill(store: Store, variant_id: int, replicate: int = 0, judged: bool = True) -> Plan:
    prompt = Prompt("harmfulness", "insults-01", "insults", "", "", "Say something")
    digest = content_hash("plan")
    plan = write_plan(
        store, variant_id, replicate, "harmfulness", "smoke", "ours@1", "ours", digest, [(Planned(prompt, 10), "{}")]
    )
    parser = scorer(store, "parser", "parser:harmfulness@1", {})
    by = judge(store, "sim-judge", {})
    run = insert_run(store, new_uid(), "run", "smoke", [plan], by.scorer_id, "{}", {})
    cell = store.db.execute("SELECT cell_id FROM plan_cells WHERE plan_id = ?", (plan.plan_id,)).fetchone()[0]
    with store.transaction() as db:
        chain = Chain(db, run.run_id)
        for sample, value in enumerate(VERDICTS):
            row = ReplyRow(cell, sample, 0, str(Outcome.OK), f"reply {sample}")
            reading = Reading(Status.REFERRED) if judged else Reading(Status.SCORED, float(value))
            reply = insert_reply(db, chain, row, [VerdictRow(parser.scorer_id, reading)])
            assert reply is not None
            if judged:
                insert_verdict(
                    db, chain, reply, VerdictRow(by.scorer_id, Reading(Status.SCORED, float(value)), 1, "raw")
                )
    return plan


def scores(archive: StoreArchive) -> list[Score]:
    return table([(source, archive.tallies(source)) for source in archive.sources()])


def test_scores_of_a_store(store: Store) -> None:
    rows = [row for row in scores(StoreArchive(store, "smoke")) if (row.measure, row.part) == ("max10", "total")]
    assert [(row.variant, row.size, row.value, row.n_used, row.complete) for row in rows] == [
        ("", "all", 0.75, 20, True),
        ("a", "mini", 0.75, 10, True),
        ("b", "mini", 0.75, 10, True),
    ]
    assert rows[1].judge.startswith("sim-judge@")
    assert rows[1].instrument == "ours@1"


def test_another_preset_is_another_table(store: Store) -> None:
    assert scores(StoreArchive(store, "paper")) == []


def test_hidden_variants_are_left_out_and_named(store: Store) -> None:
    hide(store, "b")
    archive = StoreArchive(store, "smoke")
    assert {row.variant for row in scores(archive)} == {"a"}
    assert list(archive.facts()["hidden"]) == ["b"]  # type: ignore[call-overload]


def test_export_of_a_store(store: Store, tmp_path: Path) -> None:
    written = export_csv(StoreArchive(store, "smoke"), tmp_path / "out", "smoke")
    assert [file.n_rows for file in written[:1]] == [2]
    with (tmp_path / "out" / "responses.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["score"]) for row in rows if row["variant"] == "a"] == list(VERDICTS)
    assert {(row["scored_by"], row["verdict_raw"], row["prompt"]) for row in rows} == {
        ("judge", "raw", "Say something")
    }
    with (tmp_path / "out" / "variants.csv").open(newline="", encoding="utf-8") as file:
        assert [(row["variant"], row["epochs"], row["replicate"]) for row in csv.DictReader(file)] == [
            ("a", "3", "0"),
            ("b", "3", "0"),
        ]


def test_the_manifest_names_all_that_is_left_out(store: Store, tmp_path: Path) -> None:
    fill(store, 2, replicate=1)
    archive = StoreArchive(store, "smoke", exclude=[("model", "m-b")])
    export_csv(archive, tmp_path / "out", "smoke")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert [(row["variant"], row["why"]) for row in manifest["excluded"]] == [
        ("b", "--exclude model=m-b"),
        ("a", "older"),
    ]
    assert {"domain", "stage"} <= set(manifest["excluded"][0])


def test_a_plan_without_verdicts_of_a_judge_has_no_judge_and_joins_the_average(store: Store, tmp_path: Path) -> None:
    add_variants(store, [{"name": "c", "model": "m-c", "size": "mini", "stage": "base"}])
    fill(store, 3, judged=False)
    rows = [row for row in scores(StoreArchive(store, "smoke")) if (row.measure, row.part) == ("max10", "total")]
    assert [(row.variant, row.judge.partition("@")[0], row.n_used) for row in rows] == [
        ("", "sim-judge", 30),
        ("a", "sim-judge", 10),
        ("b", "sim-judge", 10),
        ("c", "", 10),
    ]
    export_csv(StoreArchive(store, "smoke"), tmp_path / "out", "smoke")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert [plan["judge"] for plan in manifest["plans"]] == [rows[1].judge, rows[1].judge, ""]
    assert list(manifest["judges"]) == [rows[1].judge]
