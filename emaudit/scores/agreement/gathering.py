"""From a store to what agreement is computed from: queues with their labels, a judge's values, pairs of verdicts.

Reads only; all arithmetic is in the pure modules beside it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from emaudit.reviewing.kinds import kind_of
from emaudit.reviewing.labels import Label, adjudicated, current, stopped
from emaudit.reviewing.queues import Scoped, scope
from emaudit.scores.agreement.board import Dashboard, dashboard_of
from emaudit.scores.agreement.inputs import (
    POOLED,
    FrameValue,
    Item,
    Rating,
    SpotCheck,
    Stratum,
    hidden_because,
)
from emaudit.scores.agreement.rows import JUDGE_JUDGE, SELF, Table, sort_key, tables
from emaudit.scores.agreement.usable import Thresholds
from emaudit.scores.agreement.verdicts import VerdictPairs, verdict_tables
from emaudit.scores.measures import Rules
from emaudit.stats.estimation import expected_maximum
from emaudit.store import reviews
from emaudit.store.connection import Store
from emaudit.store.frames import FrameRow, frame
from emaudit.store.plans import Plan, current_plans
from emaudit.store.queues import Queue, QueueItem, queues
from emaudit.store.readings import judge_of, judged_by_simulation
from emaudit.store.reviews import ANSWERS, Event
from emaudit.store.scorers import Scorer, active_judge, by_id, by_identity
from emaudit.store.variants import variants
from emaudit.store.verdictpairs import judges_of, same_judge, two_judges


def dashboard(store: Store, queue: Queue, judge: str = "") -> Dashboard:
    """A queue's dashboard, seen with a judge (empty: the one it was drawn by). Raises UsageError for an unknown one."""
    check = spot_check(store, queue, judge)
    if hidden_because(check):
        return dashboard_of(check)
    plans = plans_of(store, queue)
    scorer = by_identity(store, check.judge)
    found = list(verdict_tables(_verdict_pairs(store, plans, scorer), queue.seed))
    own = [table for table in found if table.row.pair == SELF]
    return dashboard_of(check, own, [table for table in found if table.row.pair == JUDGE_JUDGE])


def agreement_tables(store: Store, preset: str, plans: Sequence[Plan], judge: str = "") -> list[Table]:
    """Every table behind agreement.csv and confusion.csv, in their order.

    Spot-checks are those of the preset, as far as they were drawn from `plans`: beside every judge that scored what
    was labelled, or beside `judge` alone. The verdicts of the active judge (or of `judge`) stand beside those of every
    other on the replies of `plans`.
    """
    chosen = by_identity(store, judge) if judge else None
    numbers = {plan.plan_id for plan in plans}
    found: list[Table] = []
    for queue in queues(store):
        if queue.preset == preset:
            shown = _shown(store, queue, numbers)
            found += [table for table in _of_queue(store, queue, chosen) if table.row.variant in shown]
    found += verdict_tables(_verdict_pairs(store, plans, chosen or active_judge(store)))
    return sorted(_told_apart(found), key=lambda table: sort_key(table.row))


def _shown(store: Store, queue: Queue, plans: Collection[int]) -> set[str]:
    """The variants of a queue that the tables are of, and `pooled` where that is all of them."""
    names = {stratum.variant_id: stratum.variant for stratum in queue.strata}
    shown = {names[plan.variant_id] for plan in plans_of(store, queue) if plan.plan_id in plans}
    return shown | {POOLED} if shown == set(names.values()) else shown


def _of_queue(store: Store, queue: Queue, chosen: Scorer | None) -> Iterator[Table]:
    """Tables of people alone come once, with the queue's own judge."""
    own = by_id(store, queue.judge_id)
    for scorer in [chosen] if chosen else _scorers_of(store, queue, own):
        check = spot_check(store, queue, scorer.identity)
        if any(item.judge_value is not None for item in check.items):
            yield from (table for table in tables(check) if table.row.judge or scorer in (own, chosen))


