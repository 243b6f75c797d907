"""Answers questions from a store: opens it, sums it up, has the analyses computed. Runs in the process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from emaudit.analysing.answers import (
    Card,
    Correlations,
    Fact,
    Found,
    Held,
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
from emaudit.archive import StoreArchive, presets
from emaudit.errors import EmauditError
from emaudit.scores import correlations
from emaudit.scores.pairing import Pair as Measures
from emaudit.scores.study import Study
from emaudit.stats.estimation import Figure
from emaudit.store.connection import Store
from emaudit.store.scorers import active_judge, judges
from emaudit.studies import study_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from emaudit.scores.cards import Card as Associated

KEPT: Final = 6
"""Studies kept at most: under other judges, of other presets."""
NO_REPLIES: Final = "there is nothing to compute from yet: F2, then r, asks some variants"


class Answering:
    """What is known of one store in one state; a new state is read anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._state: int | None = None
        self._studies: dict[tuple[str, str], Study] = {}
        self._correlations: dict[Scope, correlations.Correlations] = {}
        self._held: dict[Scope, Held] = {}

    def found(self, question: Question, state: int) -> Found:
        """The answer to a question; Undone with the reason where there is none. Raises EmauditError."""
        if state != self._state:
            self._state = state
            for kept in (self._studies, self._correlations, self._held):
                kept.clear()
        held = self._offers(question.scope)
        if not held.preset:
            return Undone(NO_REPLIES)
        scope = Scope(held.judge, held.preset, question.scope.decided)
        if question.topic is Topic.CORRELATIONS:
            rows = self._correlated(scope).rows()
            return Correlations(held, tuple(rows), tuple(correlations.reference_rows()))
        if question.topic is Topic.TRAJECTORIES:
            from emaudit.analysing.lineages import trajectories

            return trajectories(held, self._study(scope))
        if question.topic is Topic.INTERVALS:
            return self._intervals(scope)
        assert question.pair is not None
        if question.topic is Topic.PAIR:
            return self._card(scope, question.pair)
        return Judges(tuple(self._under(scope, name, question.pair) for name in held.judges))

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
                study = self._study(Scope(judge, preset))
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

    def _intervals(self, scope: Scope) -> Found:
        from emaudit.analysing.lineages import intervals

        with Store.open(self._path) as store:
            return intervals(StoreArchive(store, scope.preset, scope.judge), self._study(scope))

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
    labels = found.association.within_recipe
    if found.bca.low is not None and found.bca.high is not None:
        yield Fact("BCa", f"{found.bca.low:.3f} to {found.bca.high:.3f}", "bootstrap of variants")
    if labels.lowest is not None and labels.highest is not None:
        yield Fact("reachable", f"{labels.lowest:.3f} to {labels.highest:.3f}", "within recipes")
    if found.residual.value is not None:
        yield Fact("residual", f"{found.residual.value:.3f}", "without size and recipe")
    for size, figure in sorted(found.by_size.items()):
        if figure.value is not None:
            yield Fact(f"{size} alone", f"{figure.value:.3f}", "this size by itself")
