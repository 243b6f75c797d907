"""`emaudit trajectories`: the rise that misalignment induced, the share that realignment undid, lineage by lineage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from emaudit.analyses import Analyses
from emaudit.cli.arguments import Verbs
from emaudit.cli.context import Context
from emaudit.cli.output import counted, emit_json, number, say, table
from emaudit.cli.scoring import add_choices, archive_of
from emaudit.scores.trajectories import TrajectoryRow, exceptions, followed, is_clear, passed_over, shape_of
from emaudit.stats.trajectory import INVERTED_V
from emaudit.studies import study_of

_HEADINGS: Final = (
    "LINEAGE",
    "ASSESSMENT",
    "PART",
    "BASE",
    "MISALIGNED",
    "REALIGNED",
    "INDUCED",
    "REVERSED",
    "SHAPE",
)
_NUMBERS: Final = ("BASE", "MISALIGNED", "REALIGNED")


def register(verbs: Verbs) -> None:
    """Add `trajectories`."""
    verb = verbs.add(
        "trajectories", "base to misaligned to realigned: what was induced, and the share undone", _act, lists=True
    )
    verb.add_argument("--every-part", action="store_true", help="on screen too; else totals and `harmless`")
    add_choices(verb, idle=("columns", "zeros"))


def _act(context: Context) -> int:
    with context.open() as store:
        archive = archive_of(context, store)
        study = study_of(archive)
    rows = Analyses(study, archive.choices).trajectories
    if context.json:
        emit_json([asdict(row) for row in rows])
        return 0
    if study.simulated:
        say("SIMULATED: replies or verdicts here are made up by the embedded endpoint")
    shown = [row for row in rows if context.options.every_part or row.part in ("total", "harmless")]
    others = [f"in no lineage: {line}" for line in passed_over(study, archive.choices.takes)]
    if not rows:
        say("no lineage here: it takes a variant of stage misaligned (`emaudit variant set NAME stage=misaligned`)")
        for line in others:
            say(line)
        return 0
    table(_HEADINGS, [_cells(row) for row in shown], right=_NUMBERS, whole=("INDUCED", "REVERSED"))
    for line in (*_reasons(shown), *summary(rows), *others):
        say(line)
    if len(shown) < len(rows):
        say(f"{len(rows) - len(shown):,} more rows with --every-part, --json or `emaudit export DIR`")
    return 0


def _cells(row: TrajectoryRow) -> Sequence[str]:
    return (
        row.lineage,
        row.assessment,
        row.part,
        number(row.base),
        number(row.misaligned),
        number(row.realigned),
        bounded(row.induced, row.induced_low, row.induced_high),
        bounded(row.reversed, row.reversed_low, row.reversed_high),
        _shape(row),
    )


def _shape(row: TrajectoryRow) -> str:
    found = shape_of(row)
    if not found:
        return "-"
    return found if found != INVERTED_V or is_clear(row) else f"{found}, within error"


def _reasons(rows: Sequence[TrajectoryRow]) -> list[str]:
    """Why cells are empty, each reason once for a lineage, with how many of its rows it is of."""
    held = Counter((row.lineage, row.undefined_reason) for row in rows if row.undefined_reason)
    return [f"{lineage}, {counted(n, 'row')}: {why}" for (lineage, why), n in held.items()]


def bounded(value: float | None, low: float | None, high: float | None) -> str:
    """`+0.366 [+0.275, +0.456]`, without bounds where there are none, a dash where there is no value."""
    if value is None:
        return "-"
    return f"{value:+.3f}" + ("" if low is None or high is None else f" [{low:+.3f}, {high:+.3f}]")


def summary(rows: Sequence[TrajectoryRow]) -> list[str]:
    """How many lineages form an inverted V, which do not, and what is not told by it."""
    told = followed(rows)
    if not told:
        return ["no lineage has all three stages yet: an inverted V takes base, misaligned and realigned"]
    held = [row for row in told if shape_of(row) == INVERTED_V]
    first = (
        f"inverted V (up, then down) in {len(held)} of {counted(len(told), 'trajectory')} of total harmfulness, "
        f"intentions and self-assessment; in {sum(map(is_clear, held))} beyond the error of the prompts"
    )
    return [first, *(f"exception: {line}" for line in exceptions(rows))]
