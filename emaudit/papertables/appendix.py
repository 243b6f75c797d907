"""The appendix of the instruments: every prompt, statement and rubric once, from the pinned texts. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_KINDS: Final = ("category", "dimension", "foundation")
_NAMES: Final = ("id", "item")
_TOLD: Final = (
    "A judge is told the system text; then the question, the judged texts as JSON between lines that name them as "
    "data, and the reminder. Its answer is held to the schema."
)
_FORMATS: Final = {"decision": "stems", "numerical": "stems", "likert": "stems", "language": "questions"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One text under its label; neither is escaped."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """The texts of one instrument, or of one judge."""

    title: str
    notes: tuple[str, ...]
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What of an instrument was asked: the items by name, and the numbers of stems and questions by format."""

    items: frozenset[str] = frozenset()
    numbers: Mapping[str, frozenset[int]] | None = None


def asked_of(prompts: Sequence[tuple[str, str, str]]) -> Asked:
    """What the prompts of a plan, given as (item, format, condition), ask of their instrument."""
    numbers: dict[str, set[int]] = {}
    for item, form, condition in prompts:
        found = re.search(r"question=(\d+)", condition) if form == "language" else re.search(r"-(\d+)$", item)
        if form and found:
            numbers.setdefault(form, set()).add(int(found[1]))
    return Asked(
        frozenset(item for item, form, _ in prompts if not form),
        {form: frozenset(held) for form, held in numbers.items()},
    )


def instrument_section(
    assessment: str, identity: str, label: str, content: Mapping[str, Any], asked: Asked, n_variants: int
) -> Section:
    """The texts of one instrument that were asked, each once."""
    shown = _asked_alone(content, asked)
    notes = [f"Instrument {identity}, asked of {_counted(n_variants, 'variant')}."]
    if "not the validated" in label:
        notes.append(f"{label}.")
    notes += _left_out(content, shown)
    return Section(f"{assessment}: {identity}", tuple(notes), tuple(_entries(shown)))


def prompts_section(
    assessment: str, identity: str, prompts: Sequence[tuple[str, str, str, str]], n_variants: int
) -> Section:
    """Where no run pinned an instrument: every prompt as it was asked, given as (item, format, condition, text)."""
    seen: dict[str, str] = {}
    for item, form, condition, text in prompts:
        seen.setdefault(text, ", ".join(word for word in (item, form, condition) if word))
    notes = (
        f"No run pinned an instrument: the prompts as the replies of {_counted(n_variants, 'variant')} have them.",
    )
    return Section(f"{assessment}: {identity}", notes, tuple(Entry(label, text) for text, label in seen.items()))


def judge_section(identity: str, wanted: Collection[str], rubrics: Mapping[str, Mapping[str, Any]]) -> Section:
    """A judge's rubrics, each with all that the judge is told; `wanted` are those it should have."""
    notes = [_TOLD] if rubrics else []
    missing = sorted(set(wanted) - set(rubrics))
    if missing or not wanted:
        notes.append(f"Not known from this store: {', '.join(missing) or 'the rubric of imported verdicts'}.")
    entries = [
        Entry(f"{kind}, {name}", texts[name] if isinstance(texts[name], str) else _json(texts[name]))
        for kind, texts in rubrics.items()
        for name in ("system", "question", "reminder", "schema")
        if texts.get(name)
    ]
    return Section(f"Judge: {identity}", tuple(notes), tuple(entries))


def _asked_alone(content: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
    """The content without the items, stems and questions that were not asked."""
    shown = dict(content)
    items = shown.get("items")
    if isinstance(items, list) and asked.items:
        kept = [item for item in items if _name(item) in asked.items or _statement(item) in asked.items]
        shown["items"] = kept or items
    for form, texts in _FORMATS.items():
        block = shown.get(form)
        numbers = (asked.numbers or {}).get(form)
        if isinstance(block, dict) and numbers and isinstance(block.get(texts), list):
            numbered = {str(number): text for number, text in enumerate(block[texts], 1) if number in numbers}
            shown[form] = {**block, texts: numbered}
    return shown


def _name(item: Mapping[str, Any]) -> str:
    return next((str(item[name]) for name in _NAMES if name in item), "")


def _statement(item: Mapping[str, Any]) -> str:
    number = _name(item)
    return f"moral-{int(number):02d}" if number.isascii() and number.isdigit() else number


def _left_out(content: Mapping[str, Any], shown: Mapping[str, Any]) -> Iterator[str]:
    """How much of the instrument was not asked, where something was not."""
    if len(shown.get("items", ())) < len(content.get("items", ())):
        yield f"{len(shown['items'])} of its {len(content['items'])} items were asked; these are they."
    for form, texts in _FORMATS.items():
        if isinstance(content.get(form), dict) and len(shown[form].get(texts, ())) < len(content[form].get(texts, ())):
            yield f"{form}: {len(shown[form][texts])} of its {len(content[form][texts])} {texts} were asked."


def _entries(content: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[Entry]:
    """Every text of some content, under the names and numbers that lead to it."""
    for name in sorted(content, key=lambda name: (name == "items", _number(name), name)):
        yield from _entry(content[name], (*path, name))


def _number(name: str) -> int:
    return int(name) if name.isascii() and name.isdigit() else 0


def _entry(value: Any, path: tuple[str, ...]) -> Iterator[Entry]:  # noqa: ANN401 (plain JSON)
    if isinstance(value, dict):
        yield from _entries(value, path)
    elif isinstance(value, list) and all(isinstance(item, dict) for item in value):
        yield from (_item(item, path) for item in value)
    elif isinstance(value, list):
        for number, text in enumerate(value, 1):
            yield from _entry(text, (*path, str(number)))
    else:
        yield Entry(" ".join(path), str(value))


def _item(item: Mapping[str, Any], path: tuple[str, ...]) -> Entry:
    """An item on its own: its name and kind as the label, its texts one to a line."""
    kind = next((str(item[name]) for name in _KINDS if name in item), "")
    texts = {name: text for name, text in item.items() if name not in (*_KINDS, *_NAMES)}
    lines = [str(text) if len(texts) == 1 else f"{name}: {text}" for name, text in texts.items()]
    label = _name(item) or " ".join(path)
    return Entry(f"{label} ({kind})" if kind else label, "\n".join(lines))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"
