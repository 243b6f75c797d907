"""What endpoints report of the models they serve, and warnings where that changes within a run."""

from __future__ import annotations

from collections.abc import Callable

from emaudit.completions import Completion
from emaudit.planning import Prepared
from emaudit.store import replies
from emaudit.store.connection import Store
from emaudit.text import one_line

_SHOWN = 120


class Reported:
    """The model names and fingerprints that came back for each variant, in this process or an earlier one."""

    def __init__(self, store: Store, warn: Callable[[str], None]) -> None:
        self._store = store
        self._warn = warn
        self._known: dict[int, set[tuple[str, str]]] = {}

    def note(self, item: Prepared, completion: Completion) -> None:
        """Warn, once for each, of another model name or fingerprint than those before."""
        now = {("model", completion.model), ("fingerprint", completion.fingerprint)}
        known = self._known.get(item.variant.variant_id)
        if known is None:
            known = self._known[item.variant.variant_id] = self._earlier(item) or set(now)
        for what, said in sorted(now - known):
            self._warn(f"{item.variant.name}: the endpoint now reports {what} {one_line(said, _SHOWN)!r}")
        known |= now

    def _earlier(self, item: Prepared) -> set[tuple[str, str]]:
        """What the plan's first stored reply came with; empty where there is none."""
        found = replies.reported(self._store, item.plan.plan_id)
        return {("model", found[0]), ("fingerprint", found[1])} if found else set()
