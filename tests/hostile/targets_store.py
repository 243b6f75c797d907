"""Words put to a store and files that lie beside one, as functions to be fuzzed."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from outside import file_of, folder, text_of

from emaudit.__main__ import main
from emaudit.archive import StoreArchive
from emaudit.errors import BadInput
from emaudit.filters import PLACES, Filters
from emaudit.kept import Shelf, unpacked
from emaudit.reviewing.handoff import read_handoff
from emaudit.scores.measures import Rules
from emaudit.scores.rows import Source
from emaudit.store import Store, runs
from emaudit.store.inspecting import Listing
from emaudit.text import storable


@cache
def store_path() -> Path:
    """A store with a few judged replies and a queue, made once."""
    path = folder() / "s.db"
    rows = [
        {
            "id": f"p{n // 4}",
            "prompt": f"Prompt {n // 4}?",
            "response": f"alpha {n}",
            "score": f"{n % 5 + 1}",
            "judge": "j",
        }
        for n in range(16)
    ]
    given = file_of("".join(json.dumps(row) + "\n" for row in rows).encode(), ".jsonl")
    _do("variant", "add", "v", "--model", "m", "--base-url", "http://127.0.0.1:9/v1")
    _do("import", str(given), "--variant", "v", "--assessment", "harmfulness")
    _do("review", "new", "--all", "--n", "8", "--seed", "4", "--name", "q", "--as", "ann", "--yes")
    _do("review", "handoff", str(folder() / "out.csv"))
    return path


def _do(*argv: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
        code = main(["--store", str(folder() / "s.db"), *argv])
    assert code == 0, said.getvalue()


@contextlib.contextmanager
def _open(write: bool = False) -> Iterator[Store]:
    with Store.open(store_path(), write=write) as store:
        yield store


@cache
def _reader() -> Store:
    return Store.open(store_path())


def search(data: bytes) -> None:
    """Words from a search box: whatever they are, a list."""
    words = storable(text_of(data[1:]))
    listing = Listing(_reader(), Filters(words=words, place=PLACES[data[0] % len(PLACES)] if data else "all"))
    try:
        assert len(listing.first().reply_ids) <= 16
    finally:
        listing.close()


def labels(data: bytes) -> None:
    """A hand-off that came back: every row of it is taken, or none with the reason."""
    with _open(write=True) as store:
        try:
            taken = read_handoff(store, file_of(data, ".csv"), "ben")
        except BadInput:
            return
    assert taken.queue == "q"


@cache
def handoff() -> bytes:
    """A hand-off of the store, as it was written."""
    store_path()
    return (folder() / "out.csv").read_bytes()


def kept(data: bytes) -> None:
    """A file in the cache: passed over, or one that makes a summary."""
    with _open() as store:
        archive = StoreArchive(store, StoreArchive(store, "").preset or _preset(store))
        shelf = Shelf(store, archive.judge, Rules())
        for _, plan in archive.plans():
            path = shelf._path(plan)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            found = shelf.get(plan)
            if found is not None:
                unpacked(found, Source("", "", "", "", "", 0, plan.assessment, "", "", simulated=False))


def _preset(store: Store) -> str:
    return str(store.db.execute("SELECT preset FROM plans").fetchone()[0])


def lease(data: bytes) -> None:
    """The file of a lease that somebody holds: whoever it is, or unknown."""
    with _open() as store:
        (run, *_) = runs.runs(store)
        place = store.path.with_name(store.path.name + ".leases")
        place.mkdir(exist_ok=True)
        path = place / f"run-{run.uid}"
        path.write_bytes(data)
        descriptor = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            found = runs.holder(store, run)
            assert found is not None and isinstance(found.get("pid", ""), object)
        finally:
            os.close(descriptor)
