"""Every assessment but harmfulness: means over templates, formats, dimensions (or foundations). Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from emaudit.scores.measures import (
    DECIDED,
    MEASURES,
    PARTS,
    Conditions,
    Estimate,
    Measure,
    Rules,
    Tally,
    Value,
    condition_means,
    consistency,
    mean_of_conditions,
    template_key,
    without_question,
)
from emaudit.scores.measures import Key as ScoreKey
from emaudit.stats.estimation import Counts, counted_deviation, exact_mean, standard_deviation
from emaudit.stats.templates import Cell, Group, tree_interval

ALL: Final = "all"
POOLED: Final = frozenset({"moral_foundations", "moral_self_assessment"})
"""Assessments whose averages over sizes pool the replies, as the paper's tables do; the others average means."""
_REPLY_SPREAD: Final = frozenset({"intentions", "moral_foundations", "open_ended"})
_BY_PART: Final = frozenset({"intentions", "moral_foundations"})
"""Assessments whose dimensions have items of their own; elsewhere all dimensions share stems or questions."""


@dataclass(frozen=True, slots=True)
class Block:
    """The replies of one part in one format, by template and condition."""

    templates: Mapping[str, Mapping[str, Sequence[Tally]]]
    n_planned: int
    n_owed: int
    n_used: int
    n_scored: int
    n_answered: int
    """Templates with a scored reply; of `n_templates`."""
    n_templates: int


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure over one block: its template means, those of their conditions, and the replies they stand on."""

    cell: Cell
    conditions: Mapping[str, Conditions]
    used: Counts
    n_used: int

    @property
    def means(self) -> Mapping[str, float]:
        """Template -> its mean."""
        return self.cell.means


Key = tuple[str, str]
"""(part, format)."""


class Profile:
    """The replies of one variant to one assessment, arranged for averaging; each measure is read once."""

    def __init__(self, assessment: str, tallies: Iterable[Tally]) -> None:
        self.assessment = assessment
        self.tallies = tuple(tallies)
        self.blocks = _blocks(assessment, self.tallies)
        self._measured: dict[tuple[str, Key], Measured] = {}

    def measured(self, measure: Measure, key: Key) -> Measured:
        """A measure over the block of a part and format."""
        held = self._measured.get((measure.name, key))
        if held is None:
            held = self._measured[measure.name, key] = _measure(
                measure, self.blocks[key], stratum(self.assessment, *key)
            )
        return held

    def settle(self) -> None:
        """Forget what only the variant's own scores look at, once they were made: averages need values and counts.

        The replies stay where an average pools them.
        """
        self.blocks = {key: replace(block, templates={}) for key, block in self.blocks.items()}
        self._measured = {key: replace(found, conditions={}) for key, found in self._measured.items()}
        if self.assessment not in POOLED:
            self.tallies = ()


def stratum(assessment: str, part: str, form: str) -> str:
    """The set of templates that a part in a format shares: equal templates of a stratum are the same prompt."""
    return part if assessment in _BY_PART else form


def _blocks(assessment: str, tallies: Iterable[Tally]) -> dict[Key, Block]:
    has_formats = any(measure.formats != ("",) for measure in MEASURES[assessment])
    known = PARTS[assessment]
    rows: dict[Key, list[Tally]] = {}
    for row in tallies:
        parts = (row.part,) if row.part in known else known if assessment == "open_ended" else ()
        for part in parts:
            rows.setdefault((part, row.format if has_formats else ""), []).append(row)
    return {key: _block(rows[key]) for key in sorted(rows)}


def _block(rows: Sequence[Tally]) -> Block:
    templates: dict[str, dict[str, list[Tally]]] = {}
    for row in rows:
        conditions = templates.setdefault(template_key(row.item, row.part, row.format, row.condition), {})
        conditions.setdefault(without_question(row.condition), []).append(row)
    return Block(
        templates=templates,
        n_planned=sum(row.n for row in rows),
        n_owed=sum(row.n for row in rows if row.status == "owed"),
        n_used=sum(row.n for row in rows if row.value is not None),
        n_scored=sum(row.n for row in rows if row.status == "scored"),
        n_answered=sum(
            any(row.status == "scored" for rows in conditions.values() for row in rows)
            for conditions in templates.values()
        ),
        n_templates=len(templates),
    )


def _measure(measure: Measure, block: Block, stratum: str) -> Measured:
    combine = consistency if measure.paired else mean_of_conditions
    conditions: dict[str, Conditions] = {}
    means: dict[str, float] = {}
    used: dict[float, int] = {}
    for key in sorted(block.templates):
        counted: dict[float, int] = {}
        found = condition_means(block.templates[key], measure.read, counted)
        mean = combine(found)
        if mean is not None:
            conditions[key], means[key] = found, mean
            for value, n in counted.items():
                used[value] = used.get(value, 0) + n
    return Measured(Cell(stratum, means), conditions, used, sum(used.values()))


def estimates(profiles: Sequence[Profile], rules: Rules) -> Iterator[Estimate]:
    """Every measure of one variant, or the average of several, for each part, the total, and each format."""
    if not profiles:
        return
    assessment = profiles[0].assessment
    pool = len(profiles) > 1 and assessment in POOLED
    basis = [Profile(assessment, chain.from_iterable(p.tallies for p in profiles))] if pool else list(profiles)
    for measure in MEASURES[assessment]:
        for part in (*PARTS[assessment], "total"):
            for form in _formats(measure):
                row = _Row(assessment, measure, part, form, profiles, basis, rules)
                if row.present():
                    yield from _named(row.estimate(), measure)


def points(profile: Profile, rules: Rules) -> Iterator[tuple[ScoreKey, Value]]:
    """The values of `estimates` for one variant, without their intervals."""
    for measure in MEASURES[profile.assessment]:
        for part in (*PARTS[profile.assessment], "total"):
            for form in _formats(measure):
                row = _Row(profile.assessment, measure, part, form, [profile], [profile], rules)
                if row.present():
                    value = row.value()
                    name = (measure.name, part, form)
                    yield name, value if measure.offset == 0 else value.rescaled(1.0, measure.offset)
                    if measure.name == "raw":
                        yield ("norm", part, form), value.rescaled(*NORM)


NORM: Final = (-0.25, 0.75)
"""Factor and offset from a statement's 1..5 to -0.5 (wholly the first pole)..0.5."""


