"""A store full of hostile text through every command that lists or writes: none of it acts, none of it is lost."""

from __future__ import annotations

import csv
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from latex_structure import faults
from outside import LEFT
from poisoned import BENIGN, HOSTILE, poison
from reviewing_scene import drawn, session
from terminals import sequences, terminal
from verify_scene import CHOICES, export, scene

from emaudit.__main__ import main
from emaudit.archive import StoreArchive
from emaudit.folder import RUNNABLE, unguarded
from emaudit.publishing import export_pages
from emaudit.store import Store

LISTING = (
    *(
        ["variant", "list", "--hidden"],
        ["status"],
        ["scores", "--every-measure"],
        ["compare"],
        ["correlate"],
    ),
    *(["agreement"], ["trajectories"], ["dissociation"], ["judge", "list"], ["judge", "compare"], ["judge", "flags"]),
    *(["instrument", "list"], ["review", "list"], ["doctor"], ["verify"], ["estimate", "--all"]),
)
NOT_DONE = {"doctor": 2, "verify": 1, "estimate": 2}
"""What finds fault with such a store, and says so; all else succeeds."""


def _stores(folder: Path) -> Mapping[str, Path]:
    """The same store twice: with benign text in every column from outside, and with hostile text."""
    benign, hostile = folder / "benign.db", folder / "hostile.db"
    scene(benign)
    with Store.open(benign, write=True) as store:
        queue = drawn(store, 10, name="q")
        sitting = session(store, queue)
        for key in "123":
            sitting.note("a note")
            sitting.score(key)
    shutil.copy(benign, hostile)
    poison(benign, BENIGN, "benign")
    poison(hostile, HOSTILE)
    return {"benign": benign, "hostile": hostile}


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    return _stores(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One home for all of the commands: what one has computed, the next finds in the cache."""
    made = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
            patch.setenv(name, str(made))
        patch.chdir(made)
        yield made


def first_name(path: Path) -> str:
    with closing(sqlite3.connect(path)) as db:
        return str(db.execute("SELECT value FROM variant_facts WHERE field = 'name'").fetchone()[0])


def said(capsys: pytest.CaptureFixture[str], path: Path, *argv: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(["--store", str(path), *argv])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.mark.parametrize("words", LISTING, ids=" ".join)
def test_a_pipe_gets_nothing_that_acts(
    stores: Mapping[str, Path], home: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    for more in ((), ("--json",)):
        code, out, err = said(capsys, stores["hostile"], *words, *more)
        assert code == NOT_DONE.get(words[0], 0), err
        assert not LEFT.findall(out + err)
        if more and out:
            assert out.isascii()
            assert json.loads(out)


def test_one_variant_is_shown_by_its_own_name(
    stores: Mapping[str, Path], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = first_name(stores["hostile"])
    code, out, err = said(capsys, stores["hostile"], "variant", "show", name)
    assert code == 0 and not LEFT.findall(out + err)
    assert json.loads(said(capsys, stores["hostile"], "variant", "show", name, "--json")[1])["name"] == name


_ALL = """
import json, sys
from emaudit.__main__ import main
for words in json.loads(sys.argv[2]):
    main(["--store", sys.argv[1], *words])
"""


def test_a_terminal_gets_what_it_gets_of_benign_text(stores: Mapping[str, Path], home: Path) -> None:
    kinds = {}
    for name, path in stores.items():
        words = json.dumps(
            [*LISTING, ["variant", "show", first_name(path)], ["review", "stop", "nobody", "--reason", "x"]]
        )
        with terminal(str(path), words, program=("-c", _ALL), HOME=str(home), XDG_CACHE_HOME=str(home)) as held:
            assert held.end(240) == 0
            kinds[name] = sequences(bytes(held.written))
            assert len(held.written) > 20_000
    assert kinds["hostile"] <= kinds["benign"]


@pytest.fixture(scope="module")
def exported(stores: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The hostile store in every format."""
    made = {name: tmp_path_factory.mktemp("out") / name for name in ("csv", "safe", "latex", "markdown")}
    with Store.open(stores["hostile"]) as store:
        export(store, made["csv"])
        export(store, made["safe"], excel_safe=True)
        for form in ("latex", "markdown"):
            export_pages(StoreArchive.chosen(store, CHOICES), made[form], form)
    return made


def rows_of(path: Path) -> list[dict[str, str]]:
    csv.field_size_limit(1 << 30)
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


def test_a_table_holds_every_text_to_the_last_character(
    stores: Mapping[str, Path], exported: Mapping[str, Path]
) -> None:
    with closing(sqlite3.connect(stores["hostile"])) as db:
        kept = dict(db.execute("SELECT text, count(*) FROM replies GROUP BY text").fetchall())
        prompts = {text for (text,) in db.execute("SELECT text FROM prompts")}
    rows = rows_of(exported["csv"] / "responses.csv")
    assert {row["response"] for row in rows} == set(kept)
    assert {row["prompt"] for row in rows} <= prompts
    guarded = rows_of(exported["safe"] / "responses.csv")
    assert [unguarded(row["response"]) for row in guarded] == [row["response"] for row in rows]


def test_no_cell_of_a_guarded_export_runs(exported: Mapping[str, Path]) -> None:
    running = {
        (path.name, column): cell
        for path in exported["safe"].glob("*.csv")
        for row in rows_of(path)
        for column, cell in row.items()
        if cell.startswith(RUNNABLE) and not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?(\.\.-?[0-9.]+)?", cell)
    }
    assert running == {}
    assert any(row["response"].startswith("'=") for row in rows_of(exported["safe"] / "responses.csv"))


def texts(exported: Mapping[str, Path], *suffixes: str) -> Iterator[tuple[str, str]]:
    for name, folder in exported.items():
        for path in sorted(folder.iterdir()):
            if path.suffix in suffixes:
                yield f"{name}/{path.name}", path.read_text(encoding="utf-8")


def test_no_page_or_manifest_holds_what_acts_in_a_terminal(exported: Mapping[str, Path]) -> None:
    assert {name for name, text in texts(exported, ".md", ".tex", ".json", ".txt") if LEFT.search(text)} == set()
    assert all(json.loads(text) for _, text in texts(exported, ".json"))


def test_latex_is_sound_whatever_it_is_of(exported: Mapping[str, Path]) -> None:
    found = {name: faults(text)[:3] for name, text in texts(exported, ".tex")}
    assert len(found) > 10
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def outside_code(page: str) -> Iterator[str]:
    """The lines of a Markdown page that are not in a code block."""
    fence = ""
    for line in page.split("\n"):
        opened = re.match(r"`{3,}", line)
        if not fence and opened:
            fence = opened[0]
        elif fence and set(line) == {"`"} and len(line) >= len(fence):
            fence = ""
        elif not fence:
            yield line
    assert not fence


def test_no_tag_link_or_heading_of_a_page_is_from_outside(exported: Mapping[str, Path]) -> None:
    for name, page in texts(exported, ".md"):
        for line in outside_code(page):
            assert not re.search(r"<(?!/?sup>)[A-Za-z/!?]", line), (name, line)
            assert not re.search(r"(?<!\\)\]\(", line), (name, line)
            assert not line.startswith(("# h", "```")), (name, line)


def test_every_file_is_in_its_folder(exported: Mapping[str, Path]) -> None:
    for folder in exported.values():
        assert [path.name for path in folder.parent.iterdir()] == [folder.name]
        assert all(re.fullmatch(r"[a-z0-9_-]+\.[a-z]+", path.name) for path in folder.iterdir())
