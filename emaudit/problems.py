"""What does not hold: one thing found wrong, named by where it stands. A leaf."""

from __future__ import annotations

from dataclasses import dataclass

from emaudit.text import one_line

SHOWN = 80
"""Characters of a value in a sentence before an ellipsis."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing found wrong: in which table of the store or file, in which row and column, and what it is.

    `found` and `expected` are the two values where there are two, None where there is none to show.
    """

    place: str
    row: str
    column: str
    what: str
    found: str | None = None
    expected: str | None = None

    def __str__(self) -> str:
        where = ", ".join(one_line(part, 0) for part in (self.place, self.row, self.column) if part)
        values = [
            f"{label} {one_line(value, SHOWN)!r}"
            for label, value in (("it says", self.found), ("it should say", self.expected))
            if value is not None
        ]
        return f"{where}: {one_line(self.what, 0)}" + (f": {', '.join(values)}" if values else "")
