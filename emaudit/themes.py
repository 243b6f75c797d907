"""The three themes, and the tones that table cells are written in. All from one colour-blind-safe palette.

Nothing is told by colour alone: a glyph, a word or a number stands beside each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from textual.theme import Theme

DARK: Final = Theme(
    name="emaudit-dark",
    primary="#56B4E9",
    secondary="#CC79A7",
    accent="#56B4E9",
    success="#2BB58A",
    warning="#E69F00",
    error="#F0733C",
    foreground="#D6DBE1",
    background="#14181D",
    surface="#191E24",
    panel="#222931",
    dark=True,
    variables={
        "quiet": "#8A949E",
        "block-cursor-background": "#2C4557",
        "block-cursor-foreground": "#FFFFFF",
        "block-cursor-text-style": "none",
        "footer-key-foreground": "#56B4E9",
        "footer-background": "#191E24",
        "border": "#3A4652",
        "border-blurred": "#2B343D",
        "input-selection-background": "#56B4E9 35%",
    },
)
LIGHT: Final = Theme(
    name="emaudit-light",
    primary="#00639C",
    secondary="#8F3D6D",
    accent="#00639C",
    success="#00664A",
    warning="#8A5A00",
    error="#A63C00",
    foreground="#1D232A",
    background="#FBFAF7",
    surface="#F2F1EC",
    panel="#E6E5DF",
    dark=False,
    variables={
        "quiet": "#666B70",
        "block-cursor-background": "#C9DFEE",
        "block-cursor-foreground": "#10161C",
        "block-cursor-text-style": "none",
        "footer-key-foreground": "#00639C",
        "footer-background": "#EBEAE4",
        "border": "#B5B9BD",
        "border-blurred": "#D3D4D3",
    },
)
CONTRAST: Final = Theme(
    name="emaudit-contrast",
    primary="#7FD0FF",
    secondary="#FF9BD0",
    accent="#7FD0FF",
    success="#3CE0A8",
    warning="#FFB733",
    error="#FF8A5C",
    foreground="#FFFFFF",
    background="#000000",
    surface="#000000",
    panel="#1A1A1A",
    dark=True,
    variables={
        "quiet": "#C8C8C8",
        "block-cursor-background": "#FFFFFF",
        "block-cursor-foreground": "#000000",
        "block-cursor-text-style": "bold",
        "footer-key-foreground": "#FFB733",
        "footer-background": "#000000",
        "border": "#FFFFFF",
        "border-blurred": "#8A8A8A",
    },
)
THEMES: Final = (DARK, LIGHT, CONTRAST)
NAMES: Final = {DARK.name: "dark", LIGHT.name: "light", CONTRAST.name: "high contrast"}


@dataclass(frozen=True, slots=True)
class Tones:
    """Rich styles for table cells, by meaning."""

    plain: str = ""
    quiet: str = "dim"
    good: str = ""
    active: str = ""
    warn: str = ""
    bad: str = ""
    other: str = ""

    @classmethod
    def of(cls, theme: Theme) -> Tones:
        """The tones of a theme."""
        return cls(
            plain=theme.foreground or "",
            quiet=theme.variables.get("quiet", "dim"),
            good=theme.success or "",
            active=theme.primary,
            warn=theme.warning or "",
            bad=theme.error or "",
            other=theme.secondary or "",
        )
