"""The trajectories (the paper's figure 2): each lineage along its stages, by size, with 95% intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from emaudit.figures import panels
from emaudit.figures.captions import listed, small_print
from emaudit.figures.material import HARMFULNESS, INTENTIONS, OPEN, SELF, Lineage, Material, Measured
from emaudit.figures.sheet import Sheet, Space
from emaudit.figures.style import WIDTHS, Mark, mark
from emaudit.scores import Score
from emaudit.scores.trajectories import followed, shape_of
from emaudit.stats.trajectory import INVERTED_V

_MEASURES: Final = (HARMFULNESS, INTENTIONS, SELF, OPEN)
_PER_PANEL: Final = 4
_ACROSS: Final = {"one": 3, "two": 4}


@dataclass(frozen=True, slots=True)
class _Panel:
    """The lineages of one size that are drawn together, each with its name and mark."""

    size: str
    lines: tuple[tuple[Lineage, str, Mark], ...]


def trajectories(material: Material, width: str) -> Iterator[Sheet | str]:
    """The pages, or one sentence why there is none."""
    measures = [of for of in _MEASURES if material.has(of)]
    lineages = [lineage for lineage in material.lineages if len(lineage.members) > 1]
    if not measures:
        yield "trajectories: no variant has a value of harmfulness, intentions or self-assessment"
        return
    if not lineages:
        yield "trajectories: no variant has a parent among those shown: set one with `emaudit variant set NAME parent=PARENT`"
        return
    found = _panels(material, lineages)
    n_across = _ACROSS[width]
    pages = [found[start : start + n_across] for start in range(0, len(found), n_across)]
    for number, page in enumerate(pages, 1):
        name = "trajectories" if len(pages) == 1 else f"trajectories-{number:02d}"
        yield _page(material, name, page, measures, WIDTHS[width])


def _panels(material: Material, lineages: Sequence[Lineage]) -> list[_Panel]:
    found = []
    for size in material.sizes:
        members = [lineage for lineage in lineages if lineage.leaf.size == size]
        for start in range(0, len(members), _PER_PANEL):
            found.append(_Panel(size, tuple(_named(material, members[start : start + _PER_PANEL], members))))
    return found


def _named(
    material: Material, chunk: Sequence[Lineage], all_of_size: Sequence[Lineage]
) -> Iterator[tuple[Lineage, str, Mark]]:
    """By domain where that says which; else by the last variant's name, with the marks of its place."""
    domains = [lineage.leaf.domain for lineage in all_of_size]
    for index, lineage in enumerate(chunk):
        domain = lineage.leaf.domain
        if domain and domains.count(domain) == 1:
            yield lineage, domain, mark(material.domains.index(domain))
        else:
            yield lineage, lineage.leaf.name, mark(index)


def _places(material: Material, page: Sequence[_Panel]) -> tuple[str, ...]:
    present = {subject.stage for panel in page for lineage, _, _ in panel.lines for subject in lineage.members}
    return tuple(stage for stage in material.stages if stage in present)


def _page(material: Material, name: str, page: Sequence[_Panel], measures: Sequence[Measured], width: float) -> Sheet:
    stages = _places(material, page)
    rows = [row for of in measures for panel in page for row in _rows(material, panel, of)]
    reference = material.published is not None
    space = Space(panel=1.0 if width < 5 else 1.35, left=0.5, down=0.14)
    bottom = panels.tick_space(panels.tick_names(stages), space.panel_width(width, len(page))) + 0.06
    named = {text: found for panel in page for _, text, found in panel.lines}
    legend = panels.keys(list(named), rows, measures, reference, list(named.values()))
    caption = [*small_print(material, rows, reference, _absent(material, page, measures)), *_exceptions(material, page)]
    sheet = Sheet(
        name, width, (len(measures), len(page)), replace(space, bottom=bottom), legend, caption, material.simulated
    )
    for i, of in enumerate(measures):
        for j, panel in enumerate(page):
            _draw(material, sheet, (i, j), panel, of, stages)
    return sheet


def _exceptions(material: Material, page: Sequence[_Panel]) -> Iterator[str]:
    """The lineages of a page that do not rise and fall, as the trajectories' rows have it."""
    shown = {lineage.leaf.name for panel in page for lineage, _, _ in panel.lines}
    rows = [row for row in followed(material.trajectories) if row.lineage in shown]
    odd = [f"{row.lineage} ({row.assessment}: {shape_of(row)})" for row in rows if shape_of(row) != INVERTED_V]
    if odd:
        yield f"Without the inverted V: {listed(odd)}."


def _absent(material: Material, page: Sequence[_Panel], measures: Sequence[Measured]) -> Iterator[str]:
    for of in measures:
        for subject in dict.fromkeys(s for panel in page for lineage, _, _ in panel.lines for s in lineage.members):
            if material.score(subject.name, of) is None:
                yield f"{subject.name} ({of.title})"


def _rows(material: Material, panel: _Panel, of: Measured) -> Iterator[Score]:
    for lineage, _, _ in panel.lines:
        for subject in lineage.members:
            row = material.score(subject.name, of)
            if row is not None:
                yield row


def _draw(
    material: Material, sheet: Sheet, place: tuple[int, int], panel: _Panel, of: Measured, stages: Sequence[str]
) -> None:
    axes = panels.frame(sheet, *place, of, stages, (panel.size or "(no size)") if place[0] == 0 else "")
    shifts = panels.spread(len(panel.lines), 0.16)
    for (lineage, _, found), shift in zip(panel.lines, shifts, strict=True):
        xs = [stages.index(subject.stage) + shift for subject in lineage.members]
        rows = [material.score(subject.name, of) for subject in lineage.members]
        if material.published is not None:
            published = [_paper(material, lineage, subject.stage, of) for subject in lineage.members]
            panels.dimmed(axes, xs, published, found)
        panels.line(axes, xs, rows, found, f"{of.assessment} {lineage.leaf.name}")


def _paper(material: Material, lineage: Lineage, stage: str, of: Measured) -> float | None:
    if material.published is None:
        return None
    domain = "" if stage == "base" else lineage.leaf.domain
    return material.published(lineage.leaf.size, stage, domain, of.assessment, "total")
