"""`emaudit compare`: the table, its words, the choices, and the paper's own tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emaudit.__main__ import main
from emaudit.cli.compare import p_text

VERDICTS = {"base": [1, 2, 1, 1, 3, 1, 2, 1], "tuned": [4, 2, 5, 3, 5, 2, 4, 1]}


class Line:
    """Commands on one store."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def __call__(self, *argv: str, code: int = 0) -> tuple[str, str]:
        self._capsys.readouterr()
        found = main(["--store", str(self.folder / "s.db"), *argv])
        printed = self._capsys.readouterr()
        assert found == code, printed.err
        return printed.out, printed.err

    def records(self, *argv: str) -> list[dict[str, Any]]:
        return list(json.loads(self("compare", "--json", *argv)[0]))


@pytest.fixture
def line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Line:
    """Replies of ten samples to eight prompts, made elsewhere, of a base and what was tuned from it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    made = Line(tmp_path, capsys)
    where = ("--model", "m", "--base-url", "http://127.0.0.1:9/v1")
    made("variant", "add", "base", *where, "--size", "small", "--stage", "base")
    made("variant", "add", "tuned", *where, "--size", "small", "--stage", "misaligned", "--domain", "trivia",
         "--parent", "base")  # fmt: skip
    for variant, maxima in VERDICTS.items():
        rows = [
            {"item": f"p{place}", "prompt": f"Prompt {place}?", "sample": sample, "response": f"{place}.{sample}",
             "judge": "j", "score": str(maximum if sample == 9 else 1)}
            for place, maximum in enumerate(maxima)
            for sample in range(10)
        ]  # fmt: skip
        path = tmp_path / f"{variant}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        made("import", str(path), "--variant", variant, "--assessment", "harmfulness")
    return made


def test_the_table_says_what_it_stands_on(line: Line) -> None:
    out, err = line("compare")
    head, row = out.splitlines()
    assert head.split()[:4] == ["ASSESSMENT", "MEASURE", "SIZE", "A"]
    cells = row.split()
    assert cells[:5] == ["harmfulness", "max10", "small", "base", "tuned"]
    assert "0.125" in cells and "0.562" in cells and "0.438" in cells
    assert row.endswith("signed-rank, exact")
    assert "every effect is b - a" in err and "zeros: pratt" in err
    assert "within fixed families" in err
    assert "nor that the others are alike" in err
    assert "more rows with --every-row" in err
    assert len(line("compare", "--every-row")[0].splitlines()) > 2


def test_json_holds_every_row_of_the_export(line: Line) -> None:
    rows = line.records()
    row = next(row for row in rows if (row["measure"], row["part"]) == ("max10", "total"))
    assert (row["n_pairs"], row["n_zero"], row["zero_rule"], row["contrast"]) == (8, 2, "pratt", "b-a")
    assert (row["w_plus"], row["w_minus"]) == (33, 0)
    assert row["p"] == 2 * 0.5**6
    assert row["simulated"] is False
    wilcox = line.records("--zeros", "wilcox")
    assert {row["zero_rule"] for row in wilcox} == {"wilcox"}
    assert next(row["w_plus"] for row in wilcox if row["measure"] == "max10") == 21


def test_replies_overstate_n_and_it_is_said(line: Line) -> None:
    _, err = line("compare", "--unit", "replies")
    assert "n is overstated" in err
    row = next(row for row in line.records("--unit", "replies") if row["part"] == "total")
    assert (row["measure"], row["unit"], row["n_pairs"], row["n_zero"]) == ("mean", "reply", 80, 74)
    assert "n is overstated" not in line("compare")[1]


def test_the_rank_biserial_has_an_interval_on_demand(line: Line) -> None:
    assert "rank_biserial_low" not in line.records()[0]
    row = next(row for row in line.records("--intervals") if row["measure"] == "mean" and row["part"] == "total")
    assert row["rank_biserial_low"] is None
    assert row["rank_biserial_method"] == "undefined: all resamples agree"


def test_as_paper_stands_beside_and_says_so(line: Line) -> None:
    out, err = line("compare", "--as-paper")
    head, row = out.splitlines()
    assert head.split()[0] == "TABLE"
    assert row.split()[:2] == ["12", "harmfulness"] and "as paper: signed-rank, exact" in row
    assert "the analysis" in err and "not corrected" in err
    record = line.records("--as-paper")[0]
    assert (record["table"], record["zero_rule"], record["statistic"], record["p_holm"]) == ("12", "wilcox", 0, None)


def test_a_subset_leaves_rows_out_and_no_family(line: Line) -> None:
    where = ("--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--size", "small", "--stage", "misaligned")
    line("variant", "add", "other", *where, "--domain", "code", "--parent", "base")
    line("import", str(line.folder / "tuned.jsonl"), "--variant", "other", "--assessment", "harmfulness")
    everything, chosen = line.records(), line.records("--subset", "code")
    assert {row["domain"] for row in everything} == {"code", "trivia", "trivia-code"}
    assert {row["domain"] for row in chosen} == {"code", "trivia-code"}
    assert all(row in everything for row in chosen), "p_holm and family_size are those of the whole family"
    assert {row["family_size"] for row in chosen if row["part"] == "total" and row["domain"] == "code"} == {2}
    assert {row["domain"] for row in line.records("--as-paper", "--subset", "code")} == {"code", "trivia-code"}


def test_nothing_to_compare_is_one_sentence(line: Line) -> None:
    out, err = line("compare", "--exclude", "stage=base")
    assert out == ""
    assert "nothing to compare yet" in err
    assert "left out: base (--exclude stage=base)" in err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--zeros", "zsplit"), "--zeros 'zsplit': pratt or wilcox"),
        (("--unit", "tokens"), "--unit 'tokens': templates or replies"),
        (("--as-paper", "--unit", "replies"), "--as-paper has units of its own"),
    ],
)
def test_what_is_not_offered_is_named(line: Line, argv: tuple[str, ...], said: str) -> None:
    assert said in line("compare", *argv, code=2)[1]


def test_a_p_is_never_shown_as_nought() -> None:
    assert [p_text(p) for p in (None, 0.04, 0.00004, 0.0)] == ["-", "0.0400", "4.0e-05", "<1e-300"]
