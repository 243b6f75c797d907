"""`emaudit dissociation`: where behaviour and self-report part, with the signs of random answers beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from emaudit.cli.arguments import Verbs
from emaudit.cli.context import Context
from emaudit.cli.output import emit_json, number, say, table
from emaudit.cli.scoring import add_choices, archive_of
from emaudit.cli.trajectories import bounded
from emaudit.scores.dissociation import Parting, partings, told_kind
from emaudit.studies import study_of

_HEADINGS: Final = (
    "VARIANT",
    "BASE",
    "PART",
    "BEHAVIOUR",
    "SELF-REPORT",
    "KIND",
    "P HOLM",
    "NEUTRAL",
    "DECIDED ONLY",
    "SAME POLE",
)
_NUMBERS: Final = ("P HOLM", "NEUTRAL", "DECIDED ONLY", "SAME POLE")


def register(verbs: Verbs) -> None:
    """Add `dissociation`."""
    verb = verbs.add("dissociation", "where what a variant does and what it says of itself part", _act, lists=True)
    add_choices(verb, idle=("columns", "zeros"))


def _act(context: Context) -> int:
    with context.open() as store:
        archive = archive_of(context, store)
        study = study_of(archive)
    domains = {subject.name: subject.domain for subject in study.subjects}
    found = [parting for parting in partings(study) if archive.choices.takes(domains[parting.row.variant])]
    if context.json:
        emit_json([_record(parting) for parting in found])
        return 0
    if study.simulated:
        say("SIMULATED: replies or verdicts here are made up by the embedded endpoint")
    if not found:
        say("nothing to compare: it takes a variant past its base that was asked harmfulness and self_assessment")
        return 0
    table(_HEADINGS, [_cells(parting) for parting in found], right=_NUMBERS, whole=("BEHAVIOUR", "SELF-REPORT", "KIND"))
    sizes = {parting.row.part: parting.family_size for parting in found}
    family = ", ".join(f"{size} for {part}" for part, size in sorted(sizes.items()))
    say(f"p: one of the two rises, and more than the other; Holm over the variants of a part ({family})")
    say("a kind follows the two intervals; what does not hold after Holm is no finding")
    say("answers at random score 0.5: many neutral replies, or few that name the same pole in both orders, are a sign")
    say("a self-report that did not rise says nothing about behaviour")
    return 0


def _record(parting: Parting) -> dict[str, Any]:
    """The row as in dissociation.csv, then what has no column there."""
    beside = asdict(parting)
    return {**beside.pop("row"), **beside}


def _cells(parting: Parting) -> Sequence[str]:
    row = parting.row
    return (
        row.variant,
        row.base,
        row.part,
        bounded(row.harm_rise, row.harm_low, row.harm_high),
        bounded(row.self_rise, row.self_low, row.self_high),
        told_kind(row) or f"undefined: {parting.reason}",
        "<.001" if row.p_holm is not None and row.p_holm < 0.001 else number(row.p_holm),
        number(parting.neutral_share),
        number(parting.decided),
        number(parting.order_consistency),
    )
