"""Stored replies as they come from the store for reading. Pure shapes."""

from __future__ import annotations

from dataclasses import dataclass

Place = tuple[int, int, int]
"""Cell, sample, round: where a reply stands in the list."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Reply ids of one page in their order, with the places of the first and the last, and what lies around them.

    `position` is how many replies of the list stand before the first; None until the list is built.
    """

    reply_ids: tuple[int, ...]
    first: Place = (-1, -1, -1)
    last: Place = (-1, -1, -1)
    has_before: bool = False
    has_after: bool = False
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """One reply as a list shows it; `head` is the beginning of its text."""

    reply_id: int
    cell_id: int
    sample: int
    round: int
    variant_id: int
    replicate: int
    prompt_id: int
    assessment: str
    item: str
    part: str
    format: str
    condition: str
    outcome: str
    head: str


@dataclass(frozen=True, slots=True)
class Given:
    """One verdict as stored; `raw` is empty where only lists were asked for."""

    reply_id: int
    scorer_id: int
    part: str
    attempt: int
    status: str
    value: float | None
    reason: str
    raw: str = ""
    model: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Full:
    """All that is stored of one reply and its prompt."""

    listed: Listed
    prompt: str
    text: str
    finish_reason: str
    refusal: str
    extra: str
    model: str
    fingerprint: str
    prompt_tokens: int | None
    completion_tokens: int | None
    seed: int | None
    attempt: int
    endpoint_url: str
    received_at: str
    run_uid: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A person's score, note, flag or star on a reply, as it stands."""

    reply_id: int
    kind: str
    reviewer: str
    value: float | None
    answer: str
    reason: str
    is_blind: bool
    at: str


@dataclass(frozen=True, slots=True)
class Said:
    """How often the same was said to one prompt: the text, its verdicts' scorer, and how many replies."""

    prompt_id: int
    assessment: str
    item: str
    part: str
    format: str
    condition: str
    prompt: str
    text: str
    n: int
    reply_id: int
    """The first of them."""
