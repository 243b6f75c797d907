"""Profiles over dimensions, foundations and formats (the paper's figures 4, 5, 7 to 10), averaged over sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from emaudit.assessments.base import DIMENSIONS, FORMATS, FOUNDATIONS, Pole
from emaudit.figures import panels
from emaudit.figures.captions import listed, small_print
from emaudit.figures.material import INTENTIONS, MORAL, MORAL_SELF, SELF, Material, Measured
from emaudit.figures.sheet import Sheet, Space
from emaudit.figures.style import WIDTHS, mark
from emaudit.scores import Score

_ACROSS: Final = {"one": 2, "two": 4}


@dataclass(frozen=True, slots=True)
class Profile:
    """A figure: measures down the page over the same parts, domains across."""

    name: str
    measures: tuple[Measured, ...]
    poles: tuple[Pole, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts by their first pole."""
        return tuple(pole.first for pole in self.poles)


def _by_format(of: Measured) -> tuple[Measured, ...]:
    """A self-report in each of its four formats."""
    return tuple(replace(of, form=form, title=form) for form in FORMATS)


PROFILES: Final = (
    Profile("dimensions", (INTENTIONS, SELF), DIMENSIONS),
    Profile("foundations", (MORAL, MORAL_SELF), FOUNDATIONS),
    Profile("formats-self-assessment", _by_format(SELF), DIMENSIONS),
    Profile("formats-moral-self-assessment", _by_format(MORAL_SELF), FOUNDATIONS),
)


def profiles(material: Material, width: str) -> Iterator[Sheet | str]:
    """The pages of every profile, or for each one that cannot be drawn the sentence why."""
    for profile in PROFILES:
        measures = tuple(of for of in profile.measures if material.has(of))
        if not measures:
            names = sorted({of.assessment for of in profile.measures})
            yield f"{profile.name}: no variant has a value of {' or '.join(names)}"
            continue
        found = replace(profile, measures=measures)
        domains = material.domains or ("",)
        n_across = _ACROSS[width]
        chunks = [domains[start : start + n_across] for start in range(0, len(domains), n_across)]
        for number, chunk in enumerate(chunks, 1):
            name = profile.name if len(chunks) == 1 else f"{profile.name}-{number:02d}"
            yield _page(material, replace(found, name=name), chunk, WIDTHS[width])


Group = tuple[str, str]
"""(stage, domain)."""


def _groups(material: Material, domain: str) -> list[Group]:
    """The stages that a domain's variants have, with the bases, which have no domain."""
    held = {(subject.stage, subject.domain) for subject in material.subjects}
    return [
        (stage, found) for stage in material.stages for found in dict.fromkeys(("", domain)) if (stage, found) in held
    ]


def _row(material: Material, group: Group, of: Measured, part: str) -> Score | None:
    return material.average(*group, of, part)


def _page(material: Material, profile: Profile, domains: Sequence[str], width: float) -> Sheet:
    rows = [
        row
        for of in profile.measures
        for group in dict.fromkeys(group for domain in domains for group in _groups(material, domain))
        for part in profile.parts
        if (row := _row(material, group, of, part)) is not None
    ]
    reference = material.published is not None and not profile.name.startswith("formats")
    space = Space(panel=0.95 if width < 5 else 1.3, left=0.58, down=0.14)
    bottom = panels.tick_space(panels.tick_names(profile.parts), space.panel_width(width, len(domains))) + 0.06
    stages = [stage for stage in material.stages if any(row.stage == stage for row in rows)]
    legend = panels.keys(stages, rows, profile.measures, reference)
    caption = [
        _heading(material, profile),
        *small_print(material, rows, reference, _absent(material, profile, domains)),
        *_other_judges(material, rows),
    ]
    shape = (len(profile.measures), len(domains))
    sheet = Sheet(profile.name, width, shape, replace(space, bottom=bottom), legend, caption, material.simulated)
    for i, of in enumerate(profile.measures):
        for j, domain in enumerate(domains):
            _draw(material, sheet, (i, j), profile, of, domain, stages, reference)
    return sheet


def _absent(material: Material, profile: Profile, domains: Sequence[str]) -> Iterator[str]:
    for stage, domain in dict.fromkeys(group for found in domains for group in _groups(material, found)):
        for of in profile.measures:
            if all(_row(material, (stage, domain), of, part) is None for part in profile.parts):
                yield f"{domain} {stage} ({of.title})".strip()


def _other_judges(material: Material, rows: Sequence[Score]) -> Iterator[str]:
    """An average stands on one judge: the variants of its stage and domain under another one are named."""

    def group(row: Score) -> tuple[str, ...]:
        return row.assessment, row.stage, row.domain

    shown = {group(row): row.judge for row in rows if not row.variant}
    others = [
        row for row in material.scores if row.variant and row.judge and row.judge != shown.get(group(row), row.judge)
    ]
    names = listed(f"{row.variant} ({row.judge})" for row in others)
    if names:
        yield f"Not in the averages, since under another judge: {names}."


def _heading(material: Material, profile: Profile) -> str:
    poles = profile.poles
    low, high = profile.measures[0].low, profile.measures[0].high
    scale = f"{low:g} is the first pole and {high:g} the second: ".replace("-", "\u2212")
    named = ", ".join(f"{pole.first}/{pole.second}" for pole in poles)
    over = "Averages over sizes. " if len(material.sizes) > 1 else ""
    return f"{over}{scale}{named}."


def _draw(
    material: Material,
    sheet: Sheet,
    place: tuple[int, int],
    profile: Profile,
    of: Measured,
    domain: str,
    stages: Sequence[str],
    reference: bool,
) -> None:
    heading = (domain or "all variants") if place[0] == 0 else ""
    axes = panels.frame(sheet, *place, of, profile.parts, heading)
    groups = _groups(material, domain)
    for group, shift in zip(groups, panels.spread(len(groups)), strict=True):
        found = mark(stages.index(group[0])) if group[0] in stages else mark(0)
        xs = [index + shift for index in range(len(profile.parts))]
        if reference:
            values = [material.published_average(*group, of.assessment, part) for part in profile.parts]
            panels.dimmed(axes, xs, values, found)
        rows = [_row(material, group, of, part) for part in profile.parts]
        panels.line(axes, xs, rows, found, f"{of.assessment} {of.form} {domain} {group[0]}")
