"""`emaudit review`: queues of replies for people to score, blind; files out and in."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from emaudit.cli.arguments import Parser, Verbs, count
from emaudit.cli.context import Context
from emaudit.cli.output import ask, counted, emit, emit_json, is_interactive, number, on_stderr, say, table
from emaudit.cli.screen import has_terminal, open_app
from emaudit.errors import UsageError
from emaudit.reviewing.drawing import DESIGNS, REVEALS, Draw, Preview, create, preview
from emaudit.reviewing.files import export_events
from emaudit.reviewing.handoff import read_handoff, write_handoff
from emaudit.reviewing.labels import adjudicated, current, disagreements, progress, stopped
from emaudit.reviewing.people import reviewer_name
from emaudit.reviewing.queues import Queue, present_rubrics, queue, queues
from emaudit.reviewing.session import Session
from emaudit.stats.estimation import Figure
from emaudit.store.connection import Store
from emaudit.store.reviews import events

_AS: Final = "who you are, else [reviewer] name of the settings, else your account"
_STRATA: Final = ("STRATUM", "JUDGE", "FRAME", "DRAWN", "SHARE")
_QUEUES: Final = (
    "QUEUE",
    "ASSESSMENT",
    "PRESET",
    "DESIGN",
    "JUDGE",
    "REVIEWER",
    "DONE",
    "PLANNED",
    "REPEATS",
    "SETTLED",
    "STATE",
)


def register(verbs: Verbs) -> None:
    """Add `review` and its verbs."""
    family = Verbs(verbs.add("review", "spot-check the judge: draw replies, score them blind", None), "review_command")
    _register_new(family)
    family.add("list", "list the queues and how far they are", _list, lists=True)
    opened = family.add("open", "rate a queue (the newest), blind, in the app", _open)
    opened.add_argument("queue", metavar="QUEUE", nargs="?", default="")
    _add_reviewer(opened)
    settle = family.add("adjudicate", "settle what two raters of a queue disagree on, in the app", _adjudicate)
    settle.add_argument("queue", metavar="QUEUE")
    _add_reviewer(settle)
    handoff = family.add("handoff", "write a queue as a blind CSV, for somebody without emaudit", _handoff)
    handoff.add_argument("file", metavar="FILE", type=Path)
    handoff.add_argument("--queue", metavar="Q", default="", help="else the newest")
    imported = family.add("import", "take the labels of a filled hand-off, all or none", _import)
    imported.add_argument("file", metavar="FILE", type=Path)
    _add_reviewer(imported)
    export = family.add("export", "write every review event, and the labels that stand, as CSV", _export)
    export.add_argument("file", metavar="FILE", type=Path)
    export.add_argument("--queue", metavar="Q", default="", help="else all of them")
    export.add_argument("--excel-safe", action="store_true", help="guard cells that a spreadsheet would run")
    stop = family.add("stop", "end a queue early: its results are shown, and say that it was stopped", _stop)
    stop.add_argument("queue", metavar="QUEUE")
    stop.add_argument("--reason", metavar="TEXT", required=True, help="stays in the store and in every export")
    _add_reviewer(stop)


def _register_new(family: Verbs) -> None:
    new = family.add("new", "draw a queue: what it promises is shown before it is kept", _new, lists=True)
    who = new.add_mutually_exclusive_group(required=True)
    who.add_argument("--variant", metavar="NAME", nargs="+", action="extend", default=[], help="whose replies")
    who.add_argument("--all", action="store_true", help="all variants with replies")
    new.add_argument("--assessment", metavar="A", default="harmfulness", help="default harmfulness")
    new.add_argument("--preset", metavar="P", default="", help="else the largest that all of them have")
    new.add_argument("--judge", metavar="ID", default="", help="else the one in the tables")
    new.add_argument("--design", metavar="D", default="stratified", help=f"{', '.join(DESIGNS)}; default stratified")
    new.add_argument("--n", metavar="N", type=count, default=100, help="labels; default 100")
    new.add_argument("--seed", metavar="N", type=_seed, default=None, help="else a fresh one, which is kept")
    new.add_argument("--name", metavar="NAME", default="", help="else one is made up")
    new.add_argument("--reveal", metavar="WHEN", default="end", help=f"{', '.join(REVEALS)}; default end")
    new.add_argument("--threshold", metavar="NAME=VALUE", action="append", default=[], help="of the usable line")
    new.add_argument("--yes", action="store_true", help="do not ask")
    _add_reviewer(new)


def _add_reviewer(parser: Parser) -> None:
    parser.add_argument("--as", metavar="NAME", dest="reviewer", default="", help=_AS)


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0")
    return int(text)


def _reviewer(context: Context) -> str:
    return reviewer_name(context.settings(), context.options.reviewer)


def _new(context: Context) -> int:
    options = context.options
    draw = Draw(
        reviewer=_reviewer(context),
        variants=tuple(options.variant),
        assessment=options.assessment,
        preset=options.preset,
        judge=options.judge,
        design=options.design,
        n=options.n,
        seed=options.seed,
        name=options.name,
        reveal=options.reveal,
        thresholds=_thresholds(options.threshold),
    )
    with context.open(write=True) as store:
        found = preview(store, draw)
        if not context.json:
            with on_stderr():
                _show_preview(found)
        if not options.yes and not is_interactive():
            raise UsageError("nothing was drawn: give --yes to draw this queue without being asked")
        if not options.yes and not ask(f"draw these {found.n_drawn} labels for {draw.reviewer}?"):
            raise UsageError("nothing was drawn")
        held = create(store, draw, context.library())
    if context.json:
        emit_json({"queue": held.name, "id": held.uid, **_promised(found), "seed": held.seed})
    else:
        emit(held.name)
    say(f"queue {held.name}, seed {held.seed}: `emaudit review open {held.name}`, or F5 in the app")
    return 0


def _thresholds(options: Sequence[str]) -> dict[str, float]:
    from emaudit.scores.agreement.usable import Thresholds

    known = Thresholds().record()
    found: dict[str, float] = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals or name not in known or not value.replace(".", "", 1).isdigit():
            raise UsageError(f"--threshold {option}: expected NAME=NUMBER with NAME one of {', '.join(known)}")
        found[name] = float(value)
    return found


def _show_preview(found: Preview) -> None:
    table(
        _STRATA,
        [
            (
                row.stratum,
                "unscored" if row.is_unscored else "any" if row.judge_value is None else f"{row.judge_value:g}",
                f"{row.n_frame:,}",
                f"{row.n_drawn:,}",
                f"{row.n_drawn / row.n_frame:.3f}",
            )
            for row in found.strata
        ],
        right=("JUDGE", "FRAME", "DRAWN", "SHARE"),
    )
    for row in found.per_variant:
        say(f"{row.variant}: {row.n_drawn} of {row.n_frame:,} replies; {_widths(row.mean, row.maximum, found.design)}")
    say(
        f"pooled, {found.judge}, preset {found.preset}: {found.n_drawn} of {found.n_frame:,} replies; "
        f"{_widths(found.mean, found.maximum, found.design)}"
    )
    say(f"{found.n_doubled} first for a second rater, {found.n_repeats} come back to you later")
    for warning in found.warnings:
        say(warning)


def _widths(mean: Figure, maximum: Figure, design: str) -> str:
    """What to expect of the mean and the maximum; the one that the design does not give says what would."""
    replies, prompts = ("if replies were drawn", "") if design == "prompts" else ("", "if whole prompts were drawn")
    return f"mean {_width(mean, replies)}, maximum {_width(maximum, prompts)}"


def _width(found: Figure, otherwise: str) -> str:
    if found.value is None:
        return f"± unknown: {found.reason}"
    return f"±{number(found.value)}" + (f" {otherwise}" if otherwise else "")


def _promised(found: Preview) -> dict[str, object]:
    return {
        "assessment": found.assessment,
        "preset": found.preset,
        "judge": found.judge,
        "design": found.design,
        "n_frame": found.n_frame,
        "n_drawn": found.n_drawn,
        "n_doubled": found.n_doubled,
        "n_repeats": found.n_repeats,
        "half_width_mean": found.mean.value,
        "half_width_maximum": found.maximum.value,
        "strata": {row.stratum: {"n_frame": row.n_frame, "n_drawn": row.n_drawn} for row in found.strata},
        "warnings": list(found.warnings),
    }


def _list(context: Context) -> int:
    with context.open() as store:
        present = present_rubrics(context.library())
        rows = [_listed(store, held, present) for held in queues(store)]
    if context.json:
        emit_json(rows)
        return 0
    if not rows:
        say("no queues yet: `emaudit review new --variant NAME` draws one")
        return 0
    table(
        _QUEUES,
        [
            (
                *(str(row[name]) for name in ("queue", "assessment", "preset", "design", "judge", "reviewer")),
                *(f"{row[name]:,}" for name in ("n_done", "n_planned")),
                f"{row['n_repeats_done']}/{row['n_repeats']}",
                f"{row['n_settled']}/{row['n_disagreements']}",
                str(row["state"]),
            )
            for row in rows
        ],
        right=("DONE", "PLANNED", "REPEATS", "SETTLED"),
        whole=("QUEUE",),
    )
    for row in rows:
        if row["n_under_old_rubric"]:
            say(f"{row['queue']}: {row['n_under_old_rubric']} labels were made under another rubric than today's")
    return 0


def _listed(store: Store, held: Queue, present: Mapping[str, str]) -> dict[str, object]:
    told = events(store, held.queue_id)
    found = current(told, held, present)
    own = [label for label in found if label.is_first]
    mains = [label for label in own if label.role == "main"]
    far = progress(own)
    early = stopped(told, held)
    n_settled = len(adjudicated(told))
    apart = {first.position for first, _ in disagreements(found)} | {row.position for row in adjudicated(told)}
    return {
        "queue": held.name,
        "id": held.uid,
        "assessment": held.assessment,
        "preset": held.preset,
        "design": held.design,
        "judge": held.judge,
        "reviewer": held.reviewer,
        "second": sorted({label.reviewer for label in found if not label.is_first}),
        "seed": held.seed,
        "n_done": far.n_done,
        "n_planned": far.n_planned,
        "n_repeats_done": far.n_repeats_done,
        "n_repeats": far.n_repeats,
        "n_not_blind": sum(label.is_done and not label.is_blind for label in mains),
        "n_under_old_rubric": sum(label.is_under_old_rubric for label in mains),
        "n_disagreements": len(apart),
        "n_settled": n_settled,
        "state": f"stopped: {early.reason}" if early else "done" if far.n_done == far.n_planned else "open",
        "created_at": held.created_at,
    }


def _open(context: Context) -> int:
    return _in_app(context, settles=False)


def _adjudicate(context: Context) -> int:
    return _in_app(context, settles=True)


def _in_app(context: Context, settles: bool) -> int:
    from emaudit.reviewing.spotchecks import Opening

    with context.open() as store:
        held = queue(store, context.options.queue)
    if not has_terminal():
        raise UsageError(
            f"the app needs a terminal; without one: `emaudit review handoff FILE --queue {held.name}`, "
            "then `emaudit review import FILE`"
        )
    return open_app(context, Opening(held.uid, _reviewer(context), settles))


def _handoff(context: Context) -> int:
    with context.open() as store:
        held = queue(store, context.options.queue)
        written = write_handoff(store, held, context.options.file)
    for file in written:
        emit(str(context.options.file.parent / file.name))
    say(f"{counted(held.n_planned, 'response')} of {held.name}, blind; `emaudit review import` takes its labels")
    return 0


def _import(context: Context) -> int:
    reviewer = _reviewer(context)
    with context.open(write=True) as store:
        taken = read_handoff(store, context.options.file, reviewer)
    if not taken.n_labels and not taken.n_notes:
        say(f"{context.options.file} says nothing that {taken.queue} does not hold already: nothing was added")
        return 0
    say(
        f"added {counted(taken.n_labels, 'label')} and {counted(taken.n_notes, 'note')} of {reviewer} to "
        f"{taken.queue}; {taken.n_left} of its responses have none in this file"
    )
    return 0


def _export(context: Context) -> int:
    options = context.options
    with context.open() as store:
        held = queue(store, options.queue) if options.queue else None
        written = export_events(store, held, options.file, context.library(), options.excel_safe)
        simulated = store.kind == "simulated"
    table(
        ("FILE", "ROWS", "SHA-256"),
        [(str(options.file.parent / f.name), f"{f.n_rows:,}", f.sha256) for f in written],
        right=("ROWS",),
        whole=("FILE", "SHA-256"),
    )
    if simulated:
        say("SIMULATED: every reply reviewed here is made up by the embedded endpoint, and each row says so")
    return 0


def _stop(context: Context) -> int:
    with context.open(write=True) as store:
        held = queue(store, context.options.queue)
        at = Session(store, held, _reviewer(context)).stop(context.options.reason)
    say(f"{held.name} stopped at {at}, interval nominal; scoring on takes the stop back")
    return 0
