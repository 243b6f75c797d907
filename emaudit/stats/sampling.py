"""Which replies people are asked to label: allocation to strata, the seeded draw, its order. Pure.

The expected half-widths are what a planned draw will give under an error model that is stated here.
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Mapping, Sequence
from heapq import nsmallest
from typing import Final, TypeVar

from emaudit.stats.correction import Stratum, corrected_mean
from emaudit.stats.estimation import Figure

Key = TypeVar("Key")
FLOOR: Final = 4
LOWEST_FLOOR: Final = 10
BLOCK_SHARE: Final = 4
"""A stratum with at least this many draws has some in every block."""
MOVED_LOWEST: Final = 0.004
MOVED: Final = 0.14
"""Error model of a planned draw: people move this share of the replies judged lowest, and of all others, one step."""
PROMPT_SPREAD: Final = 0.46
"""Error model of a planned draw of prompts: standard deviation of people's less the judge's maximum of a prompt."""
_NORMAL: Final = 1.959963984540054
_ROUNDING: Final = 1e-9


def allocate(
    sizes: Mapping[str, int],
    n: int,
    lowest: Collection[str] = (),
    floor: int = FLOOR,
    lowest_floor: int = LOWEST_FLOOR,
) -> dict[str, int]:
    """Labels per stratum, in the order of `sizes`: n_h proportional to sqrt(N_h) between floors and N_h.

    `lowest` names the strata of the lowest judge score. An unlabelled stratum leaves every estimate undefined, so
    the floors come first: where they add up to more than n, they are the allocation and its total exceeds n; where
    the frame is smaller than n, all of it is drawn. Otherwise the total is n.
    Raises ValueError for a negative size, n or floor.
    """
    if n < 0 or floor < 0 or lowest_floor < 0 or any(size < 0 for size in sizes.values()):
        raise ValueError("sizes, n and floors cannot be negative")
    least = {label: min(size, lowest_floor if label in lowest else floor) for label, size in sizes.items()}
    if sum(least.values()) >= n:
        return least
    if sum(sizes.values()) <= n:
        return dict(sizes)
    wanted = _between(sizes, least, n)
    found = {label: max(least[label], math.floor(wanted[label] + _ROUNDING)) for label in sizes}
    by_rest = sorted(sizes, key=lambda label: found[label] - wanted[label])
    for label in (label for label in by_rest if found[label] < sizes[label]):
        if sum(found.values()) >= n:
            break
        found[label] += 1
    return found


def _between(sizes: Mapping[str, int], least: Mapping[str, int], n: int) -> dict[str, float]:
    """c * sqrt(N_h) held between least and N_h, with c such that they add up to n (by bisection)."""
    low, high = 0.0, math.sqrt(max(sizes.values())) + 1.0

    def at(c: float) -> dict[str, float]:
        return {label: min(max(c * math.sqrt(size), least[label]), size) for label, size in sizes.items()}

    for _ in range(100):
        middle = (low + high) / 2
        if math.fsum(at(middle).values()) < n:
            low = middle
        else:
            high = middle
    return at(low)


def draw(frame: Mapping[str, Sequence[Key]], n_by_stratum: Mapping[str, int], seed: int) -> dict[str, tuple[Key, ...]]:
    """A simple random sample without replacement of each stratum, in drawn order.

    The same on every machine for the same seed, labels and order of the keys, and for one stratum whatever the
    others hold: it uses nothing of `random` but seeding and `random()`, whose sequence Python guarantees.
    Raises ValueError for a stratum that is not in the frame or holds fewer keys than asked for.
    """
    drawn = {}
    for label, n in n_by_stratum.items():
        keys = frame.get(label, ())
        if not 0 <= n <= len(keys):
            raise ValueError(f"{n} labels asked for in stratum {label}, which holds {len(keys)}")
        drawn[label] = tuple(shuffled(keys, f"draw {seed} {label}", n))
    return drawn


def interleaved(drawn: Mapping[str, Sequence[Key]], seed: int) -> list[Key]:
    """All drawn keys, in blocks that hold every stratum in proportion, shuffled within blocks.

    So labels made in this order and stopped early are still a stratified random sample. There are as many blocks
    as the smallest stratum of at least four has keys; smaller strata are in the first blocks, one key in each,
    so that an early stop has met them. Another seed gives another order of the same keys.
    """
    return [key for block in blocked(drawn, seed) for key in block]


def blocked(drawn: Mapping[str, Sequence[Key]], seed: int) -> list[list[Key]]:
    """The blocks of `interleaved`, each in its order."""
    sizes = [len(keys) for keys in drawn.values() if keys]
    if not sizes:
        return []
    n_blocks = min((size for size in sizes if size >= BLOCK_SHARE), default=min(sizes))
    blocks: list[list[Key]] = [[] for _ in range(n_blocks)]
    for label, keys in drawn.items():
        for place, key in enumerate(shuffled(keys, f"order {seed} {label}")):
            turns = max(len(keys), n_blocks)
            blocks[place * n_blocks // turns].append(key)
    return [shuffled(block, f"block {seed} {turn}") for turn, block in enumerate(blocks)]


def shuffled(keys: Sequence[Key], seed: str, n: int | None = None) -> list[Key]:
    """The keys (the first n) in an order that only the seed's text decides, the same on every machine."""
    rng = random.Random(seed)
    chances = ((rng.random(), place) for place in range(len(keys)))
    return [keys[place] for _, place in nsmallest(len(keys) if n is None else n, chances)]


