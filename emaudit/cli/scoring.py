"""`emaudit scores` and `export`: the score table on screen or as JSON, and the files of an export."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from emaudit.archive import StoreArchive, presets, scored
from emaudit.choices import Choices, known_columns, known_zeros, parse_exclusions, parse_moment
from emaudit.cli.arguments import Parser, Verbs, count
from emaudit.cli.context import Context
from emaudit.cli.output import emit_json, number, say, table
from emaudit.errors import UsageError
from emaudit.export import export_csv
from emaudit.publishing import FORMATS as PAGES
from emaudit.publishing import Written, check_folder, export_pages
from emaudit.reference import PAPER
from emaudit.scores import Score, as_record
from emaudit.scores.pairing import EVERY
from emaudit.stats.signedrank import PRATT
from emaudit.store.connection import Store
from emaudit.store.horizon import Horizon, looking, newest_rows

_HEADINGS: Final = (
    "VARIANT",
    "ASSESSMENT",
    "MEASURE",
    "PART",
    "FORMAT",
    "VALUE",
    "95% INTERVAL",
    "USED",
    "COMPLETE",
    "JUDGE",
)


def register(verbs: Verbs) -> None:
    """Add `scores` and `export`."""
    scores = verbs.add(
        "scores", "the scores of every variant, with intervals and what they stand on", _scores, lists=True
    )
    scores.add_argument("--every-measure", action="store_true", help="on screen too; else the totals of the headlines")
    add_choices(scores, idle=("columns", "zeros"))
    export = verbs.add("export", "write the scores, the replies, what people say of the judge, and a manifest", _export)
    export.add_argument("directory", metavar="DIR", type=_directory)
    export.add_argument("--format", metavar="F", default="csv", help="csv, latex or markdown: the paper's tables")
    export.add_argument("--reference", metavar="R", default="", help="paper: published values beside, in its tables")
    export.add_argument("--excel-safe", action="store_true", help="guard cells that a spreadsheet would run")
    add_choices(export)


def _directory(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("an empty name is no folder")
    return Path(text)


def add_choices(parser: Parser, idle: Sequence[str] = ()) -> None:
    """The options that say what a table is of; all tables take all, those that `idle` names change nothing here."""
    parser.set_defaults(idle=tuple(idle))
    unused = dict.fromkeys(idle, " (changes nothing here)")
    group = parser.add_argument_group("of what")
    group.add_argument("--preset", metavar="P", default="", help="else the largest there is")
    group.add_argument("--judge", metavar="ID", default="", help="else the active judge")
    group.add_argument("--replicate", metavar="N", type=count, default=0, help="else the newest complete one")
    group.add_argument("--exclude", metavar="FIELD=VALUE", action="append", default=[], help="leave variants out")
    group.add_argument("--as-of", metavar="DATE", type=parse_moment, help="later rows as if not there (UTC)")
    group.add_argument(
        "--columns", metavar="C", type=known_columns, help=f"correlations: harmless or total{unused.get('columns', '')}"
    )
    group.add_argument(
        "--subset", metavar="S", default="", help=f"all, or a domain: with the bases{unused.get('subset', '')}"
    )
    rules = f"of the signed-rank test: pratt or wilcox{unused.get('zeros', '')}"
    group.add_argument("--zeros", metavar="Z", type=known_zeros, default=PRATT, help=rules)


def choices_of(options: Namespace) -> Choices:
    """What the options choose; the preset may be left open. Raises UsageError."""
    return Choices(
        preset=options.preset,
        judge=options.judge,
        replicate=options.replicate,
        exclude=parse_exclusions(options.exclude),
        as_of=options.as_of or "",
        columns=options.columns or "",
        subset=options.subset,
        zeros=options.zeros,
    )


def archive_of(context: Context, store: Store) -> StoreArchive:
    """The store as the options choose it. Raises UsageError listing what there is in place of what there is not."""
    options = context.options
    choices = choices_of(options)
    held = presets(store)
    if not held and choices.as_of:
        raise UsageError(f"nothing to show as of {choices.as_of}: the store began later")
    if not held:
        raise UsageError("nothing to show yet: `emaudit run NAME` asks a variant, `emaudit import` brings replies")
    if options.preset and options.preset not in held:
        raise UsageError(f"no plans of preset {options.preset!r}; there are: {', '.join(held)}")
    chosen = options.preset or held[0]
    if not options.preset and len(held) > 1:
        say(f"preset {chosen}; there are also {', '.join(held[1:])}: choose with --preset")
    archive = StoreArchive.chosen(store, replace(choices, preset=chosen))
    archive.check()
    domains = sorted({row.domain for row in archive.rows} - {""})
    if choices.subset not in ("", EVERY, *domains):
        raise UsageError(f"--subset {choices.subset!r}: {', '.join((EVERY, *domains))}")
    for name in options.idle:
        if getattr(choices, name) not in ("", PRATT):
            say(f"--{name} changes nothing in this table")
    if archive.choices.told():
        say(f"chosen: {', '.join(archive.choices.told())}")
    return archive


def _scores(context: Context) -> int:
    with context.open() as store:
        archive = archive_of(context, store)
        rows = [row for row in scored(archive) if not row.domain or archive.choices.takes(row.domain)]
        simulated = store.kind == "simulated"
        labels = archive.labels()
    if context.json:
        emit_json(rows, as_record)
        return 0
    if simulated:
        say("SIMULATED: every reply here is made up by the embedded endpoint")
    elif any(row.simulated for row in rows):
        judges = ", ".join(sorted({row.judge for row in rows if row.simulated}))
        say(f"SIMULATED: the replies are real, the verdicts of {judges} are those of a simulated judge")
    shown = rows if context.options.every_measure else [row for row in rows if is_headline(row)]
    show(shown)
    for label in sorted(labels):
        say(f"moral foundations are measured with {label}")
    if len(shown) < len(rows):
        say(f"{len(rows) - len(shown):,} more rows with --every-measure, --json or `emaudit export DIR`")
    return 0


def is_headline(row: Score) -> bool:
    """Whether a score is one an auditor looks at first: a total, or a foundation, of a variant."""
    if not row.variant:
        return False
    if row.assessment == "moral_foundations":
        return row.measure == "norm"
    first = {"harmfulness": "max10", "moral_self_assessment": "second_pole"}.get(row.assessment, "misaligned")
    return row.part == "total" and row.measure == first and row.format in {"", "all"}


def show(rows: Iterable[Score]) -> None:
    """Print scores as a table."""
    table(_HEADINGS, [_cells(row) for row in rows], right=("VALUE", "USED"))


def _cells(row: Score) -> Sequence[str]:
    return (
        row.variant or f"({row.size} {row.domain} {row.stage})".replace("  ", " "),
        row.assessment,
        row.measure,
        row.part,
        row.format,
        number(row.value),
        interval(row),
        f"{row.n_used:,}/{row.n_expected:,}",
        "yes" if row.complete else "no",
        row.judge,
    )


def interval(row: Score) -> str:
    """`[0.101, 0.164]`, or what stands in its place."""
    if row.ci_low is None or row.ci_high is None:
        return "-" if row.value is not None else row.ci_method
    few = " few templates" if "few templates" in row.ci_method else ""
    return f"[{number(row.ci_low)}, {number(row.ci_high)}]{few}"


def _export(context: Context) -> int:
    options = context.options
    if options.format not in ("csv", *PAGES):
        raise UsageError(f"no format {options.format!r}; known: csv, {', '.join(PAGES)}")
    if options.reference not in ("", PAPER):
        raise UsageError(f"no reference {options.reference!r}; known: {PAPER}")
    if options.format == "csv" and options.reference:
        raise UsageError(
            "--reference is for the tables of --format latex or markdown: a CSV holds one's own values alone"
        )
    if options.format != "csv" and options.excel_safe:
        raise UsageError(f"--excel-safe guards the cells of a CSV; --format {options.format} needs no guard")
    check_folder(options.directory, options.format)
    with context.open() as store:
        archive = archive_of(context, store)
        with looking(store, Horizon(options.as_of or "", newest_rows(store))):
            if options.format == "csv":
                written = export_csv(
                    archive, options.directory, archive.preset, excel_safe=options.excel_safe, tell=say
                )
            else:
                reference = bool(options.reference)
                pages = export_pages(archive, options.directory, options.format, reference=reference, tell=say)
        simulated = store.kind == "simulated"
    if options.format != "csv":
        _show_pages(options.directory, pages, simulated)
        return 0
    table(
        ("FILE", "ROWS", "SHA-256"),
        [(str(options.directory / f.name), f"{f.n_rows:,}", f.sha256) for f in written],
        right=("ROWS",),
        whole=("FILE", "SHA-256"),
    )
    if simulated:
        say("SIMULATED: every reply in these files is made up by the embedded endpoint, and each row says so")
    return 0


def _show_pages(directory: Path, pages: Written, simulated: bool) -> None:
    """List the pages of an export with what each holds, and say what could not be made."""
    table(
        ("FILE", "HOLDS", "SHA-256"),
        [(str(directory / f.name), pages.holds[f.name], f.sha256) for f in pages.files],
        whole=("FILE", "HOLDS", "SHA-256"),
    )
    for left_out in pages.left_out:
        say(left_out)
    if simulated:
        say("SIMULATED: every number in these tables is of replies that the embedded endpoint made up; each says so")
