"""How every figure looks: its fonts, its marks that read without colour, and the one place that loads matplotlib."""

from __future__ import annotations

import importlib
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from emaudit import __version__
from emaudit.errors import UsageError
from emaudit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

INSTALL: Final = "pip install 'emaudit[figures]'"
FONT: Final = "DejaVu Sans"
"""Comes with matplotlib, so that a figure is the same on every machine."""
WIDTHS: Final[Mapping[str, float]] = {"one": 3.3, "two": 7.0}
"""Inches of one and of two columns of a paper."""
TEXT: Final = 7.0
SMALL: Final = 5.5
INK: Final = "#222222"
DIM: Final = "#8a8a8a"
FAINT: Final = "#d0d0d0"
HATCH: Final = "//////"

_COLOURS: Final = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7")
_LINES: Final = ("-", "--", "-.", ":")
_MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "*")


@dataclass(frozen=True, slots=True)
class Mark:
    """A colour with the marker and the line that tell it apart in grey."""

    colour: str
    marker: str
    line: str


def mark(index: int) -> Mark:
    """The mark of the n-th group (from 0); after N_MARKS they repeat."""
    return Mark(_COLOURS[index % 4], _MARKERS[index % 8], _LINES[(index + index // 4) % 4])


N_MARKS: Final = 8

_RC: Final[Mapping[str, object]] = {
    "font.family": [FONT],
    "font.size": TEXT,
    "axes.titlesize": TEXT,
    "axes.labelsize": TEXT,
    "axes.titlepad": 3.0,
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "xtick.labelsize": TEXT - 0.5,
    "ytick.labelsize": TEXT - 0.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.0,
    "ytick.major.size": 2.0,
    "legend.fontsize": TEXT - 0.5,
    "legend.frameon": False,
    "hatch.linewidth": 0.5,
    "hatch.color": DIM,
    "text.color": INK,
    "text.parse_math": False,
    "text.usetex": False,
    "text.hinting": "none",
    "savefig.dpi": 300,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "emaudit",
}


def available() -> ModuleType:
    """matplotlib. Raises UsageError with the command that installs it where it is missing."""
    try:
        return importlib.import_module("matplotlib")
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise UsageError(f"figures are drawn by matplotlib, which is not installed: {INSTALL}") from error


@contextmanager
def styled() -> Iterator[None]:
    """matplotlib's defaults with our style, put back as they were at the end; no window is ever opened.

    Raises UsageError where matplotlib is missing.
    """
    matplotlib = available()
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_RC)
        yield


def metadata(form: str, title: str) -> dict[str, str | None]:
    """What a file says of itself: no date and no version of a library, so that the same figure is the same bytes."""
    creator = f"emaudit {__version__}"
    if form == "svg":
        return {"Title": title, "Creator": creator, "Date": None}
    if form == "pdf":
        return {"Title": title, "Creator": creator, "Producer": None, "CreationDate": None}
    return {"Title": title, "Software": creator}


def label(text: str, limit: int = 60) -> str:
    """Text from outside as a figure can show it: one line, no controls, what the font lacks as its code."""
    return "".join(_drawable(character) for character in one_line(text, limit))


@lru_cache(maxsize=4096)
def _drawable(character: str) -> str:
    if character.isascii():
        return character
    known = ord(character) in _glyphs() and unicodedata.category(character)[0] != "C"
    if known and unicodedata.bidirectional(character) not in ("R", "AL"):
        return character
    code = ord(character)
    if 0x2400 <= code <= 0x2421:
        return f"\\x{0x7F if code == 0x2421 else code - 0x2400:02X}"
    return f"\\u{code:04X}"


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties(family=FONT))).get_charmap())


@lru_cache(maxsize=8192)
def text_width(text: str, size: float) -> float:
    """Inches that a drawable line takes."""
    if not text:
        return 0.0
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    width, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(family=FONT, size=size), False)
    return float(width) / 72


def fitted(text: str, size: float, inches: float) -> str:
    """A drawable line, cut with an ellipsis where it is wider than that."""
    if text_width(text, size) <= inches:
        return text
    kept = bisect_left(range(1, len(text)), True, key=lambda n: text_width(f"{text[:n]}…", size) > inches)
    return f"{text[: max(kept, 1)]}…"


def wrapped(text: str, size: float, inches: float) -> list[str]:
    """A drawable text as lines no wider than that; longer words are broken."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if text_width(longer, size) <= inches:
            line = longer
            continue
        if line:
            lines.append(line)
        while text_width(word, size) > inches:
            head = fitted(word, size, inches).removesuffix("…") or word[0]
            lines.append(head)
            word = word[len(head) :]
        line = word
    return [*lines, line] if line else lines


def version() -> str:
    """The version of matplotlib; another one may draw other bytes of the same numbers."""
    return str(importlib.import_module("matplotlib").__version__)
