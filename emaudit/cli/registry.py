"""Every family of commands, in the order the help lists them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from emaudit.cli import (
    demo,
    doctor,
    importing,
    instruments,
    keeping,
    running,
    scoring,
    settings,
    simulate,
    variants,
    watching,
)
from emaudit.cli.arguments import Verbs

FAMILIES: Final[tuple[Callable[[Verbs], None], ...]] = (
    demo.register,
    simulate.register,
    settings.register,
    doctor.register,
    variants.register,
    running.register,
    watching.register,
    keeping.register,
    instruments.register,
    importing.register,
    scoring.register,
)
