"""Which variants, and which groups of them, are compared with which. Pure.

Stages are compared within a lineage, domains between lineages of one base (where no base is known, of one size, and
an unknown size is nobody's); what is pooled over the sizes is made of the same pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from emaudit.scores.lineages import MISALIGNED, REALIGNED, Lineages
from emaudit.scores.study import BASE, Study, Subject

ALL: Final = "all"
STAGES: Final = "stages"
DOMAINS: Final = "domains"
PAIRS: Final = ((BASE, MISALIGNED), (MISALIGNED, REALIGNED), (BASE, REALIGNED))
"""The stages that are compared, the earlier one first."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two groups, the earlier stage (or the domain first in the alphabet) as `a`; the members stand in pairs.

    `kind` is `stages` or `domains`; `size` is a label, or `all` for what is pooled over the sizes; `domain` is that
    of both groups, or `b-a` of the two that are compared.
    """

    kind: str
    size: str
    domain: str
    label_a: str
    label_b: str
    stages: tuple[str, str]
    a: tuple[Subject, ...]
    b: tuple[Subject, ...]

    @property
    def set_name(self) -> str:
        """The contrast set that it belongs to, for Holm's families."""
        return f"{self.kind}, {'pooled over sizes' if self.is_pooled else 'by size'}"

    @property
    def is_pooled(self) -> bool:
        """Whether the groups stand for several variants."""
        return len(self.a) > 1

    @property
    def domains(self) -> tuple[str, ...]:
        """The domain it is about, or the two that are compared."""
        return (self.a[0].domain, self.b[0].domain) if self.kind == DOMAINS else (self.domain,)

    @property
    def is_over_sizes(self) -> bool:
        """Whether its members are of two known sizes or more, so that it may be called pooled over them."""
        sizes = {member.size for member in self.b}
        return len(sizes) > 1 and "" not in sizes

    def kept(self, places: Sequence[int]) -> Contrast:
        """The same groups without the pairs of members that are not at these places."""
        a, b = tuple(self.a[place] for place in places), tuple(self.b[place] for place in places)
        return Contrast(self.kind, self.size, self.domain, self.label_a, self.label_b, self.stages, a, b)


def contrasts(study: Study) -> list[Contrast]:
    """Every contrast of a study, single pairs of variants first; groups only of two known sizes or more."""
    single = single_contrasts(study)
    groups: dict[tuple[str, str, tuple[str, str]], list[Contrast]] = {}
    for found in single:
        if found.size:
            groups.setdefault((found.kind, found.domain, found.stages), []).append(found)
    pooled = [_pooled(members) for members in groups.values()]
    return [*single, *(found for found in pooled if found.is_over_sizes)]


def single_contrasts(study: Study) -> list[Contrast]:
    """The contrasts of one variant with one."""
    return [*_of_stages(study), *_of_domains(study)]


def _of_stages(study: Study) -> Iterator[Contrast]:
    seen: set[tuple[str, str]] = set()
    for lineage in Lineages(study).all:
        for stages in PAIRS:
            a, b = (lineage.stages[stage] for stage in stages)
            if a is None or b is None or (a.name, b.name) in seen:
                continue
            seen.add((a.name, b.name))
            yield Contrast(STAGES, b.size, b.domain, a.name, b.name, stages, (a,), (b,))


def _of_domains(study: Study) -> Iterator[Contrast]:
    lineages = Lineages(study)
    kin: dict[tuple[str, str], dict[str, list[Subject]]] = {}
    for subject in study.subjects:
        if subject.stage not in (MISALIGNED, REALIGNED) or not subject.domain:
            continue
        base = lineages.base_of(subject)
        if base is None and not subject.size:
            continue
        family = f"base {base.name}" if base else f"size {subject.size}"
        kin.setdefault((family, subject.stage), {}).setdefault(subject.domain, []).append(subject)
    for (_, stage), by_domain in kin.items():
        for first, second in combinations(sorted(by_domain), 2):
            for a in by_domain[first]:
                for b in by_domain[second]:
                    domain = f"{second}-{first}"
                    yield Contrast(DOMAINS, b.size, domain, a.name, b.name, (stage, stage), (a,), (b,))


def _pooled(members: Sequence[Contrast]) -> Contrast:
    first = members[0]
    a, b = tuple(member.a[0] for member in members), tuple(member.b[0] for member in members)
    return Contrast(first.kind, ALL, first.domain, _label(a[0]), _label(b[0]), first.stages, a, b)


def _label(subject: Subject) -> str:
    """`base`, `trivia misaligned`."""
    return subject.stage if subject.stage == BASE else f"{subject.domain} {subject.stage}".strip()
