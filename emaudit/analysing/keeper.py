"""The answers that the app has, and what it still waits for: screens ask here and are never kept waiting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from emaudit.analysing.answers import Answer, Found, Question, Scope, Topic, Undone
from emaudit.analysing.process import Analyst
from emaudit.watch.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Known:
    """What is known now: None where nothing is. `is_old`: the store has moved on, or something else was asked for.

    `is_awaited`: it is being computed. `problem`: why it cannot be.
    """

    found: Found | None = None
    question: Question | None = None
    is_old: bool = False
    is_awaited: bool = False
    problem: str = ""


def state_of(snapshot: Snapshot) -> int | None:
    """A number that changes with everything that analyses are made of; None while replies are still counted."""
    cells = [cell for row in snapshot.variants for cell in row.cells if cell.n_slots]
    if not snapshot.has_read or not all(cell.is_counted for cell in cells):
        return None
    facts = [
        (row.variant, [(c.assessment, c.preset, c.n_closed, c.n_judged, c.n_unscored) for c in row.cells])
        for row in snapshot.variants
    ]
    runs = [(run.uid, run.n_closed, run.n_judged) for run in snapshot.runs]
    return hash((snapshot.judge, repr(facts), repr(runs)))


class Analyses:
    """Questions and answers of one app. `start` begins the answering; `tell` is called in its thread."""

    def __init__(self, analyst: Analyst, start: Callable[[], None]) -> None:
        self.analyst = analyst
        self.scope = Scope()
        self.has_published = False
        self._start = start
        self._is_running = False
        self._answers: dict[Question, Answer] = {}
        self._shown: dict[Topic, Answer] = {}
        self._awaited: dict[Topic, tuple[Question, int]] = {}
        self._problem = ""
        self._state = 0

    def look(self, question: Question, snapshot: Snapshot) -> Known:
        """What is known of a question; asks it where it was never asked, or the store changed and no run goes on."""
        state = state_of(snapshot)
        held = self._answers.get(question)
        if state is not None and not self._problem:
            self._state = state
            is_stale = held is not None and held.state != state and not snapshot.live_runs
            if (held is None or is_stale) and not self._is_asked(question, state, bool(snapshot.live_runs)):
                self._ask(question, state)
        return self._known(question, held)

    def _is_asked(self, question: Question, state: int, is_changing: bool) -> bool:
        """Whether it is awaited already; while a run changes the store, of whichever state."""
        awaited = self._awaited.get(question.topic)
        return awaited is not None and awaited[0] == question and (is_changing or awaited[1] == state)

    def _known(self, question: Question, held: Answer | None) -> Known:
        awaited = self._awaited.get(question.topic)
        is_awaited = awaited is not None and awaited[0] == question
        shown = held or self._shown.get(question.topic)
        if shown is None or isinstance(shown.found, Undone):
            why = shown.found.why if shown is not None and isinstance(shown.found, Undone) else ""
            return Known(is_awaited=is_awaited, problem=self._problem or (why if held is not None else ""))
        return Known(shown.found, shown.question, held is None or shown.state != self._state, is_awaited, self._problem)

    def _ask(self, question: Question, state: int) -> None:
        self._awaited[question.topic] = (question, state)
        self.analyst.ask(question, state)
        if not self._is_running:
            self._is_running = True
            self._start()

    def renew(self) -> None:
        """Have everything computed again; what is shown stays until then."""
        self._problem = ""
        self._awaited.clear()
        self._answers.clear()

    def take(self, answer: Answer) -> None:
        """Keep an answer; show it where nothing newer is awaited on its topic."""
        topic = answer.question.topic
        self._answers[answer.question] = answer
        awaited = self._awaited.get(topic)
        if awaited == (answer.question, answer.state):
            del self._awaited[topic]
        if awaited is None or awaited[0] == answer.question:
            self._shown[topic] = answer

    def fail(self, why: str) -> None:
        """The answering ended by itself."""
        self._problem, self._is_running = why, False
        self._awaited.clear()

    def stop(self) -> None:
        """End the answering."""
        self.analyst.stop()
