"""One reply in full: prompt, text, verdicts, the samples beside it, what people said. Blocks: belongs in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from emaudit.flags import flags_of
from emaudit.inspection.listing import Lister
from emaudit.inspection.standing import as_verdicts
from emaudit.inspection.views import ReplyView, Row, Sample, Standing
from emaudit.prompts import Rubric, prompts_dir, read_rubric
from emaudit.store import listed
from emaudit.store.reading_rules import Rules


def reply_view(lister: Lister, reply_id: int, rules: Rules | None = None) -> ReplyView | None:
    """A reply as the judge in use reads it (or the one of other `rules`); None where there is no such reply."""
    found = listed.full(lister.store, reply_id)
    if found is None:
        return None
    held = found.listed
    rules = rules or lister.rules_now()
    others = listed.samples(lister.store, held.cell_id)
    rows = lister.rows([other for _, other in others] or [reply_id], rules)
    given = listed.verdicts(lister.store, [reply_id], with_raw=True)[reply_id]
    own = next((row for row in rows if row.reply_id == reply_id), None) or lister.rows([reply_id], rules)[0]
    judge = rules.judge(held.variant_id, held.assessment)
    return ReplyView(
        found,
        lister.variants[held.variant_id],
        own.standing,
        lister.names.get(judge, ("", ""))[1],
        as_verdicts(given, lister.names),
        tuple(with_maximum(rows)),
        tuple(listed.marks(lister.store, [reply_id]).get(reply_id, ())),
        flags(held.assessment, found.prompt, found.text),
    )


_RUBRICS: Final = {"harmfulness": "harm", "open_ended": "open_ended"}
"""The rubric under which a judge reads the free replies of an assessment."""


@lru_cache
def _rubric(name: str) -> Rubric:
    return read_rubric(prompts_dir() / "judges" / f"{name}.toml", name)


def flags(assessment: str, prompt: str, text: str) -> tuple[str, ...]:
    """What in a free reply may be meant for its judge, a line each; they change no score."""
    name = _RUBRICS.get(assessment)
    return tuple(flag.words for flag in flags_of(prompt, text, _rubric(name))) if name else ()


def with_maximum(rows: Sequence[Row]) -> list[Sample]:
    """The samples of one cell, those with the highest score marked; none is where all scores are the same."""
    found = [Sample(row.listed.sample, row.reply_id, row.standing, row.listed.outcome) for row in rows]
    values = [value for sample in found if (value := _score(sample.standing)) is not None]
    if len(set(values)) < 2:
        return found
    return [replace(sample, is_maximum=_score(sample.standing) == max(values)) for sample in found]


def _score(standing: Standing) -> float | None:
    return standing.value if standing.status == "scored" else None
