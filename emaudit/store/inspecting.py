"""The stored replies as a filtered list, page by page, in the order of variants and their plans. Reads only.

A list is walked by the index over (cell, sample, round), never by OFFSET. What a filter finds is put into tables
of the connection's own: the first page comes from a walk, and the whole list, counted, is built in steps after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final

from emaudit.filters import Filters
from emaudit.shapes import Place, Stretch
from emaudit.store.connection import Store
from emaudit.store.found import Found, find_cells, find_replies

PAGE: Final = 200
"""Most rows of a page."""
_FEW: Final = 5_000
"""A filter that finds so few replies is sorted at once instead of walking all cells."""
_STEP: Final = 1_500
"""Cells walked at a time while the whole list is built: some 20 ms."""
_NUMBERS: Final = count(1)

_FIRST: Final[Place] = (-1, -1, -1)
_LAST: Final[Place] = (2**62, 2**62, 2**62)


class Listing:
    """The replies that pass some filters, as the store held them when the list was made.

    Newer replies are not in it. One thread's; `close` drops its tables.
    """

    def __init__(self, store: Store, filters: Filters, page: int = PAGE) -> None:
        self.filters = filters
        self.page = page
        self._db = store.db
        self._name = f"list{next(_NUMBERS)}"
        self._found: list[Found] = []
        self._built_to = -1
        self.is_built = False
        try:
            self._make(store)
        except BaseException:
            self.close()
            raise

    def _make(self, store: Store) -> None:
        self.newest = int(self._db.execute("SELECT coalesce(max(reply_id), 0) FROM replies").fetchone()[0])
        self._has_voids = bool(self._db.execute("SELECT EXISTS (SELECT 1 FROM voided)").fetchone()[0])
        self._cells = find_cells(store, self.filters, f"{self._name}_cells")
        self._last_cell = int(self._db.execute("SELECT coalesce(max(cell_id), 0) FROM cells").fetchone()[0])
        self._db.execute(f"CREATE TEMP TABLE {self._name} (position INTEGER PRIMARY KEY, reply_id INTEGER NOT NULL)")
        for found in find_replies(store, self.filters, self._name, self._cells):
            self._found.append(found)
        few = min((found for found in self._found if found.is_whole), key=lambda found: found.n, default=None)
        if few is not None and few.n <= _FEW:
            self._build_from(few)

    def close(self) -> None:
        """Drop the tables of the list, those of one that was interrupted too."""
        rows = self._db.execute(
            "SELECT name FROM sqlite_temp_master WHERE type = 'table' AND (name = ?1 OR name GLOB ?1 || '_*')",
            (self._name,),
        ).fetchall()
        for (name,) in rows:
            self._db.execute(f"DROP TABLE IF EXISTS temp.{name}")

    @property
    def n(self) -> int | None:
        """How many replies the list has; None until it is built."""
        return self._n_built() if self.is_built else None

    def _n_built(self) -> int:
        return int(self._db.execute(f"SELECT coalesce(max(position), 0) FROM temp.{self._name}").fetchone()[0])

    def _conditions(self, beside: Found | None = None) -> str:
        held = [f"r.reply_id <= {self.newest}"]
        held += [found.condition for found in self._found if found is not beside]
        if self._has_voids:
            held.append("NOT EXISTS (SELECT 1 FROM voided WHERE voided.reply_id = r.reply_id)")
        return " AND ".join(held)

    def _walk(self) -> str:
        """FROM and WHERE of a walk in the order of places; no row of `replies` itself is read."""
        walk = "replies r INDEXED BY sqlite_autoindex_replies_1"
        if self._cells:
            walk = f"temp.{self._cells} w CROSS JOIN {walk} ON r.cell_id = w.cell_id"
        return f"FROM {walk} WHERE {self._conditions()}"

    def _build_from(self, few: Found) -> None:
        cells = f"AND r.cell_id IN (SELECT cell_id FROM temp.{self._cells})" if self._cells else ""
        self._db.execute(
            f"INSERT INTO temp.{self._name} (reply_id) SELECT r.reply_id FROM temp.{few.tables[0]} s "
            f"CROSS JOIN replies r ON r.reply_id = s.reply_id WHERE {self._conditions(few)} {cells} "
            "ORDER BY r.cell_id, r.sample, r.round"
        )
        self.is_built = True

    def build(self) -> bool:
        """Build a bounded part of the whole list; whether it is built now."""
        if not self.is_built:
            low, high = self._built_to + 1, self._built_to + _STEP
            driver = "w" if self._cells else "r"
            self._db.execute(
                f"INSERT INTO temp.{self._name} (reply_id) SELECT r.reply_id {self._walk()} "
                f"AND {driver}.cell_id BETWEEN ? AND ? ORDER BY {driver}.cell_id, r.sample, r.round",
                (low, high),
            )
            self._built_to = high
            self.is_built = high >= self._last_cell
        return self.is_built

    def first(self) -> Stretch:
        """The first page."""
        return self.at(0) if self.is_built else self._forward(_FIRST, False)

    def last(self) -> Stretch:
        """The last page."""
        n = self.n
        return self._backward(_LAST, False) if n is None else self.at(max(0, (n - 1) // self.page * self.page))

    def after(self, stretch: Stretch) -> Stretch:
        """The page after one."""
        if self.is_built:
            return self.at(self._end_of(stretch))
        return self._forward(stretch.last, True)

    def before(self, stretch: Stretch) -> Stretch:
        """The page before one."""
        if self.is_built:
            if stretch.position is not None:
                return self._up_to(stretch.position)
            return self._up_to(self.position(stretch.reply_ids[0]) if stretch.reply_ids else 0)
        return self._backward(stretch.first, True)

    def _end_of(self, stretch: Stretch) -> int:
        if stretch.position is not None:
            return stretch.position + len(stretch.reply_ids)
        return self.position(stretch.reply_ids[-1]) + 1 if stretch.reply_ids else 0

    def position(self, reply_id: int) -> int:
        """How many replies stand before one of the list."""
        row = self._db.execute(f"SELECT position FROM temp.{self._name} WHERE reply_id = ?", (reply_id,)).fetchone()
        return int(row[0]) - 1 if row else 0

    def around(self, reply_id: int) -> Stretch | None:
        """The page that holds a reply; None where it is not in the list, or the list is not built."""
        if not self.is_built:
            return None
        row = self._db.execute(f"SELECT position FROM temp.{self._name} WHERE reply_id = ?", (reply_id,)).fetchone()
        return self.at((int(row[0]) - 1) // self.page * self.page) if row else None

    def at(self, position: int) -> Stretch:
        """The page that begins after `position` replies, in a list that is built."""
        return self._slice(position, self.page)

    def _up_to(self, position: int) -> Stretch:
        begin = max(0, position - self.page)
        return self._slice(begin, position - begin)

    def _slice(self, position: int, length: int) -> Stretch:
        rows = self._db.execute(
            f"SELECT reply_id FROM temp.{self._name} WHERE position > ? ORDER BY position LIMIT ?", (position, length)
        )
        ids = tuple(row[0] for row in rows)
        n = self._n_built()
        ends = (self._place(ids[0]), self._place(ids[-1])) if ids else (_FIRST, _FIRST)
        return Stretch(ids, *ends, position > 0, position + len(ids) < n, position)

    def _place(self, reply_id: int) -> Place:
        row = self._db.execute("SELECT cell_id, sample, round FROM replies WHERE reply_id = ?", (reply_id,)).fetchone()
        return (int(row[0]), int(row[1]), int(row[2]))

    def _forward(self, place: Place, has_before: bool) -> Stretch:
        rows = self._rows(place, ">", "")
        shown = rows[: self.page]
        return self._stretch(shown, has_before, len(rows) > self.page)

    def _backward(self, place: Place, has_after: bool) -> Stretch:
        rows = self._rows(place, "<", "DESC")
        shown = rows[: self.page][::-1]
        return self._stretch(shown, len(rows) > self.page, has_after)

    def _stretch(self, rows: Sequence[tuple[int, int, int, int]], has_before: bool, has_after: bool) -> Stretch:
        if not rows:
            return Stretch((), has_before=False, has_after=False)
        return Stretch(tuple(row[0] for row in rows), rows[0][1:], rows[-1][1:], has_before, has_after)

    def _rows(self, place: Place, sign: str, way: str) -> list[tuple[int, int, int, int]]:
        driver = "w" if self._cells else "r"
        bound = f"AND w.cell_id {sign}= {place[0]}" if self._cells else ""
        return self._db.execute(
            f"SELECT r.reply_id, r.cell_id, r.sample, r.round {self._walk()} {bound} "
            f"AND (r.cell_id, r.sample, r.round) {sign} (?, ?, ?) "
            f"ORDER BY {driver}.cell_id {way}, r.sample {way}, r.round {way} LIMIT ?",
            (*place, self.page + 1),
        ).fetchall()

    def ids(self) -> Iterator[int]:
        """All replies of a list that is built, in order."""
        rows = self._db.execute(f"SELECT reply_id FROM temp.{self._name} ORDER BY position")
        return (int(row[0]) for row in rows)


def n_newer(store: Store, newest: int) -> int:
    """How many replies were stored after one."""
    return int(store.db.execute("SELECT count(*) FROM replies WHERE reply_id > ?", (newest,)).fetchone()[0])
