"""Two processes on one store: neither may take the other's write-ahead log away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from emaudit.store.connection import Store
from emaudit.store.variants import add_variants, variants

ELSEWHERE = """
import sys
from pathlib import Path
from emaudit.store.connection import Store
from emaudit.store.variants import add_variants
with Store.open(Path(sys.argv[1]), write=True) as store:
    add_variants(store, [{"name": sys.argv[2], "model": "m"}])
"""


def write_elsewhere(path: Path, name: str) -> None:
    """Add a variant from another process, which opens and closes the store."""
    subprocess.run([sys.executable, "-c", ELSEWHERE, str(path), name], check=True)


def test_a_second_look_at_a_store_keeps_the_locks_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Store.open(path, write=True, create=True) as store:
        add_variants(store, [{"name": "here-1", "model": "m"}])
        Store.open(path).close()
        with Store.open(path) as watcher:
            for number in range(1, 4):
                write_elsewhere(path, f"there-{number}")
                assert path.with_name("s.db-wal").exists(), "the log in use was removed by another process"
                add_variants(store, [{"name": f"here-{number + 1}", "model": "m"}])
            assert len(variants(watcher)) == 7
    with Store.open(path) as store:
        store.quick_check()
        assert len(variants(store)) == 7
