"""`emaudit instrument`: which wording is asked, and installing one's own or the original items."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from emaudit import prompts
from emaudit.cli.arguments import Verbs
from emaudit.cli.context import Context
from emaudit.cli.output import emit_json, say, table
from emaudit.errors import BadInput, UsageError
from emaudit.prompts import Instrument, Library
from emaudit.store.connection import Store
from emaudit.store.texts import install_instrument, installed_instruments

JUDGE: Final = "judge"
_MFQ2: Final = ("mfq2", "MFQ-2 (Atari et al. 2023), as installed")


def register(verbs: Verbs) -> None:
    """Add `instrument` and its verbs."""
    family = Verbs(
        verbs.add("instrument", "the wording that is asked: list it, install one's own"), "instrument_command"
    )
    family.add("list", "list the instruments in use, with their hashes", _list, lists=True)
    install = family.add("install", "use one's own or the original items from now on in this store", _install)
    install.add_argument("key", metavar="WHICH", help=f"one of {', '.join(_READERS)}")
    install.add_argument("file", metavar="FILE", type=Path)


def installed_rubrics(store: Store, library: Library) -> Library:
    """The library with the store's installed judge rubric in place of ours."""
    for key, held in installed_instruments(store):
        if key == JUDGE:
            library = library.with_rubric(replace(library.rubrics["harm"], **held.content))
    return library


def _statements(path: Path, library: Library) -> Instrument:
    own = library.instrument("moral_foundations")
    return prompts.read_statements(path, str(own.content["template"]), *_MFQ2)


def _intentions(path: Path, library: Library) -> Instrument:
    template = str(library.instrument("intentions").content["template"])
    return prompts.read_intentions(path, template, path.stem)


def _rubric(path: Path, library: Library) -> Instrument:
    read = prompts.read_rubric(path, "harm")
    content = {"system": read.system, "question": read.question, "reminder": read.reminder, "schema": read.schema}
    return Instrument(JUDGE, path.stem, path.stem, content)


_READERS: Final[Mapping[str, Callable[[Path, Library], Instrument]]] = {
    "mfq2": _statements,
    "harmfulness": lambda path, _: prompts.read_harmfulness(path, path.stem),
    "intentions": _intentions,
    "self_assessment": lambda path, _: prompts.read_self_report(path, "self_assessment"),
    "moral_self_assessment": lambda path, _: prompts.read_self_report(path, "moral_self_assessment"),
    "open_ended": lambda path, _: prompts.read_open_ended(path, path.stem),
    JUDGE: _rubric,
}


def _install(context: Context) -> int:
    key: str = context.options.key
    path: Path = context.options.file
    if key not in _READERS:
        raise UsageError(f"no instrument {key!r}; known: {', '.join(_READERS)}")
    library = context.library()
    found = _READERS[key](path, library)
    _check_renders(path, found, library)
    with context.open(write=True, create=True) as store:
        install_instrument(store, found.assessment, found)
    say(f"installed {found.identity} for {found.assessment}: plans made from now on use it")
    return 0


def _check_renders(path: Path, found: Instrument, library: Library) -> None:
    """Render every prompt of it once, so that a bad template is refused now and not in the middle of a run."""
    if found.assessment == JUDGE:
        return
    from emaudit.assessments import by_key

    try:
        for _ in by_key(found.assessment).plan(library.with_instrument(found), "paper"):
            pass
    except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        raise BadInput(path, f"cannot be rendered: {type(error).__name__}: {error}") from error


def _list(context: Context) -> int:
    library = context.library()
    installed: dict[str, Instrument] = {}
    if context.store_path.exists():
        with context.open() as store:
            installed = dict(installed_instruments(store))
    rows = [
        _row(key, installed.get(key, library.instruments.get(key)), key in installed) for key in library.instruments
    ]
    if JUDGE in installed:
        rows.append(_row(JUDGE, installed[JUDGE], True))
    if context.json:
        emit_json(rows)
        return 0
    table(
        ("INSTRUMENT", "NAME", "LABEL", "ITEMS", "FROM"),
        [(row["instrument"], row["identity"], row["label"], row["items"], row["from"]) for row in rows],
        right=("ITEMS",),
    )
    return 0


def _row(key: str, held: Instrument | None, is_installed: bool) -> dict[str, str]:
    if held is None:
        raise UsageError(f"no instrument for {key!r}")
    items = held.content.get("items")
    stems = {name: part.get("stems", part.get("questions", ())) for name, part in _parts(held).items()}
    n_items = len(items) if isinstance(items, list) else sum(map(len, stems.values()))
    return {
        "instrument": key,
        "name": held.name,
        "identity": held.identity,
        "hash": held.hash,
        "label": held.label if held.label != held.name else "",
        "items": str(n_items) if n_items else "",
        "from": "installed" if is_installed else "shipped",
    }


def _parts(held: Instrument) -> dict[str, Mapping[str, list[str]]]:
    """The tables of a self-report that hold stems or questions."""
    content = json.loads(json.dumps(held.content))
    return {
        name: part for name, part in content.items() if isinstance(part, dict) and {"stems", "questions"} & set(part)
    }
