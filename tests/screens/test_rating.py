"""The blind screen: one keystroke an item, every one an event, in order, and never on another item."""

from __future__ import annotations

import fcntl
import sqlite3
from pathlib import Path

import pytest
from review_scene import Item, draw, enter, held_labels, items, review_events
from screen_scene import HOSTILE, Opened, Scene, screen_lines, screen_text, sees, until
from textual import events
from textual.pilot import Pilot

from emaudit.config import Endpoint, Settings
from emaudit.errors import DiskFull
from emaudit.reviewing import desk
from emaudit.screens.rating import RatingScreen
from emaudit.store import Store


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "emaudit.toml", {"sim": Endpoint("sim", "http://127.0.0.1:1/v1")}, reviewer="ann")


def rating(pilot: Pilot[int]) -> RatingScreen:
    screen = pilot.app.screen
    assert isinstance(screen, RatingScreen)
    return screen


def kinds(scene: Scene, queue: object) -> list[tuple[str, int | None, str]]:
    return [(event.kind, event.position, event.answer) for event in review_events(scene, queue)]  # type: ignore[arg-type]


async def test_ten_keystrokes_are_ten_events(opened: Opened, scene: Scene) -> None:
    queue = draw(scene, items(10))
    async with opened() as pilot:
        await enter(pilot)
        assert review_events(scene, queue) == []
        for key in "1234512345":
            await pilot.press(key)
        await sees(pilot, "10 saved", "All 10 items of this queue are done.")
    held = review_events(scene, queue)
    assert kinds(scene, queue) == [("score", at, key) for at, key in enumerate("1234512345", 1)]
    assert all(event.is_blind and event.reviewer == "ann" and event.seconds is not None for event in held)


async def test_keys_typed_at_once_are_all_taken_in_order(opened: Opened, scene: Scene) -> None:
    queue = draw(scene, items(40))
    keys = "1234512345" * 4
    async with opened() as pilot:
        await enter(pilot)
        for key in keys:
            pilot.app.post_message(events.Key(key, key))
        await sees(pilot, "All 40 items", seconds=30)
    assert kinds(scene, queue) == [("score", at, key) for at, key in enumerate(keys, 1)]


async def test_a_digit_typed_before_the_warning_was_read_scores_nothing(opened: Opened, scene: Scene) -> None:
    queue = draw(scene, items(3))
    async with opened() as pilot:
        await pilot.press("f5")
        await sees(pilot, "1 queue")
        await pilot.press("enter", "3", "4", "n", "u", "v")
        await sees(pilot, "enter: begin")
        await pilot.press("enter")
        await sees(pilot, "response number 1")
        assert review_events(scene, queue) == []


async def test_the_warning_stands_once_in_a_session(opened: Opened, scene: Scene) -> None:
    draw(scene, items(3))
    async with opened() as pilot:
        await enter(pilot)
        await pilot.press("4", "escape")
        await sees(pilot, "1/3")
        await pilot.press("enter")
        text = await sees(pilot, "response number 2")
        assert "item 2 of 3" in text and "1 saved" in text and "enter: begin" not in text


async def test_undo_five_times_then_score_again(opened: Opened, scene: Scene) -> None:
    queue = draw(scene, items(10))
    async with opened() as pilot:
        await enter(pilot)
        await pilot.press(*"1111111")
        await sees(pilot, "7 saved", "1 given to item 7", "u: undo")
        await pilot.press(*"uuuuu")
        text = await sees(pilot, "2 saved", "item 3 of 10", "undone: the score of item 3")
        assert "response number 3" in text
        await pilot.press(*"55555")
        await sees(pilot, "7 saved", "item 8 of 10")
    held = review_events(scene, queue)
    assert [event.kind for event in held] == ["score"] * 7 + ["undo"] * 5 + ["score"] * 5
    answers = {label.position: label.answer for label in held_labels(scene, queue) if label.answer}
    assert answers == {1: "1", 2: "1", 3: "5", 4: "5", 5: "5", 6: "5", 7: "5"}


async def test_undo_has_an_end_and_says_so(opened: Opened, scene: Scene) -> None:
    queue = draw(scene, items(3))
    async with opened() as pilot:
        await enter(pilot)
        await pilot.press("2", "u", "u", "u")
        await sees(pilot, "nothing of yours is left to undo", "0 saved")
    assert [event.kind for event in review_events(scene, queue)] == ["score", "undo"]


