"""What Inspect asks of its reading thread, and the answers that are not views already. The functions run there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from emaudit.filters import Filters
from emaudit.inspection.views import Companion, Page, ReplyView
from emaudit.inspection.wishes import NOT_YET

if TYPE_CHECKING:
    from emaudit.inspection.desk import Desk


@dataclass(frozen=True, slots=True)
class Opened:
    """The first page of a new list, and the variants and judges that filters can name."""

    page: Page
    filters: Filters
    variants: Mapping[int, str]
    judges: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Counted:
    """How many replies the list has, how many of them stand before one, and what else filters can choose from."""

    n: int
    first_id: int
    position: int
    choices: Mapping[str, tuple[str, ...]]


def opened(filters: Filters, desk: Desk) -> Opened:
    """Make a new list."""
    page = desk.lister.open(filters)
    return Opened(
        page,
        filters,
        {row.variant_id: row.name for row in desk.lister.variants.values() if not row.hidden},
        {key: name for key, (kind, name) in desk.lister.names.items() if kind != "parser"},
    )


def turned(way: str, page: Page, desk: Desk) -> Page:
    """Another page: `first`, `last`, `after` or `before` one, or the same `again`."""
    lister = desk.lister
    ways: dict[str, Callable[[], Page]] = {
        "first": lister.first,
        "last": lister.last,
        "after": partial(lister.after, page),
        "before": partial(lister.before, page),
        "again": partial(lister.again, page),
    }
    return ways[way]()


def counted(first_id: Callable[[], int], desk: Desk) -> object:
    """Count on; where the list is counted, say also where the page stands that begins with a reply."""
    n = desk.lister.build()
    if n is None:
        return NOT_YET
    held = first_id()
    return Counted(n, held, desk.lister.position(held), desk.lister.choices())


def viewed(reply_id: int, desk: Desk) -> ReplyView | None:
    """Read one reply in full."""
    return desk.view(reply_id)


def beside(reply_id: int, kind: str, name: str, desk: Desk) -> Companion:
    """Read what stands beside a reply."""
    return desk.companions.beside(reply_id, kind, name)
