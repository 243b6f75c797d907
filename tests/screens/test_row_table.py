"""A table that draws anew only what changed shows what one shows that draws everything."""

from __future__ import annotations

import random

from rich.color import Color
from rich.text import Text
from textual.app import App, ComposeResult
from textual.geometry import Region

from emaudit.widgets.table import RowTable

COLUMNS = [("a", "first", 9), ("b", "second", 6), ("c", "third", 12)]
THEMES = ["textual-dark", "textual-light"]
N_ROWS = 12


class Held(App[None]):
    """A table alone."""

    def compose(self) -> ComposeResult:
        """The table."""
        yield RowTable("rows")


def drawn(table: RowTable) -> list[list[tuple[str, Color | None, Color | None, bool | None]]]:
    """Every line of the table as it stands, character by character."""
    lines = table.render_lines(Region(0, 0, *table.size))
    return [
        [(each, style.color, style.bgcolor, style.bold) for text, style, _ in line for each in text if style]
        for line in lines
    ]


async def test_a_table_never_shows_what_a_row_was() -> None:
    drawing = random.Random(3)
    held = {f"row {at}": [Text(f"{at}.{column}") for column in range(3)] for at in range(N_ROWS)}
    app = Held()
    async with app.run_test(size=(40, 20)) as pilot:
        table = app.query_one(RowTable)
        for step in range(60):
            match drawing.randrange(6):
                case 0 | 1 | 2:
                    changed = Text(f"now {step}", style=drawing.choice(["", "bold", "red"]))
                    held[f"row {drawing.randrange(N_ROWS)}"][drawing.randrange(3)] = changed
                case 3:
                    await pilot.press(drawing.choice(["down", "up", "G", "g"]))
                case 4:
                    app.theme = drawing.choice(THEMES)
                case _:
                    await pilot.hover(RowTable, (3, drawing.randint(1, 8)))
            table.show(COLUMNS, [(key, tuple(cells)) for key, cells in held.items()], height=1 + step // 40)
            await pilot.pause()
            shown = drawn(table)
            table.notify_style_update()
            assert shown == drawn(table), step
