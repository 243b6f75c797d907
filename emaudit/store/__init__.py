"""The store: one SQLite file, and every SQL statement of the project. One module per concern."""

from emaudit.store.connection import Store, backup
from emaudit.store.plans import Plan
from emaudit.store.readings import Progress, Response, Tally

__all__ = ["Plan", "Progress", "Response", "Store", "Tally", "backup"]
