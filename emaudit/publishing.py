"""Write the paper's tables as LaTeX or Markdown, with examples, an appendix and a manifest: same store, same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from emaudit.analyses import Analyses
from emaudit.archive import StoreArchive
from emaudit.errors import UsageError
from emaudit.evidence import Evidence, examples_tex
from emaudit.export import Record, manifest_text, unchosen
from emaudit.folder import Exported, Folder, Tell, listed_files, silent
from emaudit.papertables import Figures, PaperTable, latex_page, markdown_page, tables
from emaudit.papertables.appendix import Entry, Section, asked_of, instrument_section, judge_section, prompts_section
from emaudit.papertables.appendixpages import latex_appendix, markdown_appendix
from emaudit.papertables.examples import examples_md
from emaudit.papertables.latexpage import document
from emaudit.reference import PAPER
from emaudit.scores import Rules, Source, Tally, newest_complete, table
from emaudit.scores.comparing.paper import paper_rows
from emaudit.scores.comparing.units import Place
from emaudit.scores.correlations import reference_rows
from emaudit.store.connection import Store
from emaudit.store.exporting import params_hashes, params_texts
from emaudit.store.pinned import asked_prompts, pinned_content, pinned_rubrics
from emaudit.store.plans import Plan
from emaudit.store.samples import samples
from emaudit.store.scorers import by_identity
from emaudit.studies import study_of

FORMATS: Final = ("latex", "markdown")


@dataclass(frozen=True)
class Written:
    """The files of an export, what each holds, and what could not be made, with why."""

    files: tuple[Exported, ...]
    holds: Mapping[str, str]
    left_out: tuple[str, ...]


def export_pages(
    archive: StoreArchive, directory: Path, form: str, *, reference: bool = False, tell: Tell = silent
) -> Written:
    """Write every table of an archive into a folder as `latex` or `markdown`, all or none of the files.

    Files of the folder's export before that this one has not are removed, and `tell` hears of them (see Folder).
    Raises UsageError where the folder cannot be used, DiskFull where it cannot take the files.
    """
    rules = Rules()
    held = {source: archive.tallies(source) for source in archive.sources()}
    sources = newest_complete(held, lambda source: any(row.status == "owed" for row in held[source]))
    evidence = archive.evidence(sources)
    made = tables(_figures(archive, evidence, sources, held, rules, reference), reference)
    simulated = any(source.simulated for source in sources)
    pages = list(_pages(form, made, list(evidence.examples()), appendix(archive.store, evidence), simulated))
    with Folder(directory, False, tell) as folder:
        for name, text, _ in pages:
            folder.text(name, text)
        unused = unchosen(list(held), sources)
        folder.text(
            "manifest.json",
            manifest_text(
                archive,
                sources,
                archive.preset,
                rules,
                False,
                simulated,
                unused,
                folder.files,
                form,
                reference=PAPER if reference else "",
            ),
        )
        folder.replace()
    holds = {name: what for name, _, what in pages} | {"manifest.json": "what these files are of, with their digests"}
    return Written(tuple(folder.files), holds, tuple(_not_made(sources)))


def check_folder(directory: Path, form: str) -> None:
    """Raises UsageError where a folder holds an export of another format, whose manifest this one would replace."""
    files = listed_files(directory / "manifest.json")
    other = next((kind for kind, name in _TELLING.items() if name in files and kind != form), "")
    if other:
        raise UsageError(f"{directory} holds an export as {other}: give the one as {form} a folder of its own")


_TELLING: Final = {"csv": "scores.csv", "latex": "emaudit-tables.tex", "markdown": "appendix-instruments.md"}
"""The file that every export of a format has, and no other."""


def _figures(
    archive: StoreArchive,
    evidence: Evidence,
    sources: Sequence[Source],
    held: Mapping[Source, Sequence[Tally]],
    rules: Rules,
    reference: bool,
) -> Figures:
    analyses = Analyses(study_of(archive, rules, cached=False), archive.choices)

    def read(source: Source) -> Mapping[Place, float]:
        return samples(archive.store, source.plan_id, source.judge)

    return Figures(
        scores=table([(source, held[source]) for source in sources], rules),
        comparisons=analyses.comparisons,
        as_paper=paper_rows(analyses.study, read, archive.choices.takes),
        correlations=analyses.correlations,
        published=reference_rows() if reference else (),
        agreement=[found.row for found in evidence.tables],
        labels=sorted(archive.labels()),
    )


def _pages(
    form: str, made: Sequence[PaperTable], examples: Sequence[Record], sections: Sequence[Section], simulated: bool
) -> Iterator[tuple[str, str, str]]:
    """Each file's name, its text, and what it holds."""
    if form == "latex":
        for found in made:
            yield f"{found.name}.tex", latex_page(found), _title(found)
        yield "examples.tex", examples_tex(examples), _starred(examples)
        yield "appendix-instruments.tex", latex_appendix(sections), _TEXTS
        parts = [
            ("Tables", [found.name for found in made]),
            ("Examples", ["examples"]),
            ("Instruments", ["appendix-instruments"]),
        ]
        yield "emaudit-tables.tex", document("Tables of this audit", simulated, parts), "all of these: compile this one"
    else:
        for found in made:
            yield f"{found.name}.md", markdown_page(found), _title(found)
        yield "examples.md", examples_md(examples), _starred(examples)
        yield "appendix-instruments.md", markdown_appendix(sections, simulated), _TEXTS


