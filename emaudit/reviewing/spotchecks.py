"""What the spot-check screens have done for them: queues read, draws made, sittings opened.

Everything here blocks and belongs in a thread. Failures are `EmauditError`s of one line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from emaudit.config import Settings
from emaudit.reviewing.sitting import Sitting

if TYPE_CHECKING:
    from emaudit.reviewing.drawing import Draw, Preview
    from emaudit.reviewing.gallery import Gallery
    from emaudit.reviewing.session import Adjudication, Session
    from emaudit.scores.agreement.board import Dashboard
    from emaudit.store import Store
    from emaudit.store.queues import Queue

Table = TypeVar("Table")


@dataclass(frozen=True, slots=True)
class Opening:
    """What the app opens on: a queue (the newest for an empty name) to be scored by someone, or to be settled."""

    queue: str = ""
    reviewer: str = ""
    settles: bool = False


@dataclass(frozen=True, slots=True)
class Rater:
    """How far one person is: main items done of those that person gets, and repeats of theirs."""

    name: str
    n_done: int
    n_planned: int
    n_repeats_done: int = 0
    n_repeats: int = 0


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A queue as the list shows it. `raters` begins with the first reviewer, whose labels feed the estimate."""

    uid: str
    name: str
    assessment: str
    preset: str
    judge: str
    design: str
    seed: int
    reveal: str
    n_frame: int
    n_planned: int
    variants: tuple[str, ...]
    raters: tuple[Rater, ...]
    n_to_settle: int
    n_settled: int
    stopped: str
    created_at: str

    @property
    def is_finished(self) -> bool:
        """Whether the first reviewer has done the main items, or stopped early: results may be shown."""
        return bool(self.stopped) or self.raters[0].n_done >= self.raters[0].n_planned


@dataclass(frozen=True)
class SpotChecks:
    """The spot-checks of one store."""

    store_path: Path
    settings: Settings
    prompts_dir: Path | None = None

    def reviewer(self, named: str = "") -> str:
        """Who reviews. Raises UsageError."""
        from emaudit.reviewing.people import reviewer_name

        return reviewer_name(self.settings, named)

    def rows(self) -> tuple[QueueRow, ...]:
        """All queues, the newest first; none where there is no store yet."""
        from emaudit.store import Store
        from emaudit.store.queues import queues

        if not self.store_path.exists():
            return ()
        with Store.open(self.store_path) as store:
            return tuple(_row(store, held) for held in reversed(queues(store)))

    def dashboard(self, uid: str) -> Dashboard:
        """What a queue says so far. Raises EmauditError."""
        from emaudit.scores.agreement import gathering
        from emaudit.store import Store
        from emaudit.store.queues import queue

        with Store.open(self.store_path) as store:
            return gathering.dashboard(store, queue(store, uid))

    def judges(self) -> tuple[str, ...]:
        """The judges whose verdicts are stored, the one of the tables first."""
        from emaudit.store import Store, scorers

        with Store.open(self.store_path) as store:
            active = scorers.active_judge(store)
            names = [found.identity for found in scorers.judges(store)]
        first = active.identity if active else ""
        return tuple(sorted(names, key=lambda name: name != first))

    def preview(self, draw: Draw) -> Preview:
        """What a draw would ask and what it would be worth; writes nothing. Raises EmauditError."""
        from emaudit.reviewing import drawing
        from emaudit.store import Store

        with Store.open(self.store_path) as store:
            return drawing.preview(store, draw)

    def create(self, draw: Draw) -> str:
        """Draw a queue; its id. Raises EmauditError."""
        from emaudit.prompts import load_library
        from emaudit.reviewing import drawing
        from emaudit.store import Store

        with Store.open(self.store_path, write=True) as store:
            return drawing.create(store, draw, load_library(self.prompts_dir)).uid

    def sitting(self, uid: str, reviewer: str) -> Sitting[Session]:
        """A sitting of one person at one queue; the store is opened at the first job."""
        from emaudit.reviewing.session import Session

        return self._sitting(uid, lambda store, held: Session(store, held, reviewer))

    def settling(self, uid: str, reviewer: str) -> Sitting[Adjudication]:
        """A sitting at which two raters' differences are settled."""
        from emaudit.reviewing.session import Adjudication

        return self._sitting(uid, lambda store, held: Adjudication(store, held, reviewer))

    def gallery(self, uid: str, reviewer: str) -> Sitting[Gallery]:
        """A sitting over one person's disagreements with the judge."""
        from emaudit.reviewing.gallery import Gallery

        return self._sitting(uid, lambda store, held: Gallery(store, held, reviewer))

    def stop(self, uid: str, reason: str) -> str:
        """End a queue early, as its first reviewer; `k of n`. Raises EmauditError."""
        from emaudit.reviewing.session import Session
        from emaudit.store import Store
        from emaudit.store.queues import queue

        with Store.open(self.store_path, write=True) as store:
            return Session(store, queue(store, uid), self.reviewer()).stop(reason)

    def export(self, uid: str) -> Path:
        """Write a queue's events and labels into a folder beside the store, which is returned. Raises EmauditError."""
        from emaudit.prompts import load_library
        from emaudit.reviewing.files import export_events
        from emaudit.store import Store
        from emaudit.store.queues import queue

        folder = self.store_path.absolute().parent / f"reviews-{uid}"
        with Store.open(self.store_path) as store:
            export_events(store, queue(store, uid), folder / "reviews.csv", load_library(self.prompts_dir))
        return folder

    def _sitting(self, uid: str, make: Callable[[Store, Queue], Table]) -> Sitting[Table]:
        opened: list[Store] = []

        def open_table() -> Table:
            from emaudit.store import Store
            from emaudit.store.queues import queue

            store = Store.open(self.store_path, write=True)
            try:
                table = make(store, queue(store, uid))
            except BaseException:
                store.close()
                raise
            opened.append(store)
            return table

        return Sitting(open_table, lambda table: opened.pop().close())


def _row(store: Store, held: Queue) -> QueueRow:
    from emaudit.reviewing import labels
    from emaudit.store import reviews

    events = reviews.events(store, held.queue_id)
    found = labels.current(events, held)
    people = dict.fromkeys(label.reviewer for label in found)
    raters = []
    for name in people:
        far = labels.progress(label for label in found if label.reviewer == name)
        raters.append(Rater(name, far.n_done, far.n_planned, far.n_repeats_done, far.n_repeats))
    ended = labels.stopped(events, held)
    variants = tuple(dict.fromkeys(row.variant for row in held.strata))
    open_pairs = labels.disagreements(found)
    settled = {row.position for row in labels.adjudicated(events)}
    return QueueRow(
        held.uid,
        held.name,
        held.assessment,
        held.preset,
        held.judge,
        held.design,
        held.seed,
        held.reveal,
        held.n_frame,
        held.n_planned,
        variants,
        tuple(raters),
        sum(first.position not in settled for first, _ in open_pairs),
        len(settled),
        f"stopped at {ended.n_done} of {ended.n_planned}" if ended else "",
        held.created_at,
    )
