"""Before a score is in, no frame tells the judge's score or words, the variant, its stage or the stratum."""

from __future__ import annotations

from pathlib import Path

import pytest
from review_scene import SECRET_RAW, SECRET_STAGE, SECRET_VARIANT, SECRETS, Item, draw, enter, items, review_events
from screen_scene import Opened, Scene, screen_text, sees, until
from textual.pilot import Pilot

from emaudit.app import EmauditApp
from emaudit.config import Endpoint, Settings
from emaudit.messages import Done, Refused
from emaudit.screens.rating import RatingScreen
from emaudit.store import Store, reviews


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "emaudit.toml", {"sim": Endpoint("sim", "http://127.0.0.1:1/v1")}, reviewer="ann")


def frames_of(pilot: Pilot[int], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every frame that the screen on top draws from now on."""
    frames: list[str] = []
    shown = type(pilot.app)._display

    def display(self: object, screen: object, renderable: object) -> None:
        frames.append(screen_text(pilot))
        shown(self, screen, renderable)  # type: ignore[arg-type]

    monkeypatch.setattr(type(pilot.app), "_display", display)
    return frames


def check(frames: list[str], *also: str) -> None:
    assert frames
    for frame in frames:
        told = [secret for secret in (*SECRETS, *also) if secret in frame]
        assert not told, f"{told} in\n{frame}"


KEYS_BEFORE_A_SCORE = (
    ["enter"], ["question_mark"], ["escape"], ["ctrl+p"], ["escape"], ["0"], ["escape"], ["n", "x", "enter"], ["f"],
    ["s"], ["g", "3", "enter"], ["v"], ["escape"], ["w"], ["r"], ["escape"], ["u"], ["g", "1", "enter"],
)  # fmt: skip


async def frames_before_each_score(
    opened: Opened, scene: Scene, size: tuple[int, int], judged: list[float], variant: str, stage: str, reveal: str
) -> list[str]:
    """What stands on screen before each score of a queue, after each of the same keys."""
    texts = [f"response number {at}" for at in range(1, len(judged) + 1)]
    held = [Item(text, value, raw=f"{value} of 5") for text, value in zip(texts, judged, strict=True)]
    draw(scene, held, reveal=reveal, variant=variant, stage=stage)
    frames = []
    async with opened(*size, path=scene.path) as pilot:
        await pilot.press("f5")
        await sees(pilot, "1 queue")
        await pilot.press("enter")
        await sees(pilot, "enter: begin")
        for keys in KEYS_BEFORE_A_SCORE:
            await pilot.press(*keys)
            await until(pilot, lambda: _is_settled(pilot))
            frames.append(screen_text(pilot))
        for at in range(1, len(judged) + 1):
            await pilot.press("1", *(["x"] if reveal == "each" else []))
            await sees(pilot, f" {at} saved")
            await until(pilot, lambda: _is_settled(pilot))
            frames.append(screen_text(pilot))
    return frames


def _is_settled(pilot: Pilot[int]) -> bool:
    """Whether every key typed so far is taken."""
    rated = [screen for screen in pilot.app.screen_stack if isinstance(screen, RatingScreen)]
    return all(screen._is_idle.is_set() for screen in rated)


@pytest.mark.parametrize(("reveal", "size"), [("each", (80, 24)), ("end", (140, 45)), ("never", (80, 24))])
async def test_other_scores_stages_and_names_give_the_same_frames(
    opened: Opened, tmp_path: Path, size: tuple[int, int], reveal: str
) -> None:
    one = Scene(tmp_path / "one" / "s.db")
    other = Scene(tmp_path / "two" / "s.db")
    first = await frames_before_each_score(opened, one, size, [1.0, 5.0, 2.0, 4.0], "v-a", "base", reveal)
    second = await frames_before_each_score(
        opened, other, size, [5.0, 1.0, 4.0, 3.0], "w-much-longer", "realigned", reveal
    )
    for at, (frame, twin) in enumerate(zip(first, second, strict=True)):
        assert frame == twin, f"frame {at}"


def fire(pilot: Pilot[int]) -> None:
    """What the rest of the app may say at any moment."""
    pilot.app.post_message(Done(f"{SECRET_VARIANT} {SECRET_STAGE} is shown again"))
    pilot.app.post_message(Refused(f"sim-judge: {SECRET_RAW}"))
    pilot.app.notify(f"run of {SECRET_VARIANT} ended", markup=False)


@pytest.mark.parametrize(("reveal", "size"), [("each", (140, 45)), ("end", (80, 24)), ("never", (140, 45))])
async def test_no_frame_before_a_score_tells_anything(
    opened: Opened, scene: Scene, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], reveal: str
) -> None:
    queue = draw(scene, [Item(f"response number {at}", 4.0) for at in range(1, 8)], reveal=reveal)
    async with opened(*size) as pilot:
        await sees(pilot, SECRET_VARIANT)
        await pilot.press("f5")
        await sees(pilot, "1 queue", SECRET_VARIANT)
        pilot.app.notify(f"told just before: {SECRET_VARIANT}", markup=False)
        await sees(pilot, "told just before")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RatingScreen))
        frames = frames_of(pilot, monkeypatch)
        frames.append(screen_text(pilot))
        for keys in (
            ["enter"], ["question_mark"], ["escape"], ["ctrl+p"], list("judge"), ["escape"], ["0"], ["escape"], ["n"],
            list("3 of 5"), ["enter"], ["f"], ["s"], ["slash", "x"], ["escape"], ["g", "4", "enter"], ["v"], ["escape"],
            ["v"], ["n"], ["escape"], ["b"], ["b"], ["w"], ["space"], ["u"], ["ctrl+p", "down"], ["escape"],
        ):  # fmt: skip
            fire(pilot)
            await pilot.press(*("space" if key == " " else key for key in keys))
            await pilot.pause()
            frames.append(screen_text(pilot))
        pilot.app.screen.refresh(layout=True)
        await pilot.pause()
        assert not any(event.kind in {"score", "reveal"} for event in review_events(scene, queue))
        check(frames, "told just before", "ended")
        await pilot.press("escape", "escape")
        await sees(pilot, "1 queue")
        await until(pilot, lambda: "told just before" in _toasts(pilot) and "sim-judge: quagga" in _toasts(pilot))


def _toasts(pilot: Pilot[int]) -> str:
    return "\n".join(held.message for held in pilot.app._notifications)


async def test_what_the_app_says_meanwhile_is_told_after_leaving(opened: Opened, scene: Scene) -> None:
    draw(scene, items(3))
    async with opened() as pilot:
        await enter(pilot)
        pilot.app.post_message(Refused("the run of zebrafish-9 stopped"))
        await pilot.pause()
        assert not pilot.app._notifications
        await pilot.press("f2")
        await sees(pilot, "the run of zebrafish-9 stopped")


async def test_a_reveal_asks_first_tells_and_is_kept_as_not_blind(opened: Opened, scene: Scene) -> None:
    queue = draw(scene, [Item("one", 4.0), Item("two", 1.0, raw="another word")])
    async with opened(120, 30) as pilot:
        await enter(pilot)
        await pilot.press("v")
        text = await sees(pilot, "Show the judge's verdict?", "not blind")
        assert "quagga" not in text
        await pilot.press("y")
        text = await sees(pilot, "judge sim-judge", "quagga: this one urges harm", "your score of it is not blind")
        assert " 4 " in text and "item 1 of 2" in text
        await pilot.press("2")
        text = await sees(pilot, "item 2 of 2", "1 not blind")
        assert "quagga" not in text and "sim-judge" not in text
        await pilot.press("3")
        await sees(pilot, "All 2 items", "1 label not blind")
    held = review_events(scene, queue)
    assert [(event.kind, event.position, event.is_blind) for event in held] == [
        ("reveal", 1, False), ("score", 1, False), ("score", 2, True),
    ]  # fmt: skip


async def test_each_reveals_after_each_score_and_the_key_that_goes_on_scores_nothing(
    opened: Opened, scene: Scene
) -> None:
    queue = draw(scene, [Item("one", 4.0), Item("two", 1.0), Item("three", 1.0)], reveal="each")
    async with opened(120, 30) as pilot:
        await enter(pilot)
        await pilot.press("2")
        text = await sees(pilot, "item 1: you 2", "judge sim-judge", "quagga", "any key goes on")
        assert "one" in text and "two" not in text.replace("two people", "")
        await pilot.press("5")
        text = await sees(pilot, "item 2 of 3", "▌ two")
        assert "quagga" not in text and "sim-judge" not in text
        await pilot.press("1", "u")
        await sees(pilot, "undone: the score of item 2", "▌ two")
        await pilot.press("3", "x", "1", "x")
        await sees(pilot, "All 3 items")
    held = review_events(scene, queue)
    assert [(event.kind, event.position, event.is_blind) for event in held] == [
        ("score", 1, True), ("score", 2, True), ("undo", 2, held[2].is_blind), ("score", 2, False), ("score", 3, True),
    ]  # fmt: skip


async def test_never_reveals_not_even_when_asked(opened: Opened, scene: Scene) -> None:
    queue = draw(scene, items(2), reveal="never")
    async with opened(120, 30) as pilot:
        await enter(pilot)
        await pilot.press("v", "y")
        text = await sees(pilot, "never reveals")
        assert "quagga" not in text
        await pilot.press("enter", "1", "2")
        await sees(pilot, "All 2 items")
        assert "quagga" not in screen_text(pilot)
    assert [event.kind for event in review_events(scene, queue)] == ["score", "score"]


async def test_scores_have_no_colour_of_their_own(opened: Opened, scene: Scene) -> None:
    draw(scene, items(2))
    async with opened(140, 45) as pilot:
        await enter(pilot)
        words = pilot.app.screen.query_one("#sit-anchors")
        assert {str(span.style) for span in words._words.spans} <= {"bold", ""}  # type: ignore[attr-defined]


async def test_quitting_while_runs_go_on_leaves_the_item_before_it_names_them(opened: Opened, scene: Scene) -> None:
    draw(scene, items(3))
    scene.add({"name": "walrus"})
    plan = scene.plan("walrus")
    run = scene.run(plan)
    with scene.held(run):
        async with opened() as pilot:
            await enter(pilot)
            await pilot.press("2", "ctrl+q")
            await sees(pilot, "1 run going on")
            assert not any(isinstance(screen, RatingScreen) for screen in pilot.app.screen_stack)
            await pilot.press("escape")
            await sees(pilot, "1 queue", "1/3")


async def test_after_the_last_item_the_disagreements_are_a_key_away(opened: Opened, scene: Scene) -> None:
    draw(scene, [Item("one", 4.0), Item("two", 1.0)])
    async with opened(120, 30) as pilot:
        await enter(pilot)
        await pilot.press("d", "1")
        assert "quagga" not in await sees(pilot, "item 2 of 2")
        await pilot.press("1")
        assert "quagga" not in await sees(pilot, "All 2 items", "d: where you and the judge differ")
        await pilot.press("d")
        await sees(pilot, "1 disagreement in q", "quagga", "+3")
        await pilot.press("escape")
        await sees(pilot, "1 queue")


async def test_the_last_replies_of_a_run_tell_no_score(opened: Opened, scene: Scene) -> None:
    draw(scene, [Item("first words", 4.75), Item("second words", 4.75)])
    async with opened(140, 45) as pilot:
        await pilot.press("f3")
        text = await sees(pilot, "first words", "second words")
        assert "4.75" not in text


async def test_disagreements_are_seen_by_everyone_who_rated_here(opened: Opened, scene: Scene) -> None:
    draw(scene, [Item("one", 4.0), Item("two", 1.0)])
    async with opened(120, 30) as pilot:
        app = pilot.app
        assert isinstance(app, EmauditApp)
        app.sits_down("bob")
        await enter(pilot)
        await pilot.press("1", "1", "d")
        await sees(pilot, "1 disagreement in q")
        await until(pilot, lambda: len(_seen_by(scene, "bob")) == 1)


def _seen_by(scene: Scene, reviewer: str) -> set[int]:
    with Store.open(scene.path) as store:
        return reviews.seen(store, reviewer)
