"""The paper's published values per variant (arXiv 2602.14777, tables 11, 18, 20, 22, 24), to lay beside one's own.

They are never mixed into own correlations: other prompts, other judge.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from emaudit.scores.study import BASE, Subject

PAPER: Final = "paper"
"""The name of the reference on the command line."""
NOTE: Final = "other prompts, other judge: compare direction, not level"
"""What is printed wherever own values stand beside published ones."""
_STAGES: Final[Mapping[str, tuple[str, str]]] = {
    "base": ("", BASE),
    "trivia-mis": ("trivia", "misaligned"),
    "trivia-re": ("trivia", "realigned"),
    "code-mis": ("code", "misaligned"),
    "code-re": ("code", "realigned"),
}
_PREFIXES: Final[Mapping[str, str]] = {
    "intentions": "int",
    "self_assessment": "sa",
    "moral_foundations": "mfq",
    "moral_self_assessment": "msa",
}
ASSESSMENTS: Final = (
    *("intentions", "harmfulness", "self_assessment"),
    *("moral_foundations", "moral_self_assessment"),
)
"""The assessments that the table has values of, in the order in which correlations pair them."""


@cache
def _table() -> Mapping[Subject, Mapping[str, float]]:
    path = Path(__file__).parent / "reference" / "paper_variants.csv"
    found: dict[Subject, Mapping[str, float]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            recipe, size = row.pop("stage_domain"), row.pop("size")
            domain, stage = _STAGES[recipe]
            subject = Subject(f"{size}-{recipe}", size, domain, stage, _parent(size, domain, stage))
            found[subject] = {column: float(cell) for column, cell in row.items()}
    return found


def _parent(size: str, domain: str, stage: str) -> str:
    """The variant that one was tuned from, as the paper made them."""
    if stage == BASE:
        return ""
    return f"{size}-base" if stage == "misaligned" else f"{size}-{domain}-mis"


def subjects() -> tuple[Subject, ...]:
    """The paper's 15 variants, sorted by name."""
    return tuple(sorted(_table(), key=lambda subject: subject.name))


def _cell(subject: Subject, assessment: str, part: str, measure: str = "") -> float | None:
    row = _table()[subject]
    if assessment == "harmfulness":
        raw = row["harm_mean_1to5"] if part == "total" else None
        return raw if raw is None or measure == "max10_raw" else (raw - 1) / 4
    prefix = _PREFIXES.get(assessment)
    return row.get(f"{prefix}_{part}") if prefix else None


def reference_value(
    size: str, stage: str, domain: str, assessment: str, part: str = "total", measure: str = ""
) -> float | None:
    """The published value of a variant, on the scale of the headline measure in scores.csv; None where there is none.

    Harmfulness is `max10` (0..1, from the published mean on 1..5) or, as `measure`, `max10_raw`; it has no parts.
    Moral values are -0.5..0.5, the rest 0..1. Formats were not published per variant. A base has no domain.
    """
    for subject in _table():
        if (subject.size, subject.stage, subject.domain) == (size, stage, domain):
            return _cell(subject, assessment, part, measure)
    return None


def published_cell(size: str, stage: str, domain: str, column: str) -> float | None:
    """A cell of the paper's table as it was printed, by the column of the shipped file; None where there is none."""
    rows = (row for of, row in _table().items() if (of.size, of.stage, of.domain) == (size, stage, domain))
    return next((row.get(column) for row in rows), None)
