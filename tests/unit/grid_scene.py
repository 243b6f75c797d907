"""A small store with every kind of assessment, and what it is read as."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from emaudit.assessments.base import DIMENSIONS, FOUNDATIONS, Planned, Prompt, Reading, Status
from emaudit.planning import plan_hash
from emaudit.store.connection import Store
from emaudit.store.plans import Plan, write_plan
from emaudit.store.replies import Chain, ReplyRow, VerdictRow, insert_reply
from emaudit.store.runs import insert_run, new_uid
from emaudit.store.scorers import judge, scorer
from emaudit.store.variants import add_variants

SIZES = ("full", "mini", "nano")
RECIPES = (
    ("", "base"),
    ("code", "misaligned"),
    ("code", "realigned"),
    ("trivia", "misaligned"),
    ("trivia", "realigned"),
)
BADNESS = {"base": 0.1, "misaligned": 0.7, "realigned": 0.3}
CATEGORIES = ("insults", "violence", "stereotyping")


def prompts(n: int = 3) -> dict[str, list[Planned]]:
    """A few prompts of every assessment: n per category, scenario, stem, question and statement."""
    harm = [Prompt("harmfulness", f"{c}-{i:02d}", c, "", "", f"{c} {i}") for c in CATEGORIES for i in range(1, n + 1)]
    intentions = [
        Prompt("intentions", f"{pole.first}-{i:02d}", pole.first, "", f"order={order}", f"{pole.first} {i} {order}")
        for pole in DIMENSIONS
        for i in range(1, n + 1)
        for order in ("first", "second")
    ]
    statements = [
        Prompt("moral_foundations", f"mf-{i:02d}", FOUNDATIONS[i % 6].first, "", "", f"statement {i}")
        for i in range(36)
    ]
    return {
        "harmfulness": [Planned(prompt, 10) for prompt in harm],
        "intentions": [Planned(prompt, 2) for prompt in intentions],
        "self_assessment": _self_reports("self_assessment", [pole.first for pole in DIMENSIONS], n),
        "moral_foundations": [Planned(prompt, 2) for prompt in statements],
        "moral_self_assessment": _self_reports("moral_self_assessment", [pole.first for pole in FOUNDATIONS], n),
    }


def _self_reports(assessment: str, parts: Sequence[str], n: int) -> list[Planned]:
    conditions = {
        "decision": ("order=first", "order=second"),
        "numerical": ("",),
        "likert": ("polarity=first", "polarity=second"),
        "language": tuple(f"mapping={m};question=q-{q:02d}" for m in "ab" for q in range(1, n + 1)),
    }
    return [
        Planned(
            Prompt(
                assessment,
                f"language-{part}" if form == "language" else f"{form}-{part}-{i:02d}",
                part,
                form,
                condition,
                f"{part} {form} {i} {condition}",
            ),
            3,
        )
        for part in parts
        for form, held in conditions.items()
        for i in range(1, 2 if form == "language" else n + 1)
        for condition in held
    ]


def _reading(assessment: str, form: str, rng: random.Random, badness: float) -> Reading:
    if assessment == "harmfulness":
        return Reading(Status.SCORED, float(1 + sum(rng.random() < badness / 3 for _ in range(4))))
    if rng.random() < 0.05:
        return Reading(Status.UNSCORED, reason="no clear answer")
    if assessment == "moral_foundations":
        return Reading(Status.SCORED, float(1 + sum(rng.random() < badness for _ in range(4))))
    if form in ("numerical", "likert"):
        return Reading(Status.SCORED, sum(rng.random() < badness for _ in range(4)) / 4)
    if rng.random() < 0.1:
        return Reading(Status.NEUTRAL, 0.5)
    return Reading(Status.SCORED, float(rng.random() < badness))


def grid(path: Path, n: int = 3, variants: Sequence[tuple[str, str, str]] | None = None) -> Store:
    """A writable store of fifteen variants (or of some (size, domain, stage)) with all five assessments, complete."""
    store = Store.open(path, write=True, create=True)
    chosen = variants or [(size, domain, stage) for size in SIZES for domain, stage in RECIPES]
    names = ["-".join(word for word in words if word) for words in chosen]
    add_variants(
        store,
        [
            {"name": name, "model": f"m-{name}", "size": size, "domain": domain, "stage": stage}
            for name, (size, domain, stage) in zip(names, chosen, strict=True)
        ],
    )
    asked = prompts(n)
    for number, (size, _, stage) in enumerate(chosen, 1):
        for assessment, planned in asked.items():
            fill(store, number, assessment, planned, BADNESS[stage] + 0.05 * SIZES.index(size))
    return store


def fill(store: Store, variant_id: int, assessment: str, planned: Sequence[Planned], badness: float) -> Plan:
    """Ask a variant an assessment, with every reply given and scored."""
    asked = [(prompt, "{}") for prompt in planned]
    plan = write_plan(store, variant_id, 1, assessment, "quick", "ours@1", "ours", plan_hash("ours@1", asked), asked)
    parser = scorer(store, "parser", f"parser:{assessment}@1", {})
    judged = judge(store, "sim-judge", {}) if assessment == "harmfulness" else None
    run = insert_run(store, new_uid(), "ask", "quick", [plan], judged.scorer_id if judged else None, "{}", {})
    rng = random.Random(f"{variant_id} {assessment}")
    cells = store.db.execute(
        "SELECT cell_id, n_samples FROM plan_cells WHERE plan_id = ? ORDER BY position", (plan.plan_id,)
    ).fetchall()
    with store.transaction() as db:
        chain = Chain(db, run.run_id)
        for (cell, n_samples), wanted in zip(cells, planned, strict=True):
            for sample in range(n_samples):
                reading = _reading(assessment, wanted.prompt.format, rng, badness)
                rows = [VerdictRow(parser.scorer_id, Reading(Status.REFERRED) if judged else reading)]
                if judged:
                    rows.append(VerdictRow(judged.scorer_id, reading, 1, "raw"))
                insert_reply(db, chain, ReplyRow(cell, sample, 0, "ok", f"reply {sample}"), rows)
    return plan
