"""Stores to measure on: simulated variants at an endpoint, and copies of a big store."""

from __future__ import annotations

import csv
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from measuring import emaudit

from emaudit.simulator.latent import VARIANT_MODELS


def app(store: Path) -> list[str]:
    """The command that opens the app on a store."""
    return [sys.executable, "-m", "emaudit", "--store", str(store)]


def copied(source: Path | None, folder: Path) -> Path:
    """A whole copy of a store; with none, a new one's place."""
    store = folder / "copy.db"
    if source is not None:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(store)) as new,
        ):
            old.backup(new)
    return store


def add_simulated(store: Path, url: str, n: int = len(VARIANT_MODELS)) -> list[str]:
    """Add the first so many of the simulated variants; their names."""
    table = store.with_suffix(".csv")
    rows = [(f"simulated-{model}", model, url) for model in VARIANT_MODELS[:n]]
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("name", "model", "base_url"), *rows])
    emaudit(store, "variant", "import", str(table))
    return [name for name, _, _ in rows]
