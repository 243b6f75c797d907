"""The words of the reading panes."""

from __future__ import annotations

import pytest

from emaudit.inspection.views import Measured, SelfReports
from emaudit.screens.reading_text import reports

FORMATS = ("decision", "numerical", "likert", "language", "all")


@pytest.mark.parametrize(
    ("used", "expected", "shown"),
    [
        (499, 500, "499/500"),
        (500, 500, "500/500"),
        (1_999, 2_000, "1999/2000"),
        (2_000, 2_000, "all 2,000"),
        (12_000, 12_000, "all 12000"),
        (0, 12_000, "0/12,000"),
    ],
)
def test_what_self_reports_stand_on_keeps_to_its_column(used: int, expected: int, shown: str) -> None:
    numbers = tuple(Measured("self_assessment", "harmless", form, 0.5, used, expected) for form in FORMATS)
    lines = reports(SelfReports("v", ("harmless",), numbers, ()), None).plain.splitlines()
    behind = next(line for line in lines if shown in line)
    assert behind.split() == shown.split() * len(FORMATS)
    assert {len(line.rstrip()) for line in lines if "0.50" in line or shown in line} == {16 + 10 * len(FORMATS)}
