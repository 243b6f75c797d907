"""One person's place at a queue: which item is up, what is shown of it, and the events that are written.

Owns what blind and adjudicating sessions share. The events are the only state.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from emaudit.assessments.base import Answer, Outcome, Prompt
from emaudit.errors import UsageError
from emaudit.reviewing import kinds
from emaudit.reviewing.labels import effective
from emaudit.reviewing.rubrics import kept
from emaudit.store.connection import Store
from emaudit.store.queues import Queue, QueueItem, item_text
from emaudit.store.reviews import Event, EventRow, event, events, insert_event, n_events, seen

_HELD: Final = 64
"""Texts kept in memory: the last items and the one prepared ahead."""


@dataclass(frozen=True, slots=True)
class Own:
    """This person's own label of the item shown. `key` is the key pressed, empty without an answer."""

    status: str = "open"
    key: str = ""
    reason: str = ""
    is_flagged: bool = False
    note: str = ""
    is_blind: bool = True
    n_scores: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything a screen shows of one item, and nothing else: no judge, variant, stage, stratum.

    `number` of `n_items` counts in this person's order. `anchors` are (key, meaning) for every key that answers:
    the rubric's levels, the two options, the ratings or the languages; `options` the two options alone (`a`, `b`).
    `reasons` are those that `cannot_tell` takes. `outcome` says how a reply ended that is not whole. `both` holds
    the two raters' answers, without names, when a disagreement is settled. Texts are verbatim and hostile.
    """

    number: int
    n_items: int
    position: int
    kind: str
    question: str
    prompt: str
    response: str
    anchors: tuple[tuple[str, str], ...]
    options: tuple[tuple[str, str], ...]
    reasons: tuple[str, ...]
    is_truncated: bool
    outcome: str
    own: Own
    both: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that answer."""
        return tuple(key for key, _ in self.anchors)


@dataclass(frozen=True, slots=True)
class Undone:
    """What was taken back: an event of this `kind` on the item that is now up again."""

    number: int
    kind: str
    shown: Shown


