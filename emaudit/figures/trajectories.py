"""The trajectories (the paper's figure 2): each lineage along its stages, by size, with 95% intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from emaudit.figures import panels
from emaudit.figures.captions import listed, small_print
from emaudit.figures.material import HARMFULNESS, INTENTIONS, OPEN, SELF, Lineage, Material, Measured
from emaudit.figures.sheet import Sheet, Space
from emaudit.figures.style import N_MARKS, WIDTHS, Mark, mark
from emaudit.scores import Score
from emaudit.scores.study import BASE
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
        yield "trajectories: no variant shown has a parent: set one with `emaudit variant set NAME parent=PARENT`"
        return
    found = list(_panels(material, lineages))
    n_across = 2 if _is_crowded(material, lineages) else _ACROSS[width]
    pages = [found[start : start + n_across] for start in range(0, len(found), n_across)]
    for number, page in enumerate(pages, 1):
        name = "trajectories" if len(pages) == 1 else f"trajectories-{number:02d}"
        yield _page(material, name, _marked(material, page), measures, WIDTHS[width])


def _is_crowded(material: Material, lineages: Sequence[Lineage]) -> bool:
    """Whether domains cannot name the lines: too many of them for our marks, or several lines of one."""
    names = [(lineage.leaf.size, lineage.leaf.domain) for lineage in lineages]
    return len(material.domains) > N_MARKS or len(set(names)) < len(names) or any(not domain for _, domain in names)


def _panels(material: Material, lineages: Sequence[Lineage]) -> Iterator[_Panel]:
    """Per size at most four lines to a panel, each by its domain where that says which, else by its last variant."""
    for size in material.sizes:
        members = [lineage for lineage in lineages if lineage.leaf.size == size]
        domains = [lineage.leaf.domain for lineage in members]
        for start in range(0, len(members), _PER_PANEL):
            chunk = members[start : start + _PER_PANEL]
            yield _Panel(size, tuple((lineage, _name(lineage, domains), mark(0)) for lineage in chunk))


def _name(lineage: Lineage, domains: Sequence[str]) -> str:
    domain = lineage.leaf.domain
    return domain if domain and domains.count(domain) == 1 else lineage.leaf.name


def _marked(material: Material, page: Sequence[_Panel]) -> list[_Panel]:
    """The page with a mark for each name: the same on every page where the domains have marks enough."""
    names = list(dict.fromkeys(name for panel in page for _, name, _ in panel.lines))
    order = material.domains if len(material.domains) <= N_MARKS and set(names) <= set(material.domains) else names
    return [
        _Panel(panel.size, tuple((lineage, name, mark(order.index(name))) for lineage, name, _ in panel.lines))
        for panel in page
    ]


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
    shifts = panels.spread(len(panel.lines))
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
    domain = "" if stage == BASE else lineage.leaf.domain
    return material.published(lineage.leaf.size, stage, domain, of.assessment, "total")
