"""Numbers as the screens write them. Pure."""

from __future__ import annotations

from typing import Final

SIGNED: Final = frozenset({"moral_foundations", "moral_self_assessment"})
"""Assessments whose headline lies between -0.5 and 0.5."""
UNKNOWN: Final = "–"


def count(n: int) -> str:
    """A count with thousands separated."""
    return f"{n:,}"


def value(number: float | None, assessment: str) -> str:
    """A headline value with two decimals, with its sign where it has one; a dash where there is none."""
    if number is None:
        return UNKNOWN
    return f"{number + 0.0:+.2f}" if assessment in SIGNED else f"{number + 0.0:.2f}"


def value_width(assessment: str) -> int:
    """Columns that a headline value takes."""
    return 5 if assessment in SIGNED else 4


def percent(done: int, of: int) -> str:
    """Whole percent, rounded down, so that 100% means all of it."""
    return f"{100 * done // of}%" if of else UNKNOWN


def duration(seconds: float | None) -> str:
    """A time in its two largest units; a dash where it is not known."""
    if seconds is None:
        return UNKNOWN
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86_400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86_400}d{whole % 86_400 // 3600:02}h"


def rate(per_s: float | None) -> str:
    """Replies per second; a dash where it is not known."""
    if per_s is None:
        return UNKNOWN
    return f"{per_s:,.0f}/s" if per_s >= 100 else f"{per_s:.1f}/s"


def tokens(n: int) -> str:
    """A number of tokens in three digits."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if n >= size:
            return f"{n / size:.{1 if n < 100 * size else 0}f}{unit}"
    return str(n)


def price(amount: float | None) -> str:
    """An amount in whatever currency the prices are in; `unknown`, never 0, where no price is configured."""
    return "unknown" if amount is None else f"{amount:,.2f}"


def bar(share: float, width: int) -> tuple[str, str]:
    """The done and the open part of a bar of `width` cells, in eighths of a cell."""
    if width <= 0:
        return "", ""
    eighths = int(max(0.0, min(1.0, share)) * width * 8)
    done = "█" * (eighths // 8) + ("" if eighths % 8 == 0 else "▏▎▍▌▋▊▉"[eighths % 8 - 1])
    return done, "·" * (width - len(done))


def plural(n: int, noun: str) -> str:
    """`1 variant`, `2 variants`, `1 reply`, `2 replies`."""
    if n == 1:
        return f"1 {noun}"
    return f"{n:,} {noun[:-1]}ies" if noun.endswith("y") else f"{n:,} {noun}s"