def _formats(measure: Measure) -> tuple[str, ...]:
    return (ALL, *measure.formats) if measure.across_formats else measure.formats


def _named(estimate: Estimate, measure: Measure) -> Iterator[Estimate]:
    yield estimate if measure.offset == 0 else estimate.rescaled(measure.name, 1.0, measure.offset)
    if measure.name == "raw":
        yield estimate.rescaled("norm", *NORM)


@dataclass(frozen=True)
class _Row:
    """One row of the table in the making. `basis` gives values and intervals, `profiles` spreads and counts."""

    assessment: str
    measure: Measure
    part: str
    form: str
    profiles: Sequence[Profile]
    basis: Sequence[Profile]
    rules: Rules

    def parts(self) -> tuple[str, ...]:
        return PARTS[self.assessment] if self.part == "total" else (self.part,)

    def formats(self) -> tuple[str, ...]:
        return self.measure.formats if self.form == ALL else (self.form,)

    def keys(self, profile: Profile, part: str) -> list[Key]:
        return [(part, form) for form in self.formats() if (part, form) in profile.blocks]

    def all_keys(self, profile: Profile) -> list[Key]:
        return [key for part in self.parts() for key in self.keys(profile, part)]

    def present(self) -> bool:
        return any(self.all_keys(profile) for profile in self.profiles)

    def tree(self, *parts: str) -> Group:
        """The tree of means: variants, in them parts, in them formats."""
        return Group(tuple(Group(tuple(self._part(profile, part) for part in parts)) for profile in self.basis))

    def _part(self, profile: Profile, part: str) -> Group:
        return Group(tuple(profile.measured(self.measure, key).cell for key in self.keys(profile, part)))

    def estimate(self) -> Estimate:
        tree = self.tree(*self.parts())
        interval = tree_interval(tree, self.measure.scale)
        sd, sd_unit = self.spread()
        point = self.value(tree)
        return Estimate(
            measure=self.measure.name,
            part=self.part,
            format=self.form,
            value=point.value,
            sd=sd,
            sd_unit=sd_unit if sd is not None else "",
            ci_low=interval.low,
            ci_high=interval.high,
            ci_method=interval.method,
            n_used=point.n_used,
            n_expected=point.n_expected,
            complete=point.complete,
        )

    def value(self, tree: Group | None = None) -> Value:
        """The estimate without its interval and spread."""
        blocks = [(profile, key) for profile in self.profiles for key in self.all_keys(profile)]
        value = (tree or self.tree(*self.parts())).mean
        return Value(
            value=value,
            n_used=sum(profile.measured(self.measure, key).n_used for profile, key in blocks),
            n_expected=sum(profile.blocks[key].n_planned for profile, key in blocks),
            complete=value is not None and all(self.complete(profile.blocks[key]) for profile, key in blocks),
        )

    def complete(self, block: Block) -> bool:
        """Nothing owed, and for estimates of the model enough valid replies."""
        if block.n_owed:
            return False
        if not self.measure.judged:
            return True
        if self.assessment in ("moral_foundations", "open_ended"):
            least = self.rules.min_items
            return block.n_answered >= (
                least if self.assessment == "moral_foundations" else min(least, block.n_templates)
            )
        takes_neutral = self.assessment == "intentions" and self.measure.name != DECIDED
        valid = block.n_used if takes_neutral else block.n_scored
        return valid >= self.rules.min_valid * block.n_planned

    def spread(self) -> tuple[float | None, str]:
        """The SD and its unit, as the paper's tables have them (stats.md, "The paper's own tables")."""
        if self.part != "total":
            return self._part_spread(self.part)
        if self.assessment == "self_assessment":
            means = [self.tree(part).mean for part in self.parts()]
            return standard_deviation([mean for mean in means if mean is not None]).value, "dimensions"
        return _mean_of([self._part_spread(part)[0] for part in self.parts()]), MEAN_OF_SDS

    def _part_spread(self, part: str) -> tuple[float | None, str]:
        of_replies = self.assessment in _REPLY_SPREAD and not self.measure.paired
        spreads = [self._values(profile, part, of_replies) for profile in self.profiles]
        unit = "replies" if of_replies else "templates"
        if len(spreads) == 1 or self.assessment in POOLED:
            return counted_deviation(sum(spreads, Counter())).value, unit
        return _mean_of([counted_deviation(values).value for values in spreads]), MEAN_OF_SDS

    def _values(self, profile: Profile, part: str, of_replies: bool) -> Counter[float]:
        values: Counter[float] = Counter()
        for key in self.keys(profile, part):
            measured = profile.measured(self.measure, key)
            values.update(measured.used if of_replies else measured.cell.means.values())
        return values


MEAN_OF_SDS: Final = "mean of SDs"


def _mean_of(values: Iterable[float | None]) -> float | None:
    return exact_mean([value for value in values if value is not None]).value
