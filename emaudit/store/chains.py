"""Walk the hash chains of replies and verdicts, and name every row that does not fit. Reads only.

Both tables are read once, side by side, in the order their rows came: at any moment the next row of some chain stands
at the head of one of them, so nothing is held but the end of each chain.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from emaudit.problems import Problem
from emaudit.store.connection import Store
from emaudit.store.replies import ReplyRow

_VERDICT: Final = (
    "reply_id, scorer_id, part, attempt, status, value, reason, raw, model, fingerprint, prompt_tokens, "
    "completion_tokens, at"
)
_STREAMS: Final = (
    ("replies", "reply", "reply_id", ", ".join(ReplyRow.__slots__)),
    ("verdicts", "verdict", "verdict_id", _VERDICT),
)
EDITED: Final = "does not fit the hash chain of its run: it was changed after it was stored"
MOST: Final = 100
"""Problems after which the walk ends: where a whole table was rewritten, more names help nobody."""
EVERY: Final = 20_000
"""Rows between two reports of how far the walk is."""

_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


@dataclass(slots=True)
class _End:
    """Where the chain of one run is: the hashes its next row may follow (None: any), and the number it must have."""

    fits: tuple[bytes, ...] | None = (b"",)
    expected: int = 1
    after: str = "its beginning"


@dataclass(slots=True)
class _Stream:
    """One table in the order its rows came, with the row that stands at its head."""

    table: str
    kind: str
    rows: Iterator[tuple[Any, ...]]
    head: tuple[Any, ...] = ()
    """Its number, run, place in the chain, hash, and what the hash is of; empty at the end of the table."""

    def advance(self) -> None:
        self.head = next(self.rows, ())

    @property
    def row(self) -> str:
        """The name of the row at the head."""
        return f"{self.kind}_id {self.head[0]}"


@dataclass
class _Walk:
    db: sqlite3.Connection
    names: dict[int, str]
    streams: list[_Stream] = field(default_factory=list)
    ends: dict[int, _End] = field(default_factory=dict)

    def end(self, stream: _Stream) -> _End:
        """The chain that the head of a stream belongs to."""
        return self.ends.setdefault(stream.head[1], _End())

    def gap(self, stream: _Stream) -> int:
        """How far the number of the head is past the one its chain waits for; below 0: behind it."""
        return int(stream.head[2]) - self.end(stream).expected

    def take(self, stream: _Stream) -> Problem | None:
        """Hold the head against its chain, and go on."""
        _, run_id, seq, stored, *values = stream.head
        end = self.end(stream)
        line = _encode([stream.kind, run_id, seq, *values]).encode("ascii")
        problem = None
        if end.fits is None:
            end.fits = (stored,)
        else:
            links = [hashlib.sha256(last + line).digest() for last in end.fits]
            end.fits = (stored,) if stored in links else (stored, *links)
            if stored not in links:
                problem = self.problem(stream, EDITED)
        end.expected, end.after = end.expected + 1, stream.row
        stream.advance()
        return problem

    def problem(self, stream: _Stream, what: str) -> Problem:
        """Something wrong with the head of a stream."""
        run = self.names.get(stream.head[1], "unknown")
        return Problem(stream.table, f"{stream.row} (run {run}, seq {stream.head[2]})", "", what)

    def missing(self, stream: _Stream) -> Problem | None:
        """What the chain of a head waits for and is nowhere in the store; None where it comes later."""
        run_id, end = stream.head[1], self.end(stream)
        found = self.db.execute(
            "SELECT min(seq) FROM (SELECT seq FROM main.replies WHERE run_id = ?1 AND seq >= ?2 "
            "UNION ALL SELECT seq FROM main.verdicts WHERE run_id = ?1 AND seq >= ?2)",
            (run_id, end.expected),
        ).fetchone()[0]
        if found == end.expected:
            return None
        run = self.names.get(run_id, "unknown")
        last = f" to {found - 1}" if found - 1 > end.expected else ""
        problem = Problem(
            "replies or verdicts",
            f"run {run}, seq {end.expected}{last}, after {end.after}",
            "",
            "a row of the hash chain is missing: it was removed, or its number was changed",
        )
        end.expected, end.fits = found, None
        return problem


def chain_problems(store: Store, tell: Callable[[int], None] = lambda n: None) -> Iterator[Problem]:
    """Every row of replies and verdicts that does not fit the chain of its run; `tell` is told of rows walked.

    A row that was changed is named alone: those after it are held against the hash that stands in it. Rows removed
    from the end of a chain leave no trace in it.
    """
    walk = _Walk(store.db, dict(store.db.execute("SELECT run_id, uid FROM main.runs")))
    for table, kind, number, columns in _STREAMS:
        cursor = store.db.execute(f"SELECT {number}, run_id, seq, chain, {columns} FROM main.{table} ORDER BY {number}")
        walk.streams.append(_Stream(table, kind, cursor))
        walk.streams[-1].advance()
    found = _walked(walk, tell)
    yield from islice(found, MOST)
    if next(found, None):
        yield Problem("replies and verdicts", "", "", f"the walk ended after {MOST} rows that do not fit")


def _walked(walk: _Walk, tell: Callable[[int], None]) -> Iterator[Problem]:
    n = 0
    while live := [stream for stream in walk.streams if stream.head]:
        before = n
        for stream in live:
            while stream.head and walk.gap(stream) == 0:
                problem = walk.take(stream)
                if problem:
                    yield problem
                n += 1
                if n % EVERY == 0:
                    tell(n)
        problem = _blocked(walk, live) if n == before else None
        if problem:
            yield problem
    tell(n)


def _blocked(walk: _Walk, live: Sequence[_Stream]) -> Problem | None:
    """No head is the next row of its chain: say why, and let the walk go on."""
    behind = next((stream for stream in live if walk.gap(stream) < 0), None)
    if behind is None:
        for stream in live:
            found = walk.missing(stream)
            if found:
                return found
    stream = behind or max(live, key=walk.gap)
    problem = walk.problem(stream, "stands out of its place in the hash chain: its number or its run was changed")
    stream.advance()
    return problem


def said(store: Store) -> str:
    """How much a store holds, in words."""
    found = store.db.execute(
        "SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM replies), (SELECT count(*) FROM verdicts)"
    ).fetchone()
    return "{:,} runs: {:,} replies, {:,} verdicts".format(*found)
