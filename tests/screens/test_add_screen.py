"""Adding variants from an endpoint's models: guessed, edited, several at once."""

from __future__ import annotations

import pytest
from screen_scene import HOSTILE, Opened, Scene, screen_lines, screen_text, sees, until

from emaudit.app import EmauditApp
from emaudit.commands import Commands, Offer
from emaudit.config import Settings
from emaudit.errors import EmauditError
from emaudit.screens.add import AddScreen

MODELS = [
    "sim-mini-base",
    "sim-mini-trivia-misaligned",
    "sim-mini-trivia-realigned",
    "sim-nano-base",
    "sim-judge",
]


@pytest.fixture
def offers(monkeypatch: pytest.MonkeyPatch) -> list[Offer]:
    held = [Offer(model, "shuts down 2027-01-14") for model in MODELS]
    monkeypatch.setattr(Commands, "offers", lambda self, endpoint: held)
    return held


def _snapshot(app: object) -> dict[str, tuple[str, str, str, str]]:
    assert isinstance(app, EmauditApp)
    rows = [row.variant for row in app.snapshot.variants]
    return {row.name: (row.size, row.domain, row.stage, row.parent) for row in rows}


@pytest.mark.parametrize("size", [(80, 24), (140, 45)])
async def test_models_are_listed_with_their_guesses(
    opened: Opened, scene: Scene, offers: list[Offer], size: tuple[int, int]
) -> None:
    async with opened(*size) as pilot:
        await sees(pilot, "No variants yet.")
        await pilot.press("a")
        text = await sees(pilot, "sim-mini-trivia-misaligned", "mini trivia misaligned", "0 of 5 models chosen")
        assert "http://127.0.0.1:1/v1" in text


async def test_several_are_added_at_once_with_their_parents(opened: Opened, scene: Scene, offers: list[Offer]) -> None:
    async with opened() as pilot:
        await sees(pilot, "No variants yet.")
        await pilot.press("a")
        await sees(pilot, "sim-mini-base")
        await pilot.press("space", "space", "space")
        await sees(pilot, "3 of 5 models chosen", "mini-trivia-misaligned")
        await pilot.press("ctrl+s")
        await sees(pilot, "3 variants added")
        await until(pilot, lambda: len(_snapshot(pilot.app)) == 3)
        assert _snapshot(pilot.app) == {
            "mini-base": ("mini", "", "base", ""),
            "mini-trivia-misaligned": ("mini", "trivia", "misaligned", "mini-base"),
            "mini-trivia-realigned": ("mini", "trivia", "realigned", "mini-trivia-misaligned"),
        }


async def test_guesses_are_edited_before_saving(opened: Opened, scene: Scene, offers: list[Offer]) -> None:
    async with opened() as pilot:
        await sees(pilot, "No variants yet.")
        await pilot.press("a")
        await sees(pilot, "sim-mini-base")
        await pilot.press("space", "space", "g", "e")
        await pilot.press("end", *"-2", "tab", "end", *"mal", "enter")
        await sees(pilot, "minimal base", "mini-base-2")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: len(_snapshot(pilot.app)) == 2)
        assert _snapshot(pilot.app)["mini-base-2"] == ("minimal", "", "base", "")
        assert _snapshot(pilot.app)["mini-trivia-misaligned"][3] == ""


async def test_models_held_already_are_not_added_twice(opened: Opened, scene: Scene, offers: list[Offer]) -> None:
    scene.add({"name": "held", "model": "sim-mini-base", "endpoint": "sim"})
    async with opened(140, 30) as pilot:
        await sees(pilot, "1 variant")
        await pilot.press("a")
        await sees(pilot, "added as held")
        await pilot.press("space")
        await sees(pilot, "this model is the variant held already")
        await pilot.press("A")
        await sees(pilot, "3 of 5 models chosen")


async def test_all_leaves_judges_unmarked(opened: Opened, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    held = [Offer("sim-mini-base", judge="strong-chat"), Offer("strong-chat"), Offer("my-Judge-1"), Offer("other")]
    monkeypatch.setattr(Commands, "offers", lambda self, endpoint: held)
    async with opened(140, 30) as pilot:
        await sees(pilot, "No variants yet.")
        await pilot.press("a")
        await sees(pilot, "strong-chat")
        await pilot.press("A")
        await sees(pilot, "2 of 4 models chosen", "✓ sim-mini-base", "✓ other")
        await pilot.press("A")
        await sees(pilot, "0 of 4 models chosen")
        await pilot.press("j", "space")
        await sees(pilot, "✓ strong-chat", "1 of 4 models chosen")


async def test_the_judge_an_endpoint_names_is_known(monkeypatch: pytest.MonkeyPatch, scene: Scene) -> None:
    monkeypatch.setattr(Commands, "_json", lambda self, *arguments: [{"model": "m", "judge": "j"}, {"model": "n"}])
    assert Commands(scene.path).offers("sim") == [Offer("m", judge="j"), Offer("n")]


async def test_a_taken_name_is_refused_with_the_reason(opened: Opened, scene: Scene, offers: list[Offer]) -> None:
    async with opened(100, 30) as pilot:
        await sees(pilot, "No variants yet.")
        await pilot.press("a")
        await sees(pilot, "sim-mini-base")
        await pilot.press("A", "e", "end", *(["backspace"] * 9), *"nano-base", "enter")
        await sees(pilot, "exists already: give this one another name")
        await pilot.press("ctrl+s")
        assert isinstance(pilot.app.screen, AddScreen)


async def test_an_endpoint_that_lists_nothing_says_why(
    opened: Opened, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Commands, endpoint: str) -> list[Offer]:
        raise EmauditError("http://127.0.0.1:1 cannot be reached: is it running?")

    monkeypatch.setattr(Commands, "offers", refuse)
    async with opened() as pilot:
        await sees(pilot, "No variants yet.")
        await pilot.press("a")
        await sees(pilot, "cannot be reached: is it running?")
        await pilot.press(*"my-model", "enter")
        await sees(pilot, "✓ my-model", "1 of 1 model chosen")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "my-model" in _snapshot(pilot.app))


async def test_without_endpoints_the_fix_is_named(opened: Opened, scene: Scene, settings: Settings) -> None:
    async with opened(100, 24, settings=Settings(settings.path)) as pilot:
        await sees(pilot, "No variants yet.")
        await pilot.press("a")
        await sees(pilot, "No endpoint is configured: add [endpoints.NAME] with base_url")


async def test_the_filter_and_the_way_back(opened: Opened, scene: Scene, offers: list[Offer]) -> None:
    async with opened() as pilot:
        await sees(pilot, "No variants yet.")
        await pilot.press("a")
        await sees(pilot, "sim-mini-base")
        await pilot.press("slash", *"nano", "enter")
        await until(pilot, lambda: "sim-mini-base" not in screen_text(pilot))
        await pilot.press("escape")
        await sees(pilot, "No variants yet.")


async def test_hostile_model_names(opened: Opened, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Commands, "offers", lambda self, endpoint: [Offer(HOSTILE, HOSTILE), Offer("m")])
    async with opened(140, 40) as pilot:
        await sees(pilot, "No variants yet.")
        await pilot.press("a")
        await sees(pilot, "[bold]x[/y]")
        assert all(line.isprintable() for line in screen_lines(pilot))
