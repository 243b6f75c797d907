"""Verify a store: walk every hash chain, and hold every hash against what it is the hash of."""

from __future__ import annotations

from collections.abc import Iterable

from emaudit.assessments.base import Planned, Prompt
from emaudit.planning import plan_hash
from emaudit.prompts import content_hash
from emaudit.store.chains import chain_problems, said
from emaudit.store.connection import Store
from emaudit.store.horizon import snapshot
from emaudit.store.sums import (
    Asked,
    as_far_as_read,
    file_problems,
    plan_problems,
    review_problems,
    text_problems,
    void_problems,
)
from emaudit.verifying.report import Report, Tell, silent


def verify_store(store: Store, tell: Tell = silent) -> Report:
    """Every chain, hash, reference and trigger of a store, as it stands at one moment even while a run writes."""
    report = Report()
    with snapshot(store):
        tell("checking the file")
        report.problems += as_far_as_read("the file", file_problems(store))
        report.checked.append("the SQLite file, its references, and the triggers that keep rows as they are")
        walk = chain_problems(store, lambda n: tell(f"{n:,} rows of the chains walked"))
        report.problems += as_far_as_read("replies and verdicts", walk)
        report.checked.append(f"the hash chains of {said(store)}")
        tell("checking texts, plans and reviews")
        report.problems += as_far_as_read("texts, prompts and scorers", text_problems(store))
        report.problems += as_far_as_read("plans", plan_problems(store, _hashes))
        report.problems += as_far_as_read("voids", void_problems(store))
        report.problems += as_far_as_read("reviews", review_problems(store))
        report.checked.append("the hashes of texts, prompts, plans, judges and draws, and the chains of reviews")
    return report


def _hashes(instrument: str, asked: Asked) -> Iterable[str]:
    """The hash of a planned set of prompts, and that of an imported one."""
    yield plan_hash(
        instrument,
        [
            (Planned(Prompt("", item, part, form, condition, text), n), params)
            for item, part, form, condition, text, n, params in asked
        ],
    )
    yield content_hash([[item, part, text, n] for item, part, _, _, text, n, _ in asked])
