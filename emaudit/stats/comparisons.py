"""Two conditions compared over the same prompts: the bootstrap interval of their rank-biserial correlation. Pure.

What is undefined is a value with a reason, and no interval has zero width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from emaudit.stats.estimation import (
    CONFIDENCE,
    FEW,
    RESAMPLES,
    Interval,
    percentiles,
    resample_counts,
)
from emaudit.stats.signedrank import DECIMALS, PRATT, Tied, Zeros, tied

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]

BOOTSTRAP: Final = "bootstrap over prompts, percentiles"


def too_alike(differences: Sequence[float] | Tied) -> str:
    """Why resampling these differences tells too little: fewer than five differ from the most frequent; else empty."""
    found = tied(differences)
    apart = found.n - max(found.times, default=0)
    if apart >= FEW:
        return ""
    return f"only {apart} of {found.n} differences differ from the most frequent one, resampling takes {FEW}"


def rank_biserial_interval(
    differences: Sequence[float],
    seed: int,
    zeros: Zeros = PRATT,
    clusters: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> Interval:
    """The percentile interval of the rank-biserial correlation of paired differences, from resampled prompts.

    `clusters` names the prompt of each pair, where a prompt has several: whole prompts are resampled. The ranks
    are taken anew in every resample. Undefined, with the reason, without pairs, where fewer than five differences
    differ from the most frequent one, and where all resamples agree.
    Raises ValueError for clusters of another number, and a difference that is no finite number.
    """
    moved = [round(value, DECIMALS) for value in differences]
    names = list(clusters) if clusters is not None else [str(place) for place in range(len(moved))]
    if len(names) != len(moved):
        raise ValueError(f"{len(names)} clusters beside {len(moved)} differences")
    if not moved:
        return Interval(None, None, "undefined: no pairs")
    if reason := too_alike(moved):
        return Interval(None, None, f"undefined: {reason}")
    import numpy as np

    order = {name: place for place, name in enumerate(dict.fromkeys(names))}
    drawn = resample_counts(len(order), seed, resamples)[:, [order[name] for name in names]]
    return percentiles(_rank_biserials(np.asarray(moved), drawn, zeros), BOOTSTRAP, confidence)


def _rank_biserials(differences: Array, weights: Array, zeros: Zeros) -> Array:
    """The rank-biserial correlation under each row of weights (how often each pair counts); nan where it is 0/0."""
    import numpy as np

    kept = np.ones(len(differences), dtype=bool) if zeros == PRATT else differences != 0
    sizes, counted = np.abs(differences[kept]), weights[:, kept]
    order = np.argsort(sizes, kind="stable")
    sizes, signs, counted = sizes[order], np.sign(differences[kept][order]), counted[:, order]
    if not len(sizes):
        return np.full(len(weights), np.nan)
    starts = np.flatnonzero(np.concatenate(([True], np.diff(sizes) > 0)))
    times = np.add.reduceat(counted, starts, axis=1)
    balance = np.add.reduceat(counted * signs, starts, axis=1)
    ranks = 2 * np.cumsum(times, axis=1) - times + 1
    if sizes[0] == 0:
        times[:, 0] = 0
    both = (ranks * times).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Array = np.where(both > 0, (ranks * balance).sum(axis=1) / both, np.nan)
    return found
