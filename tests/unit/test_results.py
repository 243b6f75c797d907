"""The results page says what the rows say, to their last shown digit, and what they do not show; and the two verbs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import pytest
from correlation_scene import study as scored
from reviewing_scene import harm_store
from study_scene import harm, said, study, subject

from emaudit.__main__ import main
from emaudit.analyses import Analyses
from emaudit.archive import StoreArchive
from emaudit.choices import Choices
from emaudit.export import Page
from emaudit.results import results_page
from emaudit.scores.comparisons import ComparisonRow
from emaudit.scores.correlations import CorrelationRow
from emaudit.scores.dissociation import dissociation_rows
from emaudit.scores.rows import Score
from emaudit.scores.study import Study
from emaudit.scores.trajectories import exceptions, trajectory_rows
from emaudit.store.connection import Store
from emaudit.store.variants import add_variants, set_fields
from emaudit.studies import study_of

BASE = subject("nano", "base")
MIS = subject("nano", "misaligned", "code", BASE.name)
RE = subject("nano", "realigned", "code", MIS.name)
LOW = [1, 1, 1, 2, 1, 1, 3, 1, 1, 1, 2, 1]
HIGH = [5, 4, 1, 5, 3, 2, 5, 4, 5, 1, 5, 3]
WORSE = [5, 5, 2, 5, 4, 3, 5, 5, 5, 2, 5, 4]
QUIET = [0.0, 0.1, 0.0, 0.2, 0.1, 0.0, 0.3, 0.1, 0.0, 0.2]


def small() -> Study:
    asked = [
        entry
        for variant, maxima in ((BASE, LOW), (MIS, HIGH), (RE, WORSE))
        for entry in (harm(variant.name, maxima), said(variant.name, QUIET))
    ]
    return study([BASE, MIS, RE], *asked)


def blank(kind: type, **known: object) -> object:
    """A row with what is given; the rest empty or 0."""
    empty = {"str": "", "int": 0, "bool": False}
    found = {field.name: empty.get(str(field.type)) for field in fields(kind)}
    return kind(**{**found, **known})


CORRELATION: CorrelationRow = blank(  # type: ignore[assignment]
    CorrelationRow,
    x="intentions.harmless",
    y="harmfulness",
    columns="harmless",
    subset="all",
    n=15,
    rho=0.8781234,
    tau_b=0.71,
    ties_x=4,
    ci_low=0.61,
    ci_high=0.97,
    ci_method="Bonett-Wright",
    p_within_size=0.0006,
    p_holm=0.0012,
    rho_recipe_only=0.771,
    p_within_recipe=0.198,
    n_arrangements=7776,
    loso_low=0.61,
    loso_high=0.95,
    excluded="nano-odd (harmfulness incomplete)",
)
COMPARISON: ComparisonRow = blank(  # type: ignore[assignment]
    ComparisonRow,
    assessment="harmfulness",
    measure="max10",
    part="total",
    size="all",
    domain="code",
    group_a="base",
    group_b="misaligned",
    mean_a=0.07,
    mean_b=0.4,
    unit="prompts",
    test="signed-rank",
    n_pairs=320,
    n_zero=41,
    zero_rule="pratt",
    p=0.00004,
    p_holm=0.00012,
    family_size=3,
    rank_biserial=0.9,
    mean_difference=0.33,
    mean_low=0.3,
    mean_high=0.36,
)


def page(found: Study, **more: object) -> str:
    given = {"correlations": [CORRELATION], "comparisons": [COMPARISON], **more}
    return results_page(found, trajectories=trajectory_rows(found), dissociations=dissociation_rows(found), **given)  # type: ignore[arg-type]


def test_nothing_asked_is_a_page_that_says_so() -> None:
    text = results_page(study([]), [], [], [], [])
    assert "No variant was asked anything yet." in text
    assert "No correlation: it takes four variants" in text
    assert "no evidence of safety" in text
    assert "SIMULATED" not in text


def test_counts_judges_and_instruments_are_named() -> None:
    text = page(small())
    assert "`harmfulness`: 360 of 360 replies used, of 3 variants; instrument `harmfulness@1`; judge `judge@1`." in text
    assert "3 variants of 1 base model (sizes: nano), preset quick" in text
    assert "resampled 2,000 times with seed 7" in text


def test_a_correlation_is_told_with_all_that_belongs_to_it() -> None:
    text = page(small())
    for part in (
        "rho 0.878 (tau-b 0.710; tied values 4 and 0)",
        "95% interval [0.610, 0.970] (Bonett-Wright)",
        "over prompts undefined",
        "without one size 0.610 to 0.950",
        "p within size 0.0006, Holm over the three pairs 0.0012",
        "the labels of the fine-tunes alone carry 0.771, beyond them p 0.1980 (7,776 arrangements)",
        "- not in some correlations: nano-odd (harmfulness incomplete).",
    ):
        assert part in text


def test_an_undefined_correlation_gives_its_reason() -> None:
    text = page(small(), correlations=[replace(CORRELATION, rho=None, undefined_reason="a column is constant")])
    assert "undefined, a column is constant." in text
    assert "rho 0" not in text


def test_correlations_of_formats_and_subsets_stay_in_the_csv() -> None:
    rows = [replace(CORRELATION, subset="code"), replace(CORRELATION, x="self_assessment.likert.harmless")]
    assert "0.878" not in page(small(), correlations=rows)


def test_a_chosen_subset_is_told_and_named() -> None:
    text = page(small(), correlations=[replace(CORRELATION, subset="code", n=9)])
    assert "`intentions.harmless` and `harmfulness` (harmless, subset `code` with the bases, 9 variants): rho" in text
    assert "No correlation" not in text
    whole = page(small(), correlations=[CORRELATION, replace(CORRELATION, subset="code")])
    assert whole.count("rho 0.878") == 1 and "subset `code`" not in whole


def test_correlations_of_other_measures_alone_are_not_called_none() -> None:
    other = replace(CORRELATION, x="moral_foundations", y="moral_self_assessment", columns="total")
    text = page(small(), correlations=[other])
    assert "No correlation" not in text
    assert "No two of harmfulness, intentions and self-assessment; other pairs are in correlations.csv." in text


def test_a_comparison_of_unknown_size_is_not_called_pooled() -> None:
    unknown = replace(COMPARISON, size="", group_a="x", group_b="y")
    assert "| x | y |" not in page(small(), comparisons=[COMPARISON, unknown])
    assert "| harmfulness | not recorded | code | x | y |" in page(small(), comparisons=[unknown])


def test_what_is_pooled_over_sizes_stands_for_its_domain_alone() -> None:
    single = replace(COMPARISON, size="nano", group_a="b", group_b="m")
    lone = replace(single, domain="trivia", group_b="t")
    text = page(small(), comparisons=[COMPARISON, single, lone])
    assert "| nano | trivia | b | t |" in text
    assert "| nano | code | b | m |" not in text


def test_base_models_are_counted_by_their_variants_and_not_by_sizes() -> None:
    second = replace(BASE, name="another-base")
    lost = subject("nano", "misaligned", "trivia", "gone")
    found = study([BASE, second, MIS, lost], *(harm(v.name, LOW) for v in (BASE, second, MIS, lost)))
    text = page(found)
    told = "4 variants of 2 base models and of unknown ones (1 variant)"
    assert f"{told} (sizes: nano), preset quick" in text
    assert f"- {told} are few and not independent" in text
    assert "few variants per recipe leave little power" in text


def test_variants_of_no_lineage_are_named_with_the_reason() -> None:
    again = replace(RE, name="nano-again", parent=RE.name)
    probed = replace(MIS, name="nano-probed", stage="probed", parent=again.name)
    held = [harm(v.name, LOW) for v in (BASE, MIS, RE, again, probed)]
    text = page(study([BASE, MIS, RE, again, probed], *held))
    told = "nano-code-realigned: tuned on, to nano-again; nano-probed: stage probed is not followed"
    assert f"In no lineage: {told}." in text
    assert "In no lineage" not in page(small())


def test_a_test_is_told_with_zero_rule_and_family() -> None:
    text = page(small())
    assert "signed-rank (prompts; 320 pairs, 41 zero) | <.0001 | 0.0001 (3) | +0.900" in text
    assert "+0.330 [0.300, 0.360]" in text
    assert "Zeros: pratt." in text


def test_an_undefined_test_gives_its_reason() -> None:
    text = page(small(), comparisons=[replace(COMPARISON, p=None, undefined_reason="all differences are 0")])
    assert "undefined: all differences are 0" in text


def test_exceptions_and_dissociation_are_named_with_the_rows_numbers() -> None:
    found = small()
    text = page(found)
    along = next(r for r in trajectory_rows(found) if (r.assessment, r.part) == ("harmfulness", "total"))
    parted = next(r for r in dissociation_rows(found) if (r.variant, r.part) == (MIS.name, "total"))
    assert "`harmfulness`: the inverted V (up with misalignment, down with realignment) holds in 0 of 1 lineage" in text
    assert f"Exceptions: nano, code ({RE.name}), harmfulness: no fall" in text
    assert f"{along.induced:+.3f} [{along.induced_low:.3f}, {along.induced_high:.3f}]" in text
    assert f"- {MIS.name} behaves worse, says nothing: against {BASE.name}, harmfulness {parted.harm_rise:+.3f}" in text
    assert "(Holm family of 2)" in text


def test_a_parting_is_told_with_what_holm_leaves_of_it() -> None:
    found = small()
    (row,) = [r for r in dissociation_rows(found) if (r.variant, r.part) == (MIS.name, "total")]
    name = f"{MIS.name} behaves worse, says nothing"
    for p, is_held in ((0.05, True), (0.0501, False), (None, False)):
        text = results_page(found, [], [], [], [replace(row, p_holm=p)])
        assert (f"- {name}: against" in text) is is_held, "an unheld one is never asserted"
        assert (f"- {name} (not after Holm): against" in text) is not is_held
        assert ("Parted after Holm, `total`: none." in text) is not is_held
        assert f'"behaves worse, says nothing" fits 1 by their intervals and {int(is_held)} after Holm' in text
    both = results_page(found, [], [], [], [replace(row, p_holm=0.2), replace(row, variant="kept", p_holm=0.01)])
    held, _, others = both.partition("not after Holm, `total`:")
    assert "- kept behaves worse" in held and f"- {name}" not in held and f"- {name} (not after Holm)" in others


def test_the_page_opens_with_its_findings_in_the_numbers_of_the_rows() -> None:
    scene = scored()
    found = Analyses(scene)
    text = next(file.text for file in found.files() if isinstance(file, Page))
    opening = text.partition("\n\n## ")[0]
    rows = [r for r in found.correlations if r.columns == "harmless" and r.subset == "all" and r.p_holm is not None]
    assert len(rows) == 3
    for row in rows:
        assert f"{row.rho:.3f} [{row.ci_low:.3f}, {row.ci_high:.3f}], n {row.n}" in opening
        assert f"({row.p_holm:.4f})" in opening or "(<.0001)" in opening
        assert f"{row.rho_recipe_only:.3f} (p {row.p_within_recipe:.4f})" in opening
    for card in found.cards:
        reach = card.association.tests.within_recipe
        assert f"{reach.lowest:.3f} to {reach.highest:.3f}" in opening
        assert card.sentence in opening
    assert opening.endswith(found.cards[-1].sentence)
    assert "Nothing was left out." in opening


def test_a_chosen_subset_and_column_open_the_page_too() -> None:
    found = Analyses(scored(), Choices(columns="total", subset="code"))
    assert {(card.row.columns, card.row.subset) for card in found.cards} == {("total", "code")}
    assert Analyses(scored(), Choices(subset="law")).cards == []


def test_of_a_fall_the_share_is_of_the_change() -> None:
    fallen = study([BASE, MIS, RE], harm(BASE.name, HIGH), harm(MIS.name, LOW), harm(RE.name, HIGH))
    (line,) = exceptions(trajectory_rows(fallen))
    assert "no rise" in line and "share of the change undone +1.000" in line and "rise -" not in line


def test_what_is_left_out_is_listed_with_the_reason() -> None:
    whole = small()
    owed = harm(RE.name, [*WORSE[:-2], None, None])
    lacking = replace(
        whole, summaries={**whole.summaries, (RE.name, "harmfulness"): owed}, left_out={"x": "--exclude size=x"}
    )
    voids = [{"variant": MIS.name, "assessment": "harmfulness", "item": "", "reason": "wrong key", "n_replies": 12}]
    text = page(lacking, voided=voids)
    assert "- x: --exclude size=x." in text
    assert f"- {RE.name}, `harmfulness`: incomplete, 100 of 120 replies used, 2 owed." in text
    assert f"- {MIS.name}, `harmfulness`: 12 replies voided, wrong key." in text


def test_single_values_come_with_the_intervals_of_their_scores() -> None:
    score: Score = blank(  # type: ignore[assignment]
        Score, variant=BASE.name, assessment="harmfulness", measure="max10", part="total", ci_low=0.01, ci_high=0.2,
        ci_method="bootstrap",
    )  # fmt: skip
    text = page(small(), scores=[score])
    assert f"| {BASE.name} | harmfulness | max10 | 0.083 | [0.010, 0.200] (bootstrap) | 120 of 120 | yes |" in text


def test_names_from_outside_keep_the_tables_whole() -> None:
    hostile = replace(MIS, name="a|b\x1b[31m")
    found = study([BASE, hostile], harm(BASE.name, LOW), harm(hostile.name, HIGH))
    text = page(found)
    assert "a\\|b␛[31m" in text and "\x1b" not in text
    for line in text.splitlines():
        if line.startswith("| a\\|b"):
            assert len(re.findall(r"(?<!\\)\|", line)) in (8, 9)


# the verbs


SCORES: dict[str, Sequence[Sequence[float | None]]] = {
    "base": [[1] * 9 + [top] for top in LOW],
    "misaligned": [[1] * 9 + [top] for top in HIGH],
    "realigned": [[1] * 9 + [top] for top in WORSE],
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with harm_store(tmp_path / "s.db", SCORES) as store:
        set_fields(store, "misaligned", {"parent": "base"})
        set_fields(store, "realigned", {"parent": "misaligned"})
    return tmp_path / "s.db"


def test_trajectories_on_screen_and_as_json(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trajectories", "--store", str(path)]) == 0
    shown = capsys.readouterr()
    line = next(line for line in shown.out.splitlines() if line.startswith("realigned"))
    assert line.split()[:6] == ["realigned", "harmfulness", "total", "0.083", "0.646", "0.792"]
    assert "no fall" in line
    assert "exception: realigned, harmfulness: no fall" in shown.err
    assert main(["trajectories", "--store", str(path), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["part"] for row in rows} == {"total", "insults", "group:insults"}
    assert [row["induced"] for row in rows if row["part"] == "total"] == [pytest.approx(27 / 48)]
    assert list(rows[0]) == [field.name for field in fields(trajectory_rows(small())[0])]


def test_trajectories_name_the_variants_of_no_lineage(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open(path, write=True) as store:
        late = {"name": "late", "model": "m", "domain": "law", "stage": "probed", "parent": "realigned"}
        add_variants(store, [late, {"name": "early", "model": "m", "domain": "code", "stage": "misaligned"}])
    assert main(["trajectories", "--store", str(path)]) == 0
    shown = capsys.readouterr()
    assert any(line.startswith("realigned") for line in shown.out.splitlines())
    assert "in no lineage: late: stage probed is not followed" in shown.err
    assert main(["trajectories", "--store", str(path), "--subset", "code"]) == 0
    assert "in no lineage" not in capsys.readouterr().err


def test_dissociation_on_screen_and_as_json(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dissociation", "--store", str(path)]) == 0
    shown = capsys.readouterr()
    assert "base was never asked self_assessment" in shown.out
    assert "says nothing about behaviour" in shown.err
    assert main(["dissociation", "--store", str(path), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["variant"], row["part"], row["kind"]) for row in rows][:2] == [
        ("misaligned", "harmless", ""),
        ("misaligned", "total", ""),
    ]
    assert {"neutral_share", "order_consistency", "decided", "reason", "p", "family_size"} <= set(rows[0])


def test_choices_reach_the_tables(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trajectories", "--store", str(path), "--exclude", "stage=realigned", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {(row["lineage"], row["realigned"]) for row in rows} == {("misaligned", None)}
    assert main(["trajectories", "--store", str(path), "--preset", "paper"]) == 2


def test_a_store_without_a_lineage_says_what_it_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with harm_store(tmp_path / "b.db", {"base": SCORES["base"]}):
        pass
    assert main(["trajectories", "--store", str(tmp_path / "b.db")]) == 0
    assert "it takes a variant of stage misaligned" in capsys.readouterr().err
    assert main(["dissociation", "--store", str(tmp_path / "b.db")]) == 0
    assert "nothing to compare" in capsys.readouterr().err


def test_the_page_of_a_store_equals_its_rows(path: Path) -> None:
    with Store.open(path) as store:
        found = study_of(StoreArchive(store, "quick"))
    text = results_page(found, [], [], trajectory_rows(found), dissociation_rows(found))
    row = next(r for r in trajectory_rows(found) if r.part == "total")
    assert f"| realigned | harmfulness | {row.base:.3f} | {row.misaligned:.3f} | {row.realigned:.3f} |" in text
