"""`emaudit agreement`: the judge beside people, beside other judges and beside itself, and the methods page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from emaudit.archive import newest
from emaudit.cli.arguments import Verbs
from emaudit.cli.context import Context
from emaudit.cli.output import emit, emit_json, say, table
from emaudit.cli.scoring import add_choices, archive_of
from emaudit.methods import methods_page
from emaudit.scores.agreement import Dashboard, Section, dashboard, sections, verdict_section
from emaudit.scores.agreement.rows import AgreementRow
from emaudit.store.connection import Store
from emaudit.store.queues import Queue, queue, queues


def register(verbs: Verbs) -> None:
    """Add `agreement`."""
    verb = verbs.add("agreement", "the judge beside people, other judges and itself", _agreement, lists=True)
    verb.add_argument("--queue", metavar="Q", default="", help="one spot-check alone")
    verb.add_argument("--methods", action="store_true", help="the methods page instead: what was done, in words")
    add_choices(verb, idle=("columns", "subset", "zeros"))


def _agreement(context: Context) -> int:
    options = context.options
    with context.open() as store:
        chosen = queue(store, options.queue) if options.queue else None
        if chosen is not None and not options.preset:
            options.preset = chosen.preset
        archive = archive_of(context, store)
        evidence = archive.evidence(list(newest(archive)))
        if options.methods:
            emit(methods_page(store, archive.preset, evidence.plans, evidence.judge).rstrip("\n"))
            return 0
        held = _queues(store, archive.preset, chosen)
        boards = [dashboard(store, queued, options.judge, evidence.checks) for queued in held]
        rows = [found.row for found in evidence.tables]
        simulated = store.kind == "simulated" or any(row.simulated for row in rows)
    if context.json:
        emit_json(_record(boards, rows, chosen))
        return 0
    if simulated:
        say("SIMULATED: replies or verdicts here are made up by the embedded endpoint")
    for board in boards:
        _show(sections(board))
    if chosen is None:
        _show([verdict_section(evidence.tables)])
        if not boards:
            say("no spot-check of these replies: `emaudit review new` draws one")
    return 0


def _queues(store: Store, preset: str, chosen: Queue | None) -> list[Queue]:
    return [chosen] if chosen is not None else [held for held in queues(store) if held.preset == preset]


def _record(boards: Sequence[Dashboard], rows: Sequence[AgreementRow], chosen: Queue | None) -> dict[str, Any]:
    """Everything behind the tables, and the rows of agreement.csv with the reasons of their empty cells."""
    shown = [row for row in rows if chosen is None or row.queue in ("", chosen.name)]
    return {"queues": [asdict(board) for board in boards], "agreement": [asdict(row) for row in shown]}


def _show(found: Sequence[Section]) -> None:
    for section in found:
        if not section.rows and not section.notes:
            continue
        emit(section.title.upper())
        if section.rows:
            table(section.headings, section.rows, right=section.numbers, whole=section.headings)
        for note in section.notes:
            emit(note)
        emit("")