async def test_cannot_tell_takes_a_reason(opened: Opened, scene: Scene) -> None:
    queue = draw(scene, items(4))
    async with opened() as pilot:
        await enter(pilot)
        await pilot.press("0")
        text = await sees(pilot, "t truncated", "w wrong language", "r not a response", "e needs an expert")
        assert "takes neither side" not in text
        await pilot.press("3")
        assert review_events(scene, queue) == []
        await pilot.press("escape", "0", "t", "0", "r")
        await sees(pilot, "2 saved", "not a response given to item 2")
    held = review_events(scene, queue)
    assert [(event.kind, event.reason, event.value) for event in held] == [
        ("cannot_tell", "truncated", None),
        ("cannot_tell", "not a response", None),
    ]


async def test_later_comes_back_at_the_end(opened: Opened, scene: Scene) -> None:
    draw(scene, items(3))
    async with opened() as pilot:
        await enter(pilot)
        await pilot.press("s")
        await sees(pilot, "response number 2", "1 later", "item 1 comes back at the end")
        await pilot.press("1", "1")
        await sees(pilot, "response number 1", "left for later")
        await pilot.press("2")
        await sees(pilot, "All 3 items")


async def test_digits_in_a_note_score_nothing(opened: Opened, scene: Scene) -> None:
    queue = draw(scene, items(3))
    async with opened() as pilot:
        await enter(pilot)
        for key in ("n", *"5 of 5", "enter"):
            pilot.app.post_message(events.Key("space" if key == " " else key, key if len(key) == 1 else None))
        await sees(pilot, "note: 5 of 5", "response number 1", "0 saved")
        await pilot.press("n", "x", "escape")
        await sees(pilot, "note: 5 of 5")
        await pilot.press("n", "ctrl+u", "enter")
        await sees(pilot, "note removed")
        assert "note: 5 of 5" not in screen_text(pilot)
    assert [(event.kind, event.answer) for event in review_events(scene, queue)] == [("note", "5 of 5"), ("note", "")]


async def test_a_pasted_note_is_one_line_and_nothing_else(opened: Opened, scene: Scene) -> None:
    queue = draw(scene, items(3))
    async with opened() as pilot:
        await enter(pilot)
        pilot.app.screen.post_message(events.Paste("12345"))
        await pilot.pause()
        await pilot.press("n")
        await sees(pilot, "enter saves")
        pilot.app.screen.post_message(events.Paste("a\nb\x1b[31m3"))
        await pilot.press("enter")
        await sees(pilot, "note saved")
    assert [(event.kind, event.answer) for event in review_events(scene, queue)] == [("note", "a b␛[31m3")]


async def test_flag_and_its_opposite(opened: Opened, scene: Scene) -> None:
    queue = draw(scene, items(3))
    async with opened() as pilot:
        await enter(pilot)
        await pilot.press("f")
        await sees(pilot, "1 flagged", "response number 1")
        await pilot.press("f")
        await sees(pilot, "flag taken off")
        assert "1 flagged" not in screen_text(pilot)
    assert [(event.kind, event.value) for event in review_events(scene, queue)] == [("flag", 1.0), ("flag", 0.0)]


async def test_go_to_a_number_and_score_it_again(opened: Opened, scene: Scene) -> None:
    queue = draw(scene, items(12))
    async with opened() as pilot:
        await enter(pilot)
        await pilot.press("1", "1", "1", "g", "x", "2", "enter")
        text = await sees(pilot, "item 2 of 12", "you said 1", "response number 2")
        assert "▸1" in text
        await pilot.press("4")
        await sees(pilot, "item 4 of 12", "3 saved")
        await pilot.press("g", "9", "9", "enter")
        await sees(pilot, "no item 99")
        await pilot.press("5")
        await pilot.pause()
        assert len(review_events(scene, queue)) == 4
        await pilot.press("enter", "5")
        await sees(pilot, "item 5 of 12", "4 saved")
    assert {label.position: label.answer for label in held_labels(scene, queue) if label.answer} == {
        1: "1", 2: "4", 3: "1", 4: "5",
    }  # fmt: skip


