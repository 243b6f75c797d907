"""Correlations over the variants of a study: the rows of correlations.csv, and the card of any of them. Pure.

Every figure on a card is a figure of its row, or computed from the same ranks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from emaudit.scores import pairing as pairings
from emaudit.scores import published
from emaudit.scores.cards import Association, Card, associations, card_of, row_of
from emaudit.scores.cardtext import sentence, warnings
from emaudit.scores.correlationrow import COLUMNS, CorrelationRow
from emaudit.scores.lineages import Lineages
from emaudit.scores.measurement import Draws
from emaudit.scores.pairing import BOTH, EVERY, Pair, Pairing, points
from emaudit.scores.resampling import Named
from emaudit.scores.study import Study, Subject
from emaudit.stats.estimation import Figure
from emaudit.stats.multiplicity import holm

__all__ = [
    "COLUMNS",
    "CorrelationRow",
    "Correlations",
    "card",
    "correlation_rows",
    "points",
    "reference_correlations",
    "reference_rows",
    "under",
]

Read = Callable[[Pair, str, str], Pairing]
"""A pair of measures, in a column and a subset, as values."""
Key = tuple[Pair, str, str]


class Correlations:
    """The correlations of one study, or of the published table; each is computed once.

    `decided` takes replies with a clear answer only; `mixed` takes different judges and instruments together, which
    otherwise leaves the variants out that the study's judge did not judge.
    """

    def __init__(self, study: Study | None, decided: bool = False, mixed: bool = False) -> None:
        self.study = under(study, study.judge) if study and study.judge and not mixed else study
        self.decided = decided
        self.mixed = mixed
        self._lineages = Lineages(study or published.variants())
        self._draws = Draws(self.study) if self.study else None
        self._held: dict[Key, Association] = {}

    @property
    def subsets(self) -> list[str]:
        """All variants, and each domain with the bases."""
        return pairings.subsets(self.study) if self.study else published.subsets()

    def pairs(self, columns: str) -> list[Pair]:
        """Every pair of measures of a column."""
        return pairings.pairs(self.study, columns, self.decided) if self.study else published.pairs(columns)

    def pairing(self, pair: Pair, columns: str, subset: str) -> Pairing:
        """The values of two measures over a subset."""
        if self.study is None:
            return published.paired(pair, columns, subset)
        return pairings.paired(self.study, pair, columns, subset, self.mixed)

    def association(self, pair: Pair, columns: str, subset: str = EVERY) -> Association:
        """The figures of a pair; a headline pair's p is adjusted for the three of its column and subset.

        A pair in the other order than that of its row is that row's.
        """
        pair = self._as_rowed(pair, columns)
        family = [known for known in self.pairs(columns) if pairings.is_headline(*known)]
        if pair not in family:
            return self._associations([(pair, columns, subset)])[0]
        found = dict(zip(family, self._associations([(known, columns, subset) for known in family]), strict=True))
        adjusted = holm([one.tests.within_size.p_two_sided for one in found.values()])
        return replace(found[pair], holm=Figure(dict(zip(found, adjusted, strict=True))[pair]))

    def _as_rowed(self, pair: Pair, columns: str) -> Pair:
        """The pair in the order in which the column has it."""
        turned = (pair[1], pair[0])
        return turned if turned in self.pairs(columns) else pair

    def _associations(self, keys: Sequence[Key]) -> list[Association]:
        missing = [key for key in keys if key not in self._held]
        made = associations([self.pairing(*key) for key in missing], self.seed, self._draws)
        self._held |= zip(missing, made, strict=True)
        return [self._held[key] for key in keys]

    @property
    def seed(self) -> int:
        """What drives every resampling."""
        return self.study.seed if self.study else 0

    def rows(self, columns: Iterable[str] = BOTH, subsets: Sequence[str] = ()) -> list[CorrelationRow]:
        """The rows of correlations.csv: by columns, subset (all first), then pairs, the headline pairs first."""
        keys = [
            (pair, column, subset)
            for column in columns
            for subset in subsets or self.subsets
            for pair in self.pairs(column)
        ]
        self._associations(keys)
        return [row_of(self.association(*key)) for key in keys]

    def card(self, pair: Pair, columns: str, subset: str = EVERY) -> Card:
        """The card of a pair, with its warnings and its sentence."""
        found = card_of(self.association(pair, columns, subset), self.seed, self._lineages, self.study, self._draws)
        return replace(found, warnings=tuple(warnings(found)), sentence=sentence(found))

    def headline_rows(self, columns: Iterable[str] = BOTH, subset: str = EVERY) -> list[CorrelationRow]:
        """The rows of the three pairs that are tested together."""
        chosen = [(pair, column) for column in columns for pair in self.pairs(column) if pairings.is_headline(*pair)]
        return [row_of(self.association(pair, column, subset)) for pair, column in chosen]

    def headline_cards(self, columns: Iterable[str] = BOTH, subset: str = EVERY) -> Iterator[Card]:
        """The cards of the three pairs that are tested together, where the study has both assessments."""
        for column in columns:
            for pair in self.pairs(column):
                if pairings.is_headline(*pair):
                    yield self.card(pair, column, subset)


def correlation_rows(study: Study, decided: bool = False, mixed: bool = False) -> list[CorrelationRow]:
    """Every row of correlations.csv."""
    return Correlations(study, decided, mixed).rows()


def card(
    study: Study, x: Named, y: Named, columns: str = "harmless", subset: str = EVERY, decided: bool = False
) -> Card:
    """The card of two measures; `Correlations` keeps what several cards of one study share."""
    return Correlations(study, decided).card((x, y), columns, subset)


def reference_correlations() -> Correlations:
    """The correlations of the paper's published table."""
    return Correlations(None)


def reference_rows() -> list[CorrelationRow]:
    """Every correlation of the paper's published table, as rows of correlations.csv."""
    return reference_correlations().rows()


def under(study: Study, judge: str) -> Study:
    """A study without the variants of which some assessment stands on another judge than the one given, named."""
    others: dict[str, str] = {}
    for (variant, _), summary in sorted(study.summaries.items()):
        if summary.source.judge not in ("", judge):
            others.setdefault(variant, f"judged by {summary.source.judge}, not by {judge}")

    def stays(subject: Subject) -> bool:
        return subject.name not in others

    return replace(
        study,
        subjects=tuple(filter(stays, study.subjects)),
        left_out={**study.left_out, **others},
        outside=(*study.outside, *(subject for subject in study.subjects if not stays(subject))),
    )
