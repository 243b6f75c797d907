"""What happens to the file of a store: removed, replaced, damaged, full, older, while somebody works with it."""

from __future__ import annotations

import random
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from damage import COMMANDS, DAMAGES, bits
from forking import Process
from lab import Lab

from emaudit.cli.command import run
from emaudit.errors import StoreError
from emaudit.store import Store, schema

PLANNED = 8 + 80
"""Requests of a whole run: eight with ten samples each, and a judgement of every reply."""
SLOW = ("latency:400ms",)
"""With few in flight, a whole run takes so long that no poll of a starved machine misses its middle."""
FEW = ("--max-concurrency", "4")


def count(store: Path, table: str = "replies") -> int:
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as db:
        return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def started(lab: Lab) -> Process:
    """A run in the foreground of which some replies are stored and some are still owed."""
    lab.simulate(*SLOW)
    lab.add()
    process = lab.start("run", "v", "--yes", "--assessment", "harmfulness", "--preset", "smoke", *FEW)
    lab.until(lambda: lab.store.exists() and count(lab.store, "verdicts") >= 90)
    return process


def remove(lab: Lab) -> None:
    for suffix in ("", "-wal", "-shm"):
        lab.store.with_name(lab.store.name + suffix).unlink()


def move_away(lab: Lab) -> None:
    for suffix in ("", "-wal", "-shm"):
        lab.store.with_name(lab.store.name + suffix).rename(lab.folder / f"elsewhere.db{suffix}")


def replace_by_another(lab: Lab) -> None:
    lab("variant", "add", "w", "--model", "sim-nano-base", "--endpoint", "sim", store=lab.folder / "another.db")
    (lab.folder / "another.db").replace(lab.store)


def remove_the_log(lab: Lab) -> None:
    lab.store.with_name(lab.store.name + "-wal").unlink()


@pytest.mark.parametrize("happens", [remove, move_away, replace_by_another, remove_the_log])
def test_a_store_that_loses_its_name_during_a_run_is_rescued_whole(lab: Lab, happens: Callable[[Lab], None]) -> None:
    process = started(lab)
    happens(lab)
    _, err = process.communicate(timeout=60)
    rescued = lab.folder / "s.db.rescued"
    assert process.returncode == 3, err
    assert "moved, deleted or replaced" in err and str(rescued) in err
    answered = len(lab.asked("ask"))
    assert count(rescued) >= 10 * (answered - 4)
    assert rescued.stat().st_mode & 0o777 == 0o600
    lab("resume", store=rescued)
    assert lab.json("status", store=rescued)[-1]["owed"] == 0
    assert len(lab.asked()) <= PLANNED + 4
    assert lab("verify", store=rescued).code == 0


def test_what_replaced_a_store_is_left_as_it_is(lab: Lab) -> None:
    process = started(lab)
    replace_by_another(lab)
    process.communicate(timeout=60)
    assert process.returncode == 3
    assert [row["name"] for row in lab.json("variant", "list")] == ["w"]
    assert count(lab.store) == 0


def test_a_full_disk_holds_what_came_in_and_goes_on_when_there_is_space(lab: Lab) -> None:
    lab.simulate(*SLOW)
    lab.add()
    process = lab.start("run", "v", "--yes", "--assessment", "harmfulness", "--preset", "smoke", *FEW)
    lab.until(lambda: count(lab.store, "verdicts") >= 90)
    log = lab.store.with_name(lab.store.name + "-wal")
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (log.stat().st_size, resource.RLIM_INFINITY))
    asked = -1
    while asked != len(lab.asked()):
        asked = len(lab.asked())
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.5)
    assert asked < PLANNED
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert count(lab.store) == 80
    assert len(lab.asked()) == PLANNED
    assert lab("verify").code == 0


FULL_FOR_A_WHILE = """
import sys
from emaudit.__main__ import main
from emaudit.store import Store, writer
real, ended, begun, missed = Store.try_begin, Store.end_begun, 0, 0
writer.DISK_RETRY_S = 0.1
def try_begin(store, nameless=False):
    global begun
    if not real(store, nameless):
        return False
    begun += 1
    if begun == 3:
        pages = store.db.execute("PRAGMA page_count").fetchone()[0]
        store.db.execute(f"PRAGMA max_page_count = {pages}")
    if missed == 3:
        store.db.execute("PRAGMA max_page_count = 1000000")
    return True
def end_begun(store, commit):
    global missed
    missed += not commit
    ended(store, commit)
Store.try_begin, Store.end_begun = try_begin, end_begun
code = main(sys.argv[1:])
print("missed", missed)
sys.exit(code)
"""


def test_a_disk_full_in_the_middle_of_a_statement_loses_nothing(lab: Lab) -> None:
    lab.simulate("latency:30ms")
    lab.add()
    told = lab.words("run", "v", "--yes", "--assessment", "harmfulness", "--preset", "smoke", *FEW)
    words = [sys.executable, "-c", FULL_FOR_A_WHILE, *told]
    done = subprocess.run(
        words, env=lab.environment, cwd=lab.folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("missed 3\n")
    assert count(lab.store) == 80
    assert len(lab.asked()) == PLANNED
    assert lab("verify").code == 0


def test_a_disk_that_stays_full_ends_the_run_on_a_signal_and_it_resumes(lab: Lab) -> None:
    process = started(lab)
    log = lab.store.with_name(lab.store.name + "-wal")
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (log.stat().st_size, resource.RLIM_INFINITY))
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(2)
    assert lab.end(process, signal.SIGTERM) == 143
    kept = count(lab.store)
    assert kept > 0
    lab("resume")
    assert count(lab.store) == 80
    assert lab("verify").code == 0


