"""The app's stylesheet, which is parsed again only where that can change anything."""

from __future__ import annotations

from textual.css.stylesheet import Stylesheet


class Sheet(Stylesheet):
    """Keeps what it parsed while its variables are the same.

    Textual parses everything again, twice, at the first screen of each mode.
    """

    def set_variables(self, variables: dict[str, str]) -> None:
        """Set the variables; what was parsed with others is dropped."""
        if variables != self._variables:
            super().set_variables(variables)

    def reparse(self) -> None:
        """Parse what is not parsed yet with these variables. Raises StylesheetError where that cannot be parsed."""
        self.parse()
