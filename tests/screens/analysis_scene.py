"""Answers made by hand behind the protocol of the computing process, and a store that has something to answer about."""

from __future__ import annotations

import queue
from collections.abc import Callable
from dataclasses import replace

from screen_scene import FIFTEEN, HOSTILE, Scene

from emaudit.analysing.answers import (
    Answer,
    Axis,
    Card,
    Correlations,
    Fact,
    Found,
    Held,
    Intervals,
    Judges,
    Line,
    Pair,
    Point,
    Question,
    Spot,
    Topic,
    Trajectories,
    UnderJudge,
    Undone,
    Without,
)
from emaudit.analysing.process import Tell
from emaudit.scores.correlationrow import CorrelationRow
from emaudit.scores.trajectories import TrajectoryRow

JUDGES = ("sim-judge@11111111", "other-judge@22222222")
HELD = Held("quick", JUDGES[0], ("quick", "smoke"), JUDGES, n_variants=15)
ROW = CorrelationRow(
    preset="quick", replicate=1, judge=JUDGES[0], x="intentions.harmless", y="harmfulness", columns="harmless",
    subset="all", n=15, rho=0.8512591888546165, tau_b=0.7294978770190601, ties_x=6, ties_y=2,
    ci_low=0.537279377467171, ci_high=0.9580072725808432, ci_method="Bonett-Wright", p_within_size=0.0011921296,
    p_unrestricted=0.00004, p_holm=0.002384259259259259, rho_recipe_only=0.7442506185042481,
    p_within_recipe=0.27469135802469136, p_within_recipe_greater=0.13734567901234568, n_arrangements=7776,
    loso_low=0.6768418509842057, loso_high=0.9632626970495627, measurement_low=0.7358371352430506,
    measurement_high=0.9225599618002523, excluded="nano-x: something is owed", undefined_reason="", simulated=True,
)  # fmt: skip
NAMES = ("harmfulness", "intentions", "self_assessment")


def row(x: str, y: str, columns: str, subset: str = "all", **facts: object) -> CorrelationRow:
    parted = [f"{name}.harmless" if columns == "harmless" and name != "harmfulness" else name for name in (x, y)]
    return replace(ROW, x=parted[0], y=parted[1], columns=columns, subset=subset, **facts)  # type: ignore[arg-type]


