"""A judge beside another judge, and beside itself on the same text: tables from counted pairs of verdicts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from emaudit.scores.agreement.inputs import POOLED
from emaudit.scores.agreement.measures import measures_of
from emaudit.scores.agreement.pairs import Pair, agree_by_prompt
from emaudit.scores.agreement.rows import AgreementRow, Table, confusion_of, figures_of

DESIGN = "all"
"""Every reply with two verdicts is in: nothing was drawn."""


class Counted(Protocol):
    """So many pairs of verdicts on replies to one prompt have these two values."""

    @property
    def cell_id(self) -> int:
        """The prompt of a variant."""

    @property
    def format(self) -> str:
        """The reply's format."""

    @property
    def first(self) -> float:
        """The first verdict."""

    @property
    def second(self) -> float:
        """The second verdict."""

    @property
    def n(self) -> int:
        """How many pairs."""


@dataclass(frozen=True, slots=True)
class VerdictPairs:
    """The pairs of one variant in one assessment. `judge` is one identity, or two as `A vs B`."""

    variant: str
    assessment: str
    pair: str
    judge: str
    simulated: bool
    counts: Sequence[Counted]


def verdict_tables(sets: Iterable[VerdictPairs], seed: int = 0) -> Iterator[Table]:
    """A table per variant and one over all of them, for each assessment, kind of pair and judge."""
    groups: dict[tuple[str, str, str], list[VerdictPairs]] = {}
    for found in sets:
        if found.counts:
            groups.setdefault((found.assessment, found.pair, found.judge), []).append(found)
    for key in sorted(groups):
        for members in [*([member] for member in groups[key]), groups[key]]:
            pooled = members is groups[key]
            yield _table(replace(members[0], variant=POOLED) if pooled else members[0], members, seed)


def _table(head: VerdictPairs, members: Sequence[VerdictPairs], seed: int) -> Table:
    counts = [count for member in members for count in member.counts]
    measure = measures_of(head.assessment, DESIGN, {count.format for count in counts}, False)[0]
    pairs = [Pair(count.first, count.second, DESIGN, str(count.cell_id)) for count in counts for _ in range(count.n)]
    agreement = agree_by_prompt(pairs, None, measure, seed)
    values, reasons = figures_of(agreement)
    row = AgreementRow(
        variant=head.variant,
        assessment=head.assessment,
        measure=measure.name,
        pair=head.pair,
        judge=head.judge,
        reviewer="",
        design=DESIGN,
        n=len(pairs),
        n_prompts=agreement.n_prompts,
        n_blind=None,
        simulated=any(member.simulated for member in members),
    )
    filled = replace(row, **values, reasons=reasons)  # type: ignore[arg-type]
    return Table(filled, tuple(confusion_of(filled, pairs, [1.0] * len(pairs))), agreement)
