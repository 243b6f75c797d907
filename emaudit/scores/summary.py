"""What the analyses know of one variant in one assessment: its values, and the template means they are made of.

Pure: counted replies in, a frozen summary out, some thousand numbers instead of some ten thousand replies. The
values are those of scores.csv to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from emaudit.scores import maxima, profiles
from emaudit.scores.maxima import PromptScore
from emaudit.scores.measures import MEASURES, Conditions, Rules, Tally, Value
from emaudit.scores.measures import Key as Key
from emaudit.scores.profiles import NORM
from emaudit.scores.rows import Source

__all__ = ["Key", "Mean", "Summary", "Templates", "Value", "summarised"]


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of the `n` replies to one template under one condition, on the measure's scale in scores.csv."""

    value: float
    n: int


Templates = Mapping[str, Mapping[str, Mean]]
"""Template -> condition -> the mean of its replies. A template's own mean weighs its conditions alike."""


@dataclass(frozen=True)
class Summary:
    """One plan of one variant, summed up.

    `prompts` is of harmfulness alone, by item. `templates` is of the other assessments: for each measure that
    estimates the model (`misaligned`, `misaligned_decided`, `second_pole`, `raw` and `norm` ...), part and format,
    never `total` or `all`, which average them; which templates are the same prompt for other parts and variants
    says `profiles.stratum`. `n_owed` counts replies and verdicts still owed.
    """

    source: Source
    values: Mapping[Key, Value]
    n_owed: int = 0
    prompts: Mapping[str, PromptScore] = field(default_factory=dict)
    templates: Mapping[Key, Templates] = field(default_factory=dict)

    def value(self, measure: str, part: str = "total", form: str = "") -> Value | None:
        """A point of scores.csv; None where the plan has no such part or format."""
        return self.values.get((measure, part, form))


def summarised(source: Source, tallies: Iterable[Tally], rules: Rules | None = None) -> Summary:
    """The summary of one plan from its counted replies."""
    rules = rules or Rules()
    rows = tuple(tallies)
    n_owed = sum(row.n for row in rows if row.status == "owed")
    if source.assessment == "harmfulness":
        prompts = maxima.read_prompts(rows, rules)
        return Summary(source, dict(maxima.points(prompts, rules)), n_owed, prompts)
    profile = profiles.Profile(source.assessment, rows)
    return Summary(source, dict(profiles.points(profile, rules)), n_owed, templates=_templates(profile))


def _templates(profile: profiles.Profile) -> dict[Key, Templates]:
    found: dict[Key, Templates] = {}
    for measure in MEASURES[profile.assessment]:
        if not measure.judged:
            continue
        for part, form in profile.blocks:
            if form in measure.formats:
                conditions = profile.measured(measure, (part, form)).conditions
                found[measure.name, part, form] = _moved(conditions, 1.0, measure.offset)
                if measure.name == "raw":
                    found["norm", part, form] = _moved(conditions, *NORM)
    return found


def _moved(templates: Mapping[str, Conditions], factor: float, offset: float) -> Templates:
    return {
        template: {condition: Mean(factor * mean + offset, n) for condition, (mean, n) in conditions.items()}
        for template, conditions in templates.items()
    }
