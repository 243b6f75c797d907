"""Agreement over a real store: labels through sessions, files that recompute, other judges, known human truth."""

from __future__ import annotations

import csv
import json
import math
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from reviewing_scene import LIBRARY, TWO, choice_store, drawn, harm_store, judge_of, run_of, session

from emaudit.archive import StoreArchive
from emaudit.assessments.base import Planned, Prompt, Reading, Status
from emaudit.export import export_csv
from emaudit.judgetables import people_tables
from emaudit.reviewing.queues import scope
from emaudit.scores.agreement import AgreementRow, agreement_tables, blind_labels, dashboard, spot_check
from emaudit.store import plans, replies, reviews, scorers
from emaudit.store.connection import Store
from emaudit.store.plans import Plan, current_plans
from emaudit.store.queues import Queue
from emaudit.store.replies import Chain, VerdictRow
from emaudit.store.runs import Run


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with harm_store(tmp_path / "s.db", TWO) as opened:
        yield opened


def truth(reply_id: int, judged: float | None) -> int:
    """What people say of a reply: mostly the judge's score, one less on every fourth."""
    value = int(judged or 2)
    return value - 1 if value > 1 and reply_id % 4 == 0 else value


def label(store: Store, queue: Queue, n: int = 10_000, who: str = "ann") -> None:
    """Label the next items of a queue as `truth` has it."""
    judged = {found.label.position: found for found in scope(store, queue)}
    held = session(store, queue, who)
    for _ in range(n):
        shown = held.item
        if shown is None:
            return
        found = judged[shown.position]
        held.score(str(truth(found.label.reply_id, found.judge_value)), 1.5)


def export(store: Store, folder: Path, preset: str = "quick") -> dict[str, list[dict[str, str]]]:
    export_csv(StoreArchive(store, preset), folder, preset)
    found = {}
    for path in folder.glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            found[path.name] = list(csv.DictReader(file))
    return found


def rows(store: Store, judge: str = "", **wanted: str) -> list[AgreementRow]:
    found = agreement_tables(store, "quick", current_plans(store, "quick"), judge)
    return [t.row for t in found if all(getattr(t.row, name) == value for name, value in wanted.items())]


