"""What a run's writer does with rows it cannot write at once: a lost name, a lock, a failing disk, a raced copy."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from emaudit.errors import DiskFailed, DiskFull, StoreError, StoreGone
from emaudit.store import Store, backup, writer
from emaudit.store.told import meaning
from emaudit.store.writer import Writer

ROWS = 1200
"""More than two groups."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "s.db"
    with Store.open(made, write=True, create=True) as store, store.transaction() as db:
        db.execute("INSERT INTO texts VALUES ('before', 'kept')")
    return made


def submit(writing: Writer, rows: int = ROWS) -> None:
    for number in range(rows):
        writing.submit(lambda db, number=number: db.execute("INSERT INTO texts VALUES (?, 'new')", (f"{number}",)))


def texts(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return dict(db.execute("SELECT text, count(*) FROM texts GROUP BY text"))


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 (what is waited for has no event)
            await asyncio.sleep(0.01)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """The lock of a store as another process has it while it writes."""
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


async def test_a_disk_full_in_the_middle_of_a_group_holds_it_until_there_is_space(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "DISK_RETRY_S", 0.1)
    said: list[BaseException] = []
    undone: list[sqlite3.Connection] = []
    writing = Writer(Store.open(path, write=True), said.append, undone.append)
    db = writing._store.db
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0] + 2}")
    submit(writing)
    await until(lambda: len(undone) > 1 or said)
    assert said == [] and writing.is_full
    assert not db.in_transaction
    db.execute("PRAGMA max_page_count = 1000000")
    await until(lambda: texts(path).get("new") == ROWS or said)
    assert said == [] and not writing.is_full
    await writing.close()
    assert texts(path) == {"kept": 1, "new": ROWS}


async def test_all_that_waits_is_in_the_rescued_file(path: Path) -> None:
    said: list[BaseException] = []
    writing = Writer(Store.open(path, write=True), said.append, lambda db: None)
    path.rename(path.with_name("moved.db"))
    with locked(path):
        submit(writing)
        await asyncio.sleep(0.2)
    await until(lambda: said)
    assert isinstance(said[0], StoreGone) and "without" not in str(said[0])
    assert texts(path.with_name("s.db.rescued")) == {"kept": 1, "new": ROWS}
    await writing.close()


async def test_what_could_not_be_rescued_is_not_said_to_be_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "LAST_LOCK_PATIENCE_S", 0.1)
    said: list[BaseException] = []
    writing = Writer(Store.open(path, write=True), said.append, lambda db: None)
    path.rename(path.with_name("moved.db"))
    with locked(path):
        submit(writing)
        await until(lambda: said)
    assert f"without the last {ROWS} entries" in str(said[0])
    assert texts(path.with_name("s.db.rescued")) == {"kept": 1}
    await writing.close()


async def test_a_folder_that_was_moved_away_is_rescued_whole(path: Path, tmp_path: Path) -> None:
    said: list[BaseException] = []
    inner = tmp_path / "inner" / "s.db"
    with Store.open(inner, write=True, create=True):
        writing = Writer(Store.open(inner, write=True), said.append, lambda db: None)
        inner.parent.rename(tmp_path / "elsewhere")
        submit(writing)
        await until(lambda: said)
    assert isinstance(said[0], StoreGone)
    assert texts(inner.with_name("s.db.rescued")) == {"new": ROWS}
    await writing.close()


@contextmanager
def locked_by_another(path: Path) -> Iterator[sqlite3.Connection]:
    """A program that knows no lock file, amid a transaction of its own."""
    with closing(sqlite3.connect(path, isolation_level=None)) as foreign:
        foreign.execute("BEGIN IMMEDIATE")
        yield foreign


async def test_a_program_that_knows_no_lock_file_is_waited_for(path: Path) -> None:
    said: list[BaseException] = []
    writing = Writer(Store.open(path, write=True), said.append, lambda db: None)
    with locked_by_another(path) as foreign:
        submit(writing)
        await asyncio.sleep(0.2)
        assert texts(path) == {"kept": 1}
        foreign.execute("ROLLBACK")
    await writing.close()
    assert said == []
    assert texts(path) == {"kept": 1, "new": ROWS}


