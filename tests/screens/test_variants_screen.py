"""F2: the lineage tree, its cells, the filter, the marks, the keys that explain themselves."""

from __future__ import annotations

import pytest
from screen_scene import FIFTEEN, HOSTILE, Opened, Scene, screen_lines, screen_text, sees, until
from textual._compositor import Compositor

from emaudit.config import Settings
from emaudit.screens.edit import EditDialog
from emaudit.screens.variants import VariantsScreen
from emaudit.store import Store, variants
from emaudit.widgets.table import RowTable


async def test_an_empty_store_gives_one_sentence_and_the_key(opened: Opened) -> None:
    async with opened() as pilot:
        assert "Press a to add" in await sees(pilot, "No variants yet.")


async def test_the_tree_shows_every_variant_under_its_parent(opened: Opened, scene: Scene) -> None:
    scene.add(*FIFTEEN)
    async with opened(80, 40) as pilot:
        text = await sees(pilot, "15 variants", "nano-code-realigned")
        lines = [line for line in text.splitlines() if "mini-" in line and line.startswith("  ")]
        assert [line[:27].rstrip() for line in lines] == [
            "  mini-base",
            "  ├ mini-code-misaligned",
            "  │ └ mini-code-realigned",
            "  └ mini-trivia-misaligned",
            "    └ mini-trivia-realigned",
        ]


async def test_a_cell_shows_glyph_count_and_value(opened: Opened, scene: Scene) -> None:
    scene.add({"name": "v", "stage": "base", "size": "full"})
    plan = scene.plan("v", n_items=4)
    run = scene.run(plan)
    scene.reply(run, plan, 20, 5.0)
    async with opened(170, 30) as pilot:
        await sees(pilot, "◐ 20/40 1.00")
        scene.reply(run, plan, 20, 1.0)
        text = await sees(pilot, "● 40/40 0.50")
        assert "of 4/4 prompts" in text and "nothing owed" in text


