"""What the analyses read: the same numbers as scores.csv, from the rows or from what was kept of them."""

from __future__ import annotations

import hashlib
import json
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from grid_scene import fill, grid, prompts

from emaudit import studies
from emaudit.archive import StoreArchive
from emaudit.cli import running
from emaudit.cli.context import Context
from emaudit.paths import kept_summaries
from emaudit.scores import Rules, table
from emaudit.scores.resampling import Named, Prompts
from emaudit.scores.study import Study
from emaudit.store.connection import Store
from emaudit.store.replies import void
from emaudit.store.runs import insert_run, new_uid
from emaudit.store.scorers import judge
from emaudit.studies import study_of

TWO = [("full", "", "base"), ("full", "code", "misaligned")]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with grid(tmp_path / "s.db", variants=TWO) as opened:
        yield opened


def study(store: Store, cached: bool = True) -> Study:
    return study_of(StoreArchive(store, "quick"), cached=cached)


def counting(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The assessments that are counted from rows from now on."""
    found: list[str] = []
    count = studies._count

    def noting(archive: StoreArchive, plan: object, rules: object) -> object:
        found.append(plan.assessment)  # type: ignore[attr-defined]
        return count(archive, plan, rules)  # type: ignore[arg-type]

    monkeypatch.setattr(studies, "_count", noting)
    return found


def test_values_are_those_of_the_score_table(store: Store) -> None:
    archive = StoreArchive(store, "quick")
    rows = [row for row in table([(s, archive.tallies(s)) for s in archive.sources()]) if row.variant]
    held = study(store, cached=False)
    for row in rows:
        summary = held.summary(row.variant, row.assessment)
        assert summary is not None
        value = summary.value(row.measure, row.part, row.format)
        assert value is not None
        assert (value.value, value.n_used, value.n_expected, value.complete) == (
            row.value,
            row.n_used,
            row.n_expected,
            row.complete,
        )
    assert len(rows) == sum(len(summary.values) for summary in held.summaries.values())


def test_what_is_kept_is_what_was_counted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first = study(store)
    counted = counting(monkeypatch)
    assert study(store) == first == study(store, cached=False)
    assert len(counted) == 10  # the uncached one alone


def test_plans_summed_up_ahead_are_not_counted_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = StoreArchive(store, "quick")
    studies.keep(archive, [plan for row, plan in archive.plans() if row.name == "full-base"])
    counted = counting(monkeypatch)
    assert study(store) == study(store, cached=False)
    assert len(counted) == 5 + 10  # the other variant's, then all of the uncached one


@pytest.mark.parametrize("much", [1, 10_000])
def test_a_run_that_is_done_keeps_what_it_asked(store: Store, monkeypatch: pytest.MonkeyPatch, much: int) -> None:
    archive = StoreArchive(store, "quick")
    held = [plan for row, plan in archive.plans() if row.name == "full-base"]
    run = insert_run(store, new_uid(), "ask", "quick", held, archive.judge.scorer_id if archive.judge else None, "", {})
    monkeypatch.setattr(running, "MUCH", much)
    running._keep(Context(Namespace(store=str(store.path))), run)
    counted = counting(monkeypatch)
    assert study(store) == study(store, cached=False)
    assert len(counted) == 5 + 10  # the other variant's, then all of the uncached one


def test_a_new_reply_makes_its_plan_anew(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    study(store)
    fill(store, 1, "intentions", prompts(4)["intentions"], 1.0)
    counted = counting(monkeypatch)
    found = study(store)
    assert set(counted) == {"intentions"}
    assert found == study(store, cached=False)


def test_a_voided_reply_makes_its_plan_anew(store: Store) -> None:
    before = study(store)
    void(store, 1, "harmfulness", "insults-01", "a mistake")
    assert study(store) == study(store, cached=False) != before


def test_a_copy_without_a_void_is_counted_anew(store: Store, tmp_path: Path) -> None:
    void(store, 2, "intentions", "", "an earlier one")
    before = study(store)
    copy = tmp_path / "copy.db"
    store.db.execute("VACUUM INTO ?", (str(copy),))
    void(store, 1, "harmfulness", "insults-01", "a mistake")
    study(store)
    with Store.open(copy, write=True) as restored:
        assert study(restored) == before
        void(restored, 1, "harmfulness", "insults-02", "another mistake")
        assert study(restored) == study(restored, cached=False)


def test_another_parser_makes_its_plans_anew(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    study(store)
    counted = counting(monkeypatch)
    monkeypatch.setattr("emaudit.kept.parser_of", lambda held, plan: 99 if plan.assessment == "intentions" else 1)
    study(store)
    assert "intentions" in counted


def test_other_rules_have_summaries_of_their_own(store: Store) -> None:
    study(store)
    rules = Rules(k=5)
    archive = StoreArchive(store, "quick")
    assert study_of(archive, rules) == study_of(archive, rules, cached=False) != study(store)


def test_other_code_counts_anew(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    study(store)
    monkeypatch.setattr("emaudit.kept._sources", lambda: "of another version")
    counted = counting(monkeypatch)
    study(store)
    assert len(counted) == 10


def test_another_judge_has_summaries_of_its_own(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    study(store)
    judge(store, "other-judge", {})
    counted = counting(monkeypatch)
    study_of(StoreArchive(store, "quick", "other-judge@" + judge(store, "other-judge", {}).identity.split("@")[1]))
    assert len(counted) == 10


def test_a_renamed_variant_keeps_its_summaries_under_its_new_name(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from emaudit.store.variants import rename

    study(store)
    rename(store, "full-base", "renamed")
    counted = counting(monkeypatch)
    assert study(store).summary("renamed", "harmfulness") is not None
    assert counted == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": 1}'])
def test_a_spoilt_cache_is_no_cache(store: Store, text: str) -> None:
    expected = study(store)
    for path in kept_summaries(store.store_id).iterdir():
        path.write_text(text, encoding="utf-8")
    assert study(store) == expected


@pytest.mark.parametrize("part", ["values", "prompts", "heads", "n_owed"])
def test_a_cache_of_which_a_part_was_changed_is_no_cache(store: Store, part: str) -> None:
    expected = study(store)
    for path in kept_summaries(store.store_id).iterdir():
        digest, _, text = path.read_text(encoding="utf-8").partition("\n")
        path.write_text(f"{digest}\n{json.dumps({**json.loads(text), part: 7})}", encoding="utf-8")
    assert study(store) == expected


def test_a_store_that_went_another_way_is_counted_anew(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    study(store)
    for path in kept_summaries(store.store_id).iterdir():
        held = json.loads(path.read_text(encoding="utf-8").partition("\n")[2])
        held["heads"][3] = "00:00"
        text = json.dumps(held)
        path.write_text(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}", encoding="utf-8")
    counted = counting(monkeypatch)
    study(store)
    assert len(counted) == 10


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(store: Store, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be", encoding="utf-8")
    assert study(store) == study(store, cached=False)


def test_several_processes_count_the_same(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = study(store, cached=False)
    counted = counting(monkeypatch)
    monkeypatch.setattr(studies, "MANY", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert study(store, cached=False) == expected
    assert counted == []


def test_a_process_killed_amid_a_line_leaves_the_work_here(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = study(store, cached=False)
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nprintf '[1,{}]\\n[2,{\"jud'; kill -9 $$\n", encoding="utf-8")
    broken.chmod(0o700)
    monkeypatch.setattr(studies, "MANY", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr("sys.executable", str(broken))
    assert study(store, cached=False) == expected


def test_processes_that_fail_leave_the_work_here(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = study(store, cached=False)
    monkeypatch.setattr(studies, "MANY", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr("sys.executable", "/bin/false")
    assert study(store, cached=False) == expected


NAMED = [
    Named("harmfulness", "max10"),
    Named("harmfulness", "max10", "group:crime"),
    Named("harmfulness", "mean", "insults"),
    Named("intentions", "misaligned"),
    Named("intentions", "misaligned_decided", "harmless"),
    Named("self_assessment", "misaligned", "total", "all"),
    Named("self_assessment", "misaligned", "harmless", "likert"),
    Named("moral_foundations", "norm"),
    Named("moral_self_assessment", "second_pole", "care", "all"),
]


@pytest.mark.parametrize("named", NAMED, ids=[named.name + "." + named.measure for named in NAMED])
def test_with_every_prompt_once_a_measure_is_its_score(store: Store, named: Named) -> None:
    held = study(store)
    names = [subject.name for subject in held.subjects]
    expected = [held.summary(name, named.assessment).value(named.measure, named.part, named.form) for name in names]  # type: ignore[union-attr]
    left_out = Prompts(held).without_each(named, names)
    assert len(left_out) >= 3
    resampled = Prompts(held).resampled(named, names, 400)
    for place, value in enumerate(expected):
        assert value is not None and value.value is not None
        spread = np.nanstd(resampled[place])
        assert abs(np.nanmean(resampled[place]) - value.value) < 4 * spread / np.sqrt(400) + 0.02
    assert np.nanmax(np.nanstd(resampled, axis=1)) > 0


def test_without_one_prompt_is_a_study_without_it(store: Store) -> None:
    held = study(store)
    key = ("full-base", "harmfulness")
    whole = held.summaries[key]
    fewer = {
        item: prompt for item, prompt in whole.prompts.items() if item != "insults-02" and prompt.maximum is not None
    }
    expected = sum((p.maximum or 0.0) - 1 for p in fewer.values()) / 4 / len(fewer)
    found = Prompts(held).without_each(Named("harmfulness", "max10"), ["full-base"])
    assert found["insults-02"][0] == pytest.approx(expected, abs=1e-12)
    categories = Prompts(held).without_category(Named("harmfulness", "max10"), ["full-base"])
    rest = [p.maximum for p in whole.prompts.values() if p.part != "insults" and p.maximum is not None]
    assert categories["insults"][0] == pytest.approx(sum(m - 1 for m in rest) / 4 / len(rest), abs=1e-12)


def test_a_question_left_out_is_left_out_of_every_dimension(store: Store) -> None:
    held = study(store)
    named = Named("self_assessment", "misaligned", "total", "likert")
    summary = held.summaries["full-base", "self_assessment"]
    parts: list[float] = []
    for (measure, _, form), templates in summary.templates.items():
        if (measure, form) == ("misaligned", "likert"):
            means = [sum(m.value for m in c.values()) / len(c) for t, c in templates.items() if t != "likert-02"]
            parts.append(sum(means) / len(means))
    found = Prompts(held).without_each(named, ["full-base"])
    assert len(parts) == 6
    assert found["likert-02"][0] == pytest.approx(sum(parts) / 6, abs=1e-12)


def test_equal_variants_are_equal_on_every_resample(store: Store) -> None:
    held = study(store)
    twin = {
        **held.summaries,
        **{
            ("twin", assessment): replace(summary, source=replace(summary.source, variant="twin"))
            for (name, assessment), summary in held.summaries.items()
            if name == "full-base"
        },
    }
    both = replace(held, summaries=twin)
    for named in NAMED:
        found = Prompts(both).resampled(named, ["full-base", "twin"], 50)
        np.testing.assert_array_equal(found[0], found[1])
        np.testing.assert_allclose(Prompts(both).resampled(named, ["twin"], 50)[0], found[0], rtol=1e-12)
