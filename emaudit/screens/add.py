"""Adding variants: the models that an endpoint lists, each with its fields guessed, several at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, ClassVar, Final

from rich.cells import cell_len
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Label, Select, Static

from emaudit import drafts
from emaudit.commands import Commands, Offer
from emaudit.drafts import EDITABLE, Draft
from emaudit.errors import EmauditError
from emaudit.messages import Done
from emaudit.screens.base import Dialog
from emaudit.screens.edit import suggester
from emaudit.text import one_line
from emaudit.themes import Tones
from emaudit.variants import Variant
from emaudit.widgets import figures
from emaudit.widgets.cells import MARK, Column, plain_cell
from emaudit.widgets.keybar import KeyBar
from emaudit.widgets.table import RowTable

_LABELS: Final = {"model": "  model", "name": "name", "recipe": "size domain stage", "parent": "parent", "note": "note"}
_NARROW: Final = ("model", "recipe", "parent", "note", "name")
"""Order of the columns where not all fit: the form shows the name."""


def _columns(rows: Sequence[Draft], width: int) -> tuple[Column, ...]:
    """The columns, as wide as what they hold; the name last where not all fit."""
    widths = {}
    for key, label in _LABELS.items():
        longest = max((cell_len(one_line(_text(row, key), 200)) for row in rows), default=0)
        widths[key] = min(40, max(len(label), longest + (2 if key == "model" else 0))) + 2
    keys = tuple(_LABELS) if sum(widths.values()) <= width else _NARROW
    return tuple((key, _LABELS[key], widths[key]) for key in keys)


def _text(row: Draft, key: str) -> str:
    if key == "recipe":
        return " ".join(part for part in (row.size, row.domain, row.stage) if part) or figures.UNKNOWN
    if key == "note":
        return f"added as {row.held_as}" if row.held_as else row.note
    return str(getattr(row, key)) or figures.UNKNOWN


class AddScreen(Dialog[None]):
    """Lists an endpoint's models; space chooses, the form edits the one under the cursor, ctrl+s adds the chosen."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("space", "choose", "Choose", id="add.choose", tooltip="Choose this model, or not"),
        Binding(
            "A,shift+a",
            "choose_all",
            "All",
            id="add.choose_all",
            tooltip="Choose all new models shown but judges, or none",
        ),
        Binding("e", "edit", "Edit", id="add.edit", tooltip="Edit the fields of this model; enter comes back"),
        Binding("slash", "filter", "Filter", key_display="/", id="add.filter", tooltip="Show some models only"),
        Binding("m", "by_hand", "By hand", id="add.by_hand", tooltip="Type a model that the endpoint does not list"),
        Binding("ctrl+s", "save", "Add chosen", id="add.save", priority=True, tooltip="Add the chosen as variants"),
    ]

    class Listed(Message):
        """An endpoint listed its models."""

        def __init__(self, endpoint: str, offers: Sequence[Offer]) -> None:
            super().__init__()
            self.endpoint = endpoint
            self.offers = offers

    class NotListed(Message):
        """An endpoint did not list its models; `why` in one line."""

        def __init__(self, endpoint: str, why: str) -> None:
            super().__init__()
            self.endpoint = endpoint
            self.why = why

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[Draft, ...] = ()
        self._judges: frozenset[str] = frozenset()
        self._status = ""
        self._is_filling = False

    @property
    def held(self) -> list[Variant]:
        """The variants there are already."""
        return [row.variant for row in self.audit.snapshot.variants]

    @property
    def endpoint(self) -> str:
        """The endpoint chosen; empty where none is configured."""
        value = self.query_one("#endpoint", Select).value if self.audit.settings.endpoints else ""
        return value if isinstance(value, str) else ""

    def compose(self) -> ComposeResult:
        """The endpoint, its models, the form of one of them."""
        endpoints = self.audit.settings.endpoints
        with Vertical(id="add"):
            with Horizontal(classes="line"):
                yield Label(Content("endpoint"))
                if endpoints:
                    names = [(Content(f"{one_line(name, 30)}  {one_line(held.base_url, 60)}"), name) for name, held in
                             endpoints.items()]  # fmt: skip
                    yield Select(names, allow_blank=False, id="endpoint", compact=True)
            with Horizontal(classes="line"):
                yield Label(Content("filter"))
                yield Input(id="add-filter", compact=True, placeholder="part of a model's name")
                yield Input(id="by-hand", compact=True, placeholder="or a model it does not list")
            with Container(id="add-body"):
                yield RowTable("models")
                yield Static(id="empty")
                with Vertical(id="form", classes="pane"):
                    for name in EDITABLE:
                        with Horizontal(classes="line"):
                            yield Label(Content(name))
                            yield Input(id=f"field-{name}", compact=True, suggester=suggester(name, self._parents()))
            yield Static(id="status")
        yield KeyBar()

    def _parents(self) -> list[str]:
        return [row.name for row in self.held]

    def on_mount(self) -> None:
        """List the first endpoint's models at once."""
        self.query_one(RowTable).focus()
        self._list()

    @on(Select.Changed, "#endpoint")
    def _list(self) -> None:
        self.rows = ()
        endpoint = self.endpoint
        if endpoint:
            self._status = f"asking {endpoint} for its models"
            self.run_worker(partial(self._ask, endpoint), thread=True, exclusive=True, exit_on_error=False)
        else:
            path = self.audit.settings.path
            self._status = f"No endpoint is configured: add [endpoints.NAME] with base_url to {path}."
        self._draw()

    def _ask(self, endpoint: str) -> None:
        try:
            self.post_message(self.Listed(endpoint, self.audit.commands.offers(endpoint)))
        except EmauditError as error:
            self.post_message(self.NotListed(endpoint, str(error)))

    @on(Listed)
    def _listed(self, message: Listed) -> None:
        if message.endpoint == self.endpoint:
            offers = [(offer.model, offer.note) for offer in message.offers]
            self._judges = frozenset(offer.judge for offer in message.offers)
            self.rows = drafts.drafts(offers, message.endpoint, self.held)
            self._status = "" if self.rows else f"{message.endpoint} lists no models; type one by hand"
            self._draw()
            self._fill()

    @on(NotListed)
    def _not_listed(self, message: NotListed) -> None:
        if message.endpoint == self.endpoint:
            self._status = message.why
            self._draw()
            self.action_by_hand()

    def _shown(self) -> list[int]:
        words = self.query_one("#add-filter", Input).value.casefold().split()
        return [at for at, row in enumerate(self.rows) if all(word in row.model.casefold() for word in words)]

    @property
    def current(self) -> int | None:
        """The index of the draft under the cursor."""
        key = self.query_one(RowTable).selected
        return int(key) if key and int(key) < len(self.rows) else None

    def _draw(self) -> None:
        shown = self._shown()
        table, empty = self.query_one(RowTable), self.query_one("#empty", Static)
        table.display = self.query_one("#form").display = bool(shown)
        empty.display = not shown
        empty.update(Content(one_line(self._status if not self.rows else "No model has these words in it.", 300)))
        tones = self.audit.tones
        columns = _columns([self.rows[at] for at in shown], max(0, table.size.width - 1))
        table.show(columns, [(str(at), _cells(self.rows[at], columns, tones)) for at in shown])
        self._draw_status()
        self.refresh_reasons()

    def _draw_status(self) -> None:
        n = sum(row.is_chosen for row in self.rows)
        why = drafts.problem(self.rows, self.held) if n else ""
        text = Content.styled(f"{n} of {figures.plural(len(self.rows), 'model')} chosen", "bold")
        parts = [text, Content.styled(one_line(why, 300), "$warning")] if why else [text]
        if self.rows and self._status:
            parts.append(Content(one_line(self._status, 300)))
        self.query_one("#status", Static).update(Content("   ").join(parts) if self.rows else Content(""))

    @on(RowTable.Resized)
    def _resized(self) -> None:
        self._draw()

    @on(RowTable.RowHighlighted)
    def _fill(self) -> None:
        """Put the fields of the draft under the cursor into the form."""
        at = self.current
        if at is None:
            return
        self._is_filling = True
        with self.prevent(Input.Changed):
            for name in EDITABLE:
                self.query_one(f"#field-{name}", Input).value = one_line(getattr(self.rows[at], name))
        self._is_filling = False

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        name = (event.input.id or "").removeprefix("field-")
        at = self.current
        if event.input.id == "add-filter":
            self._draw()
        elif name in EDITABLE and at is not None and event.input.has_focus:
            self.rows = drafts.edited(self.rows, at, name, event.value, self.held)
            self._draw()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if event.input.id == "by-hand" and event.value.strip():
            offers = [(row.model, row.note) for row in self.rows] + [(event.value.strip(), "by hand")]
            fresh = drafts.drafts(offers, self.endpoint, self.held)
            self.rows = (*self.rows, *fresh[len(self.rows) :])
            event.input.value = ""
            self.rows = drafts.chosen(self.rows, [len(self.rows) - 1], self.held)
            self._draw()
        self.query_one(RowTable).focus()

    def why_not(self, action: str) -> str:
        """Why a key of this screen cannot act now."""
        if action in {"choose", "choose_all", "edit", "filter", "save"} and not self.rows:
            return "there are no models to choose from"
        if action == "choose":
            at = self.current
            held = self.rows[at].held_as if at is not None else ""
            return f"this model is the variant {one_line(held, 60)} already" if held else ""
        if action == "by_hand" and not self.audit.settings.endpoints:
            return "no endpoint is configured"
        return drafts.problem(self.rows, self.held) if action == "save" else ""

    def action_choose(self) -> None:
        """Choose the model under the cursor, or not, and go on to the next."""
        at = self.current
        if at is not None:
            self.rows = drafts.chosen(self.rows, [at], self.held)
            self._draw()
            self.query_one(RowTable).action_cursor_down()

    def action_choose_all(self) -> None:
        """Choose all new models shown but judges; none where all are chosen."""
        new = [at for at in self._shown() if not self.rows[at].held_as]
        open_ = [at for at in new if not self.rows[at].is_chosen and not self._is_judge(self.rows[at].model)]
        wanted = open_ or [at for at in new if self.rows[at].is_chosen]
        self.rows = drafts.chosen(self.rows, wanted, self.held)
        self._draw()

    def _is_judge(self, model: str) -> bool:
        return model in self._judges or "judge" in model.casefold()

    def action_edit(self) -> None:
        """Go to the form."""
        self.query_one("#field-name", Input).focus()

    @on(RowTable.RowSelected)
    def _entered(self) -> None:
        self.action_edit()

    def action_filter(self) -> None:
        """Go to the filter."""
        self.query_one("#add-filter", Input).focus()

    def action_by_hand(self) -> None:
        """Go to the line for a model that the endpoint does not list."""
        if self.endpoint:
            self.query_one("#by-hand", Input).focus()

    def action_leave(self) -> None:
        """From a field back to the list; from the list back to the screen."""
        if isinstance(self.focused, Input) and self.rows:
            self.query_one(RowTable).focus()
        else:
            self.dismiss(None)

    def action_save(self) -> None:
        """Add the chosen as variants."""
        reason = self.why_not("save")
        if reason:
            self.notify(reason, severity="warning", markup=False)
            return
        self.audit.carry_out(partial(_add, self.audit.commands, [row for row in self.rows if row.is_chosen]))
        self.dismiss(None)


def _add(commands: Commands, rows: Iterable[Draft]) -> Message:
    fields = [row.fields() for row in rows]
    commands.add_variants(fields)
    return Done(f"{figures.plural(len(fields), 'variant')} added")


def _cells(row: Draft, columns: Sequence[Column], tones: Tones) -> tuple[Text, ...]:
    style = tones.plain if row.is_chosen else tones.quiet if row.held_as else ""
    found = []
    for key, _, width in columns:
        if key == "model":
            mark = Text(f"{MARK} " if row.is_chosen else "  ", tones.active, no_wrap=True, overflow="ellipsis", end="")
            found.append(mark.append_text(plain_cell(_text(row, key), width - 2, style or tones.plain)))
        else:
            found.append(plain_cell(_text(row, key), width, style or tones.quiet))
    return tuple(found)
