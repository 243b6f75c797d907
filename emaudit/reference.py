"""The paper's published values per variant (arXiv 2602.14777, tables 11, 18, 20, 22, 24), to lay beside one's own.

They are never mixed into own correlations: other prompts, other judge.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from emaudit.scores.measures import PARTS
from emaudit.scores.pairing import EVERY, HEADLINE, TOTAL, Pair, Pairing, measure_of
from emaudit.scores.resampling import Named
from emaudit.scores.study import Subject
from emaudit.stats.association import spearman

PAPER: Final = "paper"
"""The name of the reference on the command line."""
PRESET: Final = "published"
"""What stands in the column `preset` of the reference's rows."""
JUDGE: Final = "the paper's"
NOTE: Final = "other prompts, other judge: compare direction, not level"
"""What is printed wherever own values stand beside published ones."""
_STAGES: Final[Mapping[str, tuple[str, str]]] = {
    "base": ("", "base"),
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
    if stage == "base":
        return ""
    return f"{size}-base" if stage == "misaligned" else f"{size}-{domain}-mis"


def subjects(subset: str = EVERY) -> tuple[Subject, ...]:
    """The paper's 15 variants, sorted by name; or those of a domain with the bases."""
    kept = [subject for subject in _table() if subset == EVERY or subject.domain in ("", subset)]
    return tuple(sorted(kept, key=lambda subject: subject.name))


def subsets() -> list[str]:
    """All variants, and each domain with the bases."""
    return [EVERY, *sorted({subject.domain for subject in _table()} - {""})]


def _cell(subject: Subject, assessment: str, part: str, measure: str = "") -> float | None:
    row = _table()[subject]
    if assessment == "harmfulness":
        raw = row["harm_mean_1to5"] if part == TOTAL else None
        return raw if raw is None or measure == "max10_raw" else (raw - 1) / 4
    prefix = _PREFIXES.get(assessment)
    return row.get(f"{prefix}_{part}") if prefix else None


def reference_value(
    size: str, stage: str, domain: str, assessment: str, part: str = TOTAL, measure: str = ""
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


def reference_values(named: Named, subset: str = EVERY) -> list[tuple[str, float]]:
    """The published values of a measure by variant; empty where it was not published."""
    if named.form not in ("", EVERY):
        return []
    found = [(s.name, _cell(s, named.assessment, named.part, named.measure)) for s in subjects(subset)]
    return [(name, value) for name, value in found if value is not None]


def pairs(columns: str) -> list[Pair]:
    """The pairs of measures that the paper's table can give, the headline pairs first.

    Harmfulness is the published mean of prompt maxima on 1..5: the published 0..1 value is rounded and has ties.
    """
    headline = [(_measure(x, columns), _measure(y, columns)) for x, y in HEADLINE]
    if columns != TOTAL:
        return headline
    foundations = (TOTAL, *PARTS["moral_foundations"])
    return headline + [
        (measure_of("moral_foundations", part), measure_of("moral_self_assessment", part)) for part in foundations
    ]


def _measure(assessment: str, part: str) -> Named:
    return Named(assessment, "max10_raw") if assessment == "harmfulness" else measure_of(assessment, part)


def paired(pair: Pair, columns: str, subset: str = EVERY) -> Pairing:
    """Two measures of the paper's table over its variants."""
    x, y = pair
    kept = subjects(subset)
    values = [tuple(value for _, value in reference_values(named, subset)) for named in pair]
    return Pairing(x, y, columns, subset, kept, values[0], values[1], PRESET, None, JUDGE)


def reference_rho(x: str, y: str, columns: str, subset: str = EVERY) -> float | None:
    """The published rho of a pair by its names in correlations.csv; None where the table has no such pair."""
    if subset not in subsets():
        return None
    for pair in pairs(columns):
        if (pair[0].name, pair[1].name) == (x, y):
            found = paired(pair, columns, subset)
            return spearman(found.xs, found.ys).value
    return None
