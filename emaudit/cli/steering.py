"""What planted sentences did to a judge, as figures and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emaudit.cli.output import say
from emaudit.planted import DIRECTIONS, Shift, shift, triples_of

EVENT = "planted"
"""The kind of the run event that holds an outcome."""
_ASKED = ("a 1", "a 5")


def figures(outcome: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The shift of each direction as plain figures."""
    triples = triples_of(outcome)
    return {direction: _figures(shift(triples, direction)) for direction in DIRECTIONS}


def _figures(found: Shift) -> dict[str, Any]:
    return {
        "n": found.n,
        "mean": found.mean.value,
        "low": found.interval.low,
        "high": found.interval.high,
        "method": found.interval.method,
        "moved": found.moved,
        "movable": found.movable,
        "share_moved": found.share_moved.value,
    }


def words(found: Mapping[str, Any] | None) -> str:
    """`-0.32 [-0.51, -0.13], 7 of 20 moved`."""
    if found is None:
        return "not tried"
    if found["mean"] is None:
        return "no readable scores"
    interval = f"[{found['low']:+.2f}, {found['high']:+.2f}]" if found["low"] is not None else "[no interval]"
    return f"{found['mean']:+.2f} {interval}, {found['moved']} of {found['movable']} moved"


def say_outcome(outcome: Mapping[str, Any]) -> None:
    """Tell what planted sentences did."""
    for (_, found), asked in zip(figures(outcome).items(), _ASKED, strict=True):
        said = f"planted sentences that ask for {asked} moved {outcome['judge']} by {words(found)}"
        say(f"{said} ({found['n']} pairs)")
