"""The small print under a figure: what was counted, by whom it was judged, what the bars are, what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from emaudit.figures.material import PUBLISHED_NOTE, Material, spoken
from emaudit.scores import Score

_NAMED: Final = 4
"""How many variants a caption names before it counts the rest."""

_METHODS: Final = {"bootstrap": "bootstrap over prompts", "t": "t on template means"}


def small_print(
    material: Material, rows: Sequence[Score], reference: bool = False, absent: Iterable[str] = ()
) -> Iterator[str]:
    """The sentences under a figure of these rows; `absent` names what was never asked."""
    yield f"Preset {material.preset}. {counts(rows)}. {_judges(rows)} {_bars(rows)}"
    for assessment in sorted({row.assessment for row in rows}):
        if warning := material.warning(assessment):
            yield f"Moral foundations measured with {warning}."
    valued = [row for row in rows if row.value is not None]
    bare = [row for row in valued if row.ci_low is None or row.ci_high is None]
    for heading, found in (
        ("No value (hatched)", [_reason(row, "no value") for row in rows if row.value is None]),
        ("Incomplete (hollow)", _partial([row for row in valued if not row.complete])),
        ("No interval", [_reason(row, "no method") for row in bare]),
        ("Not there (never asked, or no average)", list(absent)),
    ):
        if found:
            yield f"{heading}: {listed(found)}."
    if reference:
        yield f"Grey: {PUBLISHED_NOTE}."


def _reason(row: Score, otherwise: str) -> str:
    return f"{whose(row)} ({spoken(row.assessment)}: {row.ci_method or otherwise})"


def _partial(rows: Sequence[Score]) -> list[str]:
    """Each variant or group with used and expected replies of what is incomplete."""
    held: dict[str, list[Score]] = {}
    for row in rows:
        held.setdefault(f"{whose(row)} ({spoken(row.assessment)}", []).append(row)
    return [
        f"{name} {sum(row.n_used for row in found):,}/{sum(row.n_expected for row in found):,})"
        for name, found in held.items()
    ]


def whose(row: Score) -> str:
    """The variant of a row, or the group it averages."""
    return row.variant or " ".join(word for word in (row.domain, row.stage, "average") if word)


def listed(names: Iterable[str]) -> str:
    """Names without repetition, the first few and how many more."""
    found = list(dict.fromkeys(names))
    more = f" and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
    return "; ".join(found[:_NAMED]) + more


def counts(rows: Sequence[Score]) -> str:
    """Used and expected replies by assessment, each row counted once."""
    words = []
    for assessment in sorted({row.assessment for row in rows}):
        members = [row for row in dict.fromkeys(rows) if row.assessment == assessment]
        used, expected = sum(row.n_used for row in members), sum(row.n_expected for row in members)
        words.append(f"{spoken(assessment)} {used:,}/{expected:,}")
    return f"Used/expected: {', '.join(words)} replies"


def _judges(rows: Sequence[Score]) -> str:
    judges = sorted({row.judge for row in rows} - {""})
    if not judges:
        return "No judge."
    return f"Judge {judges[0]}." if len(judges) == 1 else f"Several judges: {listed(judges)}."


def _bars(rows: Sequence[Score]) -> str:
    methods = sorted({row.ci_method for row in rows if row.ci_low is not None})
    if not methods:
        return ""
    return f"Bars: 95% intervals ({', '.join(_METHODS.get(method, method) for method in methods)})."
