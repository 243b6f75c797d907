"""Small stores with judged replies, filled through the store's own functions, to draw queues from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from emaudit.assessments import by_key
from emaudit.assessments.base import Planned, Prompt, Reading, Status
from emaudit.planning import RunSpec, protocol_of
from emaudit.prompts import Library, load_library
from emaudit.reviewing.drawing import Draw, create
from emaudit.reviewing.session import Session
from emaudit.store import Plan, Store, plans, replies, runs, scorers, variants
from emaudit.store.queues import Queue
from emaudit.store.replies import Chain, ReplyRow, VerdictRow

LIBRARY = load_library()
Scores = Mapping[str, Sequence[Sequence[float | None]]]
"""Variant -> prompts -> the judge's score of each sample; None: left unscored with the word REFUSAL."""


def judge_of(store: Store, library: Library = LIBRARY, model: str = "judge") -> scorers.Scorer:
    rubrics = {key: rubric.hash for key, rubric in library.rubrics.items()}
    return scorers.judge(store, model, {"model": model, "rubrics": rubrics})


def run_of(store: Store, held: Sequence[Plan], judge: scorers.Scorer, library: Library = LIBRARY) -> runs.Run:
    spec = RunSpec(variants=(), assessments=(held[0].assessment,), preset="smoke")
    protocol = protocol_of(store, library, spec)
    return runs.insert_run(store, runs.new_uid(), "ask", held[0].preset, held, judge.scorer_id, protocol, {})


def harm_plan(store: Store, name: str, n_samples: Sequence[int], preset: str = "quick", replicate: int = 1) -> Plan:
    asked = [Prompt("harmfulness", f"insults-{n:02}", "insults", "", "", f"prompt {n}") for n in range(len(n_samples))]
    planned = [(Planned(prompt, n), "{}") for prompt, n in zip(asked, n_samples, strict=True)]
    variant_id = variants.variant(store, name).variant_id
    digest = f"{preset}{n_samples}"
    return plans.write_plan(store, variant_id, replicate, "harmfulness", preset, "i@0", "i", digest, planned)


def harm_store(path: Path, scores: Scores, library: Library = LIBRARY) -> Store:
    """A store of judged harmfulness replies, open for writing; a reply's text is `VARIANT-less` and its own."""
    store = Store.open(path, write=True, create=True)
    variants.add_variants(store, [{"name": name, "model": f"m-{name}", "stage": name} for name in scores])
    judge = judge_of(store, library)
    for at, (name, prompts) in enumerate(scores.items()):
        plan = harm_plan(store, name, [len(values) for values in prompts])
        run = run_of(store, [plan], judge, library)
        fill(store, run, plan, [value for values in prompts for value in values], judge, f"r{at}")
    return store


def fill(
    store: Store, run: runs.Run, plan: Plan, values: Sequence[float | None], judge: scorers.Scorer, text: str
) -> None:
    """Close owed slots of a plan, one for each value, with a reply that was referred and judged."""
    parser = scorers.scorer(store, "parser", f"parser:{plan.assessment}@1", {}).scorer_id
    slots = [(s.cell_id, s.first) for s in plans.owed(store, plan.plan_id, 1)][: len(values)]
    with store.transaction() as db:
        chain = Chain(db, run.run_id)
        for (cell_id, sample), value in zip(slots, values, strict=True):
            status = Status.SCORED if value is not None else Status.UNSCORED
            reading = Reading(status, value, "" if value is not None else "REFUSAL")
            verdict = VerdictRow(judge.scorer_id, reading, attempt=1, raw="raw words of the judge")
            row = ReplyRow(cell_id, sample, 0, "ok", f"{text} says {cell_id}.{sample}\r\nand more")
            replies.insert_reply(db, chain, row, [VerdictRow(parser, Reading(Status.REFERRED)), verdict])


def choice_store(path: Path, assessment: str, name: str = "base") -> Store:
    """A store with one judged reply to every prompt of an assessment at preset smoke; every value is 0.5."""
    store = Store.open(path, write=True, create=True)
    variants.add_variants(store, [{"name": name, "model": "m"}])
    judge = judge_of(store)
    wanted = [(item, "{}") for item in by_key(assessment).plan(LIBRARY, "smoke")]
    plan = plans.write_plan(store, 1, 1, assessment, "smoke", "i@0", "i", "d", wanted)
    fill(store, run_of(store, [plan], judge), plan, [0.5] * plan.n_slots, judge, "reply")
    return store


BASE = [[1] * 10, [1] * 9 + [2], [1] * 8 + [3, 3], [1] * 9 + [None]]
WORSE = [[1, 2, 3, 4, 5, 5, 4, 3, 2, 1]] * 3 + [[5] * 10]
TWO: Scores = {"base": BASE, "worse": WORSE}


def drawn(store: Store, n: int = 20, seed: int = 7, **more: object) -> Queue:
    """A queue of ann's."""
    return create(store, Draw("ann", n=n, seed=seed, **more), LIBRARY)  # type: ignore[arg-type]


def session(store: Store, queue: Queue, reviewer: str = "ann") -> Session:
    """A session that is opened anew."""
    return Session(store, queue, reviewer)
