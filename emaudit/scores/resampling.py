"""Values of a measure on resampled or left-out prompts, the same prompts for every variant of a study. Pure.

A weighting says how often each prompt (stem, question, statement) counts: a bootstrap resample, or all but one. Rows
of equal number are equal draws for every variant, measure and dimension that share the prompts; replies within a
prompt are never resampled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias
from zlib import crc32

from emaudit.scores.maxima import PromptScore, categories_of
from emaudit.scores.measures import HEADLINE, MEASURES, PARTS
from emaudit.scores.profiles import ALL, stratum
from emaudit.scores.study import Study
from emaudit.scores.summary import Templates

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]

HARM: Final = "harmfulness"


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
        form = self.form if self.form not in ("", ALL) else ""
        part = self.part if self.part != "total" else ""
        return ".".join(word for word in (self.assessment, form, part) if word)

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats its value is the mean of; one, perhaps empty, where it is of one."""
        if self.form != ALL:
            return (self.form,)
        return next(measure.formats for measure in MEASURES[self.assessment] if measure.name == self.measure)


def headline(assessment: str, part: str = "total", form: str = ALL) -> Named:
    """The headline measure of an assessment; `form` is left out where the assessment has no formats."""
    measure = HEADLINE[assessment]
    known = next((found for found in MEASURES.get(assessment, ()) if found.name == measure), None)
    return Named(assessment, measure, part, form if known and known.across_formats else "")


CellKey = tuple[str, str]
"""(part, format); harmfulness has one cell, ("", "")."""


@dataclass(frozen=True)
class _Cell:
    """One part in one format: totals and counts per variant and template, and the templates' places in a stratum."""

    part: str
    stratum: str
    totals: Array
    counts: Array

    def weighted(self, weights: Array) -> Array:
        """The cell's mean under each weighting: variants x weightings, nan where no template counts."""
        import numpy as np

        alike = len(self.counts) > 0 and bool((self.counts == self.counts[0]).all())
        counted = (self.counts[0] if alike else self.counts) @ weights.T
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(counted > 0, (self.totals @ weights.T) / counted, np.nan)


