"""The line of keys: what is left out where there is too little room, and what a click presses."""

from __future__ import annotations

import pytest

from emaudit.widgets.keybar import Entry, fitting


def entry(label: str, action: str = "") -> Entry:
    return Entry("x", "x", label, action or label.lower(), True)


ENTRIES = (entry("Run"), entry("Stop"), entry("Filter"), entry("Help", "help"), entry("Palette"))


@pytest.mark.parametrize(
    ("width", "labels"),
    [
        (80, ["Run", "Stop", "Filter", "Help", "Palette"]),
        (43, ["Run", "Stop", "Filter", "Help", "Palette"]),
        (42, ["Run", "Stop", "Filter", "Help"]),
        (22, ["Run", "Stop", "Help"]),
        (3, ["Help"]),
    ],
)
def test_the_last_keys_go_first_and_the_help_stays(width: int, labels: list[str]) -> None:
    assert [held.label for held in fitting(ENTRIES, width)] == labels
