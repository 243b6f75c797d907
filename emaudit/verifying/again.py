"""An export made again: from the store, under the choices its manifest records, as of the rows it was made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from emaudit.archive import StoreArchive
from emaudit.choices import Choices
from emaudit.errors import UsageError
from emaudit.export import export_csv
from emaudit.problems import Problem
from emaudit.scores import Rules
from emaudit.store.connection import Store
from emaudit.store.horizon import Horizon, heads_at, looking, newest_rows
from emaudit.store.merge.origins import stretches_of
from emaudit.store.readings import touched_since
from emaudit.store.variants import variants
from emaudit.verifying.cells import CLOSE, file_differences

SOURCE: Final = "the store"
_NOT_COMPARED: Final = ("files", "emaudit", "libraries", "matplotlib")
"""What a manifest says of its files, which are compared themselves, and of the machine that wrote it."""
_OF_NUMBERS: Final = ("store_id", "rows", "heads")
"""What it says of the store's numbers, which are others where that store was merged into another one."""
_ROW: Final = {"replies": "reply_id", "verdicts": "verdict_id", "review_events": "event_id"}


class Again:
    """One export, made again. Raises UsageError where its manifest records no choices of this emaudit."""

    def __init__(self, store: Store, name: str, says: Mapping[str, Any]) -> None:
        self.store = store
        self.name = name
        self.says = says
        rows = says.get("rows", {})
        other = str(says.get("store_id", ""))
        self.origin = other if other != store.store_id and stretches_of(store, other) else ""
        """The merged store that the export is of; empty where it is of this one."""
        self.rows: dict[str, int] = {str(table): int(n) for table, n in rows.items()} if isinstance(rows, dict) else {}

    def strange(self) -> Iterator[Problem]:
        """Why an export cannot have come from this store as it is."""
        if self.says.get("store_id") != self.store.store_id and not self.origin:
            yield Problem(
                self.name,
                "",
                "store_id",
                "is an export of another store: name that one with --store",
                str(self.says.get("store_id")),
                self.store.store_id,
            )
            return
        held = newest_rows(self.store, self.origin)
        for table, number in self.rows.items():
            if number > held.get(table, 0):
                what = (
                    "the export saw rows that this copy of the store does not have: they were removed, or it is older"
                )
                yield Problem(table, f"after row {held.get(table, 0)}", "", what, None, None)
        heads = self.says.get("heads", {})
        for table, digest in heads_at(self.store, self.rows, self.origin).items():
            if digest and digest != heads.get(table):
                row = f"{_ROW[table]} {self.rows[table]}"
                what = "is not the row that the export saw: the hash in its chain is another"
                yield Problem(table, row, "chain", what, digest, str(heads.get(table)))

    def notes(self) -> list[str]:
        """What happened to the store since, as far as it matters."""
        if self.origin:
            return [f"the export is of store {self.origin}, which was merged into this one: held against its rows"]
        if self.says.get("store_id") != self.store.store_id or not self.rows:
            return []
        held = newest_rows(self.store)
        newer = {t: held[t] - n for t, n in self.rows.items() if held.get(t, 0) > n}
        if not newer:
            return []
        pairs, _ = touched_since(self.store, *(self.rows.get(table, 0) for table in ("replies", "verdicts", "voids")))
        names = {row.variant_id: row.name for row in variants(self.store, hidden=True)}
        whose = ", ".join(sorted({names.get(number, str(number)) for number, _ in pairs}))
        what = ", ".join(f"{n:,} {table.replace('_', ' ')}" for table, n in sorted(newer.items()))
        of = f" (of {whose})" if whose else ""
        return [f"since the export the store gained {what}{of}: the export was held against the rows before"]

    def out_of_reach(self) -> str:
        """Why the same bytes cannot be made here, though nothing is wrong; empty where they can."""
        if self.says.get("format") != "figures":
            return ""
        from emaudit.figures.style import available, version

        try:
            available()
        except UsageError as error:
            return str(error)
        drawn_by = self.says.get("matplotlib")
        if drawn_by == version():
            return ""
        return (
            f"matplotlib {drawn_by} drew them and this is {version()}, which may draw other bytes of the same numbers"
        )

    def make(self, directory: Path, names: Sequence[str]) -> None:
        """Write the export again. Raises UsageError where it cannot be made."""
        choices = Choices.recorded(self.says.get("chosen", {}))
        with looking(self.store, Horizon(choices.as_of, self.rows, self.origin)):
            archive = StoreArchive.chosen(self.store, choices)
            form = self.says.get("format")
            if form == "csv":
                settings = self.says["settings"]
                rules = Rules(**{name: settings[name] for name in Rules.__dataclass_fields__ if name in settings})
                export_csv(archive, directory, archive.preset, excel_safe=bool(settings.get("excel_safe")), rules=rules)
            elif form in ("latex", "markdown"):
                from emaudit.publishing import export_pages

                export_pages(archive, directory, form, reference=bool(self.says.get("reference")))
            elif form == "figures":
                from emaudit.figures.remade import draw_again

                draw_again(archive, directory, self.says, names)
            else:
                raise UsageError(f"{self.name} does not say what kind of export it is: it is of an older emaudit")

    def differences(self, name: str, found: Path, made: Path, is_edited: bool) -> Iterator[Problem]:
        """Where a file is not what the store gives; to the last digit where it was edited since it was exported."""
        return file_differences(name, found, made, SOURCE, 0.0 if is_edited else CLOSE)

    def manifest_problems(self, made: Mapping[str, Any]) -> Iterator[Problem]:
        """Where the manifest is not what the store gives, but for its files and the versions that made them."""
        ours, theirs = dict(_leaves(made)), dict(_leaves(self.says))
        for path in sorted(ours.keys() | theirs.keys()):
            if path.split(".")[0] in (*_NOT_COMPARED, *(_OF_NUMBERS if self.origin else ())):
                continue
            if ours.get(path) != theirs.get(path):
                found, expected = theirs.get(path), ours.get(path)
                yield Problem(self.name, "", path, f"is not what {SOURCE} gives", found, expected)


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every plain value of a JSON document with the path to it."""
    if isinstance(value, dict):
        for key, held in value.items():
            yield from _leaves(held, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for place, held in enumerate(value):
            yield from _leaves(held, f"{path}[{place}]")
    else:
        yield path, repr(value)
