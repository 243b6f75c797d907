"""Watch a store for the screens: look at it, and put what it says into a `Snapshot`.

Reads only, in a thread of the app's. A look recounts only plans whose rows changed, and at most for as long as
its budget lasts: the rest follows in the next looks, so that keys are answered meanwhile.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from emaudit.assessments import ASSESSMENTS, PAPER_FIVE
from emaudit.errors import StoreError
from emaudit.scores.headlines import Headline, headline
from emaudit.store import Progress, Store, readings
from emaudit.store import variants as stored_variants
from emaudit.store.plans import Plan, current_plans
from emaudit.store.recent import data_version, newest_replies
from emaudit.store.scorers import active_judge
from emaudit.variants import Variant, in_lineage_order
from emaudit.watch.runs import RunWatch, merged
from emaudit.watch.snapshot import NOTHING, Cell, LandedReply, Snapshot, VariantRow, branches

BUDGET_S: Final = 0.2
"""Seconds of counting per look."""
ACTIVE_S: Final = 3.0
"""Seconds for which an assessment counts as active after a reply landed."""
DUTY: Final = 15.0
"""A plan is recounted after this many times the seconds that counting it took."""
N_REPLIES: Final = 80
SHOWN: Final = 600
"""How many of the last replies are kept for the screen, and how many characters of each."""

Counted = TypeVar("Counted")
Touched = tuple[int, str]
"""(variant id, assessment)."""


@dataclass
class _Figure(Generic[Counted]):
    """Something counted in the store, and whether it is still so."""

    value: Counted | None = None
    is_stale: bool = True
    counted_at: float = 0.0
    took_s: float = 0.0

    def is_due(self, now: float) -> bool:
        """Whether it is stale, and was not counted so lately that counting would take all the time."""
        return self.is_stale and (self.value is None or now - self.counted_at >= DUTY * self.took_s)

    def count(self, counted: Callable[[], Counted]) -> None:
        """Count it now."""
        begun = time.monotonic()
        self.value = counted()
        self.is_stale = False
        self.counted_at = time.monotonic()
        self.took_s = self.counted_at - begun


@dataclass
class _Count:
    """What is known of one plan."""

    plan: Plan
    progress: _Figure[Progress] = field(default_factory=_Figure)
    headline: _Figure[Headline] = field(default_factory=_Figure)


@dataclass
class _Marks:
    """The newest row ids seen: reply, verdict, void."""

    ids: list[int] = field(default_factory=lambda: [0, 0, 0])


class Watcher:
    """Looks at one store again and again. Not thread-safe: one thread owns it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._start_over()

    def _start_over(self) -> None:
        self._store: Store | None = None
        self._inode = 0
        self._counts: dict[int, _Count] = {}
        self._touched_at: dict[Touched, float] = {}
        self._marks = _Marks()
        self._version = -1
        self._variants: list[Variant] = []
        self._plans: list[Plan] = []
        self._shown: dict[Touched, Plan] = {}
        self._replies: tuple[LandedReply, ...] = ()
        self._runs = RunWatch()

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left that could be counted now."""
        now = time.monotonic()
        return self._runs.spent.is_whole and not self._due(now, set())

    def look(self) -> Snapshot:
        """The store as it is now."""
        try:
            store = self._opened()
        except StoreError as error:
            return replace(NOTHING, has_read=True, problem=str(error))
        if store is None:
            return Snapshot(has_read=True, assessments=PAPER_FIVE)
        try:
            return self._snapshot(store)
        except sqlite3.Error as error:
            self._forget()
            return replace(NOTHING, has_read=True, exists=True, problem=f"{self.path.name} cannot be read: {error}")

    def close(self) -> None:
        """Close the store."""
        self._forget()

    def _opened(self) -> Store | None:
        """The open store, opened again where another file now has its name; None where there is no file."""
        try:
            inode = self.path.stat().st_ino
        except FileNotFoundError:
            self._forget()
            return None
        except OSError as error:
            raise StoreError(f"{self.path} cannot be read: {error.strerror}") from error
        if self._store is None or inode != self._inode:
            self._forget()
            self._store = Store.open(self.path)
            self._inode = inode
        return self._store

    def _forget(self) -> None:
        if self._store is not None:
            self._store.close()
        self._start_over()

    def _snapshot(self, store: Store) -> Snapshot:
        version = data_version(store)
        if version != self._version:
            self._refresh(store)
            self._version = version
        live = self._runs.look(store)
        self._choose(live)
        self._count(store, live)
        self._choose(live)
        self._runs.spent.add_up(store)
        assessments = self._assessments()
        runs = self._runs.rows(store, self._progress_of)
        judge = active_judge(store)
        return Snapshot(
            has_read=True,
            exists=True,
            writable=not store.banner or "read-only" not in store.banner,
            kind=store.kind,
            banner=store.banner,
            judge=judge.identity if judge else "",
            assessments=assessments,
            variants=tuple(self._variant_rows(assessments, live)),
            runs=tuple(runs),
            replies=self._replies,
        )

    def _refresh(self, store: Store) -> None:
        """Read again what is cheap, and mark as stale the plans whose rows changed."""
        touched, self._marks.ids = readings.touched_since(store, *self._marks.ids)
        is_first = not self._counts
        now = time.monotonic()
        if not is_first:
            self._touched_at |= dict.fromkeys(touched, now)
        self._variants = stored_variants.variants(store)
        self._plans = list(current_plans(store))
        self._runs.refresh(store)
        for plan in (*self._plans, *self._runs.plans()):
            self._counts.setdefault(plan.plan_id, _Count(plan))
        for count in self._counts.values():
            if (count.plan.variant_id, count.plan.assessment) in touched:
                count.progress.is_stale = count.headline.is_stale = True
        if touched or not self._replies:
            self._replies = tuple(self._landed(store))

    def _choose(self, live: set[int]) -> None:
        """Choose of each variant and assessment the plan that is shown.

        One that a live run asks, else one with a reply, else any; of several that of the newest replicate, then
        the largest.
        """

        def rank(plan: Plan) -> tuple[bool, bool, int, int, int]:
            progress = self._counts[plan.plan_id].progress.value
            has_reply = progress is not None and progress.n_closed > 0
            return plan.plan_id in live, has_reply, plan.replicate, plan.n_slots, plan.plan_id

        self._shown = {(plan.variant_id, plan.assessment): plan for plan in sorted(self._plans, key=rank)}

    def _landed(self, store: Store) -> Iterator[LandedReply]:
        names = {row.variant_id: row.name for row in stored_variants.variants(store, hidden=True)}
        for row in newest_replies(store, N_REPLIES):
            name = names.get(row.variant_id, "")
            yield LandedReply(
                row.reply_id, row.run_uid, name, row.assessment, row.item, row.outcome, row.status, row.value,
                row.text[:SHOWN],
            )  # fmt: skip

    def _due(self, now: float, live: set[int]) -> list[tuple[_Figure[Any], Callable[[Store], Any]]]:
        """What is to be counted, in order: progress before headlines, new plans and live runs first."""
        ranked: list[tuple[tuple[bool, bool, bool], _Figure[Any], Callable[[Store], Any]]] = []
        for count in self._counts.values():
            plan = count.plan
            rest = plan.plan_id not in live
            if count.progress.is_due(now):
                rank = (False, count.progress.value is not None, rest)
                ranked.append((rank, count.progress, partial(readings.progress, plan=plan)))
            if self._is_shown(plan) and count.headline.is_due(now):
                rank = (True, count.headline.value is not None, rest)
                ranked.append((rank, count.headline, partial(_headline, plan=plan)))
        return [(figure, counted) for _, figure, counted in sorted(ranked, key=lambda entry: entry[0])]

    def _is_shown(self, plan: Plan) -> bool:
        return self._shown.get((plan.variant_id, plan.assessment)) == plan

    def _count(self, store: Store, live: set[int]) -> None:
        """Count what is due until the budget is spent (at least one)."""
        started = time.monotonic()
        for figure, counted in self._due(started, live):
            figure.count(partial(counted, store))
            if time.monotonic() - started > BUDGET_S:
                return

    def _assessments(self) -> tuple[str, ...]:
        """The columns: the paper's five, and others that some variant has a plan for."""
        held = {assessment for _, assessment in self._shown}
        return tuple(known.key for known in ASSESSMENTS if known.key in PAPER_FIVE or known.key in held)

    def _progress_of(self, plans: Sequence[Plan]) -> tuple[Progress, bool]:
        counts = [self._counts[plan.plan_id] for plan in plans if plan.plan_id in self._counts]
        return merged([(count.plan, count.progress.value) for count in counts])

    def _variant_rows(self, assessments: Sequence[str], live: set[int]) -> Iterator[VariantRow]:
        ordered = in_lineage_order(self._variants)
        for (_, variant), branch in zip(ordered, branches([depth for depth, _ in ordered]), strict=True):
            cells = tuple(self._cell(variant.variant_id, key, live) for key in assessments)
            yield VariantRow(variant, branch, cells, variant.name in self._runs.gone)

    def _cell(self, variant_id: int, assessment: str, live: set[int]) -> Cell:
        plan = self._shown.get((variant_id, assessment))
        if plan is None:
            return Cell(assessment)
        count = self._counts[plan.plan_id]
        progress = count.progress.value
        if progress is None:
            return Cell(assessment, plan.preset, plan.n_slots, is_counted=False)
        found = count.headline.value or Headline(None, 0, 0, "")
        return Cell(
            assessment=assessment,
            preset=plan.preset,
            n_slots=progress.n_slots,
            n_closed=progress.n_closed,
            n_referred=progress.n_referred,
            n_judged=progress.n_judged,
            n_unscored=progress.n_unscored,
            n_errors=progress.n_errors,
            activity=self._activity(plan, live),
            value=found.value,
            used=found.used,
            expected=found.expected,
            unit=found.unit,
        )

    def _activity(self, plan: Plan, live: set[int]) -> str:
        if plan.plan_id not in live:
            return ""
        landed = self._touched_at.get((plan.variant_id, plan.assessment))
        return "active" if landed is not None and time.monotonic() - landed < ACTIVE_S else "waiting"


def _headline(store: Store, plan: Plan) -> Headline:
    return headline(plan.assessment, readings.tallies(store, plan))
