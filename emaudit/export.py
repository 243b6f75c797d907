"""Write variants.csv, scores.csv, responses.csv and manifest.json: same store, same bytes.

Owns the form of the files: columns, order, quoting, atomic replacement. What they say comes from an Archive.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Final, Protocol

from emaudit import __version__
from emaudit.errors import DiskFull, UsageError
from emaudit.scores import COLUMNS as SCORE_COLUMNS
from emaudit.scores import Rules, Source, Tally, as_record, newest_complete, table
from emaudit.variants import PROVENANCE

VARIANT_COLUMNS: Final = (
    "variant",
    "model",
    "size",
    "domain",
    "stage",
    "parent",
    "endpoint",
    "replicate",
    *PROVENANCE,
    "simulated",
)
RESPONSE_COLUMNS: Final = (
    "variant",
    "replicate",
    "assessment",
    "item",
    "category_or_dimension",
    "format",
    "condition",
    "sample",
    "prompt",
    "response",
    "outcome",
    "score",
    "score_status",
    "scored_by",
    "judge",
    "verdict_raw",
    "human_score",
    "reviewer",
    "reviewed_at",
    "simulated",
)

Value = str | int | float | bool | None
Record = Mapping[str, Value]


class Archive(Protocol):
    """What an export reads from the store, for one preset and one judge."""

    def variants(self) -> Iterable[Record]:
        """Every variant that is not hidden, as column -> value of variants.csv but for `replicate`."""

    def sources(self) -> Iterable[Source]:
        """Every plan of the preset, all replicates, with the judge whose verdicts are counted."""

    def tallies(self, source: Source) -> Sequence[Tally]:
        """The counted replies of one plan."""

    def responses(self, source: Source) -> Iterable[Record]:
        """The closed replies of one plan, as column -> value of responses.csv; the source's own are optional."""

    def facts(self) -> Mapping[str, object]:
        """For the manifest, no timestamps: store_id, parameters, judges, instruments, voided."""

    def excluded(self) -> Sequence[Record]:
        """The variants that were asked to be left out, and why."""


@dataclass(frozen=True, slots=True)
class Exported:
    """One written file: its rows (without the header) and its SHA-256 in hex."""

    name: str
    n_rows: int
    sha256: str


def export_csv(
    archive: Archive, directory: Path, preset: str, *, excel_safe: bool = False, rules: Rules | None = None
) -> list[Exported]:
    """Write the four files into a folder, all or none of them; returns them in the order written.

    Raises UsageError where the folder cannot be used, DiskFull where it cannot take the files.
    """
    rules = rules or Rules()
    held: dict[Source, Sequence[Tally]] = {}
    found = list(archive.sources())
    sources = newest_complete(found, lambda source: _is_owed(archive, source, held))
    excluded = _excluded(found, sources)
    sets = [(source, held[source] if source in held else archive.tallies(source)) for source in sources]
    simulated = any(source.simulated for source in sources)
    scores = (_values(as_record(row), SCORE_COLUMNS) for row in table(sets, rules))
    with _Folder(directory, excel_safe) as folder:
        folder.table("variants.csv", VARIANT_COLUMNS, _variant_rows(archive, sources, simulated))
        folder.table("scores.csv", SCORE_COLUMNS, scores)
        folder.table("responses.csv", RESPONSE_COLUMNS, _response_rows(archive, sources))
        folder.text(
            "manifest.json", _manifest(archive, sources, preset, rules, excel_safe, simulated, excluded, folder.files)
        )
        folder.replace()
        return folder.files


def _is_owed(archive: Archive, source: Source, held: dict[Source, Sequence[Tally]]) -> bool:
    held[source] = archive.tallies(source)
    return any(row.status == "owed" for row in held[source])


def _excluded(found: Sequence[Source], chosen: Sequence[Source]) -> list[Record]:
    """The replicates that the tables leave out, and why."""
    kept = {(source.variant, source.assessment): source.replicate for source in chosen}
    left_out = sorted((s.variant, s.assessment, s.replicate) for s in found if s not in set(chosen))
    return [
        {
            "variant": variant,
            "assessment": assessment,
            "replicate": replicate,
            "why": "older" if replicate < kept[variant, assessment] else "something is owed",
        }
        for variant, assessment, replicate in left_out
    ]


def _values(record: Mapping[str, object], columns: Iterable[str]) -> list[object]:
    return [record.get(column) for column in columns]


