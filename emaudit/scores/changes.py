"""How a measure changes from one variant of a study to another, with everything an interval needs. Pure.

Values are those of scores.csv; resamples and contributions are of the prompts that both variants share by name.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from emaudit.scores.maxima import categories_of
from emaudit.scores.measures import PARTS
from emaudit.scores.profiles import stratum
from emaudit.scores.resampling import HARM, Named, Prompts
from emaudit.scores.study import Study, Subject
from emaudit.scores.summary import Summary
from emaudit.stats.trajectory import Change, Level

if TYPE_CHECKING:
    from emaudit.scores.resampling import Array

_AROUND_ZERO: Final = frozenset({"norm", "second_pole"})

Prompt = tuple[str, str]
"""(stratum, template)."""


class Changes:
    """The changes of a study's measures; what is resampled is resampled once for all variants."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self._prompts = Prompts(study)
        self._names = [subject.name for subject in study.subjects]
        self._rows = {name: row for row, name in enumerate(self._names)}
        self._drawn: dict[Named, Array] = {}

    def value(self, named: Named, subject: Subject | None) -> float | None:
        """A variant's value as in scores.csv, complete or not."""
        summary = self.study.summary(subject.name, named.assessment) if subject else None
        found = summary.value(named.measure, named.part, named.form) if summary else None
        return found.value if found else None

    def missing(self, named: Named, subjects: Sequence[Subject]) -> str:
        """Why these variants cannot be compared on a measure; empty where they can."""
        held: list[Summary] = []
        for subject in subjects:
            summary = self.study.summary(subject.name, named.assessment)
            if summary is None:
                return f"{subject.name} was never asked {named.assessment}"
            found = summary.value(named.measure, named.part, named.form)
            if found is None or found.value is None:
                return f"{subject.name} has no value"
            if not found.complete:
                return f"{subject.name} is incomplete: {found.n_used:,} of {found.n_expected:,} replies"
            held.append(summary)
        return _mixed(held)

    def steps(self, named: Named, first: Subject, others: Sequence[Subject]) -> list[Change]:
        """The changes from one variant to each of some others, over the same prompts in the same order.

        Raises ValueError where `missing` would say why there are none.
        """
        subjects = [first, *others]
        why = self.missing(named, subjects)
        if why:
            raise ValueError(why)
        errors = [self._contributions(named, subject) for subject in subjects]
        prompts = sorted(set().union(*errors))
        levels = [Level(self.value(named, s) or 0.0, len(e)) for s, e in zip(subjects, errors, strict=True)]
        draws = self._draws(named)
        at_first = draws[self._rows[first.name]]
        return [
            Change(
                levels[0],
                levels[place],
                draws[self._rows[subject.name]] - at_first,
                _differences(prompts, errors[0], errors[place]),
                (-0.5, 0.5) if named.measure in _AROUND_ZERO else (0.0, 1.0),
            )
            for place, subject in enumerate(others, 1)
        ]

    def _draws(self, named: Named) -> Array:
        if named not in self._drawn:
            self._drawn[named] = self._prompts.resampled(named, self._names, self.study.rules.resamples)
        return self._drawn[named]

    def _contributions(self, named: Named, subject: Subject) -> dict[Prompt, float]:
        """What each prompt adds to the error of a variant's value, by stratum and template."""
        summary = self.study.summary(subject.name, named.assessment)
        if summary is None:
            return {}
        found: dict[Prompt, float] = {}
        for weight, name, means in _cells(summary, named):
            centre = math.fsum(means.values()) / len(means)
            for template, mean in means.items():
                key = (name, template)
                found[key] = found.get(key, 0.0) + weight * (mean - centre) / len(means)
        return found


def _mixed(summaries: Sequence[Summary]) -> str:
    judges = sorted({summary.source.judge for summary in summaries} - {""})
    if len(judges) > 1:
        return f"judged by different judges: {', '.join(judges)}"
    instruments = sorted({summary.source.instrument for summary in summaries})
    return f"asked with different instruments: {', '.join(instruments)}" if len(instruments) > 1 else ""


def _cells(summary: Summary, named: Named) -> Iterator[tuple[float, str, Mapping[str, float]]]:
    """Weight, stratum and template means of every cell that a value is the mean of."""
    if named.assessment == HARM:
        yield 1.0, named.part, _maxima(summary, named.part)
        return
    parts = PARTS[named.assessment] if named.part == "total" else (named.part,)
    tree = [cells for part in parts if (cells := _formats(summary, named, part))]
    for cells in tree:
        for name, means in cells:
            yield 1 / (len(tree) * len(cells)), name, means


def _maxima(summary: Summary, part: str) -> dict[str, float]:
    return {
        item: value
        for item, prompt in summary.prompts.items()
        if (value := prompt.unit_maximum) is not None and (part == "total" or prompt.part in categories_of(part))
    }


def _formats(summary: Summary, named: Named, part: str) -> list[tuple[str, Mapping[str, float]]]:
    found: list[tuple[str, Mapping[str, float]]] = []
    for form in named.formats:
        held = summary.templates.get((named.measure, part, form))
        if held:
            means = {
                template: math.fsum(mean.value for mean in conditions.values()) / len(conditions)
                for template, conditions in held.items()
            }
            found.append((stratum(named.assessment, part, form), means))
    return found


def _differences(
    prompts: Sequence[Prompt], earlier: Mapping[Prompt, float], later: Mapping[Prompt, float]
) -> tuple[tuple[float, ...], ...]:
    """later - earlier of every prompt, by stratum; a prompt that one of them lacks adds nothing to it."""
    strata: dict[str, list[float]] = {}
    for prompt in prompts:
        strata.setdefault(prompt[0], []).append(later.get(prompt, 0.0) - earlier.get(prompt, 0.0))
    return tuple(tuple(strata[name]) for name in sorted(strata))
