"""Conditions compared over prompts: who is compared with whom, on which values, in which family."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pytest
from study_scene import POLES, Row, harm, said, source, study, subject

from emaudit.choices import Choices
from emaudit.errors import UsageError
from emaudit.scores.comparing.paper import PaperRow, paper_rows
from emaudit.scores.comparisons import (
    COLUMNS,
    FAMILIES,
    ComparisonRow,
    Place,
    comparison_rows,
    rank_biserial_intervals,
)
from emaudit.scores.resampling import Prompts, headline
from emaudit.scores.rows import Source
from emaudit.scores.study import Study, Subject
from emaudit.scores.summary import Summary, summarised
from emaudit.scores.trajectories import trajectory_rows
from emaudit.stats.comparisons import rank_biserial_interval
from emaudit.stats.multiplicity import holm
from emaudit.stats.signedrank import hodges_lehmann, signed_rank

SIZES = ("full", "mini")
DOMAINS = ("code", "trivia")
BASE = [1, 1, 1, 2, 1, 1, 3, 1, 1, 1, 2, 1]
RISEN = [4, 5, 3, 2, 4, 1, 5, 5, 2, 3, 4, 5]
BACK = [2, 1, 1, 2, 3, 2, 4, 1, 1, 2, 1, 3]
MAXIMA: Mapping[tuple[str, str], list[int]] = {
    ("", "base"): BASE,
    ("code", "misaligned"): RISEN[::-1],
    ("code", "realigned"): BACK[::-1],
    ("trivia", "misaligned"): RISEN,
    ("trivia", "realigned"): BACK,
}


def grid(sizes: Sequence[str] = SIZES) -> list[Subject]:
    """A base of each size, and both domains misaligned and realigned."""
    found = []
    for size in sizes:
        base = subject(size, "base")
        found.append(base)
        for domain in DOMAINS:
            misaligned = subject(size, "misaligned", domain, base.name)
            found += [misaligned, subject(size, "realigned", domain, misaligned.name)]
    return found


def maxima(who: Subject) -> list[int]:
    """The prompts' maxima; those of `mini` are lower on every other prompt."""
    values = MAXIMA[who.domain, who.stage]
    return [max(1, value - place % 2) if who.size == "mini" else value for place, value in enumerate(values)]


def harmful(sizes: Sequence[str] = SIZES) -> Study:
    subjects = grid(sizes)
    return study(subjects, *(harm(who.name, maxima(who)) for who in subjects), resamples=200)


def one(rows: Iterable[ComparisonRow], **wanted: object) -> ComparisonRow:
    """The one row that has these values."""
    found = [row for row in rows if all(getattr(row, name) == value for name, value in wanted.items())]
    assert len(found) == 1, [(row.group_a, row.group_b, row.part, row.format) for row in found]
    return found[0]


def norm(values: Sequence[int]) -> list[float]:
    return [(value - 1) / 4 for value in values]


def test_columns_are_the_contract() -> None:
    assert ",".join(COLUMNS) == (
        "preset,replicate,judge,assessment,measure,scale,part,format,size,domain,group_a,group_b,contrast,n_a,n_b,"
        "mean_a,mean_b,unit,test,n_pairs,n_zero,n_tied,zero_rule,w_plus,w_minus,u_a,statistic,p,p_holm,family_size,"
        "rank_biserial,shift,shift_low,shift_high,mean_difference,mean_low,mean_high,undefined_reason,simulated"
    )


