"""Monte Carlo shares of many correlations over the same variants, from one set of random arrangements. Pure.

The same draws as those of `permutation`, one pair at a time, and the same shares: each arrangement is made once for
all pairs instead of once for each.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from emaudit.stats.permutation import DRAWS, EXACT, Shares, random_orders
from emaudit.stats.ranks import RankPair, doubled_ranks, why_undefined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Totals: TypeAlias = NDArray[Any]

AT_ONCE: Final = 2_000_000
"""Ranks permuted at once, to stay within the processor's cache and bound memory."""
EXACT_IN_SINGLE: Final = 2**24
"""Integers below this are exact in single precision, and so are their sums."""


def shares_together(
    columns: Sequence[Sequence[float]], pairs: Sequence[tuple[int, int]], blocks: Sequence[Hashable], seed: int = 0
) -> dict[tuple[int, int], Shares]:
    """The `drawn` of `restricted` for pairs of columns (x, y by number); of `unrestricted` with one block for all.

    Empty where no block has more than 8 variants: that is counted, not drawn. Pairs without a rho are left out.
    """
    members: dict[Hashable, list[int]] = {}
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
    xs, ys = (list(dict.fromkeys(pair[side] for pair in pairs)) for side in (0, 1))
    largest = 4 * sum(rank * rank for rank in range(1, len(order) + 1))
    kind = np.float32 if largest < EXACT_IN_SINGLE else np.float64
    a = _ranks(columns, xs, order).astype(kind)
    b = np.ascontiguousarray(_ranks(columns, ys, order).T.astype(kind))
    counted = [_Counted(xs.index(pair[0]), ys.index(pair[1]), ranks) for pair, ranks in known.items()]
    rows = max(1, AT_ONCE // (len(order) * len(ys)))
    for orders in random_orders(sizes, seed):
        for start in range(0, len(orders), rows):
            shuffled = np.take(b, np.ascontiguousarray(orders[start : start + rows].T), axis=0)
            totals = (a @ shuffled.reshape(len(order), -1)).reshape(len(xs), -1, len(ys))
            for pair in counted:
                pair.add(totals[pair.x, :, pair.y])
    return {pair: found.shares for pair, found in zip(known, counted, strict=True)}


class _Counted:
    """How many draws of one pair reach its rho: above, below, and as far from 0."""

    def __init__(self, x: int, y: int, ranks: RankPair) -> None:
        self.x, self.y = x, y
        self._observed, self._centre = ranks.total, ranks.centre
        self._counts = [0, 0, 0]

    def add(self, totals: Totals) -> None:
        """Count the sums of products of some draws."""
        import numpy as np

        distance = abs(self._observed - self._centre)
        outside = (totals >= self._centre + distance, totals <= self._centre - distance)
        self._counts[0] += int(np.count_nonzero(totals >= self._observed))
        self._counts[1] += int(np.count_nonzero(totals <= self._observed))
        self._counts[2] += int(np.count_nonzero(outside[0] | outside[1]))

    @property
    def shares(self) -> Shares:
        """(b + 1)/(B + 1)."""
        greater, less, far = ((count + 1) / (DRAWS + 1) for count in self._counts)
        return greater, less, far


def _ranks(columns: Sequence[Sequence[float]], held: Sequence[int], order: Sequence[int]) -> Totals:
    import numpy as np

    return np.asarray([doubled_ranks(columns[column]) for column in held], dtype=np.int64)[:, list(order)]