def expected_half_width_mean(
    sizes: Mapping[float, int], n_by_score: Mapping[float, int], guarded: bool = False
) -> Figure:
    """Half the width, on the scale 1..5, to expect of the 95% interval of the corrected mean.

    `sizes` and `n_by_score` are replies and labels by judge score. The error model is `MOVED_LOWEST` and `MOVED`,
    chosen so that 100 labels of 3,200 replies give about .016 for a base-like and .054 for a misaligned variant:
    1.96 sqrt(sum_h W_h^2 (1 - n_h/N_h) p_h/n_h). A judge that errs more makes it wider. With `guarded` the width
    is that of the interval which `correction.corrected_mean` prints where no label disagrees, if that is more: what
    cannot be ruled out by so few labels. Undefined without replies, and where a score has no label.
    """
    total = sum(sizes.values())
    if not total:
        return Figure(None, "no replies")
    unlabelled = [f"{score:g}" for score, size in sizes.items() if size and not n_by_score.get(score)]
    if unlabelled:
        return Figure(None, f"no label for judge score {', '.join(unlabelled)}")
    lowest = min(score for score, size in sizes.items() if size)
    variance = math.fsum(
        (size / total) ** 2
        * (1 - n_by_score[score] / size)
        * (MOVED_LOWEST if score == lowest else MOVED)
        / n_by_score[score]
        for score, size in sizes.items()
        if size
    )
    half = _NORMAL * math.sqrt(variance)
    return Figure(max(half, _least_half_width(sizes, n_by_score)) if guarded else half)


def _least_half_width(sizes: Mapping[float, int], n_by_score: Mapping[float, int]) -> float:
    found = corrected_mean(
        [Stratum(f"{score:g}", size, (score,) * n_by_score[score], score) for score, size in sizes.items() if size]
    )
    return (found.high - found.low) / 2 if found.low is not None and found.high is not None else 0.0


def expected_half_width_maximum(n_prompts: int, n_frame_prompts: int) -> Figure:
    """Half the width, on the scale 1..5, to expect of the corrected maximum from whole prompts.

    1.96 spread sqrt((1 - n/N)/n) with the error model `PROMPT_SPREAD`: .28 with ten prompts of 320 (100 labels),
    .07 to .08 with a hundred (1,000 labels). Undefined without prompts to label.
    """
    return people_alone_half_width(n_prompts, n_frame_prompts, PROMPT_SPREAD)


def people_alone_half_width(n: int, n_frame: int, spread: float) -> Figure:
    """Half the width to expect of a mean of n labels of n_frame units when the judge is not used at all.

    1.96 spread sqrt((1 - n/N)/n), `spread` the labels' standard deviation: .28 for 100 labels and 1.43.
    Undefined without labels. Raises ValueError for more labels than units.
    """
    if n > n_frame or n < 0:
        raise ValueError(f"{n} labels of {n_frame} units")
    if not n:
        return Figure(None, "no labels")
    return Figure(_NORMAL * spread * math.sqrt((1 - n / n_frame) / n))
