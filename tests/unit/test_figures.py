"""Numbers and cells as the screens write them."""

from __future__ import annotations

import pytest

from emaudit.themes import Tones
from emaudit.variants import Variant
from emaudit.watch.snapshot import Cell, Stage, VariantRow
from emaudit.widgets import cells, figures


@pytest.mark.parametrize(
    ("number", "assessment", "shown"),
    [
        (None, "harmfulness", "–"),
        (0.804, "harmfulness", "0.80"),
        (-0.0, "intentions", "0.00"),
        (0.25, "moral_foundations", "+0.25"),
        (-0.31, "moral_self_assessment", "-0.31"),
    ],
)
def test_values(number: float | None, assessment: str, shown: str) -> None:
    assert figures.value(number, assessment) == shown


def test_percent_is_100_only_when_all_is_there() -> None:
    assert [figures.percent(done, 3200) for done in (0, 1, 3199, 3200)] == ["0%", "0%", "99%", "100%"]
    assert figures.percent(0, 0) == "–"


def test_durations_rates_tokens_prices() -> None:
    assert [figures.duration(s) for s in (None, 0, 59.4, 60, 3599, 3600, 90_000)] == [
        "–", "0s", "59s", "1m00s", "59m59s", "1h00m", "1d01h",
    ]  # fmt: skip
    assert [figures.rate(r) for r in (None, 0.04, 41.25, 1234.5)] == ["–", "0.0/s", "41.2/s", "1,234/s"]
    assert [figures.tokens(n) for n in (0, 999, 1000, 123_456, 4_600_000)] == ["0", "999", "1.0k", "123k", "4.6M"]
    assert figures.price(None) == "unknown" and figures.price(0.0) == "0.00"


def test_bars_fill_their_width() -> None:
    for share in (-1, 0, 0.01, 0.5, 0.999, 1, 2):
        done, rest = figures.bar(share, 10)
        assert len(done) + len(rest) == 10
    assert figures.bar(1, 10) == ("█" * 10, "") and figures.bar(0.5, 0) == ("", "")


@pytest.mark.parametrize(
    ("cell", "stage"),
    [
        (Cell("harmfulness"), Stage.NONE),
        (Cell("harmfulness", "p", 10, is_counted=False), Stage.COUNTING),
        (Cell("harmfulness", "p", 10, 3), Stage.OWED),
        (Cell("harmfulness", "p", 10, 3, activity="active"), Stage.RUNNING),
        (Cell("harmfulness", "p", 10, 0, activity="waiting"), Stage.WAITING),
        (Cell("harmfulness", "p", 10, 10, 10, 4), Stage.JUDGING),
        (Cell("harmfulness", "p", 10, 10, 10, 10), Stage.DONE),
    ],
)
def test_stages_and_their_glyphs_differ(cell: Cell, stage: Stage) -> None:
    assert cell.stage is stage
    assert len(set(cells.GLYPHS.values())) == len(Stage)


def test_cells_never_touch_the_next_column() -> None:
    long = Variant(1, "u", "n" * 80, "m" * 200, size="s" * 60, domain="d" * 60, stage="t" * 60)
    row = VariantRow(long, "", (Cell("harmfulness", "p", 12_000, 11_999),) * 5, is_gone=True)
    for width in range(1, 250):
        for height in (0, 100):
            plan = cells.layout([row], ("harmfulness",) * 5, width, height)
            columns = plan.columns(("harmfulness",) * 5)
            for (_, label, wide), text in zip(columns, cells.cells(row, plan, {"n" * 80}, Tones()), strict=True):
                assert max(len(line) for line in text.plain.split("\n")) < wide or plan.form is cells.Form.TALL
                assert len(label) <= wide