class Prompts:
    """The prompts of a study, and weightings of them. Arrays are variants x weightings; nan where undefined."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self._strata: dict[tuple[str, str], tuple[str, ...]] = {}
        self._draws: dict[tuple[str, str, int], Array] = {}
        self._held: dict[tuple[str, str, str, str, tuple[str, ...]], _Cell] = {}

    def resampled(self, named: Named, variants: Sequence[str], resamples: int = 2_000) -> Array:
        """The measure of each variant on each bootstrap resample of prompts.

        Seeded by the study: row number b is one draw of prompts for whatever measure and variant.
        """
        cells = self._cells(named, variants)
        weights = {name: self._drawn(named.assessment, name, resamples) for name in {c.stratum for c in cells}}
        return _combined(cells, lambda cell: cell.weighted(weights[cell.stratum]), (len(variants), resamples))

    def contributions(self, named: Named, variants: Sequence[str]) -> dict[str, Array]:
        """What each prompt adds to the error of each variant's value, by stratum: variants x prompts, nan for none.

        Linearised (Wolter 2007, Introduction to Variance Estimation, section 6.4): a prompt's deviation from its
        cell's mean, by the cell's weight in the mean over parts and formats.
        """
        import numpy as np

        cells = self._cells(named, variants)
        held = {id(cell): cell.counts.sum(axis=1) for cell in cells}
        forms: dict[str, Array] = {}
        for cell in cells:
            forms[cell.part] = forms.get(cell.part, 0.0) + (held[id(cell)] > 0)
        n_parts = sum((n > 0 for n in forms.values()), np.zeros(len(variants)))
        found: dict[str, Array] = {}
        for cell in cells:
            n = np.maximum(held[id(cell)], 1)
            weight = 1 / np.maximum(n * forms[cell.part] * n_parts, 1)
            mean = cell.totals.sum(axis=1) / n
            added = weight[:, None] * (cell.totals - mean[:, None] * cell.counts)
            added[cell.counts == 0] = np.nan
            before = found.get(cell.stratum)
            found[cell.stratum] = added if before is None else _added(before, added)
        return found

    def without_each(self, named: Named, variants: Sequence[str]) -> dict[str, Array]:
        """The measure of each variant without one prompt, for each prompt (template): name -> a value per variant."""
        import numpy as np

        cells = self._cells(named, variants)
        found: dict[str, Array] = {}
        names = sorted({cell.stratum for cell in cells})
        for name in names:
            templates = self._templates(named.assessment, name)
            all_but_one = np.ones((len(templates), len(templates))) - np.eye(len(templates))
            values = _combined(cells, _one_stratum(name, all_but_one), (len(variants), len(templates)))
            for place, template in enumerate(templates):
                found[template if template not in found else f"{name}:{template}"] = values[:, place]
        return found

    def without_category(self, named: Named, variants: Sequence[str]) -> dict[str, Array]:
        """The same without one category (harmfulness), dimension or foundation; empty for parts that are none."""
        if named.part != "total":
            return {}
        if named.assessment == HARM:
            left_out = {part: self._harm_without(named, variants, part) for part in self._categories(variants)}
        else:
            cells = self._cells(named, variants)
            left_out = {
                part: [cell for cell in cells if cell.part != part] for part in sorted({cell.part for cell in cells})
            }
        if len(left_out) < 2:
            return {}
        return {part: _plain(cells, len(variants)) for part, cells in left_out.items()}

    def _drawn(self, assessment: str, name: str, resamples: int) -> Array:
        from emaudit.stats.estimation import resample_counts

        key = (assessment, name, resamples)
        if key not in self._draws:
            seed = self.study.seed ^ crc32(f"{assessment}/{name}".encode())
            self._draws[key] = resample_counts(len(self._templates(assessment, name)), seed, resamples)
        return self._draws[key]

    def _templates(self, assessment: str, name: str) -> tuple[str, ...]:
        """The templates of a stratum, over all variants of the study, sorted."""
        key = (assessment, name)
        if key not in self._strata:
            found: set[str] = set()
            for (_, asked), summary in self.study.summaries.items():
                if asked != assessment:
                    continue
                if assessment == HARM:
                    found.update(_in_part(summary.prompts, name))
                else:
                    for (_, part, form), templates in summary.templates.items():
                        if stratum(assessment, part, form) == name:
                            found.update(templates)
            self._strata[key] = tuple(sorted(found))
        return self._strata[key]

    def _cells(self, named: Named, variants: Sequence[str]) -> list[_Cell]:
        if named.assessment == HARM:
            return [self._harm(named, variants, named.part)]
        parts = PARTS[named.assessment] if named.part == "total" else (named.part,)
        return [self._cell(named, variants, part, form) for part in parts for form in named.formats]

    def _cell(self, named: Named, variants: Sequence[str], part: str, form: str) -> _Cell:
        key = (named.assessment, named.measure, part, form, tuple(variants))
        if key not in self._held:
            self._held[key] = self._read(named, variants, part, form)
        return self._held[key]

    def _read(self, named: Named, variants: Sequence[str], part: str, form: str) -> _Cell:
        name = stratum(named.assessment, part, form)

        def read(variant: str) -> Iterator[tuple[str, float, int]]:
            summary = self.study.summary(variant, named.assessment)
            templates: Templates = summary.templates.get((named.measure, part, form), {}) if summary else {}
            for template, conditions in templates.items():
                yield template, sum(mean.value for mean in conditions.values()) / len(conditions), 1

        return self._filled(named.assessment, part, name, variants, read)

    def _harm(self, named: Named, variants: Sequence[str], name: str, without: str | None = None) -> _Cell:
        def read(variant: str) -> Iterator[tuple[str, float, int]]:
            summary = self.study.summary(variant, HARM)
            for item, prompt in _in_part(summary.prompts if summary else {}, name).items():
                if prompt.part != without:
                    total, n = _HARM_READ[named.measure](prompt)
                    yield item, total, n

        return self._filled(HARM, "", name, variants, read)

    def _harm_without(self, named: Named, variants: Sequence[str], category: str) -> list[_Cell]:
        return [self._harm(named, variants, named.part, category)]

    def _categories(self, variants: Sequence[str]) -> list[str]:
        summaries = [self.study.summary(variant, HARM) for variant in variants]
        return sorted({prompt.part for summary in summaries if summary for prompt in summary.prompts.values()})

    def _filled(
        self,
        assessment: str,
        part: str,
        name: str,
        variants: Sequence[str],
        read: Callable[[str], Iterator[tuple[str, float, int]]],
    ) -> _Cell:
        import numpy as np

        places = {template: place for place, template in enumerate(self._templates(assessment, name))}
        totals = np.zeros((len(variants), len(places)))
        counts = np.zeros((len(variants), len(places)))
        for row, variant in enumerate(variants):
            for template, total, n in read(variant):
                totals[row, places[template]] = total
                counts[row, places[template]] = n
        return _Cell(part, name, totals, counts)


def _added(first: Array, second: Array) -> Array:
    """The sum of what is there; nan where neither is."""
    import numpy as np

    total: Array = np.where(np.isnan(first), second, first + np.nan_to_num(second))
    return total


def _in_part(prompts: Mapping[str, PromptScore], part: str) -> Mapping[str, PromptScore]:
    if part == "total":
        return prompts
    categories = categories_of(part)
    return {item: prompt for item, prompt in prompts.items() if prompt.part in categories}


def _once(value: float | None) -> tuple[float, int]:
    return (0.0, 0) if value is None else (value, 1)


_HARM_READ: Final[Mapping[str, Callable[[PromptScore], tuple[float, int]]]] = {
    "max10": lambda prompt: _once(prompt.unit_maximum),
    "max10_raw": lambda prompt: _once(prompt.maximum),
    "share_max_ge4": lambda prompt: _once(prompt.any_ge4),
    "mean": lambda prompt: (sum(prompt.scores), len(prompt.scores)),
}
"""What a prompt adds to a measure, and what it counts: once, or for the mean each of its replies."""


def _one_stratum(name: str, weights: Array) -> Callable[[_Cell], Array]:
    """The cells of one stratum under weightings, the others as they are."""
    import numpy as np

    def read(cell: _Cell) -> Array:
        if cell.stratum == name:
            return cell.weighted(weights)
        return np.repeat(cell.weighted(np.ones((1, cell.totals.shape[1]))), len(weights), axis=1)

    return read


def _plain(cells: Sequence[_Cell], n_variants: int) -> Array:
    """Each variant's value with every prompt once."""
    import numpy as np

    def read(cell: _Cell) -> Array:
        return cell.weighted(np.ones((1, cell.totals.shape[1])))

    return _combined(cells, read, (n_variants, 1))[:, 0]


def _combined(cells: Sequence[_Cell], read: Callable[[_Cell], Array], shape: tuple[int, int]) -> Array:
    """The mean over parts of the mean over formats, without cells that have no value."""

    parts: dict[str, list[Array]] = {}
    for cell in cells:
        parts.setdefault(cell.part, []).append(read(cell))
    return _mean([_mean(values, shape) for values in parts.values()], shape)


def _mean(values: Sequence[Array], shape: tuple[int, int]) -> Array:
    import numpy as np

    if len(values) == 1:
        return values[0]
    total, counted = np.zeros(shape), np.zeros(shape)
    for value in values:
        there = ~np.isnan(value)
        total += np.where(there, value, 0.0)
        counted += there
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(counted > 0, total / counted, np.nan)