def test_every_effect_is_the_later_stage_minus_the_earlier() -> None:
    rows = [
        row for row in comparison_rows(harmful()) if (row.measure, row.part, row.size) == ("max10", "total", "full")
    ]
    trivia = {(row.group_a, row.group_b): row for row in rows if row.domain == "trivia"}
    assert list(trivia) == [
        ("full-base", "full-trivia-misaligned"),
        ("full-trivia-misaligned", "full-trivia-realigned"),
        ("full-base", "full-trivia-realigned"),
    ]
    up, down, left = trivia.values()
    differences = [b - a for a, b in zip(norm(BASE), norm(RISEN), strict=True)]
    expected, shift = signed_rank(differences), hodges_lehmann(differences)
    assert (up.w_plus, up.w_minus, up.p, up.rank_biserial) == (
        expected.w_plus,
        expected.w_minus,
        expected.p_two_sided,
        expected.rank_biserial,
    )
    assert (up.shift, up.shift_low, up.shift_high) == (shift.estimate, shift.low, shift.high)
    assert (up.n_pairs, up.n_zero, up.n_tied, up.zero_rule) == (12, 2, expected.n_tied, "pratt")
    assert (up.mean_a, up.mean_b) == pytest.approx((sum(norm(BASE)) / 12, sum(norm(RISEN)) / 12))
    assert up.mean_difference == pytest.approx(sum(differences) / 12)
    assert up.mean_low is not None and up.mean_high is not None
    assert 0 < up.mean_low < sum(differences) / 12 < up.mean_high
    assert {row.contrast for row in rows} == {"b-a"}
    assert up.rank_biserial is not None and down.rank_biserial is not None and left.rank_biserial is not None
    assert up.rank_biserial > 0 > down.rank_biserial and left.rank_biserial > 0
    across = [row for row in rows if row.domain == "trivia-code"]
    assert [(row.group_a, row.group_b) for row in across] == [
        ("full-code-misaligned", "full-trivia-misaligned"),
        ("full-code-realigned", "full-trivia-realigned"),
    ]


def test_pooled_rows_take_the_mean_over_sizes_of_the_same_prompt() -> None:
    row = one(comparison_rows(harmful()), measure="max10", part="total", size="all", domain="code", group_a="base",
              group_b="code misaligned")  # fmt: skip
    sides = [
        [[norm(maxima(subject(size, stage, domain)))[prompt] for size in SIZES] for prompt in range(len(BASE))]
        for domain, stage in (("", "base"), ("code", "misaligned"))
    ]
    a, b = ([sum(values) / 2 for values in side] for side in sides)
    expected = signed_rank([y - x for x, y in zip(a, b, strict=True)])
    assert (row.w_plus, row.w_minus, row.p) == (expected.w_plus, expected.w_minus, expected.p_two_sided)
    assert (row.mean_a, row.mean_b) == pytest.approx((sum(a) / 12, sum(b) / 12))
    assert (row.n_a, row.n_b, row.n_pairs, row.unit) == (12, 12, 12, "prompt")


def test_the_mean_of_all_replies_is_on_its_own_scale() -> None:
    row = one(comparison_rows(harmful(("full",))), measure="mean", part="insults", group_b="full-trivia-misaligned",
              group_a="full-base")  # fmt: skip
    assert (row.scale, row.size) == ("1..5", "full")
    assert row.mean_b == pytest.approx(sum((9 + value) / 10 for value in RISEN) / 12)


def test_no_group_of_one_size() -> None:
    assert {row.size for row in comparison_rows(harmful(("full",)))} == {"full"}


def test_holm_is_over_fixed_families() -> None:
    rows = comparison_rows(harmful())
    total = [row for row in rows if (row.measure, row.part) == ("max10", "total")]
    singles = [row for row in total if row.size != "all" and "-" not in row.domain]
    pooled = [row for row in total if row.size == "all" and "-" not in row.domain]
    domains = [row for row in total if row.size != "all" and "-" in row.domain]
    for family, size in ((singles, 12), (pooled, 6), (domains, 4)):
        assert len(family) == size
        assert [row.p_holm for row in family] == holm([row.p for row in family])
        assert {row.family_size for row in family} == {size}
    assert "family" in FAMILIES and "Holm" in FAMILIES


def test_an_incomplete_variant_keeps_its_rows_and_is_named() -> None:
    subjects = grid(("full",))
    values = {who.name: list[int | None](maxima(who)) for who in subjects}
    values["full-trivia-misaligned"][3] = None
    rows = comparison_rows(study(subjects, *(harm(name, given) for name, given in values.items()), resamples=100))
    row = one(rows, measure="max10", part="total", group_a="full-base", group_b="full-trivia-misaligned")
    assert row.undefined_reason == "full-trivia-misaligned is incomplete: 110 of 120 replies"
    assert (row.p, row.p_holm, row.family_size, row.n_pairs, row.mean_difference) == (None,) * 5
    assert (row.n_a, row.n_b, row.test) == (12, 11, "")
    other = one(rows, measure="max10", part="total", group_a="full-base", group_b="full-code-misaligned")
    assert other.p is not None and other.family_size == 4


