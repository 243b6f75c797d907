"""Draw every figure of a study into a folder, all or none of them, with the digest of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from emaudit import __version__
from emaudit.errors import UsageError
from emaudit.figures import style
from emaudit.figures.material import Material
from emaudit.folder import Exported, Folder, Tell, silent
from emaudit.madeof import families, libraries
from emaudit.wording import json_page

if TYPE_CHECKING:
    from emaudit.figures.sheet import Sheet

FILE_FORMATS: Final = ("svg", "pdf", "png")
MANIFEST: Final = "figures.json"

Family = Callable[[Material, str], Iterator["Sheet | str"]]


@dataclass(frozen=True, slots=True)
class Drawn:
    """The files written, in order, and why each figure that is missing could not be drawn."""

    files: Sequence[Exported]
    skipped: Sequence[str]


def draw(
    material: Material,
    directory: Path,
    formats: Sequence[str] = FILE_FORMATS,
    width: str = "two",
    facts: Mapping[str, object] | None = None,
    tell: Tell = silent,
) -> Drawn:
    """Write every figure in every format, and figures.json with their digests and `facts`; same rows, same bytes.

    `width` is one or two columns of a paper (style.WIDTHS). Figures drawn here before that are not drawn now are
    removed, and `tell` hears of them (see Folder). Raises UsageError where matplotlib is missing, a format
    is not known or the folder cannot be used, DiskFull where it cannot take the files.
    """
    unknown = [form for form in formats if form not in FILE_FORMATS]
    if unknown or not formats:
        raise UsageError(f"no format {', '.join(unknown) or 'given'}; known: {', '.join(FILE_FORMATS)}")
    skipped: list[str] = []
    with style.styled(), Folder(directory, False, tell) as folder:
        for family in _families():
            for sheet in family(material, width):
                if isinstance(sheet, str):
                    skipped.append(sheet)
                    continue
                for form in dict.fromkeys(formats):
                    folder.binary(f"{sheet.name}.{form}", sheet.content(form))
        folder.text(MANIFEST, _manifest(material, width, facts or {}, folder.files, skipped))
        folder.replace()
        return Drawn(folder.files, skipped)


def _families() -> tuple[Family, ...]:
    from emaudit.figures.correlations import heat_maps
    from emaudit.figures.profiles import profiles
    from emaudit.figures.scatter import scatters
    from emaudit.figures.trajectories import trajectories

    return trajectories, heat_maps, scatters, profiles


def _manifest(
    material: Material, width: str, facts: Mapping[str, object], files: Sequence[Exported], skipped: Sequence[str]
) -> str:
    manifest = {
        **facts,
        "emaudit": __version__,
        "families": families(),
        "libraries": libraries(),
        "format": "figures",
        "matplotlib": style.version(),
        "simulated": material.simulated,
        "preset": material.preset,
        "width": width,
        "reference": "paper" if material.published is not None else "",
        "skipped": list(skipped),
        "files": {file.name: {"sha256": file.sha256} for file in files},
    }
    return json_page(manifest)