ROWS = tuple(
    row(x, y, columns, subset, rho=ROW.rho - 0.011 * at if ROW.rho else None, n=n)
    for columns in ("harmless", "total")
    for subset, n in (("all", 15), ("code", 9), ("trivia", 9))
    for at, (x, y) in enumerate(
        (("intentions", "harmfulness"), ("intentions", "self_assessment"), ("harmfulness", "self_assessment"))
    )
) + tuple(
    replace(ROW, x="harmfulness", y=f"self_assessment.{form}.harmless", rho=None if form == "likert" else 0.5,
            undefined_reason="a column is constant" if form == "likert" else "")
    for form in ("decision", "likert")
)  # fmt: skip
PUBLISHED = (replace(ROW, preset="published", rho=0.8777, rho_recipe_only=0.7707, p_within_recipe=0.19753),)
AXES = (Axis("intentions harmless", 0, 1, 0.5), Axis("harmfulness"))
PLACES = [(0.01, 0.05), (0.9, 0.8), (0.02, 0.1), (0.31, 0.35), (0.12, 0.2)]
POINTS = tuple(
    Point(held["name"], held["size"], held["domain"], held["stage"],
          PLACES[at % 5][0], PLACES[at % 5][1] + 0.04 * (at // 5) * (at % 5 != 0))
    for at, held in enumerate(FIFTEEN)
)  # fmt: skip
WITHOUTS = (
    *(Without("variant", held["name"], 0.82 + at / 1000) for at, held in enumerate(FIFTEEN)),
    Without("size", "nano", 0.6768418509842057),
    Without("size", "full", 0.9632626970495627),
    Without("question", "intentions: harmless-03", 0.84),
    Without("category", "insults", None, "a variant has no value without it"),
)
CARD = Card(
    ROW, *AXES, POINTS, WITHOUTS, (Fact("BCa", "0.398 to 0.975", "bootstrap of variants"),),
    ("the 15 variants share three base models: they are not independent",), "Strong agreement across variants.",
)  # fmt: skip


def card(question: Question) -> Card:
    pair = question.pair
    assert pair is not None
    found = next(held for held in ROWS if Pair.of(held) == pair)
    return replace(CARD, row=found)


def correlations(question: Question) -> Correlations:
    judge = question.scope.judge or JUDGES[0]
    shift = 0.1 if judge == JUDGES[1] else 0.2 if question.scope.decided else 0.0
    rows = tuple(replace(held, rho=None if held.rho is None else held.rho - shift, judge=judge) for held in ROWS)
    return Correlations(replace(HELD, judge=judge), rows, PUBLISHED)


def judges(question: Question) -> Judges:
    return Judges((UnderJudge(JUDGES[0], ROW), UnderJudge(JUDGES[1], replace(ROW, rho=0.7512591888546165))))


def line(size: str, domain: str, assessment: str, part: str = "total", at: int = 0) -> Line:
    falls = not (size == "nano" and domain == "code" and assessment == "harmfulness")
    measured = TrajectoryRow(
        lineage=f"{size}-{domain}-realigned", size=size, domain=domain, assessment=assessment,
        measure="max10" if assessment == "harmfulness" else "misaligned", part=part,
        base=0.0656, misaligned=0.4312 + 0.1 * at, realigned=0.1469 if falls else 0.5512, induced=0.3656 + 0.1 * at,
        induced_low=0.2751, induced_high=0.4561, reversed=0.7778, reversed_low=0.5389, reversed_high=0.9612,
        undefined_reason="", simulated=True,
    )  # fmt: skip
    names = (f"{size}-base", f"{size}-{domain}-misaligned", f"{size}-{domain}-realigned")
    axis = Axis(assessment, 0, 1, None if assessment == "harmfulness" else 0.5)
    return Line(measured, axis, names, (0.073, 0.415, 0.172), "inverted V" if falls else "no fall")


LINES = tuple(
    line(size, domain, assessment, part, at)
    for size in ("full", "mini", "nano")
    for domain in ("code", "trivia")
    for at, assessment in enumerate(NAMES)
    for part in (("total",) if assessment == "harmfulness" else ("total", "harmless"))
)
EXCEPTION = "nano, code (nano-code-realigned), harmfulness: no fall, 0.066 -> 0.431 -> 0.551"


def trajectories(question: Question) -> Trajectories:
    return Trajectories(HELD, LINES, (EXCEPTION,), (("odd", "no stage recorded"),))


def intervals(question: Question) -> Intervals:
    spots: dict[tuple[str, str, str], Spot] = {}
    for held in LINES:
        values = (held.row.base, held.row.misaligned, held.row.realigned)
        for name, value in zip(held.variants, values, strict=True):
            if value is not None:
                spots[name, held.row.assessment, held.row.part] = Spot(value, max(0.0, value - 0.2), value + 0.2)
    return Intervals(spots)


MADE: dict[Topic, Callable[[Question], Found]] = {
    Topic.CORRELATIONS: correlations,
    Topic.PAIR: card,
    Topic.JUDGES: judges,
    Topic.TRAJECTORIES: trajectories,
    Topic.INTERVALS: intervals,
}


class HandMade:
    """Answers at once with what was made by hand; `holds` leaves the questions on some topics unanswered."""

    def __init__(self, **made: Callable[[Question], Found]) -> None:
        self.made = {topic: made.get(topic.name.lower(), MADE[topic]) for topic in Topic}
        self.asked: list[Question] = []
        self.holds: set[Topic] = set()
        self._held: list[tuple[Question, int]] = []
        self._waiting: queue.SimpleQueue[tuple[Question, int] | Exception | None] = queue.SimpleQueue()

    def run(self, tell: Tell) -> None:
        while (taken := self._waiting.get()) is not None:
            if isinstance(taken, Exception):
                raise taken
            question, state = taken
            tell(Answer(question, state, self.made[question.topic](question)))

    def ask(self, question: Question, state: int) -> None:
        self.asked.append(question)
        if question.topic in self.holds:
            self._held.append((question, state))
        else:
            self._waiting.put((question, state))

    def go_on(self) -> None:
        """Answer what was held back, in the order it was asked."""
        self.holds.clear()
        for held in self._held:
            self._waiting.put(held)
        self._held.clear()

    def break_down(self, error: Exception) -> None:
        self._waiting.put(error)

    def stop(self) -> None:
        self._waiting.put(None)


def undone(question: Question) -> Found:
    return Undone(f"the store is [gone] {HOSTILE}")


def fill(scene: Scene) -> None:
    """Fifteen variants, of which one has answered: enough for the screens to ask."""
    scene.add(*FIFTEEN)
    plan = scene.plan("full-base", n_items=1)
    scene.reply(scene.run(plan), plan, 10, 1.0)
