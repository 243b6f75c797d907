"""What the analyses know of one variant in one assessment: its values, and the template means they are made of.

Pure: counted replies in, a frozen summary out, some thousand numbers instead of some ten thousand replies. The
values are those of scores.csv to the last digit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from emaudit.scores.maxima import PromptScore
from emaudit.scores.rows import Source

Key = tuple[str, str, str]
"""(measure, part, format) as scores.csv has them: parts with `total` and groups, formats with `all`."""


@dataclass(frozen=True, slots=True)
class Value:
    """A point of scores.csv; `n_used` and `n_expected` count replies, `value` is None where no reply has one."""

    value: float | None
    n_used: int
    n_expected: int
    complete: bool


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
    estimates the model (`misaligned`, `misaligned_decided`, `second_pole`, `raw` ...), part and format, never
    `total` or `all`, which average them. `strata` says which templates are resampled together: (part, format) ->
    the name of the stratum in which equal templates are the same prompt, for every part and every variant.
    """

    source: Source
    values: Mapping[Key, Value]
    prompts: Mapping[str, PromptScore] = field(default_factory=dict)
    templates: Mapping[Key, Templates] = field(default_factory=dict)
    strata: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def value(self, measure: str, part: str = "total", form: str = "") -> Value | None:
        """A point of scores.csv; None where the plan has no such part or format."""
        return self.values.get((measure, part, form))

    @property
    def n_owed(self) -> int:
        """Replies planned and not yet scored, refused or given up: owed replies and verdicts."""
        raise NotImplementedError
