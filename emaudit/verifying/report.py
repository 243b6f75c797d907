"""What a verification found: every problem by name, what was looked at, and what is worth saying beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from emaudit.problems import Problem

Tell = Callable[[str], None]
"""Takes one line of narration: what is being looked at, and how far."""


def silent(_: str) -> None:
    """Tells nobody."""


@dataclass
class Report:
    """One verification, as it goes on. `checked` says what was held against what; `notes` what limits it."""

    problems: list[Problem] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def passes(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems
