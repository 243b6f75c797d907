"""`emaudit figures`: the figures of a paper, from the same rows as the export."""

from __future__ import annotations

import argparse
from typing import Final

from emaudit.cli.arguments import Verbs
from emaudit.cli.context import Context
from emaudit.cli.output import say, table
from emaudit.cli.scoring import _directory, add_choices, archive_of
from emaudit.figures import FILE_FORMATS, draw
from emaudit.figures.material import PUBLISHED_NOTE
from emaudit.figures.remade import material_of
from emaudit.figures.style import WIDTHS, available
from emaudit.store.horizon import Horizon, looking, newest_rows

PAPER: Final = "paper"


def register(verbs: Verbs) -> None:
    """Add `figures`."""
    verb = verbs.add("figures", "draw trajectories, correlations and profiles as SVG, PDF and PNG", _figures)
    verb.add_argument("directory", metavar="DIR", type=_directory)
    verb.add_argument(
        "--format", metavar="F", type=_formats, default=FILE_FORMATS, help=f"some of {','.join(FILE_FORMATS)}"
    )
    verb.add_argument("--width", metavar="W", choices=WIDTHS, default="two", help="columns of a paper: one or two")
    verb.add_argument(
        "--reference", metavar="R", choices=(PAPER,), default="", help="paper: the published values behind one's own"
    )
    add_choices(verb, idle=("zeros",))


def _formats(text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(word.strip().lower() for word in text.split(",")))
    unknown = [word for word in found if word not in FILE_FORMATS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no format {', '.join(map(repr, unknown))}; known: {', '.join(FILE_FORMATS)}")
    return found


def _figures(context: Context) -> int:
    options = context.options
    available()
    with context.open() as store:
        archive = archive_of(context, store)
        with looking(store, Horizon(options.as_of or "", newest_rows(store))):
            material = material_of(archive, options.reference == PAPER)
            facts = {**archive.facts(), "excluded": archive.excluded()}
        drawn = draw(material, options.directory, options.format, options.width, facts, say)
    table(
        ("FILE", "SHA-256"),
        [(str(options.directory / file.name), file.sha256) for file in drawn.files],
        whole=("FILE", "SHA-256"),
    )
    for reason in drawn.skipped:
        say(f"not drawn: {reason}")
    if material.published is not None:
        say(f"grey: {PUBLISHED_NOTE}")
    if material.simulated:
        say("SIMULATED: replies or verdicts behind these figures are made up, and each figure says so")
    return 0