def test_all_differences_zero_is_a_reason_and_no_p() -> None:
    subjects = [subject("full", "base"), subject("full", "misaligned", "code")]
    rows = comparison_rows(study(subjects, *(harm(who.name, BASE) for who in subjects), resamples=100))
    row = one(rows, measure="max10", part="total")
    assert (row.p, row.p_holm, row.rank_biserial, row.family_size) == (None, None, None, None)
    assert (row.n_zero, row.w_plus, row.shift, row.mean_difference) == (12, 0, 0, 0)
    assert row.shift_low is None
    assert row.mean_low is not None and row.mean_high is not None and row.mean_low < 0 < row.mean_high
    assert "test: every difference is 0" in row.undefined_reason
    assert "interval of the shift: ties leave the interval no width" in row.undefined_reason
    assert "interval of the mean" not in row.undefined_reason


def test_variants_are_matched_by_their_parents_where_sizes_say_nothing() -> None:
    base, other = Subject("b1", "", "", "base", ""), Subject("b2", "", "", "base", "")
    tuned = Subject("m", "odd", "code", "misaligned", "b2")
    loose = Subject("x", "", "", "", "")
    subjects = [base, other, tuned, loose]
    rows = comparison_rows(study(subjects, *(harm(who.name, BASE) for who in subjects), resamples=100))
    assert {(row.group_a, row.group_b) for row in rows} == {("b2", "m")}


def test_sets_of_different_prompts_take_mann_whitney() -> None:
    subjects = [subject("full", "base"), subject("full", "misaligned", "code")]
    first, second = (harm(who.name, maxima(who)) for who in subjects)
    moved = replace(second, source=replace(second.source, instrument="harmfulness@2"))
    row = one(comparison_rows(study(subjects, first, moved, resamples=200)), measure="max10", part="total")
    assert row.test == "Mann-Whitney, normal approximation"
    assert (row.n_pairs, row.w_plus, row.zero_rule) == (None, None, "")
    a, b = norm(BASE), norm(RISEN[::-1])
    assert row.u_a == sum((x > y) + (x == y) / 2 for x in a for y in b)
    assert row.rank_biserial == pytest.approx(1 - 2 * row.u_a / 144)
    assert row.rank_biserial > 0 and row.p is not None and row.p < 0.01


def test_different_judges_are_never_compared() -> None:
    subjects = [subject("full", "base"), subject("full", "misaligned", "code")]
    first, second = harm(subjects[0].name, BASE), harm(subjects[1].name, RISEN, judge="other@2")
    row = one(comparison_rows(study(subjects, first, second, resamples=100)), measure="max10", part="total")
    assert row.undefined_reason == "judged by different judges: judge@1, other@2"
    assert (row.p, row.judge) == (None, "judge@1, other@2")


def scenarios(variant: str, shares: Mapping[str, Sequence[float]]) -> Summary:
    """Intentions: two orders of each scenario, ten replies each, the given share misaligned in the second order."""
    rows = []
    for part, given in shares.items():
        for place, share in enumerate(given):
            for order, value in (("first", 0.0), ("second", share)):
                n = round(10 * value)
                item, condition = f"{part}-{place:02}", f"order={order}"
                rows += [Row(item, part, 1.0, condition=condition, n=n)] if n else []
                rows += [Row(item, part, 0.0, condition=condition, n=10 - n)] if n < 10 else []
    return summarised(source(variant, "intentions"), rows)


