"""Summed-up plans kept between commands, in the user's cache folder; what the store has gained since is seen by hash.

A kept summary holds while its plan, judge, parser and rules are the same, the chains of replies and verdicts ended
then where they did, and no row of its variant and assessment came later. `verify` and `export` never read one.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, astuple
from functools import lru_cache
from pathlib import Path
from typing import Any

from emaudit import __version__
from emaudit.paths import kept_summaries
from emaudit.prompts import content_hash
from emaudit.scores import maxima, measures, profiles, summary
from emaudit.scores.maxima import PromptScore
from emaudit.scores.measures import Rules, Value
from emaudit.scores.rows import Source
from emaudit.scores.summary import Mean, Summary
from emaudit.stats import estimation, templates
from emaudit.store import readings
from emaudit.store.connection import Store
from emaudit.store.plans import Plan
from emaudit.store.readings import Heads, chains_at, heads, parser_of, touched_since
from emaudit.store.scorers import Scorer, active_judge

Kept = Mapping[str, Any]
"""A summary as JSON, with the judge it counts and what it stood on; Source is made from the store each time."""


def packed(summary: Summary) -> dict[str, Any]:
    """A summary as JSON keeps it; floats come back to the last digit."""
    return {
        "n_owed": summary.n_owed,
        "values": [[*key, *astuple(value)] for key, value in summary.values.items()],
        "prompts": {item: astuple(prompt) for item, prompt in summary.prompts.items()},
        "templates": [
            [*key, {t: {c: [m.value, m.n] for c, m in means.items()} for t, means in templates.items()}]
            for key, templates in summary.templates.items()
        ],
    }


def unpacked(kept: Kept, source: Source) -> Summary:
    """The summary that `packed` packed, of its source."""
    shared = sys.intern  # thousands of variants have the same parts and templates: one text each
    return Summary(
        source,
        {
            (shared(measure), shared(part), shared(form)): Value(*value)
            for measure, part, form, *value in kept["values"]
        },
        kept["n_owed"],
        {
            shared(item): PromptScore(shared(part), tuple(scores), *rest)
            for item, (part, scores, *rest) in kept["prompts"].items()
        },
        {
            (shared(measure), shared(part), shared(form)): {
                shared(template): {shared(condition): Mean(value, n) for condition, (value, n) in means.items()}
                for template, means in templates.items()
            }
            for measure, part, form, templates in kept["templates"]
        },
    )


@lru_cache(maxsize=1)
def _sources() -> str:
    """The digest of the code that counts: what other code has counted is counted again."""
    paths = (module.__file__ for module in (estimation, templates, measures, maxima, profiles, summary, readings))
    return content_hash([Path(path).read_text(encoding="utf-8") for path in paths if path])


def _digest(text: bytes) -> bytes:
    """What stands in a kept file's first line: a file that was cut short or changed is no cache."""
    return hashlib.sha256(text).hexdigest().encode()


class Shelf:
    """The kept summaries of one store under one choice of judge."""

    def __init__(self, store: Store, judge: Scorer | None, rules: Rules) -> None:
        self._store = store
        self._folder = kept_summaries(store.store_id)
        self._now = heads(store)
        used = judge or active_judge(store)
        self._made_by = {
            "emaudit": __version__,
            "counted_by": _sources(),
            "rules": asdict(rules),
            "judge": used.identity if used else "",
            "asked": judge.identity if judge else "",
        }
        self._touched: dict[Heads, set[tuple[int, str]] | None] = {}

    def get(self, plan: Plan) -> Kept | None:
        """A plan's kept summary; None where there is none that still holds."""
        try:
            digest, _, text = self._path(plan).read_bytes().partition(b"\n")
        except OSError:
            return None  # a cache that cannot be read is no cache
        if digest != _digest(text):
            return None
        kept = json.loads(text)
        if kept["key"] != self._key(plan):
            return None
        touched = self._since(Heads(*kept["heads"]))
        return None if touched is None or (plan.variant_id, plan.assessment) in touched else kept

    def put(self, plan: Plan, kept: Kept) -> None:
        """Keep a summary made after this shelf was opened; where the folder takes nothing, nothing is kept."""
        text = json.dumps({**kept, "key": self._key(plan), "heads": astuple(self._now)}, separators=(",", ":")).encode()
        path = self._path(plan)
        written = path.with_suffix(f".{os.getpid()}-{id(self):x}")
        with suppress(OSError):  # a cache that cannot be written costs time and nothing else
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with written.open("xb") as file:
                file.write(_digest(text) + b"\n" + text)
            written.replace(path)

    def _path(self, plan: Plan) -> Path:
        return self._folder / f"{plan.plan_id}-{content_hash(self._made_by)[:12]}.json"

    def _key(self, plan: Plan) -> str:
        return content_hash({**self._made_by, "plan": plan.content_hash, "parser": parser_of(self._store, plan)})

    def _since(self, then: Heads) -> set[tuple[int, str]] | None:
        """The variants and assessments with newer rows; None where these rows are not this store's."""
        if then not in self._touched:
            if chains_at(self._store, then.reply_id, then.verdict_id, then.void_id) != then.chains:
                self._touched[then] = None
            else:
                self._touched[then], _ = touched_since(self._store, then.reply_id, then.verdict_id, then.void_id)
        return self._touched[then]
