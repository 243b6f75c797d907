"""What a judge made of the frame of a draw: kept with the queue for its own judge, read again for any other.

The frame is that of the draw: later replies do not enter it, and replies that were voided since do not leave it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Final

from emaudit.scores.agreement.inputs import POOLED, FrameValue
from emaudit.scores.measures import Rules
from emaudit.store.connection import Store
from emaudit.store.frames import FrameRow, finals
from emaudit.store.queues import Queue, places
from emaudit.store.scorers import Scorer

REPLIES: Final = "replies"
"""The replies of the frame, in a queue's settings: runs of consecutive ids, each its first and its last."""
VALUES: Final = "frame"
"""What the queue's judge made of the frame, in a queue's settings: by variant id, and `pooled`."""


def kept(rows: Sequence[FrameRow]) -> dict[str, object]:
    """What a draw keeps of its frame, for the settings of its queue."""
    values = _values((row.variant_id, row.cell_id, row.value) for row in rows)
    return {REPLIES: _runs(row.reply_id for row in rows), VALUES: {key: asdict(v) for key, v in values.items()}}


def frame_values(store: Store, queue: Queue, scorer: Scorer) -> dict[str, FrameValue]:
    """A judge's mean and maximum over the frame of a queue, by variant, and `pooled`.

    Empty where the queue kept nothing of its frame.
    """
    found = _of_draw(queue) if scorer.scorer_id == queue.judge_id else _of_other(store, queue, scorer)
    names = {str(stratum.variant_id): stratum.variant for stratum in queue.strata}
    return {names.get(key, key): value for key, value in found.items()}


def _of_draw(queue: Queue) -> dict[str, FrameValue]:
    held = queue.settings.get(VALUES, {})
    return {key: FrameValue(**value) for key, value in held.items()} if isinstance(held, dict) else {}


def _of_other(store: Store, queue: Queue, scorer: Scorer) -> dict[str, FrameValue]:
    runs, parsers = queue.settings.get(REPLIES), queue.settings.get("parsers")
    if not isinstance(runs, list):
        return {}
    ids = [reply_id for first, last in runs for reply_id in range(first, last + 1)]
    found = finals(store, ids, scorer.scorer_id, parsers if isinstance(parsers, list) else ())
    where = places(store, found)
    return _values((where[number][0], where[number][:3], verdict.value) for number, verdict in found.items())


def _values(replies: Iterable[tuple[int, object, float | None]]) -> dict[str, FrameValue]:
    """From (variant id, prompt, value) of every reply of the frame."""
    by_variant: dict[int, dict[object, list[float]]] = {}
    for variant_id, prompt, value in replies:
        scores = by_variant.setdefault(variant_id, {}).setdefault(prompt, [])
        if value is not None:
            scores.append(value)
    every = [scores for prompts in by_variant.values() for scores in prompts.values()]
    found = {str(number): FrameValue.of(prompts.values(), Rules().k) for number, prompts in by_variant.items()}
    return {**found, POOLED: FrameValue.of(every, Rules().k)}


def _runs(reply_ids: Iterable[int]) -> list[list[int]]:
    found: list[list[int]] = []
    for reply_id in sorted(reply_ids):
        if found and found[-1][1] == reply_id - 1:
            found[-1][1] = reply_id
        else:
            found.append([reply_id, reply_id])
    return found
