"""The help: every key that does something here, from the bindings, and what the glyphs mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from textual.app import App
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen

from emaudit.screens.page import PageDialog
from emaudit.screens.variant_text import STYLES, joined
from emaudit.watch.snapshot import Stage
from emaudit.widgets.cells import GLYPHS

GROUPS: Final[Mapping[str, str]] = {
    "variants": "Variants",
    "runs": "Runs",
    "inspect": "Inspect",
    "replies": "Inspect, the list",
    "reading": "Inspect, a pane",
    "filters": "Inspect, the filters",
    "review": "Spot-check",
    "rating": "Rate",
    "settle": "Settle",
    "gallery": "Disagreements",
    "correlations": "Correlations",
    "trajectories": "Trajectories",
    "draw": "New queue",
    "rows": "Rows",
    "add": "Add variants",
    "start": "Start a run",
    "edit": "Edit a variant",
    "dialog": "Dialog",
    "leave": "Leave",
    "page": "Page",
    "app": "Everywhere",
}
"""What the first word of a binding's id stands for, in the order of the help."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is bound now; `node` and `action` do it, `is_enabled` says whether it can act."""

    group: str
    shown: str
    label: str
    tooltip: str
    action: str
    node: DOMNode
    is_enabled: bool


def keys_of(screen: Screen[object], app: App[Any]) -> list[Key]:
    """The keys that a screen and the app bind, by group, each action once."""
    found: dict[str, Key] = {}
    for node, binding, is_enabled, _ in screen.active_bindings.values():
        group = (binding.id or "").split(".")[0]
        if group not in GROUPS or not binding.description:
            continue
        key = Key(
            group,
            app.get_key_display(binding),
            binding.description,
            binding.tooltip,
            binding.action,
            node,
            is_enabled,
        )
        found.setdefault(binding.id or "", key)
    order = list(GROUPS)
    return sorted(found.values(), key=lambda key: order.index(key.group))


class HelpDialog(PageDialog):
    """The keys of the screen beneath."""

    def __init__(self, keys: list[Key]) -> None:
        super().__init__("keys", joined(list(_lines(keys))))


def _lines(keys: list[Key]) -> Iterator[Content]:
    group = ""
    for key in keys:
        if key.group != group:
            if group:
                yield Content("")
            group = key.group
            yield Content.styled(GROUPS[group], "bold")
        style = "" if key.is_enabled else "$quiet"
        yield Content.assemble((f"{key.shown:>12}  ", "$primary" if key.is_enabled else style), (key.tooltip, style))
    yield Content("")
    yield Content.styled("An assessment's cell", "bold")
    yield Content("           ●  glyph, stored/planned replies (or percent), headline value")
    for stage, glyph in GLYPHS.items():
        yield Content.assemble((f"{glyph:>12}  ", STYLES[stage]), _MEANING[stage])


_MEANING: Final = {
    Stage.NONE: "not planned: never asked",
    Stage.COUNTING: "being counted",
    Stage.RUNNING: "running: replies are landing",
    Stage.WAITING: "waiting: a run asks it later",
    Stage.OWED: "replies are owed, and no run asks them now",
    Stage.JUDGING: "all replies stored, verdicts of the judge owed",
    Stage.DONE: "done: nothing owed",
}
