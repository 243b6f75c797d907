"""The paper's tables from a store's scores and tests: a model of each, and writers of LaTeX and Markdown. Pure."""

from emaudit.papertables.collected import Figures, tables
from emaudit.papertables.latexpage import latex_page
from emaudit.papertables.markdownpage import markdown_page
from emaudit.papertables.model import Cell, Column, PaperTable, Row

__all__ = ["Cell", "Column", "Figures", "PaperTable", "Row", "latex_page", "markdown_page", "tables"]
