"""Files of tables: quoting, atomic replacement, and a digest of each. Same rows, same bytes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from emaudit.errors import NO_SPACE, DiskFull, UsageError

MANIFESTS: Final = ("manifest.json", "figures.json")
"""The files that list what an export wrote into its folder."""
Tell = Callable[[str], None]
"""Takes one line of narration."""


def silent(_: str) -> None:
    """Tells nobody."""


def listed_files(manifest: Path) -> Mapping[str, str]:
    """The plain file names that a manifest of emaudit lists, with their SHA-256; none where it is no such manifest.

    A name that leads out of the folder, is hidden, or is that of a manifest is passed over: whoever wrote the file
    is not known.
    """
    try:
        says = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    files = says.get("files") if isinstance(says, dict) and "emaudit" in says else None
    if not isinstance(files, dict):
        return {}
    digests = {name: entry.get("sha256") for name, entry in files.items() if isinstance(entry, dict)}
    return {name: digest for name, digest in digests.items() if _is_plain(name) and isinstance(digest, str)}


def _is_plain(name: str) -> bool:
    return name.isprintable() and not name.startswith(".") and not set(name) & set("/\\:") and name not in MANIFESTS


@dataclass(frozen=True, slots=True)
class Exported:
    """One written file: its rows (without the header) and its SHA-256 in hex."""

    name: str
    n_rows: int
    sha256: str


class Folder:
    """Files written beside their final names, then put in place together; removed if anything fails.

    What the folder's own manifest listed before and lists no more is removed, where it is as it was written; `tell`
    hears of each such file. Raises UsageError where the folder cannot be used, DiskFull where it cannot take the files.
    """

    def __init__(self, directory: Path, excel_safe: bool, tell: Tell = silent) -> None:
        self.directory = directory
        self.excel_safe = excel_safe
        self.tell = tell
        self.files: list[Exported] = []
        self._pending: dict[str, Path] = {}

    def __enter__(self) -> Folder:
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
        full = error.errno in NO_SPACE
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

    def binary(self, name: str, content: bytes) -> None:
        """Write one file of bytes."""
        with self._file(name) as file:
            file.write_bytes(content)

    @contextlib.contextmanager
    def _file(self, name: str) -> Iterator[_Hashed]:
        path = self.directory / f".{name}.{secrets.token_hex(4)}.tmp"
        self._pending[name] = path
        with path.open("xb") as file:
            hashed = _Hashed(file)
            yield hashed
            file.flush()
            os.fsync(file.fileno())
        self.files.append(Exported(name, hashed.n_rows, hashed.digest.hexdigest()))

    def replace(self) -> None:
        """Put all files in place; the manifest last, so that it never speaks of files that are not there."""
        stale = self._stale()
        for name in list(self._pending):
            self._pending[name].replace(self.directory / name)
            del self._pending[name]
        descriptor = os.open(self.directory, os.O_RDONLY)
        try:
            self._remove(stale)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _stale(self) -> dict[str, str]:
        """What the manifest that is about to be replaced lists, and no manifest will list, with its digest."""
        replaced = [name for name in MANIFESTS if name in self._pending]
        others = [name for name in MANIFESTS if name not in self._pending]
        held = {file.name for file in self.files}.union(*(listed_files(self.directory / name) for name in others))
        kept = {name.casefold() for name in held}
        before = {name: sha for manifest in replaced for name, sha in listed_files(self.directory / manifest).items()}
        return {name: digest for name, digest in before.items() if name.casefold() not in kept}

    def _remove(self, stale: Mapping[str, str]) -> None:
        removed: list[str] = []
        for name, digest in sorted(stale.items()):
            path = self.directory / name
            try:
                if path.is_symlink() or not path.is_file():
                    continue
                with path.open("rb") as file:
                    is_ours = hashlib.file_digest(file, "sha256").hexdigest() == digest
                if is_ours:
                    path.unlink()
                    removed.append(name)
                    continue
                why = "it was edited since"
            except OSError as error:
                why = str(error.strerror)
            self.tell(f"{path} is of the export before and stays, as {why}: remove it yourself if it is not needed")
        if removed:
            self.tell(f"removed from {self.directory}, as this export has no such file: {', '.join(removed)}")


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
        self.write_bytes(encoded)

    def write_bytes(self, content: bytes) -> None:
        """Write bytes as they are."""
        self.digest.update(content)
        self.file.write(content)


def _with_header(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[Sequence[object]]:
    yield columns
    yield from rows


_QUOTED: Final = re.compile(r'[",\r\n]|^\s|\s$')
RUNNABLE: Final = tuple("=+-@\t\r\n＝＋－＠")
"""First characters that make a spreadsheet run a cell."""
_SCALE: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?\.\.-?[0-9]+(\.[0-9]+)?", re.ASCII)
"""A range of plain numbers, `-0.5..0.5`: no spreadsheet can run it."""


def _line(row: Sequence[object], excel_safe: bool) -> str:
    """One CSV line, RFC 4180 quoting with `\\n`; the csv module before 3.13 leaves a lone `\\r` unquoted."""
    return ",".join(_cell(value, excel_safe) for value in row) + "\n"


def _cell(value: object, excel_safe: bool) -> str:
    text = cell_text(value, excel_safe)
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


def cell_text(value: object, excel_safe: bool = False) -> str:
    """What a cell says: nothing for None, floats in full, text guarded where `excel_safe`."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, (int, float)):
        return repr(value)
    text = str(value)
    is_guarded = excel_safe and text.startswith(RUNNABLE) and not _SCALE.fullmatch(text)
    return f"'{text}" if is_guarded else text


def unguarded(text: str) -> str:
    """The text of a cell that `excel_safe` wrote."""
    return text[1:] if text.startswith("'") and text[1:].startswith(RUNNABLE) else text
