"""Editing a variant's name, size, domain, stage and parent; what it was before stays in the store."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widgets import Input, Label, Static

from emaudit.commands import Commands
from emaudit.drafts import EDITABLE
from emaudit.messages import Done, Refused
from emaudit.screens.base import Dialog
from emaudit.text import one_line
from emaudit.variants import SIZES, STAGES, Variant

SUGGESTED: Final = {"size": SIZES, "stage": STAGES, "domain": ("trivia", "code")}


def suggester(name: str, names: Sequence[str]) -> SuggestFromList | None:
    """What a field is likely to be: known sizes, domains and stages; the other variants for a parent."""
    known = names if name == "parent" else SUGGESTED.get(name, ())
    return SuggestFromList([one_line(text) for text in known], case_sensitive=False) if known else None


class EditDialog(Dialog[None]):
    """A form of five fields; ctrl+s saves what changed, and leaves only once it is stored."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("ctrl+s", "save", "Save", id="edit.save", priority=True, tooltip="Save what changed"),
    ]

    def __init__(self, variant: Variant, names: Sequence[str]) -> None:
        super().__init__()
        self._variant = variant
        self._is_saving = False
        self._names = [name for name in names if name != variant.name]

    def compose(self) -> ComposeResult:
        """A line per field."""
        with VerticalScroll(id="edit", classes="dialog", can_focus=False) as box:
            box.border_title = Content(one_line(self._variant.name, 60))
            box.border_subtitle = Content("ctrl+s save · tab next · esc back")
            yield Static(Content(one_line(self._variant.model, 200)), classes="quiet")
            for name in EDITABLE:
                with Horizontal(classes="line"):
                    yield Label(Content(name))
                    yield Input(
                        one_line(getattr(self._variant, name)),
                        id=f"field-{name}",
                        compact=True,
                        suggester=suggester(name, self._names),
                    )
            problem = Static(id="problem")
            problem.display = False
            yield problem

    @on(Input.Submitted)
    def action_save(self) -> None:
        """Save what changed, and leave once it is stored."""
        if self._is_saving:
            return
        values = {name: self.query_one(f"#field-{name}", Input).value.strip() for name in EDITABLE}
        facts = {name: value for name, value in values.items() if value != one_line(getattr(self._variant, name))}
        if not facts:
            self.dismiss(None)
            return
        self._is_saving = True
        self.audit.carry_out(partial(_save, self.audit.commands, self._variant.name, facts), self)

    def on_done(self, message: Done) -> None:
        """Leave: it is stored."""
        message.stop()
        self.audit.post_message(Done(message.text))
        self.dismiss(None)

    def on_refused(self, message: Refused) -> None:
        """Show why nothing was saved, beneath what was typed."""
        message.stop()
        self._is_saving = False
        problem = self.query_one("#problem", Static)
        problem.update(Content.styled(one_line(message.text, 400), "$error"))
        problem.display = True
        problem.scroll_visible(animate=False)

    @on(Input.Changed)
    def _typed(self) -> None:
        """What was refused is no longer what stands there."""
        self.query_one("#problem").display = False


def _save(commands: Commands, name: str, facts: dict[str, str]) -> Message:
    commands.set_fields(name, facts)
    return Done(f"{facts.get('name', name)}: {', '.join(facts)} set")
