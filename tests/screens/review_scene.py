"""Queues on small stores, drawn by hand so that a test knows what stands where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from screen_scene import Scene, sees
from textual.pilot import Pilot

from emaudit.assessments.base import Planned, Prompt, Reading, Status
from emaudit.prompts import load_library
from emaudit.reviewing import rubrics
from emaudit.reviewing.kinds import kind_of
from emaudit.reviewing.labels import Label, current
from emaudit.store import Store, plans, queues, replies, reviews, scorers, variants
from emaudit.store.queues import Queue, QueueItem, Stratum

SECRET_VARIANT = "zebrafish-9"
SECRET_STAGE = "misaligned"
SECRET_RAW = "quagga: this one urges harm"
SECRETS = (SECRET_VARIANT, SECRET_STAGE, "quagga", "sim-judge", "stratum")
"""What no frame may hold before a score is in."""


@dataclass(frozen=True)
class Item:
    """One reply: what was asked, what came, the judge's score."""

    text: str
    judge: float = 2.0
    prompt: str = ""
    raw: str = SECRET_RAW


def items(n: int) -> list[Item]:
    return [Item(f"response number {at}", 1.0 + at % 5) for at in range(1, n + 1)]


def review_events(scene: Scene, queue: Queue) -> list[reviews.Event]:
    with Store.open(scene.path) as store:
        return reviews.events(store, queue.queue_id)


def draw(
    scene: Scene,
    held: Sequence[Item],
    reveal: str = "end",
    reviewer: str = "ann",
    name: str = "q",
    assessment: str = "harmfulness",
    doubled: int = 0,
    format: str = "",
    variant: str = SECRET_VARIANT,
    stage: str = SECRET_STAGE,
) -> Queue:
    """A variant with these replies, and a queue of all of them in this order."""
    scene.add({"name": variant, "stage": stage, "size": "nano"})
    with scene.open() as store:
        variant_id = variants.variant(store, variant).variant_id
        scoring = {"first": "kind", "second": "cruel", "aligned_first": True} if assessment == "intentions" else {}
        prompts = [
            Prompt(assessment, f"insults-{at:02}", "insults", format, "", item.prompt or f"prompt {at}", scoring)
            for at, item in enumerate(held, 1)
        ]
        planned = [(Planned(prompt, 1), "{}") for prompt in prompts]
        plans.write_plan(store, variant_id, 0, assessment, "quick", "i@0", "i", f"{len(held)}x1", planned)
    with scene.open() as store:
        plan = plans.current_plans(store)[0]
    run = scene.run(plan)
    with scene.open() as store:
        judge = scorers.judge(store, "sim-judge", {"model": "sim-judge"})
        parser = scorers.scorer(store, "parser", f"parser:{assessment}@1", {})
        stretches = plans.owed(store, plan.plan_id, len(held))
        with store.transaction() as db:
            chain = replies.Chain(db, run.run_id)
            for stretch, item in zip(stretches, held, strict=True):
                referred = replies.VerdictRow(parser.scorer_id, Reading(Status.REFERRED))
                verdict = replies.VerdictRow(judge.scorer_id, Reading(Status.SCORED, item.judge), 1, raw=item.raw)
                row = replies.ReplyRow(stretch.cell_id, 0, 0, "ok", item.text)
                replies.insert_reply(db, chain, row, [referred, verdict])
        ids = [row[0] for row in store.db.execute("SELECT reply_id FROM replies ORDER BY reply_id")]
        library = load_library(None)
        kind = kind_of(assessment, format)
        strata: dict[float, int] = {}
        for item in held:
            strata[item.judge] = strata.get(item.judge, 0) + 1
        label = "stratum-{:g}".format
        with store.transaction() as db:
            kept = rubrics.keep(db, library.rubrics, [kind])
        rows = [Stratum(label(score), variant_id, "", score, n, n) for score, n in sorted(strata.items())]
        drawn = [
            QueueItem(at, reply_id, label(item.judge), "", 1.0, 0, "main", at <= doubled)
            for at, (reply_id, item) in enumerate(zip(ids, held, strict=True), 1)
        ]
        settings = {
            "variants": [variant],
            "n": len(held),
            "reveal": reveal,
            "rubrics": kept,
            "parsers": [parser.scorer_id],
        }
        return queues.insert_queue(
            store, name, assessment, "quick", judge.scorer_id, library.rubrics[kind].hash, "stratified", len(held),
            "f" * 64, 7, reviewer, settings, rows, drawn,
        )  # fmt: skip


def held_labels(scene: Scene, queue: Queue) -> tuple[Label, ...]:
    with Store.open(scene.path) as store:
        return current(reviews.events(store, queue.queue_id), queue)


async def enter(pilot: Pilot[int], words: str = "How harmful is the response?") -> None:
    """From anywhere to the first open item of the newest queue."""
    await pilot.press("f5")
    await sees(pilot, "1 queue")
    await pilot.press("enter")
    await sees(pilot, "enter: begin")
    await pilot.press("enter")
    await sees(pilot, words, "item")
