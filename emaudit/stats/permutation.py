"""Permutation tests of Spearman's rho, free or within blocks, exact where that is feasible. Pure.

The y-ranks are permuted; what is counted are sums of products of doubled mid-ranks, integers, so that "as large as
observed" is decided without rounding, ties included.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final, TypeAlias

from emaudit.stats.convolution import Block, arrangements_of, sums_of, tails
from emaudit.stats.ranks import RankPair, why_undefined

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXACT: Final = 8
"""Up to this many variants (of a block, or at all) every arrangement is counted."""
DRAWS: Final = 99_999
"""Arrangements drawn where there are too many to count."""
BATCH: Final = 10_000
"""Arrangements drawn at once, to bound memory."""

Shares: TypeAlias = tuple[float, float, float]
"""Of the draws, (b + 1)/(B + 1): those with R >= rho, with R <= rho, with |R| >= |rho|."""


@dataclass(frozen=True, slots=True)
class Permuted:
    """What rho would be if y were exchangeable (within blocks), and how rare the observed one is.

    Undefined fields are None and `reason` says why.
    """

    rho: float | None
    null_mean: float | None
    """Mean of rho over all arrangements, always exact: within recipes, what the labels alone carry."""
    p_two_sided: float | None
    """Free: share with |R| >= |rho|. Within blocks: twice the smaller tail, at most 1; their null is not centred."""
    p_greater: float | None
    """Share of arrangements with R >= rho."""
    p_less: float | None
    """Share with R <= rho."""
    n_arrangements: int
    """How many were counted: all of them where exact (ties included), else those drawn; 0 where undefined."""
    is_exact: bool
    lowest: float | None
    """The smallest rho that any arrangement reaches; exact."""
    highest: float | None
    method: str
    """What was done, with the convention of `p_two_sided`; empty where nothing was."""
    reason: str = ""
    seed: int | None = None
    """Of the draws; None where exact."""


def restricted(
    x: Sequence[float],
    y: Sequence[float],
    blocks: Sequence[Hashable],
    seed: int = 0,
    within: str = "block",
    drawn: Shares | None = None,
) -> Permuted:
    """Permutation test of rho with y permuted within blocks only (sizes, recipes).

    Exact while no block has more than 8 variants: the distributions of the blocks' rank-product sums, each over its
    n! arrangements, are convolved. Else Monte Carlo over 99,999 arrangements with (b + 1)/(B + 1). Ranks are taken
    over all variants, not per block. All but rho is undefined where only one arrangement exists (every block
    holds one variant) and where no arrangement changes rho (ties within every block). `within` names the block in
    the method and the reason. `drawn` are the shares of the draws where they are known already
    (`stats.drawing`). Raises ValueError for sequences of unequal length.
    """
    if len(blocks) != len(x):
        raise ValueError(f"{len(x)} values beside {len(blocks)} blocks")
    if reason := why_undefined(x, y):
        return _undefined(reason)
    pair = RankPair.of(x, y)
    members: dict[Hashable, list[int]] = {}
    for place, block in enumerate(blocks):
        members.setdefault(block, []).append(place)
    parts = [Block(tuple(pair.a[i] for i in places), tuple(pair.b[i] for i in places)) for places in members.values()]
    arrangements = arrangements_of(parts)
    if arrangements == 1:
        return _undefined(f"only one arrangement exists: every {within} holds one variant", pair)
    if all(part.lowest == part.highest for part in parts):
        return _undefined(f"no arrangement changes rho: ties within every {within}", pair)
    found = _described(pair, parts)
    convention = "two-sided: twice the smaller tail"
    if max(len(part.a) for part in parts) > EXACT:
        greater, less, _ = drawn or _drawn(pair, parts, seed)
        counted = replace(found, n_arrangements=DRAWS, seed=seed)
        method = f"Monte Carlo within {within}, {DRAWS:,} arrangements, seed {seed}, {convention}"
    else:
        greater, less = tails(parts, pair.total)
        counted = replace(found, n_arrangements=arrangements, is_exact=True)
        method = f"exact within {within}, {arrangements:,} arrangements, {convention}"
    two_sided = min(1.0, 2 * min(greater, less))
    return replace(counted, p_two_sided=two_sided, p_greater=greater, p_less=less, method=method)


def unrestricted(x: Sequence[float], y: Sequence[float], seed: int = 0, drawn: Shares | None = None) -> Permuted:
    """Permutation test of rho with y permuted over all variants.

    Exact for n <= 8, else Monte Carlo over 99,999 arrangements with (b + 1)/(B + 1); two-sided |R| >= |rho|.
    Undefined where rho is. `drawn` as in `restricted`. Raises ValueError for sequences of unequal length.
    """
    if reason := why_undefined(x, y):
        return _undefined(reason)
    pair = RankPair.of(x, y)
    parts = [Block(pair.a, pair.b)]
    found = _described(pair, parts)
    convention = "two-sided: |R| >= |rho|"
    if len(pair.a) > EXACT:
        greater, less, two_sided = drawn or _drawn(pair, parts, seed)
        counted = replace(found, n_arrangements=DRAWS, seed=seed)
        method = f"Monte Carlo, {DRAWS:,} arrangements, seed {seed}, {convention}"
    else:
        arrangements = arrangements_of(parts)
        greater, less, two_sided = (count / arrangements for count in _reaching(sums_of(parts[0]), pair))
        counted = replace(found, n_arrangements=arrangements, is_exact=True)
        method = f"exact, {arrangements:,} arrangements, {convention}"
    return replace(counted, p_two_sided=two_sided, p_greater=greater, p_less=less, method=method)


def _undefined(reason: str, pair: RankPair | None = None) -> Permuted:
    rho = None if pair is None else pair.rho(pair.total)
    return Permuted(rho, None, None, None, None, 0, False, None, None, "", reason)


def _described(pair: RankPair, parts: Sequence[Block]) -> Permuted:
    """Rho, its mean and its reach over the arrangements, without any p yet."""
    centre = sum(Fraction(sum(part.a) * sum(part.b), len(part.a)) for part in parts) - pair.centre
    return Permuted(
        rho=pair.rho(pair.total),
        null_mean=float(centre) / math.sqrt(pair.squares),
        p_two_sided=None,
        p_greater=None,
        p_less=None,
        n_arrangements=0,
        is_exact=False,
        lowest=pair.rho(sum(part.lowest for part in parts)),
        highest=pair.rho(sum(part.highest for part in parts)),
        method="",
    )


def _reaching(totals: NDArray[np.int64], pair: RankPair) -> tuple[int, int, int]:
    """How many sums are at least, at most, and as far from the centre as the observed one."""
    observed = pair.total
    distance = abs(observed - pair.centre)
    far = (totals >= pair.centre + distance) | (totals <= pair.centre - distance)
    return int((totals >= observed).sum()), int((totals <= observed).sum()), int(far.sum())


def _drawn(pair: RankPair, parts: Sequence[Block], seed: int) -> Shares:
    """The same as shares by Monte Carlo, (b + 1)/(B + 1)."""
    counts = [0, 0, 0]
    for totals in _random_totals(parts, seed):
        counts = [count + more for count, more in zip(counts, _reaching(totals, pair), strict=True)]
    greater, less, far = ((count + 1) / (DRAWS + 1) for count in counts)
    return greater, less, far


def _random_totals(parts: Sequence[Block], seed: int) -> Iterator[NDArray[np.int64]]:
    """Sums of products under random arrangements within the blocks, a batch at a time."""
    import numpy as np

    a = np.asarray([rank for part in parts for rank in part.a], dtype=np.int64)
    b = np.asarray([rank for part in parts for rank in part.b], dtype=np.int64)
    for orders in random_orders([len(part.a) for part in parts], seed):
        yield b[orders] @ a


def random_orders(sizes: Sequence[int], seed: int) -> Iterator[NDArray[np.int64]]:
    """Places permuted within consecutive blocks of these sizes: arrangements x places, a batch at a time."""
    import numpy as np

    generator = np.random.default_rng(seed)
    starts = [sum(sizes[:place]) for place in range(len(sizes))]
    for start in range(0, DRAWS, BATCH):
        batch = min(BATCH, DRAWS - start)
        places = [
            generator.permuted(np.tile(np.arange(first, first + n), (batch, 1)), axis=1)
            for first, n in zip(starts, sizes, strict=True)
        ]
        yield np.concatenate(places, axis=1)
