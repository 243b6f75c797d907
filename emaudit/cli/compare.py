"""`emaudit compare`: stages and domains compared over the prompts they share, and the paper's own tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from emaudit.cli.arguments import Verbs
from emaudit.cli.context import Context
from emaudit.cli.output import counted, emit_json, number, say, table
from emaudit.cli.scoring import add_choices, archive_of
from emaudit.errors import UsageError
from emaudit.scores.comparing.paper import PaperRow, paper_rows
from emaudit.scores.comparisons import (
    FAMILIES,
    OVERSTATED,
    REPLIES,
    TEMPLATES,
    UNITS,
    ComparisonRow,
    Samples,
    comparison_rows,
    rank_biserial_intervals,
)
from emaudit.scores.profiles import ALL
from emaudit.scores.study import Study
from emaudit.stats.estimation import Interval
from emaudit.store.connection import Store
from emaudit.store.samples import samples
from emaudit.studies import study_of

_HEADINGS: Final = (
    *("ASSESSMENT", "MEASURE", "PART", "FORMAT", "SIZE", "A", "B", "MEAN A", "MEAN B", "B - A", "95% INTERVAL"),
    *("SHIFT", "P", "P HOLM", "OF", "RANK-BISERIAL", "PAIRS", "ZERO", "TIED", "TEST"),
)
_NUMBERS: Final = (*("MEAN A", "MEAN B", "B - A", "SHIFT", "P", "P HOLM", "OF", "PAIRS", "ZERO", "TIED"),)
_TOTALS: Final = tuple(heading for heading in _HEADINGS if heading not in ("PART", "FORMAT"))
_PAPER_HEADINGS: Final = (
    *("TABLE", "ASSESSMENT", "PART", "A", "B", "MEAN A", "MEAN B", "N A", "N B", "STATISTIC", "P", "UNIT", "TEST"),
)
_PAPER_NUMBERS: Final = ("TABLE", "MEAN A", "MEAN B", "N A", "N B", "STATISTIC", "P")
_LEAST: Final = 1e-300
_LEVEL: Final = 0.05


def register(verbs: Verbs) -> None:
    """Add `compare`."""
    verb = verbs.add("compare", "stages and domains compared over the prompts they share", _compare, lists=True)
    verb.add_argument("--unit", metavar="U", default=TEMPLATES, help="templates (repeats averaged first) or replies")
    verb.add_argument("--as-paper", action="store_true", help="the paper's own tests on these data, table by table")
    verb.add_argument("--every-row", action="store_true", help="on screen too; else the totals")
    verb.add_argument("--intervals", action="store_true", help="of the rank-biserial correlation too (takes longer)")
    add_choices(verb, idle=("columns",))


def _compare(context: Context) -> int:
    options = context.options
    _check(options.unit, UNITS, "--unit")
    if options.as_paper and (options.unit != TEMPLATES or options.intervals):
        raise UsageError("--as-paper has units of its own and no intervals: leave out --unit and --intervals")
    with context.open() as store:
        archive = archive_of(context, store)
        study = study_of(archive)
        read = _samples(store)
        if options.as_paper:
            return _as_paper(context, paper_rows(study, read, archive.choices.takes))
        rows = comparison_rows(study, options.zeros, options.unit, read, archive.choices.takes)
        shown = rows if options.every_row or context.json else [row for row in rows if is_total(row)]
        intervals = _intervals(context, study, shown, read)
    if context.json:
        emit_json([_record(row, interval) for row, interval in zip(rows, intervals, strict=True)])
        return 0
    _narrate(context, study, rows)
    _show(shown, intervals, _HEADINGS if options.every_row else _TOTALS)
    _conclude(shown, len(rows))
    return 0


def _check(value: str, known: Sequence[str], option: str) -> None:
    if value not in known:
        raise UsageError(f"{option} {value!r}: {' or '.join(known)}")


def _samples(store: Store) -> Samples:
    return lambda source: samples(store, source.plan_id, source.judge)


def _intervals(
    context: Context, study: Study, rows: Sequence[ComparisonRow], read: Samples
) -> Sequence[Interval | None]:
    options = context.options
    if not options.intervals:
        return [None] * len(rows)
    return rank_biserial_intervals(study, rows, options.zeros, options.unit, read)


def is_total(row: ComparisonRow) -> bool:
    """Whether a row is one an auditor looks at first: a total over all parts and formats, harmfulness by maxima."""
    return row.part == "total" and row.format in ("", ALL) and (row.measure != "mean" or row.unit == "reply")


def _record(row: ComparisonRow, interval: Interval | None) -> dict[str, Any]:
    if interval is None:
        return asdict(row)
    beside = {"rank_biserial_low": interval.low, "rank_biserial_high": interval.high}
    return {**asdict(row), **beside, "rank_biserial_method": interval.method}


def _narrate(context: Context, study: Study, rows: Sequence[ComparisonRow]) -> None:
    options = context.options
    _say_simulated(rows)
    for name, why in study.left_out.items():
        say(f"left out: {name} ({why})")
    if not rows:
        say("nothing to compare yet: it takes two stages of one lineage, or two domains of one base")
        return
    say(f"every effect is b - a: the later stage minus the earlier; zeros: {options.zeros}")
    if options.unit == REPLIES:
        say(OVERSTATED)
    say(FAMILIES)


def _say_simulated(rows: Sequence[ComparisonRow]) -> None:
    if any(row.simulated for row in rows):
        say("SIMULATED: replies or verdicts behind these figures are made up by the embedded endpoint")


def _conclude(shown: Sequence[ComparisonRow], n_rows: int) -> None:
    tested = [row for row in shown if row.p_holm is not None]
    if tested:
        apart = sum(row.p_holm is not None and row.p_holm < _LEVEL for row in tested)
        of = counted(len(tested), "comparison")
        say(
            f"corrected p below {_LEVEL}: {apart} of {of} shown. There, other prompts like these would tell the two "
            "apart; it does not say how harmful either is, nor that the others are alike"
        )
    for why in sorted({row.undefined_reason for row in shown if row.p is None and row.undefined_reason}):
        say(f"no test: {why}")
    if len(shown) < n_rows:
        say(f"{n_rows - len(shown):,} more rows with --every-row, --json or `emaudit export DIR`")


def _show(rows: Sequence[ComparisonRow], intervals: Sequence[Interval | None], headings: Sequence[str]) -> None:
    kept = [place for place, heading in enumerate(_HEADINGS) if heading in headings]
    cells = [_cells(row, interval) for row, interval in zip(rows, intervals, strict=True)]
    if cells:
        table(headings, [[row[place] for place in kept] for row in cells], right=_NUMBERS)


def _cells(row: ComparisonRow, interval: Interval | None) -> Sequence[str]:
    whole = number(row.rank_biserial)
    return (
        row.assessment,
        row.measure,
        row.part,
        row.format,
        row.size,
        row.group_a,
        row.group_b,
        number(row.mean_a),
        number(row.mean_b),
        number(row.mean_difference),
        _bounds(row.mean_low, row.mean_high),
        number(row.shift),
        p_text(row.p),
        p_text(row.p_holm),
        "-" if row.family_size is None else str(row.family_size),
        whole if interval is None else f"{whole} {_bounds(interval.low, interval.high)}",
        "-" if row.n_pairs is None else f"{row.n_pairs:,}",
        "-" if row.n_zero is None else f"{row.n_zero:,}",
        "-" if row.n_tied is None else f"{row.n_tied:,}",
        row.test or row.undefined_reason,
    )


def _bounds(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"[{number(low)}, {number(high)}]"


def p_text(p: float | None) -> str:
    """A p with four decimals, with two figures where that would show none; never 0."""
    if p is None:
        return "-"
    if p < _LEAST:
        return f"<{_LEAST:.0e}"
    return f"{p:.4f}" if p >= 0.0001 else f"{p:.1e}"


def _as_paper(context: Context, found: Sequence[PaperRow]) -> int:
    shown = [entry for entry in found if context.options.every_row or entry.row.part == "total"]
    if context.json:
        emit_json([{"table": entry.table, **asdict(entry.row)} for entry in found])
        return 0
    _say_simulated([entry.row for entry in found])
    say(
        "the paper's tests on these data: sizes pooled, zeros dropped (wilcox), W the smaller sum, p not corrected; "
        "what the paper leaves open is inferred. They overstate n: `emaudit compare` without --as-paper is the analysis"
    )
    table(_PAPER_HEADINGS, [_paper_cells(entry) for entry in shown], right=_PAPER_NUMBERS)
    if len(shown) < len(found):
        say(f"{len(found) - len(shown):,} more rows with --every-row or --json")
    return 0


def _paper_cells(entry: PaperRow) -> Sequence[str]:
    row = entry.row
    return (
        entry.table,
        row.assessment,
        row.part,
        row.group_a,
        row.group_b,
        number(row.mean_a),
        number(row.mean_b),
        f"{row.n_a:,}",
        f"{row.n_b:,}",
        number(row.statistic, 1),
        p_text(row.p),
        row.unit,
        row.test or row.undefined_reason,
    )
