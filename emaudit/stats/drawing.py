"""Monte Carlo shares of many correlations over the same variants, from one set of random arrangements. Pure.

The same draws as those of `permutation`, one pair at a time, and the same shares: each arrangement is made once for
all pairs instead of once for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from emaudit.stats.permutation import DRAWS, EXACT, Shares, random_orders
from emaudit.stats.ranks import RankPair, doubled_ranks, why_undefined

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Totals: TypeAlias = NDArray[Any]

AT_ONCE: Final = 2_000_000
"""Ranks permuted at once, to stay within the processor's cache and bound memory."""
EXACT_IN_SINGLE: Final = 2**24
"""Integers below this are exact in single precision, and so are their sums."""


def shares_together(
    columns: Sequence[Sequence[float]], pairs: Sequence[tuple[int, int]], blocks: Sequence[str], seed: int = 0
) -> dict[tuple[int, int], Shares]:
    """The `drawn` of `restricted` for pairs of columns (x, y by number); of `unrestricted` with one block for all.

    Empty where no block has more than 8 variants: that is counted, not drawn. Pairs without a rho are left out.
    """
    members: dict[str, list[int]] = {}
    for place, block in enumerate(blocks):
        members.setdefault(block, []).append(place)
    defined = [(x, y) for x, y in pairs if not why_undefined(columns[x], columns[y])]
    if not defined or max(map(len, members.values())) <= EXACT:
        return {}
    order = [place for places in members.values() for place in places]
    return _shares(columns, defined, order, [len(places) for places in members.values()], seed)


def _shares(
    columns: Sequence[Sequence[float]],
    pairs: Sequence[tuple[int, int]],
    order: Sequence[int],
    sizes: Sequence[int],
    seed: int,
) -> dict[tuple[int, int], Shares]:
    import numpy as np

    known = {pair: RankPair.of(columns[pair[0]], columns[pair[1]]) for pair in pairs}
    largest = 4 * sum(rank * rank for rank in range(1, len(order) + 1))
    kind = np.float32 if largest < EXACT_IN_SINGLE else np.float64
    xs, ys = (list(dict.fromkeys(pair[side] for pair in pairs)) for side in (0, 1))
    a, b = (_ranks(columns, held, order).astype(kind) for held in (xs, ys))
    counts = {pair: [0, 0, 0] for pair in pairs}
    rows = max(1, AT_ONCE // (len(order) * len(ys)))
    for orders in random_orders(sizes, seed):
        for start in range(0, len(orders), rows):
            shuffled: Totals = b.T[orders[start : start + rows].T]
            totals = (a @ shuffled.reshape(len(order), -1)).reshape(len(xs), -1, len(ys))
            for pair, ranks in known.items():
                _count(totals[xs.index(pair[0]), :, ys.index(pair[1])], ranks, counts[pair])
    return {pair: _as_shares(found) for pair, found in counts.items()}


def _ranks(columns: Sequence[Sequence[float]], held: Sequence[int], order: Sequence[int]) -> Totals:
    import numpy as np

    return np.asarray([doubled_ranks(columns[column]) for column in held], dtype=np.int64)[:, list(order)]


def _count(totals: Totals, ranks: RankPair, counts: list[int]) -> None:
    observed, distance = ranks.total, abs(ranks.total - ranks.centre)
    above, below = totals >= ranks.centre + distance, totals <= ranks.centre - distance
    counts[0] += int((totals >= observed).sum())
    counts[1] += int((totals <= observed).sum())
    counts[2] += int((above | below).sum())


def _as_shares(counts: Sequence[int]) -> Shares:
    greater, less, far = ((count + 1) / (DRAWS + 1) for count in counts)
    return greater, less, far
