"""`emaudit merge`: stores of several machines or auditors into one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from emaudit.cli.arguments import Verbs
from emaudit.cli.context import Context
from emaudit.cli.output import ask, counted, emit_json, is_interactive, on_stderr, say, table
from emaudit.errors import UsageError
from emaudit.merging import Merged, merge


def register(verbs: Verbs) -> None:
    """Add `merge`."""
    verb = verbs.add(
        "merge", "other stores into this one: all that they hold and it does not; they stay as they are", _merge, True
    )
    verb.add_argument("files", metavar="STORE", nargs="+", type=Path)
    verb.add_argument(
        "--keep-both",
        action="store_true",
        help="where both hold a reply for the same slot, keep theirs as a replicate of its own",
    )
    verb.add_argument("--dry-run", action="store_true", help="say what would come in, and end")
    verb.add_argument("--yes", action="store_true", help="do not ask")


def _merge(context: Context) -> int:
    options = context.options
    if not options.yes and not options.dry_run and not is_interactive():
        raise UsageError("nobody can be asked here: give --yes to merge without asking, or --dry-run to look")
    seen: list[Merged] = []

    def agreed(found: Sequence[Merged]) -> bool:
        seen.extend(found)
        if options.dry_run:
            return False
        if all(merged.coming.is_nothing for merged in found):
            return True
        with on_stderr():
            _show(found)
        return ask(f"merge {_words(found)} into {context.store_path.name}?")

    try:
        done = merge(context.store_path, options.files, options.keep_both, None if options.yes else agreed)
    except UsageError:
        if not options.dry_run or not seen:
            raise
        done = seen
    if context.json:
        emit_json([_record(merged) for merged in done])
    elif options.yes or options.dry_run:
        _show(done)
    if all(merged.coming.is_nothing for merged in done):
        say(f"{context.store_path.name} holds all of it already: nothing was added")
    elif options.dry_run:
        say(f"would merge {_words(done)} into {context.store_path.name}")
    else:
        say(f"merged {_words(done)} into {context.store_path.name}: `emaudit status` shows what is owed")
    return 0


def _show(found: Sequence[Merged]) -> None:
    rows = [
        (merged.source.path.name, variant, str(replicate), f"{n:,}")
        for merged in found
        for variant, replicate, n in merged.replies
    ]
    if rows:
        table(("STORE", "VARIANT", "REPLICATE", "REPLIES"), rows, right=("REPLICATE", "REPLIES"))
    for merged in found:
        for note in merged.notes:
            say(f"note: {merged.source.path.name}: {note}")


def _words(found: Sequence[Merged]) -> str:
    """How much comes in over all sources."""
    counts = (
        (sum(merged.coming.n_variants for merged in found), "variant"),
        (sum(merged.coming.n_replies for merged in found), "reply"),
        (sum(merged.coming.n_verdicts for merged in found), "verdict"),
        (sum(merged.coming.n_queues for merged in found), "queue"),
        (sum(merged.coming.n_reviews for merged in found), "review event"),
    )
    words = ", ".join(counted(n, what) for n, what in counts if n)
    return words or f"{counted(sum(merged.coming.n_other for merged in found), 'row')} of what was said and planned"


def _record(merged: Merged) -> dict[str, object]:
    coming = merged.coming
    return {
        "store": str(merged.source.path),
        "store_id": merged.source.store_id,
        "variants": coming.n_variants,
        "replies": coming.n_replies,
        "verdicts": coming.n_verdicts,
        "verdicts_apart": coming.doubled.n,
        "queues": coming.n_queues,
        "review_events": coming.n_reviews,
        "other_rows": coming.n_other,
        "by_variant": [
            {"variant": variant, "replicate": replicate, "replies": n} for variant, replicate, n in merged.replies
        ],
        "run_goes_on": merged.source.is_live,
        "notes": list(merged.notes),
    }
