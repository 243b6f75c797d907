"""Verify an export: its files against the manifest, its tables against its own rows, all of it against the store."""

from __future__ import annotations

import csv
import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from emaudit import __version__
from emaudit.errors import UsageError
from emaudit.folder import MANIFESTS
from emaudit.problems import Problem
from emaudit.store.connection import Store
from emaudit.verifying.again import Again
from emaudit.verifying.cells import MOST, read_rows
from emaudit.verifying.fromrows import FromRows
from emaudit.verifying.report import Report, Tell, silent

FEW: Final = 5
"""Derived cells named of each file where the rows they are derived from were changed themselves."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A manifest and what it says."""

    name: str
    says: Mapping[str, Any]

    @property
    def files(self) -> Mapping[str, Mapping[str, Any]]:
        """The files it vouches for."""
        return dict(self.says["files"])

    @property
    def form(self) -> str:
        """What kind of export it is: csv, latex, markdown or figures."""
        return str(self.says.get("format", ""))


def verify_export(store: Store | None, directory: Path, tell: Tell = silent) -> Report:
    """Every file of an export folder: as it was written, as its own rows have it, and as the store has it.

    Without a store only the first two. Raises UsageError where the folder holds no export.
    """
    report = Report()
    listings = [listing for name in MANIFESTS if (listing := _listing(directory, name, report))]
    if not listings and report.passes:
        raise UsageError(f"{directory} is no export: it has no {' and no '.join(MANIFESTS)}")
    tell("checking the files")
    for listing in listings:
        report.problems += _file_problems(directory, listing)
    report.problems += _unlisted(directory, listings) if listings else ()
    report.checked.append("the digest and the rows of every file that the manifest lists, and that no other is there")
    for listing in listings:
        writer = listing.says.get("emaudit", "of unknown version")
        if writer != __version__:
            what = "what this one computes otherwise is named as a difference"
            report.notes.append(f"{listing.name}: written by emaudit {writer}, and this is {__version__}: {what}")
        if not listing.form or "rows" not in listing.says:
            what = "records too little to compute the export again: it is of an older emaudit; export anew"
            report.problems.append(Problem(listing.name, "", "", what))
            continue
        if listing.form == "csv":
            _from_rows(directory, listing, report, tell)
        if store is not None:
            _from_store(store, directory, listing, report, tell)
    if store is None:
        report.notes.append("no store to hold it against: whether its replies are those received is not told")
    return report


def _listing(directory: Path, name: str, report: Report) -> Listing | None:
    path = directory / name
    if not path.is_file():
        return None
    try:
        says = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(says, dict) and isinstance(says.get("files"), dict):
            return Listing(name, says)
        why = "lists no files"
    except (ValueError, OSError, RecursionError) as error:
        why = f"cannot be read: {error}"
    report.problems.append(Problem(name, "", "", why))
    return None


def _file_problems(directory: Path, listing: Listing) -> Iterator[Problem]:
    for name, entry in listing.files.items():
        path = directory / name
        if Path(name).name != name or not path.is_file():
            yield Problem(name, "", "", f"is missing: {listing.name} lists it")
            continue
        digest = _digest(path)
        if digest != entry.get("sha256"):
            yield Problem(name, "", "", "is not the file that was exported (SHA-256)", digest, str(entry.get("sha256")))
        if name.endswith(".csv") and "rows" in entry:
            yield from _row_problems(path, name, entry["rows"])


def _row_problems(path: Path, name: str, wanted: object) -> Iterator[Problem]:
    try:
        n_rows = sum(1 for _ in read_rows(path)) - 1
    except (csv.Error, UnicodeDecodeError) as error:
        yield Problem(name, "", "", f"cannot be read: {error}")
        return
    if n_rows != wanted:
        yield Problem(name, "", "", "has another number of rows", f"{n_rows}", f"{wanted}")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unlisted(directory: Path, listings: Sequence[Listing]) -> Iterator[Problem]:
    listed = {name for listing in listings for name in listing.files} | {listing.name for listing in listings}
    for path in sorted(directory.iterdir()):
        if path.name not in listed and not path.name.startswith("."):
            yield Problem(path.name, "", "", "stands in the folder and is no part of the export: no manifest lists it")


def _from_rows(directory: Path, listing: Listing, report: Report, tell: Tell) -> None:
    """Hold what the tables say against what their own rows come to."""
    touched = {problem.place for problem in report.problems}
    tell("computing the scores from responses.csv")
    try:
        own = FromRows(directory, listing.says, tell)
        report.problems += own.problems(FEW if "responses.csv" in touched else MOST)
    except (UsageError, csv.Error, UnicodeDecodeError, OSError) as error:
        report.problems.append(Problem("the export", "", "", f"its own rows cannot be computed again: {error}"))
        return
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        why = f"its own rows cannot be computed again: {type(error).__name__} {error}"
        report.problems.append(Problem("the export", "", "", why))
        return
    report.checked.append("scores.csv and every analysis again, from the rows of responses.csv alone")
    if own.owed:
        names = ", ".join(f"{variant} {assessment}" for variant, assessment in sorted(own.owed))
        report.notes.append(f"replies are owed ({names}): what follows from them was computed from the store alone")


def _from_store(store: Store, directory: Path, listing: Listing, report: Report, tell: Tell) -> None:
    """Make the export again from the store, as it was chosen and as of its rows, and compare."""
    again = Again(store, listing.name, listing.says)
    strange = list(again.strange())
    report.notes += again.notes()
    if strange:
        report.problems += strange
        return
    why = again.out_of_reach()
    if why:
        report.notes.append(f"{listing.name}: not made again from the store: {why}")
        return
    edited = {problem.place for problem in report.problems}
    tell("making the export again from the store")
    with tempfile.TemporaryDirectory(prefix="emaudit-verify-") as made:
        folder = Path(made)
        try:
            again.make(folder, sorted(listing.files))
        except (UsageError, KeyError, TypeError, ValueError) as error:
            what = f"says what the store cannot make again: {type(error).__name__}: {error}"
            report.problems.append(Problem(listing.name, "", "", what))
            return
        tell("comparing")
        for path in sorted(folder.iterdir()):
            if path.name == listing.name:
                report.problems += again.manifest_problems(json.loads(path.read_text(encoding="utf-8")))
            elif not (directory / path.name).is_file():
                if path.name not in listing.files:
                    report.problems.append(Problem(path.name, "", "", "is missing: the store gives it"))
            else:
                report.problems += again.differences(path.name, directory / path.name, path, path.name in edited)
        made_names = {path.name for path in folder.iterdir()}
        for name in sorted(set(listing.files) - made_names):
            report.problems.append(Problem(name, "", "", "the store gives no such file"))
    report.checked.append(f"every file that {listing.name} lists again, from the store, cell by cell")
