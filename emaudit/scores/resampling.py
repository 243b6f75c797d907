"""Values of a measure on resampled or left-out prompts, the same prompts for every variant of a study. Pure.

A weighting says how often each prompt (stem, question, statement) counts: a bootstrap resample, or all but one. Rows
of equal number are equal draws for every variant, measure and dimension that share the prompts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emaudit.scores.study import Study

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Named:
    """A measure as correlations and trajectories name it: `assessment[.format][.part]`, and what it measures.

    `measure` is the name in scores.csv (`max10`, `misaligned`, `second_pole`, `norm` ...), `form` empty where the
    assessment has no formats, else `all` or one of them.
    """

    assessment: str
    measure: str
    part: str = "total"
    form: str = ""

    @property
    def name(self) -> str:
        """`harmfulness`, `intentions.harmless`, `self_assessment.likert.harmless`: totals and `all` are not named."""
        form = self.form if self.form not in ("", "all") else ""
        part = self.part if self.part != "total" else ""
        return ".".join(word for word in (self.assessment, form, part) if word)


class Prompts:
    """The prompts of a study by stratum, and weightings of them."""

    def __init__(self, study: Study) -> None:
        raise NotImplementedError

    def resampled(self, named: Named, variants: Sequence[str], resamples: int) -> Array:
        """The measure of each variant on each bootstrap resample of prompts: variants x resamples, nan where undefined.

        Seeded by the study; one row number is one draw, whatever the measure.
        """
        raise NotImplementedError

    def without_each(self, named: Named, variants: Sequence[str]) -> dict[str, Array]:
        """The measure of each variant without one prompt, for each prompt (template): name -> a value per variant."""
        raise NotImplementedError

    def without_category(self, named: Named, variants: Sequence[str]) -> dict[str, Array]:
        """The same without one category (harmfulness) or dimension or foundation, for parts that are totals."""
        raise NotImplementedError
