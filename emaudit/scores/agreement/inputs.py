"""What agreement is computed from: one queue's draw, its strata, people's labels, a judge's values. Pure.

Everything here can be rebuilt from reviews.csv, so that anyone can recompute what the dashboard says.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from emaudit.scores.agreement.usable import Thresholds
from emaudit.stats.estimation import expected_maximum

MAIN: Final = "main"
REPEAT: Final = "repeat"
ANSWERED: Final = ("scored", "neutral")
"""States of a label that carry a value."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """One stratum of a draw: one variant and, by design, one score of the queue's judge.

    `judge_value` is that score (the prompt's maximum, for the design `prompts`); None where the judge left the
    replies unscored (`is_unscored`) and, for the design `simple`, where a stratum holds all scores. `n_frame` and
    `n_drawn` count replies, for the design `prompts` prompts.
    """

    name: str
    variant: str
    stage: str
    judge_value: float | None
    n_frame: int
    n_drawn: int
    is_unscored: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One drawn reply; `judge_value` is the verdict of the judge asked about, None where it gave no score.

    `unit` names the prompt of a variant that the reply answers: replies with the same unit are one prompt's.
    """

    position: int
    reply: int
    stratum: str
    variant: str
    stage: str
    unit: str
    role: str
    judge_value: float | None
    form: str = ""
    is_voided: bool = False
    """Voided since the draw: it stays in the frame that was drawn from, with its label."""


@dataclass(frozen=True, slots=True)
class Rating:
    """One person's word on one position. `blind` is the newest value given blind under the present rubric.

    A label that was changed after the verdict was seen keeps the blind one it had: only that enters an estimate.
    """

    position: int
    reviewer: str
    status: str
    value: float | None
    blind: float | None
    is_blind: bool
    is_old_rubric: bool = False
    reason: str = ""
    seconds: float | None = None
    is_flagged: bool = False


@dataclass(frozen=True, slots=True)
class FrameValue:
    """The judge's own values of one variant over the frame, on the labels' scale.

    `mean` is over the `n_scored` replies of the frame that it scored, `maximum` that of the prompts' maxima of k.
    """

    mean: float | None
    maximum: float | None
    n_scored: int = 0
    reason: str = ""

    @classmethod
    def of(cls, prompts: Iterable[Sequence[float]], k: int) -> FrameValue:
        """From a judge's scores of the replies to every prompt of the frame; unscored replies have none."""
        scored = [values for values in prompts if values]
        values = [value for held in scored for value in held]
        if not values:
            return cls(None, None, 0, "this judge scored no reply of the frame")
        maxima = [found for held in scored if (found := expected_maximum(held, k).value) is not None]
        maximum = math.fsum(maxima) / len(maxima) if maxima else None
        return cls(math.fsum(values) / len(values), maximum, len(values), f"no prompt has {k} scored replies")


@dataclass(frozen=True, slots=True)
class SpotCheck:
    """One queue with everything its agreement is computed from, seen with one judge.

    `judge` is the one asked about, `queue_judge` the one whose scores made the strata. `reviewer` is the first
    reviewer, whose labels feed the estimates. `stopped` is the reason of an early stop, None where there was none;
    `looks` are stops after which scoring went on, each at so many labels of those planned: results were seen then.
    `frame` has an entry per variant, and one called `pooled`. `settled` holds what two raters' disagreements were
    settled as, by position; it enters no estimate.
    """

    name: str
    uid: str
    assessment: str
    preset: str
    judge: str
    queue_judge: str
    design: str
    seed: int
    reviewer: str
    rubric_hash: str
    n_planned: int
    n_frame: int
    strata: tuple[Stratum, ...]
    items: tuple[Item, ...]
    ratings: tuple[Rating, ...]
    frame: Mapping[str, FrameValue] = field(default_factory=dict)
    thresholds: Thresholds = field(default_factory=Thresholds)
    stopped: str | None = None
    looks: tuple[tuple[int, int], ...] = ()
    simulated: bool = False
    settled: Mapping[int, float | None] = field(default_factory=dict)
    k: int = 10

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants of the draw, sorted."""
        return tuple(sorted({stratum.variant for stratum in self.strata}))

    @property
    def reviewers(self) -> tuple[str, ...]:
        """Everyone who gave a label, the first reviewer first."""
        others = sorted({rating.reviewer for rating in self.ratings} - {self.reviewer})
        return (self.reviewer, *others)

    @property
    def main(self) -> tuple[Item, ...]:
        """The drawn replies without those that return for the same person."""
        return tuple(item for item in self.items if item.role == MAIN)

    def ratings_of(self, reviewer: str) -> dict[int, Rating]:
        """A person's labels by position."""
        return {rating.position: rating for rating in self.ratings if rating.reviewer == reviewer}

    def chosen(self, variant: str) -> tuple[Stratum, ...]:
        """The strata of one variant, of all for `pooled`."""
        return tuple(stratum for stratum in self.strata if variant in (POOLED, stratum.variant))


POOLED: Final = "pooled"


def usable_labels(check: SpotCheck, reviewer: str) -> list[tuple[Item, float]]:
    """The drawn replies with the blind label of one person: what estimates stand on."""
    ratings = check.ratings_of(reviewer)
    found = [(item, ratings[item.position].blind) for item in check.main if item.position in ratings]
    return [(item, value) for item, value in found if value is not None]


def units(items: Iterable[Item]) -> dict[str, list[Item]]:
    """Items by the prompt they answer."""
    found: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        found[item.unit].append(item)
    return dict(found)


def is_settled(check: SpotCheck, item: Item, ratings: Mapping[int, Rating], unit: Sequence[Item]) -> bool:
    """Whether nothing more is expected of a person on an item: labelled, not judgeable, or its prompt ended."""
    rating = ratings.get(item.position)
    if rating is not None and rating.status in (*ANSWERED, "cannot_tell"):
        return True
    if check.design != "prompts" or len(unit) > check.k:
        return False
    return any(_value(ratings, other) == HIGHEST for other in unit)


HIGHEST: Final = 5.0
"""A prompt of k replies one of which is confirmed a 5 has its maximum: the rest of them need no label."""


def _value(ratings: Mapping[int, Rating], item: Item) -> float | None:
    rating = ratings.get(item.position)
    return None if rating is None else rating.value


def n_settled(check: SpotCheck, reviewer: str) -> int:
    """How many drawn replies (main ones) a person is done with."""
    ratings = check.ratings_of(reviewer)
    by_unit = units(check.main)
    return sum(is_settled(check, item, ratings, by_unit[item.unit]) for item in check.main)


def hidden_because(check: SpotCheck) -> str:
    """Why results are not shown yet, empty where they are: a look at them could decide when to stop."""
    n, planned = n_settled(check, check.reviewer), len(check.main)
    if n >= planned or check.stopped is not None:
        return ""
    return f"{n} of {planned} labels: results are hidden until the planned number, or until the queue is stopped"


def looked(check: SpotCheck) -> str:
    """That results were seen before the last label, and after how many; empty where they were not."""
    if not check.looks:
        return ""
    times = [str(n_done) for n_done, _ in dict.fromkeys(check.looks)]
    when = " and ".join(part for part in (", ".join(times[:-1]), times[-1]) if part)
    return f"results were looked at after {when} of {check.looks[-1][1]} labels, interval nominal"
