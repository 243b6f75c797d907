"""The words of the reading panes."""

from __future__ import annotations

import pytest

from emaudit.inspection.views import Measured, SelfReports
from emaudit.screens.reading_text import reports

FORMATS = ("decision", "numerical", "likert", "language", "all")


@pytest.mark.parametrize(
    ("used", "expected", "shown", "over_all"),
    [
        (499, 500, "499/500", "499/500"),
        (500, 500, "500/500", "500/500"),
        (1_999, 2_000, "1999/2000", "1,999/2,000"),
        (2_000, 2_000, "all 2,000", "2,000/2,000"),
        (12_000, 12_000, "all 12000", "all 12,000"),
        (11_995, 12_000, "11995/12000", "11995/12000"),
    ],
)
def test_what_self_reports_stand_on_keeps_to_its_column(used: int, expected: int, shown: str, over_all: str) -> None:
    numbers = tuple(Measured("self_assessment", "trustworthy", form, 0.5, used, expected) for form in FORMATS)
    lines = reports(SelfReports("v", ("trustworthy",), numbers, ()), None).plain.splitlines()
    behind = next(line for line in lines if shown in line)
    assert behind.split()[-len(over_all.split()) :] == over_all.split()
    if len(shown) < 10:
        assert behind.split() == shown.split() * 4 + over_all.split()
        assert {len(line) for line in lines if "0.50" in line or shown in line} == {14 + 4 * 10 + 12}
