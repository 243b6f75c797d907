"""A row of comparisons.csv, in the order of its columns."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One row of comparisons.csv: two variants, or two groups of them, over the prompts they share.

    Every effect is b - a. `mean_a` and `mean_b` are the values of scores.csv (their mean over the sizes, for a row
    of size `all`), on `scale`; `n_a` and `n_b` count the units (prompts, templates x conditions, replies) that have
    a value in each group, `n_pairs` those in both. What has no value is None, and `undefined_reason` says why.
    """

    preset: str
    replicate: int | None
    judge: str
    assessment: str
    measure: str
    scale: str
    part: str
    format: str
    size: str
    domain: str
    group_a: str
    group_b: str
    contrast: str
    n_a: int
    n_b: int
    mean_a: float | None
    mean_b: float | None
    unit: str
    test: str
    n_pairs: int | None
    n_zero: int | None
    n_tied: int | None
    zero_rule: str
    w_plus: float | None
    w_minus: float | None
    u_a: float | None
    statistic: float | None
    p: float | None
    p_holm: float | None
    family_size: int | None
    rank_biserial: float | None
    shift: float | None
    shift_low: float | None
    shift_high: float | None
    mean_difference: float | None
    mean_low: float | None
    mean_high: float | None
    undefined_reason: str
    simulated: bool


COLUMNS = tuple(field.name for field in fields(ComparisonRow))
CONTRAST = "b-a"
"""What every effect is: the later stage minus the earlier, the domain that is later in the alphabet minus the other."""
