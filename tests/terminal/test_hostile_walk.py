"""Hostile text in every field, through every screen and dialog of the app, in a real terminal."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from terminals import terminal

sys.path.insert(0, str(Path(__file__).parent.parent / "unit"))

from tests.hostile.poisoned import BENIGN, HOSTILE, filled, poison
from tests.hostile.strings import TOGETHER
from tests.hostile.walk import F2, F5, QUIT, STEPS, Seen, models, walk, write_settings

SIZE = (140, 45)
AS_TALL_AS_ITS_TEXT = {"F4 all of a text"}
"""Steps after which a dialog stands over the lines that are compared, if its text is long enough."""

pytestmark = pytest.mark.timeout(900)


def walked(folder: Path, base: Path, texts: Sequence[str], together: str = TOGETHER) -> Seen:
    """What a walk over a store writes whose fields from outside hold these texts."""
    folder.mkdir()
    store = Path(shutil.copy(base, folder / "s.db"))
    poison(store, texts, together)
    config = folder / "emaudit.toml"
    with models(texts) as address:
        write_settings(config, address, texts[:12])
        return walk(store, config, *SIZE)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("base") / "s.db"
    filled(path)
    return path


@pytest.fixture(scope="module")
def benign(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Seen:
    return walked(tmp_path_factory.mktemp("benign") / "w", base, BENIGN, " ".join(BENIGN))


@pytest.mark.long
def test_hostile_text_writes_no_sequence_that_benign_text_does_not(tmp_path: Path, base: Path, benign: Seen) -> None:
    hostile = walked(tmp_path / "w", base, HOSTILE)
    assert set(hostile.pages) == set(benign.pages) == {step.name for step in STEPS}
    assert len(benign.kinds) > 20 and hostile.kinds <= benign.kinds
    assert not moved(benign, hostile)


def moved(benign: Seen, hostile: Seen) -> dict[str, tuple[str, str]]:
    """The steps after which the top line or the line of keys does not stand where it stands in a benign walk."""
    found = {}
    for name in benign.pages.keys() - AS_TALL_AS_ITS_TEXT:
        page = benign.pages[name]
        for at in (0, -1):
            line, other = page[at], hostile.pages[name][at]
            if line[:20] != other[:20]:
                found[f"{name}, line {at}"] = (line, other)
    return found


def test_text_that_is_no_utf8_is_said_and_the_app_goes_on(tmp_path: Path, base: Path) -> None:
    store = Path(shutil.copy(base, tmp_path / "s.db"))
    with closing(sqlite3.connect(store)) as db, db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute("UPDATE variant_facts SET value = CAST(x'66ff' AS TEXT) WHERE rowid = 1")
    with terminal("--store", str(store), columns=120, lines=30) as held:
        held.wait_for("Could not decode to UTF-8 column 'value'")
        held.press(F5.encode())
        held.wait_for("is damaged")
        held.press(F2.encode())
        held.wait_for("what is known stands above")
        held.press(QUIT.encode())
        assert held.end() == 0 and held.is_restored()
