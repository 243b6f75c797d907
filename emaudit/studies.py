"""A store as the analyses read it: every plan summed up, in several processes where there is much to count.

python -m emaudit.studies < order           one such process: plans in, summaries out, a JSON line each
python -m emaudit.studies keep < order      plans in, their summaries into the cache folder
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Final

from emaudit.archive import StoreArchive
from emaudit.child import module_command, module_environment
from emaudit.kept import Kept, Shelf, packed, unpacked
from emaudit.scores.measures import Rules
from emaudit.scores.rows import Source, newest_complete
from emaudit.scores.study import Study, Subject
from emaudit.scores.summary import Summary, summarised
from emaudit.store.connection import Store
from emaudit.store.horizon import Horizon, looking
from emaudit.store.plans import Plan
from emaudit.store.scorers import by_identity
from emaudit.variants import Variant

MANY: Final = 150_000
"""Replies to count from which on several processes share the work."""


def study_of(archive: StoreArchive, rules: Rules | None = None, cached: bool = True) -> Study:
    """The newest complete replicates of an archive. Without `cached` every number comes from the stored rows."""
    rules = rules or Rules()
    made = {summary.source: summary for summary in _summaries(archive, rules, cached)}
    chosen = newest_complete(made, lambda source: made[source].n_owed > 0)
    return Study(
        preset=archive.preset,
        subjects=tuple(
            Subject(row.name, row.size, row.domain, row.stage, row.parent)
            for row in sorted(archive.rows, key=lambda row: row.name)
        ),
        summaries={(source.variant, source.assessment): made[source] for source in chosen},
        rules=rules,
        left_out={str(row["variant"]): str(row["why"]) for row in archive.excluded()},
        judge=archive.leading_judge,
        outside=tuple(
            Subject(str(row["variant"]), "", str(row["domain"]), str(row["stage"]), "") for row in archive.excluded()
        ),
    )


def _summaries(archive: StoreArchive, rules: Rules, cached: bool) -> Iterator[Summary]:
    plans = archive.plans()
    shelf = Shelf(archive.store, archive.judge, rules) if cached and not archive.store.horizon else None
    variants = {plan.plan_id: row for row, plan in plans}
    held: dict[int, Summary] = {}
    for row, plan in plans if shelf else ():
        kept = shelf.get(plan) if shelf else None
        if kept is not None:
            held[plan.plan_id] = _summary(archive, row, plan, kept)
    missing = [plan for _, plan in plans if plan.plan_id not in held]
    for plan, kept in _counted(archive, missing, rules):
        held[plan.plan_id] = _summary(archive, variants[plan.plan_id], plan, kept)
        if shelf:
            shelf.put(plan, kept)
    for _, plan in plans:
        yield held.pop(plan.plan_id)


def keep(archive: StoreArchive, plans: Sequence[Plan]) -> None:
    """Sum up the plans that changed now, so that the next table need not."""
    shelf = Shelf(archive.store, archive.judge, Rules())
    for plan, kept in _counted(archive, [plan for plan in plans if shelf.get(plan) is None], Rules()):
        shelf.put(plan, kept)


def _summary(archive: StoreArchive, row: Variant, plan: Plan, kept: Kept) -> Summary:
    judge = by_identity(archive.store, kept["judge"]) if kept["judge"] else None
    return unpacked(kept, archive.source(row, plan, judge, kept["judged_by_simulation"]))


def _counted(archive: StoreArchive, plans: Sequence[Plan], rules: Rules) -> Iterator[tuple[Plan, Kept]]:
    """The summaries of plans, from their replies."""
    n_processes = min(os.cpu_count() or 1, len(plans))
    if n_processes < 2 or sum(plan.n_slots for plan in plans) < MANY:
        yield from ((plan, _count(archive, plan, rules)) for plan in plans)
        return
    by_size = sorted(plans, key=lambda plan: (plan.n_slots, plan.plan_id))
    shares = [by_size[place::n_processes] for place in range(n_processes)]
    with ThreadPoolExecutor(n_processes) as pool:
        for share, found in zip(shares, pool.map(partial(_elsewhere, _order(archive, rules)), shares), strict=True):
            missing = {plan.plan_id: plan for plan in share}
            for line in found:
                plan_id, kept = json.loads(line)
                yield missing.pop(plan_id), kept
            for plan in missing.values():
                yield plan, _count(archive, plan, rules)


def _order(archive: StoreArchive, rules: Rules) -> dict[str, Any]:
    judge = archive.judge.identity if archive.judge else ""
    horizon = asdict(archive.store.horizon or Horizon())
    known = {"preset": archive.preset, "judge": judge, "rules": asdict(rules)}
    return {"store": str(archive.store.path), "horizon": horizon, **known}


def _elsewhere(order: Mapping[str, Any], plans: Sequence[Plan]) -> list[str]:
    """Summaries made by a process of its own, a line each; none where it failed, and they are made here."""
    text = json.dumps({**order, "plans": [plan.plan_id for plan in plans]})
    done = subprocess.run(
        module_command("emaudit.studies"),
        env=module_environment(),
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    return done.stdout.splitlines() if not done.returncode else []


def _count(archive: StoreArchive, plan: Plan, rules: Rules) -> dict[str, Any]:
    found = archive.read(plan)
    source = Source("", "", "", "", "", 0, plan.assessment, "", "", simulated=False)
    return {
        **packed(summarised(source, found.tallies, rules)),
        "judge": found.judge.identity if found.judge else "",
        "judged_by_simulation": found.judged_by_simulation,
    }


def main(words: Sequence[str]) -> int:
    """Carry out one order on stdin."""
    order = json.load(sys.stdin)
    with Store.open(Path(order["store"])) as store, looking(store, Horizon(**order.get("horizon", {}))):
        archive = StoreArchive(store, order["preset"], order.get("judge", ""))
        wanted = set(order["plans"])
        plans = [plan for _, plan in archive.plans() if plan.plan_id in wanted]
        if words:
            keep(archive, plans)
            return 0
        for plan in plans:
            print(json.dumps([plan.plan_id, _count(archive, plan, Rules(**order["rules"]))]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
