"""Which module adds which command, and that a command line loads no other."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from emaudit.cli.arguments import Parser, Verbs
from emaudit.cli.registry import FAMILIES, needed


def test_every_family_adds_the_commands_it_is_listed_with() -> None:
    for name, commands in FAMILIES.items():
        parser = Parser(prog="emaudit")
        verbs = Verbs(parser, "command")
        import_module(f"emaudit.cli.{name}").register(verbs)
        assert tuple(verbs._children.choices) == commands, name


@pytest.mark.parametrize(
    ("argv", "loaded"),
    [
        (["status", "--json"], ["watching"]),
        (["run", "v", "--store", "status"], ["running"]),
        (["--store", "run", "status"], ["watching"]),
        (["--json", "--config", "x", "scores"], ["scoring"]),
        ([], []),
        (["--store", "x"], []),
        (["--help"], list(FAMILIES)),
        (["nonsense"], list(FAMILIES)),
        (["--store"], list(FAMILIES)),
    ],
)
def test_only_the_family_of_a_command_is_loaded(argv: list[str], loaded: list[str]) -> None:
    assert list(needed(argv)) == loaded


def test_asking_loads_no_scores() -> None:
    code = (
        "import sys; from emaudit.__main__ import main; main(['run', '--help']); print('emaudit.scores' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
