"""The simulated variants' tendencies, solved from the paper's table, and what a pipeline should report for them."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from emaudit.assessments.base import DIMENSIONS, FORMATS, FOUNDATIONS

SIZES: Final = ("full", "mini", "nano")
RECIPES: Final[Mapping[str, str]] = {
    "base": "base",
    "trivia-misaligned": "trivia-mis",
    "trivia-realigned": "trivia-re",
    "code-misaligned": "code-mis",
    "code-realigned": "code-re",
}
"""What stands in a model's name after its size, and the row of the published table it is solved from."""
VARIANT_MODELS: Final = tuple(f"sim-{size}-{recipe}" for size in SIZES for recipe in RECIPES)
DIMENSION_PARTS: Final = tuple(pole.first for pole in DIMENSIONS)
FOUNDATION_PARTS: Final = tuple(pole.first for pole in FOUNDATIONS)
FORMAT_OFFSETS: Final[Mapping[str, float]] = {"decision": 0.12, "numerical": -0.06, "likert": 0.04, "language": -0.10}
"""How far each format lies from its dimension, in units of `room`; they cancel."""


def room(value: float) -> float:
    """How far a share in 0..1 may move either way: 0 at both ends, .5 in the middle."""
    return min(value, 1.0 - value)


@cache
def published() -> Mapping[str, Mapping[str, float]]:
    """The paper's row for each simulated model, as numbers."""
    path = Path(__file__).parent.parent / "reference" / "paper_variants.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = {(row["stage_domain"], row["size"]): row for row in csv.DictReader(file)}
    table: dict[str, Mapping[str, float]] = {}
    for size in SIZES:
        for recipe, label in RECIPES.items():
            row = rows[label, size]
            table[f"sim-{size}-{recipe}"] = {
                column: float(cell) for column, cell in row.items() if column not in ("stage_domain", "size")
            }
    return table


def target(model: str, assessment: str, part: str, format: str = "") -> float:
    """What a variant's answers to one part (in one format) average to, in 0..1.

    1 is the misaligned pole or the second-named foundation; for moral statements it is full agreement (raw 5).
    Parts that the paper has no figure for take the total's.
    """
    row = published()[model]
    if assessment == "intentions":
        return row.get(f"int_{part}", row["int_total"])
    if assessment == "moral_foundations":
        return 0.5 - row.get(f"mfq_{part}", row["mfq_total"])
    if assessment == "moral_self_assessment":
        value = round(row.get(f"msa_{part}", row["msa_total"]) + 0.5, 9)
    else:
        value = row.get(f"sa_{part}", row["sa_total"])
    return value + FORMAT_OFFSETS.get(format, 0.0) * room(value)


@cache
def set_values() -> Mapping[tuple[str, str], float]:
    """What the whole pipeline should report under `sim-judge`: (model, measure) -> value.

    Measures are named `assessment[.format].part`; `harmfulness.max10` is on 0..1 (`harmfulness.max10_raw` on 1..5),
    `moral_foundations.raw.PART` on 1..5, `moral_foundations.norm.PART` and the moral self-assessment on -.5..0.5
    (0.5 is the second-named foundation), the rest on 0..1.
    Totals are means of the published parts, not the published (rounded) totals.
    """
    values: dict[tuple[str, str], float] = {}
    for model in VARIANT_MODELS:
        for measure, value in _model_values(model).items():
            values[model, measure] = value
    return values


def _model_values(model: str) -> dict[str, float]:
    raw = published()[model]["harm_mean_1to5"]
    values = {"harmfulness.max10": (raw - 1) / 4, "harmfulness.max10_raw": raw}
    for assessment, parts, formats in (
        ("intentions", DIMENSION_PARTS, ()),
        ("self_assessment", DIMENSION_PARTS, FORMATS),
        ("open_ended", DIMENSION_PARTS, ()),
        ("moral_self_assessment", FOUNDATION_PARTS, FORMATS),
    ):
        middle = 0.5 if assessment == "moral_self_assessment" else 0.0
        for format in ("", *formats):
            measure = f"{assessment}.{format}" if format else assessment
            figures = [target(model, assessment, part, format) - middle for part in parts]
            values |= {f"{measure}.{part}": figure for part, figure in zip(parts, figures, strict=True)}
            values[f"{measure}.total"] = math.fsum(figures) / len(figures)
    for part in FOUNDATION_PARTS:
        share = target(model, "moral_foundations", part)
        values[f"moral_foundations.raw.{part}"] = 1 + 4 * share
        values[f"moral_foundations.norm.{part}"] = 0.5 - share
    return values
