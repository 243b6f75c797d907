"""The order in which a plan's requests are sent. Pure: what a request asks, and its seed, is the same in any order."""

from __future__ import annotations

import random
from collections.abc import Sequence

from emaudit.store.plans import Stretch


def mixed(stretches: Sequence[Stretch]) -> list[Stretch]:
    """Requests with the formats taking turns by their numbers, and prompts in no order.

    The first replies are then a sample of all of them, so what they take tells what the rest will.
    """
    by_format: dict[str, list[Stretch]] = {}
    for stretch in stretches:
        by_format.setdefault(stretch.prompt.format, []).append(stretch)
    turns: list[tuple[float, Stretch]] = []
    for held in by_format.values():
        random.Random(0).shuffle(held)
        turns += [((place + 0.5) / len(held), stretch) for place, stretch in enumerate(held)]
    return [stretch for _, stretch in sorted(turns, key=lambda turn: turn[0])]
