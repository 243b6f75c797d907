"""The figures of a study as SVG, PDF and PNG: rows of the tables in, files out. matplotlib is loaded when drawing."""

from emaudit.figures.drawing import FILE_FORMATS, Drawn, draw
from emaudit.figures.material import Material

__all__ = ["FILE_FORMATS", "Drawn", "Material", "draw"]
