"""Estimates as tables and in one line. A price that is not configured is unknown, never 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from emaudit.cli.output import counted, on_stderr, table
from emaudit.estimates import Estimate

_COLUMNS = {
    "PLANNED": "n_slots",
    "OWED": "n_owed",
    "VERDICTS": "n_judgements",
    "REQUESTS": "n_requests",
    "TOKENS IN": "input_tokens",
    "OF JUDGING": "judge_input_tokens",
    "AT MOST": "most_input_tokens",
    "TOKENS OUT": "output_tokens",
}
_HEADINGS = ("VARIANT", "ASSESSMENT", *_COLUMNS, "PRICE")


def show_table(rows: Sequence[Estimate]) -> None:
    """Print estimates, with a row for all of them where there are several."""
    lines = [(row.variant, row.assessment, *_figures([row])) for row in rows]
    if len(rows) > 1:
        lines.append(("all", "", *_figures(rows)))
    table(_HEADINGS, lines, right=_HEADINGS[2:])


def say_table(rows: Sequence[Estimate]) -> None:
    """The same table as narration."""
    with on_stderr():
        show_table(rows)


def summary(rows: Sequence[Estimate]) -> str:
    """What is owed in all, in a few words."""
    n_owed, n_judgements = sum(row.n_owed for row in rows), sum(row.n_judgements for row in rows)
    if not n_owed and not n_judgements:
        return "nothing owed"
    n_requests = sum(row.n_requests for row in rows)
    tokens = sum(row.input_tokens + row.output_tokens for row in rows)
    return (
        f"{counted(n_owed, 'reply')} and about {counted(n_judgements, 'verdict')} owed, "
        f"{counted(n_requests, 'request')}, about {tokens:,} tokens, price {price(rows)}"
    )


class Priced(Protocol):
    """Anything that may have a price."""

    @property
    def price(self) -> float | None:
        """None where it is unknown."""


def price(rows: Sequence[Priced]) -> str:
    """The price of all rows; unknown where that of one is."""
    known = [row.price for row in rows if row.price is not None]
    return f"{sum(known):,.2f}" if len(known) == len(rows) else "unknown"


def _figures(rows: Sequence[Estimate]) -> tuple[str, ...]:
    return (*(f"{sum(getattr(row, name) for row in rows):,}" for name in _COLUMNS.values()), price(rows))
