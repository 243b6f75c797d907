"""The rubric that reviewers are shown: the text that the judge had, kept with the queue."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict

from emaudit.planning import pinned_library
from emaudit.prompts import Library, Rubric
from emaudit.store.connection import Store
from emaudit.store.jsontext import dumps
from emaudit.store.queues import Queue
from emaudit.store.runs import runs
from emaudit.store.scorers import Scorer
from emaudit.store.texts import get_text, put_text


def judges_rubrics(store: Store, judge: Scorer, library: Library) -> Mapping[str, Rubric]:
    """Kind -> the rubric by which a judge gave its verdicts, as its runs pinned it; the library's where none is.

    An imported judge says nothing of its rubric, so its reviewers get the library's.
    """
    wanted = judge.detail.get("rubrics", {})
    hashes = wanted if isinstance(wanted, dict) else {}
    found = dict(library.rubrics)
    for run in reversed(runs(store)):
        missing = {kind for kind, digest in hashes.items() if kind in found and found[kind].hash != digest}
        if not missing:
            break
        if run.judge_id == judge.scorer_id:
            pinned = _pinned(get_text(store, run.protocol_hash), library)
            found |= {kind: pinned[kind] for kind in missing if pinned[kind].hash == hashes[kind]}
    return found


def _pinned(protocol: str, library: Library) -> Mapping[str, Rubric]:
    held = json.loads(protocol)
    return pinned_library(protocol, library).rubrics if "rubrics" in held else library.rubrics


def keep(db: sqlite3.Connection, rubrics: Mapping[str, Rubric], kinds: Iterable[str]) -> dict[str, dict[str, str]]:
    """Keep the rubrics of some kinds as texts; kind -> `hash` of the rubric and of its `text` in the store."""
    return {
        kind: {"hash": rubrics[kind].hash, "text": put_text(db, dumps(asdict(rubrics[kind])))} for kind in sorted(kinds)
    }


def kept(store: Store, held: Queue) -> Mapping[str, Rubric]:
    """Kind -> the rubric of a queue."""
    entries = held.settings["rubrics"]
    texts = (
        {kind: get_text(store, entry["text"]) for kind, entry in entries.items()} if isinstance(entries, dict) else {}
    )
    return {kind: Rubric(**json.loads(text)) for kind, text in texts.items()}
