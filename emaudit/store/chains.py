"""Walk the hash chains of replies and verdicts, and name every row that does not fit. Reads only.

Both tables are read once, side by side, in the order their rows came: at any moment the next row of some chain stands
at the head of one of them, so nothing is held but the end of each chain. Rows that a merge brought stand behind those
that were here, so that a run which went on in two stores has a branch for each.
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
from emaudit.store.merge.origins import Numbers, branches
from emaudit.store.replies import ReplyRow

_VERDICT: Final = (
    "reply_id, scorer_id, part, attempt, status, value, reason, raw, model, fingerprint, prompt_tokens, "
    "completion_tokens, at"
)
_STREAMS: Final = (
    ("replies", "reply", "reply_id", ", ".join(ReplyRow.__slots__)),
    ("verdicts", "verdict", "verdict_id", _VERDICT),
)
_APART: Final = f"SELECT apart_id, run_id, seq, chain, {_VERDICT} FROM main.verdicts_apart"
_BEFORE: Final = " UNION ALL ".join(
    f"SELECT chain, '{table}', {number} FROM main.{table} WHERE run_id = ?1 AND seq = ?2"
    for table, number in (("replies", "reply_id"), ("verdicts", "verdict_id"), ("verdicts_apart", "apart_id"))
)
_Branch = tuple[int, int]
"""A run, and the merge that brought the rows (0: written here)."""
EDITED: Final = "does not fit the hash chain of its run: it was changed after it was stored"
MOST: Final = 100
"""Problems after which the walk ends: where a whole table was rewritten, more names help nobody."""
EVERY: Final = 20_000
"""Rows between two reports of how far the walk is."""

_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


@dataclass(slots=True)
class _End:
    """Where a branch of a chain is: the hashes its next row may follow (None: any), and the number it must have."""

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
    branch: _Branch = (0, 0)

    @property
    def row(self) -> str:
        """The name of the row at the head."""
        return f"{self.kind}_id {self.head[0]}"


@dataclass
class _Walk:
    db: sqlite3.Connection
    names: dict[int, str]
    numbers: Numbers
    streams: list[_Stream] = field(default_factory=list)
    ends: dict[_Branch, _End] = field(default_factory=dict)
    begins: dict[_Branch, int] = field(default_factory=dict)
    """The first place of every branch, where the store has merged rows."""
    apart: set[int] = field(default_factory=set)
    """The runs of which some verdicts stand apart."""

    def advance(self, stream: _Stream) -> None:
        """Go on to the next row of a table."""
        stream.head = next(stream.rows, ())
        if stream.head:
            stream.branch = (stream.head[1], self.numbers.home(stream.table, stream.head[0]))

    def end(self, branch: _Branch) -> _End:
        """Where a branch is."""
        if branch not in self.ends:
            self.ends[branch] = self._begun(branch)
        return self.ends[branch]

    def _begun(self, branch: _Branch) -> _End:
        """A branch before its first row: at the run's beginning, or after the rows that it branches from."""
        first = self.begins.get(branch, 1)
        rows = self.db.execute(_BEFORE, (branch[0], first - 1)).fetchall() if first > 1 else ()
        return _End(tuple(bytes(row[0]) for row in rows), first, "its other branch") if rows else _End()

    def rejoin(self, stream: _Stream) -> bool:
        """Let a branch go on from another one, where the row before its head stands only there."""
        run_id, seq = stream.head[1:3]
        rows = self.db.execute(_BEFORE, (run_id, seq - 1)).fetchall()
        if not rows or any(self.numbers.home(*row[1:]) == stream.branch[1] for row in rows):
            return False
        self.ends[stream.branch] = _End(tuple(bytes(row[0]) for row in rows), seq, "its other branch")
        return True

    def gap(self, stream: _Stream) -> int:
        """How far the number of the head is past the one its chain waits for; below 0: behind it."""
        return int(stream.head[2]) - self.end(stream.branch).expected

    def take(self, stream: _Stream) -> Iterator[Problem]:
        """Hold the head against its chain, and go on."""
        end = self.end(stream.branch)
        if not self._fits(stream, end):
            yield self.problem(stream, EDITED)
        branch = stream.branch
        end.expected, end.after = end.expected + 1, stream.row
        self.advance(stream)
        if branch[0] in self.apart and stream.table != "verdicts_apart":
            yield from self.take_apart(branch)

    def _fits(self, stream: _Stream, end: _End) -> bool:
        _, run_id, seq, stored, *values = stream.head
        home = stream.branch[1]
        if home:
            values = self.numbers.written(stream.table, home, values)
            run_id = self.numbers.original(home, "runs", run_id)
        if end.fits is None:
            end.fits = (stored,)
            return True
        line = _encode([stream.kind, run_id, seq, *values]).encode("ascii")
        links = [hashlib.sha256(last + line).digest() for last in end.fits]
        if stored not in links and self.begins:
            others = self.db.execute(_BEFORE, (stream.head[1], seq - 1))
            links += [hashlib.sha256(bytes(row[0]) + line).digest() for row in others]
        end.fits = (stored,) if stored in links else (stored, *links)
        return stored in links

    def take_apart(self, branch: _Branch) -> Iterator[Problem]:
        """Hold the verdicts that stand apart and come next in a branch against its chain."""
        while row := self._next_apart(branch):
            yield from self.take(_Stream("verdicts_apart", "verdict", iter(()), row, branch))

    def _next_apart(self, branch: _Branch) -> tuple[Any, ...]:
        """The verdict standing apart that comes next in a branch; empty where none does."""
        place = self.end(branch).expected
        rows = self.db.execute(f"{_APART} WHERE run_id = ? AND seq = ?", (branch[0], place)).fetchall()
        return next((row for row in rows if self.numbers.home("verdicts_apart", row[0]) == branch[1]), ())

    def problem(self, stream: _Stream, what: str) -> Problem:
        """Something wrong with the head of a stream."""
        run = self.names.get(stream.head[1], "unknown")
        return Problem(stream.table, f"{stream.row} (run {run}, seq {stream.head[2]})", "", what)

    def missing(self, stream: _Stream) -> Problem | None:
        """What the chain of a head waits for and is nowhere in the store; None where it comes later."""
        run_id, end = stream.head[1], self.end(stream.branch)
        found = self.db.execute(
            "SELECT min(seq) FROM (SELECT seq FROM main.replies WHERE run_id = ?1 AND seq >= ?2 "
            "UNION ALL SELECT seq FROM main.verdicts WHERE run_id = ?1 AND seq >= ?2 "
            "UNION ALL SELECT seq FROM main.verdicts_apart WHERE run_id = ?1 AND seq >= ?2)",
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
    walk = _Walk(store.db, dict(store.db.execute("SELECT run_id, uid FROM main.runs")), Numbers(store))
    walk.begins = branches(store)
    walk.apart = {row[0] for row in store.db.execute("SELECT DISTINCT run_id FROM main.verdicts_apart")}
    for table, kind, number, columns in _STREAMS:
        cursor = store.db.execute(f"SELECT {number}, run_id, seq, chain, {columns} FROM main.{table} ORDER BY {number}")
        walk.streams.append(_Stream(table, kind, cursor))
        walk.advance(walk.streams[-1])
    found = _walked(walk, tell)
    yield from islice(found, MOST)
    if next(found, None):
        yield Problem("replies and verdicts", "", "", f"the walk ended after {MOST} rows that do not fit")


def _walked(walk: _Walk, tell: Callable[[int], None]) -> Iterator[Problem]:
    n = 0
    for branch in sorted(branch for branch in walk.begins if branch[0] in walk.apart):
        yield from walk.take_apart(branch)
    while live := [stream for stream in walk.streams if stream.head]:
        before = n
        for stream in live:
            while stream.head and walk.gap(stream) == 0:
                yield from walk.take(stream)
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
        if walk.begins and any(walk.rejoin(stream) for stream in live if walk.gap(stream) > 0):
            return None
        for stream in live:
            found = walk.missing(stream)
            if found:
                return found
    stream = behind or max(live, key=walk.gap)
    problem = walk.problem(stream, "stands out of its place in the hash chain: its number or its run was changed")
    walk.advance(stream)
    return problem


def said(store: Store) -> str:
    """How much a store holds, in words."""
    found = store.db.execute(
        "SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM replies), (SELECT count(*) FROM verdicts)"
    ).fetchone()
    return "{:,} runs: {:,} replies, {:,} verdicts".format(*found)
