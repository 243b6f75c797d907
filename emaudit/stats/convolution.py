"""The exact distribution of a sum of independent blocks' rank-product sums, and its tails. Pure.

A block is a few variants whose y-ranks are permuted among themselves; over all arrangements the total is the sum of
independent block sums. All sums are integers, and "at least the observed one" is a comparison of integers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.number[Any]]

MOST_ADDITIONS: Final = 100_000_000
"""Beyond this many additions the tilted Fourier transform takes less time than adding."""
MOST_COUNTED: Final = 2**63
"""With at least as many arrangements as this, shares are added instead of counts."""
MOST_MERGED: Final = 200_000
"""Blocks with no more pairs of sums than this are made one before the transform."""
SPREAD: Final = 24
"""Standard deviations of the tilted total that the transform spans; what lies outside is below rounding."""
NARROWEST: Final = 1_024
STEEPEST: Final = 64.0
"""The largest tilt: with it all weight lies on the outermost sums."""
HALVINGS: Final = 6
"""Of the interval in which the tilt is sought; near is enough."""


@dataclass(frozen=True, slots=True)
class Block:
    """Integers of some variants, in two columns; the second is permuted."""

    a: tuple[int, ...]
    b: tuple[int, ...]

    @property
    def lowest(self) -> int:
        """The smallest sum of products of any arrangement (rearrangement inequality)."""
        return sum(p * q for p, q in zip(sorted(self.a), sorted(self.b, reverse=True), strict=True))

    @property
    def highest(self) -> int:
        """The largest sum of products of any arrangement."""
        return sum(p * q for p, q in zip(sorted(self.a), sorted(self.b), strict=True))


def arrangements_of(blocks: Sequence[Block]) -> int:
    """How many arrangements exist, those that ties make alike counted each."""
    return math.prod(math.factorial(len(block.a)) for block in blocks)


@lru_cache(maxsize=16)
def _orders(n: int) -> NDArray[np.intp]:
    """All n! orders of n places, one per row."""
    import numpy as np

    return np.asarray(list(permutations(range(n))), dtype=np.intp)


def sums_of(block: Block) -> NDArray[np.int64]:
    """The sum of products under each of the n! arrangements."""
    import numpy as np

    found: NDArray[np.int64] = np.asarray(block.b, dtype=np.int64)[_orders(len(block.b))] @ np.asarray(
        block.a, dtype=np.int64
    )
    return found


@dataclass(frozen=True, slots=True)
class _Atoms:
    """Distinct sums of a block as steps above its lowest, ascending, and how often each occurs (or its share)."""

    steps: NDArray[np.int64]
    weights: Array

    @property
    def width(self) -> int:
        return int(self.steps[-1])

    @property
    def mean(self) -> float:
        """Mean of the steps; of shares only."""
        return float(self.steps @ self.weights)

    @property
    def variance(self) -> float:
        """Variance of the steps; of shares only."""
        return float(self.weights @ (self.steps - self.mean) ** 2)

    def dense(self) -> Array:
        """The weight of every step from 0 to the width."""
        import numpy as np

        found: Array = np.zeros(self.width + 1, dtype=self.weights.dtype)
        found[self.steps] = self.weights
        return found


def tails(blocks: Sequence[Block], observed: int) -> tuple[float, float]:
    """P(total >= observed) and P(total <= observed) over all arrangements, each equally likely.

    Counted in integers and rounded once where fewer than 2^63 arrangements differ; else added in shares, right to
    about 1e-12 of their size, as are those by Fourier transform where adding would take seconds.
    """
    import numpy as np

    found = [np.unique(sums_of(block), return_counts=True) for block in blocks]
    found = [(sums, counts) for sums, counts in found if len(sums) > 1]
    unit = math.gcd(*(int(np.gcd.reduce(sums - sums[0])) for sums, _ in found)) or 1
    above = observed - sum(block.lowest for block in blocks)
    at_least, at_most = -(-above // unit), above // unit
    everything = math.prod(int(counts.sum()) for _, counts in found)
    is_counted = everything < MOST_COUNTED
    atoms = [
        _Atoms((sums - sums[0]) // unit, counts.astype(np.int64) if is_counted else counts / counts.sum())
        for sums, counts in found
    ]
    halves = _halves(atoms)
    if sum(_additions(half) for half in halves) > MOST_ADDITIONS:
        return _tilted_tails(atoms, at_least, at_most)
    left, right = (_convolved(half) for half in halves)
    width = len(left) + len(right) - 2
    reached = _upper(left, right, at_least), _upper(left[::-1], right[::-1], width - at_most)
    whole = everything if is_counted else 1
    return min(1.0, reached[0] / whole), min(1.0, reached[1] / whole)


def _halves(atoms: Sequence[_Atoms]) -> tuple[list[_Atoms], list[_Atoms]]:
    """The blocks in two groups of about equal width: the last and widest convolution is never written out."""
    halves: tuple[list[_Atoms], list[_Atoms]] = ([], [])
    for block in sorted(atoms, key=lambda block: -block.width):
        min(halves, key=lambda half: sum(member.width for member in half)).append(block)
    return halves


def _additions(atoms: Sequence[_Atoms]) -> int:
    """How many additions `_convolved` makes."""
    made, length = 0, 1
    for block in atoms:
        made += len(block.steps) * length if length > 1 else 0
        length += block.width
    return made


def _convolved(atoms: Sequence[_Atoms]) -> Array:
    """The weight of every total from 0 up."""
    import numpy as np

    if not atoms:
        return np.ones(1, dtype=np.int64)
    found = atoms[0].dense()
    for block in atoms[1:]:
        wider: Array = np.zeros(len(found) + block.width, dtype=found.dtype)
        for step, weight in zip(block.steps.tolist(), block.weights.tolist(), strict=True):
            wider[step : step + len(found)] += weight * found
        found = wider
    return found


def _upper(left: Array, right: Array, at_least: int) -> float:
    """Weight of the pairs whose total is at least so much; an int where the weights are counts."""
    import numpy as np

    tail: Array = np.zeros(len(right) + 1, dtype=right.dtype)
    tail[:-1] = right[::-1].cumsum()[::-1]
    needed = np.clip(at_least - np.arange(len(left)), 0, len(right))
    weight: float = (left * tail[needed]).sum().item()
    return weight


def _tilted_tails(atoms: Sequence[_Atoms], at_least: int, at_most: int) -> tuple[float, float]:
    """The tails by fast Fourier transform, as exact in relative terms far out as in the middle.

    The distribution is tilted (weights times exp(theta total)) so that its mean is the observed total: there the
    transform's rounding is small beside the weights, and the tilt is taken back in the tail's sum (Keich 2005,
    Journal of Computational Biology 12).
    """
    atoms = [_Atoms(block.steps, block.weights / block.weights.sum()) for block in atoms]
    width = sum(block.width for block in atoms)
    middle = math.fsum(block.mean for block in atoms)
    if at_least < middle:
        mirrored = [_Atoms(block.width - block.steps[::-1], block.weights[::-1]) for block in atoms]
        less, greater = _tilted_upper(mirrored, width - at_most, width - at_least)
        return greater, less
    return _tilted_upper(atoms, at_least, at_most)


def _tilted_upper(atoms: Sequence[_Atoms], at_least: int, at_most: int) -> tuple[float, float]:
    """P(total >= at_least), in the short tail, and P(total <= at_most)."""
    import numpy as np
    from scipy.fft import irfft, next_fast_len, rfft

    theta = _tilt(atoms, at_least)
    tilted, log_sums = zip(*(_tilted(block, theta) for block in atoms), strict=True)
    width = sum(block.width for block in atoms)
    spread = math.sqrt(math.fsum(block.variance for block in tilted))
    length = next_fast_len(min(width + 1, NARROWEST + math.ceil(SPREAD * spread)), real=True)
    transform = np.ones(length // 2 + 1, dtype=np.complex128)
    for block in _merged(tilted):
        transform *= rfft(np.bincount(block.steps % length, block.weights, length))
    shares = irfft(transform, length)
    last = width if length > width else min(width, at_least + length // 2)
    scale = math.exp(math.fsum(log_sums) + theta * (width - at_least))

    def upper(start: int) -> float:
        steps = np.arange(start, last + 1)
        return scale * float((shares[steps % length] * np.exp(-theta * (steps - at_least))).sum())

    return min(1.0, max(0.0, upper(at_least))), min(1.0, max(0.0, 1 - upper(at_most + 1)))


def _tilt(atoms: Sequence[_Atoms], target: int) -> float:
    """A theta >= 0 at which the tilted mean is about the target: from the normal's, doubled and halved."""

    def is_beyond(theta: float) -> bool:
        return math.fsum(_tilted(block, theta)[0].mean for block in atoms) >= target

    mean, variance = (math.fsum(values) for values in zip(*((b.mean, b.variance) for b in atoms), strict=True))
    low, high = 0.0, max(target - mean, 1.0) / variance
    while not is_beyond(high) and high < STEEPEST:
        low, high = high, 2 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_beyond(middle) else (middle, high)
    return (low + high) / 2


def _tilted(block: _Atoms, theta: float) -> tuple[_Atoms, float]:
    """A block's shares under the tilt, and log(sum of share times exp(theta (step - width)))."""
    import numpy as np

    weights = block.weights * np.exp(theta * (block.steps - block.width))
    total = float(weights.sum())
    return _Atoms(block.steps, weights / total), math.log(total)


def _merged(atoms: Sequence[_Atoms]) -> list[_Atoms]:
    """Fewer blocks with the same total: those that have few sums are made one."""
    import numpy as np

    found: list[_Atoms] = []
    for block in sorted(atoms, key=lambda block: len(block.steps)):
        if found and len(found[-1].steps) * len(block.steps) <= MOST_MERGED:
            last = found.pop()
            sums = np.add.outer(last.steps, block.steps).ravel()
            dense = np.bincount(sums, np.multiply.outer(last.weights, block.weights).ravel())
            steps = np.flatnonzero(dense)
            found.append(_Atoms(steps, dense[steps]))
        else:
            found.append(block)
    return found
