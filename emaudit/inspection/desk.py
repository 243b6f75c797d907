"""What the reading thread works with: the open list, and what stands beside its replies."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from emaudit.inspection.companions import Companions
from emaudit.inspection.listing import Lister
from emaudit.inspection.reading import reply_view
from emaudit.inspection.views import ReplyView

PAGE: Final = 100
"""Rows that a screen takes at a time."""


class Desk:
    """A list of replies with its companions, over one read-only connection."""

    def __init__(self, path: Path) -> None:
        self.lister = Lister(path, PAGE)
        self.companions = Companions(self.lister)

    def view(self, reply_id: int) -> ReplyView | None:
        """One reply in full; None where there is none of this number."""
        return reply_view(self.lister, reply_id)