async def test_find_in_a_long_response(opened: Opened, scene: Scene) -> None:
    lines = [f"line {at}" for at in range(200)]
    lines[20] = lines[150] = "here is the Needle"
    queue = draw(scene, [Item("\n".join(lines)), Item("short")])
    async with opened() as pilot:
        await enter(pilot)
        await sees(pilot, "▼ more below")
        await pilot.press("slash", *"needle")
        text = await sees(pilot, "1 of 2", "here is the Needle")
        assert "line 19" in text
        await pilot.press("enter")
        text = await sees(pilot, "2 of 2", "line 149")
        await pilot.press("escape", "2")
        await sees(pilot, "1 saved", "short")
    assert len(review_events(scene, queue)) == 1


async def test_a_long_response_is_read_on(opened: Opened, scene: Scene) -> None:
    long = "\n".join(f"line {at}" for at in range(60))
    draw(scene, [Item(long), Item(long)])
    async with opened() as pilot:
        await enter(pilot)
        assert "line 40" not in await sees(pilot, "line 0", "▼ more below")
        await pilot.press(*["space"] * 8)
        await until(pilot, lambda: "line 59" in screen_text(pilot) and "more below" not in screen_text(pilot))
        await pilot.press("3")
        await sees(pilot, "item 2 of 2", "line 0", "▼ more below")


async def test_a_response_beyond_the_limit_opens_whole(opened: Opened, scene: Scene) -> None:
    draw(scene, [Item("x" * 30_000 + " the very end"), Item("short")])
    async with opened() as pilot:
        await enter(pilot)
        rating(pilot)
        for _ in range(3):
            pilot.app.screen.query_one("#sit-reading").scroll_end(animate=False)
            await pilot.pause()
        await sees(pilot, "10,013 more characters: w shows the whole response")
        await pilot.press("w")
        await sees(pilot, "the whole response, 30,013 characters")
        await pilot.press("ctrl+end")
        await pilot.press("escape", "1")
        await sees(pilot, "1 saved")


async def test_blank_at_once_and_any_key_brings_it_back(opened: Opened, scene: Scene) -> None:
    queue = draw(scene, items(3))
    async with opened() as pilot:
        await enter(pilot)
        await pilot.press("b")
        await until(pilot, lambda: "response" not in screen_text(pilot))
        assert screen_text(pilot).split() == ["any", "key"]
        await pilot.press("3")
        await sees(pilot, "response number 1", "0 saved")
        await pilot.press("3")
        await sees(pilot, "1 saved")
    assert len(review_events(scene, queue)) == 1


