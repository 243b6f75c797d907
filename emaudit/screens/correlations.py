"""F6 Correlations: do self-reports track behaviour, across all variants?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import on
from textual.binding import Binding
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget

from emaudit.analysing.answers import ALL, COLUMNS, WITHOUT, Card, Correlations, Judges, Pair, Topic
from emaudit.analysing.keeper import Known
from emaudit.screens import correlation_text as text
from emaudit.screens.analysis import AnalysisScreen, after, common_bindings
from emaudit.screens.analysis_text import as_csv, measure_words, subset_words
from emaudit.watch.snapshot import Snapshot
from emaudit.widgets.grid import Grid
from emaudit.widgets.plot import scatter
from emaudit.widgets.plot_pane import PlotPane
from emaudit.widgets.words import Words

if TYPE_CHECKING:
    from emaudit.scores.correlationrow import CorrelationRow

REST_S: Final = 0.15
"""The cursor rests this long on a pair before its card is computed."""
LEGEND: Final = 34
CARD_PARTS: Final = ("text", "published", "said", "without")
"""The parts of the card, in order."""
LISTED: Final = 7
"""Rows of the matrix in view where the panes stand below it."""


class CorrelationsScreen(AnalysisScreen):
    """The matrix of measures; of the chosen pair the scatter and the card."""

    MODE = "correlations"
    WHAT = "correlations"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("t", "columns", "Columns", id="correlations.columns", tooltip="Self-reports: harmless part, or total"),
        Binding("b", "subset", "Subset", id="correlations.subset", tooltip="All variants, or a domain with the bases"),
        Binding("i", "decided", "Decided", id="correlations.decided", tooltip="All replies, or without the undecided"),
        Binding("w", "without", "Without", id="correlations.without",
                tooltip="Leave out one variant, size, question or category: the next of these"),
        *common_bindings("correlations"),
        Binding("f", "level", "Formats", show=False, id="correlations.level",
                tooltip="List measures, formats of self-assessment, or moral foundations"),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.columns = COLUMNS[0]
        self.subset = ALL
        self.level = text.LEVELS[0]
        self.without = WITHOUT[0]
        self._found: Correlations | None = None
        self._matrix = text.Matrix((), (), {})
        self._rest: Timer | None = None
        self._sought = ""

    def compose_body(self) -> Iterable[Widget]:
        """The line, the matrix over the scatter, the card, the warning that always stands."""
        yield Words(id="where", is_fixed=True)
        with Container(id="body"):
            with Vertical(id="left"):
                with Vertical(id="list", classes="pane"):
                    yield Grid("matrix")
                    yield Words(id="empty")
                with PlotPane(id="plot", classes="pane"):
                    yield Words(id="plot-text", is_fixed=True)
                    yield Words(id="legend", is_fixed=True)
            with VerticalScroll(id="card", classes="pane", can_focus=False):
                yield Words(id="card-text")
                yield Words(id="card-published")
                yield Words(id="card-said")
                yield Words(id="card-without")
        yield Words(id="standing")

    def draw(self, snapshot: Snapshot) -> None:
        """Draw the matrix, and what is known of the chosen pair."""
        known = self.known(Topic.CORRELATIONS)
        if isinstance(known.found, Correlations):
            self._found, self.held = known.found, known.found.held
            self._keep_choices(known.found)
            self._matrix = text.matrix(known.found, self.columns, self.subset, self.level)
        sentence = self.sentence(snapshot, known, len(self._matrix.cells))
        self._draw_line(known)
        self._draw_matrix(sentence)
        self._draw_pair(snapshot, bool(sentence))

    def nothing(self) -> str:
        """Where the chosen level has its pairs, else that there are none."""
        found = self._found
        return (found and text.elsewhere(found, self.columns, self.subset, self.level)) or super().nothing()

    def _keep_choices(self, found: Correlations) -> None:
        """A subset or level that another store does not have falls back to the first."""
        if self.subset not in {row.subset for row in found.rows}:
            self.subset = ALL
        if self.level not in text.levels(found):
            self.level = text.LEVELS[0]

    def _draw_line(self, known: Known) -> None:
        replies = "decided replies" if self.analyses.scope.decided else "every reply"
        self.draw_line(known, (self.columns, subset_words(self.subset), replies))

    def _draw_matrix(self, sentence: str) -> None:
        grid = self.query_one(Grid)
        grid.display = not sentence
        empty = self.query_one("#empty", Words)
        empty.display = bool(sentence)
        empty.show(Content(sentence))
        self.entitle("#list", f"{self.level}: rho over variants, and how many")
        is_above = not sentence
        height = min(len(self._matrix.rows), LISTED) + 2 if is_above else "1fr"
        self.query_one("#list").styles.height = height
        if sentence:
            return
        place = grid.place
        grid.show(text.matrix_columns(self._matrix), text.matrix_rows(self._matrix, self.audit.tones))
        if place not in self._matrix.cells and grid.place not in self._matrix.cells:
            grid.go_to(*text.first_pair(self._matrix))

    @property
    def pair(self) -> Pair | None:
        """The pair under the cursor; None where a measure meets itself."""
        return text.pair_at(self._matrix, self.query_one(Grid).place)

    @property
    def row(self) -> CorrelationRow | None:
        """The row of the pair under the cursor."""
        return self._matrix.cells.get(self.query_one(Grid).place)

    def _draw_pair(self, snapshot: Snapshot, is_empty: bool) -> None:
        plot, card = self.query_one("#plot"), self.query_one("#card")
        is_wide = self.has_class("-wide")
        plot.display = not is_empty and (is_wide or not self.shows_words)
        card.display = not is_empty and (is_wide or self.shows_words)
        self.query_one("#left").styles.height = "1fr" if is_empty or plot.display else "auto"
        standing = self.query_one("#standing", Words)
        standing.display = not is_empty
        standing.show(Content.styled(f"! {text.STANDING}", "$warning"))
        if is_empty:
            return
        pair, row = self.pair, self.row
        if pair is None or row is None:
            self._say("A measure beside itself: move to a pair.")
            return
        self.entitle("#plot", f"{measure_words(row.y)} over {measure_words(row.x)}")
        known = self._known_card(pair)
        if isinstance(known.found, Card) and Pair.of(known.found.row) == pair:
            self._draw_card(known, known.found, pair)
        else:
            why = f"The card cannot be computed: {known.problem}" if known.problem else "Computing the card."
            self._say(why, row)

    def _known_card(self, pair: Pair) -> Known:
        return self.known(Topic.PAIR, pair=pair)

    def _say(self, words: str, row: CorrelationRow | None = None) -> None:
        """One sentence in place of the plot; the row's own numbers, where they are known, in the card."""
        self.query_one("#plot-text", Words).show(Content.styled(words, "$quiet"))
        self.query_one("#legend", Words).show(Content(""))
        lines = text.row_lines(row) if row is not None else []
        self.entitle("#card", "the card")
        self._show_card({"text": [*lines, Content.styled(words, "$quiet")]})

    def _show_card(self, parts: Mapping[str, list[Content]]) -> None:
        """The parts of the card, and what was asked for brought into view."""
        for name in CARD_PARTS:
            part = self.query_one(f"#card-{name}", Words)
            lines = parts.get(name, [])
            part.display = bool(lines)
            part.show(Content("\n").join(lines))
        if self._sought in parts:
            self.call_after_refresh(self._bring, self._sought)
            self._sought = ""

    def _bring(self, name: str) -> None:
        """Scroll the card to one of its parts."""
        part = self.query_one(f"#card-{name}", Words)
        self.query_one("#card").scroll_to_widget(part, animate=False, top=name == "without", force=True)

    def _draw_card(self, known: Known, card: Card, pair: Pair) -> None:
        when = "the card, as it was before" if known.is_old else "the card"
        self.entitle("#card", f"{when}; {text.without_title(card, self.without)}")
        self._show_card(
            {
                "text": text.card(card),
                "published": self._published(card),
                "said": text.said_lines(card, self._judges(pair)),
                "without": text.without_lines(card, self.without),
            }
        )
        room = self.query_one("#plot").content_region
        legend_width = min(LEGEND, max(0, room.width - 30))
        found = text.marks(card.points)
        width = max(0, room.width - legend_width - 1)
        drawn, hidden = scatter(found, card.x, card.y, width, room.height)
        plot = self.query_one("#plot-text", Words)
        plot.styles.width = width
        plot.show(Content("\n").join(drawn))
        axes = (card.x, card.y)
        legend = text.legend(card.points, legend_width, room.height, hidden, axes) if legend_width > 8 else Content("")
        self.query_one("#legend", Words).show(legend)

    def _published(self, card: Card) -> list[Content]:
        """The paper's numbers of a card's pair, where they are to stand beside."""
        if self._found is None or not self.analyses.has_published:
            return []
        return text.published_lines(card.row, self._found.published_row(Pair.of(card.row)))

    def _judges(self, pair: Pair) -> Judges | None:
        """The pair under every stored judge, where there is more than one."""
        if len(self.held.judges) < 2:
            return None
        found = self.known(Topic.JUDGES, pair=pair)
        is_of_pair = found.question is not None and found.question.pair == pair
        return found.found if isinstance(found.found, Judges) and is_of_pair else None

    # What the keys do.

    @on(Grid.CellHighlighted)
    def _moved(self) -> None:
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(REST_S, self._rested)
        self.refresh_reasons()

    def _rested(self) -> None:
        if self._matrix.cells:
            self._draw_pair(self.audit.snapshot, False)
            self.refresh_reasons()

    @on(Grid.CellSelected)
    def _entered(self) -> None:
        """Open the whole card."""
        from emaudit.screens.page import PageDialog

        pair = self.pair
        known = self._known_card(pair) if pair is not None else None
        if pair is not None and known is not None and isinstance(known.found, Card):
            page = text.page(known.found, self._published(known.found), self._judges(pair), WITHOUT)
            self.app.push_screen(PageDialog(f"{pair.x} × {pair.y}", page))

    def why_not(self, action: str) -> str:
        """Why a key of this screen cannot act now."""
        reason = super().why_not(action)
        if reason:
            return reason
        if action in {"columns", "subset", "decided", "without", "level"} and self._found is None:
            return "there are no correlations yet"
        if action == "subset" and len(self._subsets()) < 2:
            return "there is only one domain here"
        if action == "level" and self._found is not None and len(text.levels(self._found)) < 2:
            return "no self-assessment with formats was asked"
        if action == "copy" and self.is_mounted and self.row is None:
            return "a measure beside itself: move to a pair"
        return ""

    def _subsets(self) -> list[str]:
        return list(dict.fromkeys(row.subset for row in self._found.rows)) if self._found else []

    def action_columns(self) -> None:
        """The harmless part of the self-reports, or their total."""
        self.columns = after(COLUMNS, self.columns)
        self._forget_place_and_redraw()

    def action_subset(self) -> None:
        """All variants, or the next domain with the bases."""
        self.subset = after(self._subsets(), self.subset)
        self.redraw()

    def action_decided(self) -> None:
        """All replies, or those that decided between the poles."""
        self.analyses.scope = replace(self.analyses.scope, decided=not self.analyses.scope.decided)
        self.redraw()

    def action_without(self) -> None:
        """Show what is left without one thing of a kind; the next kind where the card is in view."""
        if self.query_one("#card").display:
            self.without = after(WITHOUT, self.without)
        self._seek("without")

    def action_beside(self) -> None:
        """Put the published values beside, and bring them into view, or take them away."""
        self.analyses.has_published = not self.analyses.has_published
        if self.analyses.has_published:
            self._seek("published")
        else:
            self.redraw()

    def _seek(self, part: str) -> None:
        """Show the words at a part of the card."""
        self.shows_words = True
        self._sought = part
        self.redraw()

    def action_level(self) -> None:
        """Measures, formats or foundations."""
        if self._found is not None:
            self.level = after(text.levels(self._found), self.level)
            self._forget_place_and_redraw()

    def _forget_place_and_redraw(self) -> None:
        """Other measures stand in the matrix: the cursor stays on its row and column."""
        grid = self.query_one(Grid)
        at = grid.cursor_coordinate
        self.redraw()
        grid.move_cursor(row=at.row, column=max(1, at.column))
        if grid.place not in self._matrix.cells:
            grid.go_to(*text.first_pair(self._matrix))

    def action_copy(self) -> None:
        """Copy the row of the pair as correlations.csv has it."""
        row = self.row
        if row is not None:
            self.copy(as_csv([row]))
