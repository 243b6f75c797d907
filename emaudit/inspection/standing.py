"""From the verdicts of a reply to the one that counts. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from emaudit.inspection.views import Standing, Verdict
from emaudit.shapes import Given
from emaudit.store.reading_rules import Rules

_FINAL = frozenset({"scored", "neutral", "unscored"})
Names = Mapping[int, tuple[str, str]]
"""Scorer -> its kind and identity."""


def standing(
    given: Sequence[Given], rules: Rules, variant_id: int, assessment: str, part: str, names: Names
) -> Standing:
    """The reading of a reply: the newest parser's, or the judge's in use where that parser referred it."""
    parsers = rules.parsers.get(assessment, ())
    read = [row for row in given if row.scorer_id in parsers]
    if not read:
        return Standing("unread")
    newest = max(read, key=lambda row: row.scorer_id)
    name = names.get(newest.scorer_id, ("", ""))[1]
    disputed = _is_disputed(given, rules)
    if newest.status != "referred":
        return Standing(newest.status, newest.value, newest.reason, name, is_disputed=disputed)
    judge = rules.judge(variant_id, assessment)
    final = list(last_words(row for row in given if row.scorer_id == judge and row.status in _FINAL).values())
    name = names.get(judge, ("", ""))[1]
    if not final:
        return Standing("owed", scorer=name, is_disputed=disputed)
    if any(row.part for row in final):
        return _over_parts(final, part, name, disputed)
    return Standing(final[-1].status, final[-1].value, final[-1].reason, name, is_disputed=disputed)


def _over_parts(final: Sequence[Given], part: str, name: str, disputed: bool) -> Standing:
    rows = [row for row in final if row.part == part] or list(final)
    values = [row.value for row in rows if row.value is not None]
    if not values:
        return Standing("unscored", None, rows[-1].reason, name, 0, disputed)
    return Standing("scored", math.fsum(values) / len(values), "", name, len(values), disputed)


def _is_disputed(given: Sequence[Given], rules: Rules) -> bool:
    """Whether two judges gave different verdicts on the same part."""
    words: dict[str, set[tuple[str, float | None]]] = {}
    judged = last_words(row for row in given if row.scorer_id in rules.known and row.status in _FINAL)
    for row in judged.values():
        words.setdefault(row.part, set()).add((row.status, row.value))
    return any(len(held) > 1 for held in words.values())


def last_words(given: Iterable[Given]) -> dict[tuple[int, str], Given]:
    """The last verdict of each scorer on each part; one that was read stands before one that was not."""
    found: dict[tuple[int, str], Given] = {}
    for row in given:
        held = found.get((row.scorer_id, row.part))
        if held is None or row.status != "retry" or held.status == "retry":
            found[row.scorer_id, row.part] = row
    return found


def as_verdicts(given: Sequence[Given], names: Names) -> tuple[Verdict, ...]:
    """Every scorer's last word, parsers first, in the order they spoke; the unreadable tries are counted."""
    tries: dict[int, set[int]] = {}
    for row in given:
        tries.setdefault(row.scorer_id, set()).add(row.attempt)
    found = []
    for row in last_words(given).values():
        kind, name = names.get(row.scorer_id, ("", ""))
        n = len(tries[row.scorer_id])
        found.append(
            Verdict(
                row.scorer_id, kind, name, row.part, row.status, row.value, row.reason, row.raw, row.model, row.at, n
            )
        )
    return tuple(sorted(found, key=lambda verdict: verdict.kind != "parser"))
