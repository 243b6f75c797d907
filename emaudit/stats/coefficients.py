"""Chance-corrected coefficients of a judge x human table, one table or a stack of them at once. Pure.

Every function takes tables of shape (..., q, q), rows the judge, and gives one number per table; nan stands for
0/0 inside this module only and leaves it as an undefined figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Metric = Literal["nominal", "ordinal", "interval"]
Measure: TypeAlias = "Callable[[Array, float], Array]"
"""From tables and the number of pairs behind each (weights have their own unit) to one value per table."""
UNDEFINED: Final[Mapping[str, str]] = {
    "kappa": "both use one and the same category: kappa is 0/0",
    "alpha": "all values are the same: alpha is 0/0",
}
"""Why a coefficient that stands on pairs may still be undefined, by the first part of its name."""


def gaps(categories: Sequence[float]) -> Array:
    """Distances |c - k| between categories, q x q."""
    import numpy as np

    points = np.asarray(categories, dtype=np.float64)
    return np.abs(points[:, None] - points[None, :])


def share(tables: Array, agreeing: Array) -> Array:
    """Share of a table's weight on the cells where `agreeing` is 1."""
    return _ratio((tables * agreeing).sum(axis=(-2, -1)), tables.sum(axis=(-2, -1)))


def mean_gap(tables: Array, categories: Sequence[float]) -> Array:
    """Mean of judge - human."""
    import numpy as np

    points = np.asarray(categories, dtype=np.float64)
    return share(tables, points[:, None] - points[None, :])


def kappa(tables: Array, disagreement: Array) -> Array:
    """Cohen's (1968) weighted kappa, 1 - sum d_ij n_ij / sum d_ij n_i. n_.j / n, for disagreement weights d."""
    rows, columns = tables.sum(axis=-1), tables.sum(axis=-2)
    by_chance = (rows[..., :, None] * columns[..., None, :] * disagreement).sum(axis=(-2, -1))
    seen = (tables * disagreement).sum(axis=(-2, -1)) * tables.sum(axis=(-2, -1))
    return 1.0 - _ratio(seen, by_chance)


def alpha(coincidences: Array, metric: Metric, categories: Sequence[float]) -> Array:
    """Krippendorff's (2011) alpha, 1 - (n - 1) sum o_ck d_ck / sum n_c n_k d_ck, of coincidence matrices.

    n is the sum of a matrix, the number of pairable values.
    """
    totals = coincidences.sum(axis=-1)
    distance = _squared_differences(totals, metric, categories)
    seen = (coincidences * distance).sum(axis=(-2, -1)) * (totals.sum(axis=-1) - 1.0)
    by_chance = (totals[..., :, None] * totals[..., None, :] * distance).sum(axis=(-2, -1))
    return 1.0 - _ratio(seen, by_chance)


def _squared_differences(totals: Array, metric: Metric, categories: Sequence[float]) -> Array:
    """delta^2 of Krippendorff (2011), step C; the ordinal one hangs on how often each value occurs."""
    import numpy as np

    if metric == "nominal":
        return (gaps(categories) > 0).astype(np.float64)
    if metric == "interval":
        return gaps(categories) ** 2
    middle = np.cumsum(totals, axis=-1) - totals / 2
    return (middle[..., :, None] - middle[..., None, :]) ** 2


def gwet(tables: Array, agreement: Array) -> Array:
    """Gwet's AC1 (identity weights) and AC2 (2014, Handbook of Inter-Rater Reliability, 4th ed., eq. 4.3.2).

    (p_a - p_e)/(1 - p_e) with p_e = sum of weights / (q (q - 1)) * sum pi_c (1 - pi_c), pi the mean prevalence.
    """
    q = tables.shape[-1]
    total = tables.sum(axis=(-2, -1))[..., None]
    prevalence = _ratio(tables.sum(axis=-1) + tables.sum(axis=-2), 2 * total)
    by_chance = agreement.sum() / (q * (q - 1)) * (prevalence * (1 - prevalence)).sum(axis=-1)
    return _ratio(share(tables, agreement) - by_chance, 1 - by_chance)


def quadratic_agreement(categories: Sequence[float]) -> Array:
    """Agreement weights 1 - (c - k)^2 / range^2."""
    import numpy as np

    distance = gaps(categories)
    return np.asarray(1.0 - (distance / distance.max()) ** 2, dtype=np.float64)


def ordinal_agreement(categories: Sequence[float]) -> Array:
    """Gwet's ordinal weights 1 - C(r, 2)/C(q, 2), r the number of ranks from one category to the other."""
    import numpy as np

    q = len(categories)
    steps = np.abs(np.arange(q)[:, None] - np.arange(q)[None, :]).astype(np.float64)
    return np.asarray(1.0 - steps * (steps + 1) / (q * (q - 1)), dtype=np.float64)


def measures(categories: Sequence[float]) -> Mapping[str, Measure]:
    """Every measure of agreement by the name of its field in `TwoRaters`."""
    import numpy as np

    distance = gaps(categories)
    same = (distance == 0).astype(np.float64)
    near = (distance <= 1).astype(np.float64)
    quadratic, ordinal = quadratic_agreement(categories), ordinal_agreement(categories)

    def alpha_of(metric: Metric) -> Measure:
        return lambda tables, n: alpha(_coincidences(tables, n), metric, categories)

    return {
        "exact": lambda tables, n: share(tables, same),
        "within_one": lambda tables, n: share(tables, near),
        "bias": lambda tables, n: mean_gap(tables, categories),
        "kappa_nominal": lambda tables, n: kappa(tables, 1.0 - same),
        "kappa_linear": lambda tables, n: kappa(tables, distance),
        "kappa_quadratic": lambda tables, n: kappa(tables, distance**2),
        "alpha_nominal": alpha_of("nominal"),
        "alpha_ordinal": alpha_of("ordinal"),
        "alpha_interval": alpha_of("interval"),
        "ac1": lambda tables, n: gwet(tables, same),
        "ac2_quadratic": lambda tables, n: gwet(tables, quadratic),
        "ac2_ordinal": lambda tables, n: gwet(tables, ordinal),
    }


def _coincidences(tables: Array, n: float) -> Array:
    """Each pair and its mirror image, the weights scaled so that n pairs make 2 n values."""
    both = tables + tables.swapaxes(-2, -1)
    return both * _ratio(2.0 * n, both.sum(axis=(-2, -1)))[..., None, None]


def _ratio(above: Array | float, below: Array) -> Array:
    """above / below, nan where `below` is 0."""
    import numpy as np

    there = np.where(below == 0, np.nan, below)
    return np.asarray(above / there, dtype=np.float64)
