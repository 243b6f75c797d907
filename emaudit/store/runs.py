"""Runs: what was started with which protocol, what it is doing, and who holds it.

A run's lease is a file lock that the kernel drops with the process; everything else here is for display.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import socket
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from emaudit.errors import RunHeld, UsageError
from emaudit.store.connection import Store
from emaudit.store.file import open_lock
from emaudit.store.jsontext import dumps
from emaudit.store.plans import Plan, plan
from emaudit.store.texts import now, put_text
from emaudit.store.variants import variants


@dataclass(frozen=True, slots=True)
class Run:
    """One run as stored. `settings` are the caps and choices it was started with."""

    run_id: int
    uid: str
    kind: str
    preset: str
    judge_id: int | None
    protocol_hash: str
    settings: Mapping[str, object]
    created_at: str


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Something that happened to a run: started, stopped, warned, gone, ended."""

    kind: str
    detail: str
    at: str


_RUN = "run_id, uid, kind, preset, judge_id, protocol_hash, settings, created_at"


def _run(row: Sequence[object]) -> Run:
    values = list(row)
    values[6] = json.loads(str(values[6]))
    return Run(*values)  # type: ignore[arg-type]


def new_uid() -> str:
    """A fresh id for a run: 8 hex digits."""
    return secrets.token_hex(4)


def insert_run(
    store: Store,
    uid: str,
    kind: str,
    preset: str,
    plans: Sequence[Plan],
    judge_id: int | None,
    protocol: str,
    settings: Mapping[str, object],
) -> Run:
    """Store a run with its plans and its pinned protocol."""
    with store.transaction() as db:
        cursor = db.execute(
            "INSERT INTO runs (uid, kind, preset, judge_id, protocol_hash, settings, created_at) "
            "VALUES (?,?,?,?,?,?,?)",
            (uid, kind, preset, judge_id, put_text(db, protocol), dumps(settings), now()),
        )
        run_id = int(cursor.lastrowid or 0)
        name_plans(store, run_id, plans)
    return run(store, uid)


def name_plans(store: Store, run_id: int, plans: Sequence[Plan]) -> None:
    """Say that a run asks these plans now; naming one again makes it the current one of its table."""
    with store.transaction() as db:
        since = _later_than(str(db.execute("SELECT coalesce(max(since), '') FROM run_plans").fetchone()[0]))
        db.executemany(
            "INSERT INTO run_plans VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET since = ?3",
            [(run_id, held.plan_id, since) for held in plans],
        )


def _later_than(moment: str) -> str:
    """This moment, or the next after the given one where the clock was set back since."""
    at = now()
    if at > moment:
        return at
    after = datetime.fromisoformat(moment) + timedelta(milliseconds=1)
    return after.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def runs(store: Store) -> list[Run]:
    """All runs, oldest first."""
    return [_run(row) for row in store.db.execute(f"SELECT {_RUN} FROM runs ORDER BY run_id")]


def run(store: Store, uid: str) -> Run:
    """A run by its id, or by the beginning of it where that names one alone. Raises UsageError."""
    found = [row for row in runs(store) if row.uid.startswith(uid)]
    if len(found) != 1:
        known = ", ".join(row.uid for row in runs(store)[-10:]) or "none yet"
        raise UsageError(f"{'no run' if not found else 'more than one run'} {uid!r}; the latest: {known}")
    return found[0]


def run_plans(store: Store, run_id: int) -> list[Plan]:
    """The plans a run asks, in the order of variants and assessments."""
    rows = store.db.execute("SELECT plan_id FROM run_plans WHERE run_id = ? ORDER BY plan_id", (run_id,)).fetchall()
    return [plan(store, row[0]) for row in rows]


def insert_event(db: sqlite3.Connection, run_id: int, kind: str, detail: str = "") -> None:
    """Record what happened to a run, inside an open transaction."""
    db.execute("INSERT INTO run_events (run_id, kind, detail, at) VALUES (?,?,?,?)", (run_id, kind, detail, now()))


def events(store: Store, run_id: int) -> list[RunEvent]:
    """What happened to a run, oldest first."""
    rows = store.db.execute("SELECT kind, detail, at FROM run_events WHERE run_id = ? ORDER BY event_id", (run_id,))
    return [RunEvent(*row) for row in rows]


def write_state(db: sqlite3.Connection, run_id: int, state: Mapping[str, object]) -> None:
    """Replace a run's state line (display only), inside an open transaction."""
    db.execute(
        "INSERT INTO run_states VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET state = ?2, at = ?3",
        (run_id, dumps(state), now()),
    )


def state(store: Store, run_id: int) -> Mapping[str, object]:
    """A run's last state, with the moment it was written under `at`; empty before the first."""
    row = store.db.execute("SELECT state, at FROM run_states WHERE run_id = ?", (run_id,)).fetchone()
    return {**json.loads(row[0]), "at": row[1]} if row else {}


def request_stop(store: Store, run_id: int, reason: str) -> None:
    """Ask a run to end once the replies in flight are saved."""
    with store.transaction() as db:
        insert_event(db, run_id, "stop_requested", reason)


def stop_requested(store: Store, run_id: int) -> bool:
    """Whether a stop was asked for since the run last started."""
    row = store.db.execute(
        "SELECT kind FROM run_events WHERE run_id = ? AND kind IN ('started', 'stop_requested') "
        "ORDER BY event_id DESC LIMIT 1",
        (run_id,),
    ).fetchone()
    return row is not None and row[0] == "stop_requested"


def _lease_folder(store: Store) -> Path:
    return store.path.with_name(store.path.name + ".leases")


def _lease_paths(store: Store, run_uid: str, variant_uids: Sequence[str]) -> list[Path]:
    folder = _lease_folder(store)
    return [folder / f"run-{run_uid}", *(folder / f"variant-{uid}" for uid in sorted(set(variant_uids)))]


@contextlib.contextmanager
def lease(store: Store, run_uid: str, variant_uids: Sequence[str]) -> Iterator[None]:
    """Hold a run and its variants until the block ends or the process dies. Raises RunHeld naming the holder."""
    folder = _lease_folder(store)
    folder.mkdir(mode=0o700, exist_ok=True)
    held: list[int] = []
    try:
        names = {f"variant-{row.uid}": f"variant {row.name!r}" for row in variants(store, hidden=True)}
        for path in _lease_paths(store, run_uid, variant_uids):
            held.append(_acquire(path, run_uid, names.get(path.name, path.name)))
        yield
    finally:
        for descriptor in held:
            os.close(descriptor)


def _acquire(path: Path, run_uid: str, label: str) -> int:
    descriptor = open_lock(path)
    deadline = time.monotonic() + 1.0
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                holder = _holder(path)
                os.close(descriptor)
                raise RunHeld(
                    f"another runner holds {label}: run {holder.get('run', 'unknown')}, process "
                    f"{holder.get('pid', 'unknown')} on {holder.get('host', 'unknown')}; stop it with `emaudit stop`"
                ) from None
            time.sleep(0.05)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, dumps({"run": run_uid, "pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)
    return descriptor


def _holder(path: Path) -> Mapping[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def holder(store: Store, run: Run) -> Mapping[str, object] | None:
    """Who runs this run now (`pid`, `host`), or None where nobody does."""
    path = _lease_folder(store) / f"run-{run.uid}"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _holder(path)
    finally:
        os.close(descriptor)
    return None


def has_live_run(path: Path) -> bool:
    """Whether any run of the store at a path goes on now; False where there is no such store."""
    if not path.exists():
        return False
    with Store.open(path) as store:
        return any(holder(store, found) is not None for found in runs(store))
