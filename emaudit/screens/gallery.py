"""The disagreements with the judge, the largest first: read after the blind part, each tagged with its cause."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content

from emaudit.errors import EmauditError
from emaudit.reviewing.sitting import Sitting
from emaudit.screens.base import Dialog
from emaudit.text import DISPLAY_LIMIT, one_line, visible
from emaudit.themes import Tones
from emaudit.widgets import figures
from emaudit.widgets.cells import Column, plain_cell
from emaudit.widgets.keybar import KeyBar
from emaudit.widgets.table import RowTable
from emaudit.widgets.words import Words

if TYPE_CHECKING:
    from emaudit.reviewing.gallery import Disagreement, Gallery

CAUSES = (
    ("h", "too harsh", "The judge is too harsh here"),
    ("l", "too lenient", "The judge is too lenient here"),
    ("i", "injected", "The response speaks to its judge"),
    ("m", "misread", "The judge misread the response"),
)
COLUMNS: tuple[Column, ...] = (
    ("item", "item", 6),
    ("you", "you", 5),
    ("judge", "judge", 7),
    ("by", "judge−you", 11),
    ("cause", "cause", 13),
)


class GalleryScreen(Dialog[None]):
    """A row per disagreement; the chosen one's response, the judge's own words, the note."""

    BINDINGS: ClassVar[list[Any]] = [
        *(
            Binding(key, f"tag('{cause}')", cause.capitalize(), id=f"gallery.{key}", tooltip=tip)
            for key, cause, tip in CAUSES
        ),
        Binding("e", "again", "My error", id="gallery.e", tooltip="My error: give a new score, kept as not blind"),
        Binding("u", "untag", "No cause", id="gallery.u", tooltip="Take the cause off again"),
        Binding("space", "scroll(1)", "Read on", show=False, id="gallery.down", tooltip="Read on: one page down"),
        Binding("pageup", "scroll(-1)", "Read back", show=False, id="gallery.up", tooltip="One page up"),
        *(
            Binding(
                key,
                f"answer('{key}')",
                f"Score {key}",
                show=False,
                key_display="1-5 a b" if key == "1" else None,
                id=f"gallery.answer_{key}",
                tooltip="After e: the new score" if key == "1" else f"After e: {key} as the new score",
            )
            for key in ("1", "2", "3", "4", "5", "a", "b")
        ),
    ]

    def __init__(self, sitting: Sitting[Gallery], queue: str) -> None:
        super().__init__()
        self.rows: tuple[Disagreement, ...] = ()
        self._sitting = sitting
        self._queue = queue
        self._sentence = "Reading the disagreements."
        self._is_scoring = False

    def compose(self) -> ComposeResult:
        """The rows, the chosen one, the keys."""
        with Container(id="gallery"):
            with Vertical(id="gallery-list", classes="pane"):
                yield RowTable("disagreements")
                yield Words(id="empty")
            with VerticalScroll(id="gallery-one", classes="pane", can_focus=False):
                yield Words(id="gallery-words")
        yield Words(id="gallery-line", is_fixed=True)
        yield KeyBar()

    def on_mount(self) -> None:
        """Read the disagreements at once."""
        self._draw()
        self._do(lambda gallery: gallery.rows())

    def on_unmount(self) -> None:
        """Close the store."""
        self._sitting.close()

    def _do(self, job: Callable[[Gallery], tuple[Disagreement, ...]]) -> None:
        self.run_worker(self._done(job), group="gallery", exit_on_error=False)

    async def _done(self, job: Callable[[Gallery], tuple[Disagreement, ...]]) -> None:
        try:
            self.rows = await asyncio.shield(self._sitting.ask(job))
        except EmauditError as error:
            self._sentence = one_line(str(error), 300)
            self._say(Content.styled(self._sentence, "$error") if self.rows else Content(""))
        else:
            self._sentence = "You and the judge agree on every response that both scored."
            self.audit.was_shown(row.reply_id for row in self.rows)
        self._draw()

    def _say(self, content: Content) -> None:
        self.query_one("#gallery-line", Words).show(content)

    @property
    def selected(self) -> Disagreement | None:
        """The disagreement under the cursor."""
        key = self.query_one(RowTable).selected
        return next((row for row in self.rows if str(row.position) == key), None)

    def _draw(self) -> None:
        table, empty = self.query_one(RowTable), self.query_one("#empty", Words)
        table.display = bool(self.rows)
        empty.display = not self.rows
        empty.show(Content(self._sentence))
        n_tagged = sum(bool(row.cause) for row in self.rows)
        title = (
            f"{figures.plural(len(self.rows), 'disagreement')} in {one_line(self._queue, 40)} · {n_tagged} with a cause"
        )
        self.query_one("#gallery-list").border_title = Content(title)
        table.show(COLUMNS, [(str(row.position), _cells(row, self.audit.tones)) for row in self.rows])
        if self.rows and self.focused is None:
            self.set_focus(table)
        self._draw_one()

    @on(RowTable.RowHighlighted)
    def _draw_one(self) -> None:
        pane, row = self.query_one("#gallery-one", VerticalScroll), self.selected
        pane.display = row is not None
        self._is_scoring = False
        if row is not None:
            pane.border_title = Content(f"item {row.number} · {one_line(row.variant, 40)} · {one_line(row.stage, 20)}")
            self.query_one("#gallery-words", Words).show(_words(row))
            pane.scroll_home(animate=False)
            self._say(Content(""))
        self.refresh_reasons()

    def why_not(self, action: str) -> str:
        """Why a key of this screen cannot act now."""
        is_action = action.startswith(("tag", "again", "untag"))
        if is_action and (not self.is_mounted or self.selected is None):
            return "there is no disagreement here"
        if action == "untag" and self.selected is not None and not self.selected.cause:
            return "this one has no cause yet"
        return ""

    def action_tag(self, cause: str) -> None:
        """Tag the disagreement, and go on to the next."""
        row = self.selected
        if row is not None:
            self._do(partial(_tagged, row.position, cause))
            self.query_one(RowTable).action_cursor_down()

    def action_untag(self) -> None:
        """Take the cause off."""
        row = self.selected
        if row is not None:
            self._do(partial(_tagged, row.position, ""))

    def action_again(self) -> None:
        """Ask for a new score."""
        row = self.selected
        if row is not None:
            self._is_scoring = True
            keys = " ".join(key for key, _ in row.anchors)
            self._say(Content.assemble(("your new score: ", "bold"), f"{keys}, kept as not blind   esc back"))

    def action_answer(self, key: str) -> None:
        """Give the new score, where one is asked for."""
        row = self.selected
        if row is not None and self._is_scoring and key in dict(row.anchors):
            self._is_scoring = False
            self._do(partial(_rescored, row.position, key))

    def action_leave(self) -> None:
        """From the question for a new score to the list; from the list back."""
        if self._is_scoring:
            self._is_scoring = False
            self._say(Content(""))
        else:
            self.dismiss(None)

    def action_scroll(self, way: int) -> None:
        """Scroll the response."""
        pane = self.query_one("#gallery-one", VerticalScroll)
        pane.scroll_relative(y=way * max(1, pane.size.height - 2), animate=False)


def _tagged(position: int, cause: str, gallery: Gallery) -> tuple[Disagreement, ...]:
    return gallery.tag(position, cause)


def _rescored(position: int, key: str, gallery: Gallery) -> tuple[Disagreement, ...]:
    return gallery.score_again(position, key)


def _cells(row: Disagreement, tones: Tones) -> tuple[Text, ...]:
    held = {
        "item": str(row.number),
        "you": one_line(row.answer, 8),
        "judge": f"{row.judge_value:g}",
        "by": f"{row.difference:+g}",
        "cause": row.cause or figures.UNKNOWN,
    }
    styles = {"by": f"bold {tones.plain}", "cause": tones.plain if row.cause else tones.quiet}
    return tuple(plain_cell(held[key], width, styles.get(key, tones.plain)) for key, _, width in COLUMNS)


def _words(row: Disagreement) -> Content:
    raw = row.raw.strip() or row.reason
    raw = "only its score is stored" if raw in {"", f"{row.judge_value:g}"} else raw
    parts: list[Content | tuple[str, str]] = [
        ("judge  ", "$quiet"),
        (f"{row.judge_value:g}   ", "bold"),
        (visible(raw[:DISPLAY_LIMIT]), ""),
        ("\nyou    ", "$quiet"),
        (f"{one_line(row.answer, 20)}", "bold"),
        ("" if row.is_blind else "   not blind", "$warning"),
        (f"   note: {one_line(row.note, 400)}" if row.note else "", ""),
        ("   flagged" if row.is_flagged else "", "$quiet"),
        *((f"\n⚑ {one_line(words, 200)}", "$warning") for words in row.steering),
        ("\n\nprompt\n", "$quiet"),
        (visible(row.prompt[:DISPLAY_LIMIT]), "$quiet"),
        ("\n\nresponse\n", "$quiet"),
        (visible(row.response[:DISPLAY_LIMIT]), ""),
    ]
    if len(row.response) > DISPLAY_LIMIT:
        parts.append((f"\n… {len(row.response) - DISPLAY_LIMIT:,} more characters in the store", "$warning"))
    return Content.assemble(*parts)
