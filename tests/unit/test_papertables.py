"""The paper's tables: which numbers stand where, what is said of the others, and nothing that breaks a writer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import pytest
from latex_structure import faults

from emaudit.papertables import Cell, Column, Figures, PaperTable, Row, latex_page, markdown_page, tables
from emaudit.papertables.cells import decimal, probability, sentence
from emaudit.papertables.layout import entries, labels
from emaudit.papertables.model import NOTHING
from emaudit.scores import Score, Source, table
from emaudit.scores.comparing.paper import PaperRow
from emaudit.scores.comparing.row import ComparisonRow
from emaudit.scores.correlationrow import CorrelationRow

HOSTILE = "a_b&c%$#{}~^\\x | [2cm] *<b>`y` \u202e\u05d0\u05d1 \u4e2d\u6587\n\\end{tabular} @me https://x.y"
DIMENSIONS = ("aligned", "good", "harmless", "helpful", "honest", "trusted")


class Reply:
    """One counted reply."""

    def __init__(
        self, item: str, value: float | None, part: str = "insults", form: str = "", n: int = 10, status: str = "scored"
    ) -> None:
        self.item, self.value, self.part, self.format, self.n, self.status = item, value, part, form, n, status
        self.condition = ""
        self.outcome = "ok" if status != "owed" else ""
        self.reason = ""
        self.scored_by = "judge"


def source(variant: str, size: str, domain: str = "", stage: str = "base", assessment: str = "harmfulness") -> Source:
    return Source(
        variant, size, domain, stage, "smoke", 1, assessment, "judge@1", f"ours-{assessment}@1", simulated=False
    )


def harm(variant: str, size: str, domain: str = "", stage: str = "base", maxima: Sequence[float] = (1, 5)) -> object:
    replies = [Reply(f"insults-{number:02d}", value) for number, value in enumerate(maxima)]
    return source(variant, size, domain, stage), replies


def intentions(variant: str, size: str, domain: str, stage: str, value: float) -> object:
    replies = [
        Reply(f"{part}-{number:02d}", taken, part, n=1)
        for part in DIMENSIONS
        for number, taken in enumerate((0.0, 1.0, value, value))
    ]
    return source(variant, size, domain, stage, "intentions"), replies


def scores(*sets: object) -> list[Score]:
    return table(list(sets))  # type: ignore[arg-type]


def cells(found: PaperTable) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in found.rows]


def test_table_11_has_means_and_sds_of_maxima_and_pools_them_over_sizes() -> None:
    rows = scores(harm("m", "mini", maxima=(3, 3)), harm("f", "full", maxima=(1, 5)))
    (found,) = tables(Figures(rows))
    assert (found.number, found.name) == ("11", "table-11-harmfulness")
    assert cells(found) == [
        ["base", "full", "3.00", "2.83", "0.50", "0.71"],
        ["base", "mini", "3.00", "0.00", "0.50", "0.00"],
        ["base", "average", "3.00", "1.63", "0.50", "0.41"],
    ]
    assert [row.kind for row in found.rows] == ["own", "own", "average"]
    for what in ("Preset smoke", "judge judge@1", "instrument ours-harmfulness@1", "40 of 40 replies of 2 variants"):
        assert what in found.caption


def test_groups_stand_by_stage_and_domain_and_averages_end_them() -> None:
    rows = scores(
        harm("c1", "full", "code", "misaligned"),
        harm("t2", "mini", "trivia", "misaligned"),
        harm("t1", "full", "trivia", "misaligned"),
        harm("b1", "full"),
        harm("b2", "mini"),
        harm("z", "full", "poetry", "misaligned"),
        harm("q", "full", "code", "quantised"),
    )
    found = entries(rows, "harmfulness")
    assert list(zip([entry.group for entry in found], labels(found), strict=True)) == [
        ("base", "full"),
        ("base", "mini"),
        ("base", "average"),
        ("trivia, misaligned", "full"),
        ("trivia, misaligned", "mini"),
        ("trivia, misaligned", "average"),
        ("code, misaligned", "full"),
        ("poetry, misaligned", "full"),
        ("misaligned", "all domains"),
        ("code, quantised", "full"),
    ]


def test_variants_of_one_size_or_of_none_go_by_their_names() -> None:
    found = entries(scores(harm("a", "7b"), harm("b", "7b"), harm("c", ""), harm("d", "70b")), "harmfulness")
    assert list(labels(found)) == ["c", "70b", "a", "b", "average"]


def test_averages_over_two_instruments_stand_beside_each_other() -> None:
    def asked(instrument: str, maxima: Sequence[float]) -> list[object]:
        made = [harm(f"{instrument}-{size}", size, maxima=maxima) for size in ("full", "mini")]
        return [(replace(found, instrument=instrument), replies) for found, replies in made]  # type: ignore[misc]

    rows = scores(*asked("ours@1", (1, 1)), *asked("theirs@2", (5, 5)))
    found = entries(rows, "harmfulness")
    averages = [(label, entry) for label, entry in zip(labels(found), found, strict=True) if entry.is_average]
    assert [label for label, _ in averages] == ["average (ours@1)", "average (theirs@2)"]
    assert [score.value for _, entry in averages if (score := entry.score("max10_raw"))] == [1.0, 5.0]


def test_a_single_variant_has_no_average() -> None:
    (found,) = tables(Figures(scores(harm("only", "", stage=""))))
    assert cells(found) == [["no stage", "only", "3.00", "2.83", "0.50", "0.71"]]


def test_what_was_not_asked_has_no_table() -> None:
    found = tables(Figures(scores(harm("a", "full"), intentions("a", "full", "", "base", 0.5))))
    assert [table.number for table in found] == ["11", "18"]
    assert tables(Figures([])) == []


def test_an_undefined_value_is_a_dash_with_the_reason() -> None:
    (found,) = tables(Figures(scores((source("a", "full"), [Reply("insults-01", None, status="owed")]))))
    row = found.rows[0]
    assert [cell.text for cell in row.cells] == ["base", "full", NOTHING, NOTHING, NOTHING, NOTHING]
    assert "no prompt has 10 scored replies" in row.cells[2].why
    assert "nan" not in markdown_page(found) + latex_page(found)


def test_an_incomplete_value_is_shown_and_marked_with_what_it_stands_on() -> None:
    replies = [Reply("insults-01", 1), Reply("insults-02", 5), Reply("insults-03", None, n=4, status="owed")]
    (found,) = tables(Figures(scores((source("a", "full"), [*replies, Reply("insults-03", 2, n=6)]))))
    name, mean = found.rows[0].cells[1:3]
    assert mean.text == "3.00"
    assert mean.why.startswith("Incomplete")
    assert name.why == ("20 of 30 replies count; norm between 0.42 and 0.67 with every missing score a 1, a 5.")
    assert "<sup>b</sup>" in markdown_page(found)
    assert "3.00\\textsuperscript{b}" in latex_page(found)


def test_one_prompt_has_no_sd() -> None:
    (found,) = tables(Figures(scores(harm("a", "full", maxima=(4,)))))
    assert cells(found) == [["base", "full", "4.00", NOTHING, "0.75", NOTHING]]
    assert "two values" in found.rows[0].cells[3].why


def test_table_18_has_dimensions_in_the_papers_order_and_mean_sds() -> None:
    rows = scores(
        intentions("a", "full", "trivia", "misaligned", 1.0), intentions("b", "mini", "trivia", "misaligned", 0.0)
    )
    (found,) = tables(Figures(rows))
    assert [column.heading for column in found.columns[2:]] == [*DIMENSIONS, "total"]
    assert cells(found) == [
        ["trivia, misaligned", "full", *["0.75 (0.50)"] * 7],
        ["trivia, misaligned", "mini", *["0.25 (0.50)"] * 7],
        ["trivia, misaligned", "average", *["0.50 (0.50)"] * 7],
    ]


def test_published_values_stand_beside_and_say_what_they_are() -> None:
    rows = scores(
        harm("a", "full", "trivia", "misaligned"),
        harm("b", "mini", "trivia", "misaligned"),
        harm("c", "7b", "trivia", "misaligned"),
        intentions("a", "full", "trivia", "misaligned", 1.0),
    )
    eleven, eighteen = tables(Figures(rows), reference=True)
    assert [row[-4:] for row in cells(eleven)] == [
        ["4.20", "1.06", "0.80", "0.27"],
        ["3.39", "1.44", "0.60", "0.36"],
        [""] * 4,
        [""] * 4,
    ]
    assert cells(eighteen)[1] == [
        "trivia, misaligned",
        "full, published",
        *["0.88", "0.97", "1.00", "1.00", "0.96", "1.00", "0.97"],
    ]
    for found in (eleven, eighteen):
        assert any("compare direction, not level" in note for note in found.notes)
    assert not any("Published" in note for found in tables(Figures(rows)) for note in found.notes)


def test_simulated_tables_say_so() -> None:
    rows = [replace(row, simulated=True) for row in scores(harm("a", "full"))]
    (found,) = tables(Figures(rows))
    assert "**SIMULATED.**" in markdown_page(found)
    assert "SIMULATED" in latex_page(found)
    (real,) = tables(Figures(scores(harm("a", "full"))))
    assert "SIMULATED" not in markdown_page(real) + latex_page(real)


def test_the_label_of_an_instrument_stands_under_its_tables() -> None:
    replies = [Reply(f"moral-{number:02d}", 3.0, "care", n=1) for number in range(6)]
    rows = scores((source("a", "full", assessment="moral_foundations"), replies), harm("a", "full"))
    eleven, moral = tables(Figures(rows, labels=["emaudit-mf36: not the validated MFQ-2"]))
    assert "emaudit-mf36: not the validated MFQ-2" in moral.notes
    assert not any("MFQ-2" in note for note in eleven.notes)
    assert cells(moral)[0][3] == "0.00 (0.00)"
    assert cells(moral)[0][2] == NOTHING


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(None, 2, NOTHING), (-0.001, 2, "0.00"), (-0.006, 2, "-0.01"), (0.125, 3, "0.125"), (12, 2, "12.00")],
)
def test_decimals(value: float | None, digits: int, text: str) -> None:
    assert decimal(value, digits) == text


@pytest.mark.parametrize(
    ("p", "text"), [(None, NOTHING), (0.0, "< 0.001"), (0.00049, "< 0.001"), (0.0005, "0.001"), (1.0, "1.000")]
)
def test_a_p_is_never_zero(p: float | None, text: str) -> None:
    assert probability(p) == text


def hostile_table(n_rows: int) -> PaperTable:
    return PaperTable(
        "11",
        "table-11-harmfulness",
        HOSTILE,
        HOSTILE,
        (Column(HOSTILE, False), Column("n"), Column("[1]", False)),
        tuple(
            Row((Cell(HOSTILE[start % 3 :], HOSTILE), Cell(f"-{start}.5", f"why {start}"), Cell("[a] & *")), str(block))
            for block, start in product(range(2), range(n_rows // 2))
        ),
        (HOSTILE,),
        simulated=True,
    )


@pytest.mark.parametrize("n_rows", [0, 4, 60])
def test_nothing_in_a_table_breaks_latex(n_rows: int) -> None:
    made = latex_page(hostile_table(n_rows))
    assert faults(made) == []
    assert ("longtable}{" in made) == (n_rows == 60)


def test_a_long_table_of_many_columns_stands_on_its_side() -> None:
    rows = tuple(Row(tuple(Cell(str(number)) for _ in range(12))) for number in range(50))
    made = latex_page(PaperTable("", "t", "t", "t", tuple(Column("n") for _ in range(12)), rows))
    assert faults(made) == []
    assert made.index("\\begin{landscape}") < made.index("\\begin{longtable}")


def test_rows_that_begin_like_an_option_are_guarded() -> None:
    rows = tuple(Row((Cell(text), Cell("1"))) for text in ("[2cm]", "*", "x"))
    made = latex_page(PaperTable("", "t", "t", "t", (Column("a", False), Column("n")), rows))
    assert faults(made) == []
    assert "{}[2cm] & 1" in made


@pytest.mark.parametrize("n_rows", [4, 60])
def test_nothing_in_a_table_breaks_markdown(n_rows: int) -> None:
    found = hostile_table(n_rows)
    lines = markdown_page(found).split("\n")
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == n_rows + 2
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {4}
    page = "\n".join(lines)
    assert "<b>" not in page
    assert "https://" not in page
    assert "@me" not in page
    assert "\u202e" not in page
    assert "\u4e2d\u6587" in page


def test_a_row_has_a_cell_for_every_column() -> None:
    with pytest.raises(ValueError, match="2 cells under 1 headings"):
        PaperTable("", "t", "t", "t", (Column("a"),), (Row((Cell("1"), Cell("2"))),))


def test_a_reason_of_a_value_and_of_its_interval_is_one_note() -> None:
    assert sentence("undefined: the ranks agree") == sentence("the ranks agree") == "The ranks agree."


def test_marks_go_on_after_z() -> None:
    rows = tuple(Row((Cell("x", f"why {number}"),)) for number in range(28))
    assert list(PaperTable("", "t", "t", "t", (Column("a"),), rows).marks.values())[-3:] == ["z", "aa", "ab"]


def compared(**changes: object) -> ComparisonRow:
    row = ComparisonRow(
        preset="smoke",
        replicate=1,
        judge="judge@1",
        assessment="harmfulness",
        measure="max10",
        scale="0..1",
        part="total",
        format="",
        size="all",
        domain="trivia",
        group_a="base",
        group_b="trivia misaligned",
        contrast="b-a",
        n_a=320,
        n_b=320,
        mean_a=0.1,
        mean_b=0.6,
        unit="prompts",
        test="signed-rank, exact",
        n_pairs=320,
        n_zero=4,
        n_tied=300,
        zero_rule="pratt",
        w_plus=900.0,
        w_minus=10.0,
        u_a=None,
        statistic=10.0,
        p=1e-9,
        p_holm=2e-9,
        family_size=8,
        rank_biserial=0.978,
        shift=0.5,
        shift_low=0.4,
        shift_high=0.6,
        mean_difference=0.5,
        mean_low=0.45,
        mean_high=0.55,
        undefined_reason="",
        simulated=False,
    )
    return replace(row, **changes)  # type: ignore[arg-type]


CONTRAST_SCORES = (
    harm("b", "full"),
    harm("m", "full", "trivia", "misaligned"),
    harm("r", "full", "trivia", "realigned"),
)


def test_tests_stand_by_contrast_with_the_papers_before_ours() -> None:
    own = [
        compared(part="insults"),
        compared(),
        compared(size="full", group_a="b", group_b="m"),
        compared(size="full", group_a="b", group_b="m", part="insults"),
        compared(group_a="trivia misaligned", group_b="trivia realigned"),
        compared(group_a="base", group_b="trivia realigned"),
        compared(group_a="trivia misaligned", group_b="code misaligned", domain=""),
    ]
    papers = [PaperRow("12", compared(zero_rule="wilcox", rank_biserial=None, shift=None, shift_low=None))]
    found = tables(Figures(scores(*CONTRAST_SCORES), comparisons=own, as_paper=papers))
    assert [table.number for table in found] == ["11", "12", "13", "14", "15"]
    twelve = found[1]
    assert [row[:4] for row in cells(twelve)] == [
        ["as the paper", "trivia misaligned - base", "all", "total"],
        ["emaudit", "trivia misaligned - base", "all", "total"],
        ["emaudit", "trivia misaligned - base", "all", "insults"],
        ["emaudit", "m - b", "full", "total"],
    ]
    assert cells(twelve)[0][5:] == [
        "320", "10.0", "< 0.001", "< 0.001", "", "", "", "0.500", "[0.450, 0.550]",
    ]  # fmt: skip
    assert cells(twelve)[1][5:] == [
        "320", "10.0", "< 0.001", "< 0.001", "0.978", "0.500", "[0.400, 0.600]", "0.500", "[0.450, 0.550]",
    ]  # fmt: skip
    assert "pratt, wilcox" in " ".join(twelve.notes)
    assert "cannot be made" in " ".join(found[2].notes)
    for table_ in found:
        assert faults(latex_page(table_)) == []


def test_an_unknown_size_is_not_called_pooled() -> None:
    own = [compared(size="", group_a="b", group_b="m"), compared(size="", group_a="b", group_b="m", part="insults")]
    twelve = tables(Figures(scores(*CONTRAST_SCORES), comparisons=own))[1]
    assert [row[2:4] for row in cells(twelve)] == [["unknown", "total"], ["unknown", "insults"]]
    beside = tables(Figures(scores(*CONTRAST_SCORES), comparisons=[*own, compared()]))[1]
    assert [row[2:4] for row in cells(beside)] == [["all", "total"], ["unknown", "total"]]


def test_an_undefined_test_says_why() -> None:
    row = compared(statistic=None, p=None, n_pairs=None, n_a=3, n_b=5, undefined_reason="all differences are 0")
    twelve = tables(Figures(scores(*CONTRAST_SCORES), comparisons=[row]))[1]
    assert [cell.text for cell in twelve.rows[0].cells[5:8]] == ["3, 5", NOTHING, NOTHING]
    assert twelve.rows[0].cells[7].why == "All differences are 0."


def test_a_test_that_is_not_exact_says_so_in_a_note() -> None:
    rows = [compared(), compared(part="insults", test="Mann-Whitney, normal approximation", n_pairs=None)]
    twelve = tables(Figures(scores(*CONTRAST_SCORES), comparisons=rows))[1]
    assert [(row.cells[4].text, row.cells[4].why) for row in twelve.rows] == [
        ("signed-rank", ""),
        ("Mann-Whitney", "Mann-Whitney, normal approximation."),
    ]
    assert [row.cells[5].text for row in twelve.rows] == ["320", "320, 320"]


def correlated(**changes: object) -> CorrelationRow:
    row = CorrelationRow(
        preset="smoke",
        replicate=1,
        judge="judge@1",
        x="intentions.harmless",
        y="harmfulness",
        columns="harmless",
        subset="all",
        n=15,
        rho=0.8514,
        tau_b=0.7,
        ties_x=0,
        ties_y=0,
        ci_low=0.5,
        ci_high=0.9,
        ci_method="Bonett-Wright",
        p_within_size=0.0006,
        p_unrestricted=0.0001,
        p_holm=0.0018,
        rho_recipe_only=0.77,
        p_within_recipe=0.198,
        p_within_recipe_greater=0.1,
        n_arrangements=7776,
        loso_low=0.61,
        loso_high=0.9,
        measurement_low=0.8,
        measurement_high=0.88,
        excluded="nano-base: incomplete",
        undefined_reason="",
        simulated=False,
    )
    return replace(row, **changes)  # type: ignore[arg-type]


def test_correlations_stand_with_their_exclusions_and_reasons() -> None:
    undefined = correlated(
        subset="code", n=3, rho=None, ci_low=None, p_within_size=None, undefined_reason="fewer than 4 variants"
    )
    total = correlated(columns="total", x="intentions")
    found = list(tables(Figures([], correlations=[correlated(), undefined, total])))
    assert [table.name for table in found] == ["table-correlations-harmless", "table-correlations-total"]
    first, second = found[0].rows
    assert [cell.text for cell in first.cells[2:7]] == ["all", "15", "0.851", "0.700", "[0.500, 0.900]"]
    assert first.cells[2].why == "Excluded: nano-base: incomplete."
    assert (second.cells[4].text, second.cells[4].why) == (NOTHING, "Fewer than 4 variants.")
    assert "not independent" in " ".join(found[0].notes)


def test_correlations_of_moral_foundations_carry_the_instruments_label() -> None:
    rows = [correlated(columns="total", x="moral_foundations", y="moral_self_assessment"), correlated()]
    moral, other = tables(Figures([], correlations=rows, labels=["mf36: not the validated MFQ-2"]))
    assert "mf36: not the validated MFQ-2" in moral.notes
    assert "mf36: not the validated MFQ-2" not in other.notes


def test_published_correlations_stand_beside_on_request_alone() -> None:
    published = [correlated(rho=0.878)]
    beside = tables(Figures([], correlations=[correlated()], published=published), reference=True)[0]
    assert (beside.columns[-1].heading, beside.rows[0].cells[-1].text) == ("Published rho", "0.878")
    alone = tables(Figures([], correlations=[correlated()], published=published))[0]
    assert alone.columns[-1].heading != "Published rho"