def _scorers_of(store: Store, queue: Queue, own: Scorer) -> list[Scorer]:
    numbers = {number for plan in plans_of(store, queue) for number in judges_of(store, plan)}
    return [own, *(by_id(store, number) for number in sorted(numbers - {own.scorer_id}))]


def _told_apart(found: Sequence[Table]) -> Iterator[Table]:
    """Where two queues would give the same key, the design's cell names the queue."""
    keys: dict[tuple[str, ...], set[str]] = {}
    for table in found:
        keys.setdefault(_key(table), set()).add(table.row.queue)
    for table in found:
        if len(keys[_key(table)]) < 2:
            yield table
            continue
        design = f"{table.row.design}:{table.row.queue}"
        cells = tuple(replace(cell, design=design) for cell in table.confusion)
        yield replace(table, row=replace(table.row, design=design), confusion=cells)


def _key(table: Table) -> tuple[str, ...]:
    row = table.row
    return (row.variant, row.assessment, row.measure, row.pair, row.judge, row.reviewer, row.design)


def plans_of(store: Store, queue: Queue) -> list[Plan]:
    """The plans that a queue was drawn from, as they are now."""
    replicates = {item.variant_id: item.replicate for item in queue.items}
    found = current_plans(store, queue.preset)
    return [p for p in found if p.assessment == queue.assessment and replicates.get(p.variant_id) == p.replicate]


def spot_check(store: Store, queue: Queue, judge: str = "") -> SpotCheck:
    """A queue with its labels as they stand, beside the values of a judge (empty: the one it was drawn by)."""
    scorer = by_identity(store, judge or queue.judge)
    events = reviews.events(store, queue.queue_id)
    scoped = {found.label.position: found for found in scope(store, queue, scorer.identity)}
    stages = {row.variant_id: row.stage for row in variants(store, hidden=True)}
    early = stopped(events, queue)
    return SpotCheck(
        name=queue.name,
        uid=queue.uid,
        assessment=queue.assessment,
        preset=queue.preset,
        judge=scorer.identity,
        queue_judge=queue.judge,
        design=queue.design,
        seed=queue.seed,
        reviewer=queue.reviewer,
        rubric_hash=queue.rubric_hash,
        n_planned=queue.n_planned,
        n_frame=queue.n_frame,
        strata=tuple(
            Stratum(s.stratum, s.variant, stages[s.variant_id], s.judge_value, s.n_frame, s.n_drawn, s.is_unscored)
            for s in queue.strata
        ),
        items=tuple(_item(item, scoped[item.position]) for item in queue.items),
        ratings=tuple(_ratings(events, queue, scorer)),
        frame=_frame_values(store, queue, scorer),
        thresholds=_thresholds(queue),
        stopped=None if early is None else early.reason,
        simulated=_is_simulated(store, plans_of(store, queue), scorer),
        settled={found.position: found.value for found in adjudicated(events)},
    )


def _item(item: QueueItem, found: Scoped) -> Item:
    cell = f"{item.variant_id}/{item.replicate}/{item.item}/{item.format}/{item.condition}"
    return Item(
        position=item.position,
        reply=item.reply_id,
        stratum=item.stratum,
        variant=found.variant,
        stage=found.stage,
        unit=item.unit or cell,
        role=item.role,
        judge_value=found.judge_value,
        form=item.format,
    )


def _is_simulated(store: Store, plans: Sequence[Plan], *judges: Scorer) -> bool:
    """Whether replies or verdicts are made up: a simulated judge may score real replies."""
    if store.kind == "simulated":
        return True
    return any(judged_by_simulation(store, plan, judge) for plan in plans for judge in judges)


def _thresholds(queue: Queue) -> Thresholds:
    stored = queue.settings.get("thresholds", {})
    return Thresholds.stored(stored if isinstance(stored, dict) else {})


