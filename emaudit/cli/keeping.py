"""`emaudit void` and `backup`: taking replies out of the count, and a checked copy of everything."""

from __future__ import annotations

from pathlib import Path

from emaudit.assessments import by_key
from emaudit.cli.arguments import Verbs
from emaudit.cli.context import Context
from emaudit.cli.output import counted, emit, say
from emaudit.errors import UsageError
from emaudit.store.connection import backup
from emaudit.store.replies import void
from emaudit.store.variants import variant


def register(verbs: Verbs) -> None:
    """Add `void` and `backup`."""
    verb = verbs.add("void", "take replies out of the count, with a reason; their slots are owed again", _void)
    verb.add_argument("name", metavar="NAME")
    verb.add_argument("--assessment", metavar="A", default="", help="only of this one")
    verb.add_argument("--item", metavar="I", default="", help="only of this item, such as stereotyping-01")
    verb.add_argument("--reason", metavar="TEXT", required=True, help="stays in the store and in every export")
    copy = verbs.add("backup", "a checked copy of the store (a copied file may be none)", _backup)
    copy.add_argument("file", metavar="FILE", type=Path)


def _void(context: Context) -> int:
    options = context.options
    if options.assessment:
        by_key(options.assessment)
    if not options.reason.strip():
        raise UsageError("--reason is empty: say why these replies do not count")
    with context.open(write=True) as store:
        row = variant(store, options.name)
        n = void(store, row.variant_id, options.assessment, options.item, options.reason)
    if not n:
        where = " ".join(word for word in (options.name, options.assessment, options.item) if word)
        raise UsageError(f"no replies of {where} to void")
    say(f"{counted(n, 'reply')} voided; they stay in the store, and their slots are owed: `emaudit run {row.name}`")
    return 0


def _backup(context: Context) -> int:
    path: Path = context.options.file
    with context.open() as store:
        if path.exists() and path.is_dir():
            raise UsageError(f"{path} is a folder: name a new file")
        if not path.absolute().parent.is_dir():
            raise UsageError(f"{path.absolute().parent} is no folder: make it first")
        backup(store, path)
    emit(str(path))
    say("copied and checked")
    return 0
