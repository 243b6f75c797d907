"""A program for a terminal of its own: the app with raw hostile text in every kind of widget that shows text.

`python sinks.py STORE shielded` draws them and leaves; `bare` is without the shield, `benign` without the hostility.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style as RichStyle
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.containers import Vertical
from textual.content import Content
from textual.filter import LineFilter
from textual.pilot import Pilot
from textual.screen import Screen
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget
from textual.widgets import (
    Button,
    Checkbox,
    Collapsible,
    DataTable,
    Footer,
    Header,
    Input,
    Label,
    ListItem,
    ListView,
    Log,
    Markdown,
    OptionList,
    Placeholder,
    Pretty,
    RadioButton,
    RichLog,
    Select,
    SelectionList,
    Static,
    Tab,
    Tabs,
    TextArea,
    Tree,
)

from emaudit.app import EmauditApp
from emaudit.config import Settings
from emaudit.watch.process import Tell
from tests.hostile.strings import CONTROLS, ESCAPES, HIDDEN, SURROGATES

WIDTH: Final = 200
HEIGHT: Final = 180
"""Of the terminal: wide enough for a text on one line, high enough for all of them."""
KINDS_ARE: Final = "kinds of widgets"
HOSTILE: Final = [text.replace("\n", " ") for text in {**ESCAPES, **CONTROLS, **HIDDEN, **SURROGATES}.values()]
EACH: Final = 8
"""How many of these a kind of widget is given, the next kind the next ones: all of them are drawn, by several kinds."""
_MARK: Final = re.compile(rb"\x1b\[>1(\d\d)q")
KINDS: Final[list[str]] = []
"""The kinds of widget, in the order they were first made; a mark holds a kind's place here."""


def leaks(written: bytes) -> tuple[set[str], set[str]]:
    """The kinds whose mark reached the terminal, and all kinds, from what a run wrote."""
    kinds = written.decode("utf-8", "replace").rsplit(KINDS_ARE, 1)[1].strip().split("|")[1:]
    return {kinds[int(place)] for place in _MARK.findall(written)}, set(kinds)


def raw(kind: str) -> str:
    """Hostile text as it came, behind a mark of the widget's kind: a sequence that nothing else writes.

    In a benign run the kind and an address, which Markdown underlines.
    """
    if kind not in KINDS:
        KINDS.append(kind)
    if sys.argv[-1] == "benign":
        return f"{kind} http://x.example/"
    place = KINDS.index(kind)
    given = islice(cycle(HOSTILE), place * EACH, (place + 1) * EACH)
    return f"\x1b[>1{place:02}q{' '.join(given)}"


class Idle:
    """A watch of nothing."""

    def __init__(self) -> None:
        self._ended = threading.Event()

    def run(self, tell: Tell) -> None:
        """Wait for the end."""
        self._ended.wait()

    def wake(self) -> None:
        """Nothing is looked at."""

    def stop(self) -> None:
        """End."""
        self._ended.set()


class Drawn(Widget):
    """Draws its lines itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def render_line(self, y: int) -> Strip:
        """The text as it came."""
        return Strip([Segment(self._text)])


class Commanding(Drawn):
    """Draws a control segment, which rich leaves as it is."""

    def render_line(self, y: int) -> Strip:
        """The text as it came."""
        return Strip([Segment(self._text, None, [(1,)])])  # type: ignore[list-item]


class Said:
    """Something whose `repr` is what it was given."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


class Rendered(Widget):
    """Gives a renderable of rich's."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def render(self) -> Text:
        """The text as it came."""
        return Text(self._text)


def content(kind: str) -> Content:
    """The same as Textual's content, which parses no markup."""
    return Content(raw(kind))


