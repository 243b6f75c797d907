"""README against the code: every command, option and key that it names exists, and every command is named."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.binding import Binding

from emaudit.cli.command import build

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def verbs(parser: argparse.ArgumentParser, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command by its words, with its parser."""
    yield path, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield from verbs(child, (*path, name))


KNOWN = dict(verbs(build()))
FAMILIES = {words[:1] for words in KNOWN if len(words) == 2}


def named_commands() -> list[str]:
    fenced = re.findall(r"^(?:emaudit|.*/emaudit)(?: [^#\n]*)?", README, re.MULTILINE)
    inline = re.findall(r"`(emaudit [^`]*)`", README)
    return [line[line.index("emaudit") :].strip() for line in [*fenced, *inline]]


@pytest.mark.parametrize("line", named_commands())
def test_a_named_command_exists(line: str) -> None:
    words = shlex.split(line)[1:]
    if "..." in words:
        return
    path = tuple(words[:2]) if tuple(words[:1]) in FAMILIES else tuple(words[:1])
    path = () if path and path[0].startswith("--") else path
    assert path in KNOWN, line
    options = {option for action in KNOWN[path]._actions for option in action.option_strings}
    assert {word for word in words if word.startswith("--")} <= options, line


def test_every_command_is_named() -> None:
    named = "\n".join(named_commands())
    for words in KNOWN:
        if words and words not in FAMILIES:
            assert f"emaudit {' '.join(words)}" in named, words


def test_every_named_option_exists() -> None:
    known = {option for parser in KNOWN.values() for action in parser._actions for option in action.option_strings}
    assert set(re.findall(r"`(--[a-z-]+)", README)) <= known


def test_every_option_of_a_run_is_named() -> None:
    for action in KNOWN[("run",)]._actions:
        for option in action.option_strings:
            if option.startswith("--") and option not in {"--help", "--run-uid"}:
                assert option in README, option


def key_table() -> str:
    """The README's table of keys, from the bindings."""
    from emaudit.screens.keys import GROUPS

    order = [*FIRST, *(group for group in GROUPS if group not in FIRST)]
    found = [binding for owner in key_owners() for binding in owner.__dict__.get("BINDINGS", ())]
    places: dict[tuple[str, str], dict[str, None]] = {}
    stood_for: set[tuple[str, str]] = set()
    for binding in sorted(found, key=lambda binding: order.index(binding.id.split(".")[0])):
        group = binding.id.split(".")[0]
        verb = (group, f"{binding.action.split('(')[0]} {binding.tooltip.split()[0]}")
        if verb not in stood_for:
            places.setdefault((shown(binding), binding.tooltip), {})[GROUPS[group]] = None
        if len(shown(binding).split()) > 1 or "-" in shown(binding):
            stood_for.add(verb)
    rows = [f"| {', '.join(where)} | `{key}` | {tooltip} |" for (key, tooltip), where in places.items()]
    return "\n".join(["| where | key | does |", "|---|---|---|", *rows])


FIRST = ("app", "rows", "dialog")
"""What stands first in the README: keys of every screen. `1-5` or `[ ]` stands for all keys that do the same."""


def key_owners() -> list[type]:
    """Every class of the app, its screens and its widgets that binds keys."""
    import emaudit.screens
    import emaudit.widgets
    from emaudit.app import EmauditApp

    names = [
        module.name
        for package in (emaudit.screens, emaudit.widgets)
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    ]
    held = [thing for name in names for thing in vars(importlib.import_module(name)).values()]
    own = [thing for thing in held if isinstance(thing, type) and thing.__module__ in names]
    return [EmauditApp, *dict.fromkeys(own)]


def test_every_binding_has_an_id_and_a_tooltip() -> None:
    for owner in key_owners():
        bindings = owner.__dict__.get("BINDINGS", ())
        assert all(binding.id and binding.tooltip and binding.description for binding in bindings), owner
        assert len({binding.id for binding in bindings}) == len(bindings), owner


def shown(binding: Binding) -> str:
    """A binding's first key as it is written."""
    if binding.key_display:
        return str(binding.key_display)
    names = {"escape": "esc", "slash": "/", "question_mark": "?"}
    first = binding.key.split(",")[0]
    return names.get(first, first.upper() if re.fullmatch(r"f\d+", first) else first)


def test_the_keys_are_those_of_the_app() -> None:
    held = README[README.index("<!-- keys -->") + len("<!-- keys -->") : README.index("<!-- /keys -->")].strip()
    assert held == key_table(), "run `python tests/unit/test_readme.py` to write them into the README"


def test_the_readme_holds_two_one_line_commands() -> None:
    assert re.search(r"^python3 -m venv .*&& \.venv/bin/emaudit demo$", README, re.MULTILINE)
    assert re.search(r"^python3 -m venv .*constraints\.txt.*pytest.*ruff check.*mypy$", README, re.MULTILINE)


def write_keys() -> None:
    """Put the bindings of the app into the README: `python tests/unit/test_readme.py`."""
    before, after = README.split("<!-- keys -->")[0], README.split("<!-- /keys -->")[1]
    text = f"{before}<!-- keys -->\n{key_table()}\n<!-- /keys -->{after}"
    (ROOT / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_keys()
