"""Hold what a store says of itself against its rows: hashes of texts, prompts, plans, draws; triggers, references.

Reads only. Rows are read through once; nothing is kept of them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from emaudit.problems import Problem
from emaudit.prompts import content_hash
from emaudit.store.connection import Store
from emaudit.store.frames import finals
from emaudit.store.horizon import Horizon, looking
from emaudit.store.jsontext import dumps
from emaudit.store.merge.origins import Numbers
from emaudit.store.queues import queues
from emaudit.store.reviews import broken_links
from emaudit.store.schema import guards
from emaudit.store.scorers import judge_identity
from emaudit.store.texts import text_hash

Asked = Sequence[tuple[str, str, str, str, str, int, str]]
"""The prompts of a plan in its order: item, part, format, condition, text, samples, parameters."""
PlanHashes = Callable[[str, Asked], Iterable[str]]
"""The content hashes that a plan of an instrument with these prompts may have been given."""


def file_problems(store: Store) -> Iterator[Problem]:
    """What SQLite finds wrong with the file, references to rows that are not there, and triggers that are gone."""
    try:
        found = [str(row[0]) for row in store.db.execute("PRAGMA integrity_check(20)")]
    except sqlite3.DatabaseError as error:
        found = [str(error)]
    for line in found:
        if line != "ok":
            yield Problem("the file", "", "", f"SQLite finds it damaged: {line}")
    for table, rowid, parent, _ in store.db.execute("PRAGMA foreign_key_check"):
        row = "a row" if rowid is None else f"row {rowid}"
        yield Problem(str(table), row, "", f"names a row of {parent} that is not there")
    held = dict(store.db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    for name, statement in guards().items():
        if held.get(name) != statement:
            why = "is gone" if name not in held else "was changed"
            yield Problem("the file", f"trigger {name}", "", f"{why}: nothing kept rows from being changed or removed")


def as_far_as_read(place: str, problems: Iterator[Problem]) -> Iterator[Problem]:
    """The problems of one look at a store, and one more where what stands there cannot be read at all."""
    try:
        yield from problems
    except (sqlite3.DatabaseError, ValueError, KeyError, TypeError) as error:
        what = f"cannot be read, and the rest was not looked at: {type(error).__name__}: {error}"
        yield Problem(place, "", "", what)


def text_problems(store: Store) -> Iterator[Problem]:
    """Texts and prompts that are not those of their hash, and judges that are not those of their name."""
    for digest, text in store.db.execute("SELECT hash, text FROM main.texts"):
        if text_hash(text) != digest:
            yield Problem("texts", f"hash {digest}", "text", "is not the text of its hash: it was changed", text)
    for number, digest, text, part, scoring in store.db.execute(
        "SELECT prompt_id, hash, text, part, scoring FROM main.prompts"
    ):
        if content_hash([text, part, scoring]) != digest:
            yield Problem(
                "prompts", f"prompt_id {number}", "text", "is not the prompt of its hash: it was changed", text
            )
    for number, identity, detail in store.db.execute(
        "SELECT scorer_id, identity, detail FROM main.scorers WHERE kind = 'judge'"
    ):
        wanted = judge_identity(identity.rpartition("@")[0], json.loads(detail))
        if wanted != identity:
            yield Problem("scorers", f"scorer_id {number}", "detail", "is not that of its name", identity, wanted)


_ASKED: Final = """
SELECT p.item, p.part, p.format, p.condition, p.text, pc.n_samples, t.text,
       c.variant_id, c.replicate, p.assessment