async def test_closing_ends_though_another_program_never_stops_writing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LAST_LOCK_PATIENCE_S", 0.1)
    said: list[BaseException] = []
    writing = Writer(Store.open(path, write=True), said.append, lambda db: None)
    with locked_by_another(path):
        submit(writing)
        await asyncio.sleep(0.1)
        async with asyncio.timeout(20):
            await writing.close()
    assert len(said) == 1 and "was not written" in str(said[0])


class Raced:
    """A connection during whose copy something else happens."""

    def __init__(self, db: sqlite3.Connection, happens: Callable[[], object]) -> None:
        self._db = db
        self._happens = happens

    def backup(self, target: sqlite3.Connection) -> None:
        self._db.backup(target)
        self._happens()

    def close(self) -> None:
        self._db.close()


def test_two_that_rescue_at_once_make_two_whole_files(path: Path) -> None:
    kept: list[Path] = []
    with Store.open(path, write=True) as first, Store.open(path, write=True) as second:
        first.db = Raced(first.db, lambda: kept.append(second.rescue()))  # type: ignore[assignment]
        kept.append(first.rescue())
    assert sorted(found.name for found in kept) == ["s.db.rescued", "s.db.rescued-2"]
    assert [texts(found) for found in kept] == [{"kept": 1}] * 2
    assert not list(path.parent.glob("*.part"))


@pytest.mark.parametrize("links", [True, False])
def test_of_two_backups_to_one_name_the_second_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    target = path.with_name("copy.db")
    if not links:
        monkeypatch.setattr(os, "link", refused)
    with Store.open(path, write=True) as first, Store.open(path, write=True) as second:

        def other() -> None:
            backup(second, target)
            with second.transaction() as db:
                db.execute("INSERT INTO texts VALUES ('after', 'late')")

        first.db = Raced(first.db, other)  # type: ignore[assignment]
        with pytest.raises(StoreError, match="exists"):
            backup(first, target)
    assert texts(target) == {"kept": 1}
    assert target.stat().st_mode & 0o777 == 0o600
    assert not list(path.parent.glob("*.part"))


def refused(*_: object) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (sqlite3.SQLITE_FULL, DiskFull, "free some space"),
        (sqlite3.SQLITE_IOERR_WRITE, DiskFull, "free some space"),
        (sqlite3.SQLITE_IOERR_SHMSIZE, DiskFull, "free some space"),
        (sqlite3.SQLITE_IOERR_READ, DiskFailed, "the disk failed"),
        (sqlite3.SQLITE_IOERR_FSYNC, DiskFailed, "the disk failed"),
    ],
)
def test_a_disk_that_fails_is_not_said_to_be_full(path: Path, code: int, kind: type[Exception], words: str) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode, error.sqlite_errorname = code, "SQLITE_IOERR"
    found = meaning(path, error)
    assert type(found) is kind
    assert words in str(found)


@pytest.mark.parametrize("goes_on", [lambda store: store.again(), lambda store: store.transaction().__enter__()])
def test_a_store_replaced_before_the_first_row_is_rescued_and_what_replaced_it_is_left_alone(
    path: Path, tmp_path: Path, goes_on: Callable[[Store], object]
) -> None:
    other = tmp_path / "other.db"
    with Store.open(other, write=True, create=True) as store, store.transaction() as db:
        db.execute("INSERT INTO texts VALUES ('other', 'another')")
    store = Store.open(path, write=True)
    with store.transaction() as db:
        db.execute("INSERT INTO texts VALUES ('log', 'in the log')")
    other.replace(path)
    with pytest.raises(StoreGone, match=r"kept in .*s\.db\.rescued"):
        goes_on(store)
    assert texts(tmp_path / "s.db.rescued") == {"kept": 1, "in the log": 1}
    store.close()
    assert texts(path) == {"another": 1}
    with Store.open(path, write=True) as now:
        now.quick_check()