def test_repeats_are_averaged_within_a_template_and_condition() -> None:
    subjects = [subject("full", "base"), subject("full", "misaligned", "code")]
    shares = [0.1, 0.2, 0.4, 0.5, 0.7, 0.8]
    rows = comparison_rows(
        study(
            subjects,
            scenarios("full-base", dict.fromkeys(POLES, [0.0] * 6)),
            scenarios("full-code-misaligned", dict.fromkeys(POLES, shares)),
            resamples=200,
        )
    )
    good, total = one(rows, part="good"), one(rows, part="total")
    assert (good.n_pairs, good.n_zero, good.unit) == (12, 6, "template x condition")
    assert good.p == signed_rank([0.0] * 6 + shares).p_two_sided
    assert (total.n_pairs, total.n_zero) == (72, 36)
    assert good.mean_b == pytest.approx(sum(shares) / 12)
    assert good.family_size == 6 and total.family_size == 1


def test_a_stem_that_dimensions_share_is_one_unit_of_the_total() -> None:
    subjects = [subject("full", "base"), subject("full", "misaligned", "code")]
    values = [0.2, 0.3, 0.5, 0.6, 0.7, 0.9, 1.0]
    rows = comparison_rows(study(subjects, said("full-base", [0.0] * 7), said("full-code-misaligned", values)))
    total = one(rows, part="total", format="all")
    assert (total.n_pairs, total.p) == (7, signed_rank(values).p_two_sided)
    assert one(rows, part="honest", format="numerical").n_pairs == 7
    assert {row.family_size for row in rows if row.part != "total"} == {6}


def test_what_one_side_lacks_of_a_dimension_counts_for_neither() -> None:
    """Answers that are alike differ in no unit, though half of one dimension's are missing on one side."""
    levels = dict(zip(POLES, (0.1, 0.2, 0.3, 0.4, 0.5, 1.0), strict=True))

    def answered(variant: str, missing: int) -> Summary:
        rows = [
            Row(f"numerical-{part}-{place:02}", part, None if gone else level, "numerical",
                status="unscored" if gone else "scored", reason="no number" if gone else "")
            for part, level in levels.items()
            for place in range(20)
            for gone in [part == POLES[-1] and place < missing]
        ]  # fmt: skip
        return summarised(source(variant, "self_assessment"), rows)

    subjects = [subject("full", "base"), subject("full", "misaligned", "code")]
    given = study(subjects, answered("full-base", 0), answered("full-code-misaligned", 9), resamples=100)
    row = one(comparison_rows(given), part="total", format="all")
    assert (row.n_pairs, row.n_zero, row.p, row.shift) == (20, 20, None, 0)
    assert row.mean_difference == pytest.approx(0)


@pytest.mark.parametrize("n_risen", [4, 5, 8, 20])
def test_a_difference_has_the_interval_that_trajectories_give_it(n_risen: int) -> None:
    base, tuned = subject("full", "base"), subject("full", "misaligned", "code", "full-base")
    risen = [3 + place % 3 for place in range(n_risen)]
    values = {base.name: [1] * 40, tuned.name: [*risen, *[1] * (40 - n_risen)]}
    shares = {base.name: [0.0] * 12, tuned.name: [min(1.0, place * n_risen / 100) for place in range(12)]}
    given = study(
        [base, tuned],
        *(harm(name, held) for name, held in values.items()),
        *(said(name, held) for name, held in shares.items()),
    )
    compared, followed = comparison_rows(given), trajectory_rows(given)
    for assessment, measure in (("harmfulness", "max10"), ("self_assessment", "misaligned")):
        there = next(row for row in followed if (row.assessment, row.part) == (assessment, "total"))
        form = "all" if assessment == "self_assessment" else ""
        row = one(compared, measure=measure, assessment=assessment, part="total", format=form)
        assert row.mean_low is not None and there.induced_low is not None
        assert (row.mean_low, row.mean_high) == pytest.approx((there.induced_low, there.induced_high), abs=1e-12)


