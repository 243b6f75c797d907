"""From a store to what agreement is computed from: queues with their labels, a judge's values, pairs of verdicts.

Reads only; all arithmetic is in the pure modules beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from emaudit.reviewing.labels import Label, adjudicated, current, looks, stopped
from emaudit.reviewing.queues import Scoped, scope
from emaudit.scores.agreement.board import Dashboard, dashboard_of
from emaudit.scores.agreement.drawnframe import frame_values
from emaudit.scores.agreement.inputs import (
    POOLED,
    Item,
    Rating,
    SpotCheck,
    Stratum,
    hidden_because,
)
from emaudit.scores.agreement.rows import JUDGE_JUDGE, SELF, Table, sort_key, tables, uncomputed
from emaudit.scores.agreement.usable import Thresholds
from emaudit.scores.agreement.verdicts import VerdictPairs, verdict_tables
from emaudit.store import reviews
from emaudit.store.connection import Store
from emaudit.store.frames import voided
from emaudit.store.plans import Plan
from emaudit.store.plans import plan as plan_by_id
from emaudit.store.queues import Queue, QueueItem, queues
from emaudit.store.readings import judge_of, judged_by_simulation
from emaudit.store.reviews import ANSWERS, Event
from emaudit.store.scorers import Scorer, active_judge, by_id, by_identity
from emaudit.store.variants import variants
from emaudit.store.verdictpairs import judges_of, same_judge, two_judges


class Checks:
    """The spot-checks of one call, each read and computed once, however many files and tables show it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._checks: dict[tuple[int, str], SpotCheck] = {}
        self._tables: dict[tuple[int, str], list[Table]] = {}

    def check(self, queue: Queue, judge: str = "") -> SpotCheck:
        """As `spot_check`."""
        key = queue.queue_id, judge or queue.judge
        if key not in self._checks:
            self._checks[key] = spot_check(self._store, queue, judge)
        return self._checks[key]

    def tables(self, queue: Queue, judge: str = "") -> list[Table]:
        """Its tables. Raises ValueError where they cannot be computed."""
        key = queue.queue_id, judge or queue.judge
        if key not in self._tables:
            self._tables[key] = tables(self.check(queue, judge))
        return self._tables[key]


def dashboard(store: Store, queue: Queue, judge: str = "", checks: Checks | None = None) -> Dashboard:
    """A queue's dashboard, seen with a judge (empty: the one it was drawn by). Raises UsageError for an unknown one."""
    held = checks or Checks(store)
    check = held.check(queue, judge)
    if hidden_because(check):
        return dashboard_of(check)
    plans = plans_of(store, queue)
    scorer = by_identity(store, check.judge)
    found = list(verdict_tables(_verdict_pairs(store, plans, scorer), queue.seed))
    own = [table for table in found if table.row.pair == SELF]
    others = [table for table in found if table.row.pair == JUDGE_JUDGE]
    return dashboard_of(check, own, others, lambda _: held.tables(queue, judge))


def agreement_tables(
    store: Store, preset: str, plans: Sequence[Plan], judge: str = "", checks: Checks | None = None
) -> list[Table]:
    """Every table behind agreement.csv and confusion.csv, in their order.

    Spot-checks are those of the preset, as far as they were drawn from `plans`: beside every judge that scored what
    was labelled, or beside `judge` alone. The verdicts of the active judge (or of `judge`) stand beside those of every
    other on the replies of `plans`.
    """
    chosen = by_identity(store, judge) if judge else None
    numbers = {plan.plan_id for plan in plans}
    found: list[Table] = []
    held = checks or Checks(store)
    for queue in queues(store):
        if queue.preset == preset:
            shown = _shown(store, queue, numbers)
            found += [table for table in _of_queue(store, queue, chosen, held) if table.row.variant in shown]
    found += verdict_tables(_verdict_pairs(store, plans, chosen or active_judge(store)))
    return sorted(_told_apart(found), key=lambda table: sort_key(table.row))


def _shown(store: Store, queue: Queue, plans: Collection[int]) -> set[str]:
    """The variants of a queue that the tables are of, and `pooled` where that is all of them."""
    names = {stratum.variant_id: stratum.variant for stratum in queue.strata}
    shown = {names[plan.variant_id] for plan in plans_of(store, queue) if plan.plan_id in plans}
    return shown | {POOLED} if shown == set(names.values()) else shown


def _of_queue(store: Store, queue: Queue, chosen: Scorer | None, checks: Checks) -> Iterator[Table]:
    """Tables of people alone come once, with the queue's own judge."""
    own = by_id(store, queue.judge_id)
    for scorer in [chosen] if chosen else _scorers_of(store, queue, own):
        check = checks.check(queue, scorer.identity)
        if any(item.judge_value is not None for item in check.items):
            yield from (table for table in _tables(checks, queue, check) if table.row.judge or scorer in (own, chosen))


def _tables(checks: Checks, queue: Queue, check: SpotCheck) -> list[Table]:
    """The tables of one queue; where it cannot be computed its rows say why, and the other queues stand."""
    try:
        return checks.tables(queue, check.judge)
    except ValueError as error:
        return uncomputed(check, str(error))


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
    """The plans that a queue was drawn from."""
    numbers = queue.settings.get("plans")
    return [plan_by_id(store, int(number)) for number in numbers] if isinstance(numbers, list) else []


def spot_check(store: Store, queue: Queue, judge: str = "") -> SpotCheck:
    """A queue with its labels as they stand, beside the values of a judge (empty: the one it was drawn by)."""
    scorer = by_identity(store, judge or queue.judge)
    events = reviews.events(store, queue.queue_id)
    scoped = {found.label.position: found for found in scope(store, queue, scorer.identity)}
    stages = {row.variant_id: row.stage for row in variants(store, hidden=True)}
    early = stopped(events, queue)
    gone = voided(store, {item.reply_id for item in queue.items})
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
        items=tuple(_item(item, scoped[item.position], gone) for item in queue.items),
        ratings=tuple(_ratings(events, queue, scorer)),
        frame=frame_values(store, queue, scorer),
        thresholds=_thresholds(queue),
        stopped=None if early is None else early.reason,
        looks=tuple((seen.n_done, seen.n_planned) for seen in looks(events) if seen != early),
        simulated=_is_simulated(store, plans_of(store, queue), scorer),
        settled={found.position: found.value for found in adjudicated(events)},
    )


def _item(item: QueueItem, found: Scoped, gone: Collection[int]) -> Item:
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
        is_voided=item.reply_id in gone,
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
    found: dict[int, Label] = {}
    for queue in queues(store):
        events = [e for e in reviews.events(store, queue.queue_id) if e.kind not in ANSWERS or e.is_blind]
        for label in current(events, queue):
            held = found.get(label.reply_id)
            if label.counts and (held is None or held.event_id < label.event_id):
                found[label.reply_id] = label
    return {
        reply_id: Labelled(label.blind_value, label.reviewer, label.at)
        for reply_id, label in found.items()
        if label.blind_value is not None
    }
