"""A store as the analyses read it: every plan summed up, from a cache that new rows invalidate."""

from __future__ import annotations

from emaudit.archive import StoreArchive
from emaudit.scores.measures import Rules
from emaudit.scores.rows import newest_complete
from emaudit.scores.study import Study, Subject
from emaudit.scores.summary import summarised


def study_of(archive: StoreArchive, rules: Rules | None = None, cached: bool = True) -> Study:
    """The newest complete replicates of an archive. Without `cached` every number comes from the stored rows."""
    rules = rules or Rules()
    made = {source: summarised(source, archive.tallies(source), rules) for source in archive.sources()}
    chosen = newest_complete(made, lambda source: made[source].n_owed > 0)
    return Study(
        preset=archive.preset,
        subjects=tuple(
            Subject(row.name, row.size, row.domain, row.stage, row.parent)
            for row in sorted(archive.rows, key=lambda row: row.name)
        ),
        summaries={(source.variant, source.assessment): made[source] for source in chosen},
        rules=rules,
        left_out={str(row["variant"]): str(row["why"]) for row in archive.excluded()},
    )
