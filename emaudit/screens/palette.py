"""What ctrl+p offers: every action that can be done now, grouped by where it belongs, and the themes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from textual.command import DiscoveryHit, Hit, Provider
from textual.content import Content

from emaudit import themes
from emaudit.screens.keys import GROUPS, keys_of

_HIDDEN = frozenset({"rows", "page", "dialog", "leave"})


@dataclass(frozen=True, slots=True)
class _Offer:
    text: str
    help: str
    run: Callable[[], Any]


class ActionProvider(Provider):
    """Offers the keys of the screen that can act now, and the themes; on a blind screen nothing but its own keys."""

    async def discover(self) -> AsyncIterator[DiscoveryHit]:
        """Everything there is, by group."""
        for offer in self._offers():
            yield DiscoveryHit(Content(offer.text), offer.run, text=offer.text, help=offer.help)

    async def search(self, query: str) -> AsyncIterator[Hit]:
        """What matches the query, anywhere in the line."""
        matcher = self.matcher(query)
        for offer in self._offers():
            score = matcher.match(offer.text)
            if score > 0:
                yield Hit(score, matcher.highlight(offer.text), offer.run, text=offer.text, help=offer.help)

    def _offers(self) -> Iterator[_Offer]:
        is_blind = bool(getattr(self.screen, "is_blind", False))
        for key in keys_of(self.screen, self.app):
            if is_blind and key.node is not self.screen:
                continue
            if key.is_enabled and key.group not in _HIDDEN and key.action != "command_palette":
                run = partial(self.app.run_action, key.action, key.node)
                yield _Offer(f"{GROUPS[key.group]}: {key.label}", f"{key.tooltip} ({key.shown})", run)
        for theme in () if is_blind else themes.THEMES:
            if theme.name != self.app.theme:
                name = themes.NAMES[theme.name]
                yield _Offer(f"Theme: {name}", f"Draw everything in the {name} theme", partial(self._theme, theme.name))

    def _theme(self, name: str) -> None:
        self.app.theme = name
