"""A store on disk: how it is made, opened, refused, locked and copied."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from emaudit.errors import DiskFull, StoreError
from emaudit.store import Store, backup
from emaudit.store.schema import APPLICATION_ID, SCHEMA_VERSION


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "private" / "audit.db"


def made(path: Path) -> Path:
    Store.open(path, write=True, create=True).close()
    return path


def test_a_new_store_is_private_and_named(path: Path) -> None:
    with Store.open(path, write=True, create=True) as store:
        assert len(store.store_id) == 16
        assert store.kind == ""
        files = [found for found in path.parent.iterdir() if found.is_file()]
        assert all(stat.S_IMODE(found.stat().st_mode) == 0o600 for found in files), files
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_write_settings_survive_power_loss(path: Path) -> None:
    with Store.open(path, write=True, create=True) as store:
        assert store.db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert store.db.execute("PRAGMA synchronous").fetchone()[0] == 2
        assert store.db.execute("PRAGMA mmap_size").fetchone() in (None, (0,))


def test_refusals_name_what_to_do_and_touch_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    text = tmp_path / "notes.txt"
    text.write_text("not a store, " * 20)
    empty = tmp_path / "empty.db"
    empty.touch()
    other = tmp_path / "other.db"
    sqlite3.connect(other).execute("CREATE TABLE t (x)").connection.close()
    newer = made(tmp_path / "newer.db")
    db = sqlite3.connect(newer)
    db.execute("PRAGMA journal_mode = DELETE")
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    cases = {
        folder: "is a folder",
        text: "not an emaudit store",
        empty: "zero bytes",
        other: "another program",
        newer: "newer emaudit",
        tmp_path / "missing.db": "no store at",
    }
    before = {file: file.read_bytes() for file in cases if file.is_file()}
    for file, words in cases.items():
        for write in (False, True):
            with pytest.raises(StoreError, match=words) as found:
                Store.open(file, write=write)
            assert "\n" not in str(found.value)
    assert {file: file.read_bytes() for file in before} == before


def test_a_short_sqlite_header_is_refused(tmp_path: Path) -> None:
    stump = tmp_path / "stump.db"
    stump.write_bytes(b"SQLite format 3\x00" + b"\x00" * 20)
    with pytest.raises(StoreError, match="not an emaudit store"):
        Store.open(stump)


def test_a_reader_cannot_write(path: Path) -> None:
    made(path)
    with Store.open(path) as store:
        with pytest.raises(StoreError, match="reading only"), store.transaction():
            pass
        with pytest.raises(sqlite3.OperationalError):
            store.db.execute("INSERT INTO meta VALUES ('a', 'b')")


def test_a_failed_transaction_leaves_nothing(path: Path) -> None:
    with Store.open(path, write=True, create=True) as store:
        with pytest.raises(ValueError), store.transaction() as db:
            db.execute("INSERT INTO meta VALUES ('a', 'b')")
            raise ValueError
        assert store.db.execute("SELECT count(*) FROM meta WHERE key = 'a'").fetchone()[0] == 0


def test_kind_is_fixed_by_the_first_claim(path: Path) -> None:
    with Store.open(path, write=True, create=True) as store:
        store.claim_kind("simulated")
        store.claim_kind("simulated")
        with pytest.raises(StoreError, match="simulated"):
            store.claim_kind("real")
        assert store.kind == "simulated"


@pytest.mark.parametrize("table", ["replies", "verdicts", "variant_facts", "voids", "voided", "texts", "prompts"])
def test_rows_are_never_changed(path: Path, table: str) -> None:
    with Store.open(path, write=True, create=True) as store:
        names = {row[0] for row in store.db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
        assert {f"{table}_no_UPDATE", f"{table}_no_DELETE"} <= names
        with store.transaction() as db:
            db.execute("INSERT OR IGNORE INTO texts VALUES ('h', 't')")
        if table == "texts":
            with pytest.raises(sqlite3.IntegrityError, match="append-only"), store.transaction() as db:
                db.execute("DELETE FROM texts")


def test_writers_of_two_connections_take_turns(path: Path) -> None:
    made(path)
    order: list[str] = []
    with Store.open(path, write=True) as first, Store.open(path, write=True) as second:
        inside = threading.Event()

        def other() -> None:
            inside.wait(5)
            with second.transaction():
                order.append("second")

        thread = threading.Thread(target=other)
        thread.start()
        with first.transaction():
            inside.set()
            thread.join(0.2)
            order.append("first")
        thread.join(5)
    assert order == ["first", "second"]


def test_a_full_store_says_so_and_keeps_what_it_has(path: Path) -> None:
    with Store.open(path, write=True, create=True) as store:
        pages = store.db.execute("PRAGMA page_count").fetchone()[0]
        store.db.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(DiskFull, match="free some space"), store.transaction() as db:
            for number in range(1000):
                db.execute("INSERT INTO texts VALUES (?, ?)", (str(number), "x" * 4000))
        assert store.db.execute("SELECT count(*) FROM texts").fetchone()[0] == 0


def test_backup_is_checked_and_never_overwrites(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    with Store.open(path, write=True, create=True) as store:
        with store.transaction() as db:
            db.execute("INSERT INTO texts VALUES ('h', 'in the log')")
        backup(store, target)
        with pytest.raises(StoreError, match="exists"):
            backup(store, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with Store.open(target) as copy:
        assert copy.db.execute("SELECT text FROM texts").fetchone()[0] == "in the log"
    assert not list(tmp_path.glob("*.part"))


def test_an_older_store_is_backed_up_and_migrated(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from emaudit.store import schema

    made(path)
    newest = schema.SCHEMA_VERSION

    def second(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE later (x INTEGER) STRICT")

    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, second))
    monkeypatch.setattr(schema, "SCHEMA_VERSION", newest + 1)
    with Store.open(path) as store:
        assert store.db.execute("PRAGMA user_version").fetchone()[0] == newest + 1
        assert store.db.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
        assert store.db.execute("SELECT count(*) FROM later").fetchone()[0] == 0
    kept = path.with_name(f"audit.db.schema-{newest}.backup")
    assert sqlite3.connect(kept).execute("PRAGMA user_version").fetchone()[0] == newest


def test_a_failing_migration_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from emaudit.store import schema

    made(path)
    newest = schema.SCHEMA_VERSION

    def broken(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE later (x INTEGER) STRICT")
        raise sqlite3.OperationalError("power lost")

    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, broken))
    monkeypatch.setattr(schema, "SCHEMA_VERSION", newest + 1)
    with pytest.raises(StoreError, match="changed nothing"):
        Store.open(path)
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA user_version").fetchone()[0] == newest
    assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'later'").fetchone()[0] == 0


def test_kill_9_inside_a_transaction_keeps_only_committed_rows(path: Path) -> None:
    made(path)
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom emaudit.store import Store\n"
        "store = Store.open(Path(sys.argv[1]), write=True)\n"
        "with store.transaction() as db: db.execute(\"INSERT INTO texts VALUES ('a', 'kept')\")\n"
        "with store.transaction() as db:\n"
        "    db.execute(\"INSERT INTO texts VALUES ('b', 'lost')\")\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert ended.returncode == -9
    with Store.open(path, write=True) as store:
        store.quick_check()
        assert [row[0] for row in store.db.execute("SELECT text FROM texts")] == ["kept"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_store_opens_with_a_banner(path: Path) -> None:
    made(path)
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        with Store.open(path) as store:
            assert "read-only" in store.banner
        with pytest.raises(StoreError, match="cannot be written"):
            Store.open(path, write=True)
    finally:
        path.parent.chmod(0o700)


def test_a_read_only_store_opens_with_a_banner_whoever_asks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(path)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with Store.open(path) as store:
        assert "read-only" in store.banner
        assert store.kind == ""
    with pytest.raises(StoreError, match="cannot be written"):
        Store.open(path, write=True)


def test_a_damaged_store_is_found_and_kept(path: Path) -> None:
    with Store.open(path, write=True, create=True) as store, store.transaction() as db:
        db.executemany("INSERT INTO texts VALUES (?, ?)", [(str(n), "x" * 500) for n in range(500)])
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 8192] = b"\xff" * 8192
    path.write_bytes(bytes(data))
    with Store.open(path) as store, pytest.raises(StoreError, match="damaged"):
        store.quick_check()
    assert path.read_bytes() == bytes(data)


def test_opening_a_store_again_keeps_the_locks_of_the_first(path: Path) -> None:
    """Another process that closes the store must not take itself for the last one and remove the log in use."""
    close_another = (
        "import sys\nfrom pathlib import Path\nfrom emaudit.store import Store\n"
        "Store.open(Path(sys.argv[1]), write=True).close()"
    )
    with Store.open(path, write=True, create=True) as store:
        Store.open(path).close()
        Store.open(path, write=True).close()
        with store.transaction() as db:
            db.execute("INSERT INTO texts VALUES ('a', 'one')")
        subprocess.run([sys.executable, "-c", close_another, str(path)], check=True)
        assert path.with_name(path.name + "-wal").exists()
        with store.transaction() as db:
            db.execute("INSERT INTO texts VALUES ('b', 'two')")
    with Store.open(path) as store:
        store.quick_check()
        assert store.db.execute("SELECT count(*) FROM texts").fetchone()[0] == 2