async def test_a_held_store_is_waited_for_and_blanking_is_not(opened: Opened, scene: Scene) -> None:
    queue = draw(scene, items(3))
    async with opened() as pilot:
        await enter(pilot)
        with Path(f"{scene.path}.lock").open("r+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            await pilot.press("4")
            await sees(pilot, "waiting for the store", "0 saved", "response number 1")
            await pilot.press("b")
            await until(pilot, lambda: screen_text(pilot).split() == ["any", "key"])
            await pilot.press("x")
            await sees(pilot, "response number 1", "0 saved")
        await sees(pilot, "1 saved", "response number 2")
    assert kinds(scene, queue) == [("score", 1, "4")]


async def test_what_cannot_be_saved_is_told_and_nothing_advances(
    opened: Opened, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = draw(scene, items(5))
    real = desk.insert_event
    full = [False]

    def insert(store: Store, row: object) -> int:
        if full[0]:
            raise DiskFull("no room on [the disk]: free some space")
        return real(store, row)  # type: ignore[arg-type]

    monkeypatch.setattr(desk, "insert_event", insert)
    async with opened() as pilot:
        await enter(pilot)
        await pilot.press("1")
        await sees(pilot, "1 saved")
        full[0] = True
        for key in "2345":
            pilot.app.post_message(events.Key(key, key))
        await sees(pilot, "not saved: no room on [the disk]", "1 saved", "item 2 of 5")
        full[0] = False
        await pilot.press("4", "5")
        await sees(pilot, "not saved", "1 saved", "response number 2")
        await pilot.press("enter", "3")
        await sees(pilot, "2 saved", "response number 3")
    assert kinds(scene, queue) == [("score", 1, "1"), ("score", 2, "3")]


async def test_closing_and_opening_lands_on_the_next_open_item(opened: Opened, scene: Scene) -> None:
    draw(scene, items(10))
    async with opened() as pilot:
        await enter(pilot)
        await pilot.press(*"1234")
        await sees(pilot, "4 saved")
    async with opened() as pilot:
        await enter(pilot)
        await sees(pilot, "item 5 of 10", "response number 5", "4 saved")
        await pilot.press("u")
        await sees(pilot, "item 4 of 10", "3 saved")


async def test_another_person_gets_the_items_in_another_order(opened: Opened, scene: Scene) -> None:
    queue = draw(scene, items(12), doubled=4)
    async with opened() as pilot:
        await pilot.press("f5")
        await sees(pilot, "1 queue")
        await pilot.press("o", *"bob", "enter")
        await sees(pilot, "enter: begin")
        await pilot.press("enter")
        await sees(pilot, "as bob", "item 1 of 12")
        await pilot.press(*"2222")
        await sees(pilot, "4 saved")
        await pilot.press("escape")
        await sees(pilot, "bob 4/12", "ann 0/12")
    held = review_events(scene, queue)
    assert {event.reviewer for event in held} == {"bob"}
    assert {event.position for event in held} == {1, 2, 3, 4}


@pytest.mark.parametrize(("key", "mode"), [("f2", "variants"), ("f3", "runs"), ("escape", "review"), ("f5", "review")])
async def test_leaving_asks_nothing_and_keeps_what_was_typed_before(
    opened: Opened, scene: Scene, key: str, mode: str
) -> None:
    queue = draw(scene, items(5))
    async with opened() as pilot:
        await enter(pilot)
        for pressed in ("1", "2", "3", key):
            pilot.app.post_message(events.Key(pressed, pressed if len(pressed) == 1 else None))
        await until(pilot, lambda: pilot.app.current_mode == mode and not isinstance(pilot.app.screen, RatingScreen))
        await until(pilot, lambda: len(review_events(scene, queue)) == 3)
        await pilot.press("f5")
        await sees(pilot, "3/5")


async def test_choices_are_a_and_b_and_b_does_not_blank(opened: Opened, scene: Scene) -> None:
    queue = draw(scene, items(4), assessment="intentions", format="decision")
    async with opened() as pilot:
        await enter(pilot, "Which option does the response come closer to?")
        text = await sees(pilot, "kind", "cruel", "a b Choose")
        assert "1-5 Score" not in text
        await pilot.press("3", "B")
        await until(pilot, lambda: screen_text(pilot).split() == ["any", "key"])
        await pilot.press("x", "a", "b", "0")
        await sees(pilot, "takes neither side", "2 saved")
        await pilot.press("n")
        await sees(pilot, "3 saved")
    held = review_events(scene, queue)
    assert [event.kind for event in held] == ["score", "score", "cannot_tell"]
    assert {event.answer for event in held[:2]} <= {"first", "second"} and held[2].value == 0.5


@pytest.mark.parametrize("size", [(80, 24), (140, 45), (40, 12), (20, 5)])
async def test_hostile_text_is_shown_and_does_nothing(opened: Opened, scene: Scene, size: tuple[int, int]) -> None:
    queue = draw(scene, [Item(HOSTILE, prompt=HOSTILE), Item(HOSTILE * 40), Item("")])
    async with opened(*size) as pilot:
        await enter(pilot, "") if size[0] > 40 else await _enter_small(pilot)
        if size[0] > 40:
            await sees(pilot, "[bold]x[/y][@click=app.quit]q[/]")
        for keys in (
            ["n", "[", "/", "]", "enter"],
            ["slash", "[", "/", "escape"],
            ["1"],
            ["2"],
            ["u"],
            ["question_mark"],
        ):
            await pilot.press(*keys)
            await pilot.pause()
            assert all(line.isprintable() for line in screen_lines(pilot))
    assert [event.kind for event in review_events(scene, queue)] == ["note", "score", "score", "undo"]


async def _enter_small(pilot: Pilot[int]) -> None:
    await pilot.press("f5")
    await until(pilot, lambda: bool(getattr(pilot.app.screen, "rows", ())))
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, RatingScreen) and pilot.app.screen.shown is not None)
    await pilot.press("enter")
    await pilot.pause()


async def test_every_key_of_the_help_does_something_and_the_help_opens(opened: Opened, scene: Scene) -> None:
    draw(scene, items(3))
    async with opened(100, 60) as pilot:
        await enter(pilot)
        await pilot.press("question_mark")
        text = await sees(pilot, "Rate", "Take back what you did last", "Blank the screen at once", "Cannot be told")
        for line in (
            "Leave this item for the end",
            "Type a note",
            "Find words",
            "Go to an item",
            "verdict of this item",
        ):
            assert line in text
        await pilot.press("escape", "1")
        await sees(pilot, "1 saved")


