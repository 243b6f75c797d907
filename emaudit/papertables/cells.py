"""Values as they are printed in a paper's table.

The rule: values, SDs and shares to two decimals, as the paper's tables; p, rho, effects and agreement to three, a p
below .0005 as `< 0.001`; an undefined value is an en dash with a note, a cell to which its column does not apply is
empty.
"""

from __future__ import annotations

from typing import Final

from emaudit.papertables.model import NOTHING, Cell
from emaudit.reference import NOTE

RULE: Final = "Values and SDs to two decimals; p, coefficients and effects to three."
PUBLISHED_NOTE: Final = f"Published: arXiv 2602.14777 v1; {NOTE}."


def decimal(value: float | None, digits: int = 2) -> str:
    """A value with fixed decimals, never a negative zero; an en dash where there is none."""
    if value is None:
        return NOTHING
    text = f"{value:.{digits}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text


def probability(p: float | None) -> str:
    """A p to three decimals, `< 0.001` where it would round to zero."""
    return "< 0.001" if p is not None and p < 0.0005 else decimal(p, 3)


def value_cell(value: float | None, digits: int = 2, why: str = "") -> Cell:
    """A value, or an en dash; with why it is not there or not sure."""
    return Cell(decimal(value, digits), why)


def spread_cell(value: float | None, sd: float | None, why: str = "") -> Cell:
    """A mean with its SD in brackets."""
    return Cell(NOTHING if value is None else f"{decimal(value)} ({decimal(sd)})", why)


def figure_cell(value: float | None, why: str, digits: int = 3) -> Cell:
    """A coefficient or an effect, or an en dash with why it is not there."""
    return Cell(decimal(value, digits), why if value is None else "")


def applicable(value: float | None, why: str = "", digits: int = 3) -> Cell:
    """The same, but empty where there is no reason: the column does not apply to the row."""
    return Cell("") if value is None and not why else figure_cell(value, why, digits)


def interval_cell(low: float | None, high: float | None, why: str = "", digits: int = 3) -> Cell:
    """Two bounds in square brackets; else an en dash with why, or nothing where the column does not apply."""
    if low is None or high is None:
        return Cell(NOTHING, why) if why else Cell("")
    return Cell(f"[{decimal(low, digits)}, {decimal(high, digits)}]")


def sentence(text: str) -> str:
    """A reason as a sentence of its own; an interval's without the word that the dash says already."""
    text = text.removeprefix("undefined: ")
    return f"{text[0].upper()}{text[1:].rstrip('.')}." if text else ""


def words(text: str) -> Cell:
    """A cell of words."""
    return Cell(text)


def whole(n: int | None) -> Cell:
    """A count."""
    return Cell(NOTHING if n is None else f"{n:,}")
