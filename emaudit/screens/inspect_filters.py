"""The filters of Inspect, a line each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Label, Select, Static

from emaudit.filters import DISAGREEMENTS, PLACES, STATUSES, Filters
from emaudit.screens.base import Dialog
from emaudit.screens.inspect_text import read_range, score_range
from emaudit.text import one_line
from emaudit.watch.snapshot import title

ANY: Final = ""
_PLACES: Final = {"all": "everywhere", "judge": "judges' replies", "notes": "reviewers' notes"}
_DISAGREEMENTS: Final = {"judges": "of two judges", "human": "of judge and person"}
_REVIEWS: Final = (
    ("reviewed", "yes"),
    ("not reviewed", "no"),
    ("flagged", "flagged"),
    ("starred for the paper", "starred"),
)

Choices = Mapping[str, Sequence[str]]
"""What the store has: under `assessment`, `part`, `format`, `outcome`."""


class FiltersDialog(Dialog[Filters]):
    """One choice a line; ctrl+s or enter lists, ctrl+x empties all lines."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("ctrl+s", "list", "List", id="filters.list", priority=True, tooltip="List what passes these filters"),
        Binding("ctrl+x", "empty", "All", id="filters.empty", priority=True, tooltip="Leave everything in"),
    ]

    def __init__(
        self, filters: Filters, variants: Mapping[int, str], judges: Mapping[int, str], choices: Choices
    ) -> None:
        super().__init__()
        self._filters = filters
        self._variants = variants
        self._judges = judges
        self._choices = choices

    def compose(self) -> ComposeResult:
        """Search, then what narrows the list, then whose verdicts count."""
        held = self._filters
        variants = [(one_line(name, 60), str(key)) for key, name in self._variants.items()]
        judges = [(one_line(name, 60), str(key)) for key, name in self._judges.items()]
        with VerticalScroll(id="filters", classes="dialog", can_focus=False) as box:
            box.border_title = Content("what is listed")
            box.border_subtitle = Content("ctrl+s list · ctrl+x all · tab next · esc back")
            yield from self._typed("words", "search", held.words, 'words, "a phrase", begin*')
            yield from self._select("place", "in", [(_PLACES.get(key, key), key) for key in PLACES[1:]], held.place)
            yield from self._select("variant", "variant", variants, _only(map(str, held.variants)))
            keys = self._choices.get("assessment", ())
            yield from self._select(
                "assessment", "assessment", [(title(key), key) for key in keys], _only(held.assessments)
            )
            yield from self._select("part", "about", _named(self._choices.get("part", ())), _only(held.parts))
            yield from self._select("format", "format", _named(self._choices.get("format", ())), _only(held.formats))
            yield from self._select(
                "outcome", "outcome", _named(self._choices.get("outcome", ())), _only(held.outcomes)
            )
            yield from self._select("status", "verdict", _named(STATUSES), held.status)
            yield from self._typed("score", "score", _range(held), "5, 4-5, 4-, -0.5")
            yield from self._select(
                "disagreement", "disagreement", [(_DISAGREEMENTS[key], key) for key in DISAGREEMENTS], held.disagreement
            )
            yield from self._select("review", "reviews", list(_REVIEWS), _review(held))
            yield from self._select(
                "judge", "read by", judges, "" if held.judge is None else str(held.judge), "the judge in use"
            )
            problem = Static(id="problem")
            problem.display = False
            yield problem

    def _typed(self, name: str, label: str, value: str, hint: str) -> ComposeResult:
        with Horizontal(classes="line"):
            yield Label(Content(label))
            yield Input(one_line(value), id=f"filter-{name}", compact=True, placeholder=hint)

    def _select(
        self, name: str, label: str, options: Sequence[tuple[str, str]], value: str, any_label: str = "any"
    ) -> ComposeResult:
        shown = [(Content(one_line(text, 60)), key) for text, key in options]
        first = _PLACES["all"] if name == "place" else any_label
        known = {key for _, key in options}
        with Horizontal(classes="line"):
            yield Label(Content(label))
            yield Select(
                [(Content(first), ANY), *shown],
                value=value if value in known else ANY,
                allow_blank=False,
                id=f"filter-{name}",
                compact=True,
            )

    def _value(self, name: str) -> str:
        found = self.query_one(f"#filter-{name}", Select).value
        return found if isinstance(found, str) else ANY

    def _set(self, name: str) -> frozenset[str]:
        value = self._value(name)
        return frozenset({value} if value else ())

    @on(Input.Submitted)
    def action_list(self) -> None:
        """Leave with the filters; a score that cannot be read is said so."""
        try:
            low, high = read_range(self.query_one("#filter-score", Input).value)
        except ValueError:
            problem = self.query_one("#problem", Static)
            problem.update(Content.styled("the score is a number or a range: 5, 4-5, 4-, -0.5", "$error"))
            problem.display = True
            self.query_one("#filter-score").focus()
            return
        variant, judge, review = self._value("variant"), self._value("judge"), self._value("review")
        self.dismiss(
            replace(
                self._filters,
                words=self.query_one("#filter-words", Input).value,
                place=self._value("place") or "all",
                variants=frozenset({int(variant)} if variant else ()),
                assessments=self._set("assessment"),
                parts=self._set("part"),
                formats=self._set("format"),
                outcomes=self._set("outcome"),
                status=self._value("status"),
                low=low,
                high=high,
                disagreement=self._value("disagreement"),
                reviewed={"yes": True, "no": False}.get(review),
                flagged=review == "flagged",
                starred=review == "starred",
                judge=int(judge) if judge else None,
            )
        )

    def action_empty(self) -> None:
        """Leave with no filter; the choice of a judge stays."""
        self.dismiss(Filters(judge=self._filters.judge))


def _only(values: Iterable[str]) -> str:
    held = list(values)
    return held[0] if len(held) == 1 else ""


def _named(values: Sequence[str]) -> list[tuple[str, str]]:
    return [(value.replace("_", " "), value) for value in values]


def _range(held: Filters) -> str:
    return "" if held.low is None and held.high is None else score_range(held.low, held.high)


def _review(held: Filters) -> str:
    if held.flagged or held.starred:
        return "flagged" if held.flagged else "starred"
    return "" if held.reviewed is None else "yes" if held.reviewed else "no"
