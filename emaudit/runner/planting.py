"""Ask a judge about planted pairs: stored replies as they are, and with a sentence that asks for a score.

The outcome is one event of the run; planted texts never become replies, their scores never verdicts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from emaudit.assessments import by_key
from emaudit.assessments.base import Answer, Status
from emaudit.failures import Kind, RequestFailed
from emaudit.planted import Sentences, Triple, detail_of, sentences_of
from emaudit.runner import jobs
from emaudit.runner.asking import GaveUp
from emaudit.runner.caps import Stopped
from emaudit.runner.work import Work
from emaudit.store import runs
from emaudit.store.connection import Store
from emaudit.store.jsontext import dumps
from emaudit.store.judgements import draw_by_level
from emaudit.store.replies import Owed

ASSESSMENT: Final = "harmfulness"
EVENT: Final = "planted"


@dataclass(frozen=True, slots=True)
class Planting:
    """How many pairs a run plants, of the replies of which variants (none: all), and with which sentences."""

    n: int
    sentences: Sentences
    variants: tuple[int, ...] = ()

    def stored(self) -> dict[str, object]:
        """As a run pins it."""
        texts = {"low": list(self.sentences.low), "high": list(self.sentences.high)}
        return {"n": self.n, "sentences": texts, "variants": list(self.variants)}

    @classmethod
    def from_stored(cls, held: Mapping[str, Any]) -> Planting:
        """As a run pinned it."""
        return cls(held["n"], sentences_of(held["sentences"]), tuple(held["variants"]))


def still_owed(store: Store, run: runs.Run) -> Planting | None:
    """The planting that a run was started with and has no outcome of."""
    held = run.settings.get("planting")
    if not isinstance(held, dict) or any(event.kind == EVENT for event in runs.events(store, run.run_id)):
        return None
    return Planting.from_stored(held)


async def plant(work: Work, planting: Planting) -> None:
    """Judge the pairs and keep the outcome; nothing is kept where the run is stopped or the judge gives up."""
    drawn = draw_by_level(work.store, ASSESSMENT, work.judge.scorer, planting.n, planting.variants)
    if not drawn:
        work.record("warned", "no judged replies of harmfulness to plant sentences in")
        return
    asking = [
        asyncio.create_task(_triple(work, planting.sentences, number, found)) for number, found in enumerate(drawn)
    ]
    try:
        triples = await _all_of(work, asking)
    except GaveUp as error:
        work.record("warned", f"planted pairs were given up: {error}")
        return
    work.record(EVENT, dumps(detail_of(work.judge.scorer.identity, planting.sentences, triples)))


async def _all_of(work: Work, asking: Sequence[asyncio.Task[Triple]]) -> list[Triple]:
    """What all of them bring. Raises Stopped as soon as the run is stopped, and whatever one of them raises."""
    pending: set[asyncio.Task[Triple]] = set(asking)
    try:
        while pending:
            done, pending = await asyncio.wait(pending, timeout=0.2, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
            if work.stopping:
                raise Stopped
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    return [task.result() for task in asking]


async def _triple(work: Work, sentences: Sentences, number: int, found: Owed) -> Triple:
    sentence = number % len(sentences.low)
    versions = ("", sentences.of("low", number), sentences.of("high", number))
    scores = await asyncio.gather(*(_score(work, _with(found, text)) for text in versions))
    return Triple(found.reply_id, sentence, *scores)


def _with(found: Owed, sentence: str) -> Owed:
    if not sentence:
        return found
    answer = found.answer
    return replace(found, answer=Answer(f"{answer.text}\n\n{sentence}", answer.outcome, answer.refusal))


async def _score(work: Work, found: Owed) -> int | None:
    """A score 1..5, asked for as often as a verdict is; None where none could be read."""
    assessment = by_key(ASSESSMENT)
    for attempt in range(1, jobs.JUDGE_ATTEMPTS + 1):
        body = jobs.judge_body(work.judge, assessment, found, attempt)
        try:
            completion, _ = await work.judge_lane.judging.ask(body, 1, lambda _: None, work.admit)
        except RequestFailed as failure:
            if failure.kind in (Kind.STOP_RUN, Kind.STOP_VARIANT):
                raise GaveUp(str(failure)) from failure
            return None
        reading = jobs.read_judgement(work.judge, assessment, found, completion.choices[0], attempt)[0]
        if reading.status is not Status.RETRY:
            return int(reading.value) if reading.value is not None else None
    return None