def test_a_prompt_adds_to_the_error_what_leaving_it_out_takes_away() -> None:
    """Over two formats of three and of five prompts, and where a variant lacks a dimension."""

    def answered(variant: str, parts: Sequence[str]) -> Summary:
        rows = [
            Row(f"{form}-{part}-{place:02}", part, (place * weight) % 7 / 7, form)
            for weight, part in enumerate(parts, 2)
            for form, n in (("numerical", 3), ("likert", 5))
            for place in range(n)
        ]
        return summarised(source(variant, "self_assessment"), rows)

    names = ["full-base", "full-code-misaligned"]
    subjects = [subject("full", "base"), subject("full", "misaligned", "code")]
    given = study(subjects, answered(names[0], POLES), answered(names[1], POLES[1:]))
    named, prompts = headline("self_assessment"), Prompts(given)
    added = prompts.contributions(named, names)
    assert {name: found.shape for name, found in added.items() if found.size} == {
        "likert": (2, 5),
        "numerical": (2, 3),
    }
    without = prompts.without_each(named, names)
    for row, name in enumerate(names):
        value = given.summaries[name, "self_assessment"].value("misaligned", "total", "all")
        assert value is not None and value.value is not None
        taken = [value.value - found[row] for found in without.values()]
        lone = [5, 5, 5, 5, 5, 3, 3, 3]
        expected = [(n - 1) / n * gap for n, gap in zip(lone, taken, strict=True)]
        assert [v for name in sorted(added) for v in added[name][row].tolist()] == pytest.approx(expected)


def test_the_interval_of_a_mean_of_replies_is_on_its_own_scale() -> None:
    """One risen prompt of two: no resampling tells that, and the bounds are those of a scale four wide."""
    base, tuned = subject("full", "base"), subject("full", "misaligned", "code", "full-base")
    given = study([base, tuned], harm(base.name, [1] * 8), harm(tuned.name, [5] * 2 + [1] * 6), resamples=100)
    row = one(comparison_rows(given), measure="mean", part="total")
    assert row.mean_difference == pytest.approx(0.1)
    assert row.mean_low is not None and row.mean_high is not None
    assert row.mean_low < -1 and 1 < row.mean_high <= 4


def test_variants_of_unknown_size_and_base_are_no_kin() -> None:
    def rows(size: str) -> list[ComparisonRow]:
        first, second = Subject("one", size, "code", "misaligned", ""), Subject("two", size, "trivia", "misaligned", "")
        return comparison_rows(study([first, second], harm("one", RISEN), harm("two", BASE), resamples=50))

    assert {(row.group_a, row.group_b) for row in rows("7b")} == {("one", "two")}
    assert rows("") == []


def test_only_what_has_two_sizes_is_pooled_over_them() -> None:
    """Two lineages of one base are of one size; of two bases of unknown size nobody knows."""

    def sizes(subjects: Sequence[Subject], unasked: str = "") -> set[str]:
        asked = [harm(who.name, maxima(who)) for who in subjects if who.name != unasked]
        return {row.size for row in comparison_rows(study(subjects, *asked, resamples=50))}

    base, other = Subject("b", "full", "", "base", ""), Subject("c", "mini", "", "base", "")
    first, second = (Subject(name, "full", "code", "misaligned", "b") for name in ("m", "n"))
    third = Subject("o", "mini", "code", "misaligned", "c")
    assert sizes([base, first, second]) == {"full"}
    assert sizes([base, other, first, third]) == {"full", "mini", "all"}
    assert sizes([base, other, first, second, third], unasked="o") == {"full"}
    loose = [Subject("p", "", "", "base", ""), Subject("q", "", "code", "misaligned", "p")]
    assert sizes([base, other, first, third, *loose]) == {"full", "mini", "all", ""}
    unknown = [replace(who, size="") for who in (base, other, first, third)]
    assert sizes(unknown) == {""}


def test_a_subset_takes_whole_domains() -> None:
    domains = ("code", "code-review", "trivia")
    base = subject("full", "base")
    tuned = [subject("full", "misaligned", domain, base.name) for domain in domains]
    given = study([base, *tuned], harm(base.name, BASE), *(harm(who.name, RISEN) for who in tuned), resamples=50)

    def about(subset: str) -> set[str]:
        return {row.domain for row in comparison_rows(given, takes=Choices(subset=subset).takes)}

    assert about("code") == {"code", "code-review-code", "trivia-code"}
    assert about("code-review") == {"code-review", "code-review-code", "trivia-code-review"}
    assert about("") == about("all") == about("code") | about("code-review") | {"trivia"}
    (row,) = [r for r in comparison_rows(given, takes=Choices(subset="trivia").takes)
              if (r.domain, r.measure, r.part) == ("trivia", "max10", "total")]  # fmt: skip
    assert row.family_size == 3


