"""What the figures of a store are drawn from, and figures drawn again as their manifest says they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emaudit.analyses import Analyses
from emaudit.archive import StoreArchive, scored
from emaudit.figures.drawing import FILE_FORMATS, draw
from emaudit.figures.material import Material
from emaudit.reference import reference_value
from emaudit.scores.correlations import reference_rows
from emaudit.scores.pairing import EVERY
from emaudit.studies import study_of


def material_of(archive: StoreArchive, reference: bool = False) -> Material:
    """What the figures of an archive are drawn from; with `reference`, the paper's values behind."""
    study = study_of(archive, cached=False)
    analyses = Analyses(study, archive.choices)
    rows = analyses.correlations, analyses.trajectories
    material = Material.of(
        study, scored(archive), *rows, warnings=sorted(archive.labels()), subset=archive.choices.subset or EVERY
    )
    return material.beside(reference_value, reference_rows()) if reference else material


def draw_again(archive: StoreArchive, directory: Path, says: Mapping[str, Any], names: Sequence[str]) -> None:
    """Draw the figures of a figures.json again; `names` are its files. Raises UsageError where they cannot be."""
    formats = [form for form in FILE_FORMATS if any(name.endswith(f".{form}") for name in names)]
    material = material_of(archive, bool(says.get("reference")))
    facts = {**archive.facts(), "excluded": archive.excluded()}
    draw(material, directory, formats or FILE_FORMATS, str(says.get("width", "two")), facts)
