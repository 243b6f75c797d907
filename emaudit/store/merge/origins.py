"""The numbers that merged rows had where they were written: what their hash chains are over. Reads only."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from emaudit.store.connection import Store

_Stretch = tuple[int, int, int]

_NAMES: Final = {
    "replies": ("cells",),
    "verdicts": ("replies", "scorers"),
    "verdicts_apart": ("replies", "scorers"),
    "review_events": ("queues", None, "replies", None, None, None, None, None, "review_events"),
}
"""Of each chained table the kinds that the first columns of its hash name by number."""


class Numbers:
    """The merges of a store; a store that has none costs nothing."""

    def __init__(self, store: Store) -> None:
        self._homes: dict[str, list[_Stretch]] = {}
        self._stretches: dict[tuple[int, str], list[_Stretch]] = {}
        for kind, first, last, merge_id in store.db.execute(
            "SELECT kind, first, last, merge_id FROM main.merged_rows ORDER BY kind, first"
        ):
            self._homes.setdefault(kind, []).append((first, last, merge_id))
        for merge_id, kind, first, last, shift in store.db.execute(
            "SELECT merge_id, kind, first, last, shift FROM main.merged_numbers ORDER BY merge_id, kind, first"
        ):
            self._stretches.setdefault((merge_id, kind), []).append((first, last, shift))

    def __bool__(self) -> bool:
        return bool(self._homes)

    def home(self, kind: str, number: int) -> int:
        """The merge that brought a row in; 0 where it was written here."""
        found = _at(self._homes.get(kind, ()), number)
        return found[2] if found else 0

    def original(self, merge_id: int, kind: str, number: int) -> int:
        """The number that a row had where the chains of a merge were written; -1 where it had none."""
        if not merge_id:
            return number
        found = _at(self._stretches.get((merge_id, kind), ()), number)
        return number - found[2] if found else -1

    def written(self, table: str, merge_id: int, values: Sequence[object]) -> list[object]:
        """A row's values as they went into its hash."""
        found = list(values)
        if merge_id:
            for place, kind in enumerate(_NAMES[table]):
                value = found[place]
                if kind is not None and isinstance(value, int):
                    found[place] = self.original(merge_id, kind, value)
        return found

    def translator(self, kind: str, number: int) -> Callable[[str, int], int]:
        """How the numbers were where a row was written: takes a kind and a number here."""
        merge_id = self.home(kind, number)
        return lambda other, here: self.original(merge_id, other, here)


def _at(stretches: Sequence[_Stretch], number: int) -> _Stretch | None:
    """The stretch that holds a number."""
    place = bisect_right(stretches, (number, float("inf"), 0)) - 1
    if place < 0 or stretches[place][1] < number:
        return None
    return stretches[place]


def stretches_of(store: Store, store_id: str) -> dict[str, list[_Stretch]]:
    """Kind -> first and last number here, and the shift from there, of all rows that a merged store had.

    Empty where no such store was merged into this one.
    """
    found: dict[str, list[_Stretch]] = {}
    for kind, first, last, shift in store.db.execute(
        "SELECT DISTINCT kind, first, last, shift FROM main.merged_numbers JOIN main.merges USING (merge_id) "
        "WHERE store_id = ? ORDER BY kind, first",
        (store_id,),
    ):
        found.setdefault(kind, []).append((first, last, shift))
    return found


def branches(store: Store) -> dict[tuple[int, int], int]:
    """The first place of every (run, merge) in its run's chain; empty where nothing was ever merged."""
    found: dict[tuple[int, int], int] = {}
    for table, number in (("replies", "reply_id"), ("verdicts", "verdict_id"), ("verdicts_apart", "apart_id")):
        homes = store.db.execute(
            "SELECT first, last, merge_id FROM main.merged_rows WHERE kind = ? ORDER BY first", (table,)
        ).fetchall()
        if not homes and not found and not _has_merges(store):
            continue
        for first, last, merge_id in _covering(homes):
            rows = store.db.execute(
                f"SELECT run_id, min(seq) FROM main.{table} WHERE {number} BETWEEN ? AND ? GROUP BY run_id",
                (first, last),
            )
            for run_id, seq in rows:
                found[run_id, merge_id] = min(seq, found.get((run_id, merge_id), seq))
    return found


def _has_merges(store: Store) -> bool:
    return bool(store.db.execute("SELECT EXISTS (SELECT 1 FROM main.merges)").fetchone()[0])


def _covering(homes: Sequence[_Stretch]) -> Iterator[_Stretch]:
    """The stretches with those between, before and after them, which were written here."""
    start = 0
    for first, last, merge_id in homes:
        if start < first:
            yield start, first - 1, 0
        yield first, last, merge_id
        start = last + 1
    yield start, 2**62, 0