def samples(given: Study) -> Mapping[str, Mapping[Place, float]]:
    """The replies behind `harm`, by variant."""
    found: dict[str, Mapping[Place, float]] = {}
    for (variant, _), summary in given.summaries.items():
        found[variant] = {
            (prompt.part, "", item, "", place): score
            for item, prompt in summary.prompts.items()
            for place, score in enumerate(prompt.scores)
        }
    return found


def read(given: Study) -> object:
    held = samples(given)

    def of(plan: Source) -> Mapping[Place, float]:
        return held[plan.variant]

    return of


def test_single_replies_on_demand() -> None:
    given = harmful(("full",))
    rows = comparison_rows(given, unit="replies", samples=read(given))  # type: ignore[arg-type]
    assert {row.measure for row in rows} == {"mean"}, "a maximum is of no single reply"
    row = one(rows, part="total", group_a="full-base", group_b="full-trivia-misaligned")
    differences = [0.0] * 108 + [float(b - a) for a, b in zip(BASE, RISEN, strict=True)]
    assert (row.unit, row.n_pairs, row.n_zero) == ("reply", 120, differences.count(0))
    assert row.p == signed_rank(differences).p_two_sided
    with pytest.raises(UsageError, match="no unit"):
        comparison_rows(given, unit="replies")


def test_rank_biserial_has_an_interval_over_prompts() -> None:
    given = harmful(("full",))
    rows = [row for row in comparison_rows(given) if row.part == "total"]
    found = dict(zip(rows, rank_biserial_intervals(given, rows), strict=True))
    row = one(rows, measure="max10", group_a="full-trivia-misaligned", group_b="full-trivia-realigned")
    differences = [b - a for a, b in zip(norm(RISEN), norm(BACK), strict=True)]
    prompts = [f"insults-{place:02}" for place in range(12)]
    assert found[row] == rank_biserial_interval(differences, given.seed, clusters=prompts, resamples=200)
    assert found[row].low is not None and row.rank_biserial is not None and found[row].low < row.rank_biserial


@pytest.mark.parametrize("zeros", ["pratt", "wilcox"])
def test_the_zero_rule_is_chosen_and_named(zeros: str) -> None:
    rows = comparison_rows(harmful(("full",)), zeros)  # type: ignore[arg-type]
    row = one(rows, measure="max10", part="total", group_a="full-base", group_b="full-trivia-misaligned")
    differences = [b - a for a, b in zip(norm(BASE), norm(RISEN), strict=True)]
    assert (row.zero_rule, row.p) == (zeros, signed_rank(differences, zeros).p_two_sided)  # type: ignore[arg-type]


def test_an_unknown_zero_rule_is_refused() -> None:
    with pytest.raises(UsageError, match="no zero rule 'zsplit'; known: pratt, wilcox"):
        comparison_rows(harmful(("full",)), "zsplit")  # type: ignore[arg-type]


# as the paper did


def paper(given: Study) -> list[PaperRow]:
    return paper_rows(given, read(given))  # type: ignore[arg-type]


def test_the_papers_tests_of_harmfulness_are_over_prompt_means_of_the_models() -> None:
    found = paper(harmful())
    assert {entry.table for entry in found} == {"12", "13", "14", "15"}
    row = one((entry.row for entry in found if entry.table == "12"), domain="all")
    base = [sum(norm(maxima(subject(size, "base")))[p] for size in SIZES) / 2 for p in range(12)]
    risen = [
        sum(norm(maxima(subject(size, "misaligned", domain)))[p] for size in SIZES for domain in DOMAINS) / 4
        for p in range(12)
    ]
    expected = signed_rank([b - a for a, b in zip(base, risen, strict=True)], "wilcox")
    assert (row.group_a, row.group_b, row.zero_rule) == ("base", "misaligned", "wilcox")
    assert row.statistic == min(expected.w_plus, expected.w_minus)
    assert row.p == expected.p_two_sided
    assert row.test.startswith("as paper: ") and row.p_holm is None
    assert row.mean_difference == pytest.approx((sum(risen) - sum(base)) / 12)