_TEXTS: Final = "every prompt, statement and rubric, as pinned"


def _title(found: PaperTable) -> str:
    return f"table {found.number}: {found.title}" if found.number else found.title


def _starred(examples: Sequence[Record]) -> str:
    return f"{len(examples)} starred {'reply' if len(examples) == 1 else 'replies'}"


_OF: Final[Mapping[str, str]] = {
    "harmfulness": "11 to 15",
    "intentions": "18 and 19",
    "self_assessment": "20 and 21",
    "moral_foundations": "22 and 23",
    "moral_self_assessment": "24 and 25",
}
"""The paper's tables of each assessment."""


def _not_made(sources: Sequence[Source]) -> Iterator[str]:
    asked = {source.assessment for source in sources}
    for assessment, numbers in _OF.items():
        if assessment not in asked:
            yield f"tables {numbers} are left out: no variant was asked {assessment} in this preset"


def appendix(store: Store, evidence: Evidence) -> list[Section]:
    """The texts of the plans in the tables, and those of the judges that scored them."""
    by_instrument: dict[tuple[str, str], list[Plan]] = {}
    for source, plan in evidence.plans:
        by_instrument.setdefault((source.assessment, source.instrument), []).append(plan)
    sections = [_instrument(store, by_instrument[key]) for key in sorted(by_instrument, key=_in_order)]
    judges = sorted({source.judge for source, _ in evidence.plans} - {""})
    return sections + [_judge(store, identity) for identity in judges]


def _in_order(key: tuple[str, str]) -> tuple[int, str, str]:
    known = list(_OF)
    return (known.index(key[0]) if key[0] in known else len(known), *key)


def _instrument(store: Store, plans: Sequence[Plan]) -> Section:
    first = plans[0]
    content = pinned_content(store, first)
    prompts = [prompt for plan in plans for prompt in asked_prompts(store, plan)]
    n_variants = len({plan.variant_id for plan in plans})
    if content is None:
        asked = [(prompt.item, prompt.format, prompt.condition, prompt.text) for prompt in prompts]
        return prompts_section(first.assessment, first.instrument, asked, n_variants)
    places = asked_of([(prompt.item, prompt.format, prompt.condition) for prompt in prompts])
    found = instrument_section(first.assessment, first.instrument, first.label, content, places, n_variants)
    return replace(found, entries=(*_system_prompts(store, plans), *found.entries))


def _system_prompts(store: Store, plans: Sequence[Plan]) -> Iterator[Entry]:
    """The system prompts that went with an instrument; none where none was sent."""
    held = params_texts(store, (digest for plan in plans for digest in params_hashes(store, plan)))
    texts = {str(params.get("system") or "") for params in held.values() if isinstance(params, dict)}
    yield from (Entry("system prompt", text) for text in sorted(texts - {""}))


def _judge(store: Store, identity: str) -> Section:
    judge = by_identity(store, identity)
    wanted = judge.detail.get("rubrics", {})
    return judge_section(identity, list(wanted) if isinstance(wanted, dict) else [], pinned_rubrics(store, judge))