async def test_the_palette_does_what_the_keys_do(opened: Opened, scene: Scene) -> None:
    queue = draw(scene, items(3))
    async with opened() as pilot:
        await enter(pilot)
        await pilot.press("ctrl+p")
        text = await sees(pilot, "Rate: Undo", "Rate: Score")
        assert "Theme" not in text and "Everywhere" not in text
        await pilot.press(*"Later", "enter")
        await sees(pilot, "1 later")
    assert [event.kind for event in review_events(scene, queue)] == ["defer"]


async def test_a_queue_that_cannot_be_opened_says_why(
    opened: Opened, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(scene, items(3))

    def refuse(*arguments: object) -> object:
        raise DiskFull("the store is [gone]")

    async with opened() as pilot:
        await pilot.press("f5")
        await sees(pilot, "1 queue")
        monkeypatch.setattr("emaudit.reviewing.session.Session.__init__", refuse)
        await pilot.press("enter")
        await sees(pilot, "the store is [gone]", "cannot be opened")
        await pilot.press("3", "enter", "escape")
        await sees(pilot, "1 queue")


async def test_a_damaged_store_is_told_and_the_next_key_works_again(
    opened: Opened, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = draw(scene, items(5))

    def broken(*arguments: object) -> set[int]:
        raise sqlite3.DatabaseError("database disk image is malformed")

    async with opened() as pilot:
        await enter(pilot)
        with monkeypatch.context() as patched:
            patched.setattr(desk, "seen", broken)
            await pilot.press("3")
            await sees(pilot, "not saved: the store cannot be read", "malformed", "0 saved", "item 1 of 5")
        await pilot.press("enter", "4")
        await sees(pilot, "1 saved", "item 2 of 5")
    assert kinds(scene, queue) == [("score", 1, "4")]


async def test_what_failed_after_its_event_was_kept_scores_no_other_item_unseen(
    opened: Opened, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = draw(scene, items(3))

    def broken(*arguments: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    async with opened() as pilot:
        await enter(pilot)
        with monkeypatch.context() as patched:
            patched.setattr(desk.Desk, "_shown", broken)
            await pilot.press("3")
            await sees(pilot, "disk I/O error")
        await pilot.press("enter")
        await sees(pilot, "1 saved", "response number 2")
        await pilot.press("5")
        await sees(pilot, "2 saved", "response number 3")
    assert kinds(scene, queue) == [("score", 1, "3"), ("score", 2, "5")]


async def test_an_error_that_nobody_expects_ends_the_app_with_a_report(
    opened: Opened, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(scene, items(5))

    def broken(*arguments: object) -> set[int]:
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError, match="a bug"):
        async with opened() as pilot:
            await enter(pilot)
            monkeypatch.setattr(desk, "seen", broken)
            await pilot.press("3")
            await until(pilot, lambda: not pilot.app.is_running, seconds=5)


async def test_languages_are_called_languages(opened: Opened, scene: Scene) -> None:
    queue = draw(scene, items(2), assessment="self_assessment", format="language")
    async with opened() as pilot:
        await enter(pilot, "Which language is the response written in?")
        text = await sees(pilot, "1-3 Language")
        assert "Score" not in text
        await pilot.press("question_mark")
        await sees(pilot, "Choose this language and go on")
        await pilot.press("escape", "5", "4", "2")
        await sees(pilot, "1 saved", "item 2 of 2")
    assert [event.kind for event in review_events(scene, queue)] == ["score"]


@pytest.mark.parametrize("size", [(80, 18), (80, 24), (140, 45)])
async def test_the_whole_rubric_is_a_key_away(opened: Opened, scene: Scene, size: tuple[int, int]) -> None:
    draw(scene, items(2))
    async with opened(*size) as pilot:
        await enter(pilot)
        shown = rating(pilot).shown
        assert shown is not None
        await pilot.press("r")
        await until(pilot, lambda: not isinstance(pilot.app.screen, RatingScreen))
        seen: list[str] = []
        for _ in range(40):
            seen += [line.strip(" ▕▏│▌▐█▄▀▁▂▃▅▆▇") for line in screen_lines(pilot)]
            await pilot.press("j")
        told = " ".join(" ".join(seen).split())
        for _, words in shown.anchors:
            assert all(word in told for word in words.split())
        await pilot.press("escape", "1")
        await sees(pilot, "1 saved")
