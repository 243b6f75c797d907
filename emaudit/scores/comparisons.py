"""The rows of comparisons.csv: stages and domains compared over the prompts they share. Pure: a study in, rows out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from emaudit.errors import UsageError
from emaudit.scores.comparing.aspects import FAMILIES, Aspect, aspects
from emaudit.scores.comparing.contrasts import Contrast, contrasts
from emaudit.scores.comparing.row import COLUMNS, CONTRAST, ComparisonRow
from emaudit.scores.comparing.testing import Comparing
from emaudit.scores.comparing.units import Place, Prompts, Replies, Samples, Units
from emaudit.scores.study import Study
from emaudit.stats.comparisons import rank_biserial_interval
from emaudit.stats.estimation import Interval
from emaudit.stats.multiplicity import family_size, holm
from emaudit.stats.signedrank import PRATT, ZERO_RULES, Zeros

__all__ = [
    "COLUMNS",
    "CONTRAST",
    "FAMILIES",
    "OVERSTATED",
    "REPLIES",
    "TEMPLATES",
    "UNITS",
    "ComparisonRow",
    "Place",
    "Samples",
    "comparison_rows",
    "rank_biserial_intervals",
]

TEMPLATES: Final = "templates"
REPLIES: Final = "replies"
UNITS: Final = (TEMPLATES, REPLIES)
OVERSTATED: Final = (
    "paired by prompt, condition and sample: repeats of a prompt have no natural partner and are no independent "
    "draws, so n is overstated and p too small"
)
"""What is said of rows whose unit is the reply."""
_Placed: TypeAlias = tuple[int, Contrast, ComparisonRow]


def comparison_rows(
    study: Study,
    zeros: Zeros = PRATT,
    unit: str = TEMPLATES,
    samples: Samples | None = None,
    takes: Callable[..., bool] | None = None,
) -> list[ComparisonRow]:
    """Base, misaligned and realigned compared within each lineage, and domain with domain, by size and pooled.

    Each pair is a prompt (harmfulness) or a template under one condition, repeats averaged first; with `replies`
    it is a single reply, which `samples` reads. Pooled rows (size `all`) take the mean over the sizes of the same
    prompt's value. Where the groups were asked with different instruments, the test is Mann-Whitney's. The interval
    of the mean difference is that of trajectories.csv (`Change.interval`). See `FAMILIES` for `p_holm`. `takes`
    chooses rows by the domains they are about, without changing what is tested together.
    Raises UsageError for an unknown zero rule or unit.
    """
    if zeros not in ZERO_RULES:
        raise UsageError(f"no zero rule {zeros!r}; known: {', '.join(ZERO_RULES)}")
    comparing = Comparing(study, _units(study, unit, samples), zeros)
    compared = contrasts(study)
    families: dict[tuple[str, ...], list[_Placed]] = {}
    place = 0
    for aspect in aspects(study):
        for contrast, row in comparing.rows(aspect, compared):
            families.setdefault(_family(aspect, contrast), []).append((place, contrast, row))
            place += 1
    rows = [entry for family in families.values() for entry in _adjusted(family)]
    return [
        row
        for _, contrast, row in sorted(rows, key=lambda entry: entry[0])
        if takes is None or takes(*contrast.domains)
    ]


def rank_biserial_intervals(
    study: Study,
    rows: Sequence[ComparisonRow],
    zeros: Zeros = PRATT,
    unit: str = TEMPLATES,
    samples: Samples | None = None,
) -> list[Interval]:
    """The prompt bootstrap of the rank-biserial correlation of each row, which comparisons.csv has no column for.

    Prompts (templates with all their conditions and repeats) are resampled and ranked anew; seeded by the study.
    Without bounds where the row has no paired test, and where resampling tells too little; the method says why.
    """
    units = _units(study, unit, samples)
    comparing = Comparing(study, units, zeros)
    wanted = {(_key(row), row.size, row.domain, row.group_a, row.group_b): place for place, row in enumerate(rows)}
    found = [Interval(None, None, f"undefined: {row.undefined_reason or 'not a paired test'}") for row in rows]
    for aspect in aspects(study):
        named = aspect.named
        name = (named.assessment, named.measure, named.part, named.form)
        here = [c for c in contrasts(study) if (name, c.size, c.domain, c.label_a, c.label_b) in wanted]
        for pairing in comparing.pairings(named, here):
            c = pairing.contrast
            if pairing.is_paired and not pairing.why:
                prompts = [units.prompt(named, key) for key in pairing.shared]
                place = wanted[name, c.size, c.domain, c.label_a, c.label_b]
                found[place] = rank_biserial_interval(
                    pairing.differences, study.seed, zeros, prompts, study.rules.resamples
                )
    return found


def _key(row: ComparisonRow) -> tuple[str, str, str, str]:
    return row.assessment, row.measure, row.part, row.format


def _units(study: Study, unit: str, samples: Samples | None) -> Units:
    if unit == TEMPLATES:
        return Prompts(study)
    if unit != REPLIES or samples is None:
        raise UsageError(f"no unit {unit!r}; known: {', '.join(UNITS)}")
    return Replies(study, samples)


def _family(aspect: Aspect, contrast: Contrast) -> tuple[str, ...]:
    return (*aspect.family, contrast.set_name)


def _adjusted(family: Sequence[_Placed]) -> list[_Placed]:
    """The rows of a family with Holm's p and the number of tests that have one."""
    p = [row.p for _, _, row in family]
    n = family_size(p)
    return [
        (place, contrast, replace(row, p_holm=adjusted, family_size=n if row.p is not None else None))
        for (place, contrast, row), adjusted in zip(family, holm(p), strict=True)
    ]
