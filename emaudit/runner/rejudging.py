"""Runs of kind `judge`: stored replies judged by another judge, and planted pairs. Asks no variant anything.

Owns what such a run begins with. What is owed is read from the store, so resuming is running again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from emaudit import judges, rejudging
from emaudit.config import Settings
from emaudit.judges import Choice, Judge
from emaudit.planning import Prepared
from emaudit.prompts import Library
from emaudit.rejudging import JudgeSpec
from emaudit.runner.loop import Ended, Observe, check_prices, was_interrupted, work
from emaudit.runner.planting import Planting, still_owed
from emaudit.store import runs
from emaudit.store.connection import Store
from emaudit.store.readings import parser_of
from emaudit.store.variants import variants
from emaudit.variants import Variant

JUDGE: Final = "judge"
PLANT: Final = "plant"
"""Kinds of runs: one judges stored replies, the other only planted pairs."""


def rejudge(
    store_path: Path,
    settings: Settings,
    library: Library,
    spec: JudgeSpec,
    uid: str = "",
    observe: Observe | None = None,
    planting: Planting | None = None,
) -> Ended:
    """Judge stored replies until nothing is owed. Raises EmauditError where it cannot begin."""
    with Store.open(store_path, write=True) as store:
        rows = rejudging.variants_of(store, spec)
        choice = rejudging.judge_of(store, settings, library, spec)
        _check(settings, choice, spec)
        uid = uid or runs.new_uid()
        with runs.lease(store, uid, [row.uid for row in rows]):
            ready = rejudging.stored_plans(store, spec)
            judge = choice.stored(store)
            run = _insert(store, settings, spec, uid, JUDGE, choice, judge, ready, rows, planting)
            return _judge(store, settings, spec, run, ready, judge, observe, planting)


def plant_only(
    store_path: Path,
    settings: Settings,
    library: Library,
    spec: JudgeSpec,
    planting: Planting,
    observe: Observe | None = None,
) -> Ended:
    """Judge planted pairs and nothing else. Raises EmauditError where it cannot begin."""
    with Store.open(store_path, write=True) as store:
        rows = rejudging.variants_of(store, spec)
        choice = rejudging.judge_of(store, settings, library, spec)
        _check(settings, choice, spec)
        uid = runs.new_uid()
        with runs.lease(store, uid, []):
            judge = choice.stored(store)
            run = _insert(store, settings, spec, uid, PLANT, choice, judge, [], rows, planting)
            return _judge(store, settings, spec, run, [], judge, observe, planting)


def resume(
    store: Store,
    settings: Settings,
    library: Library,
    run: runs.Run,
    observe: Observe | None = None,
    caps: Mapping[str, float] | None = None,
) -> Ended:
    """Go on with a run of either kind, with the judge and rubrics it was started with. Raises EmauditError."""
    spec = JudgeSpec.from_stored({**run.settings, **(caps or {})})
    by_number = {row.variant_id: row for row in variants(store, hidden=True)}
    ready = [Prepared(by_number[plan.variant_id], plan, "") for plan in runs.run_plans(store, run.run_id)]
    rows = list(dict.fromkeys(item.variant for item in ready))
    with runs.lease(store, run.uid, [row.uid for row in rows]):
        if was_interrupted(store, run):
            store.quick_check()
        judge = judges.pinned(store, settings, library, run, list(by_number.values()))
        check_prices(settings, spec.max_cost, [judge.model])
        judge.endpoint.check(spec.insecure_http)
        judge.endpoint.key()
        return _judge(store, settings, spec, run, ready, judge, observe, still_owed(store, run))


def _check(settings: Settings, choice: Choice, spec: JudgeSpec) -> None:
    check_prices(settings, spec.max_cost, [choice.model])
    choice.endpoint.check(spec.insecure_http)
    choice.endpoint.key()


def _insert(
    store: Store,
    settings: Settings,
    spec: JudgeSpec,
    uid: str,
    kind: str,
    choice: Choice,
    judge: Judge,
    ready: list[Prepared],
    rows: list[Variant],
    planting: Planting | None,
) -> runs.Run:
    stored = {
        **spec.stored(),
        "variants": [row.name for row in rows],
        "judge_setup": judges.setup(settings, judge, rows[0]),
        "planting": planting.stored() if planting else None,
    }
    preset = rejudging.preset_of(ready) if ready else ""
    plans = [item.plan for item in ready]
    protocol = rejudging.protocol_of(choice)
    return runs.insert_run(store, uid, kind, preset, plans, judge.scorer.scorer_id, protocol, stored)


def _judge(
    store: Store,
    settings: Settings,
    spec: JudgeSpec,
    run: runs.Run,
    ready: list[Prepared],
    judge: Judge,
    observe: Observe | None,
    planting: Planting | None,
) -> Ended:
    parsers = {item.plan.plan_id: parser_of(store, item.plan) for item in ready}
    caps = replace(spec.caps, variants=tuple(item.variant.name for item in ready))
    return work(store, settings, caps, run, ready, judge, parsers, observe, asks=False, planting=planting)
