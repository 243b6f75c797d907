"""Who sits at the app, and which verdicts they had in view: kept until it is noted in the store.

Knows no screen and no store; used by one thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Batch = Mapping[str, tuple[int, ...]]
"""Reviewer -> replies whose verdicts that person had in view."""


class SeenLog:
    """What was shown at this sitting of the app. Everyone who sits here is taken to look at every screen."""

    def __init__(self) -> None:
        self._owed: dict[str, set[int]] = {}
        self._noted: dict[str, set[int]] = {}
        self._nobodys: set[int] = set()

    @property
    def people(self) -> tuple[str, ...]:
        """Who sits here, the first one first."""
        return tuple(self._owed)

    def sits_down(self, name: str) -> None:
        """One more person sits here now; what nobody known had in view is taken to be theirs."""
        if name not in self._owed:
            self._owed[name], self._noted[name] = self._nobodys, set()
            self._nobodys = set()

    def shown(self, reply_ids: Iterable[int]) -> None:
        """These replies stand on a screen with their verdicts."""
        found = set(reply_ids)
        for name, owed in self._owed.items():
            owed |= found - self._noted[name]
        if not self._owed:
            self._nobodys |= found

    @property
    def owed(self) -> Batch:
        """What is still to be noted; empty where nothing is."""
        return {name: tuple(sorted(ids)) for name, ids in self._owed.items() if ids}

    def noted(self, batch: Batch) -> None:
        """These are in the store now."""
        for name, ids in batch.items():
            self._owed[name] -= set(ids)
            self._noted[name] |= set(ids)
