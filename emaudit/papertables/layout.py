"""Which variants stand in a table, in which order and under which names: by stage, domain and size. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from emaudit.scores.rows import Score

_STAGES: Final = ("base", "misaligned", "realigned")
_DOMAINS: Final = ("", "trivia", "code")
_SIZES: Final = ("full", "mini", "nano")
Key = tuple[str, str, str]
"""(measure, part, format) of scores.csv."""


@dataclass(frozen=True)
class Entry:
    """The scores of one variant, or of one average, in one assessment."""

    variant: str
    size: str
    domain: str
    stage: str
    judge: str
    instrument: str
    scores: Mapping[Key, Score]

    @property
    def is_average(self) -> bool:
        """Whether it stands for several variants."""
        return not self.variant

    @property
    def group(self) -> str:
        """What was done to it, in words."""
        return group_name(self.stage, self.domain) if not self.is_average or self.domain else self.stage

    def score(self, measure: str, part: str = "total", form: str = "") -> Score | None:
        """One row of scores.csv."""
        return self.scores.get((measure, part, form))


def group_name(stage: str, domain: str) -> str:
    """`base`, `trivia, misaligned`, `no stage`."""
    return ", ".join(word for word in (domain, stage or "no stage") if word)


def rank(value: str, known: Sequence[str]) -> tuple[int, str]:
    """Known values in their order, then the others by name."""
    return (known.index(value), "") if value in known else (len(known), value)


def stage_rank(stage: str) -> tuple[int, str]:
    """The order of the stages."""
    return rank(stage, _STAGES)


def domain_rank(domain: str) -> tuple[int, str]:
    """The order of the domains."""
    return rank(domain, _DOMAINS)


def size_rank(size: str) -> tuple[int, str]:
    """The order of the sizes."""
    return rank(size, _SIZES)


def entries(scores: Iterable[Score], assessment: str) -> list[Entry]:
    """The variants and averages of an assessment: stage by stage and domain by domain, averages last in each.

    An average of a stage over its domains stands only where there are several.
    """
    held: dict[tuple[str, str, str, str, str, str], dict[Key, Score]] = {}
    for row in scores:
        if row.assessment == assessment:
            who = (row.variant, row.size, row.domain, row.stage, row.judge, row.instrument)
            held.setdefault(who, {})[row.measure, row.part, row.format] = row
    found = [Entry(*who, scores=cells) for who, cells in held.items()]
    domains: dict[str, set[str]] = {}
    for entry in found:
        if not entry.is_average:
            domains.setdefault(entry.stage, set()).add(entry.domain)
    kept = [
        entry
        for entry in found
        if not entry.is_average or entry.domain in domains[entry.stage] or len(domains[entry.stage]) > 1
    ]
    return sorted(kept, key=_order)


def _is_over_domains(entry: Entry) -> bool:
    return entry.is_average and not entry.domain and entry.stage != "base"


def _order(entry: Entry) -> tuple[object, ...]:
    return (
        stage_rank(entry.stage),
        _is_over_domains(entry),
        domain_rank(entry.domain),
        entry.is_average,
        size_rank(entry.size),
        entry.variant,
        entry.judge,
        entry.instrument,
    )


def labels(found: Sequence[Entry]) -> Iterator[str]:
    """What names each entry in its group: its size where that is its own, else the variant's name."""
    sizes = Counter((entry.stage, entry.domain, entry.size) for entry in found if not entry.is_average)
    averages: dict[tuple[str, str], list[Entry]] = {}
    for entry in found:
        if entry.is_average:
            averages.setdefault((entry.stage, entry.domain), []).append(entry)
    for entry in found:
        if entry.is_average:
            over = "all domains" if _is_over_domains(entry) else "average"
            apart = ", ".join(_apart(entry, averages[entry.stage, entry.domain]))
            yield f"{over} ({apart})" if apart else over
        else:
            is_own = entry.size and sizes[entry.stage, entry.domain, entry.size] == 1
            yield entry.size if is_own else entry.variant


def _apart(entry: Entry, others: Sequence[Entry]) -> Iterator[str]:
    """What tells an average from the others of its group: its judge, its instrument."""
    if len({other.judge for other in others}) > 1:
        yield entry.judge or "no judge"
    if len({other.instrument for other in others}) > 1:
        yield entry.instrument
