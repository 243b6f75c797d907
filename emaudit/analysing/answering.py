"""Answers questions from a store: opens it, sums it up, has the analyses computed. Runs in the process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from emaudit.analysing.answers import (
    COLUMNS,
    Card,
    Correlations,
    Fact,
    Found,
    Held,
    Intervals,
    Judges,
    Pair,
    Point,
    Question,
    Scope,
    Topic,
    UnderJudge,
    Undone,
    Without,
)
from emaudit.analysing.axes import axis_of
from emaudit.analysing.lineages import Spots, trajectories
from emaudit.archive import StoreArchive, presets
from emaudit.errors import EmauditError
from emaudit.scores import correlations
from emaudit.scores.correlationrow import CorrelationRow
from emaudit.scores.pairing import Pair as Measures
from emaudit.scores.study import Study
from emaudit.stats.estimation import Figure
from emaudit.store.connection import Store
from emaudit.store.scorers import active_judge, judges
from emaudit.studies import study_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from emaudit.scores.cards import Card as Associated

KEPT: Final = 6
"""Studies kept at most: under other judges, of other presets."""
NO_REPLIES: Final = "there is nothing to compute from yet: F2, then r, asks some variants"


class Answering:
    """What is known of one store in one state; a new state is read anew.

    `hurry` says whether something else is waited for: an answer that takes long is then left off, and what it has
    come to is kept.
    """

    def __init__(self, path: Path, hurry: Callable[[], bool] = lambda: False) -> None:
        self._path = path
        self._hurry = hurry
        self._state: int | None = None
        self._studies: dict[tuple[str, str], Study] = {}
        self._correlations: dict[Scope, correlations.Correlations] = {}
        self._held: dict[Scope, Held] = {}
        self._intervals: dict[Scope, Spots] = {}

    def found(self, question: Question, state: int) -> Found | None:
        """The answer to a question, Undone with the reason where there is none; None where it was left off.

        Raises EmauditError where the store cannot be read.
        """
        if state != self._state:
            self._state = state
            for kept in (self._studies, self._correlations, self._held, self._intervals):
                kept.clear()
        held = self._offers(question.scope)
        if not held.preset:
            return Undone(NO_REPLIES)
        scope = Scope(question.scope.judge, held.preset, question.scope.decided)
        if question.topic is Topic.CORRELATIONS:
            return self._all(held, scope)
        if question.topic is Topic.TRAJECTORIES:
            return trajectories(held, self._study(scope))
        if question.topic is Topic.INTERVALS:
            return self._bounds(scope)
        assert question.pair is not None
        if question.topic is Topic.PAIR:
            return self._card(scope, question.pair)
        return self._judges(held, scope, question.pair)

    def _all(self, held: Held, scope: Scope) -> Found | None:
        found = self._correlated(scope)
        rows: list[CorrelationRow] = []
        for columns in COLUMNS:
            for subset in found.subsets:
                if self._hurry():
                    return None
                rows += found.rows([columns], [subset])
        return Correlations(held, tuple(rows), tuple(correlations.reference_rows()))

    def _judges(self, held: Held, scope: Scope, pair: Pair) -> Found | None:
        rows = []
        for name in held.judges:
            if self._hurry():
                return None
            rows.append(self._under(scope, name, pair))
        return Judges(tuple(rows))

    def _bounds(self, scope: Scope) -> Found | None:
        if scope not in self._intervals:
            self._intervals[scope] = Spots(self._path, scope, self._study(scope))
        spots = self._intervals[scope]
        while not spots.is_whole:
            if self._hurry():
                return None
            spots.go_on()
        return Intervals(spots.found)

    def _offers(self, scope: Scope) -> Held:
        """What the store has to choose from, with the scope's choice or the one made for it."""
        if scope not in self._held:
            with Store.open(self._path) as store:
                known = presets(store)
                active = active_judge(store)
                names = sorted(judge.identity for judge in judges(store))
            judge = scope.judge or (active.identity if active else "")
            preset = scope.preset if scope.preset in known else next(iter(known), "")
            found = Held(preset, judge, tuple(known), tuple(names))
            if preset:
                study = self._study(Scope(scope.judge, preset))
                found = Held(
                    preset,
                    judge,
                    tuple(known),
                    tuple(names),
                    tuple(sorted(study.left_out.items())),
                    len({name for name, _ in study.summaries}),
                )
            self._held[scope] = found
        return self._held[scope]

    def _study(self, scope: Scope) -> Study:
        key = (scope.judge, scope.preset)
        if key not in self._studies:
            while len(self._studies) >= KEPT:
                del self._studies[next(iter(self._studies))]
            with Store.open(self._path) as store:
                self._studies[key] = study_of(StoreArchive(store, scope.preset, scope.judge))
        return self._studies[key]

    def _correlated(self, scope: Scope) -> correlations.Correlations:
        if scope not in self._correlations:
            while len(self._correlations) >= KEPT:
                del self._correlations[next(iter(self._correlations))]
            self._correlations[scope] = correlations.Correlations(self._study(scope), scope.decided)
        return self._correlations[scope]

    def _measures(self, held: correlations.Correlations, pair: Pair) -> Measures | None:
        """The measures that a pair names."""
        names = {pair.x, pair.y}
        return next((found for found in held.pairs(pair.columns) if {found[0].name, found[1].name} == names), None)

    def _card(self, scope: Scope, pair: Pair) -> Found:
        held = self._correlated(scope)
        measures = self._measures(held, pair)
        if measures is None:
            return Undone(f"no variant was asked both {pair.x} and {pair.y}")
        found = held.card(measures, pair.columns, pair.subset)
        points = tuple(
            Point(point.subject.name, point.subject.size, point.subject.domain, point.subject.stage,
                  float(point.x.value), float(point.y.value))
            for point in found.points
        )  # fmt: skip
        return Card(
            found.row, axis_of(measures[0]), axis_of(measures[1]), points, tuple(_without(found)),
            tuple(_facts(found)), tuple(found.warnings), found.sentence,
        )  # fmt: skip

    def _under(self, scope: Scope, judge: str, pair: Pair) -> UnderJudge:
        try:
            held = self._correlated(Scope(judge, scope.preset, scope.decided))
            measures = self._measures(held, pair)
        except EmauditError as error:
            return UnderJudge(judge, None, str(error))
        if measures is None:
            return UnderJudge(judge, None, "nothing of it was judged")
        row = held.card(measures, pair.columns, pair.subset).row
        return UnderJudge(judge, row)


def _without(found: Associated) -> Iterator[Without]:
    kinds: dict[str, Mapping[str, Figure]] = {
        "variant": found.without_variant,
        "size": found.without_size,
        "question": found.without_prompt,
        "category": found.without_category,
    }
    for kind, figures in kinds.items():
        for name, figure in figures.items():
            yield Without(kind, name, None if figure.value is None else float(figure.value), figure.reason)


def _facts(found: Associated) -> Iterator[Fact]:
    """What the card knows beyond its row."""
    if found.row.rho is None:
        return
    labels = found.association.tests.within_recipe
    if found.bca.low is not None and found.bca.high is not None:
        yield Fact("BCa", f"{found.bca.low:.3f} to {found.bca.high:.3f}", "bootstrap of variants")
    if labels.lowest is not None and labels.highest is not None:
        yield Fact("reachable", f"{labels.lowest:.3f} to {labels.highest:.3f}", "within recipes")
    if found.residual.value is not None:
        yield Fact("residual", f"{found.residual.value:.3f}", "without size and recipe")
    for size, figure in sorted(found.by_size.items()):
        if figure.value is not None:
            yield Fact(f"{size} alone", f"{figure.value:.3f}", "this size by itself")
