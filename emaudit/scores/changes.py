"""How a measure changes from one variant of a study to another, with everything an interval needs. Pure.

Values are those of scores.csv; resamples and contributions are of the prompts that both variants share by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from emaudit.scores.resampling import Named, Prompts
from emaudit.scores.study import Study, Subject
from emaudit.scores.summary import Summary
from emaudit.stats.trajectory import Change, Level

if TYPE_CHECKING:
    from emaudit.scores.resampling import Array

_AROUND_ZERO: Final = frozenset({"norm", "second_pole"})


class Changes:
    """The changes of a study's measures; what is resampled is resampled once for all variants."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self._prompts = Prompts(study)
        self._names = [subject.name for subject in study.subjects]
        self._rows = {name: row for row, name in enumerate(self._names)}
        self._drawn: dict[Named, Array] = {}
        self._errors: dict[Named, Mapping[str, Array]] = {}

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
        import numpy as np

        places = [self._rows[subject.name] for subject in subjects]
        strata = [found[places] for found in self._contributions(named).values()]
        known = [~np.isnan(found) for found in strata]
        added = [np.nan_to_num(found[:, there.any(axis=0)]) for found, there in zip(strata, known, strict=True)]
        counts = sum((there.sum(axis=1) for there in known), np.zeros(len(subjects), dtype=int)).tolist()
        levels = [Level(self.value(named, s) or 0.0, n) for s, n in zip(subjects, counts, strict=True)]
        draws = self._draws(named)[places]
        return [
            Change(
                levels[0],
                levels[place],
                draws[place] - draws[0],
                tuple(tuple((found[place] - found[0]).tolist()) for found in added if found.size),
                (-0.5, 0.5) if named.measure in _AROUND_ZERO else (0.0, 1.0),
            )
            for place in range(1, len(subjects))
        ]

    def _draws(self, named: Named) -> Array:
        if named not in self._drawn:
            self._drawn[named] = self._prompts.resampled(named, self._names, self.study.rules.resamples)
        return self._drawn[named]

    def _contributions(self, named: Named) -> Mapping[str, Array]:
        if named not in self._errors:
            self._errors[named] = self._prompts.contributions(named, self._names)
        return self._errors[named]


def _mixed(summaries: Sequence[Summary]) -> str:
    judges = sorted({summary.source.judge for summary in summaries} - {""})
    if len(judges) > 1:
        return f"judged by different judges: {', '.join(judges)}"
    instruments = sorted({summary.source.instrument for summary in summaries})
    return f"asked with different instruments: {', '.join(instruments)}" if len(instruments) > 1 else ""
