"""A filtered list of replies, page by page, with the reading of each. Blocks: belongs in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from emaudit.filters import Filters
from emaudit.inspection.standing import standing
from emaudit.inspection.views import Page, Row
from emaudit.shapes import Stretch
from emaudit.store import Store, variants
from emaudit.store.inspecting import PAGE, Listing, n_newer
from emaudit.store.listed import choices, listed, marks, scorer_names, verdicts
from emaudit.store.reading_rules import Rules, rules_of
from emaudit.variants import Variant


class Lister:
    """One list at a time over a read-only connection of its own. One thread's."""

    def __init__(self, path: Path, page: int = PAGE) -> None:
        self.store = Store.open(path)
        self._page = page
        self._listing: Listing | None = None
        self.filters = Filters()
        self.rules: Rules | None = None
        self.names = scorer_names(self.store)
        self.variants: dict[int, Variant] = {}

    def close(self) -> None:
        """Close the connection, and the list with it."""
        self.store.close()

    def interrupt(self) -> None:
        """End what is being read now, from another thread: it raises sqlite3.OperationalError there."""
        self.store.db.interrupt()

    def open(self, filters: Filters) -> Page:
        """Make the list of some filters anew, and give its first page."""
        if self._listing is not None:
            self._listing.close()
            self._listing = None
        self.filters = filters
        self.names = scorer_names(self.store)
        self.rules = rules_of(self.store, filters)
        self.variants = {row.variant_id: row for row in variants.variants(self.store, hidden=True)}
        self._listing = Listing(self.store, filters, self._page)
        return self._shown(self._listing.first())

    @property
    def listing(self) -> Listing:
        """The list that is open, of everything where none was."""
        if self._listing is None:
            self.open(self.filters)
        assert self._listing is not None
        return self._listing

    def first(self) -> Page:
        """The first page."""
        return self._shown(self.listing.first())

    def last(self) -> Page:
        """The last page."""
        return self._shown(self.listing.last())

    def after(self, page: Page) -> Page:
        """The page after one; that one again where it is the last."""
        return self._shown(self.listing.after(page.stretch)) if page.stretch.has_after else page

    def before(self, page: Page) -> Page:
        """The page before one; that one again where it is the first."""
        return self._shown(self.listing.before(page.stretch)) if page.stretch.has_before else page

    def again(self, page: Page) -> Page:
        """The same rows with what the store holds of them now."""
        return self._shown(page.stretch)

    def build(self) -> int | None:
        """Count a bounded part of the list; how many replies it has once it is counted, None before."""
        self.listing.build()
        return self.listing.n

    def counted(self) -> int:
        """How many replies the list has, counted now."""
        while (n := self.build()) is None:
            pass
        return n

    def position(self, reply_id: int) -> int:
        """How many replies of a counted list stand before one of it."""
        return self.listing.position(reply_id)

    def choices(self) -> dict[str, tuple[str, ...]]:
        """What there is to choose from: assessments, parts, formats and outcomes of the stored prompts."""
        return choices(self.store)

    def n_new(self) -> int:
        """How many replies were stored since the list was made."""
        return n_newer(self.store, self.listing.newest)

    def _shown(self, stretch: Stretch) -> Page:
        return Page(tuple(self.rows(stretch.reply_ids)), stretch, self.listing.n, self.listing.newest)

    def rules_now(self) -> Rules:
        """Which verdicts count in the list."""
        if self.rules is None:
            self.open(self.filters)
        assert self.rules is not None
        return self.rules

    def rows(self, reply_ids: Sequence[int], rules: Rules | None = None) -> list[Row]:
        """Replies as rows of the list, read as it reads them or by other rules."""
        rules = rules or self.rules_now()
        given = verdicts(self.store, reply_ids)
        said = marks(self.store, reply_ids)
        part = next(iter(self.filters.parts)) if len(self.filters.parts) == 1 else ""
        found = []
        for held in listed(self.store, reply_ids):
            kinds = [mark.kind for mark in said.get(held.reply_id, ())]
            found.append(
                Row(
                    held,
                    self.name(held.variant_id),
                    standing(given[held.reply_id], rules, held.variant_id, held.assessment, part, self.names),
                    sum(kind in {"score", "cannot_tell"} for kind in kinds),
                    "flag" in kinds,
                    "star" in kinds,
                )
            )
        return found

    def name(self, variant_id: int) -> str:
        """A variant's name."""
        held = self.variants.get(variant_id)
        return held.name if held else ""
