"""README against the code: every command, option and key that it names exists, and every command is named."""

from __future__ import annotations

import argparse
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
    from emaudit.app import EmauditApp
    from emaudit.screens.add import AddScreen
    from emaudit.screens.base import Dialog
    from emaudit.screens.edit import EditDialog
    from emaudit.screens.leave import LeaveDialog
    from emaudit.screens.page import PageDialog
    from emaudit.screens.runs import RunsScreen
    from emaudit.screens.start import StartDialog
    from emaudit.screens.variants import VariantsScreen
    from emaudit.widgets.table import RowTable

    places: dict[str, Any] = {
        "everywhere": EmauditApp,
        "any list": RowTable,
        "Variants (F2)": VariantsScreen,
        "adding variants": AddScreen,
        "editing a variant": EditDialog,
        "starting a run": StartDialog,
        "Runs (F3)": RunsScreen,
        "leaving": LeaveDialog,
        "any dialog": Dialog,
        "help and details": PageDialog,
    }
    rows = ["| where | key | does |", "|---|---|---|"]
    for place, owner in places.items():
        for binding in owner.__dict__.get("BINDINGS", ()):
            rows.append(f"| {place} | `{shown(binding)}` | {binding.tooltip} |")
    return "\n".join(rows)


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