def test_the_dashboard_equals_a_recomputation_from_the_events(store: Store, tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    queue = drawn(store, 30, reveal="end")
    label(store, queue, 7)
    held = session(store, queue)
    for _ in range(5):
        held.undo()
    held.score("5", 2.0)
    held.defer()
    held.cannot_tell("truncated")
    held.score("3")
    label(store, queue)
    export(store, tmp_path / "out")

    events = pd.read_csv(tmp_path / "out" / "reviews.csv", keep_default_na=False, na_values=[""])
    assert len(events) == len(reviews.events(store, queue.queue_id))
    undone = set(events[events.kind == "undo"].undoes)
    stand = events[~events.event.isin(undone) & events.kind.isin(["score", "cannot_tell", "defer"])]
    newest = stand[stand.role == "first"].sort_values("event").groupby("position").tail(1)
    used = newest[(newest.kind == "score") & (newest.is_blind == 1) & newest.judge_value.notna()]

    board = dashboard(store, queue)
    for variant, part in [*used.groupby("variant")]:
        row = next(t.table.row for t in board.tables if (t.table.row.variant, t.table.row.measure) == (variant, "mean"))
        frame = part.groupby("stratum").n_frame.first()
        weights = part.n_frame / part.groupby("stratum").value.transform("size")
        means = part.groupby("stratum").value.mean()
        hit = (part.value == part.judge_value).astype(float)
        assert row.n_blind == len(part)
        assert row.exact == pytest.approx((weights * hit).sum() / weights.sum())
        assert row.bias == pytest.approx((weights * (part.judge_value - part.value)).sum() / weights.sum())
        strata = {s.stratum for s in queue.strata if s.variant == variant and not s.is_unscored}
        assert set(frame.index) == strata, "every stratum has a label here, so the correction is defined"
        assert row.value_corrected == pytest.approx((frame * means).sum() / frame.sum())
        judged = part.groupby("stratum").judge_value.first()
        assert row.value_judge == pytest.approx((frame * judged).sum() / frame.sum())
    assert board.counts.n_done == len(newest[newest.kind != "defer"])


def test_same_store_same_bytes(store: Store, tmp_path: Path) -> None:
    queue = drawn(store, 30)
    label(store, queue)
    label(store, queue, 12, "bob")
    reviews.star(store, "ann", queue.items[0].reply_id)
    for name in ("one", "two"):
        export(store, tmp_path / name)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert {"agreement.csv", "confusion.csv", "examples.csv", "examples.tex", "methods.md", "reviews.csv"} <= set(names)
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_files_say_what_the_dashboard_says(store: Store, tmp_path: Path) -> None:
    queue = drawn(store, 30)
    label(store, queue)
    files = export(store, tmp_path / "out")
    board = {(r.variant, r.measure): r for r in dashboard(store, queue).rows if r.pair == "judge-human"}
    written = [row for row in files["agreement.csv"] if row["pair"] == "judge-human"]
    assert {(row["variant"], row["measure"]) for row in written} == board.keys()
    for row in written:
        held = board[row["variant"], row["measure"]]
        for name in ("exact", "kappa_quadratic", "value_judge", "value_corrected", "corrected_low"):
            value = getattr(held, name)
            assert row[name] == ("" if value is None else repr(value))
    cells = [row for row in files["confusion.csv"] if (row["variant"], row["measure"]) == ("base", "mean")]
    assert sum(int(row["n"]) for row in cells) == board["base", "mean"].n_blind
    assert sum(float(row["weight"]) for row in cells) == pytest.approx(39)


def test_the_manifest_holds_the_review_snapshot_and_the_reasons(store: Store, tmp_path: Path) -> None:
    queue = drawn(store, 30)
    label(store, queue, 4)
    export(store, tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    snapshot = manifest["reviews"][0]
    chain = store.db.execute("SELECT hex(chain) FROM review_events ORDER BY event_id DESC LIMIT 1").fetchone()[0]
    assert (snapshot["queue"], snapshot["n_events"], snapshot["last_event"]) == (queue.name, 4, chain.lower())
    assert snapshot["frame_hash"] == queue.frame_hash
    hidden = [row for row in manifest["undefined"] if row["column"] == "exact" and row["pair"] == "judge-human"]
    assert hidden and all("results are hidden" in row["reason"] for row in hidden)
    assert {"agreement.csv", "reviews.csv", "methods.md"} <= manifest["files"].keys()
    session(store, queue).undo()
    export(store, tmp_path / "later")
    later = json.loads((tmp_path / "later" / "manifest.json").read_text(encoding="utf-8"))
    assert later["reviews"][0]["last_event"] != snapshot["last_event"]


def test_responses_hold_the_newest_blind_label_of_the_first_reviewer(store: Store, tmp_path: Path) -> None:
    queue = drawn(store, 10, repeat_share=0.0)
    held = session(store, queue)
    first = held.item
    assert first is not None
    held.score("4")
    second = held.item
    assert second is not None
    held.reveal()
    held.score("5")
    label(store, queue, 1, "bob")
    files = export(store, tmp_path / "out")
    given = [row for row in files["responses.csv"] if row["human_score"]]
    assert [(row["human_score"], row["reviewer"]) for row in given] == [("4.0", "ann")]
    assert given[0]["reviewed_at"].endswith("Z")
    assert given[0]["response"].startswith(first.response.split("\n")[0][:6])
    assert len(blind_labels(store)) == 1
    held.go_to(first.number)
    held.score("2")
    assert [found.value for found in blind_labels(store).values()] == [2.0]


def test_the_label_given_last_is_the_newest_where_the_clock_was_set_back(store: Store) -> None:
    first, second = (drawn(store, 1, seed=1, repeat_share=0.0) for _ in range(2))
    assert [item.reply_id for item in first.items] == [item.reply_id for item in second.items]
    label(store, first)
    held = session(store, second)
    with patch("time.time_ns", lambda: 1_000_000_000_000_000_000):
        while held.item is not None:
            held.score("3")
    assert {found.value for found in blind_labels(store).values()} == {3.0}


def test_a_label_changed_after_the_verdict_was_seen_keeps_the_blind_one(store: Store) -> None:
    queue = drawn(store, 10, repeat_share=0.0)
    held = session(store, queue)
    shown = held.item
    assert shown is not None
    held.score("4")
    held.go_to(shown.number)
    held.reveal()
    held.score("1")
    check = spot_check(store, queue)
    mine = next(found for found in check.ratings if found.position == shown.position)
    assert (mine.value, mine.blind, mine.is_blind) == (1.0, 4.0, False)


def test_labels_of_another_rubric_stay_out_for_that_judge_alone(store: Store) -> None:
    queue = drawn(store, 30)
    label(store, queue)
    changed = LIBRARY.with_rubric(replace(LIBRARY.rubrics["harm"], system="Another rubric.\n1 - mild\n5 - grave"))
    strict = judge_of(store, changed, "strict")
    rejudge(store, strict, 0)
    own = next(row for row in rows(store, judge=queue.judge, pair="judge-human", variant="pooled", measure="mean"))
    other = dashboard(store, queue, strict.identity)
    row = next(t.table.row for t in other.tables if (t.table.row.variant, t.table.row.measure) == ("pooled", "mean"))
    assert own.n_blind and own.n_blind == own.n
    assert (row.n, row.n_blind, row.exact) == (queue.n_planned, 0, None)
    assert other.counts.n_old_rubric == queue.n_planned
    assert dashboard(store, queue).counts.n_old_rubric == 0


def rejudge(store: Store, judge: scorers.Scorer, shift: int) -> None:
    """Verdicts of another judge on every reply: the first one's, moved up."""
    for plan in current_plans(store, "quick"):
        run = run_of(store, [plan], judge)
        found = store.db.execute(
            "SELECT r.reply_id, v.value FROM plan_cells pc JOIN replies r ON r.cell_id = pc.cell_id "
            "JOIN verdicts v ON v.reply_id = r.reply_id AND v.scorer_id = 1 WHERE pc.plan_id = ? ORDER BY 1",
            (plan.plan_id,),
        ).fetchall()
        with store.transaction() as db:
            chain = Chain(db, run.run_id)
            for reply_id, value in found:
                moved = min(5.0, (value or 1.0) + shift)
                replies.insert_verdict(
                    db, chain, reply_id, VerdictRow(judge.scorer_id, Reading(Status.SCORED, moved), 1, "raw")
                )


def test_judges_stand_beside_people_and_beside_each_other(store: Store) -> None:
    queue = drawn(store, 30)
    label(store, queue)
    before = rows(store, variant="pooled", pair="judge-human", measure="mean")
    assert [row.judge for row in before] == [queue.judge]
    harsher = judge_of(store, model="harsher")
    rejudge(store, harsher, 1)
    found = rows(store, variant="pooled", pair="judge-human", measure="mean")
    assert [row.judge for row in found] == sorted([queue.judge, harsher.identity])
    by_name = {row.judge: row for row in found}
    assert by_name[queue.judge] == before[0]
    assert by_name[harsher.identity].value_corrected == pytest.approx(before[0].value_corrected)
    assert by_name[harsher.identity].bias is not None and by_name[harsher.identity].bias > (before[0].bias or 0)
    both = rows(store, pair="judge-judge")
    assert [(row.variant, row.n, row.n_blind, row.design) for row in both] == [
        ("base", 39, None, "all"),
        ("worse", 40, None, "all"),
        ("pooled", 79, None, "all"),
    ]
    assert both[0].judge == f"{queue.judge} vs {harsher.identity}"
    assert both[0].bias == -1.0
    alone = rows(store, harsher.identity, pair="judge-human", variant="pooled", measure="mean")
    assert [row.judge for row in alone] == [harsher.identity]


def test_a_judge_beside_itself_on_the_same_text(store: Store) -> None:
    assert rows(store, pair="repeat") == []
    judge = judge_of(store)
    plan = plans.write_plan(
        store, 1, 2, "harmfulness", "quick", "i@0", "i", "again",
        [(found, "{}") for found in _planned()],
    )  # fmt: skip
    run = run_of(store, [plan], judge)
    fill_same(store, run, plan, [2.0, 2.0, 3.0, 1.0], judge)
    found = rows(store, pair="repeat", variant="base")
    assert [(row.judge, row.n, row.n_prompts, row.bias) for row in found] == [(judge.identity, 2, 2, 1.0)]


def _planned() -> list[Planned]:
    return [Planned(Prompt("harmfulness", f"insults-9{n}", "insults", "", "", f"p{n}"), 2) for n in range(2)]


def fill_same(store: Store, run: Run, plan: Plan, values: list[float], judge: scorers.Scorer) -> None:
    parser = scorers.scorer(store, "parser", "parser:harmfulness@1", {}).scorer_id
    slots = [(s.cell_id, s.first + n) for s in plans.owed(store, plan.plan_id, 1) for n in range(s.n)]
    with store.transaction() as db:
        chain = Chain(db, run.run_id)
        for (cell_id, sample), value in zip(slots, values, strict=True):
            verdict = VerdictRow(judge.scorer_id, Reading(Status.SCORED, value), 1, "raw")
            row = replies.ReplyRow(cell_id, sample, 0, "ok", f"the same words in cell {cell_id}")
            replies.insert_reply(db, chain, row, [VerdictRow(parser, Reading(Status.REFERRED)), verdict])


def test_two_queues_of_one_design_are_told_apart(store: Store) -> None:
    for name in ("early", "late"):
        label(store, drawn(store, 30, name=name))
    found = rows(store, variant="pooled", pair="judge-human", measure="mean")
    assert [row.design for row in found] == ["stratified:early", "stratified:late"]


def test_a_variant_that_is_left_out_takes_its_rows_and_the_pooled_one(store: Store, tmp_path: Path) -> None:
    label(store, drawn(store, 30))
    archive = StoreArchive(store, "quick", exclude=[("stage", "worse")])
    export_csv(archive, tmp_path / "out", "quick")
    with (tmp_path / "out" / "agreement.csv").open(newline="", encoding="utf-8") as file:
        assert {row["variant"] for row in csv.DictReader(file) if row["pair"] == "judge-human"} == {"base"}


def test_people_are_one_more_judge_once_their_results_may_be_seen(store: Store) -> None:
    queue = drawn(store, 30, repeat_share=0.0)
    label(store, queue, 10)
    assert people_tables(store) == []
    label(store, queue)
    (people,) = people_tables(store)
    assert people.name == f"people:{queue.name}"
    assert len(people.values["harmfulness"]) == queue.n_planned
    board = {r.variant: r for r in dashboard(store, queue).rows if r.measure == "mean"}
    headlines = {row.variant: row for row in people.headlines}
    assert headlines["base"].value == board["base"].value_corrected
    assert headlines["base"].measure == "mean"


def test_an_imported_plan_of_fewer_replies_has_no_maximum(tmp_path: Path) -> None:
    with harm_store(tmp_path / "few.db", {"base": [[1, 2, 3], [1, 1, 1], [2, 2, 2]]}) as store:
        queue = drawn(store, 9, design="prompts")
        label(store, queue)
        row = next(r for r in dashboard(store, queue).rows if (r.variant, r.measure) == ("base", "max10"))
        assert (row.value_judge, row.value_corrected, row.n_blind) == (None, None, 0)
        assert row.reasons["value_corrected"]


def test_whole_prompts_correct_the_maximum(tmp_path: Path) -> None:
    calm, mixed, grave = [1.0] * 10, [1.0] * 7 + [2.0, 3.0, 3.0], [1.0] * 5 + [4.0] * 4 + [5.0]
    with harm_store(tmp_path / "w.db", {"base": [calm] * 6 + [mixed] * 4 + [grave] * 3}) as store:
        queue = drawn(store, 130, design="prompts", repeat_share=0.0)
        held = session(store, queue)
        judged = {found.label.position: found.judge_value for found in scope(store, queue)}
        while held.item is not None:
            held.score(str(int(judged[held.item.position] or 1)))
        row = next(r for r in dashboard(store, queue).rows if (r.variant, r.measure) == ("base", "max10"))
        assert row.value_judge == pytest.approx((6 * 0 + 4 * 0.5 + 3 * 1) / 13)
        assert row.value_corrected == pytest.approx(row.value_judge)
        assert row.n_prompts == 13


def test_the_corrected_interval_holds_the_truth(tmp_path: Path) -> None:
    """A noisy judge over replies whose human score is known: people's labels find the truth that the judge misses."""
    source = random.Random(5)
    known: dict[str, list[int]] = {}
    scores: dict[str, list[list[float | None]]] = {}
    for name, severity in (("base", 0.06), ("worse", 0.6)):
        values = [1 if source.random() > severity else source.choice([2, 3, 4, 5]) for _ in range(400)]
        noisy = [min(5, value + 1) if source.random() < 0.2 else value for value in values]
        known[name] = values
        scores[name] = [[float(v) for v in noisy[at : at + 10]] for at in range(0, 400, 10)]
    with harm_store(tmp_path / "t.db", scores) as store:
        human = dict(zip([row[0] for row in store.db.execute("SELECT reply_id FROM replies ORDER BY 1")],
                         [*known["base"], *known["worse"]], strict=True))  # fmt: skip
        hits = 0
        for seed in range(6):
            queue = drawn(store, 120, seed=seed, name=f"q{seed}", repeat_share=0.0, double_share=0.0)
            of = {item.position: item.reply_id for item in queue.items}
            held = session(store, queue, "ann")
            while held.item is not None:
                held.score(str(human[of[held.item.position]]))
            for row in dashboard(store, queue).rows:
                if row.measure == "mean" and row.variant in known and row.pair == "judge-human":
                    mean = math.fsum(known[row.variant]) / 400
                    assert row.value_judge is not None and row.value_judge > mean + 0.05
                    assert row.corrected_low is not None and row.corrected_high is not None
                    hits += row.corrected_low <= mean <= row.corrected_high
        assert hits >= 11, f"{hits} of 12 intervals at 95% hold the truth"


def test_choices_have_their_own_scale(tmp_path: Path) -> None:
    with choice_store(tmp_path / "c.db", "intentions") as store:
        queue = drawn(store, 12, assessment="intentions", repeat_share=0.0)
        held = session(store, queue)
        while held.item is not None:
            held.score("a")
        row = next(r for r in dashboard(store, queue).rows if (r.variant, r.pair) == ("base", "judge-human"))
        assert (row.measure, row.value_judge) == ("misaligned", 0.5)
        assert row.within_one == 1.0
        assert row.value_corrected is not None and 0 < row.value_corrected < 1
        assert blind_labels(store).keys() == {item.reply_id for item in queue.items}
