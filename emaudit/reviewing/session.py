"""The blind session of one person on one queue: what is shown next, and one event for every keystroke.

Knows no screen. The events are the only state: closing and opening again lands on the next open item. Used from one
thread. What is shown (`Shown`) has no field that could tell judge, variant, stage or stratum.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from emaudit.errors import UsageError
from emaudit.reviewing.desk import Desk, Own, Shown, Undone
from emaudit.reviewing.labels import (
    CAUSES,
    Label,
    adjudicated,
    current,
    disagreements,
    labels_of,
    order,
    pairs,
    progress,
    stopped,
)
from emaudit.reviewing.queues import verdicts
from emaudit.store.frames import Verdict
from emaudit.store.queues import QueueItem
from emaudit.store.reviews import ANSWERS, seen
from emaudit.store.variants import variants
from emaudit.text import storable

__all__ = ["Adjudication", "Own", "Revealed", "Session", "Shown", "Tally", "Undone"]


@dataclass(frozen=True, slots=True)
class Revealed:
    """What the judge made of a reply, shown only after `reveal`. `status` is scored, neutral, unscored or owed."""

    number: int
    variant: str
    stage: str
    judge: str
    scored_by: str
    status: str
    value: float | None
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How far one person is, repeats among the rest: nothing may tell them apart while they are scored.

    `n_left` counts open and deferred items; skipped ones are planned, but neither done nor left.
    """

    n_planned: int
    n_done: int
    n_left: int
    n_deferred: int
    n_flagged: int
    n_not_blind: int
    n_skipped: int


class Session(Desk):
    """One person at one queue, blind: the state machine behind the screen."""

    undoes = (*ANSWERS, "flag", "note")

    def _order(self) -> tuple[QueueItem, ...]:
        return order(self.queue, self.reviewer)

    def _refreshed(self) -> None:
        self._labels = {label.position: label for label in labels_of(self._stand, self.queue, self.reviewer)}

    def _pending(self) -> Sequence[QueueItem]:
        """Open items in order, then the deferred ones as they were deferred, then repeats of what was deferred."""
        ready: list[QueueItem] = []
        waiting: list[QueueItem] = []
        for item in self._items:
            if self._labels[item.position].status == "open":
                is_ready = item.is_main or self._labels[self.queue.main_of[item.reply_id]].is_done
                (ready if is_ready else waiting).append(item)
        deferred = sorted((x for x in self._labels.values() if x.status == "deferred"), key=lambda label: label.seq)
        return [*ready, *(self.queue.by_position[label.position] for label in deferred), *waiting]

    def _own(self, item: QueueItem) -> Own:
        label = self._labels[item.position]
        key = self._key(item, label.answer)
        return Own(label.status, key, label.reason, label.is_flagged, label.note, label.is_blind, label.n_scores)

    def score(self, key: str, seconds: float | None = None) -> Shown | None:
        """Answer the item that is up with one of its keys; returns the next. Raises UsageError for another key."""
        return self._answered("score", key, "", seconds)

    def cannot_tell(self, reason: str, seconds: float | None = None) -> Shown | None:
        """Say why the item that is up cannot be scored (`neither`: it takes no side, 0.5); returns the next."""
        return self._answered("cannot_tell", "", reason, seconds)

    def defer(self, seconds: float | None = None) -> Shown | None:
        """Leave the item that is up for the end; returns the next."""
        self._write("defer", self._up(), seconds=seconds)
        self._cursor = None
        return self.item

    def flag(self) -> Shown:
        """Flag the item that is up, or take the flag off; it stays up."""
        item = self._up()
        self._write("flag", item, value=float(not self._labels[item.position].is_flagged))
        return self._shown(item)

    def note(self, text: str) -> Shown:
        """Put a note to the item that is up, in place of an earlier one; it stays up."""
        item = self._up()
        self._write("note", item, answer=storable(text))
        return self._shown(item)

    def reveal(self) -> Revealed:
        """Show what the judge said of the item that is up; a score given after it is stored as not blind.

        Raises UsageError where the queue never reveals.
        """
        item = self._up()
        self._check_reveals()
        self._write("reveal", item, is_blind=False)
        return self._revealed(item)

    def reveal_all(self) -> None:
        """Note that this person now sees the results of the whole queue; scores given later are not blind.

        What is known already is not noted again. Items that come back need no answer: a hand-off leaves them out.
        Raises UsageError where the queue never reveals, or while something else is left.
        """
        self._check_reveals()
        mine = (event for event in self._events if event.reviewer == self.reviewer)
        if any(event.kind == "reveal" and event.position is None for event in mine):
            return
        far = progress(self._labels.values())
        if far.n_done < far.n_planned and stopped(self._events, self.queue) is None:
            left = far.n_planned - far.n_done
            raise UsageError(f"{left} items are left: the results are hidden until then")
        self._write("reveal", None, is_blind=False)

    def revealed(self, number: int) -> Revealed | None:
        """What the judge said of an item, where this person may know: revealed, or answered where each reveals."""
        if not 1 <= number <= len(self._items):
            return None
        item = self._items[number - 1]
        known = seen(self.store, self.reviewer, [item.reply_id])
        return self._revealed(item) if known and self.queue.reveal != "never" else None

    def _check_reveals(self) -> None:
        if self.queue.reveal == "never":
            raise UsageError(f"queue {self.queue.name!r} never reveals: it was drawn with --reveal never")

    def _revealed(self, item: QueueItem) -> Revealed:
        row = next(row for row in variants(self.store, hidden=True) if row.variant_id == item.variant_id)
        found = verdicts(self.store, self.queue, [item.reply_id]).get(item.reply_id, Verdict("owed", None))
        return Revealed(
            self._numbers[item.position],
            row.name,
            row.stage,
            self.queue.judge,
            found.scored_by,
            found.status,
            found.value,
            found.reason,
            found.raw,
        )

    def tag_cause(self, position: int, cause: str) -> None:
        """Say what a disagreement with the judge comes from; an empty cause takes it back. Raises UsageError."""
        if cause and cause not in CAUSES:
            raise UsageError(f"no cause {cause!r}; known: {', '.join(CAUSES)}")
        self._write("cause", self.queue.by_position[position], answer=cause, is_blind=False)

    def stop(self, reason: str) -> str:
        """End the queue early, at `k of n` main items (skipped ones aside), which is returned; going on takes it back.

        Raises UsageError without a reason, for anybody but the first reviewer, and when all is done.
        """
        if self.reviewer != self.queue.reviewer:
            raise UsageError(f"only {self.queue.reviewer}, who drew {self.queue.name!r}, can stop it: --as NAME")
        if not reason.strip():
            raise UsageError("say why the queue is stopped")
        far = progress(self._labels.values())
        if far.n_done == far.n_planned:
            raise UsageError(f"{self.queue.name!r} is done: there is nothing to stop")
        at = f"{far.n_done} of {far.n_planned}"
        self._write("stop", None, answer=at, reason=storable(reason.strip()))
        return at

    @property
    def tally(self) -> Tally:
        """How far this person is."""
        held = self._labels.values()
        far = progress(held)
        count = Counter(label.status for label in held)
        return Tally(
            n_planned=far.n_planned + far.n_repeats + far.n_skipped,
            n_done=far.n_done + far.n_repeats_done,
            n_left=count["open"] + count["deferred"],
            n_deferred=count["deferred"],
            n_flagged=sum(label.is_flagged for label in held),
            n_not_blind=sum(label.is_done and not label.is_blind for label in held),
            n_skipped=far.n_skipped,
        )


