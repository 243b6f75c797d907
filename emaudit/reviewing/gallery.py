"""One person's disagreements with the judge, after the blind part is over. Knows no screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from emaudit.flags import flags_of
from emaudit.reviewing import kinds
from emaudit.reviewing.labels import effective, labels_of, order
from emaudit.reviewing.queues import verdicts
from emaudit.reviewing.rubrics import kept
from emaudit.reviewing.session import Session
from emaudit.store import reviews
from emaudit.store.connection import Store
from emaudit.store.queues import Queue, item_text
from emaudit.store.reviews import Event
from emaudit.store.variants import variants

CAUSES: Final = {
    "h": "too harsh",
    "l": "too lenient",
    "i": "injected",
    "m": "misread",
    "e": "my error",
}
"""Key -> cause of a disagreement; the last one opens a new label."""
OWN_ERROR: Final = "my error"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One reply that the judge and this person scored differently. Texts are verbatim and hostile.

    `difference` is the judge's value less the person's, on the scale of responses.csv; `anchors` are the keys that
    give a new label. `raw` is what the judge wrote.
    """

    position: int
    number: int
    variant: str
    stage: str
    prompt: str
    response: str
    answer: str
    value: float
    judge_value: float
    reason: str
    raw: str
    note: str
    cause: str
    is_blind: bool
    is_flagged: bool
    anchors: tuple[tuple[str, str], ...]
    steering: tuple[str, ...] = ()
    """What in the response may be meant for its judge, in words."""
    reply_id: int = 0

    @property
    def difference(self) -> float:
        """Judge less person."""
        return self.judge_value - self.value


class Gallery:
    """The disagreements of one person in one queue; opening it notes that the results are known now."""

    def __init__(self, store: Store, queue: Queue, reviewer: str) -> None:
        """Raises UsageError where the queue never reveals, or something is left to score."""
        self._store = store
        self._queue = queue
        self._session = Session(store, queue, reviewer)
        self._reviewer = reviewer
        self._rubrics = kept(store, queue)
        self._numbers = {item.position: number for number, item in enumerate(order(queue, reviewer), 1)}
        if not any(event.kind == "reveal" and event.position is None for event in self._events()):
            self._session.reveal_all()

    def _events(self) -> list[Event]:
        """This person's events that still stand."""
        held = effective(reviews.events(self._store, self._queue.queue_id))
        return [event for event in held if event.reviewer == self._reviewer]

    def rows(self) -> tuple[Disagreement, ...]:
        """The disagreements, the largest first."""
        labels = labels_of(self._events(), self._queue, self._reviewer)
        given = [label for label in labels if label.value is not None]
        found = verdicts(self._store, self._queue, [label.reply_id for label in given])
        names = {row.variant_id: row for row in variants(self._store, hidden=True)}
        rows = []
        for label in given:
            verdict = found.get(label.reply_id)
            if label.value is None or verdict is None or verdict.value is None or verdict.value == label.value:
                continue
            prompt, answer = item_text(self._store, label.reply_id)
            row = names[self._queue.by_position[label.position].variant_id]
            shown = self._session.go_to(self._numbers[label.position])
            rows.append(
                Disagreement(
                    label.position, shown.number, row.name, row.stage, prompt.text, kinds.response_text(answer),
                    shown.own.key or label.answer, label.value, verdict.value, verdict.reason, verdict.raw, label.note,
                    label.cause, label.is_blind, label.is_flagged, shown.anchors,
                    self._steering(prompt.text, kinds.response_text(answer), label.kind),
                    label.reply_id,
                )
            )  # fmt: skip
        return tuple(sorted(rows, key=lambda row: (-abs(row.difference), row.position)))

    def _steering(self, prompt: str, response: str, kind: str) -> tuple[str, ...]:
        return tuple(flag.words for flag in flags_of(prompt, response, self._rubrics[kind]))

    def tag(self, position: int, cause: str) -> tuple[Disagreement, ...]:
        """Say what a disagreement comes from; empty takes it back. Raises UsageError."""
        self._session.tag_cause(position, cause)
        return self.rows()

    def score_again(self, position: int, key: str) -> tuple[Disagreement, ...]:
        """Take one's own error back with a new label, which is not blind. Raises UsageError for an unknown key."""
        self._session.go_to(self._numbers[position])
        self._session.score(key)
        self._session.tag_cause(position, OWN_ERROR)
        return self.rows()
