"""A store as the analyses read it: every plan summed up, from a cache that new rows invalidate."""

from __future__ import annotations

from emaudit.archive import StoreArchive
from emaudit.scores.measures import Rules
from emaudit.scores.study import Study


def study_of(archive: StoreArchive, rules: Rules | None = None, cached: bool = True) -> Study:
    """The newest complete replicates of an archive. Without `cached` every number comes from the stored rows."""
    raise NotImplementedError
