"""Variants that are about to be added: guessed from model names, then edited. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from emaudit.errors import UsageError
from emaudit.variants import Variant, check_lineage, check_name, guess, guess_parent

EDITABLE: Final = ("name", "size", "domain", "stage", "parent")


@dataclass(frozen=True, slots=True)
class Draft:
    """A model that an endpoint offers, as the variant it would become.

    `note` is what the endpoint says of it (a shutdown date); `held_as` names the variant that has this model
    already. `edited` are the fields that a person set, which no guess overwrites.
    """

    model: str
    endpoint: str = ""
    name: str = ""
    size: str = ""
    domain: str = ""
    stage: str = ""
    parent: str = ""
    note: str = ""
    held_as: str = ""
    is_chosen: bool = False
    edited: frozenset[str] = field(default=frozenset())

    def fields(self) -> dict[str, str]:
        """What the store is given."""
        named = {name: getattr(self, name) for name in ("name", "model", "endpoint", "size", "domain", "stage")}
        return {**named, "parent": self.parent}

    def as_variant(self) -> Variant:
        """The variant it would become."""
        return Variant(-1, "", self.name, self.model, self.endpoint, "", "", self.size, self.domain, self.stage)


def drafts(models: Iterable[tuple[str, str]], endpoint: str, held: Sequence[Variant]) -> tuple[Draft, ...]:
    """One draft per (model, note), in the order given; models that a variant has already say so."""
    known = {row.model: row.name for row in held if row.endpoint == endpoint}
    taken = {row.name for row in held}
    found: list[Draft] = []
    for model, note in dict(models).items():
        guessed = guess(model)
        name = _free_name(guessed.name, taken)
        taken.add(name)
        draft = Draft(model, endpoint, name, guessed.size, guessed.domain, guessed.stage, "", note)
        found.append(replace(draft, held_as=known.get(model, "")))
    return with_parents(found, held)


def _free_name(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    return next(f"{name[:76]}-{number}" for number in range(2, 10_000) if f"{name[:76]}-{number}" not in taken)


def with_parents(rows: Sequence[Draft], held: Sequence[Variant]) -> tuple[Draft, ...]:
    """The drafts with parents guessed among the chosen ones and the variants there are; edited ones stay."""
    chosen = [row.as_variant() for row in rows if row.is_chosen and not row.held_as]

    def parent(row: Draft) -> str:
        others = [*held, *(other for other in chosen if other.name != row.name)]
        return row.parent if "parent" in row.edited else guess_parent(row.as_variant(), others)

    return tuple(replace(row, parent=parent(row)) for row in rows)


def edited(rows: Sequence[Draft], index: int, name: str, value: str, held: Sequence[Variant]) -> tuple[Draft, ...]:
    """The drafts with one field of one of them set by a person; a renamed parent is followed."""
    before = rows[index]
    changes: dict[str, Any] = {name: value.strip(), "edited": before.edited | {name}}
    after = replace(before, **changes)
    changed = [after if at == index else row for at, row in enumerate(rows)]
    if name == "name":
        changed = [replace(row, parent=after.name) if row.parent == before.name else row for row in changed]
    return with_parents(changed, held)


def chosen(rows: Sequence[Draft], indexes: Iterable[int], held: Sequence[Variant]) -> tuple[Draft, ...]:
    """The drafts with those at `indexes` chosen or no longer chosen; models already held cannot be."""
    flipped = set(indexes)
    changed = [
        replace(row, is_chosen=not row.is_chosen) if at in flipped and not row.held_as else row
        for at, row in enumerate(rows)
    ]
    return with_parents(changed, held)


def problem(rows: Sequence[Draft], held: Sequence[Variant]) -> str:
    """Why the chosen drafts cannot be saved, in one line; empty where they can."""
    picked = [row for row in rows if row.is_chosen]
    if not picked:
        return "nothing is chosen: space chooses a model"
    names = [row.name for row in held]
    for row in picked:
        if row.name in names:
            return f"a variant {row.name!r} exists already: give this one another name"
        names.append(row.name)
    parents = {row.name: row.parent for row in held} | {row.name: row.parent for row in picked}
    try:
        for row in picked:
            check_name(row.name)
        check_lineage(parents)
    except UsageError as error:
        return str(error)
    return ""
