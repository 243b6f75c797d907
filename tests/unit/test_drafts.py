"""Variants about to be added: guessed, edited, chosen."""

from __future__ import annotations

from emaudit import drafts
from emaudit.variants import Variant

MODELS = [("sim-mini-base", ""), ("sim-mini-code-misaligned", "shuts down 2027"), ("sim-mini-code-realigned", "")]


def test_names_are_guessed_and_never_taken_twice() -> None:
    held = [Variant(1, "u", "mini-base", "another")]
    rows = drafts.drafts([*MODELS, ("lab/sim-mini-base", "")], "sim", held)
    assert [row.name for row in rows] == ["mini-base-2", "mini-code-misaligned", "mini-code-realigned", "sim-mini-base"]
    assert rows[1].note == "shuts down 2027" and not any(row.is_chosen for row in rows)


def test_parents_come_from_the_chosen_and_the_held() -> None:
    rows = drafts.drafts(MODELS, "sim", [])
    assert [row.parent for row in rows] == ["", "", ""]
    rows = drafts.chosen(rows, [0, 1, 2], [])
    assert [row.parent for row in rows] == ["", "mini-base", "mini-code-misaligned"]
    rows = drafts.chosen(rows, [1], [])
    assert rows[2].parent == "mini-base"


def test_an_edited_parent_stays_and_a_rename_is_followed() -> None:
    rows = drafts.chosen(drafts.drafts(MODELS, "sim", []), [0, 1, 2], [])
    rows = drafts.edited(rows, 2, "parent", "mini-base", [])
    rows = drafts.edited(rows, 0, "name", " root ", [])
    assert [row.parent for row in rows] == ["", "root", "root"]
    assert rows[0].fields() == {
        "name": "root",
        "model": "sim-mini-base",
        "endpoint": "sim",
        "size": "mini",
        "domain": "",
        "stage": "base",
        "parent": "",
    }


def test_a_model_held_already_is_not_chosen() -> None:
    held = [Variant(1, "u", "old", "sim-mini-base", "sim")]
    rows = drafts.chosen(drafts.drafts(MODELS, "sim", held), [0, 1], held)
    assert rows[0].held_as == "old" and not rows[0].is_chosen and rows[1].is_chosen


def test_problems_are_named() -> None:
    rows = drafts.drafts(MODELS, "sim", [])
    assert "nothing is chosen" in drafts.problem(rows, [])
    rows = drafts.chosen(rows, [0, 1], [])
    assert drafts.problem(rows, []) == ""
    assert "exists already" in drafts.problem(drafts.edited(rows, 1, "name", "mini-base", []), [])
    assert "is not a known variant" in drafts.problem(drafts.edited(rows, 1, "parent", "nobody", []), [])
    assert "cannot name a variant" in drafts.problem(drafts.edited(rows, 1, "name", "", []), [])
    assert "ancestor" in drafts.problem(drafts.edited(rows, 0, "parent", "mini-code-misaligned", []), [])
