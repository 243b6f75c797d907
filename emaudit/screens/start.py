"""The start dialog: which assessments at which size, what that still asks, and who judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Checkbox, Input, Label, RadioSet, Select, Static

from emaudit.commands import Cost, Order
from emaudit.errors import EmauditError
from emaudit.screens.base import Dialog
from emaudit.text import one_line
from emaudit.variants import Variant
from emaudit.watch.snapshot import title
from emaudit.widgets import figures
from emaudit.widgets.ticks import Choice, Tick

PRESETS: Final = ("paper", "quick", "smoke")
ASSESSMENTS: Final = (
    "harmfulness",
    "intentions",
    "self_assessment",
    "moral_foundations",
    "moral_self_assessment",
    "open_ended",
)
NOT_BY_DEFAULT: Final = frozenset({"open_ended"})
WAIT_S: Final = 0.4
"""Seconds without a change after which the costs are asked for."""
OWN: Final = ""
"""The judge's endpoint: the settings', else each variant's own."""


class StartDialog(Dialog[Order]):
    """Shows what a run would ask before it asks anything; gives the order to start, or None."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("ctrl+s", "start", "Start", id="start.start", priority=True, tooltip="Start the run"),
    ]

    class Counted(Message):
        """The costs of an order are known."""

        def __init__(self, order: Order, costs: Sequence[Cost]) -> None:
            super().__init__()
            self.order = order
            self.costs = costs

    class NotCounted(Message):
        """The costs of an order cannot be known; `why` in one line."""

        def __init__(self, order: Order, why: str) -> None:
            super().__init__()
            self.order = order
            self.why = why

    def __init__(self, variants: tuple[Variant, ...]) -> None:
        super().__init__()
        self._variants = variants
        self._costs: Mapping[str, Cost] = {}
        self._why = ""
        self._asked: Order | None = None

    def compose(self) -> ComposeResult:
        """Variants, preset, a line per assessment with its costs, the judge, the cap."""
        settings = self.audit.settings
        endpoints = [(Content(one_line(name, 30)), name) for name in settings.endpoints]
        with VerticalScroll(id="start", classes="dialog", can_focus=False) as box:
            box.border_title = Content("start a run")
            box.border_subtitle = Content("ctrl+s start · tab next · esc back")
            yield Static(Content(self._who()), classes="quiet")
            with RadioSet(id="preset", compact=True):
                for preset in PRESETS:
                    yield Choice(Content(preset), value=preset == PRESETS[0], id=preset)
            yield Static(id="costs-head")
            for key in ASSESSMENTS:
                with Horizontal(classes="line"):
                    yield Tick(Content(f"{title(key):<22}"), key not in NOT_BY_DEFAULT, id=key, compact=True)
                    yield Static(id=f"cost-{key}", classes="cost")
            yield Static(id="total")
            with Horizontal(classes="line"):
                yield Label(Content("judge"))
                yield Input(
                    settings.judge.model, id="judge", compact=True, placeholder="the endpoint's own, where it names one"
                )
            with Horizontal(classes="line"):
                yield Label(Content("judged by"))
                yield Select(
                    [(Content("the settings', else the variant's own endpoint"), OWN), *endpoints],
                    value=OWN,
                    allow_blank=False,
                    id="judge-endpoint",
                    compact=True,
                )
            with Horizontal(classes="line"):
                yield Label(Content("in flight"))
                yield Input(id="cap", compact=True, type="integer", placeholder="at most; empty: as the endpoint takes")
            yield Static(id="why")
            with Horizontal(id="buttons"):
                yield Button(Content("Start"), id="go", variant="primary", compact=True)
                yield Button(Content("Back"), id="back", compact=True)

    def _who(self) -> str:
        names = [row.name for row in self._variants]
        if len(names) == 1:
            return one_line(f"{names[0]}  {self._variants[0].model}", 200)
        return one_line(f"{len(names)} variants: {', '.join(names)}", 200)

    def on_mount(self) -> None:
        """Ask for the costs at once."""
        self._draw()
        self._ask()

    def order(self, every: bool = False) -> Order:
        """The order as the dialog stands; with `every`, over all assessments."""
        pressed = self.query_one("#preset", RadioSet).pressed_button
        cap = self.query_one("#cap", Input).value
        endpoint = self.query_one("#judge-endpoint", Select).value
        return Order(
            tuple(row.name for row in self._variants),
            ASSESSMENTS if every else self._chosen(),
            pressed.id or PRESETS[0] if pressed else PRESETS[0],
            self.query_one("#judge", Input).value.strip(),
            endpoint if isinstance(endpoint, str) else OWN,
            int(cap) if cap.isdigit() else 0,
        )

    def _chosen(self) -> tuple[str, ...]:
        return tuple(key for key in ASSESSMENTS if self.query_one(f"#{key}", Checkbox).value)

    @on(RadioSet.Changed)
    @on(Select.Changed)
    @on(Input.Changed, "#judge")
    def _changed(self) -> None:
        self._costs, self._why = {}, ""
        self._draw()
        self.set_timer(WAIT_S, self._ask)

    @on(Checkbox.Changed)
    def _picked(self) -> None:
        self._draw()
        self.refresh_reasons()

    def _ask(self) -> None:
        """Ask for the costs of all assessments, unless they are being asked for already."""
        if not self.is_attached:
            return
        order = self.order(every=True)
        if order != self._asked:
            self._asked = order
            self.run_worker(partial(self._count, order), thread=True, exclusive=True, exit_on_error=False)

    def _count(self, order: Order) -> None:
        try:
            self.post_message(self.Counted(order, self.audit.commands.costs(order)))
        except EmauditError as error:
            self.post_message(self.NotCounted(order, str(error)))

    @on(Counted)
    def _counted(self, message: Counted) -> None:
        if message.order == self._asked:
            self._costs = {cost.assessment: cost for cost in message.costs}
            self._draw()

    @on(NotCounted)
    def _not_counted(self, message: NotCounted) -> None:
        if message.order == self._asked:
            self._why = message.why
            self._draw()

    def _draw(self) -> None:
        head = f"{'':26}{'owed':>8}{'to judge':>9}{'requests':>9}{'tokens':>13}{'price':>9}"
        self.query_one("#costs-head", Static).update(Content.styled(head, "$quiet"))
        chosen = self._chosen()
        for key in ASSESSMENTS:
            cost = self._costs.get(key)
            style = "" if key in chosen else "$quiet"
            text = self._numbers(cost) if cost else ("" if self._why else f"{'…':>8}")
            self.query_one(f"#cost-{key}", Static).update(Content.styled(text, style))
        self.query_one("#total", Static).update(self._total(chosen))
        why = self.query_one("#why", Static)
        why.display = bool(self._why)
        why.update(Content.styled(one_line(self._why, 400), "$warning"))

    @staticmethod
    def _numbers(cost: Cost) -> str:
        tokens = f"{figures.tokens(cost.input_tokens)}+{figures.tokens(cost.output_tokens)}"
        return (
            f"{figures.count(cost.n_owed):>8}{figures.count(cost.n_judgements):>9}"
            f"{figures.count(cost.n_requests):>9}{tokens:>13}{figures.price(cost.price):>9}"
        )

    def _total(self, chosen: Sequence[str]) -> Content:
        costs = [self._costs[key] for key in chosen if key in self._costs]
        if not costs:
            return Content.styled("counting what is owed" if not self._why else "", "$quiet")
        names = ("n_slots", "n_owed", "n_judgements", "n_requests", "input_tokens", "output_tokens")
        sums = {name: sum(getattr(cost, name) for cost in costs) for name in names}
        prices = [cost.price for cost in costs]
        known = [price for price in prices if price is not None]
        total = Cost("", **sums, price=sum(known) if len(known) == len(prices) else None)
        note = "" if total.n_owed or total.n_judgements else "  nothing owed"
        return Content.styled(f"{'  all of these':<26}{self._numbers(total)}{note}", "bold")

    def why_not(self, action: str) -> str:
        """Why the run cannot start as the dialog stands."""
        if action == "start" and self.is_mounted and not self._chosen():
            return "no assessment is chosen: space chooses one"
        return ""

    @on(Button.Pressed, "#go")
    @on(Input.Submitted)
    def action_start(self) -> None:
        """Leave the dialog with the order."""
        reason = self.why_not("start")
        if reason:
            self.notify(reason, severity="warning", markup=False)
            return
        self.dismiss(self.order())

    @on(Button.Pressed, "#back")
    def _back(self) -> None:
        self.dismiss(None)