def widgets() -> Iterator[Widget]:
    """One widget of every kind that shows text, with the text in it as it came."""
    yield Static(content("Static"))
    yield Static(Text(raw("Static with rich text")))
    yield Static(raw("Static without markup"), markup=False)
    yield Label(content("Label"))
    yield Button(content("Button"))
    yield Checkbox(content("Checkbox"))
    yield RadioButton(content("RadioButton"))
    yield TextArea(raw("TextArea"), read_only=True)
    yield TextArea("", placeholder=content("TextArea's placeholder"))
    log = RichLog(markup=False)
    log.write(Text(raw("RichLog")))
    yield log
    plain = Log()
    plain.write(raw("Log"))
    yield plain
    table: DataTable[Text] = DataTable()
    table.add_column(Text(raw("DataTable's header")))
    table.add_row(Text(raw("DataTable's cell")), label=Text("row"))
    yield table
    labelled: DataTable[Text] = DataTable()
    labelled.add_column(Text("column"))
    labelled.add_row(Text("cell"), label=Text(raw("DataTable's label")))
    yield labelled
    yield Markdown(raw("Markdown"))
    yield Markdown(f"```\n{raw('Markdown, fenced')}\n```")
    yield Input(raw("Input"))
    yield Input("", placeholder=raw("Input's placeholder"))
    yield OptionList(content("OptionList"))
    yield SelectionList((content("SelectionList"), 1))
    yield Select([(content("Select"), 1)], value=1)
    yield Select([("x", 1)], prompt=raw("Select's prompt"))
    tree: Tree[None] = Tree(Text(raw("Tree")))
    tree.root.add_leaf(Text(raw("Tree's leaf")))
    tree.root.expand()
    yield tree
    yield Collapsible(Static("x"), title=content("Collapsible"))  # type: ignore[arg-type]
    yield ListView(ListItem(Label(content("ListView"))))
    yield Placeholder(content("Placeholder"))  # type: ignore[arg-type]
    yield Pretty(Said(raw("Pretty")))
    yield Tabs(Tab(content("Tabs")))
    titled = Static("x")
    titled.styles.border = ("round", "white")
    titled.border_title, titled.border_subtitle = content("border title"), content("border subtitle")
    yield titled
    yield Drawn(raw("a line of segments"))
    yield Commanding(raw("a control segment"))
    yield Rendered(raw("a renderable"))
    yield Static(Content.assemble(("x", Style(link=raw("link")))))
    yield Static(Text("x", RichStyle(link=raw("rich text's link"))))
    hovered = Static("hovered", id="hovered")
    hovered.tooltip = content("tooltip")
    yield hovered


class Offers(Provider):
    """A palette that offers hostile text."""

    async def discover(self) -> Hits:
        """Before anything is typed."""
        offered = content("palette")
        yield DiscoveryHit(offered, self.app.bell, text="x", help=raw("palette's help"))

    async def search(self, query: str) -> Hits:
        """Whatever is typed."""
        yield Hit(1, content("palette, searched"), self.app.bell, text="x", help="x")


class Sinks(Screen[None]):
    """All of them at once."""

    CSS = "Sinks > Vertical > * { height: 4; width: 100%; max-width: 100%; } DataTable { scrollbar-size: 0 0; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f12", "app.bell", raw("Footer"))]

    def compose(self) -> ComposeResult:
        """One beneath the other."""
        yield Header()
        with Vertical():
            yield from widgets()
        yield Footer()


class Shielded(EmauditApp):
    """The app as it is, with a palette of hostile offers."""

    COMMANDS: ClassVar[set[type[Provider]]] = {Offers}  # type: ignore[assignment]


class Bare(Shielded):
    """The same without the shield."""

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own filters alone."""
        return App.get_line_filters(self)


async def walk(pilot: Pilot[int]) -> None:
    """Draw everything, hover, notify, open the palette and search it, leave."""
    app = pilot.app
    app.title = raw("Header")
    app.sub_title = raw("Header's subtitle")
    await app.push_screen(Sinks())
    await pilot.pause(0.2)
    app.screen.query_one(Input).focus()
    hovered = app.screen.query_one("#hovered")
    while not (hovered.region and app.screen.region.contains_region(hovered.region)):
        await pilot.pause(0.1)
    await pilot.hover("#hovered")
    await pilot.pause(0.8)
    app.notify(raw("toast"), title=raw("toast's title"), markup=False, timeout=60)
    await pilot.pause(0.2)
    app.screen.query(Select).first().action_show_overlay()
    await pilot.pause(0.2)
    app.clear_notifications()
    await pilot.press("escape")
    app.action_command_palette()
    await pilot.pause(0.5)
    await pilot.press("x")
    await pilot.pause(0.5)
    app.exit(0)


def main(store: str, kind: str) -> int:
    """Draw them in this terminal; prints the kinds at the end. Returns the app's exit code."""
    chosen = Bare if kind == "bare" else Shielded
    app = chosen(Path(store), Settings(Path(store)), watching=Idle())
    app.run(auto_pilot=walk)
    if app._exception is not None:
        raise app._exception
    print(KINDS_ARE, *KINDS, sep="|")
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
