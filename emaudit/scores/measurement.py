"""How far a correlation moves with the prompts, the variants being what they are. Pure.

Prompts are resampled jointly: one draw serves every variant and every measure that shares the prompts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from emaudit.scores.pairing import Pairing
from emaudit.scores.resampling import Named, Prompts
from emaudit.scores.study import Study
from emaudit.stats.estimation import CONFIDENCE, MOST_UNDEFINED, Figure, Interval
from emaudit.stats.ranks import FEWEST, rank_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DECIMALS: Final = 10
"""To which values are rounded before they are ranked: sums of the same numbers in another order are ties."""
METHOD: Final = "prompt bootstrap"


@dataclass(frozen=True, slots=True)
class Measured:
    """The measurement-only interval of a rho: `n_undefined` of `n_resamples` draws of prompts gave none."""

    interval: Interval
    n_resamples: int = 0
    n_undefined: int = 0


class Draws:
    """Ranks of the variants of a study on resampled prompts, each measure resampled once."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._prompts: Prompts | None = None
        self._values: dict[Named, Array] = {}
        self._ranks: dict[tuple[Named, tuple[str, ...]], Ranked] = {}
        self._places = {subject.name: place for place, subject in enumerate(study.subjects)}

    @property
    def prompts(self) -> Prompts:
        """The prompts of the study."""
        if self._prompts is None:
            self._prompts = Prompts(self._study)
        return self._prompts

    def measured(self, pairing: Pairing) -> Measured:
        """The interval that the prompts alone give a pairing's rho: percentiles over resampled prompts."""
        return measured(self._ranked(pairing.x, pairing.names), self._ranked(pairing.y, pairing.names))

    def _ranked(self, named: Named, names: tuple[str, ...]) -> Ranked:
        held = self._ranks.get((named, names))
        if held is None:
            held = self._ranks[named, names] = ranks(self._resampled(named)[[self._places[name] for name in names]])
        return held

    def _resampled(self, named: Named) -> Array:
        held = self._values.get(named)
        if held is None:
            everyone = [subject.name for subject in self._study.subjects]
            held = self._values[named] = self.prompts.resampled(named, everyone, self._study.rules.resamples)
        return held

    def without_prompts(self, pairing: Pairing) -> dict[str, Figure]:
        """rho without each prompt (template) of either measure, under `assessment: prompt`."""
        found: dict[str, Figure] = {}
        for named, other in ((pairing.x, pairing.ys), (pairing.y, pairing.xs)):
            left_out = self.prompts.without_each(named, pairing.names)
            for prompt, rho in zip(left_out, _all_rho(list(left_out.values()), other), strict=True):
                found[f"{named.assessment}: {prompt}"] = rho
        return found

    def without_categories(self, pairing: Pairing) -> dict[str, Figure]:
        """rho without each category of harmfulness, dimension or foundation; where both have it, without it in both."""
        xs = self.prompts.without_category(pairing.x, pairing.names)
        ys = self.prompts.without_category(pairing.y, pairing.names)
        return {
            name: _all_rho([xs.get(name, pairing.xs)], ys.get(name, pairing.ys))[0]
            for name in dict.fromkeys([*xs, *ys])
        }


def _all_rho(columns: Sequence[Sequence[float] | Array], other: Sequence[float] | Array) -> list[Figure]:
    """rho of each of many columns with one other."""
    import numpy as np

    if not columns:
        return []
    fixed = ranks(np.asarray(other, dtype=np.float64)[:, None])
    undefined = Figure(None, "a column is constant or a value missing")
    found = ranks(np.asarray(columns, dtype=np.float64).T).rho(fixed).tolist()
    return [Figure(rho) if rho == rho else undefined for rho in found]


def rounded(values: Sequence[float] | Array) -> list[float]:
    """Values as they are ranked."""
    return [round(float(value), DECIMALS) for value in values]


@dataclass(frozen=True, slots=True)
class Ranked:
    """Doubled mid-ranks less their mean, draws x variants, and each draw's sum of squares; nan without a rank."""

    centred: Array
    squares: Array

    def rho(self, other: Ranked) -> Array:
        """rho of each draw: one rounding, as that of `stats.association`; nan where a column is constant."""
        import numpy as np

        products, squares = (self.centred * other.centred).sum(axis=-1), self.squares * other.squares
        with np.errstate(invalid="ignore", divide="ignore"):
            found: Array = np.where(squares > 0, products / np.sqrt(squares), np.nan)
        return np.clip(found, -1.0, 1.0)


def ranks(values: Array) -> Ranked:
    """The ranks of variants x draws within each draw."""
    import numpy as np

    centred: Array = rank_rows(np.round(values.T, DECIMALS)) - (len(values) + 1)
    return Ranked(centred, (centred * centred).sum(axis=-1))


def measured(x: Ranked, y: Ranked) -> Measured:
    """The interval of rho over the `ranks` of two measures, a row a draw of prompts; percentiles of the defined ones.

    At most 5% of the draws may have no rho: they are left out, with their number in the method's name. Undefined with
    a reason for more, for fewer than four variants, and without spread.
    """
    import numpy as np

    resamples, n = x.centred.shape
    if n < FEWEST:
        return Measured(Interval(None, None, f"only {n} of at least {FEWEST} variants"))
    rho = x.rho(y)
    defined = rho[~np.isnan(rho)]
    n_undefined = resamples - len(defined)
    if n_undefined > MOST_UNDEFINED * resamples:
        why = f"{n_undefined:,} of {resamples:,} draws of prompts have no rho: a column is constant or a value missing"
        return Measured(Interval(None, None, why), resamples, n_undefined)
    tail = (1 - CONFIDENCE) / 2
    low, high = (float(bound) for bound in np.quantile(defined, [tail, 1 - tail]))
    if low == high:
        return Measured(Interval(None, None, "every draw of prompts gives the same rho"), resamples, n_undefined)
    lost = f", {n_undefined:,} of {resamples:,} draws without rho left out" if n_undefined else ""
    return Measured(Interval(low, high, METHOD + lost), resamples, n_undefined)