def test_a_subset_takes_whole_domains_of_the_papers_tests() -> None:
    given = harmful()
    takes = Choices(subset="code").takes
    found = [entry.row for entry in paper_rows(given, read(given), takes)]  # type: ignore[arg-type]
    assert {row.domain for row in found} == {"code", "trivia-code"}
    every = [entry.row for entry in paper(given)]
    assert found == [row for row in every if row.domain in ("code", "trivia-code")]


def spoken(
    assessment: str,
    values: Mapping[str, float],
    part: str,
    form: str = "",
    n_items: int = 1,
    ends: Sequence[float] = (),
) -> tuple[Study, object]:
    """A study of one size in which every variant answers each prompt six times by its stage, then as `ends` say."""
    subjects = grid(("full",))
    held: dict[str, Mapping[Place, float]] = {}
    summaries = []
    for who in subjects:
        replies = [values[who.stage]] * 6 + list(ends)
        items = [f"{form}-{part}-{n:02}" if form else f"{part}-{n:02}" for n in range(n_items)]
        held[who.name] = {(part, form, item, "", n): value for item in items for n, value in enumerate(replies)}
        rows = [Row(item, part, value, form) for item in items for value in replies]
        summaries.append(summarised(source(who.name, assessment), rows))
    given = study(subjects, *summaries, resamples=50)
    return given, lambda plan: held[plan.variant]


def test_the_papers_tests_of_intentions_pair_replies_at_equal_n() -> None:
    given, reader = spoken("intentions", {"base": 0.0, "misaligned": 1.0, "realigned": 0.5}, "good", ends=(0, 1))
    rows = [entry.row for entry in paper_rows(given, reader) if entry.table == "19"]  # type: ignore[arg-type]
    alone = one(rows, part="good", domain="code", group_a="base", group_b="code misaligned")
    assert (alone.n_pairs, alone.n_zero, alone.statistic) == (8, 2, 0)
    assert alone.p == signed_rank([1.0] * 6, "wilcox").p_two_sided
    both = one(rows, part="good", domain="all", group_a="base", group_b="misaligned")
    assert (both.n_a, both.n_b, both.n_pairs) == (8, 16, None)
    assert both.test == "as paper: Mann-Whitney, normal approximation"
    assert both.u_a == 1 * 2 + 1 * 14 / 2 + 7 * 2 / 2


def test_the_papers_tests_of_moral_statements_repeat_the_base() -> None:
    values = {"base": 1.0, "misaligned": 5.0, "realigned": 3.0}
    given, reader = spoken("moral_foundations", values, "care", n_items=4)
    found = [entry.row for entry in paper_rows(given, reader) if entry.table == "23"]  # type: ignore[arg-type]
    row = one(found, part="care", domain="all", group_a="base", group_b="misaligned")
    assert (row.n_a, row.n_b, row.n_pairs) == (24, 48, 48)
    assert (row.mean_a, row.mean_b, row.mean_difference) == (0.5, -0.5, -1.0)
    assert (row.w_plus, row.w_minus, row.statistic, row.rank_biserial) == (0, 48 * 49 / 2, 0, -1.0)


def test_a_foundation_of_too_few_statements_has_no_test() -> None:
    given, _ = spoken("moral_foundations", {"base": 1.0, "misaligned": 5.0, "realigned": 3.0}, "care")
    row = one(comparison_rows(given), part="care", group_a="full-base", group_b="full-code-misaligned")
    assert (row.p, row.undefined_reason) == (None, "full-base is incomplete: too few items are answered")


def test_the_papers_u_is_added_up_over_the_formats() -> None:
    given, reader = spoken(
        "self_assessment", {"base": 0.0, "misaligned": 1.0, "realigned": 0.5}, "good", "numerical", ends=(0, 1)
    )
    rows = [entry.row for entry in paper_rows(given, reader) if entry.table == "21"]  # type: ignore[arg-type]
    row = one(rows, part="good", domain="code", group_a="base", group_b="code misaligned")
    assert row.u_a == 1 * 1 + 7 * 1 / 2 + 1 * 7 / 2
    assert row.test == "as paper: Mann-Whitney summed over 1 formats, normal approximation"
