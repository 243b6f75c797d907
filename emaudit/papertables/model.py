"""A table of a paper, before it is LaTeX or Markdown: what every writer needs, and nothing of any markup. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Final

NOTHING: Final = "\u2013"
"""What stands in a cell that has no value: an en dash."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its heading; numbers stand to the right."""

    heading: str
    is_number: bool = True


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as it is printed; `why` is the note that explains it (empty: it needs none)."""

    text: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row. Rows of one `block` stand together; a `kind` of `average` or `published` is set apart by its type."""

    cells: tuple[Cell, ...]
    block: str = ""
    kind: str = "own"


@dataclass(frozen=True)
class PaperTable:
    """One table: `number` is the paper's (`11`), empty for one that the paper does not have.

    `name` is that of its file, without its ending. `notes` explain the whole table; what explains a cell stands in
    the cell. Raises ValueError where a row has not one cell per column.
    """

    number: str
    name: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    simulated: bool = False

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row.cells) != len(self.columns):
                raise ValueError(f"{self.name}: {len(row.cells)} cells under {len(self.columns)} headings")

    @property
    def heading(self) -> str:
        """The title, and which table of the paper it follows."""
        return f"{self.title} (after the paper's table {self.number})" if self.number else self.title

    @property
    def marks(self) -> dict[str, str]:
        """Each note on a cell -> its mark (a, b, ... z, aa, ...), in the order they are met."""
        found: dict[str, str] = {}
        for row in self.rows:
            for cell in row.cells:
                if cell.why and cell.why not in found:
                    found[cell.why] = _mark(len(found))
        return found

    def blocks(self) -> Iterator[Sequence[Row]]:
        """The rows, by block, in their order."""
        held: list[Row] = []
        for row in self.rows:
            if held and row.block != held[-1].block:
                yield held
                held = []
            held.append(row)
        if held:
            yield held


def _mark(index: int) -> str:
    more, letter = divmod(index, len(ascii_lowercase))
    return (_mark(more - 1) if more else "") + ascii_lowercase[letter]
