"""Verdicts to scores: per variant and, as the paper's averages, over sizes. Pure: counted replies in, rows out."""

from emaudit.scores.measures import Rules, Tally
from emaudit.scores.rows import COLUMNS, Score, Source, as_record, newest_complete, score, seed_of, table

__all__ = ["COLUMNS", "Rules", "Score", "Source", "Tally", "as_record", "newest_complete", "score", "seed_of", "table"]