class Adjudication(Desk):
    """Settling what two raters disagree on: both answers without names, no judge, in an order of its own."""

    undoes = ("adjudicate",)

    def _order(self) -> tuple[QueueItem, ...]:
        held = current(self._events, self.queue)
        settled = {row.position for row in adjudicated(self._events)}
        places = sorted(settled | {first.position for first, _ in disagreements(held)})
        random.Random(f"{self.queue.seed}/adjudicate").shuffle(places)
        return tuple(self.queue.by_position[position] for position in places)

    def _refreshed(self) -> None:
        self._settled = {row.position: row for row in adjudicated(self._events)}
        self._pairs = {first.position: (first, second) for first, second in pairs(current(self._events, self.queue))}

    def _pending(self) -> Sequence[QueueItem]:
        return [item for item in self._items if item.position not in self._settled]

    def _own(self, item: QueueItem) -> Own:
        row = self._settled.get(item.position)
        return Own(row.status, self._key(item, row.answer), row.reason, is_blind=row.is_blind) if row else Own()

    def _both(self, item: QueueItem) -> tuple[str, ...]:
        found = [self._worded(item, label) for label in self._pairs.get(item.position, ())]
        random.Random(f"{self.queue.seed}/{item.position}").shuffle(found)
        return tuple(found)

    def _worded(self, item: QueueItem, label: Label) -> str:
        return self._key(item, label.answer) or label.reason

    @property
    def tally(self) -> Tally:
        """How many disagreements are settled."""
        n_done = sum(item.position in self._settled for item in self._items)
        return Tally(len(self._items), n_done, len(self._items) - n_done, 0, 0, 0, 0)

    def score(self, key: str, seconds: float | None = None) -> Shown | None:
        """Settle the item that is up with one of its keys; returns the next."""
        return self._answered("adjudicate", key, "", seconds)

    def cannot_tell(self, reason: str, seconds: float | None = None) -> Shown | None:
        """Settle that the item that is up cannot be scored; returns the next."""
        return self._answered("adjudicate", "", reason, seconds)