@pytest.mark.parametrize(
    "argv", [("export", "out"), ("backup", "copy.db"), ("review", "new", "--all", "--n", "10", "--yes")]
)
def test_a_full_disk_leaves_no_half_file(lab: Lab, argv: tuple[str, ...]) -> None:
    lab.simulate()
    lab.add()
    lab.run()
    before = lab.store.read_bytes()
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))\n"
        "from emaudit.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    words = [sys.executable, "-c", limited, *lab.words(*argv)]
    with Store.open(lab.store, write=True):
        done = subprocess.run(words, env=lab.environment, cwd=lab.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert "unexpected" not in done.stderr
    assert not [path for path in lab.folder.rglob("*") if path.name.endswith((".tmp", ".part"))]
    assert not (lab.folder / "copy.db").exists() and not list((lab.folder / "out").glob("*.csv"))
    assert lab.store.read_bytes() == before


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, forker: object) -> bytes:
    """The bytes of a store with a complete run."""
    made = Lab(tmp_path_factory.mktemp("whole"), forker)  # type: ignore[arg-type]
    try:
        made.simulate()
        made.add()
        made.run()
        made("backup", str(made.folder / "copy.db"))
        return (made.folder / "copy.db").read_bytes()
    finally:
        made.close()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("damages", DAMAGES)
def test_a_damaged_store_is_never_a_crash_and_never_touched(
    whole: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str], damages: Callable, seed: int
) -> None:
    data = bytearray(whole)
    damages(data, random.Random(f"{damages.__name__} {seed}"))
    store = tmp_path / "s.db"
    store.write_bytes(data)
    codes = {words: run(["--store", str(store), *words]) for words in COMMANDS}
    said = capsys.readouterr().err
    assert set(codes.values()) <= {0, 1, 2}, (codes, said)
    assert codes["doctor",] == 2 or damages is bits
    assert codes["verify",] != 0
    assert "unexpected" not in said
    assert store.read_bytes() == data


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
def test_nonsense_in_the_log_is_passed_over(whole: bytes, tmp_path: Path, suffix: str) -> None:
    store = tmp_path / "s.db"
    store.write_bytes(whole)
    with Store.open(store, write=True):
        pass
    store.with_name(store.name + suffix).write_bytes(random.Random(1).randbytes(100_000))
    assert run(["--store", str(store), "verify"]) == 0
    with Store.open(store, write=True) as held:
        held.quick_check()
        assert held.db.execute("SELECT count(*) FROM replies").fetchone()[0] == 80


def older(path: Path, monkeypatch: pytest.MonkeyPatch, version: int = 1) -> None:
    """A store as an emaudit of the first schema made it."""
    with monkeypatch.context() as patched:
        patched.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:version])
        patched.setattr(schema, "SCHEMA_VERSION", version)
        with Store.open(path, write=True, create=True) as store, store.transaction() as db:
            db.execute("INSERT INTO texts VALUES ('a', 'kept')")


KILLED = """
import os, sys
from pathlib import Path
from emaudit.errors import StoreError
from emaudit.store import Store, schema
step = schema.MIGRATIONS[-1]
def killed(db):
    step(db)
    os.kill(os.getpid(), 9)
schema.MIGRATIONS = (*schema.MIGRATIONS[:-1], killed)
Store.open(Path(sys.argv[1]))
"""


def test_a_kill_inside_an_upgrade_is_made_good_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.db"
    older(path, monkeypatch)
    for _ in range(2):
        assert subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False).returncode == -9
    with Store.open(path, write=True) as store:
        store.quick_check()
        assert store.db.execute("PRAGMA user_version").fetchone()[0] == schema.SCHEMA_VERSION
        assert store.db.execute("SELECT text FROM texts").fetchone()[0] == "kept"
    kept = sorted(tmp_path.glob("s.db.schema-1.backup*"))
    assert kept
    for copy in kept:
        assert sqlite3.connect(copy).execute("SELECT text FROM texts").fetchone()[0] == "kept"


def test_two_processes_upgrade_a_store_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s.db"
    older(path, monkeypatch)
    words = [sys.executable, "-m", "emaudit", "--store", str(path), "variant", "list"]
    both = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    with Store.open(path) as store:
        assert store.db.execute("PRAGMA user_version").fetchone()[0] == schema.SCHEMA_VERSION
    assert len(list(tmp_path.glob("*.backup*"))) == 1


def test_a_store_that_an_older_emaudit_holds_open_is_upgraded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.db"
    older(path, monkeypatch)
    with monkeypatch.context() as patched:
        patched.setattr(schema, "SCHEMA_VERSION", 1)
        held = Store.open(path)
    with held:
        held.db.execute("SELECT count(*) FROM texts").fetchone()
        for write in (False, True, False):
            with Store.open(path, write=write) as store:
                assert store.db.execute("PRAGMA user_version").fetchone()[0] == schema.SCHEMA_VERSION
        assert [kept.name for kept in tmp_path.glob("*.backup*")] == ["s.db.schema-1.backup"]


def test_a_newer_schema_that_is_only_in_the_log_yet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Store.open(path, write=True, create=True) as held:
        held.db.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION + 1}")
        for write in (False, True):
            with pytest.raises(StoreError, match="newer emaudit"):
                Store.open(path, write=write)


def test_an_upgrade_without_room_for_its_backup_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.db"
    older(path, monkeypatch)
    before = path.read_bytes()
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (36_000, 36_000))\n"
        "from emaudit.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    words = [sys.executable, "-c", limited, "--store", str(path), "variant", "list"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 3 and "free some space" in done.stderr
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.backup*"))
