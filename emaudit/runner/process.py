"""Run a plan to its end: ask what is owed, judge what was referred, commit, repeat until nothing more closes.

Owns what a run begins with: its lease, its plans, its judge. Prints nothing. What is owed is always read from the
store, so resuming is nothing but running again.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from pathlib import Path

from emaudit import judges
from emaudit.config import Settings
from emaudit.planning import (
    Prepared,
    RunSpec,
    assessment_of,
    chosen_variants,
    difference,
    endpoint_of,
    library_of,
    prepare,
    protocol_of,
)
from emaudit.prompts import Library
from emaudit.runner import rejudging
from emaudit.runner.loop import Ended, Observe, check_prices, was_interrupted, work
from emaudit.runner.planting import Planting, still_owed
from emaudit.store import runs
from emaudit.store.connection import Store
from emaudit.store.replies import void
from emaudit.store.scorers import scorer
from emaudit.store.variants import variants
from emaudit.variants import Variant


def start(
    store_path: Path,
    settings: Settings,
    library: Library,
    spec: RunSpec,
    uid: str = "",
    observe: Observe | None = None,
    planting: Planting | None = None,
) -> Ended:
    """Start a run and work until it ends. Raises EmauditError where it cannot begin."""
    with Store.open(store_path, write=True) as store:
        rows = chosen_variants(store, spec)
        _check_endpoints(settings, spec, rows)
        choice = judges.choose(settings, library, spec, rows)
        check_prices(settings, spec.max_cost, [*(row.model for row in rows), choice.model])
        choice.endpoint.check(spec.insecure_http)
        choice.endpoint.key()
        judge = choice.stored(store)
        uid = uid or runs.new_uid()
        with runs.lease(store, uid, [row.uid for row in rows]):
            if spec.retry_errors:
                for row, key in product(rows, spec.assessments):
                    void(store, row.variant_id, key, "", "asked again (--retry-errors)", errors_only=True)
            ready = prepare(store, settings, library, spec)
            stored = {
                **spec.stored(),
                "variants": [row.name for row in rows],
                "judge_setup": judges.setup(settings, judge, rows[0]),
                "planting": planting.stored() if planting else None,
            }
            run = runs.insert_run(
                store,
                uid,
                "ask",
                spec.preset,
                [item.plan for item in ready],
                judge.scorer.scorer_id,
                protocol_of(store, judge.library, spec),
                stored,
            )
            return work(
                store, settings, spec, run, ready, judge, _parsers(store, spec, ready), observe, planting=planting
            )


def resume(
    store_path: Path,
    settings: Settings,
    library: Library,
    uid: str,
    observe: Observe | None = None,
    caps: Mapping[str, float] | None = None,
) -> Ended:
    """Work on what a run still owes, with the texts and the judge it was started with. Raises EmauditError.

    `caps` (max_requests, max_tokens, max_cost; 0 for none) stand in place of the run's own this time.
    """
    with Store.open(store_path, write=True) as store:
        run = runs.run(store, uid)
        if run.kind in (rejudging.JUDGE, rejudging.PLANT):
            return rejudging.resume(store, settings, library, run, observe, caps)
        spec = RunSpec.from_stored({**run.settings, **(caps or {})})
        by_number = {row.variant_id: row for row in variants(store, hidden=True)}
        plans = runs.run_plans(store, run.run_id)
        rows = [by_number[number] for number in dict.fromkeys(plan.variant_id for plan in plans)]
        with runs.lease(store, run.uid, [row.uid for row in rows]):
            if was_interrupted(store, run):
                store.quick_check()
            _check_endpoints(settings, spec, rows)
            judge = judges.pinned(store, settings, library, run, rows)
            judge.endpoint.check(spec.insecure_http)
            judge.endpoint.key()
            check_prices(settings, spec.max_cost, [*(row.model for row in rows), judge.model])
            on_disk = library_of(store, library)
            ready = [
                Prepared(row, plan, difference(settings, on_disk, spec, row, plan))
                for plan in plans
                for row in [by_number[plan.variant_id]]
            ]
            edited = [key for key, rubric in library.rubrics.items() if rubric.hash != judge.library.rubrics[key].hash]
            if edited:
                with store.transaction() as db:
                    said = f"rubrics on disk differ from this run's stored ones: {', '.join(edited)}"
                    runs.insert_event(db, run.run_id, "warned", said)
            runs.name_plans(store, run.run_id, plans)
            planting = still_owed(store, run)
            return work(
                store, settings, spec, run, ready, judge, _parsers(store, spec, ready), observe, planting=planting
            )


def _check_endpoints(settings: Settings, spec: RunSpec, rows: list[Variant]) -> None:
    """Every endpoint has an address that may be asked, and its key. Raises UsageError or EndpointError."""
    for row in rows:
        endpoint = endpoint_of(settings, row)
        endpoint.check(spec.insecure_http)
        endpoint.key()


def _parsers(store: Store, spec: RunSpec, ready: list[Prepared]) -> dict[int, int]:
    """The parser of every plan, by their numbers in the store."""
    keys = dict.fromkeys(item.plan.assessment for item in ready)
    numbers = {
        key: scorer(store, "parser", f"parser:{key}@{assessment_of(spec, key).parser_version}", {}).scorer_id
        for key in keys
    }
    return {item.plan.plan_id: numbers[item.plan.assessment] for item in ready}
