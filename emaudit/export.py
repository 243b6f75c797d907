"""Write variants.csv, scores.csv, responses.csv, what stands beside them, and manifest.json: same store, same bytes.

Owns the columns of the files and their order. What they say comes from an Archive.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Protocol

from emaudit import __version__
from emaudit.folder import Exported, Folder, Tell, silent
from emaudit.madeof import families, libraries
from emaudit.scores import COLUMNS as SCORE_COLUMNS
from emaudit.scores import Rules, Score, Source, Tally, as_record, newest_complete, table
from emaudit.variants import PROVENANCE
from emaudit.wording import json_page

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


@dataclass(frozen=True, slots=True)
class Table:
    """A further table of an export: agreement.csv and the like."""

    name: str
    columns: Sequence[str]
    rows: Iterable[Sequence[object]]


@dataclass(frozen=True, slots=True)
class Page:
    """A further text of an export: methods.md and the like."""

    name: str
    text: str


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

    def beside(self, sources: Sequence[Source], scores: Sequence[Score], rules: Rules) -> Iterable[Table | Page]:
        """The further files, of the plans that the tables are of: people's labels, what the scores come to."""

    def facts(self) -> Mapping[str, object]:
        """For the manifest, no timestamps: store_id, parameters, judges, instruments, voided."""

    def excluded(self) -> Sequence[Record]:
        """The variants that were asked to be left out, and why."""


def export_csv(
    archive: Archive,
    directory: Path,
    preset: str,
    *,
    excel_safe: bool = False,
    rules: Rules | None = None,
    tell: Tell = silent,
) -> list[Exported]:
    """Write all files into a folder, all or none of them; returns them in the order written.

    Files of the folder's export before that this one has not are removed, and `tell` hears of them (see Folder).
    Raises UsageError where the folder cannot be used, DiskFull where it cannot take the files.
    """
    rules = rules or Rules()
    held: dict[Source, Sequence[Tally]] = {}
    found = list(archive.sources())
    sources = newest_complete(found, lambda source: _is_owed(archive, source, held))
    excluded = unchosen(found, sources)
    sets = [(source, held[source] if source in held else archive.tallies(source)) for source in sources]
    simulated = any(source.simulated for source in sources)
    scores = table(sets, rules)
    with Folder(directory, excel_safe, tell) as folder:
        folder.table("variants.csv", VARIANT_COLUMNS, _variant_rows(archive, sources, simulated))
        folder.table("scores.csv", SCORE_COLUMNS, (_values(as_record(row), SCORE_COLUMNS) for row in scores))
        folder.table("responses.csv", RESPONSE_COLUMNS, _response_rows(archive, sources))
        for further in archive.beside(sources, scores, rules):
            if isinstance(further, Table):
                folder.table(further.name, further.columns, further.rows)
            else:
                folder.text(further.name, further.text)
        folder.text(
            "manifest.json",
            manifest_text(
                archive, sources, preset, rules, excel_safe, simulated, excluded, folder.files, owed=list(_owed(sets))
            ),
        )
        folder.replace()
        return folder.files


def _owed(sets: Iterable[tuple[Source, Sequence[Tally]]]) -> Iterator[Record]:
    """The plans of which something is owed: their scores do not follow from the replies alone."""
    for source, rows in sets:
        n_owed = sum(row.n for row in rows if row.status == "owed")
        if n_owed:
            yield {"variant": source.variant, "assessment": source.assessment, "n_owed": n_owed}


def _is_owed(archive: Archive, source: Source, held: dict[Source, Sequence[Tally]]) -> bool:
    held[source] = archive.tallies(source)
    return any(row.status == "owed" for row in held[source])


def unchosen(found: Sequence[Source], chosen: Sequence[Source]) -> list[Record]:
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


_OF_PLAN: Final = ("variant", "assessment", "replicate", "judge", "instrument", "seed", "simulated")


def manifest_text(
    archive: Archive,
    sources: Sequence[Source],
    preset: str,
    rules: Rules,
    excel_safe: bool,
    simulated: bool,
    excluded: Sequence[Record],
    files: Sequence[Exported],
    form: str = "csv",
    **made: object,
) -> str:
    """The manifest of an export, as JSON: what it is of, what was left out and why, and the digest of every file.

    `form` is csv, latex or markdown; `made` is what else it takes to make the same files again.
    """
    manifest = {
        **archive.facts(),
        **made,
        "emaudit": __version__,
        "families": families(),
        "libraries": libraries(),
        "format": form,
        "simulated": simulated,
        "preset": preset,
        "plans": [{name: getattr(source, name) for name in _OF_PLAN} for source in sources],
        "settings": {**asdict(rules), "excel_safe": excel_safe, "replicate": "newest complete, else newest"},
        "excluded": [*archive.excluded(), *excluded],
        "files": {file.name: {"rows": file.n_rows, "sha256": file.sha256} for file in files},
    }
    return json_page(manifest)
