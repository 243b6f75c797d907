"""The values that are paired: of a prompt, of a template under one condition, or of a single reply. Pure.

Rows are the variants of the study, columns the units; nan stands where a variant has no value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from emaudit.scores.maxima import PromptScore, categories_of
from emaudit.scores.measures import PARTS, template_key
from emaudit.scores.profiles import ALL, stratum
from emaudit.scores.resampling import HARM, Named
from emaudit.scores.rows import Source
from emaudit.scores.study import Study
from emaudit.scores.summary import Summary

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]

PROMPT: Final = "prompt"
TEMPLATE: Final = "template x condition"
REPLY: Final = "reply"

Key: TypeAlias = tuple[str | int, ...]
Words: TypeAlias = tuple[str, ...]
Place: TypeAlias = tuple[str, str, str, str, int]
"""Part, format, item, condition and sample of a reply."""
Samples: TypeAlias = Callable[[Source], Mapping[Place, float]]
"""The replies of a plan that count, each with its value on the scale of responses.csv."""


@dataclass(frozen=True)
class Matrix:
    """Values of every variant of a study: variants x units.

    `by_part` holds them part by part (parts x variants x units) where a unit's value is the mean over parts.
    """

    keys: tuple[Key, ...]
    values: Array
    by_part: Array | None = None

    def gaps(self, a: Sequence[int], b: Sequence[int]) -> Array:
        """b - a of two groups of rows, each averaged first; nan where they have nothing in common.

        Over several parts the difference is taken in each, then averaged over those that every row has: what one
        row lacks counts for neither side.
        """
        if self.by_part is None:
            return _middle(self.values, b) - _middle(self.values, a)
        import numpy as np

        found = np.stack([_middle(values, b) - _middle(values, a) for values in self.by_part])
        return _over_first(found)


class Units(Protocol):
    """Where paired values come from."""

    def name(self, named: Named) -> str:
        """What the unit is: `prompt`, `template x condition` or `reply`."""

    def matrix(self, named: Named) -> Matrix | None:
        """The values of a measure; None where it has none of this unit."""

    def prompt(self, named: Named, key: Key) -> str:
        """The prompt (template) of a unit: what is resampled as a whole."""


class Prompts:
    """Repeats averaged first: a prompt's maximum or mean, the mean of a template under one condition.

    A template that several parts share (a stem, a question) is one unit of their total: the mean over the parts,
    and in a difference over those parts that both sides have.
    """

    def __init__(self, study: Study) -> None:
        self._study = study
        self._names = [subject.name for subject in study.subjects]
        self._cells: dict[tuple[str, str, str, str], Matrix] = {}
        self._harm: dict[str, Matrix] = {}

    def name(self, named: Named) -> str:
        """`prompt`, or `template x condition`."""
        return PROMPT if named.assessment == HARM else TEMPLATE

    def prompt(self, named: Named, key: Key) -> str:
        """The item, or the template within its stratum."""
        return str(key[0]) if named.assessment == HARM else f"{key[0]};{key[1]}"

    def matrix(self, named: Named) -> Matrix | None:
        """The values of a measure of one part in one format."""
        if named.assessment == HARM:
            return _columns(self._prompts(named.measure), named.part)
        parts = PARTS[named.assessment] if named.part == "total" else (named.part,)
        return _beside([_over_parts([self._cell(named, part, form) for part in parts]) for form in named.formats])

    def _prompts(self, measure: str) -> Matrix:
        if measure not in self._harm:
            self._harm[measure] = _filled([_of_prompts(summary, measure) for summary in self._summaries(HARM)])
        return self._harm[measure]

    def _cell(self, named: Named, part: str, form: str) -> Matrix:
        key = (named.assessment, named.measure, part, form)
        if key not in self._cells:
            name = stratum(named.assessment, part, form)
            summaries = self._summaries(named.assessment)
            self._cells[key] = _filled([_of_templates(s, (named.measure, part, form), name) for s in summaries])
        return self._cells[key]

    def _summaries(self, assessment: str) -> list[Summary | None]:
        return [self._study.summary(name, assessment) for name in self._names]


_HARM_READ: Final[Mapping[str, Callable[[PromptScore], float | None]]] = {
    "max10": lambda prompt: prompt.unit_maximum,
    "mean": lambda prompt: math.fsum(prompt.scores) / len(prompt.scores) if prompt.scores else None,
}


def _of_prompts(summary: Summary | None, measure: str) -> dict[Words, float]:
    """(item, category) -> value."""
    read = _HARM_READ[measure]
    prompts = summary.prompts if summary else {}
    return {(item, p.part): value for item, p in prompts.items() if (value := read(p)) is not None}


def _of_templates(summary: Summary | None, key: tuple[str, str, str], name: str) -> dict[Words, float]:
    """(stratum, template, condition) -> mean."""
    templates = summary.templates.get(key, {}) if summary else {}
    return {
        (name, template, condition): mean.value
        for template, conditions in templates.items()
        for condition, mean in conditions.items()
    }


class Replies:
    """Single replies, paired by prompt, condition and sample: on demand, since repeats have no natural partner."""

    def __init__(self, study: Study, samples: Samples) -> None:
        self._study = study
        self._samples = samples
        self._held: dict[str, Matrix] = {}

    def name(self, named: Named) -> str:
        """`reply`."""
        return REPLY

    def prompt(self, named: Named, key: Key) -> str:
        """The item, or the template within its stratum."""
        part, form, item, condition = (str(word) for word in key[:4])
        if named.assessment == HARM:
            return item
        return f"{stratum(named.assessment, part, form)};{template_key(item, part, form, condition)}"

    def matrix(self, named: Named) -> Matrix | None:
        """The replies of one part in one format; a maximum is of no single reply."""
        if named.measure not in _REPLY_READ:
            return None
        if named.assessment not in self._held:
            summaries = [self._study.summary(s.name, named.assessment) for s in self._study.subjects]
            self._held[named.assessment] = _filled([self._samples(s.source) if s else {} for s in summaries])
        held = self._held[named.assessment]
        factor, offset = _REPLY_READ[named.measure]
        kept = [place for place, (part, form, *_) in enumerate(held.keys) if _belongs(named, str(part), str(form))]
        return Matrix(tuple(held.keys[place] for place in kept), factor * held.values[:, kept] + offset)


_REPLY_READ: Final = {
    "mean": (1.0, 0.0),
    "misaligned": (1.0, 0.0),
    "norm": (-0.25, 0.75),
    "second_pole": (1.0, -0.5),
}
"""Factor and offset from a reply's value in responses.csv to the measure's scale."""


def _belongs(named: Named, part: str, form: str) -> bool:
    if named.form not in ("", ALL, form):
        return False
    return named.part in ("total", part) or (named.assessment == HARM and part in categories_of(named.part))


def _filled(rows: Sequence[Mapping[Words, float] | Mapping[Place, float]]) -> Matrix:
    import numpy as np

    keys: list[Key] = sorted({key for row in rows for key in row})
    places = {key: place for place, key in enumerate(keys)}
    values = np.full((len(rows), len(keys)), np.nan)
    for at, row in enumerate(rows):
        if row:
            values[at, [places[key] for key in row]] = list(row.values())
    return Matrix(tuple(keys), values)


def _columns(matrix: Matrix, part: str) -> Matrix:
    """The prompts of a category or a group."""
    if part == "total":
        return matrix
    wanted = categories_of(part)
    kept = [place for place, (_, category) in enumerate(matrix.keys) if category in wanted]
    return Matrix(tuple(matrix.keys[place] for place in kept), matrix.values[:, kept])


def _over_parts(matrices: Sequence[Matrix]) -> Matrix:
    """One matrix of the parts' units; each value the mean over the parts that have it."""
    if len(matrices) == 1:
        return matrices[0]
    import numpy as np

    keys = sorted({key for matrix in matrices for key in matrix.keys})
    places = {key: place for place, key in enumerate(keys)}
    by_part = np.full((len(matrices), len(matrices[0].values), len(keys)), np.nan)
    for layer, matrix in zip(by_part, matrices, strict=True):
        layer[:, [places[key] for key in matrix.keys]] = matrix.values
    return Matrix(tuple(keys), _over_first(by_part), by_part)


def _middle(values: Array, rows: Sequence[int]) -> Array:
    """The mean of some rows; nan where one has no value."""
    found: Array = values[list(rows)].mean(axis=0)
    return found


def _over_first(values: Array) -> Array:
    """The mean over the first axis of what is there; nan where nothing is."""
    import numpy as np

    there = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        found: Array = np.where(there, values, 0.0).sum(axis=0) / there.sum(axis=0)
    return found


def _beside(matrices: Iterable[Matrix]) -> Matrix:
    import numpy as np

    found = list(matrices)
    keys = tuple(key for matrix in found for key in matrix.keys)
    layers = [matrix.by_part for matrix in found if matrix.by_part is not None]
    by_part = np.concatenate(layers, axis=2) if layers else None
    return Matrix(keys, np.hstack([matrix.values for matrix in found]), by_part)