def _ratings(events: Sequence[Event], queue: Queue, scorer: Scorer) -> Iterator[Rating]:
    """Every label as it stands, each with the newest value given blind under the rubric of the judge asked about."""
    for label in current(events, queue):
        if label.status not in ("open", "skipped") or label.blind_status or label.is_flagged:
            is_old = _is_old(label, scorer)
            yield Rating(
                position=label.position,
                reviewer=label.reviewer,
                status=label.status,
                value=label.value,
                blind=None if is_old else label.blind_value,
                is_blind=label.is_blind,
                is_old_rubric=is_old,
                reason=label.reason,
                seconds=label.seconds,
                is_flagged=label.is_flagged,
            )


def _is_old(label: Label, scorer: Scorer) -> bool:
    """Whether a label was made under another rubric than the judge's; imported judges name none."""
    rubrics = scorer.detail.get("rubrics", {})
    present = rubrics.get(label.kind, "") if isinstance(rubrics, dict) else ""
    return bool(present and label.rubric_hash and present != label.rubric_hash)


def _frame_values(store: Store, queue: Queue, scorer: Scorer) -> dict[str, FrameValue]:
    """A judge's mean and maximum over the frame, where the strata of the draw do not say them already."""
    names = {stratum.variant_id: stratum.variant for stratum in queue.strata}
    rows: dict[str, list[FrameRow]] = {}
    for plan in plans_of(store, queue):
        if plan.variant_id in names:
            drawn = (row for row in frame(store, plan, scorer.scorer_id) if kind_of(queue.assessment, row.format))
            rows.setdefault(names[plan.variant_id], []).extend(drawn)
    found = {name: _frame_value(held) for name, held in rows.items()}
    return {**found, POOLED: _frame_value([row for held in rows.values() for row in held])}


def _frame_value(rows: Iterable[FrameRow]) -> FrameValue:
    by_cell: dict[int, list[float]] = {}
    for row in rows:
        if row.value is not None:
            by_cell.setdefault(row.cell_id, []).append(row.value)
    values = [value for cell in by_cell.values() for value in cell]
    if not values:
        return FrameValue(None, None, 0, "this judge scored no reply of the frame")
    k = Rules().k
    maxima = [found.value for cell in by_cell.values() if (found := expected_maximum(cell, k)).value is not None]
    known = [value for value in maxima if value is not None]
    maximum = math.fsum(known) / len(known) if known else None
    return FrameValue(math.fsum(values) / len(values), maximum, len(values), f"no prompt has {k} scored replies")


def _verdict_pairs(store: Store, plans: Sequence[Plan], scorer: Scorer | None) -> Iterator[VerdictPairs]:
    """A judge beside every other and beside itself, over plans; nothing where there is no judge."""
    names = {row.variant_id: row.name for row in variants(store)}
    for plan in plans:
        judge = judge_of(store, plan, scorer)
        if judge is None or plan.variant_id not in names:
            continue
        name = names[plan.variant_id]
        for number in judges_of(store, plan):
            other = by_id(store, number)
            pair, who = JUDGE_JUDGE, f"{judge.identity} vs {other.identity}"
            if number == judge.scorer_id:
                pair, who, counts = SELF, judge.identity, same_judge(store, plan, number)
            else:
                counts = two_judges(store, plan, judge.scorer_id, number)
            yield VerdictPairs(name, plan.assessment, pair, who, _is_simulated(store, [plan], judge, other), counts)


@dataclass(frozen=True, slots=True)
class Labelled:
    """The newest blind label that a queue's first reviewer gave a reply."""

    value: float
    reviewer: str
    at: str


def blind_labels(store: Store) -> dict[int, Labelled]:
    """By reply, the newest blind label of the first reviewer of any queue: what responses.csv shows."""
    found: dict[int, Labelled] = {}
    for queue in queues(store):
        events = [e for e in reviews.events(store, queue.queue_id) if e.kind not in ANSWERS or e.is_blind]
        for label in current(events, queue):
            held = found.get(label.reply_id)
            if label.counts and label.blind_value is not None and (held is None or held.at <= label.at):
                found[label.reply_id] = Labelled(label.blind_value, label.reviewer, label.at)
    return found