def _variant_rows(archive: Archive, sources: Sequence[Source], simulated: bool) -> Iterator[list[object]]:
    replicates: dict[str, int] = {}
    for source in sources:
        replicates[source.variant] = max(source.replicate, replicates.get(source.variant, 0))
    for record in sorted(archive.variants(), key=lambda record: str(record["variant"])):
        name = str(record["variant"])
        known = {"replicate": replicates.get(name), "simulated": simulated, **record}
        yield _values(known, VARIANT_COLUMNS)


def _response_rows(archive: Archive, sources: Sequence[Source]) -> Iterator[list[object]]:
    """Plan by plan, each sorted: a plan fits into memory, a store need not."""
    for source in sorted(sources, key=lambda source: (source.variant, source.replicate, source.assessment)):
        known: Record = {
            "variant": source.variant,
            "replicate": source.replicate,
            "assessment": source.assessment,
            "simulated": source.simulated,
        }
        rows = [_values({**known, **record}, RESPONSE_COLUMNS) for record in archive.responses(source)]
        yield from sorted(rows, key=_response_key)


def _response_key(row: Sequence[object]) -> tuple[str, str, str, int, str]:
    item, part, form, condition, sample = row[3:8]
    return str(item), str(form), str(condition), int(str(sample)), str(part)


def _manifest(
    archive: Archive,
    sources: Sequence[Source],
    preset: str,
    rules: Rules,
    excel_safe: bool,
    simulated: bool,
    excluded: Sequence[Record],
    files: Sequence[Exported],
) -> str:
    manifest = {
        **archive.facts(),
        "emaudit": __version__,
        "simulated": simulated,
        "preset": preset,
        "plans": [
            {name: getattr(source, name) for name in ("variant", "assessment", "replicate", "judge", "instrument")}
            for source in sources
        ],
        "settings": {**asdict(rules), "excel_safe": excel_safe, "replicate": "newest complete, else newest"},
        "excluded": [*archive.excluded(), *excluded],
        "files": {file.name: {"rows": file.n_rows, "sha256": file.sha256} for file in files},
    }
    return json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


class _Folder:
    """Files written beside their final names, then put in place together; removed if anything fails."""

    def __init__(self, directory: Path, excel_safe: bool) -> None:
        self.directory = directory
        self.excel_safe = excel_safe
        self.files: list[Exported] = []
        self._pending: dict[str, Path] = {}

    def __enter__(self) -> _Folder:
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._failure(error) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        for path in self._pending.values():
            path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> UsageError | DiskFull:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        return (DiskFull if full else UsageError)(f"{self.directory}: cannot hold the export: {error.strerror}")

    def table(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Write one CSV file, row by row."""
        with self._file(name) as file:
            n_rows = -1
            for row in _with_header(columns, rows):
                file.write(_line(row, self.excel_safe))
                n_rows += 1
            file.n_rows = n_rows

    def text(self, name: str, content: str) -> None:
        """Write one text file."""
        with self._file(name) as file:
            file.write(content)

    @contextlib.contextmanager
    def _file(self, name: str) -> Iterator[_Hashed]:
        path = self.directory / f".{name}.{os.getpid()}.tmp"
        self._pending[name] = path
        with path.open("wb") as file:
            hashed = _Hashed(file)
            yield hashed
            file.flush()
            os.fsync(file.fileno())
        self.files.append(Exported(name, hashed.n_rows, hashed.digest.hexdigest()))

    def replace(self) -> None:
        """Put all files in place; the manifest last, so that it never speaks of files that are not there."""
        for name in list(self._pending):
            self._pending[name].replace(self.directory / name)
            del self._pending[name]
        descriptor = os.open(self.directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class _Hashed:
    """A binary file that counts a digest of what is written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.digest = hashlib.sha256()
        self.n_rows = 0

    def write(self, text: str) -> None:
        """Write text as UTF-8; a lone surrogate, which has none, as U+FFFD."""
        try:
            encoded = text.encode()
        except UnicodeEncodeError:
            encoded = re.sub("[\ud800-\udfff]", "\ufffd", text).encode()
        self.digest.update(encoded)
        self.file.write(encoded)


def _with_header(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[Sequence[object]]:
    yield columns
    yield from rows


_QUOTED: Final = re.compile(r'[",\r\n]|^\s|\s$')
_RUNNABLE: Final = tuple("=+-@\t\r\n＝＋－＠")
"""First characters that make a spreadsheet run a cell."""


def _line(row: Sequence[object], excel_safe: bool) -> str:
    """One CSV line, RFC 4180 quoting with `\\n`; the csv module before 3.13 leaves a lone `\\r` unquoted."""
    return ",".join(_cell(value, excel_safe) for value in row) + "\n"


def _cell(value: object, excel_safe: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, (int, float)):
        return repr(value)
    text = str(value)
    if excel_safe and text.startswith(_RUNNABLE):
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text
