"""What a run has done so far, as its state line tells it: committed rows, rate, tokens, cost."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from emaudit.assessments.base import Outcome, Reading, Status
from emaudit.config import Price
from emaudit.store.readings import Progress

RATE_WINDOW: Final = 15.0
ETA_AFTER: Final = 20


class Counts:
    """Running totals of one run; replies and verdicts count once they are on disk."""

    def __init__(self, states: Iterable[Progress], prices: Mapping[str, Price]) -> None:
        found = list(states)
        self.n_planned = sum(state.n_slots for state in found)
        self.n_done = sum(state.n_closed for state in found)
        self.n_referred = sum(state.n_referred for state in found)
        self.n_judged = sum(state.n_judged for state in found)
        self.n_unscored = sum(state.n_unscored for state in found)
        self.n_errors = sum(state.n_errors for state in found)
        self.closed_in_pass = 0
        self._prices = prices
        self._tokens: dict[str, list[int]] = {}
        self._recent: deque[tuple[float, int]] = deque()

    def reply(self, outcome: Outcome, reading: Reading) -> None:
        """One more reply on disk."""
        self.n_done += 1
        self.n_errors += outcome is Outcome.ERROR
        self.n_referred += reading.status is Status.REFERRED
        self.n_unscored += reading.status is Status.UNSCORED
        self._committed()

    def verdict(self, reading: Reading) -> None:
        """One more final verdict on disk."""
        self.n_judged += 1
        self.n_unscored += reading.status is Status.UNSCORED
        self._committed()

    def _committed(self) -> None:
        self.closed_in_pass += 1
        moment = time.monotonic()
        if self._recent and moment - self._recent[-1][0] < 0.25:
            self._recent[-1] = (self._recent[-1][0], self._recent[-1][1] + 1)
        else:
            self._recent.append((moment, 1))

    def spent(self, model: str, input_tokens: int, output_tokens: int) -> None:
        """Tokens one request took."""
        held = self._tokens.setdefault(model, [0, 0])
        held[0] += input_tokens
        held[1] += output_tokens

    @property
    def input_tokens(self) -> int:
        """Input tokens that requests of this process took."""
        return sum(held[0] for held in self._tokens.values())

    @property
    def output_tokens(self) -> int:
        """Output tokens that they brought."""
        return sum(held[1] for held in self._tokens.values())

    @property
    def money(self) -> Decimal | None:
        """Price of these tokens, in the currency of the configured prices; None where one is unknown."""
        if not self._tokens.keys() <= self._prices.keys():
            return None
        return sum((self._prices[model].of(*held) for model, held in self._tokens.items()), Decimal(0))

    @property
    def nothing_owed(self) -> bool:
        """Whether every reply and verdict is there."""
        return self.n_done >= self.n_planned and self.n_judged >= self.n_referred

    @property
    def rate(self) -> float:
        """Replies and verdicts committed per second over the last 15 s."""
        moment = time.monotonic()
        while self._recent and moment - self._recent[0][0] > RATE_WINDOW:
            self._recent.popleft()
        if not self._recent:
            return 0.0
        return sum(n for _, n in self._recent) / max(1.0, moment - self._recent[0][0])

    @property
    def eta(self) -> float | None:
        """Seconds to go at this rate; None before 20 replies and verdicts."""
        rest = self.n_planned - self.n_done + self.n_referred - self.n_judged
        rate = self.rate
        return rest / rate if rate and sum(n for _, n in self._recent) >= ETA_AFTER else None