FROM main.plan_cells pc JOIN main.cells c USING (cell_id) JOIN main.prompts p USING (prompt_id)
JOIN main.texts t ON t.hash = c.params_hash WHERE pc.plan_id = ? ORDER BY pc.position
"""


def plan_problems(store: Store, hashes: PlanHashes) -> Iterator[Problem]:
    """Plans that are not those of their hash or of their slots."""
    plans = store.db.execute(
        "SELECT plan_id, instrument, content_hash, n_cells, n_slots, variant_id, replicate, assessment, preset "
        "FROM main.plans ORDER BY plan_id"
    ).fetchall()
    named: dict[int, set[str]] = {}
    for number, preset in store.db.execute(
        "SELECT plan_id, preset FROM main.run_plans JOIN main.runs USING (run_id) WHERE kind IN ('ask', 'import')"
    ):
        named.setdefault(number, set()).add(preset)
    for number, instrument, digest, n_cells, n_slots, *whose, preset in plans:
        cells = store.db.execute(_ASKED, (number,)).fetchall()
        asked = [tuple(cell[:7]) for cell in cells]
        row = f"plan_id {number}"
        held = (("n_cells", n_cells, len(asked)), ("n_slots", n_slots, sum(cell[5] for cell in asked)))
        for column, says, counted in held:
            if says != counted:
                yield Problem("plans", row, column, "is not that of its prompts", str(says), str(counted))
        for column, value, place in zip(("variant_id", "replicate", "assessment"), whose, (7, 8, 9), strict=True):
            others = {cell[place] for cell in cells} - {value}
            if others:
                yield Problem("plans", row, column, "is not that of its cells", str(value), str(others.pop()))
        if asked and digest not in set(hashes(instrument, asked)):
            yield Problem("plans", row, "content_hash", "is not that of its prompts: it or they were changed", digest)
        if number in named and preset not in named[number]:
            wanted = ", ".join(sorted(named[number]))
            yield Problem("plans", row, "preset", "is not that of the run that asked it", preset, wanted)


def void_problems(store: Store) -> Iterator[Problem]:
    """Acts of voiding that voided another number of replies than they say."""
    for number, says, counted in store.db.execute(
        "SELECT void_id, n_replies, (SELECT count(*) FROM main.voided d WHERE d.void_id = v.void_id) n "
        "FROM main.voids v WHERE n <> n_replies"
    ):
        yield Problem("voids", f"void_id {number}", "n_replies", "is not how many it voided", str(says), str(counted))


def review_problems(store: Store) -> Iterator[Problem]:
    """Review events that do not fit their chain, and draws that are not of the frame they say."""
    held, numbers = queues(store), Numbers(store)
    for number, name in [(None, "no queue"), *((queue.queue_id, f"queue {queue.name}") for queue in held)]:
        for event_id, seq in broken_links(store, number):
            row = f"event_id {event_id} ({name}, seq {seq})"
            yield Problem("review_events", row, "", "does not fit the hash chain of its queue: it was changed")
    for queue in held:
        row = f"queue_id {queue.queue_id} ({queue.name})"
        n_main = sum(item.is_main for item in queue.items)
        if n_main != queue.n_planned:
            yield Problem("queues", row, "n_planned", "is not how many were drawn", str(queue.n_planned), str(n_main))
        runs, parsers = queue.settings.get("replies"), queue.settings.get("parsers")
        if not isinstance(runs, list):
            continue
        ids = [number for first, last in runs for number in range(first, last + 1)]
        if len(ids) != queue.n_frame:
            yield Problem("queues", row, "n_frame", "is not that of its draw", str(queue.n_frame), str(len(ids)))
        known = parsers if isinstance(parsers, list) else ()
        written = numbers.translator("queues", queue.queue_id)
        moments = (queue.created_at, "")
        if queue.frame_hash not in (_frame_hash(store, ids, queue.judge_id, known, m, written) for m in moments):
            yield Problem("queues", row, "frame_hash", "is not that of the replies and verdicts it was drawn from")


def _frame_hash(
    store: Store,
    ids: Sequence[int],
    judge_id: int,
    parsers: Sequence[int],
    moment: str,
    written: Callable[[str, int], int],
) -> str:
    with looking(store, Horizon(moment)):
        found = finals(store, ids, judge_id, parsers)
    values = [[written("replies", number), found[number].value if number in found else None] for number in ids]
    return text_hash(dumps(sorted(values)))
