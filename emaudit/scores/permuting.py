"""The permutation tests of many correlations over the same variants: within sizes, within recipes, free. Pure.

Where arrangements are drawn and not counted, those of one group of variants are drawn once for all its pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from emaudit.scores.measurement import rounded
from emaudit.scores.pairing import Pairing
from emaudit.scores.study import Subject
from emaudit.stats.drawing import shares_together
from emaudit.stats.permutation import Permuted, restricted, unrestricted

MANY: Final = 60
"""From so many variants on, an exact test takes a tenth of a second and more, most of it in code that threads share."""


@dataclass(frozen=True, slots=True)
class Tests:
    """What rho would be if values were exchanged: within sizes, within recipes, among all."""

    within_size: Permuted
    within_recipe: Permuted
    unrestricted: Permuted


def undefined(reason: str) -> Permuted:
    """A test that cannot be made, and why."""
    return Permuted(None, None, None, None, None, 0, False, None, None, "", reason)


def size(subject: Subject) -> str:
    """The size of a variant; empty where it is not known."""
    return subject.size


def recipe(subject: Subject) -> tuple[str, str] | None:
    """Which fine-tune was applied: (domain, stage); None where that is not known (a stage without its domain)."""
    if not subject.stage or not (subject.is_base or subject.domain):
        return None
    return subject.recipe


_RESTRICTED: Final[tuple[tuple[str, str, Callable[[Subject], Hashable]], ...]] = (
    ("size", "size", size),
    ("recipe", "stage or domain", recipe),
)


def tests_of(pairings: Sequence[Pairing], seed: int) -> list[Tests]:
    """The tests of pairings, which all have a rho, in their order."""
    groups: dict[tuple[Subject, ...], list[int]] = {}
    for place, pairing in enumerate(pairings):
        groups.setdefault(pairing.subjects, []).append(place)
    found: dict[int, Tests] = {}
    for subjects, places in groups.items():
        found |= zip(places, _tests(subjects, [pairings[place] for place in places], seed), strict=True)
    return [found[place] for place in range(len(pairings))]


def _tests(subjects: Sequence[Subject], pairings: Sequence[Pairing], seed: int) -> list[Tests]:
    values = [(tuple(rounded(pairing.xs)), tuple(rounded(pairing.ys))) for pairing in pairings]
    columns = list(dict.fromkeys(column for pair in values for column in pair))
    pairs = [(columns.index(x), columns.index(y)) for x, y in values]

    made: list[list[Permuted]] = []
    for within, what, label in _RESTRICTED:
        blocks = [label(subject) for subject in subjects]
        unknown = [subject.name for subject, block in zip(subjects, blocks, strict=True) if not block]
        if unknown:
            why = f"no {what} is known of {', '.join(unknown)}: `emaudit variant set` tells it"
            made.append([undefined(why)] * len(pairs))
        else:
            made.append(_restricted(columns, pairs, blocks, seed, within))
    everyone = [""] * len(subjects)
    shares = shares_together(columns, pairs, everyone, seed)
    made.append([unrestricted(columns[x], columns[y], seed, shares.get((x, y))) for x, y in pairs])
    return [Tests(*tests) for tests in zip(*made, strict=True)]


def _restricted(
    columns: Sequence[Sequence[float]],
    pairs: Sequence[tuple[int, int]],
    blocks: Sequence[Hashable],
    seed: int,
    within: str,
) -> list[Permuted]:
    """The tests of pairs of columns within blocks; on several threads where counting takes long."""
    shares = shares_together(columns, pairs, blocks, seed)

    def tested(pair: tuple[int, int]) -> Permuted:
        return restricted(columns[pair[0]], columns[pair[1]], blocks, seed, within, shares.get(pair))

    if shares or len(blocks) < MANY:
        return [tested(pair) for pair in pairs]
    with ThreadPoolExecutor() as pool:
        return list(pool.map(tested, pairs))
