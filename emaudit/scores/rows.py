"""The rows of scores.csv: every score of a variant, and the averages over sizes, with used and expected replies.

Pure: counted replies in, rows of scores.csv out. Nothing unscored becomes a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from emaudit.scores import maxima, profiles
from emaudit.scores.measures import Estimate, Rules, Tally


@dataclass(frozen=True, slots=True)
class Source:
    """Where a set of tallies comes from: one plan of one variant, and the judge whose verdicts are counted.

    `judge` is empty where no verdict of a judge is counted: nothing there depends on a judge.
    `seed` drives the prompt bootstrap and comes from the parameter hash, so that variants asked alike are
    resampled alike; `plan_id` is the store's and is not exported.
    """

    variant: str
    size: str
    domain: str
    stage: str
    preset: str
    replicate: int
    assessment: str
    judge: str
    instrument: str
    simulated: bool
    seed: int = 0
    plan_id: int = 0


@dataclass(frozen=True, slots=True)
class Score:
    """One row of scores.csv. Averages have no variant, size `all` and, over mixed replicates, no replicate.

    `n_used` and `n_expected` count replies (readings, for open-ended totals); `value` is given even where it
    is not `complete`, and is None with the reason in `ci_method` where no reply has one. On 0..1 unless the
    measure says otherwise: `max10_raw` and `mean` of harmfulness and `raw` 1..5, `norm` and the moral
    self-assessment's means -0.5..0.5, `acquiescence` -2..2.
    """

    variant: str
    size: str
    domain: str
    stage: str
    preset: str
    replicate: int | None
    assessment: str
    measure: str
    part: str
    format: str
    value: float | None
    sd: float | None
    sd_unit: str
    ci_low: float | None
    ci_high: float | None
    ci_method: str
    n_used: int
    n_expected: int
    complete: bool
    judge: str
    instrument: str
    simulated: bool


COLUMNS = tuple(field.name for field in fields(Score))


@dataclass(frozen=True)
class _Set:
    """One source with its replies arranged for scoring."""

    source: Source
    replies: maxima.Prompts | profiles.Profile


def score(source: Source, tallies: Iterable[Tally], rules: Rules | None = None) -> list[Score]:
    """Every score of one variant in one assessment, sorted."""
    rules = rules or Rules()
    return _sorted(_scores([_arranged(source, tallies, rules)], source, rules))


def table(sets: Iterable[tuple[Source, Iterable[Tally]]], rules: Rules | None = None) -> list[Score]:
    """Every score of every variant, and the averages by stage and by stage and domain, sorted.

    An average stands on two or more variants with the same preset and instrument, and never on two judges: there
    is one for each judge, of the variants it judged and those that needed no judge.
    """
    rules = rules or Rules()
    arranged: list[_Set] = []
    rows: list[Score] = []
    for source, tallies in sets:
        entry = _arranged(source, tallies, rules)
        rows += _scores([entry], source, rules)
        if isinstance(entry.replies, profiles.Profile):
            entry.replies.settle()
        arranged.append(entry)
    for key, judge, members in _groups(arranged):
        rows += _scores(members, _average_source(key, judge, members), rules)
    return _sorted(rows)


def newest_complete(sources: Iterable[Source], is_owed: Callable[[Source], bool]) -> list[Source]:
    """Of each variant and assessment the newest replicate with nothing owed, else the newest one."""
    by_plan: dict[tuple[str, str], list[Source]] = {}
    for source in sources:
        by_plan.setdefault((source.variant, source.assessment), []).append(source)
    chosen: list[Source] = []
    for key in sorted(by_plan):
        newest_first = sorted(by_plan[key], key=lambda source: -source.replicate)
        chosen.append(next((source for source in newest_first if not is_owed(source)), newest_first[0]))
    return chosen


def _arranged(source: Source, tallies: Iterable[Tally], rules: Rules) -> _Set:
    if source.assessment == "harmfulness":
        return _Set(source, maxima.read_prompts(tallies, rules))
    return _Set(source, profiles.Profile(source.assessment, tallies))


def _estimates(members: Sequence[_Set], seed: int, rules: Rules) -> Iterator[Estimate]:
    prompts = [entry.replies for entry in members if not isinstance(entry.replies, profiles.Profile)]
    if prompts:
        return maxima.estimates(prompts, seed, rules)
    others = [entry.replies for entry in members if isinstance(entry.replies, profiles.Profile)]
    return profiles.estimates(others, rules)


def _scores(members: Sequence[_Set], source: Source, rules: Rules) -> Iterator[Score]:
    replicates = {entry.source.replicate for entry in members}
    for estimate in _estimates(members, source.seed, rules):
        yield Score(
            variant=source.variant,
            size=source.size,
            domain=source.domain,
            stage=source.stage,
            preset=source.preset,
            replicate=source.replicate if len(replicates) == 1 else None,
            assessment=source.assessment,
            **{name: getattr(estimate, name) for name in _ESTIMATE_FIELDS},
            judge=source.judge,
            instrument=source.instrument,
            simulated=source.simulated,
        )


_ESTIMATE_FIELDS = tuple(field.name for field in fields(Estimate))

_GroupKey = tuple[str, str, str, str, str]
"""(assessment, preset, instrument, stage, domain)."""


def _groups(arranged: Sequence[_Set]) -> Iterator[tuple[_GroupKey, str, list[_Set]]]:
    """What is averaged together, with the judge of it; empty where no member has one."""
    groups: dict[_GroupKey, list[_Set]] = {}
    for entry in sorted(arranged, key=lambda entry: entry.source.variant):
        source = entry.source
        for domain in dict.fromkeys(("", source.domain)):
            key = (source.assessment, source.preset, source.instrument, source.stage, domain)
            groups.setdefault(key, []).append(entry)
    for key in sorted(key for key in groups if key[3]):
        judges = sorted({entry.source.judge for entry in groups[key]} - {""})
        for judge in judges or [""]:
            members = [entry for entry in groups[key] if entry.source.judge in ("", judge)]
            if len(members) > 1:
                yield key, judge, members


def _average_source(key: _GroupKey, judge: str, members: Sequence[_Set]) -> Source:
    assessment, preset, instrument, stage, domain = key
    first = members[0].source
    return Source(
        variant="",
        size="all",
        domain=domain,
        stage=stage,
        preset=preset,
        replicate=first.replicate,
        assessment=assessment,
        judge=judge,
        instrument=instrument,
        simulated=any(entry.source.simulated for entry in members),
        seed=first.seed,
    )


def _sorted(rows: Iterable[Score]) -> list[Score]:
    return sorted(rows, key=sort_key)


def sort_key(row: Score) -> tuple[str, ...]:
    """The order of scores.csv: by its text columns, left to right."""
    return (row.variant, row.domain, row.stage, row.assessment, row.measure, row.part, row.format, row.judge)


def as_record(row: Score) -> Mapping[str, object]:
    """A score as column -> value, in the order of scores.csv."""
    return {name: getattr(row, name) for name in COLUMNS}


def seed_of(parameter_hash: str) -> int:
    """The seed of the prompt bootstrap: the first 32 bits of the hash of what every request was sent with."""
    return int(parameter_hash[:8], 16)