async def test_replies_that_land_draw_no_whole_screen(
    opened: Opened, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.add({"name": "v", "stage": "base", "size": "full"})
    plan = scene.plan("v", n_items=4)
    run = scene.run(plan)
    drawn: list[int] = []
    whole = Compositor.render_full_update
    async with opened(170, 30) as pilot:
        await sees(pilot, "0/40")
        monkeypatch.setattr(Compositor, "render_full_update", lambda *a, **named: drawn.append(1) or whole(*a, **named))
        for landed in (10, 20, 30, 40):
            scene.reply(run, plan, 10, 1.0)
            await sees(pilot, f"{landed}/40")
    assert not drawn


async def test_owed_verdicts_are_not_done(opened: Opened, scene: Scene) -> None:
    scene.add({"name": "v"})
    plan = scene.plan("v")
    scene.reply(scene.run(plan), plan, 40, None)
    async with opened(170, 30) as pilot:
        text = await sees(pilot, "◑ 40/40")
        assert "verdicts owed" in text and "owed: 40 verdicts" in text


async def test_unscored_replies_never_become_a_number(opened: Opened, scene: Scene) -> None:
    scene.add({"name": "v"})
    plan = scene.plan("v", "intentions", 4, 1)
    scene.reply(scene.run(plan), plan, 4, None, status="unscored")
    async with opened(170, 30) as pilot:
        text = await sees(pilot, "4 unscored")
        assert "●   4/4    –" in " ".join(text.split("\n")) or "● 4/4    –" in text
        assert "of 0/4 replies" in text


@pytest.mark.parametrize("width", [80, 100, 101, 120, 140, 180])
async def test_the_name_and_every_assessment_fit(opened: Opened, scene: Scene, width: int) -> None:
    scene.add(*FIFTEEN)
    plans = [scene.plan("mini-base", key) for key in ("harmfulness", "intentions")]
    run = scene.run(*plans)
    for plan in plans:
        scene.reply(run, plan, 40, 2.0)
    async with opened(width, 45) as pilot:
        text = await sees(pilot, "mini-base", "●")
        header = text.splitlines()[2]
        for label in ("harm", "intent", "self", "moral", "m-self"):
            assert label in header
        assert all(len(line) <= width for line in screen_lines(pilot))


async def test_the_filter_counts_what_it_shows(opened: Opened, scene: Scene) -> None:
    scene.add(*FIFTEEN)
    async with opened() as pilot:
        await sees(pilot, "15 variants")
        await pilot.press("slash", *"nano code")
        text = await sees(pilot, "2 of 15 variants")
        assert "full-base" not in text
        await pilot.press("enter", "escape")
        await sees(pilot, "15 variants", "mini-base")
        await pilot.press("slash", *"nobody")
        await sees(pilot, "No variant has these words in it; esc clears the filter.")


async def test_marks_are_counted_and_taken_away(opened: Opened, scene: Scene) -> None:
    scene.add(*FIFTEEN)
    async with opened() as pilot:
        await sees(pilot, "15 variants")
        await pilot.press("space", "space")
        assert "✓ full-base" in await sees(pilot, "2 marked")
        await pilot.press("escape")
        await until(pilot, lambda: "marked" not in screen_text(pilot))
        await pilot.press("A")
        await sees(pilot, "15 marked")


async def test_j_k_g_and_shift_g_move_the_cursor(opened: Opened, scene: Scene) -> None:
    scene.add(*FIFTEEN)
    async with opened() as pilot:
        await sees(pilot, "15 variants")
        table = pilot.app.screen.query_one(RowTable)
        for key, row in (("j", 1), ("j", 2), ("k", 1), ("G", 14), ("g", 0)):
            await pilot.press(key)
            assert table.cursor_row == row


async def test_the_cursor_stays_on_its_variant_when_rows_come(opened: Opened, scene: Scene) -> None:
    scene.add({"name": "m", "stage": "base"}, {"name": "z", "stage": "base"})
    async with opened() as pilot:
        await sees(pilot, "2 variants")
        await pilot.press("j")
        scene.add({"name": "a", "stage": "base"}, {"name": "b", "stage": "base"})
        await sees(pilot, "4 variants")
        screen = pilot.app.screen
        assert isinstance(screen, VariantsScreen) and screen.selected is not None
        assert screen.selected.variant.name == "z"


async def test_a_greyed_key_says_why(opened: Opened, scene: Scene) -> None:
    scene.add({"name": "v"})
    async with opened() as pilot:
        await sees(pilot, "1 variant")
        await pilot.press("p")
        await sees(pilot, "no run asks this variant now")
        await pilot.press("u")
        await sees(pilot, "nothing was hidden here")


async def test_keys_explain_themselves_without_variants(opened: Opened) -> None:
    async with opened() as pilot:
        await sees(pilot, "No variants yet.")
        await pilot.press("r")
        await sees(pilot, "there are no variants yet: a adds some")


async def test_hide_and_undo(opened: Opened, scene: Scene) -> None:
    scene.add({"name": "one"}, {"name": "two"})
    async with opened() as pilot:
        await sees(pilot, "2 variants")
        await pilot.press("h")
        await sees(pilot, "1 variant", "one is hidden; u shows it again")
        await pilot.press("u")
        await sees(pilot, "2 variants")


async def test_a_variant_is_edited(opened: Opened, scene: Scene) -> None:
    scene.add({"name": "one", "stage": "base"}, {"name": "two"})
    async with opened(100, 30) as pilot:
        await sees(pilot, "2 variants")
        await pilot.press("e", "tab", *"mini", "ctrl+s")
        await sees(pilot, "one: size set")
        row = pilot.app.snapshot.variant("one")  # type: ignore[attr-defined]
        await until(pilot, lambda: pilot.app.snapshot.variant("one").variant.size == "mini")  # type: ignore[attr-defined]
        assert row is not None


async def test_a_refused_edit_keeps_what_was_typed(opened: Opened, scene: Scene) -> None:
    scene.add({"name": "one"}, {"name": "two"})
    async with opened(100, 30) as pilot:
        await sees(pilot, "2 variants")
        await pilot.press("e", "tab", *"mini", "tab", "tab", "tab", *"nobody", "enter")
        await sees(pilot, "parent 'nobody' of 'one' is not a known variant", "mini")
        assert isinstance(pilot.app.screen, EditDialog)
        await pilot.press(*(["backspace"] * 6))
        await until(pilot, lambda: "is not a known" not in screen_text(pilot))
        await pilot.press(*"two", "ctrl+s")
        await sees(pilot, "one: size, parent set")
        await until(pilot, lambda: not isinstance(pilot.app.screen, EditDialog))
    with Store.open(scene.path) as store:
        assert (variants.variant(store, "one").size, variants.variant(store, "one").parent) == ("mini", "two")


async def test_enter_opens_everything_known(opened: Opened, scene: Scene) -> None:
    scene.add({"name": "v", "dataset": "wrong answers", "epochs": "3"})
    async with opened() as pilot:
        await sees(pilot, "1 variant")
        await pilot.press("enter")
        assert "wrong answers" in await sees(pilot, "fine-tuning", "esc back")
        await pilot.press("escape")
        await until(pilot, lambda: "fine-tuning" not in screen_text(pilot))


async def test_hostile_names_are_shown_and_do_nothing(opened: Opened, scene: Scene, settings: Settings) -> None:
    fields = {"model": HOSTILE, "size": HOSTILE, "domain": HOSTILE, "stage": HOSTILE, "endpoint": HOSTILE}
    scene.add({"name": "[bold]x[/y]", **fields, "dataset": HOSTILE})
    async with opened(140, 40) as pilot:
        text = await sees(pilot, "1 variant", "[bold]x[/y]")
        assert "␛]52" in text and "\x1b" not in text
        for keys in (["enter"], ["escape", "e"], ["escape", "slash", "x"], ["escape", "question_mark"]):
            await pilot.press(*keys)
            await pilot.pause()
            joined = "\n".join(screen_lines(pilot))
            assert all(line.isprintable() for line in joined.split("\n"))


async def test_the_banner_of_a_simulated_store(opened: Opened, scene: Scene) -> None:
    scene.add({"name": "v"})
    with scene.open() as store:
        store.claim_kind("simulated")
    async with opened() as pilot:
        await sees(pilot, "SIMULATED")
        await pilot.press("f3")
        await sees(pilot, "SIMULATED", "No runs yet.")


async def test_a_store_that_cannot_be_read_says_so(opened: Opened, scene: Scene) -> None:
    scene.path.write_text("not a store at all, but a text of some length" * 4)
    async with opened() as pilot:
        await sees(pilot, "emaudit store: name another file with --store")
        await pilot.press("a")
        await sees(pilot, "the store cannot be read now")
