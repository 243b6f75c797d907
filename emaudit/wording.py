"""Numbers as the results page prints them: three decimals, p to four, `undefined` where there is none. Pure."""

from __future__ import annotations


def counted(n: int, what: str) -> str:
    """`1 lineage`, `1,200 lineages`."""
    return f"{n:,} {what if n == 1 else f'{what}s'}"


def number(value: float | None) -> str:
    """A value."""
    return "undefined" if value is None else f"{value:.3f}"


def signed(value: float | None) -> str:
    """A difference, always with its sign."""
    return "undefined" if value is None else f"{value:+.3f}"


def bounds(low: float | None, high: float | None) -> str:
    """An interval; empty where it has no ends."""
    return "" if low is None or high is None else f"[{low:.3f}, {high:.3f}]"


def p_text(value: float | None) -> str:
    """A p."""
    if value is None:
        return "undefined"
    return "<.0001" if value < 0.0001 else f"{value:.4f}"
