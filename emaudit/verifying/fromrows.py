"""What the rows of an export come to by themselves: its scores and analyses again, from responses.csv, without a store.

What the rows do not say is left to the store: what is owed of a plan, which its scores are bounded by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from emaudit.analyses import Analyses
from emaudit.choices import Choices
from emaudit.errors import BadInput
from emaudit.export import Page, Table
from emaudit.folder import cell_text, unguarded
from emaudit.problems import Problem
from emaudit.scores import COLUMNS, Rules, Score, Source, as_record, table
from emaudit.scores.study import Study, Subject
from emaudit.scores.summary import summarised
from emaudit.store.readings import Read, Tally, counted
from emaudit.verifying.cells import differences, read_rows
from emaudit.verifying.report import Tell

SOURCE: Final = "a computation from responses.csv"
EVERY: Final = 20_000

Plan = tuple[str, str]
"""(variant, assessment)."""
Known = Callable[[Sequence[str]], bool]


class FromRows:
    """An export as its own rows have it. Raises BadInput where they, or the manifest, cannot be read."""

    def __init__(self, directory: Path, manifest: Mapping[str, Any], tell: Tell) -> None:
        self.directory = directory
        self.manifest = manifest
        self.tell = tell
        settings = manifest.get("settings", {})
        known = {field.name for field in fields(Rules)}
        self.rules = Rules(**{name: value for name, value in settings.items() if name in known})
        self.excel_safe = bool(settings.get("excel_safe"))
        self.choices = Choices.recorded(manifest.get("chosen", {}))
        self.owed = {(row["variant"], row["assessment"]) for row in manifest.get("owed", [])}
        self.variants = {row["variant"]: row for row in self._records("variants.csv")}
        self.sources = self._sources()

    def _records(self, name: str) -> Iterator[dict[str, str]]:
        rows = read_rows(self.directory / name)
        header = next(rows, [])
        for number, row in enumerate(rows, 2):
            if len(row) != len(header):
                raise BadInput(name, f"{len(row)} cells under {len(header)} columns", number)
            yield dict(zip(header, map(unguarded, row) if self.excel_safe else row, strict=True))

    def _sources(self) -> dict[Plan, Source]:
        found: dict[Plan, Source] = {}
        for plan in self.manifest.get("plans", []):
            row = self.variants.get(plan["variant"], {})
            found[plan["variant"], plan["assessment"]] = Source(
                variant=plan["variant"],
                size=row.get("size", ""),
                domain=row.get("domain", ""),
                stage=row.get("stage", ""),
                preset=self.manifest["preset"],
                replicate=plan["replicate"],
                assessment=plan["assessment"],
                judge=plan["judge"],
                instrument=plan["instrument"],
                simulated=plan["simulated"],
                seed=plan["seed"],
            )
        return found

    def problems(self, most: int) -> Iterator[Problem]:
        """Every derived cell that does not follow from the rows."""
        counts: dict[Plan, Counter[Read]] = {plan: Counter() for plan in self.sources}
        yield from self._count(counts)
        sets = [(source, counted(counts[plan])) for plan, source in self.sources.items()]
        scores = table(sets, self.rules)
        yield from self._scores(scores, most)
        if self.owed:
            return
        self.tell("computing the analyses from responses.csv")
        for made in Analyses(self._study(sets), self.choices).files(scores, self.manifest.get("voided", [])):
            if made.name in self.manifest.get("files", {}):
                yield from self._table(made, most) if isinstance(made, Table) else self._page(made)

    def _count(self, counts: Mapping[Plan, Counter[Read]]) -> Iterator[Problem]:
        """Count the replies of every plan; yields the rows that no plan of the manifest asks for."""
        for number, row in enumerate(self._records("responses.csv"), 1):
            if number % EVERY == 0:
                self.tell(f"{number:,} rows of responses.csv read")
            plan = row["variant"], row["assessment"]
            if plan not in counts or int(row["replicate"]) != self.sources[plan].replicate:
                where = f"variant={plan[0]} replicate={row['replicate']} assessment={plan[1]}"
                yield Problem("responses.csv", f"row {number}, {where}", "", "is of no plan in the manifest")
                continue
            counts[plan][_reading(row)] += 1

    def _scores(self, scores: Sequence[Score], most: int) -> Iterator[Problem]:
        unknown = {assessment for _, assessment in self.owed}
        places = COLUMNS.index("variant"), COLUMNS.index("assessment")

        def is_known(row: Sequence[str]) -> bool:
            variant, assessment = row[places[0]], row[places[1]]
            return (variant, assessment) not in self.owed and (bool(variant) or assessment not in unknown)

        rows = (self._cells(as_record(score).values()) for score in scores)
        yield from self._held("scores.csv", COLUMNS, filter(is_known, rows), most, is_known)

    def _table(self, made: Table, most: int) -> Iterator[Problem]:
        yield from self._held(made.name, made.columns, map(self._cells, made.rows), most)

    def _held(
        self, name: str, columns: Sequence[str], expected: Iterable[list[str]], most: int, is_known: Known | None = None
    ) -> Iterator[Problem]:
        rows = read_rows(self.directory / name)
        if tuple(next(rows, [])) != tuple(columns):
            return
        yield from differences(name, columns, filter(is_known, rows) if is_known else rows, expected, SOURCE, most)

    def _page(self, made: Page) -> Iterator[Problem]:
        held = (self.directory / made.name).read_text(encoding="utf-8")
        if held != made.text:
            yield Problem(made.name, "", "", f"is not what {SOURCE} gives")

    def _cells(self, values: Iterable[object]) -> list[str]:
        return [cell_text(value, self.excel_safe) for value in values]

    def _study(self, sets: Sequence[tuple[Source, Sequence[Tally]]]) -> Study:
        subjects = sorted(
            (
                Subject(name, row["size"], row["domain"], row["stage"], row["parent"])
                for name, row in self.variants.items()
            ),
            key=lambda subject: subject.name,
        )
        rows = [row for row in self.manifest["excluded"] if "assessment" not in row]
        left_out = {row["variant"]: row["why"] for row in rows}
        outside = tuple(Subject(row["variant"], "", row.get("domain", ""), row.get("stage", ""), "") for row in rows)
        summaries = {(s.variant, s.assessment): summarised(s, rows, self.rules) for s, rows in sets}
        leading = self.manifest.get("leading_judge", "")
        return Study(self.manifest["preset"], tuple(subjects), summaries, self.rules, left_out, leading, outside)


def _reading(row: Mapping[str, str]) -> Read:
    status, _, reason = row["score_status"].partition(": ")
    return (
        *(row["item"], row["category_or_dimension"], row["format"], row["condition"], row["outcome"], status),
        *(float(row["score"]) if row["score"] else None, reason, row["scored_by"]),
    )
