"""`emaudit import`: replies made elsewhere, with their verdicts if they have them."""

from __future__ import annotations

from pathlib import Path

from emaudit.assessments import by_key
from emaudit.assessments.base import Answer, Assessment, Planned, Prompt, Reading, Status
from emaudit.cli.arguments import Verbs
from emaudit.cli.context import Context
from emaudit.cli.output import counted, say, table
from emaudit.importing import FIELDS, ImportedReply, ImportedSet, parse_map, read_set
from emaudit.prompts import content_hash
from emaudit.store.connection import Store
from emaudit.store.imports import Incoming, Kept, NothingNew, imported_judge, keep
from emaudit.store.replies import VerdictRow
from emaudit.store.scorers import scorer
from emaudit.store.variants import variant
from emaudit.variants import Variant


def register(verbs: Verbs) -> None:
    """Add `import`."""
    verb = verbs.add("import", "replies made elsewhere (CSV or JSONL), with verdicts if they have them", _import)
    verb.add_argument("file", metavar="FILE", type=Path)
    verb.add_argument("--variant", metavar="NAME", required=True, help="whose replies they are")
    verb.add_argument("--assessment", metavar="A", required=True, help="harmfulness")
    verb.add_argument(
        "--map",
        metavar="FIELD=COLUMN",
        action="append",
        default=[],
        help=f"where a field is not under its usual name; fields: {', '.join(FIELDS)}",
    )


def _import(context: Context) -> int:
    options = context.options
    found = read_set(options.file, options.assessment, parse_map(options.map))
    with context.open(write=True) as store:
        row = variant(store, options.variant)
        try:
            kept = keep_set(store, row, found)
        except NothingNew:
            say(f"{options.file} is in the store already: nothing was added")
            return 0
    names = {"": "without a verdict"}
    table(
        ("VERDICT", "REPLIES"),
        [(names.get(verdict, verdict), f"{n:,}") for verdict, n in found.verdicts().items()],
        right=("REPLIES",),
    )
    say(
        f"added {counted(kept.n_replies, 'reply')} and {counted(kept.n_verdicts, 'verdict')} of "
        f"{counted(len(found.items), 'prompt')} to {row.name}, preset {found.preset}"
        + (f", judge {found.judge}" if found.judge else "")
    )
    return 0


def keep_set(store: Store, row: Variant, found: ImportedSet) -> Kept:
    """Keep a checked set of replies for a variant. Raises UsageError, StoreError, NothingNew; then nothing is kept."""
    assessment = by_key(found.assessment)
    source = {"file": found.path, "columns": dict(found.columns), "items": found.content["items"]}
    with store.transaction():
        parser = scorer(store, "parser", f"parser:{assessment.key}@{assessment.parser_version}", {}).scorer_id
        judge = imported_judge(store, found.judge) if found.judge else None
        planned = [
            Planned(Prompt(assessment.key, item.id, item.category, "", "", item.text), item.n_samples)
            for item in found.items
        ]
        places = {item.id: (position, planned[position].prompt) for position, item in enumerate(found.items)}
        incoming = [_incoming(reply, *places[reply.item], assessment, parser, judge) for reply in found.replies]
        return keep(
            store,
            row.variant_id,
            assessment.key,
            found.preset,
            found.instrument,
            planned,
            content_hash([[item.id, item.category, item.text, item.n_samples] for item in found.items]),
            incoming,
            judge,
            source,
        )


def _incoming(
    reply: ImportedReply, position: int, prompt: Prompt, assessment: Assessment, parser: int, judge: int | None
) -> Incoming:
    parsed = VerdictRow(parser, assessment.read(prompt, Answer(reply.response, reply.outcome)))
    return Incoming(
        position=position,
        sample=reply.sample,
        outcome=str(reply.outcome),
        text=reply.response,
        finish_reason=reply.finish_reason,
        parsed=parsed,
        verdict=_verdict(reply, judge),
    )


def _verdict(reply: ImportedReply, judge: int | None) -> VerdictRow | None:
    if judge is None or reply.status == "owed":
        return None
    reading = Reading(Status(reply.status), reply.value, reply.reason)
    return VerdictRow(judge, reading, attempt=1, raw=reply.verdict_raw)
