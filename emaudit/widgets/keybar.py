"""The line of keys at the bottom, drawn as one widget: Textual's footer mounts one a key at every change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

KEPT: Final = frozenset({"app.help", "help"})
"""Actions whose key is shown whatever the width: the help names all others."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of the line: `key` is pressed where it is clicked, `is_enabled` says whether it can act now."""

    key: str
    shown: str
    label: str
    action: str
    is_enabled: bool

    @property
    def width(self) -> int:
        """Columns it takes."""
        return cell_len(self.shown) + cell_len(self.label) + 3


def fitting(entries: tuple[Entry, ...], width: int) -> tuple[Entry, ...]:
    """The entries there is room for, in their order: where there is too little, the last ones go but the help."""
    last_space = 1
    room = width + last_space - sum(entry.width for entry in entries if entry.action in KEPT)
    found = []
    for entry in entries:
        if entry.action in KEPT:
            found.append(entry)
        elif entry.width <= room:
            room -= entry.width
            found.append(entry)
        else:
            room = 0
    return tuple(found)


class KeyBar(Widget):
    """The keys that can be pressed on this screen; those that cannot act now are dim."""

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__(id="keybar")
        self._entries: tuple[Entry, ...] = ()

    def on_mount(self) -> None:
        """Follow the bindings of the screen."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[object]) -> None:
        """Look once the screen stands: whether a key can act may depend on what is being mounted."""
        if screen is self.screen:
            self.call_after_refresh(self._look)

    def _look(self) -> None:
        entries = self._read() if self.is_attached else ()
        if entries != self._entries:
            self._entries = entries
            self.refresh()

    def _read(self) -> tuple[Entry, ...]:
        found: dict[str, Entry] = {}
        for _, binding, is_enabled, _ in self.screen.active_bindings.values():
            if binding.show and binding.description:
                shown = self.app.get_key_display(binding)
                entry = Entry(binding.key, shown, binding.description, binding.action, is_enabled)
                found.setdefault(binding.action, entry)
        return tuple(found.values())

    def render(self) -> Content:
        """The line for the width there is."""
        parts: list[tuple[str, str]] = []
        for entry in fitting(self._entries, self.size.width):
            parts.append((f" {entry.shown} ", "bold $primary" if entry.is_enabled else "$quiet dim"))
            parts.append((f"{entry.label} ", "" if entry.is_enabled else "$quiet dim"))
        return Content.assemble(*parts)

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked; one that cannot act says why."""
        left = 0
        for entry in fitting(self._entries, self.size.width):
            if left <= event.x < left + entry.width:
                self.app.simulate_key(entry.key)
                return
            left += entry.width