class Desk(ABC):
    """One person at one queue. Every call that says something writes one event in one committed transaction."""

    undoes: ClassVar[tuple[str, ...]]
    """The kinds of event that `undo` takes back."""

    def __init__(self, store: Store, queue: Queue, reviewer: str) -> None:
        self.store = store
        self.queue = queue
        self.reviewer = reviewer
        self._rubrics = kept(store, queue)
        self._events = events(store, queue.queue_id)
        self._stand = effective(self._events)
        self._texts: dict[int, tuple[Prompt, Answer]] = {}
        self._cursor: int | None = None
        self._items = self._order()
        self._numbers = {item.position: number for number, item in enumerate(self._items, 1)}
        self._refreshed()

    @abstractmethod
    def _order(self) -> tuple[QueueItem, ...]:
        """All items of this person, numbered in this order."""

    @abstractmethod
    def _pending(self) -> Sequence[QueueItem]:
        """The items that still want an answer, the next one first."""

    @abstractmethod
    def _own(self, item: QueueItem) -> Own:
        """This person's label of an item."""

    @abstractmethod
    def _refreshed(self) -> None:
        """Fold the events anew: called at the start and after each one written."""

    def _both(self, item: QueueItem) -> tuple[str, ...]:
        return ()

    @property
    def item(self) -> Shown | None:
        """What is up now; None when nothing is left."""
        found = self._current()
        return self._shown(found) if found else None

    @property
    def ahead(self) -> Shown | None:
        """What is likely to come after the item that is up; reading it prepares it."""
        current = self._current()
        following = next((item for item in self._pending() if item is not current), None)
        return self._shown(following) if following else None

    def go_to(self, number: int) -> Shown:
        """Go to an item by its number, answered or not. Raises UsageError where there is none."""
        if not 1 <= number <= len(self._items):
            raise UsageError(f"no item {number}: there are 1 to {len(self._items)}")
        self._cursor = self._items[number - 1].position
        return self._shown(self._items[number - 1])

    def undo(self) -> Undone | None:
        """Take back this person's newest event that still stands, and go to its item; None where there is none."""
        last = next((e for e in reversed(self._stand) if e.reviewer == self.reviewer and e.kind in self.undoes), None)
        if last is None or last.position is None:
            return None
        item = self.queue.by_position[last.position]
        self._write("undo", item, undoes=last.event_id)
        self._cursor = item.position
        return Undone(self._numbers[item.position], last.kind, self._shown(item))

    def _current(self) -> QueueItem | None:
        if self._cursor is not None:
            return self.queue.by_position[self._cursor]
        return next(iter(self._pending()), None)

    def _up(self) -> QueueItem:
        item = self._current()
        if item is None:
            raise UsageError("nothing is left in this queue; `go to` shows an item again")
        return item

    def _answered(self, kind: str, key: str, reason: str, seconds: float | None) -> Shown | None:
        """Write an answer to the item that is up, and go on to the next."""
        item = self._up()
        asked = self._kind(item)
        if reason:
            if reason not in kinds.reasons(asked):
                raise UsageError(f"no reason {reason!r}; known: {', '.join(kinds.reasons(asked))}")
            answer = kinds.NEITHER if reason == kinds.NEITHER else ""
        else:
            known = self._answers(item)
            if key not in known:
                raise UsageError(f"{key!r} is no answer here; known: {', '.join(known)}")
            answer = known[key]
        value = kinds.value_of(self._text(item)[0], asked, answer) if answer else None
        self._write(kind, item, answer=answer, value=value, reason=reason, seconds=seconds)
        self._cursor = None
        return self.item

    def _write(
        self,
        kind: str,
        item: QueueItem | None,
        answer: str = "",
        value: float | None = None,
        reason: str = "",
        undoes: int | None = None,
        seconds: float | None = None,
        is_blind: bool | None = None,
    ) -> Event:
        if is_blind is None:
            is_blind = item is None or not seen(self.store, self.reviewer, [item.reply_id])
        row = EventRow(
            self.queue.queue_id,
            item.position if item else None,
            item.reply_id if item else None,
            self.reviewer,
            kind,
            answer,
            value,
            reason,
            undoes,
            seconds,
            is_blind,
            self._rubrics[self._kind(item)].hash if item else self.queue.rubric_hash,
            self.queue.judge,
            self.queue.seed,
        )
        with self.store.transaction():
            self._catch_up()
            written = event(self.store, insert_event(self.store, row))
        self._events.append(written)
        self._stand = effective(self._events)
        self._refreshed()
        return written

    def _catch_up(self) -> None:
        """Read the events again where others were written since; called before each one is written.

        Raises UsageError where this person went on elsewhere: what was pressed was meant for what stood here before.
        """
        known, before = len(self._events), self._place()
        if n_events(self.store, self.queue.queue_id) == known:
            return
        self._events = events(self.store, self.queue.queue_id)
        self._stand = effective(self._events)
        self._refreshed()
        is_elsewhere = any(event.reviewer == self.reviewer for event in self._events[known:])
        if is_elsewhere or self._place() != before:
            raise UsageError("this queue was gone on with elsewhere: what stood here is not what stands now")

    def _place(self) -> tuple[int, Own] | None:
        """The item that is up, and what this person holds of it."""
        item = self._current()
        return (item.position, self._own(item)) if item else None

    def _kind(self, item: QueueItem) -> str:
        return kinds.kind_of(item.assessment, item.format)

    def _answers(self, item: QueueItem) -> Mapping[str, str]:
        prompt, _ = self._text(item)
        return kinds.answers(self._kind(item), prompt, self.queue.seed, self.reviewer, item.reply_id)

    def _key(self, item: QueueItem, answer: str) -> str:
        return next((key for key, meant in self._answers(item).items() if meant == answer), "")

    def _text(self, item: QueueItem) -> tuple[Prompt, Answer]:
        if item.reply_id not in self._texts:
            if len(self._texts) >= _HELD:
                del self._texts[next(iter(self._texts))]
            self._texts[item.reply_id] = item_text(self.store, item.reply_id)
        return self._texts[item.reply_id]

    def _shown(self, item: QueueItem) -> Shown:
        prompt, answer = self._text(item)
        kind = self._kind(item)
        anchors = kinds.meanings(kind, prompt, self._answers(item), self._rubrics[kind])
        return Shown(
            number=self._numbers[item.position],
            n_items=len(self._items),
            position=item.position,
            kind=kind,
            question=kinds.QUESTIONS[kind],
            prompt=prompt.text,
            response=kinds.response_text(answer),
            anchors=anchors,
            options=anchors if kind == "option" else (),
            reasons=kinds.reasons(kind),
            is_truncated=answer.outcome is Outcome.TRUNCATED,
            outcome=kinds.what_came(answer),
            own=self._own(item),
            both=self._both(item),
        )
