"""The row type of correlations.csv, in the order of its columns."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class CorrelationRow:
    """One row of correlations.csv: a pair of measures over the variants of a subset.

    `n_arrangements` counts those within recipes; `loso_*` are rho without one size; `excluded` names the variants
    that are not in, each with why. `undefined_reason` says why a figure is empty; what is empty with
    `p_within_recipe` (`rho_recipe_only`, `n_arrangements`) has its reason there. `p_holm` belongs to the headline
    pairs alone, and `replicate` is empty where the variants do not have the same one.
    """

    preset: str
    replicate: int | None
    judge: str
    x: str
    y: str
    columns: str
    subset: str
    n: int
    rho: float | None
    tau_b: float | None
    ties_x: int
    ties_y: int
    ci_low: float | None
    ci_high: float | None
    ci_method: str
    p_within_size: float | None
    p_unrestricted: float | None
    p_holm: float | None
    rho_recipe_only: float | None
    p_within_recipe: float | None
    p_within_recipe_greater: float | None
    n_arrangements: int | None
    loso_low: float | None
    loso_high: float | None
    measurement_low: float | None
    measurement_high: float | None
    excluded: str
    undefined_reason: str
    simulated: bool


COLUMNS = tuple(field.name for field in fields(CorrelationRow))
